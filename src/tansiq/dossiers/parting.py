"""What stays between services when one of them was removed from a dossier (D-22): who shared takes back, who holds
answers. Pure.

What a service shares stays under its control, and what it was given stays another's, whoever removed it since. So two
acts of a former member count still, once each for a part: `dossier.recalled` of its own part, and `dossier.erased`, its
answer to a recall that it was addressed. The same two are all that is sealed to a former member: the recall of what it
was given, and the answer to a recall of its own. Statements alone: a part of them is neither given nor taken.
"""

from __future__ import annotations

from itertools import chain

from tansiq.dossiers.model import DossierState, Entry, Recall
from tansiq.terms import EntryId, NodeId

TAKES_BACK = "dossier.recalled"
ANSWERS = "dossier.erased"
KEPT = (TAKES_BACK, ANSWERS)


def former(state: DossierState) -> frozenset[NodeId]:
    """Who was a member by one of the opener's lists and is none by the newest."""
    void = state.voided()
    lists = (
        e.statement.members or ()
        for e in state.entries
        if e.statement.author == state.opener and e.statement.members is not None and e.id not in void
    )
    return frozenset(chain.from_iterable(lists)) - {*state.members}


def counts(state: DossierState, entry: Entry) -> bool:
    """Whether an act of a former member counts. Each part once: so many recalls and answers as there are parts, then
    none, whatever a removed member sends."""
    s, facts = entry.statement, entry.statement.facts
    about, part = _about(state, entry), facts.get("part")
    if s.type == TAKES_BACK:
        if about is None or about.statement.author != s.author or all(p.id != part for p in about.statement.parts):
            return False
        return not any(r.about == about.id and r.part == part for r in state.recalls)
    if s.type == ANSWERS:
        asked = (r for r in state.recalls if r.entry == facts.get("recall") and r.part == part)
        return any(s.author not in r.erased and s.author in addressed(state, r) for r in asked)
    return False


def addressed(state: DossierState, recall: Recall) -> tuple[NodeId, ...]:
    taken = state.entry(recall.entry)
    return taken.statement.addressees if taken else ()


def is_bare(state: DossierState, entry: Entry) -> bool:
    """Whether of this entry the statement alone is taken: its author is no member."""
    s = entry.statement
    return s.type in KEPT and state.opener is not None and s.author not in state.members


def concerns(state: DossierState, entry: Entry, me: NodeId) -> bool:
    """Whether a service that was removed takes this entry: what it was given is taken back, or it is answered."""
    if entry.id in state.voided():
        return False
    if entry.statement.type == TAKES_BACK:
        return _about(state, entry) is not None and me in entry.statement.addressees
    return entry.statement.type == ANSWERS and _taker(state, entry) == me


def goes_to(state: DossierState, entry: Entry, to: NodeId) -> bool:
    """Whether this entry of ours, its statement alone, goes to a node that the newest list lacks."""
    if entry.id in state.voided() or to not in entry.statement.addressees:
        return False
    if entry.statement.type == TAKES_BACK:
        return to in former(state)
    return entry.statement.type == ANSWERS and _taker(state, entry) == to


def taker(state: DossierState, facts: object) -> NodeId | None:
    """Who took back what an answer with these facts is about."""
    recall = facts.get("recall") if isinstance(facts, dict) else None
    taken = state.entry(EntryId(str(recall)))
    return taken.statement.author if taken else None


def _taker(state: DossierState, answer: Entry) -> NodeId | None:
    return taker(state, dict(answer.statement.facts))


def _about(state: DossierState, entry: Entry) -> Entry | None:
    return state.entry(EntryId(str(entry.statement.facts.get("about", ""))))
