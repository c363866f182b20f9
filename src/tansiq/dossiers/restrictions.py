"""What others allow only within their own words (handling code H3): read and confirmed before it is used.

To use is to read, to write an act that may build upon it, and to see it beside another record. An officer's word is a
leaf of the ledger, under the dossier, with a mark of the very texts: other words, or one more entry under H3, and the
officer is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access.model import Acting
from tansiq.bank.model import Candidate, Entity
from tansiq.dossiers import desk
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.frame import USES_NOTHING, effective_handling
from tansiq.dossiers.model import DossierState
from tansiq.errors import Refused, TansiqError
from tansiq.policy.model import Action, Question, Refusal
from tansiq.terms import DossierId, EntryId, Handling, HandlingCode, LogVerb, NodeId

CLAUSE = "handling.h3.read"

Found = list[tuple[EntryId, str]]
"""Entries under H3 with the words of each restriction."""


class Restrictions:
    """Which restrictions an officer has still to confirm."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring

    def due(self, dossier: DossierId, by: Acting) -> Found:
        """What this officer has to read and confirm before the dossier is read.

        Empty where there is none, or where this officer confirmed these very texts already.
        """
        return self._due(dossier, self._found(dossier), by)

    def due_in(self, state: DossierState, by: Acting) -> Found:
        """The same of a fold that the caller has."""
        return self._due(state.id, _restricted(state), by)

    def _due(self, dossier: DossierId, found: Found, by: Acting) -> Found:
        # Who may not read at all is told so by the law gate itself, when he tries.
        return [] if not found or not self._is_owed(by) or self._is_confirmed(dossier, found, by) else found

    def unread(self, dossiers: Iterable[str], by: Acting) -> frozenset[str]:
        """The entries of these dossiers whose restrictions this officer has still to read and confirm."""
        states = self._states(DossierId(d) for d in dossiers)
        return frozenset(entry for state in states for entry, _ in self.due_in(state, by))

    def _states(self, dossiers: Iterable[DossierId]) -> Iterator[DossierState]:
        """Raises what a dossier raises that does not read: it may be the one that is restricted."""
        for _, found in desk.load_folds(self._w, dossiers):
            if isinstance(found, TansiqError):
                raise found
            yield found

    def handlings(self, asked: Iterable[tuple[DossierId, EntryId]]) -> dict[EntryId, Handling]:
        """What binds these entries now, later restrictions included; what is not here is left out.

        For lists: many are read by one statement, each is folded once, or not at all where its standing is kept, and no
        content is opened.
        """
        wanted: dict[DossierId, set[EntryId]] = {}
        for dossier, entry in asked:
            wanted.setdefault(dossier, set()).add(entry)
        found: dict[EntryId, Handling] = {}
        for state in self._states(wanted):
            found |= {e.id: effective_handling(state, e) for e in state.entries if e.id in wanted[state.id]}
        return found

    def veil(self, found: Iterable[Candidate], by: Acting) -> list[Candidate]:
        """What a search of the bank found, without what came under a restriction that this officer has still to read.

        Such a record is named, never left out: "we hold nothing like it" would be a false answer.
        """
        candidates = list(found)
        due = self.unread({c.record.provenance.dossier for c in candidates} - {""}, by)
        return [_veiled(c) if c.record.provenance.reference in due else c for c in candidates]

    def check_read(self, dossier: DossierId, by: Acting, step: str = "show") -> None:
        """Raises `Refused` while this officer has not confirmed what restricts the dossier."""
        if self.due(dossier, by):
            raise unread(step)

    def check_sides(self, dossiers: Iterable[str], by: Acting, step: str) -> None:
        """As `check_read`, for both sides of a match: what arrived, and what we hold if a dossier brought it.

        Who gave no reason yet is asked as one who works off the desk's list: of an act without any purpose the law gate
        wants nothing but the purpose, and the restriction would go unread.
        """
        by = replace(by, purpose=by.purpose or "public_security", justification=by.justification or "list of work")
        for dossier in sorted({*dossiers} - {""}):
            self.check_read(DossierId(dossier), by, step)

    def acknowledge(self, dossier: DossierId, by: Acting) -> None:
        """An officer has read the restrictions and will keep to them; the ledger keeps that word."""
        content = {
            "officer": by.officer,
            "purpose": by.purpose,
            "justification": by.justification,
            "clauses": [CLAUSE],
            "decision": "acknowledged",
            "acknowledged": _mark_of(self._found(dossier)),
        }
        self._w.store.write(
            lambda tx: self._w.ledger.append(
                tx, verb=LogVerb.CONSULT, subject=dossier, content=content, at=self._w.clock()
            )
        )

    def check(self, state: DossierState, act: str, by: Acting) -> None:
        """Raises `Refused` where an act may build upon what others restricted and its officer has not confirmed."""
        if act in USES_NOTHING or not by.roles or not _restricted(state, but=self._w.node):
            return
        if not self._is_confirmed(state.id, _restricted(state), by):
            raise unread("append")

    def _found(self, dossier: DossierId) -> Found:
        with self._w.store.read() as tx:
            return self._in(tx, dossier)

    def _in(self, tx: Connection, dossier: DossierId) -> Found:
        return _restricted(desk.load_standing(self._w, tx, dossier).folded.state)

    def _is_confirmed(self, dossier: DossierId, found: Found, by: Acting) -> bool:
        if not found:
            return True
        mark = _mark_of(found)
        said = (x.content for x in self._w.ledger.find(dossier) if x.content)
        return any(c.get("acknowledged") == mark and c.get("officer") == by.officer for c in said)

    def _is_owed(self, by: Acting) -> bool:
        """Whether the law gate wants it of this officer."""
        asked = Question(
            Action.VIEW,
            self._w.country,
            frozenset(by.roles),
            self._w.country,
            purpose=by.purpose,
            justification=by.justification,
            handling=frozenset({"H3"}),
            handling_text="stated",
        )
        decision = self._w.gate.decide(asked)
        return not isinstance(decision, Refusal) and "acknowledge_h3" in decision.obligations


def unread(step: str) -> Refused:
    """What an officer is told who has not confirmed."""
    return Refused(
        "handling.h3_unread",
        "a restriction (H3) must be read and confirmed first",
        clauses=(CLAUSE,),
        step=step,
        field="acknowledge",
        hint="acknowledge the restriction",
    )


def _restricted(state: DossierState, but: NodeId | None = None) -> Found:
    """`but`: without that node's own entries."""
    each = ((e, effective_handling(state, e)) for e in state.entries if e.statement.author != but)
    return [(e.id, handling.text) for e, handling in each if HandlingCode.H3 in handling.codes]


def _mark_of(restrictions: Iterable[tuple[EntryId, str]]) -> str:
    text = "\n".join(f"{entry}\t{words}" for entry, words in sorted(restrictions))
    return crypto.sha256("tansiq.h3.v1", text.encode()).hex()


def _veiled(found: Candidate) -> Candidate:
    told = Entity("", found.record.entity.schema, ())
    return replace(found, record=replace(found.record, entity=told), explanation={})
