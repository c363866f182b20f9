"""The dossiers' verbs: open, append, deliver, file, show, settle. Each verb one transaction.

Order of effects in `append`: rules, gate, then in one transaction ledger leaves + signed entry + parts + outbox rows +
bank records + duties; only the signing begins before it. A crash before the commit leaves nothing; after it, the
courier and `settle` carry on.
`writing.py` has the acts of officers, `filing.py` what partners deliver, `settling.py` what nobody decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.dossiers import desk, erasures, records
from tansiq.dossiers.declaring import declare, undeclared
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.filing import Filing
from tansiq.dossiers.frame import effective_handling
from tansiq.dossiers.model import DossierState, Duty, Entry, Unerased
from tansiq.dossiers.restrictions import Restrictions
from tansiq.dossiers.returning import Returning
from tansiq.dossiers.settling import Settling
from tansiq.dossiers.writing import Writing, refused
from tansiq.errors import NotFound, TansiqError
from tansiq.policy.model import Action, Decision, Question, Refusal
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, PartId, country_of

__all__ = ["DossierRow", "Dossiers", "Wiring"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DossierRow:
    """One line of the list."""

    id: DossierId
    kind: str
    subject: str
    opener: NodeId
    opened_at: str
    phase: str
    updated_at: str
    outgoing: bool

    @property
    def place(self) -> str:
        """Where the list goes on behind it: two dossiers may have been changed in one instant."""
        return f"{self.updated_at}~{self.id}"


class Dossiers:
    """All dossiers of one node."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring
        self.restrictions = Restrictions(wiring)
        self._writing = Writing(wiring, self.restrictions)
        self._settling = Settling(wiring, self._writing)
        filing = self._filing = Filing(wiring)
        self.load = filing.load
        """The outbox loader for items of kind `entry`."""
        self.file = filing.file
        """The inbox handler for items of kind `entry`."""
        self.file_together = filing.file_together
        """The same for several, where that is the same as one by one."""
        self.prepare = filing.prepare
        """What it needs no transaction for."""
        self.put_off = filing.admission.notices
        """The partners that sent more than is taken in at once."""
        self.returning = Returning(wiring)
        """Loader and handler for items of kind `returned`: what a restored node had written since its backup."""

    # --- writing ---

    def open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        """Open a dossier and queue its first entry to its members. Raises `Invalid`, `Refused`."""
        return self._writing.open(kind, body, to, by)

    def open_in(self, tx: Connection, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        """As `open`, in the caller's transaction."""
        return self._writing.open_in(tx, kind, body, to, by)

    def append(self, dossier: DossierId, body: object, by: Acting) -> EntryId:
        """Append one act. Raises `Invalid` (form or life cycle), `Refused` (law), `NotFound`."""
        return self._writing.append(dossier, body, by)

    def append_in(self, tx: Connection, dossier: DossierId, body: object, by: Acting) -> EntryId:
        """As `append`, in the caller's transaction."""
        return self._writing.append_in(tx, dossier, body, by)

    def admit(self, dossier: DossierId, newcomer: str, by: Acting, give: Iterable[PartId] = ()) -> EntryId:
        """Add a member and deliver our own entries to it. The opener's verb; others call `deliver_to`.

        A part that was withheld from anybody before is withheld from the newcomer too, unless `give` names it.
        """
        return self._writing.admit(dossier, newcomer, by, give)

    def deliver_to(self, dossier: DossierId, member: str, by: Acting, give: Iterable[PartId] = ()) -> int:
        """Deliver our own entries to a member that joined later, or parts that were withheld from it (`give`).

        Returns how many entries were queued. The gate is asked again for each.
        """
        return self._writing.deliver_to(dossier, member, by, give)

    def declare(self, entry: EntryId, body: object, by: Acting) -> None:
        """Say anew what was declared with an entry of ours, where a restore lost it (`declaring.py`)."""
        declare(self._w, entry, body, by)

    def undeclared(self, dossier: DossierId) -> frozenset[EntryId]:
        """Entries of ours for which no declaration is kept: the law gate is asked for nobody new."""
        return undeclared(self._w, dossier)

    def forward(self, dossier: DossierId, about: EntryId, to: str, by: Acting) -> EntryId:
        """Ask whether another's entry may go to a further service. Raises `Refused` with the clause.

        Where the gate permits, the originator is asked to deliver: no node forwards another's entry itself.
        """
        return self._writing.forward(dossier, about, to, by)

    def translate(
        self, dossier: DossierId, about: EntryId, part: PartId, text: str, lang: str, made_by: str, by: Acting
    ) -> EntryId:
        """A translation beside a part that we hold. Of another's part it goes to that author alone.

        Of our own part it is withheld from whom the part was withheld.
        """
        original = self.state(dossier).entry(about)
        if original is None or all(p.ref.id != part or p.content is None for p in original.parts):
            raise NotFound("part.unknown", "no such part here", step="translate", field="part")
        handling = original.statement.handling
        translation: dict[str, Any] = {"kind": "translation", "text": text, "lang": lang}
        body: dict[str, Any] = {
            "type": "dossier.translated",
            "facts": {"about": about, "part": part, "lang": lang, "by": made_by},
            "handling": {"codes": [str(c) for c in handling.codes], "text": handling.text},
            "parts": [translation],
        }
        if original.statement.author == self._w.node:
            given = [g for g in self.grants(dossier) if g.entry == about]
            translation["withhold_from"] = [g.node for g in given if part in g.withheld]
            body["to"] = [g.node for g in given]
        else:
            body["to"] = [original.statement.author]
        return self.append(dossier, body, by)

    def preview(self, kind: str, body: object, to: Iterable[str], by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each recipient of an opening act. Records nothing, sends nothing."""
        return self._writing.preview(kind, body, to, by)

    def preview_append(self, dossier: DossierId, body: object, by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each addressee of an act. Records nothing, sends nothing."""
        return self._writing.preview_append(dossier, body, by)

    def check_open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> None:
        """Raises what the opening would be refused with. Records nothing, sends nothing."""
        self._writing.check_open(kind, body, to, by)

    def check_append(self, dossier: DossierId, body: object, by: Acting) -> None:
        """Raises what the act would be refused with, one without addressees too. Records nothing, sends nothing."""
        self._writing.check_append(dossier, body, by)

    # --- what the rules make us do by ourselves ---

    def settle(self) -> int:
        """Write the automatic acts that are due. Crash safe: a dossier stays unsettled until they are written."""
        return self._settling.settle()

    def purge(self, dossier: DossierId, by: Acting) -> int:
        """Erase all contents of a dossier whose work has ended; `settle` proves it to the members. How many parts went.

        Raises `Refused` (law), `Conflict` (in use).
        """
        return self._settling.purge(dossier, by)

    def sweep(self) -> int:
        """Erase the parts of dossiers whose erasure date has passed (LED art. 5: no decision means erasure)."""
        return self._settling.sweep()

    def refused_erasures(self) -> Mapping[tuple[str, str], str]:
        """What the last sweep of this process could not erase: (entry or dossier, part) -> the reason's code."""
        return self._settling.refused

    def unerased(self) -> list[Unerased]:
        """Dossiers that hold contents past their day, or past the day of single values, although they were swept."""
        return self._settling.unerased()

    # --- reading ---

    def state(self, dossier: DossierId) -> DossierState:
        """The fold with contents, and with marks where an erasure is not proven. Asks nobody: `show` is the officer's
        verb. Raises `NotFound`."""
        with self._w.store.read() as tx:
            state, kind = desk.load_state(self._w, tx, dossier)
            unproven = erasures.marks_of(state, kind, lambda node: self._w.log_keys(tx, node))
        return replace(state, marks=(*state.marks, *unproven)) if unproven else state

    def versions(self, kind: str = "") -> list[tuple[DossierId, str, int, str, str]]:
        """(dossier, phase, number of its last entry, opened at, last written at), by one query and without a fold.

        Entries are never changed nor removed: the same number of the same dossier is the same fold.
        """
        with self._w.store.read() as tx:
            return records.load_versions(tx, kind)

    def show(self, dossier: DossierId, by: Acting) -> DossierState:
        """What an officer reads: asked of the gate and logged as a consultation (LED art. 25)."""
        state = self.state(dossier)
        decision = self._may_view(state, by)
        if isinstance(decision, Refusal):
            raise refused(decision, "show", "", "state a purpose")
        content = self._writing.log(by, decision)
        self._w.store.write(
            lambda tx: self._w.ledger.append(
                tx, verb=LogVerb.CONSULT, subject=dossier, content=content, at=self._w.clock()
            )
        )
        return state

    def _may_view(self, state: DossierState, by: Acting) -> Decision:
        """By the officer's own purpose: for what the dossier was opened says nothing of why it is looked at."""
        return self._w.gate.decide(
            Question(
                Action.VIEW,
                self._w.country,
                frozenset(by.roles),
                country_of(state.opener or self._w.node),
                state.kind,
                purpose=by.purpose,
                justification=by.justification,
                handling=frozenset(str(c) for e in state.entries for c in effective_handling(state, e).codes),
            )
        )

    def may_show(self, dossier: DossierId, by: Acting) -> bool:
        """Whether the law gate lets this officer read it. Logs nothing: the caller's verb does."""
        with self._w.store.read() as tx:
            state = desk.load_standing(self._w, tx, dossier).folded.state
        return not isinstance(self._may_view(state, by), Refusal)

    def may_view(self, state: DossierState, by: Acting) -> bool:
        """The same of a fold that the caller has."""
        return not isinstance(self._may_view(state, by), Refusal)

    def folds(self, dossiers: Iterable[DossierId]) -> Iterator[DossierState]:
        """The folds of many dossiers, without contents, by few statements. One that does not read is named in the log
        and left out: it must not keep a list or a figure from the others."""
        for dossier, found in desk.load_folds(self._w, dossiers):
            if isinstance(found, TansiqError):
                log.error("dossier unreadable", dossier=dossier, code=found.code)
            else:
                yield found

    def readable(self, dossiers: Iterable[DossierId], by: Acting) -> dict[DossierId, bool]:
        """Those of many that the law gate lets this officer read, and of each whether a restriction (H3) waits for his
        word. Logs nothing: the caller's verb does."""
        shown = [state for state in self.folds(dossiers) if self.may_view(state, by)]
        return {state.id: bool(self.restrictions.due_in(state, by)) for state in shown}

    def count(self) -> int:
        """How many there are."""
        with self._w.store.read() as tx:
            return records.count_dossiers(tx)

    def changed_since(self, at: str, last: str, most: int) -> list[tuple[DossierId, str, tuple[int, ...]]]:
        """So many dossiers into which something came at this instant or later, with the instant of the last and a mark
        of what is held of it: something else may have come, or gone, in the same instant. The oldest change first;
        `last` goes on behind that dossier of this very instant."""
        with self._w.store.read() as tx:
            return records.load_changed(tx, at, last, most)

    def contents(
        self, known: Mapping[DossierId, Mapping[tuple[EntryId, PartId], int]]
    ) -> dict[DossierId, tuple[dict[tuple[EntryId, PartId], int], list[tuple[EntryId, PartId, Mapping[str, Any]]]]]:
        """Of each dossier (all parts that are held with their sizes, the contents of those that the caller does not
        know so). A part that does not read is named in the log and left out."""
        with self._w.store.read() as tx:
            sizes = records.load_sizes(tx, list(known))
            fresh = {d: [k for k, size in held.items() if known[d].get(k) != size] for d, held in sizes.items()}
            sealed = records.load_sealed(tx, chain.from_iterable(fresh.values()))
        of = {entry: d for d, keys in fresh.items() for entry, _ in keys}
        found: dict[DossierId, list[tuple[EntryId, PartId, Mapping[str, Any]]]] = {d: [] for d in known}
        for entry, part, raw in sealed:
            try:
                found[of[entry]].append((entry, part, records.content_of(self._w.vault, part, raw)))
            except TansiqError as exc:
                log.error("part unreadable", entry=entry, part=part, code=exc.code)  # noqa: TRY400 # it may hold texts
        return {d: (sizes[d], found[d]) for d in known}

    def find(self, word: str) -> DossierId:
        """A dossier by its id or the first characters of it. Raises `NotFound`, `Invalid`."""
        with self._w.store.read() as tx:
            found = records.load_by_prefix(tx, word if word.startswith("d-") else f"d-{word}")
        if len(found) != 1:
            raise NotFound("dossier.unknown", "no such dossier, or more than one", step="find the dossier", field="id")
        return DossierId(found[0])

    def entry_with(self, tx: Connection, entry: EntryId, kind: str) -> Entry | None:
        """In the caller's transaction: an entry with its contents, if it has a part of this kind."""
        return records.load_entry(tx, self._w.vault, entry) if records.has_parts_of(tx, entry, kind) else None

    def part_in(self, tx: Connection, entry: EntryId, part: PartId) -> Mapping[str, Any] | None:
        """What is held of a part, as this transaction sees it: its own erasures too."""
        held = records.load_part(tx, self._w.vault, entry, part)
        return None if held is None else held.content

    def gives(self, tx: Connection, entry: EntryId, part: PartId, to: NodeId) -> bool:
        """Whether this part of an entry of ours goes to this node now."""
        hidden = self._filing.hidden(tx, entry, to)
        return hidden is not None and part not in hidden

    def dossier_of(self, entry: EntryId) -> DossierId | None:
        with self._w.store.read() as tx:
            return records.find_dossier_of(tx, entry)

    def entry(self, entry: EntryId) -> Entry:
        """One entry with the contents that this node holds. Raises `NotFound`."""
        with self._w.store.read() as tx:
            found = records.load_entry(tx, self._w.vault, entry)
        if found is None:
            raise NotFound("entry.unknown", "no such entry", step="read entry")
        return found

    def rows(self, kind: str = "", before: str = "", limit: int = 100) -> list[DossierRow]:
        """Newest first. The subject is unsealed where this node holds it.

        `before` goes on behind a row: its `place`. Of an instant alone, those of that very instant are left out.
        """
        instant, _, last = before.partition("~")
        with self._w.store.read() as tx:
            rows = records.load_rows(tx, kind, instant, last, limit)
            subjects = self._subjects(tx, [r.id for r in rows])
            return [
                DossierRow(
                    r.id,
                    r.kind,
                    subjects.get(r.id, ""),
                    r.opener,
                    r.opened_at,
                    r.phase,
                    r.updated_at,
                    r.opener == self._w.node,
                )
                for r in rows
            ]

    def subject(self, dossier: DossierId) -> str:
        """What it is called; empty where this node has not got that part."""
        return self.subjects([dossier]).get(dossier, "")

    def subjects(self, dossiers: Iterable[DossierId]) -> dict[DossierId, str]:
        """What many are called, by two statements; without those of which this node has not got that part."""
        with self._w.store.read() as tx:
            return self._subjects(tx, list(dict.fromkeys(dossiers)))

    def _subjects(self, tx: Connection, dossiers: list[DossierId]) -> dict[DossierId, str]:
        openings = records.load_openings(tx, dossiers)
        sealed = records.load_subjects(tx, list(chain.from_iterable(openings.values())))
        found: dict[DossierId, str] = {}
        for dossier, entries in openings.items():
            try:
                told = (records.content_of(self._w.vault, *sealed[e]) for e in entries if e in sealed)
                found[dossier] = next((str(text) for each in told if (text := each.get("text"))), "")
            except TansiqError as exc:
                # The list must stay open when one dossier does not; opening that one says what is wrong.
                log.error("dossier unreadable", dossier=dossier, code=exc.code)  # noqa: TRY400 # it may hold texts
        return found

    def duties(
        self,
        owner: NodeId | None = None,
        dossier: DossierId | None = None,
        limit: int | None = None,
        creditor: NodeId | None = None,
        *,
        codes: frozenset[str] = frozenset(),
        without: frozenset[str] = frozenset(),
    ) -> list[Duty]:
        """What is owed now, the first due first; `limit`: so many. `owner` None: by everybody; `creditor`: what others
        owe to it; of these `codes` alone, or `without` those.

        A duty whose `since` lies ahead (an escalation whose time has not come) is not owed yet, and left out.
        """
        asked = records.Asked(owner, dossier, creditor, codes, without)
        with self._w.store.read() as tx:
            return records.load_duties(tx, asked, limit, self._w.clock())

    def count_duties(self, owner: NodeId, within: timedelta) -> tuple[int, int]:
        """How many duties a member owes now, and how many of them are late or due within this time."""
        now = self._w.clock()
        with self._w.store.read() as tx:
            return records.count_duties(tx, records.Asked(owner), now, now + within)[:2]

    def sum_duties(self, owner: NodeId | None = None, creditor: NodeId | None = None) -> tuple[int, str]:
        """How many such duties are owed now, and since when the newest of them is."""
        now = self._w.clock()
        with self._w.store.read() as tx:
            count, _, newest = records.count_duties(tx, records.Asked(owner, creditor=creditor), now, now)
        return count, newest

    def grants(self, dossier: DossierId) -> list[records.Grant]:
        """Why each of our entries goes to whom, and what is withheld."""
        with self._w.store.read() as tx:
            return records.load_grants(tx, dossier)

    def filed_at(self, dossier: DossierId) -> dict[str, datetime]:
        with self._w.store.read() as tx:
            return records.load_filed_at(tx, dossier)

    def signed(self, entry: EntryId) -> bytes:
        """The entry as its author signed it, for a third party."""
        with self._w.store.read() as tx:
            raw = records.load_raw(tx, entry)
        if raw is None:
            raise NotFound("entry.unknown", "no such entry", step="prove")
        return raw
