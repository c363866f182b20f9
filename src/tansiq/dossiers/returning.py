"""What a node wrote and lost, given back by the partners that have it: after a restore from a backup.

Promises: nothing is taken back but what bears our own signature, and only while the partner was asked for it; each
entry is filed once, whoever gives it back, and once more for parts that another partner lacked; what was erased here
stays erased; nobody is sent anything by it. Without it, dossiers in which we wrote since the backup would stay without
the entries that partners built on, and our next entry in them would stand beside a lost one: two of the same clock.
What our officer declared to the law gate is not among it: such an entry goes to nobody further before an officer has
said it anew (`declaring.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from tansiq.crypto import PublicKeys
from tansiq.dossiers import claims, desk, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.filing import Contents, entities_of, next_standing, standing_of
from tansiq.dossiers.model import Entry
from tansiq.dossiers.wire import delivery_to_bytes, parse_delivery
from tansiq.errors import Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.terms import EntryId, LogVerb, NodeId, PartId

_STEP = "take back"


class Returning:
    """Loader and handler for items of kind `returned`; its ref is the entry's id, its payload a delivery."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring

    # --- at the partner ---

    def give_back(self, tx: Connection, author: NodeId, since: datetime) -> list[EntryId]:
        """A partner's entries that we filed since then, oldest first, each with its leaf: they are about to go.

        The law gate is not asked: to give a thing back to its originator passes nothing on.
        """
        found = records.load_filed_since(tx, author, since)
        for entry in found:
            content = {"officer": "", "purpose": "system", "decision": "returned", "to": author}
            self._w.ledger.append(tx, verb=LogVerb.DISCLOSE, subject=entry, content=content, at=self._w.clock())
        return found

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """As its author delivered it, with the parts that we have whole; None for another's entry."""
        entry = EntryId(ref)
        found = records.load_entry(tx, self._w.vault, entry)
        raw = records.load_raw(tx, entry)
        if found is None or raw is None or found.statement.author != to:
            return None
        return delivery_to_bytes(raw, records.load_parts(tx, self._w.vault, entry))

    def gives(self, tx: Connection, entry: EntryId, part: PartId, to: NodeId) -> bool:
        """Whether a file goes back with its entry."""
        found = records.load_entry(tx, self._w.vault, entry)
        return (
            found is not None and found.statement.author == to and part in {p.ref.id for p in found.parts if p.content}
        )

    # --- at the node that lost it ---

    def file(self, tx: Connection, sender: NodeId, item: Item, since: datetime | None) -> ItemResult:
        """Idempotent. `since`: what is older was in the backup, or was never ours to lose; None: this partner was never
        asked for what we lost. Raises `Untrusted`."""
        if since is None:
            return ItemResult(item.ref, received=False, reason="returned.not_asked")
        raw, entry, given = self._parsed(tx, item)
        s = entry.statement
        if entry.id != item.ref:
            raise Untrusted("delivery.wrong_ref", "not the entry that the envelope names", step=_STEP)
        if s.kind not in self._w.kinds:
            return ItemResult(item.ref, received=False, reason="kind.unknown")
        records.lock_dossier(tx, s.dossier)
        now, before = self._w.clock(), standing_of(self._w, tx, s.dossier)
        held = {part: records.seal_part(self._w.vault, part, g.salt, g.packed) for part, g in given.items()}
        is_new = before is None or not before.folded.knows(entry.id)
        if is_new:
            if s.at < since:
                return ItemResult(item.ref, received=False, reason="returned.not_lost")
            after, fresh = next_standing(self._w, before, entry), given
            desk.show(self._w, tx, before, after, now)
            records.insert_entry(tx, entry, after.number, raw, now, held)
            self._w.standings.keep(tx, s.dossier, replace(after, shown=True))
        else:
            fresh = {p: g for p, g in given.items() if records.hold_part(tx, entry.id, p, held[p])}
        self._w.fault("returned.filed")
        self._grant(tx, entry, sender, given, now)
        if is_new or fresh:
            self._take(tx, sender, entry, fresh, now)
        return ItemResult(item.ref, received=True)

    def _parsed(self, tx: Connection, item: Item) -> tuple[bytes, Entry, Contents]:
        """By the keys that sign now, or by those that signed when it was written."""
        failure: Untrusted | None = None
        for keys in self._w.log_keys(tx, self._w.node):
            try:
                return parse_delivery(item.payload, lambda node, keys=keys: self._own(node, keys), item.batch)  # type: ignore[misc]
            except Untrusted as exc:
                failure = failure or exc
        raise failure or self._not_ours()

    def _own(self, author: NodeId, keys: PublicKeys) -> PublicKeys:
        if author != self._w.node:
            raise self._not_ours()
        return keys

    @staticmethod
    def _not_ours() -> Untrusted:
        return Untrusted("returned.not_ours", "an entry that this node has not signed", step=_STEP)

    def _grant(self, tx: Connection, entry: Entry, sender: NodeId, given: Contents, now: datetime) -> None:
        """Who gives it back has it: recalls and corrections go there as before."""
        if sender not in records.load_granted(tx, entry.id):
            lacks = tuple(ref.id for ref in entry.statement.parts if ref.id not in given)
            records.insert_grants(tx, [records.Grant(entry.id, sender, now, (), lacks)])

    def _take(self, tx: Connection, sender: NodeId, entry: Entry, fresh: Contents, now: datetime) -> None:
        """Leaf, bank, days of erasure: as when it was written. It is compared with nothing: it was, then."""
        s = entry.statement
        content = {
            "from": sender,
            "type": s.type,
            "purpose": s.legal.purpose,
            "parts": len(fresh),
            "decision": "returned",
        }
        self._w.ledger.append(tx, verb=LogVerb.COLLECT, subject=entry.id, content=content, at=now)
        found = [(e, desk.provenance(entry, part)) for part, e in entities_of(entry, fresh).items()]
        self._w.bank.add_many(tx, found)
        today = now.date().isoformat()
        due = claims.note(tx, entry.id, ((part, g.content) for part, g in fresh.items()))
        if due and due <= today and self._w.believes():
            claims.erase_due(self._w, tx, today, entry.id)
        state = desk.load_standing(self._w, tx, s.dossier).folded.state
        desk.erase_late_translation(self._w, tx, state, entry, now)
