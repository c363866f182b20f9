"""The dossiers' side of the exchange: what is loaded for a partner, and what a partner's delivery becomes.

Crash state: `file` runs inside the exchange's receiving transaction; entry, parts, leaf, bank records, duties and the
queued examination stand or fall with the inbox row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.bank import parse_entity
from tansiq.dossiers import desk, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.model import DossierState, Entry
from tansiq.dossiers.rules import fold
from tansiq.dossiers.wire import delivery_to_bytes, parse_delivery
from tansiq.errors import TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.terms import EntryId, LogVerb, NodeId, PartId, country_of

log = structlog.get_logger()

STRANGE = ("not_a_member", "after_removal", "wrong_kind", "second_opening", "equivocation")
"""Faults for which an entry's content enters no search and no examination."""


class Filing:
    """Outbox loader and inbox handler for items of kind `entry`."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The delivery of one entry to one node, or None where it may no longer go there."""
        entry = EntryId(ref)
        grant = records.load_grant(tx, entry, to)
        dossier = records.find_dossier_of(tx, entry)
        if grant is None or dossier is None:
            return None
        state, _kind = desk.load_state(self._w, tx, dossier, contents=False)
        if to not in state.members:  # the newest list rules, not the one the entry was written under
            return None
        raw = records.load_raw(tx, entry)
        parts = [p for p in records.load_parts(tx, self._w.vault, entry) if p[0] not in grant.withheld]
        recalled = {r.part for r in state.recalls}
        return delivery_to_bytes(raw or b"", [p for p in parts if p[0] not in recalled])

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """File what a partner delivered. Idempotent; refuses by name; keeps illegal acts visible, without effect."""
        raw, entry, given = parse_delivery(item.payload, lambda node: self._w.keys_of(tx, node))
        s = entry.statement
        if s.author != sender:
            raise Untrusted("delivery.not_the_author", "only its author delivers an entry", step="file")
        if entry.id != item.ref:
            raise Untrusted("delivery.wrong_ref", "not the entry that the envelope names", step="file")
        if s.kind not in self._w.kinds:
            return ItemResult(item.ref, received=False, reason="kind.unknown")
        new = not records.has_entry(tx, entry.id)
        if new:
            if records.has_part_of(tx, (p.ref.id for p in entry.parts)):
                raise Untrusted("delivery.part_taken", "a part of another entry", step="file", field="parts")
            refusal = self._admission(tx, entry)
            if refusal:
                return ItemResult(item.ref, received=False, reason=refusal)
        self._store_filed(tx, raw, entry, given, new)
        return ItemResult(item.ref, received=True)

    def _admission(self, tx: Connection, entry: Entry) -> str:
        """Why an entry is not filed at all: its author is no member, or we have been removed.

        A newcomer's entries may arrive in any order, the opening before the list that admits it: an author that seals
        an entry to us wants us to have it, so only a removal that we have seen speaks against it.
        """
        s = entry.statement
        if not records.exists(tx, s.dossier):
            return ""
        records.lock_dossier(tx, s.dossier)
        entries = [*records.load_entries(tx, self._w.vault, s.dossier, contents=False), entry]
        kind = desk.kind_of(self._w, desk.opening_of(entries).statement.kind)
        state = fold(s.dossier, entries, kind)
        faults = {m.code for m in state.marks if m.entry == entry.id}
        for code in ("second_opening", "wrong_kind"):
            if code in faults:
                return code
        if state.opener is not None and not state.missing:
            removed = self._w.node not in state.members and state.members_version > 1
            if removed and s.type != "dossier.members":
                return "not_a_member"
            for mark in state.marks:
                if mark.entry == entry.id and mark.code in ("not_a_member", "after_removal"):
                    return mark.code
        return ""

    def _store_filed(
        self,
        tx: Connection,
        raw: bytes,
        entry: Entry,
        given: Mapping[PartId, tuple[bytes, Mapping[str, Any]]],
        new: bool,
    ) -> None:
        s, now = entry.statement, self._w.clock()
        if not records.exists(tx, s.dossier):
            records.insert_dossier(tx, s.dossier, s.kind, s.author, s.at)
        self._w.fault("file.verified")
        if new:
            records.insert_entry(tx, entry, raw, now)
        fresh = [p for p, (salt, content) in given.items() if records.hold_part(tx, self._w.vault, p, salt, content)]
        if not new and not fresh:
            return
        state, kind = desk.load_state(self._w, tx, s.dossier, contents=False)
        content = {"from": s.author, "type": s.type, "purpose": s.legal.purpose, "parts": len(fresh)}
        self._w.ledger.append(tx, verb=LogVerb.COLLECT, subject=entry.id, content=content, at=now)
        # An entry that waits (for its opening, for what it answers) is searched like any other; a stranger's is not.
        strange = any(m.entry == entry.id and m.code in STRANGE for m in state.marks)
        if not strange:
            self._bank(tx, entry, {p: given[p][1] for p in fresh})
        self._w.fault("file.banked")
        self._erase_recalled(tx, state, now)
        desk.refresh(self._w, tx, state, kind, now)
        if fresh and not strange:
            for hook in self._w.after_file:
                hook(tx, s.dossier, entry.id, country_of(s.author))
        self._w.fault("file.done")

    def _bank(self, tx: Connection, entry: Entry, contents: Mapping[PartId, Mapping[str, Any]]) -> None:
        for part, content in contents.items():
            if content.get("kind") != "entity":
                continue
            try:
                entity = parse_entity(content.get("entity"), "entity")
            except TansiqError as exc:
                # A partner's vocabulary may be newer than ours: the part stays readable, it is only not searchable.
                log.warning("entity not banked", entry=entry.id, part=part, code=exc.code, field=exc.field)
                continue
            self._w.bank.add(tx, entity, desk.provenance(entry, part))

    def _erase_recalled(self, tx: Connection, state: DossierState, now: datetime) -> None:
        mine = {p.ref.id for e in state.entries if e.statement.author == self._w.node for p in e.parts}
        for recall in state.recalls:
            if recall.part not in mine:
                desk.erase(self._w, tx, recall.part, "recalled", now)
