"""The asker's side: partners' lists taken in and kept current, batches sent, answers verified and looked up locally.

A batch is kept (with what opens it) before it is sent: no question leaves that the supervisor could not open later.
What an answer gave is kept sealed, so a later change of the list is looked up again without a new evaluation.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from tansiq import errors
from tansiq.access.model import Acting
from tansiq.crypto import Blinded, blind_with
from tansiq.errors import Conflict, Invalid, NotFound, PeerUnavailable, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.matching import KeyClass, asked_keys, key_fingerprint, tier_of
from tansiq.private import records
from tansiq.private.batches import ask, case_reference, finish_batch
from tansiq.private.ground import Ground, log
from tansiq.private.holder import own_descriptor
from tansiq.private.lists import TagList, apply_delta
from tansiq.private.model import (
    BATCH_SIZES,
    ELEMENT_BYTES,
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
from tansiq.private.wire import (
    ANSWER_TYPE,
    BATCH_TYPE,
    DELTA_TYPE,
    DESCRIPTOR_TYPE,
    MAX_BLOCKS,
    MAX_ENVELOPE,
    REFUSAL_TYPE,
    batch_body,
    digest,
    list_bytes,
    opening_bytes,
    parse_answer,
    parse_delta,
    parse_descriptor,
    parse_frame,
    parse_opening,
    parse_refusal,
    split,
)
from tansiq.store import Sealed
from tansiq.terms import LogVerb, NodeId, Purpose, format_instant, later, parse_instant

MAX_ANSWER = max(BATCH_SIZES) * ELEMENT_BYTES
MAX_PIECES = 2400
_MAX_DELTA = MAX_BLOCKS * 256 * 32
MAX_LETTER = 8 + MAX_ENVELOPE + MAX_ANSWER
"""A batch or an answer that comes by envelope."""
MOST_QUEUED = 4096
"""Of one partner, and not looked at yet."""
MOST_AHEAD = 400
"""Changes of one list that wait for those before them: more than the days for which an item is kept."""
MOST_LISTS, LISTS_IN = 16, timedelta(days=30)
"""Of one partner and tier in so many days. An epoch lasts for months; some are begun anew by hand."""
_AT_ONCE = 100
_TRIES = 2
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
    """Partners' lists, and what we ask of them."""

    def __init__(self, ground: Ground) -> None:
        self._g = ground
        self._locks: dict[NodeId, threading.Lock] = {}
        self._guard = threading.Lock()
        self._listeners: dict[CheckKind, Listener] = {}
        self._specs: dict[Tier, Callable[[], str]] = dict.fromkeys((Tier.LOW, Tier.HIGH), key_fingerprint)
        ground.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def listen(self, kind: CheckKind, listener: Listener) -> None:
        """Who is told when a check of this kind is done, and when a change of a list changed its result."""
        self._listeners[kind] = listener

    def speak(self, tier: Tier, spec: Callable[[], str]) -> None:
        """By which rules the inputs of a tier are made here."""
        self._specs[tier] = spec

    # --- lists ---

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """The inbox's handler: keeps what came; the worker reads it. Raises `Untrusted` on what does not verify."""
        what, *rest = item.ref.split(":")
        g = self._g
        if what in ("batch", "answer"):
            self._queue(tx, what, sender, rest, item.payload)
        elif what == "end":
            self._end(tx, sender, rest)
        elif what == "desc":
            self._take_descriptor(tx, sender, item.payload)
        elif what in ("piece", "delta"):
            self._take_bytes(tx, sender, what, rest, item.payload)
        else:
            return ItemResult(item.ref, received=False, reason="private.unknown")
        g.store.after_commit(tx, g.wake)
        return ItemResult(item.ref, received=True)

    def _queue(self, tx: Connection, what: str, sender: NodeId, rest: list[str], raw: bytes) -> None:
        if len(rest) != 1 or not rest[0]:
            raise _no_ref()
        if len(raw) > MAX_LETTER:
            raise Untrusted("private.too_large", "larger than such a message can be", step="private")
        if records.queued(tx, what, sender) >= MOST_QUEUED:
            raise Conflict("private.too_many", "so many of this partner wait already", step="private")
        values = {"what": what, "node": sender, "at": format_instant(self._g.clock()), "raw": raw}
        records.put(tx, records.queue, id=f"{what}:{sender}:{rest[0]}", **values)

    def _take_descriptor(self, tx: Connection, sender: NodeId, raw: bytes) -> None:
        g = self._g
        envelope, _ = parse_frame(raw, 0)
        _, body = g.verified(tx, envelope, DESCRIPTOR_TYPE, sender)
        found = parse_descriptor(body)
        if found.holder != sender or found.partner != g.node:
            raise Untrusted("private.descriptor", "a list of another pair of nodes", step="private", field="holder")
        if found.tier not in set(Tier):
            raise Untrusted("private.descriptor", "a list of no tier that there is", step="private", field="tier")
        key = {"holder": sender, "tier": found.tier, "epoch": found.epoch}
        there = records.row(tx, records.taken, **key)
        if there is not None and own_descriptor(bytes(there["descriptor"])) != found:
            # One epoch has one key and one list: a second one would tell who asked under the first.
            raise Untrusted("private.two_descriptors", "a second list of one epoch", step="private", field="epoch")
        if there is not None:
            return
        since = format_instant(later(g.clock(), -LISTS_IN))
        c = records.taken.c
        if len(records.rows(tx, records.taken, c.changed_at >= since, holder=sender, tier=found.tier)) >= MOST_LISTS:
            # Each may be gigabytes, and nothing but its maker's word says how many there are.
            raise Conflict("private.too_many", "so many lists of this tier came lately", step="private", field="epoch")
        now = format_instant(g.clock())
        values = {"state": "arriving", "descriptor": raw, "digest": found.digest, "sequence": 0, "last_asked": 0}
        records.add(tx, records.taken, **key, **values, changed_at=now)
        facts = {"partner": sender, "tier": found.tier, "epoch": found.epoch, "count": found.count}
        facts |= {"public": found.public.hex(), "descriptor": digest(raw), "keyspec": found.keyspec}
        g.leaf(tx, LogVerb.COLLECT, f"private.list.{found.tier}.{found.epoch}", Acting.machine(), "taken", **facts)

    def _take_bytes(self, tx: Connection, sender: NodeId, what: str, rest: list[str], raw: bytes) -> None:
        tier, epoch, number = _place(rest)
        there = records.row(tx, records.taken, holder=sender, tier=tier, epoch=epoch)
        if there is None:
            # Its descriptor goes first. Without it nobody knows how much it may be, nor ever reads it.
            raise NotFound("private.no_list", "a piece of no list that we know", step="private", field="ref")
        place = {"side": "taken", "node": sender, "tier": tier, "epoch": epoch}
        if what == "piece":
            self._take_piece(tx, there, place, number, raw)
        else:
            self._take_delta(tx, there, place, number, raw)

    def _take_piece(
        self, tx: Connection, there: dict[str, Any], place: dict[str, Any], number: int, raw: bytes
    ) -> None:
        sizes = records.piece_sizes(tx, *place.values())
        if there["state"] != "arriving" or number in sizes:
            return  # it is whole, or over, or here: what comes again is not kept
        found = own_descriptor(bytes(there["descriptor"]))
        if number >= MAX_PIECES or sum(sizes.values()) + len(raw) > list_bytes(found.count, found.labelled):
            raise Untrusted("private.too_large", "more pieces than this list has", step="private")
        records.add(tx, records.pieces, **place, number=number, raw=raw)

    def _take_delta(
        self, tx: Connection, there: dict[str, Any], place: dict[str, Any], number: int, raw: bytes
    ) -> None:
        if there["state"] in ("ended", "broken") or number <= there["sequence"]:
            return
        if number > there["sequence"] + MOST_AHEAD or len(raw) > 8 + MAX_ENVELOPE + _MAX_DELTA:
            raise Untrusted("private.too_large", "more changes than can wait", step="private")
        records.add(tx, records.deltas, **place, sequence=number, raw=raw)

    def _end(self, tx: Connection, sender: NodeId, rest: list[str]) -> None:
        """The holder has closed an epoch, or all of our checks."""
        where: dict[str, Any] = {"holder": sender}
        if rest[:1] != ["all"]:
            where["tier"], where["epoch"], _ = _place([*rest, "0"])
        records.change(tx, records.taken, where, state="ended", changed_at=format_instant(self._g.clock()))
        self._drop_waiting(tx, sender, {name: where[name] for name in where if name != "holder"})

    @staticmethod
    def _drop_waiting(tx: Connection, holder: str, where: Mapping[str, Any]) -> None:
        """What came of a list that will never be whole, or never changes again."""
        for table in (records.pieces, records.deltas):
            records.remove(tx, table, side="taken", node=holder, **where)

    def work(self) -> bool:
        """Assemble what is complete, apply changes, take answers, ask watches again. True when something was done."""
        g = self._g
        with g.store.read() as tx:
            arriving = records.rows(tx, records.taken, state="arriving")
            waiting = records.waiting_deltas(tx)
            answers = records.rows(tx, records.queue, what="answer", by=(records.queue.c.at,), limit=_AT_ONCE)
        done = [self._guarded(self._assemble, row) for row in arriving]
        for row in waiting:
            done.append(self._guarded(self._apply, row))
        for row in answers:
            done.append(self._guarded(self._take_answer, row))
        return any(done)

    def _guarded(self, step: Callable[[dict[str, Any]], bool], row: dict[str, Any]) -> bool:
        """One partner's broken bytes must not hold up another's."""
        try:
            return step(row)
        except (Untrusted, Conflict, Invalid) as exc:
            log.warning("private.partner_refused", code=exc.code, peer=row.get("holder") or row.get("node"))
            self._g.store.write(partial(self._break, row=row, code=exc.code))
            return True

    def _break(self, tx: Connection, row: dict[str, Any], code: str) -> None:
        if "id" in row:
            records.remove(tx, records.queue, id=row["id"])
            return
        if code == "delta.sequence":
            return
        holder = row.get("holder") or row["node"]
        where = {"holder": holder, "tier": row["tier"], "epoch": row["epoch"]}
        records.change(tx, records.taken, where, state="broken")
        self._drop_waiting(tx, holder, {"tier": row["tier"], "epoch": row["epoch"]})
        self._g.alarm(tx, "list_broken", holder, row["tier"], 0, 0, code)

    def _path(self, of: str) -> Path:
        return self._g.home / f"{of}.tags"

    def _assemble(self, row: dict[str, Any]) -> bool:
        g = self._g
        found = own_descriptor(bytes(row["descriptor"]))
        size = list_bytes(found.count, found.labelled)
        place = (row["holder"], row["tier"], row["epoch"])
        with g.store.read() as tx:
            sizes = records.piece_sizes(tx, "taken", *place)
        # In order; a gap ends them.
        there = [number for at, number in enumerate(sorted(sizes)) if number == at]
        if sum(sizes[number] for number in there) < size:
            return False
        self._write((self._piece(place, number) for number in there), found.digest)
        tags = TagList(self._path(found.digest), found)
        try:
            tags.verify()
        finally:
            tags.close()

        def work(tx: Connection) -> None:
            self._move(tx, place, state="ready", changed_at=format_instant(g.clock()))
            node, tier, epoch = place
            records.remove(tx, records.pieces, side="taken", node=node, tier=tier, epoch=epoch)
            # An older epoch's changes do not come any more once the newer list is there.
            c = records.taken.c
            for old in records.rows(tx, records.taken, c.epoch < epoch, holder=node, tier=tier, state="ready"):
                self._move(tx, (node, tier, old["epoch"]), state="old")

        g.store.write(work)
        return True

    def _move(self, tx: Connection, place: tuple[str, str, int], **values: Any) -> None:
        records.change(tx, records.taken, {"holder": place[0], "tier": place[1], "epoch": place[2]}, **values)

    def _piece(self, place: tuple[str, str, int], number: int) -> bytes:
        """One at a time: a list may be larger than memory."""
        node, tier, epoch = place
        with self._g.store.read() as tx:
            row = records.row(tx, records.pieces, side="taken", node=node, tier=tier, epoch=epoch, number=number)
        return bytes(row["raw"]) if row else b""

    def _write(self, pieces: Iterable[bytes], of: str) -> None:
        """The whole file or none: it is mapped by whoever looks something up."""
        beside = self._path(f"{of}.{os.getpid()}.{threading.get_ident()}")
        with beside.open("wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._path(of))

    def _apply(self, row: dict[str, Any]) -> bool:
        """One delta, if it is the next one of its list."""
        g, place = self._g, (row["node"], row["tier"], row["epoch"])
        with g.store.read() as tx:
            there = records.row(tx, records.taken, holder=place[0], tier=place[1], epoch=place[2])
            if there is None or there["state"] not in ("ready", "old") or row["sequence"] > there["sequence"] + 1:
                return False
            key = {"side": "taken", "node": place[0], "tier": place[1], "epoch": place[2], "sequence": row["sequence"]}
            if row["sequence"] <= there["sequence"]:
                g.store.write(lambda tx: records.remove(tx, records.deltas, **key))
                return False
            kept = records.row(tx, records.deltas, **key)
            if kept is None:
                return False
            envelope, payload = parse_frame(bytes(kept["raw"]), _MAX_DELTA)
            _, body = g.verified(tx, envelope, DELTA_TYPE, NodeId(place[0]))
        delta = parse_delta(body, payload)
        if delta.holder != place[0] or delta.partner != g.node:
            raise Untrusted("delta.epoch", "a change of another list", step="delta", field="holder")
        now = replace(own_descriptor(bytes(there["descriptor"])), digest=there["digest"])
        after, changed = apply_delta(self._path(there["digest"]).read_bytes(), now, delta, there["sequence"])
        self._write((after,), changed.digest)

        def work(tx: Connection) -> None:
            values = {"digest": changed.digest, "sequence": delta.sequence}
            self._move(tx, place, **values, changed_at=format_instant(g.clock()))
            records.remove(tx, records.deltas, **key)

        g.store.write(work)
        if there["digest"] != changed.digest:
            self._path(there["digest"]).unlink(missing_ok=True)
        self._look_again(*place)
        return True

    def lists(self, tx: Connection, partner: NodeId, tier: Tier) -> dict[str, Any] | None:
        """The newest list of a tier that can be asked."""
        c = records.taken.c
        found = records.rows(tx, records.taken, by=(c.epoch.desc(),), holder=partner, tier=tier.value)
        return next((r for r in found if r["state"] in ("ready", "old")), None)

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
            found = {tier: row for tier in tiers if (row := self.lists(tx, partner, tier)) is not None}
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
        if there is None or taken is None or there["state"] != "sent" or there["holder"] != row["node"]:
            raise Untrusted("answer.batch", "an answer to no batch of ours", step="answer", field="asked")
        try:
            self._take(
                NodeId(row["node"]),
                self._reopened(there),
                own_descriptor(bytes(taken["descriptor"])),
                bytes(row["raw"]),
            )
        except TansiqError as exc:
            g.store.write(partial(self._refused, ident=there["check"], code=exc.code))
        g.store.write(lambda tx: records.remove(tx, records.queue, id=row["id"]))
        self._finish(there["check"])
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
        records.change(tx, records.checks, {"id": ident}, state=CheckState.REFUSED.value, code=code)

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
        self._look_up(inner, live)

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

    def _look_up(self, inner: _Sealed, batches: Iterable[dict[str, Any]]) -> bool:
        """Fills in what the lists say now. True when that is not what was known."""
        found: dict[bytes, list[str] | None] = {}
        for row in batches:
            outputs = split(self._g.vault.open("private_outputs", row["id"], bytes(row["outputs"])), OUTPUT_BYTES)
            _, openings = self.openings(row)
            with self._tags(row) as tags:
                for opening, output in zip(openings, outputs, strict=False):
                    there = tags.find(output)
                    found[parse_opening(opening).input] = None if there is None else [r.hex() for r in there]
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

    def _tags(self, row: dict[str, Any]) -> _Opened:
        with self._g.store.read() as tx:
            taken = records.row(tx, records.taken, holder=row["holder"], tier=row["tier"], epoch=row["epoch"])
        if taken is None:
            raise NotFound("check.no_list", "the list is gone", step="check", field="tier")
        found = replace(own_descriptor(bytes(taken["descriptor"])), digest=taken["digest"])
        try:
            return _Opened(TagList(self._path(found.digest), found))
        except FileNotFoundError as exc:
            raise Conflict("check.list_moving", "the list has just changed: ask again", step="check") from exc

    def _look_again(self, holder: str, tier: str, epoch: int) -> None:
        """Standing checks of a list that has changed: what their kept outputs find in it now."""
        g = self._g
        with g.store.read() as tx:
            rows = records.rows(tx, records.checks, records.checks.c.ref != "", partner=holder, state="done")
            batches = {r["id"]: records.rows(tx, records.asked, check=r["id"], state="answered") for r in rows}
        for row in rows:
            of = batches[row["id"]]
            if not any((b["tier"], b["epoch"]) == (tier, epoch) for b in of):
                continue
            inner = self._unseal(row)
            known = set(inner.rids)
            if not self._look_up(inner, of):
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


class _Opened:
    """A list, closed again afterwards."""

    def __init__(self, tags: TagList) -> None:
        self._tags = tags

    def __enter__(self) -> TagList:
        return self._tags

    def __exit__(self, *_: object) -> None:
        self._tags.close()


def _place(rest: list[str]) -> tuple[str, int, int]:
    """(tier, epoch, number) of an item's reference."""
    tier, *numbers = rest or [""]
    if (
        tier not in set(Tier)
        or len(numbers) != 2
        or not all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers)
    ):
        raise _no_ref()
    return tier, int(numbers[0]), int(numbers[1])


def _no_ref() -> Untrusted:
    return Untrusted("private.malformed", "a reference of another form", step="private", field="ref")
