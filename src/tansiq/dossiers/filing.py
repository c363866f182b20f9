"""The dossiers' side of the exchange: what is loaded for a partner, and what a partner's delivery becomes.

Crash state: `file` runs inside the exchange's receiving transaction; entry, parts, leaf, bank records, duties and the
queued examination stand or fall with the inbox row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from tansiq.bank import parse_entity
from tansiq.bank.model import Entity
from tansiq.crypto import PublicKeys
from tansiq.dossiers import claims, desk, parting, records
from tansiq.dossiers.admission import Admission
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.frame import FRAME_ACTS
from tansiq.dossiers.model import DossierState, Entry
from tansiq.dossiers.rules import is_opening
from tansiq.dossiers.standing import Standing
from tansiq.dossiers.wire import Given, delivery_to_bytes, parse_delivery
from tansiq.errors import NotFound, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, PartId, country_of

log = structlog.get_logger()

STRANGE = ("not_a_member", "after_removal", "wrong_kind", "second_opening", "equivocation")
"""Faults for which an entry's content enters no search and no examination."""


Contents = Mapping[PartId, Given]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that verified by these keys, its parts sealed for our store."""

    keys: Mapping[NodeId, PublicKeys]
    raw: bytes
    entry: Entry
    given: Contents
    held: Mapping[PartId, bytes]
    entities: Mapping[PartId, Entity]
    """The parts that are entities of our vocabulary."""
    fold: tuple[Standing | None, Standing] | None = None
    """Its dossier before and after it, as they stood then."""
    ahead: object = None
    """What was looked up for it (`Wiring.look_ahead`)."""


class Filing:
    """Outbox loader and inbox handler for items of kind `entry`."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring
        self.admission = Admission(wiring.clock, wiring.bounds)

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The delivery of one entry to one node, or None where it may no longer go there."""
        entry = EntryId(ref)
        written = self._w.standings.written(tx, entry)
        found = written.sending(to) if written else records.load_sending(tx, entry, to)
        hidden = self._hidden(tx, entry, to, found)
        if found is None or hidden is None:
            return None
        parts = written.parts if written else records.load_parts(tx, self._w.vault, entry)
        return delivery_to_bytes(found[2], [p for p in parts if p[0] not in hidden])

    def hidden(self, tx: Connection, entry: EntryId, to: NodeId) -> set[PartId] | None:
        """The parts of an entry of ours that do not go to this node now; None where the entry does not go at all."""
        return self._hidden(tx, entry, to, records.load_sending(tx, entry, to))

    def _hidden(
        self, tx: Connection, entry: EntryId, to: NodeId, found: tuple[records.Grant, DossierId, bytes] | None
    ) -> set[PartId] | None:
        if found is None:
            return None
        grant, dossier, _raw = found
        state = desk.load_standing(self._w, tx, dossier).folded.state
        own = state.entry(entry)
        if to not in state.members:  # the newest list rules, not the one the entry was written under
            goes = own is not None and parting.goes_to(state, own, to)
            return {p.ref.id for p in own.parts} if own and goes else None
        recalled = desk.recalled(state)
        translated = own is not None and desk.translates(own.statement) in recalled
        gone = {p.ref.id for p in own.parts if p.ref.kind == "translation"} if own and translated else set()
        return {*grant.withheld, *(part for about, part in recalled if about == entry), *gone}

    def prepare(self, tx: Connection, sender: NodeId, item: Item) -> Prepared:
        """What filing needs no write for: form, signatures, commitments, seals. Raises `Untrusted`.

        An entry that comes alone is folded and looked up too: what is found then stands in the commit that files it.
        """
        ready = self._prepare(tx, item)
        entry = ready.entry
        s = entry.statement
        if not item.alone or s.author != sender or entry.id != item.ref or s.kind not in self._w.kinds:
            return ready
        before = standing_of(self._w, tx, s.dossier)
        if before is not None and before.folded.knows(entry.id):
            return ready
        after = next_standing(self._w, before, entry)
        unseen = self._refusal(before, after, entry) or _strange(after, entry) or _taken_back(after, entry)
        ahead = None if unseen or not ready.given else self._w.look_ahead(tx, entry, ready.entities)
        return replace(ready, fold=(before, after), ahead=ahead)

    def _prepare(self, tx: Connection, item: Item) -> Prepared:
        keys: dict[NodeId, PublicKeys] = {}

        def keyring(node: NodeId) -> PublicKeys:
            return keys.setdefault(node, self._w.keys_of(tx, node))

        raw, entry, given = parse_delivery(item.payload, keyring, item.batch)
        held = {part: records.seal_part(self._w.vault, part, g.salt, g.packed) for part, g in given.items()}
        return Prepared(keys, raw, entry, given, held, entities_of(entry, given))

    def _verified(self, tx: Connection, item: Item) -> Prepared:
        """What was prepared, if its author's keys are pinned still; else by those that are. Raises `Untrusted`."""
        ready = item.prepared
        if isinstance(ready, Prepared) and all(self._w.keys_of(tx, n) == keys for n, keys in ready.keys.items()):
            return ready
        return self._prepare(tx, item)

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """File what a partner delivered. Idempotent; refuses by name; keeps illegal acts visible, without effect."""
        ready = self._verified(tx, item)
        entry = ready.entry
        s = entry.statement
        if s.author != sender:
            raise Untrusted("delivery.not_the_author", "only its author delivers an entry", step="file")
        if entry.id != item.ref:
            raise Untrusted("delivery.wrong_ref", "not the entry that the envelope names", step="file")
        if s.kind not in self._w.kinds:
            return ItemResult(item.ref, received=False, reason="kind.unknown")
        records.lock_dossier(tx, s.dossier)
        before = standing_of(self._w, tx, s.dossier)
        if before is not None and before.folded.knows(entry.id):
            self._file_again(tx, before, ready)
            return ItemResult(item.ref, received=True)
        # Folded already, if nothing has come into the dossier since.
        ready_for = ready.fold is not None and _place(ready.fold[0]) == _place(before)
        after = ready.fold[1] if ready.fold is not None and ready_for else next_standing(self._w, before, entry)
        refusal = self._refusal(before, after, entry) or self.admission.admit(before, after, entry, len(item.payload))
        if refusal:
            return ItemResult(item.ref, received=False, reason=refusal)
        self._w.fault("file.verified")
        now = self._w.clock()
        ready = _taken(after, ready)
        desk.show(self._w, tx, before, after, now)
        records.insert_entry(tx, entry, after.number, ready.raw, now, ready.held)
        self._w.standings.keep(tx, s.dossier, replace(after, shown=True))
        self._take(tx, before, after, ready, ready.given, now)
        return ItemResult(item.ref, received=True)

    def file_together(self, tx: Connection, sender: NodeId, items: Sequence[Item]) -> list[ItemResult] | None:
        """File several entries of one dossier by one fold, where they become what they would become one by one. None:
        they are to be filed one by one. Raises `Untrusted` as `file` does.

        A fold begins anew for an entry that lands before others: hundreds that come in reverse order fold all of them
        hundreds of times. So here go members' acts of the dossier's kind alone: no list, no recall, no translation,
        nothing that is refused, put off or here already, so that what one is does not turn on when another came.
        """
        ready = [self._verified(tx, item) for item in items]
        entries = [r.entry for r in ready]
        dossier = entries[0].statement.dossier
        plain = all(_is_plain(self._w, sender, item, entry) for item, entry in zip(items, entries, strict=True))
        if (
            not plain
            or len({e.id for e in entries}) < len(items)
            or {e.statement.dossier for e in entries} != {dossier}
        ):
            return None
        records.lock_dossier(tx, dossier)
        before = standing_of(self._w, tx, dossier)
        if before is None or not before.folded.is_opened or any(before.folded.knows(e.id) for e in entries):
            return None
        after = desk.with_entries(before, entries)
        odd = any(self._refusal(before, after, e) or _strange(after, e) or _taken_back(after, e) for e in entries)
        sizes = [len(item.payload) for item in items]
        if odd or not self.admission.admit_all(after, list(zip(entries, sizes, strict=True))):
            return None
        self._insert(tx, before, after, ready)
        return [ItemResult(item.ref, received=True) for item in items]

    def _insert(self, tx: Connection, before: Standing, after: Standing, ready: Sequence[Prepared]) -> None:
        self._w.fault("file.verified")
        now = self._w.clock()
        desk.show(self._w, tx, before, after, now)
        for number, r in enumerate(ready, before.number + 1):
            records.insert_entry(tx, r.entry, number, r.raw, now, r.held)
        self._w.standings.keep(tx, after.folded.state.id, replace(after, shown=True))
        for r in ready:
            self._take(tx, before, after, replace(r, ahead=None), r.given, now)

    def _refusal(self, before: Standing | None, after: Standing, entry: Entry) -> str:
        """Why an entry is not filed at all: its author is no member, or we have been removed.

        A newcomer's entries may arrive in any order, the opening before the list that admits it: an author that seals
        an entry to us wants us to have it, so only a removal that we have seen speaks against it.
        """
        if before is None:
            return ""
        state = after.folded.state
        faults = [m.code for m in state.marks if m.entry == entry.id]
        for code in ("second_opening", "wrong_kind"):
            if code in faults:
                return code
        if "after_removal" in faults and entry.statement.type in parting.KEPT and not before.folded.state.missing:
            return "after_removal"  # whatever parents it names: else each that it invents would let one more in
        if state.opener is not None and not state.missing:
            me = self._w.node
            removed = me not in state.members and state.members_version > 1
            if removed and entry.statement.type != "dossier.members" and not parting.concerns(state, entry, me):
                return "not_a_member"
            return next((c for c in faults if c in ("not_a_member", "after_removal")), "")
        return ""

    def _file_again(self, tx: Connection, there: Standing, ready: Prepared) -> None:
        """An entry that is here already: parts that were withheld may come with it now."""
        ready = _taken(there, ready)
        entry = ready.entry
        fresh = {p: g for p, g in ready.given.items() if records.hold_part(tx, entry.id, p, ready.held[p])}
        self._w.fault("file.verified")
        if fresh:
            now = self._w.clock()
            desk.show(self._w, tx, there, there, now)
            self._take(tx, there, there, replace(ready, ahead=None), fresh, now)

    def _take(
        self, tx: Connection, before: Standing | None, after: Standing, ready: Prepared, fresh: Contents, now: datetime
    ) -> None:
        """What follows from an entry and from parts of it that are new: leaf, bank, recalls, examination."""
        entry = ready.entry
        s, state = entry.statement, after.folded.state
        content = {"from": s.author, "type": s.type, "purpose": s.legal.purpose, "parts": len(fresh)}
        self._w.ledger.append(tx, verb=LogVerb.COLLECT, subject=entry.id, content=content, at=now)
        # An entry that waits (for its opening, for what it answers) is searched like any other; a stranger's is not.
        strange = _strange(after, entry)
        if not strange:
            found = [(e, desk.provenance(entry, p)) for p, e in ready.entities.items() if p in fresh]
            self._w.bank.add_many(tx, found)
        self._w.fault("file.banked")
        self._erase_recalled(tx, before.folded.state if before else None, state, entry, now)
        late = self._erase_late_claims(tx, entry, fresh, now)
        if fresh and not strange:
            # What a recall took back before it came is in no search, though it was when this was looked up.
            ahead = None if late or _taken_back(after, entry) else ready.ahead
            for hook in self._w.after_file:
                hook(tx, s.dossier, entry.id, country_of(s.author), ahead)
        self._w.fault("file.done")

    def _erase_late_claims(self, tx: Connection, entry: Entry, fresh: Contents, now: datetime) -> bool:
        """Whether a value was past its day when it came: it is compared with nothing."""
        today = now.date().isoformat()
        due = claims.note(tx, entry.id, ((p, g.content) for p, g in fresh.items()))
        return bool(due) and due <= today and self._w.believes() and claims.erase_due(self._w, tx, today, entry.id) > 0

    def _erase_recalled(
        self, tx: Connection, before: DossierState | None, state: DossierState, entry: Entry, now: datetime
    ) -> None:
        """What is taken back from now on, and what was taken back of this entry before it came."""
        known = {r.entry for r in before.recalls} if before else set()
        for recall in state.recalls:
            about = state.entry(recall.about) if recall.entry not in known or recall.about == entry.id else None
            if about is not None and about.statement.author != self._w.node:
                desk.erase(self._w, tx, recall.about, recall.part, "recalled", now)
        desk.erase_late_translation(self._w, tx, state, entry, now)


