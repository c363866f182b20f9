"""The asker's side: batches sent, answers verified and looked up in the lists that partners gave us (`taking.py`).

A batch is kept (with what opens it) before it is sent: no question leaves that the supervisor could not open later.
What an answer gave is kept sealed, so a later change of the list is looked up again without a new evaluation.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from tansiq import errors
from tansiq.access.model import Acting
from tansiq.crypto import Blinded, blind_with
from tansiq.errors import Invalid, NotFound, PeerUnavailable, Refused, TansiqError, Untrusted
from tansiq.matching import KeyClass, asked_keys, key_fingerprint, tier_of
from tansiq.private import records
from tansiq.private.batches import ask, case_reference, finish_batch
from tansiq.private.ground import Ground, log
from tansiq.private.holder import own_descriptor
from tansiq.private.model import (
    BATCH_SIZES,
    OUTPUT_BYTES,
    AskedBatch,
    BatchHeader,
    CheckKind,
    CheckResult,
    CheckState,
    Descriptor,
    Family,
    Tier,
)
from tansiq.private.openings import openings_of
from tansiq.private.taking import MAX_ANSWER, Taking
from tansiq.private.wire import (
    ANSWER_TYPE,
    BATCH_TYPE,
    REFUSAL_TYPE,
    batch_body,
    opening_bytes,
    parse_answer,
    parse_frame,
    parse_opening,
    parse_refusal,
    split,
)
from tansiq.store import Sealed
from tansiq.terms import LogVerb, NodeId, Purpose, format_instant, parse_instant

_AT_ONCE = 100
_TRIES = 2
_EXPECTED = ("sent", "answered")
"""`answered`: it was taken, and the process died before the check was finished."""
_KINDS = {
    k.__name__: k
    for k in (errors.Invalid, errors.Refused, errors.NotFound, errors.Conflict, errors.Untrusted, errors.Broken)
}
Listener = Callable[[CheckResult, bool], None]
"""(result, whether it came from a change of the list and not from the answer)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One key to ask: its class, as the result names it, and the input."""

    tier: Tier
    key_class: str
    input: bytes


class _Sealed(msgspec.Struct):
    """What a check keeps of itself, sealed."""

    case: str
    case_salt: bytes
    person: dict[str, Any]
    questions: list[tuple[str, str, bytes]]
    families: list[tuple[str, bool, list[str]]]
    rids: dict[str, list[str]]
    """tier -> opaque ids that were found, for `did anything change`."""


_sealed = Sealed(records.checks, decode=msgspec.msgpack.Decoder(_Sealed).decode)


class Asker:
    """What we ask of partners."""

    def __init__(self, ground: Ground) -> None:
        self._g = ground
        self._locks: dict[NodeId, threading.Lock] = {}
        self._guard = threading.Lock()
        self._listeners: dict[CheckKind, Listener] = {}
        self._specs: dict[Tier, Callable[[], str]] = dict.fromkeys((Tier.LOW, Tier.HIGH), key_fingerprint)
        self.taking = Taking(ground)

    def listen(self, kind: CheckKind, listener: Listener) -> None:
        """Who is told when a check of this kind is done, and when a change of a list changed its result."""
        self._listeners[kind] = listener

    def speak(self, tier: Tier, spec: Callable[[], str]) -> None:
        """By which rules the inputs of a tier are made here."""
        self._specs[tier] = spec

    # --- work ---

    def work(self) -> bool:
        """Take lists in, look again where one has changed, take answers. True when something was done."""
        done = [self.taking.work()]
        with self._g.store.read() as tx:
            changed = records.rows(tx, records.queue, what="look", by=(records.queue.c.at,))
            answers = records.rows(tx, records.queue, what="answer", by=(records.queue.c.at,), limit=_AT_ONCE)
        for row in changed:
            done.append(self.taking.guarded(self._look_again, row))
        for row in answers:
            done.append(self.taking.guarded(self._take_answer, row))
        self.taking.tidy()
        return any(done)

    # --- asking ---

    def questions(self, person: Mapping[str, Any]) -> list[Question]:
        """What it costs to ask for a person: one evaluation a key and partner. Raises `Invalid("check.no_key")`."""
        keys = asked_keys(person)
        if not keys:
            raise Invalid(
                "check.no_key",
                "no key can be made: give a name of two parts with a full birth date, or a number",
                step="check",
                field="person",
            )
        return [Question(Tier(tier_of(k.key_class).value), k.key_class.value, k.input) for k in keys]

    def start(
        self,
        partner: NodeId,
        questions: Sequence[Question],
        case: str,
        by: Acting,
        *,
        kind: CheckKind = CheckKind.PERSON,
        ref: str = "",
        person: Mapping[str, Any] | None = None,
    ) -> CheckResult:
        """Ask one partner. The result is `waiting` where the partner can only be reached by envelope."""
        g = self._g
        if by.purpose not in set(Purpose):
            raise Invalid("check.purpose", "a private check states its purpose", step="check", field="purpose")
        if not case.strip():
            raise Invalid("check.case", "a private check states its case", step="check", field="case")
        permit = g.ask_gate(partner, by, case)
        lists = self._lists_for(partner, questions)
        salt = g.random(16)
        ident = f"pc-{g.new_id()}"
        inner = _Sealed(
            case, salt, dict(person or {}), [(q.tier.value, q.key_class, q.input) for q in questions], [], {}
        )

        def work(tx: Connection) -> None:
            values = {"kind": kind.value, "partner": partner, "ref": ref, "state": "waiting", "code": ""}
            values |= {"purpose": by.purpose, "officer": by.officer, "asked_at": format_instant(g.clock())}
            _sealed.add(tx, g.vault, inner, id=ident, **values, dossier="")
            clauses = [c.id for c in permit.clauses]
            facts = {"partner": partner, "clauses": clauses, "case": case_reference(salt, case)}
            g.leaf(tx, LogVerb.CONSULT, ident, by, "permit", **facts)

        g.store.write(work)
        try:
            for tier, row in lists.items():
                self._ask_tier(ident, inner, tier, row, by)
        except TansiqError as exc:
            g.store.write(partial(self._refused, ident=ident, code=exc.code))
            raise
        return self._finish(ident)

    def _lists_for(self, partner: NodeId, questions: Sequence[Question]) -> dict[Tier, dict[str, Any]]:
        """The list of each tier that is asked. Raises by name where there is none, or it was made by other rules."""
        tiers = sorted({q.tier for q in questions})
        with self._g.store.read() as tx:
            self._g.peers.keys_of(tx, partner)
            found = {tier: row for tier in tiers if (row := self.taking.lists(tx, partner, tier)) is not None}
        if not found:
            raise NotFound(
                "check.no_list", "this partner has given us no list of these keys", step="check", field="peer"
            )
        for tier, row in found.items():
            theirs = own_descriptor(bytes(row["descriptor"])).keyspec
            if theirs != self._specs[tier]():
                raise Invalid(
                    "check.keyspec",
                    "the partner makes its keys by other rules: both need the same version",
                    step="check",
                    field=tier.value,
                )
        return found

    def _ask_tier(self, ident: str, inner: _Sealed, tier: Tier, row: dict[str, Any], by: Acting) -> None:
        g, holder = self._g, NodeId(row["holder"])
        descriptor = own_descriptor(bytes(row["descriptor"]))
        rest = [message for t, key_class, message in inner.questions if t == tier.value]
        with self._lock(holder):
            while rest:
                part, rest = rest[: BATCH_SIZES[-1]], rest[BATCH_SIZES[-1] :]
                for attempt in range(_TRIES):
                    asked = self._prepare(ident, inner, descriptor, part, by)
                    try:
                        self._send(holder, asked, descriptor)
                        break
                    except TansiqError as exc:
                        # Another process of ours may have used a later number meanwhile: fresh blinds, a later number.
                        if exc.code != "batch.replayed" or attempt == _TRIES - 1:
                            raise
        log.info("private.asked", peer=holder, tier=tier.value, check=ident)
        g.wake()

    def _lock(self, holder: NodeId) -> threading.Lock:
        """A holder wants our numbers in order: one batch after the other."""
        with self._guard:
            return self._locks.setdefault(holder, threading.Lock())

    def _prepare(
        self, ident: str, inner: _Sealed, descriptor: Descriptor, inputs: Sequence[bytes], by: Acting
    ) -> AskedBatch:
        """A batch with its number, kept with all that opens it."""
        g = self._g
        key = {"holder": descriptor.holder, "tier": descriptor.tier, "epoch": descriptor.epoch}
        case = case_reference(inner.case_salt, inner.case)

        def work(tx: Connection) -> AskedBatch:
            row = records.row(tx, records.taken, **key)
            last = row["last_asked"] if row else 0
            # The clock keeps numbers rising also on a database that came out of a backup.
            sequence = max(last + 1, int(g.clock().timestamp() * 100))
            records.change(tx, records.taken, key, last_asked=sequence)
            (asked,) = ask(inputs, descriptor, sequence=sequence, case=case, purpose=by.purpose, random=g.random)
            h = asked.header
            frame = g.sign(BATCH_TYPE, batch_body(h), asked.elements)
            openings = [opening_bytes(o) for o in openings_of(asked, inner.case, inner.case_salt)]
            values = {n: getattr(h, n) for n in ("holder", "tier", "epoch", "sequence", "count", "case", "purpose")}
            values |= {"check": ident, "state": "sent", "code": "", "at": format_instant(g.clock())}
            kept = [asked.real, openings]
            records.sealed_asked.add(tx, g.vault, kept, id=h.digest, **values, body=frame, outputs=b"")
            facts = {"partner": h.holder, "tier": h.tier, "epoch": h.epoch, "sequence": h.sequence}
            facts |= {"count": h.count, "case": h.case, "check": ident}
            g.leaf(tx, LogVerb.COMBINE, f"private.batch.{h.digest}", by, "asked", **facts)
            return asked

        return g.store.write(work)

    def _send(self, holder: NodeId, asked: AskedBatch, descriptor: Descriptor) -> None:
        """Over the line where there is one, else by envelope; what comes back is verified before it is kept."""
        g, ident = self._g, asked.header.digest
        with g.store.read() as tx:
            row = records.row(tx, records.asked, id=ident)
        raw = bytes(row["body"]) if row else b""
        try:
            reply = g.post(holder, raw)
        except PeerUnavailable as exc:
            g.store.write(partial(self._mark, ident=ident, state="refused", code=exc.code))
            raise
        if reply is None:
            g.store.write(lambda tx: g.enqueue(tx, holder, f"batch:{ident}"))
            return
        self._take(holder, asked, descriptor, reply)

    def _take(self, holder: NodeId, asked: AskedBatch, descriptor: Descriptor, reply: bytes) -> None:
        g, ident = self._g, asked.header.digest
        try:
            outputs = self._verified(holder, asked, descriptor, reply)
        except TansiqError as exc:
            g.store.write(partial(self._mark, ident=ident, state="refused", code=exc.code))
            raise
        sealed = g.vault.seal("private_outputs", ident, b"".join(outputs))
        g.store.write(lambda tx: self._mark(tx, ident, "answered", "", outputs=sealed, body=b""))

    def _verified(self, holder: NodeId, asked: AskedBatch, descriptor: Descriptor, reply: bytes) -> list[bytes]:
        g = self._g
        envelope, payload = parse_frame(reply, MAX_ANSWER)
        with g.store.read() as tx:
            if not payload:
                _, body = g.verified(tx, envelope, REFUSAL_TYPE, holder)
                raise self._no(body, asked.header)
            _, body = g.verified(tx, envelope, ANSWER_TYPE, holder)
        return finish_batch(asked, *parse_answer(body, payload), descriptor)

    def _no(self, body: bytes, header: BatchHeader) -> TansiqError:
        """A holder's refusal of this batch, as the failure that it names."""
        holder, asker, of, kind, code = parse_refusal(body)
        if (holder, asker) != (header.holder, header.asker) or of not in (header.digest, "0" * 64):
            return Untrusted("refusal.batch", "a refusal of another batch", step="answer", field="asked")
        return _KINDS[kind](code, "the partner refused the batch", step="private check", field=header.tier)

    def _mark(self, tx: Connection, ident: str, state: str, code: str, **values: Any) -> None:
        g = self._g
        records.change(tx, records.asked, {"id": ident, "state": "sent"}, state=state, code=code, **values)
        verb = LogVerb.COMBINE if state == "answered" else LogVerb.CONSULT
        g.leaf(tx, verb, f"private.batch.{ident}", Acting.machine(), state, **({"code": code} if code else {}))

    def _take_answer(self, row: dict[str, Any]) -> bool:
        """An answer that came by envelope."""
        g, ident = self._g, row["id"].rpartition(":")[2]
        with g.store.read() as tx:
            there = records.row(tx, records.asked, id=ident)
            key = {n: there[n] for n in ("holder", "tier", "epoch")} if there else {}
            taken = records.row(tx, records.taken, **key) if there else None
        if there is None or taken is None or there["holder"] != row["node"] or there["state"] not in _EXPECTED:
            raise Untrusted("answer.batch", "an answer to no batch of ours", step="answer", field="asked")
        try:
            if there["state"] == "sent":
                of = own_descriptor(bytes(taken["descriptor"]))
                self._take(NodeId(row["node"]), self._reopened(there), of, bytes(row["raw"]))
                g.fault("answer.taken")
            self._finish(there["check"])
        except TansiqError as exc:
            # What `_finish` refuses stands on the check already.
            g.store.write(partial(self._refused, ident=there["check"], code=exc.code))
        g.store.write(lambda tx: records.remove(tx, records.queue, id=row["id"]))
        return True

    def _reopened(self, row: dict[str, Any]) -> AskedBatch:
        """A batch out of our own log: the same elements from the same inputs and blinds."""
        real, openings = self.openings(row)
        blinded: list[Blinded] = [blind_with(o.input, o.blind) for o in map(parse_opening, openings)]
        names = ("holder", "tier", "epoch", "sequence", "count", "case", "purpose")
        with self._g.store.read() as tx:
            taken = records.row(tx, records.taken, holder=row["holder"], tier=row["tier"], epoch=row["epoch"])
        keyspec = own_descriptor(bytes(taken["descriptor"])).keyspec if taken else ""
        header = BatchHeader(asker=self._g.node, digest=row["id"], keyspec=keyspec, **{n: row[n] for n in names})
        return AskedBatch(header, tuple(blinded), real)

    def openings(self, row: dict[str, Any]) -> tuple[int, list[bytes]]:
        """(how many are questions, every element's opening)."""
        found = records.sealed_asked.open(self._g.vault, row)
        return int(found[0]), list(found[1])

    # --- results ---

    def _unseal(self, row: dict[str, Any]) -> _Sealed:
        found: _Sealed = _sealed.open(self._g.vault, row)
        return found

    def _refused(self, tx: Connection, ident: str, code: str) -> None:
        where = {"id": ident, "state": CheckState.WAITING.value}
        records.change(tx, records.checks, where, state=CheckState.REFUSED.value, code=code)

    def _finish(self, ident: str) -> CheckResult:
        """The result once all batches are answered; waiting until then."""
        g = self._g
        with g.store.read() as tx:
            row = records.row(tx, records.checks, id=ident)
            batches = records.rows(tx, records.asked, check=ident)
        if row is None:
            raise NotFound("check.unknown", "no such check", step="check", field="id")
        live = [b for b in batches if b["code"] != "batch.replayed"]
        if row["state"] != "waiting" or any(b["state"] != "answered" for b in live):
            return self.result(ident)
        inner = self._unseal(row)
        try:
            self._look_up(inner, live)
        except (NotFound, Refused) as exc:
            g.store.write(partial(self._refused, ident=ident, code=exc.code))
            raise

        def work(tx: Connection) -> None:
            _sealed.change(tx, self._g.vault, inner, {"id": ident}, state="done")
            hits = sum(hit for _, hit, _ in inner.families)
            g.leaf(tx, LogVerb.COMBINE, ident, Acting.machine(), "answered", partner=row["partner"], hits=hits)

        g.store.write(work)
        found = self.result(ident)
        self._tell(found, False)
        return found

    def _tell(self, result: CheckResult, changed: bool) -> None:
        if (listener := self._listeners.get(result.kind)) is not None:
            listener(result, changed)

    def _look_up(self, inner: _Sealed, batches: Iterable[dict[str, Any]], *, again: bool = False) -> bool:
        """Fills in what the lists say now. True when that is not what was known.

        Raises `Refused("epoch.ended")` where a list has ended; `again`: what was known from such a one stays.
        """
        found: dict[bytes, list[str] | None] = {}
        for row in batches:
            outputs = split(self._g.vault.open("private_outputs", row["id"], bytes(row["outputs"])), OUTPUT_BYTES)
            inputs = [parse_opening(opening).input for opening in self.openings(row)[1]]
            try:
                opened = self.taking.tags(row)
            except (NotFound, Refused):
                if not again:
                    raise
                found |= {message: inner.rids.get(message.hex()) for message in inputs[: len(outputs)]}
                continue
            with opened as tags:
                for message, output in zip(inputs, outputs, strict=False):
                    there = tags.find(output)
                    found[message] = None if there is None else [r.hex() for r in there]
        before = [tuple(map(str, f)) for f in inner.families]
        families: dict[str, tuple[bool, list[str]]] = {}
        for _tier, key_class, message in inner.questions:
            if message in found:
                hit, rids = families.get(key_class, (False, []))
                more = found[message]
                families[key_class] = (hit or more is not None, list(dict.fromkeys([*rids, *(more or ())])))
        inner.families = [(name, hit, rids) for name, (hit, rids) in families.items()]
        inner.rids = {message.hex(): rids for message, rids in found.items() if rids is not None}
        return before != [tuple(map(str, f)) for f in inner.families]

    def _look_again(self, order: dict[str, Any]) -> bool:
        """Standing checks of a list that has changed: what their kept outputs find in it now."""
        g = self._g
        _, holder, tier, number = order["id"].split(":")
        epoch = int(number)
        with g.store.read() as tx:
            rows = records.rows(tx, records.checks, records.checks.c.ref != "", partner=holder, state="done")
            batches = {r["id"]: records.rows(tx, records.asked, check=r["id"], state="answered") for r in rows}
        for row in rows:
            of = batches[row["id"]]
            if not any((b["tier"], b["epoch"]) == (tier, epoch) for b in of):
                continue
            inner = self._unseal(row)
            known = set(inner.rids)
            if not self._look_up(inner, of, again=True):
                continue
            fresh = sorted(set(inner.rids) - known)

            def work(tx: Connection, row: dict[str, Any] = row, inner: _Sealed = inner, new: int = len(fresh)) -> None:
                _sealed.change(tx, g.vault, inner, {"id": row["id"]})
                decision = "changed list looked up again"
                g.leaf(tx, LogVerb.COMBINE, row["id"], Acting.machine(), decision, partner=holder, hits=new)
                if new and row["kind"] == CheckKind.PERSON:
                    g.alarm(tx, "watch_hit", holder, tier, new, len(inner.questions), row["id"])

            g.store.write(work)
            self._tell(self.result(row["id"]), True)
        # Not where the list has changed once more since.
        g.store.write(lambda tx: records.remove(tx, records.queue, id=order["id"], at=order["at"]))
        return True

    def result(self, ident: str) -> CheckResult:
        """Raises `NotFound`."""
        with self._g.store.read() as tx:
            row = records.row(tx, records.checks, id=ident)
            batches = records.rows(tx, records.asked, check=ident)
        if row is None:
            raise NotFound("check.unknown", "no such check", step="check", field="id")
        return self._result(row, batches)

    def results(self, since: datetime | None = None, ref: str = "", limit: int = 200) -> list[CheckResult]:
        """Newest first."""
        c = records.checks.c
        more = [c.asked_at >= format_instant(since)] if since else []
        with self._g.store.read() as tx:
            where = {"ref": ref} if ref else {}
            rows = records.rows(tx, records.checks, *more, by=(c.asked_at.desc(), c.id), limit=limit, **where)
            batches = {r["id"]: records.rows(tx, records.asked, check=r["id"]) for r in rows}
        return [self._result(r, batches[r["id"]]) for r in rows]

    def _result(self, row: dict[str, Any], batches: Sequence[dict[str, Any]]) -> CheckResult:
        inner = self._unseal(row)
        said = {name: Family(name, hit, tuple(rids)) for name, hit, rids in inner.families}
        classes = dict.fromkeys(key_class for _, key_class, _ in inner.questions)
        if row["kind"] == CheckKind.PERSON:
            classes |= dict.fromkeys(sorted(k.value for k in KeyClass if k.value not in ("np", "nf")))
        return CheckResult(
            row["id"],
            CheckKind(row["kind"]),
            NodeId(row["partner"]),
            CheckState(row["state"]),
            row["code"],
            tuple(said.get(name, Family(name, None)) for name in classes),
            {b["tier"]: b["epoch"] for b in batches},
            sum(b["count"] for b in batches),
            row["purpose"],
            row["officer"],
            parse_instant(row["asked_at"]),
            row["ref"],
            row["dossier"],
            inner.case,
        )

    def person_of(self, ident: str) -> Mapping[str, Any]:
        """The person that was asked for."""
        with self._g.store.read() as tx:
            row = records.row(tx, records.checks, id=ident)
        if row is None:
            raise NotFound("check.unknown", "no such check", step="check", field="id")
        return self._unseal(row).person

    def found(self, ident: str) -> dict[bytes, tuple[str, ...]]:
        """input -> opaque ids, for the inputs that were found."""
        with self._g.store.read() as tx:
            row = records.row(tx, records.checks, id=ident)
        if row is None:
            raise NotFound("check.unknown", "no such check", step="check", field="id")
        return {bytes.fromhex(m): tuple(rids) for m, rids in self._unseal(row).rids.items()}

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader for a batch that goes by envelope."""
        row = records.row(tx, records.asked, id=ref.partition(":")[2])
        return bytes(row["body"]) if row and row["holder"] == to and row["state"] == "sent" else None
