"""Partners witness one another's logs by themselves, over the way that everything else goes.

Once in a while a node lays its newest checkpoint before each partner: an item `checkpoint` (C2SP tlog-witness
`add-checkpoint`: the size they cosigned last, a consistency proof, the signed note). The partner answers with an item
`cosignature`: its line, or the size that it knows where ours did not begin there, with our own note where that is more
than we have. Both are items like any other:
sealed, receipted, carried by hand where there is no line. A node that was put back to an older state, or that shows
two stories to two partners, is found out by whoever cosigned the other one; that is kept, with the note as evidence.
What a witness learns: how many leaves the log has. What it can't learn: anything that stands in them.

From the first contradiction on nothing of that log is cosigned until an officer who oversees has called the partner
and says what follows (`settle`): its log starts anew at the head that it laid before us last, whose size and root the
two have compared; or it stays distrusted, known to be so. Both stand in our log, with the reason; so does the note that
contradicted. Until then it is a duty, and so is a partner that has long not cosigned ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection, RowMapping, select

from tansiq.crypto import PublicKeys
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.ledger import records
from tansiq.ledger.checkpoint import verify_checkpoint
from tansiq.ledger.model import Checkpoint, Cosignature
from tansiq.ledger.service import Ledger
from tansiq.ledger.wire import WitnessAnswer, lines_of, parse_answer, parse_request, render_answer, render_request
from tansiq.store import Store
from tansiq.terms import LogVerb, NodeId, format_instant, parse_instant

CHECKPOINT, COSIGNATURE = "checkpoint", "cosignature"
"""The kinds of items. The ref of the first is `w-<size>-<size cosigned last>`, of the second `c-<the first's>`."""
REWRITTEN = "rewritten"
"""The partner's log does not extend what we cosigned of it: it rewrote its history."""
PUT_BACK = "put_back"
"""A partner cosigned more of our log than we have: we run on an older state than we once had."""
DISTRUSTED = "distrusted"
"""An officer knows that the partner's log was rewritten: nothing of it is cosigned."""
KNOWN_BACK = "known_back"
"""An officer knows that we were put back, and why."""
OPEN_TROUBLES = (REWRITTEN, PUT_BACK)
"""What waits for an officer's word."""
ESCALATIONS = frozenset({"witness.rewritten", "witness.put_back", "witness.silent"})
"""Duties of those who oversee."""
OVERSEERS = frozenset({"supervisor", "protection"})
SILENT_AFTER = timedelta(days=7)
"""So long may something of our log be uncosigned by a partner before officers are told. Proposal, no standard."""
CALL_WITHIN = timedelta(days=1)
CLAUSE = "LED art. 25; C2SP tlog-witness"
MIN_REASON, MAX_REASON = 10, 2000
_REF = re.compile(r"w-[0-9]{1,18}-[0-9]{1,18}")

_log = structlog.get_logger("tansiq.ledger")