def standing_of(w: Wiring, tx: Connection, dossier: DossierId) -> Standing | None:
    """None where nothing of it is here."""
    try:
        return desk.load_standing(w, tx, dossier)
    except NotFound:
        return None


def next_standing(w: Wiring, before: Standing | None, entry: Entry) -> Standing:
    """The dossier with an entry that comes next, or of which it is the first that we see."""
    return desk.new_standing(w, entry) if before is None else desk.with_entry(w, before, entry)


def _taken(there: Standing, ready: Prepared) -> Prepared:
    """What is taken of a delivery: of a former member's recall or answer the statement alone."""
    if not parting.is_bare(there.folded.state, ready.entry):
        return ready
    return replace(ready, given={}, held={}, entities={}, ahead=None)


def _is_plain(w: Wiring, sender: NodeId, item: Item, entry: Entry) -> bool:
    """An act of a kind, as its author delivers it: neither an opening nor one of the acts that every dossier has."""
    s = entry.statement
    known = s.kind in w.kinds and s.author == sender and entry.id == item.ref
    return known and s.type not in FRAME_ACTS and s.members is None and not is_opening(entry)


def _strange(after: Standing, entry: Entry) -> bool:
    return any(m.entry == entry.id and m.code in STRANGE for m in after.folded.state.marks)


def _taken_back(after: Standing, entry: Entry) -> bool:
    """Whether an act says of a part of it that it is recalled, or that it is gone with its original."""
    return any(r.about == entry.id for r in after.folded.state.recalls) or desk.translates(entry.statement) is not None


def _place(there: Standing | None) -> tuple[int, EntryId] | None:
    return None if there is None else (there.number, there.last)


def entities_of(entry: Entry, given: Contents) -> dict[PartId, Entity]:
    """Read once, for the look ahead and for the bank."""
    found: dict[PartId, Entity] = {}
    for part, was in given.items():
        if was.content.get("kind") != "entity":
            continue
        try:
            found[part] = parse_entity(was.content.get("entity"), "entity")
        except TansiqError as exc:
            # A partner's vocabulary may be newer than ours: the part stays readable, it is only not searchable.
            log.warning("entity not banked", entry=entry.id, part=part, code=exc.code, field=exc.field)
    return found