_BLANK: dict[str, str | int] = {
    column.name: 0 if column.name == "cosigned_size" else ""
    for column in records.witnesses.columns
    if column.name != "node"
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a partner and we stand as each other's witness."""

    node: NodeId
    cosigned_size: int
    """Leaves of our log that it has cosigned; 0: none yet."""
    cosigned_at: datetime | None
    seen_size: int
    """Leaves of its log that we have cosigned."""
    trouble: str
    """`rewritten` or `put_back`, and once an officer knows of it `distrusted` or `known_back`; empty: none."""
    trouble_at: datetime | None
    claimed: Checkpoint | None = None
    """The head that the partner laid before us last, of a log that contradicts what we cosigned."""


@dataclass(frozen=True, slots=True)
class WitnessDuty:
    """What this node's overseers owe; partners do not see it."""

    code: str
    """`witness.rewritten`, `witness.put_back` or `witness.silent`."""
    partner: NodeId
    since: datetime
    due_at: datetime
    clause: str = CLAUSE
    urgent: bool = False
    dossier: str = ""


class By(Protocol):
    """Who acts, as `access` has it."""

    @property
    def officer(self) -> str: ...
    @property
    def roles(self) -> Collection[str]: ...
    @property
    def purpose(self) -> str: ...


class Enqueue(Protocol):
    """Lays an item into the outbox, in the caller's transaction."""

    def __call__(self, tx: Connection, to: NodeId, kind: str, ref: str, expires_at: datetime) -> None: ...


class Witnesses:
    """Asks partners to witness our log, and witnesses theirs. Threads may share it."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        keys_of: Callable[[Connection, NodeId], PublicKeys],
        enqueue: Enqueue,
        clock: Callable[[], datetime],
        every: timedelta,
        item_days: int,
    ) -> None:
        """`every`: how long a partner is left alone before it is asked again."""
        self._store = store
        self._ledger = ledger
        self._keys_of = keys_of
        self._enqueue = enqueue
        self._clock = clock
        self._every = every
        self._item_days = item_days

    # --- our log, before partners ---

    def ask(self, partners: Iterable[NodeId]) -> list[NodeId]:
        """Lay the newest checkpoint before each partner whose turn it is; returns those. Not to be called in a write.

        A partner that has cosigned all that there is gets nothing.
        """
        with self._store.read() as tx:
            due = [n for n in partners if self._is_due(_load(tx, n))]
            size = records.load_head(tx)[0]
        if not due or not size:
            return []
        self._ledger.checkpoint()

        def work(tx: Connection) -> list[NodeId]:
            newest = records.load_last_checkpoint(tx)
            return [n for n in due if newest and self._ask_again(tx, n, newest[0])]

        return self._store.write(work)

    def _ask_again(self, tx: Connection, node: NodeId, size: int) -> bool:
        row = _load(tx, node)
        old = int(row["cosigned_size"])
        if size <= old or not self._is_due(row):  # nothing was added: the witness has said it already
            return False
        self._ask(tx, node, size, old)
        return True

    def _is_due(self, row: dict[str, str | int]) -> bool:
        at = str(row["asked_at"])
        # Also where the clock was put back: an hour of next year must not keep us silent for a year.
        return not at or not timedelta(0) <= self._clock() - parse_instant(at) < self._every

    def _ask(self, tx: Connection, node: NodeId, size: int, old: int) -> None:
        now, ref = self._clock(), f"w-{size}-{old}"
        _save(tx, node, asked_ref=ref, asked_at=format_instant(now))
        self._enqueue(tx, node, CHECKPOINT, ref, now + timedelta(days=self._item_days))

    def load_checkpoint(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader. Only the newest question is sent; one that waited too long is overtaken by it."""
        if _load(tx, to)["asked_ref"] != ref:
            return None
        size, old = (int(n) for n in ref.split("-")[1:])
        note = records.load_checkpoint(tx, size)
        if note is None:
            return None
        return render_request(old, self._ledger.consistency_in(tx, old, size).path, note)

    def file_cosignature(self, tx: Connection, sender: NodeId, payload: bytes) -> None:
        """A witness's answer. Raises `Untrusted` where it does not verify, `NotFound` where we never asked."""
        answer = parse_answer(payload)
        row = _load(tx, sender)
        ref = str(row["asked_ref"])
        size, old = (int(n) for n in ref.split("-")[1:]) if ref else (0, 0)
        if not ref or answer.size != size:
            raise NotFound("witness.not_asked", "an answer to another question", step="witness", field="size")
        if answer.line:
            self._keep(tx, sender, answer.line, size)
        elif answer.known > (have := records.load_head(tx)[0]):
            self._may_be_back(tx, sender, answer, have)
        elif answer.known != old == int(row["cosigned_size"]) and answer.known <= size:
            # An unsigned word: where it wants to begin, and no cosignature. Also where that is all of it: then we lost
            # its line. Once for each question; who names another size each time is asked again tomorrow.
            self._ask(tx, sender, size, answer.known)

    def _may_be_back(self, tx: Connection, sender: NodeId, answer: WitnessAnswer, have: int) -> None:
        """It says that it cosigned more than there is. Believed where our own signature says so: on the bare word of a
        partner we would excuse it from cosigning for good, once an officer has settled what never was."""
        signed = self._ledger.ours(answer.note) if answer.note else None
        if signed is None or signed.size <= have:
            _log.warning("ledger.put_back_unproven", partner=sender, known=answer.known)
            return
        _log.error("ledger.put_back", partner=sender, known=signed.size)
        self._trouble(tx, sender, PUT_BACK, answer.note)

    def keep(self, node: NodeId, line: str, size: int) -> Cosignature:
        """A cosignature that came by another way than the exchange. Raises as `Ledger.add_cosignature` does."""
        return self._store.write(lambda tx: self._keep(tx, node, line, size))

    def _keep(self, tx: Connection, node: NodeId, line: str, size: int) -> Cosignature:
        kept = self._ledger.add_cosignature_in(tx, line, f"tansiq/{node}", self._keys_of(tx, node), size)
        _save(tx, node, cosigned_size=size, cosigned_at=format_instant(kept.at))
        if _load(tx, node)["trouble"] in (PUT_BACK, KNOWN_BACK):
            # The newer state is here again: else nobody could have cosigned it.
            _save(tx, node, trouble="", trouble_at="")
        return kept

    # --- partners' logs, before us ---

    def file_checkpoint(self, tx: Connection, sender: NodeId, ref: str, payload: bytes) -> str:
        """Cosign a partner's checkpoint, or name the size to begin at; the answer is queued in this transaction.

        Returns a stable code where it is refused, else nothing: what contradicts what we cosigned is kept, so nothing
        may be rolled back.
        """
        if not _REF.fullmatch(ref):
            return "witness.malformed"  # our answer's ref is made of it: one too long would hold up all behind it
        log = (f"tansiq/{sender}", self._keys_of(tx, sender))
        if _load(tx, sender)["trouble"] in (REWRITTEN, DISTRUSTED):
            return self._note_claim(tx, sender, payload)
        try:
            line, size = self._ledger.witness_in(tx, payload, log, self._clock())
            answer = WitnessAnswer(size=size, line=line)
        except Untrusted as failure:
            if failure.code == "witness.inconsistent":
                _log.error("ledger.partner_rewrote", partner=sender)
                self._trouble(tx, sender, REWRITTEN, payload.decode("utf-8", "replace"))
            return failure.code
        except Conflict:
            seen = records.lock_witnessed(tx, log[0])
            size, known = _size_of(ref), seen[0] if seen else 0
            # Our word alone would prove nothing: it gets back what it signed.
            note = lines_of(records.load_witnessed_note(tx, log[0]), log[0]) if known > size else ""
            answer = WitnessAnswer(size=size, known=known, note=note)
        answer_ref = f"c-{ref}"
        _save(tx, sender, answer_ref=answer_ref, answer=render_answer(answer).decode())
        self._enqueue(tx, sender, COSIGNATURE, answer_ref, self._clock() + timedelta(days=self._item_days))
        return ""

    def witness(self, node: NodeId, raw: bytes) -> str:
        """Cosign a partner's checkpoint that came by hand; our line. Raises as `Ledger.witness` does, and `Refused`
        for a log that contradicted what we cosigned, until an officer has settled it.
        """
        with self._store.read() as tx:
            keys, trouble = self._keys_of(tx, node), _load(tx, node)["trouble"]
        if trouble in (REWRITTEN, DISTRUSTED):
            self._store.write(lambda tx: self._note_claim(tx, node, raw))
            raise Refused(
                "witness.distrusted", "its log contradicted what we cosigned", step="witness", field="PEER",
                hint="settle it first: tansiq ledger settle",
            )  # fmt: skip
        try:
            return self._ledger.witness(raw, (f"tansiq/{node}", keys), self._clock())
        except Untrusted as failure:
            if failure.code == "witness.inconsistent":
                self._store.write(lambda tx: self._trouble(tx, node, REWRITTEN, raw.decode("utf-8", "replace")))
            raise

    def _note_claim(self, tx: Connection, sender: NodeId, payload: bytes) -> str:
        """Of a log that is not trusted: what it says to be now, for the officer who calls. Nothing is cosigned."""
        text = payload.decode("utf-8", "replace")
        if self._claimed(tx, sender, text) is None:
            return "witness.malformed"
        _save(tx, sender, evidence=text)
        return "witness.distrusted"

    def _claimed(self, tx: Connection, node: NodeId, request: str) -> Checkpoint | None:
        """The head in a request, if the partner signed it with the keys that it has now."""
        try:
            note = parse_request(request.encode())[2]
            return verify_checkpoint(note, f"tansiq/{node}", self._keys_of(tx, node))
        except TansiqError:
            return None

    # --- what an officer says of it ---

    def settle(self, node: NodeId, by: By, reason: str, *, anew: str = "") -> str:
        """An officer's word on a log that contradicts what was cosigned; what stands from now on (empty: all is well).

        `anew`: the root (hex) of the head at which its log starts for us; the officer has compared it with the partner
        over another channel, as a card's fingerprint is. Else the log stays distrusted, and that is known. Raises
        `Refused`, `Invalid`, and `Conflict` where there is nothing to settle or another head was laid meanwhile.
        """
        if not OVERSEERS.intersection(by.roles):
            raise Refused(
                "witness.role", "a supervisor or the data-protection officer settles it", step="settle", field="role"
            )
        said = reason.strip()
        if not MIN_REASON <= len(said) <= MAX_REASON:
            raise Invalid("witness.reason", "say why, in ten characters or more", step="settle", field="reason")

        def work(tx: Connection) -> str:
            trouble = str(_load(tx, node)["trouble"])
            allowed = (REWRITTEN, DISTRUSTED) if anew else OPEN_TROUBLES
            if trouble not in allowed:
                raise Conflict("witness.settled", "nothing of this partner waits for it", step="settle", field="peer")
            content: dict[str, str | int | list[str]] = {"officer": by.officer, "purpose": by.purpose}
            content |= {"justification": said, "clauses": [CLAUSE], "trouble": trouble}
            if anew:
                content |= {"decision": "started_anew", **self._start_anew(tx, node, anew)}
                _save(tx, node, trouble="", trouble_at="")
                after = ""
            else:
                after = DISTRUSTED if trouble == REWRITTEN else KNOWN_BACK
                content["decision"] = after
                _save(tx, node, trouble=after)
            self._ledger.append(tx, verb=LogVerb.ALTER, subject=node, content=content, at=self._clock())
            return after

        return self._store.write(work)

    def _start_anew(self, tx: Connection, node: NodeId, compared: str) -> Mapping[str, str | int]:
        """Trust the head that was laid before us last; what was trusted before and what is now, for the leaf."""
        request = str(_load(tx, node)["evidence"])
        found = self._claimed(tx, node, request)
        if found is None:
            raise Conflict(
                "witness.no_head", "no head that the partner's keys sign: wait for its next one", step="settle",
                field="peer",
            )  # fmt: skip
        if found.root.hex() != compared:
            # Hazard: a partner may lay another head before us while the officer is on the telephone.
            raise Conflict(
                "witness.head_moved", "not the head that was laid before us last: compare that one", step="settle",
                field="anew",
            )  # fmt: skip
        before = records.lock_witnessed(tx, f"tansiq/{node}")
        records.save_witnessed(tx, f"tansiq/{node}", found.size, found.root, parse_request(request.encode())[2])
        was: dict[str, str | int] = {"was_size": before[0], "was_root": before[1].hex()} if before else {}
        return {**was, "size": found.size, "root": found.root.hex()}

    def duties(self, partners: Mapping[NodeId, datetime]) -> list[WitnessDuty]:
        """What overseers owe about these partners (node -> when it was pinned): contradictions to be settled, and
        partners that are asked and have long not cosigned what there is. The oldest first."""
        now = self._clock()
        with self._store.read() as tx:
            found = [duty for node, pinned in partners.items() for duty in self._owed(tx, node, pinned, now)]
        return sorted(found, key=lambda d: (d.due_at, d.partner))

    def _owed(self, tx: Connection, node: NodeId, pinned: datetime, now: datetime) -> Iterable[WitnessDuty]:
        row = _load(tx, node)
        trouble, at = str(row["trouble"]), _instant(row["trouble_at"])
        if trouble in OPEN_TROUBLES and at is not None:
            yield WitnessDuty(f"witness.{trouble}", node, at, at + CALL_WITHIN, urgent=True)
        elif not trouble and row["asked_ref"]:
            # Its first leaf that the partner has not cosigned says since when there is something to cosign.
            waiting = records.load_leaf(tx, int(row["cosigned_size"]))
            since = max(parse_instant(waiting[0].at), pinned) if waiting else now
            if since + SILENT_AFTER <= now:
                yield WitnessDuty("witness.silent", node, since + SILENT_AFTER, since + 2 * SILENT_AFTER)

    def load_cosignature(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader."""
        row = _load(tx, to)
        return str(row["answer"]).encode() if row["answer_ref"] == ref else None

    # --- what officers read ---

    def standings(self, partners: Iterable[NodeId]) -> list[Standing]:
        with self._store.read() as tx:
            return [self._standing(tx, node) for node in partners]

    def evidence(self, node: NodeId) -> str:
        """What the partner of a contradicting log laid before us last: a request with its signed note."""
        with self._store.read() as tx:
            return str(_load(tx, node)["evidence"])

    def _standing(self, tx: Connection, node: NodeId) -> Standing:
        row, seen = _load(tx, node), records.load_witnessed(tx, f"tansiq/{node}")
        return Standing(
            node=node,
            cosigned_size=int(row["cosigned_size"]),
            cosigned_at=_instant(row["cosigned_at"]),
            seen_size=seen[0] if seen else 0,
            trouble=str(row["trouble"]),
            trouble_at=_instant(row["trouble_at"]),
            claimed=self._claimed(tx, node, str(row["evidence"])) if row["trouble"] else None,
        )

    def _trouble(self, tx: Connection, node: NodeId, what: str, evidence: str) -> None:
        """Once: what is said again neither begins anew nor calls back what an officer has settled."""
        # What a partner says of our log, unsigned, takes no mark off its own.
        settled = (KNOWN_BACK, REWRITTEN, DISTRUSTED) if what == PUT_BACK else (DISTRUSTED,)
        if _load(tx, node)["trouble"] in (what, *settled):
            return
        now = self._clock()
        _save(tx, node, trouble=what, trouble_at=format_instant(now), evidence=evidence)
        content = {"officer": "", "purpose": "system", "justification": what, "clauses": [CLAUSE], "note": evidence}
        self._ledger.append(tx, verb=LogVerb.COLLECT, subject=node, content=content, at=now)


def _size_of(ref: str) -> int:
    """The size that a question is about."""
    return int(ref.split("-")[1])


def _instant(value: str | int) -> datetime | None:
    return parse_instant(str(value)) if value else None


def _load(tx: Connection, node: NodeId) -> dict[str, str | int]:
    row: RowMapping | None = (
        tx.execute(select(records.witnesses).where(records.witnesses.c.node == node)).mappings().first()
    )
    return dict(_BLANK) if row is None else {name: row[name] for name in _BLANK}


def _save(tx: Connection, node: NodeId, **changed: str | int) -> None:
    statement = records.insert_into(tx, records.witnesses).values(node=node, **(_BLANK | changed))
    tx.execute(statement.on_conflict_do_update(index_elements=["node"], set_=changed))


__all__ = [
    "CHECKPOINT",
    "COSIGNATURE",
    "DISTRUSTED",
    "ESCALATIONS",
    "KNOWN_BACK",
    "PUT_BACK",
    "REWRITTEN",
    "Standing",
    "WitnessDuty",
    "Witnesses",
]
