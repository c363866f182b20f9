"""Pure rules of hits: the life of a match, what counts as one, and until when it must be decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from tansiq.bank.model import IDENTIFIER_KINDS, Candidate, Entity
from tansiq.hits.model import LocalDuty, MatchState
from tansiq.terms import parse_instant

LIFE: Mapping[MatchState, frozenset[MatchState]] = {
    MatchState.OPEN: frozenset({MatchState.HIT, MatchState.NO_HIT, MatchState.UNCLEAR}),
    MatchState.UNCLEAR: frozenset({MatchState.HIT, MatchState.NO_HIT}),
    # A decision stands: who finds it wrong writes a correction into the dossier, where its members see it.
    MatchState.HIT: frozenset(),
    MatchState.NO_HIT: frozenset(),
}

MATCH_SCORE = 0.2
"""With a birth date, a birth place or a parent that agrees. A person's score is a probability (docs/matching.md): from
one in five on, two minutes of an officer are well spent, for a wanted man sat in a neighbour's prison under another
spelling. Measured by `benchmarks/train_persons.py matches` on 9,908 persons (UN, OFAC, Canada) with 150 invented names
and a birth year each: one match in six names."""
NAME_ALONE_SCORE = 0.25
"""With a name and nothing else. Measured alike: one match in 37 names; 92 of 100 pairs of spellings of one person
are above it."""
OTHER_NAME_SCORE = 0.9
"""Of an organisation or a thing, whose score is that of the names alone: how alike they are, not how probable."""
LEAST_SCORE = min(MATCH_SCORE, NAME_ALONE_SCORE, OTHER_NAME_SCORE)
"""Below it nothing is a match, but for a shared number."""
MOST_MATCHES = 8
"""Of one entity in one entry. A name that meets more holdings than that tells nobody apart: the best are shown."""

CONFIRM_WITHIN = timedelta(days=3)
"""Our own default, no law sets it: a match that nobody looks at for three days was worth nothing to the partner."""
CONFIRM_URGENT_WITHIN = timedelta(hours=8)
"""As the answer to an urgent request, Dir. (EU) 2023/977 art. 5(1)(a): what came with urgency is looked at with it."""
CONFIRM_CLAUSE = "Directive (EU) 2016/680 art. 11 (a person decides); the period is this product's own default"

MIN_REASON = 3
MAX_REASON = 2_000


def may_become(now: MatchState, then: MatchState) -> bool:
    return then in LIFE[now]


def match_rule(incoming: Entity, candidate: Candidate) -> str:
    """Under which rule this candidate is a match: `identifier`, `person`, `name`; empty when it is none."""
    parts = {str(row.get("part", "")) for row in _rows(candidate) if row.get("outcome") in ("agree", "partial")}
    if parts & IDENTIFIER_KINDS:
        # A shared number calls for a look even where the names differ: that is what a shared phone is about.
        return "identifier"
    both_persons = incoming.schema == candidate.record.entity.schema == "Person"
    if both_persons and parts & {"birth_date", "birth_place", "father", "mother"}:
        return "person" if candidate.score >= MATCH_SCORE else ""
    return "name" if candidate.score >= (NAME_ALONE_SCORE if both_persons else OTHER_NAME_SCORE) else ""


class Waiting(Protocol):
    """What a duty says of a match: nothing of either side."""

    @property
    def id(self) -> str: ...
    @property
    def dossier(self) -> str: ...
    @property
    def urgent(self) -> bool: ...
    @property
    def found_at(self) -> str: ...
    @property
    def state(self) -> str: ...


def duties(matches: Iterable[Waiting]) -> tuple[LocalDuty, ...]:
    """One `hit.confirm` for each match that nobody has decided, the one that is due first at the top."""
    found = [_duty(m, parse_instant(m.found_at), urgent=bool(m.urgent)) for m in matches if LIFE[MatchState(m.state)]]
    return tuple(sorted(found, key=lambda d: (d.due_at, d.match)))


def _duty(m: Waiting, found_at: datetime, *, urgent: bool) -> LocalDuty:
    due = due_at(found_at, urgent=urgent)
    return LocalDuty(m.id, m.dossier, "hit.confirm", found_at, due, CONFIRM_CLAUSE, urgent)


def due_at(found_at: datetime, *, urgent: bool) -> datetime:
    return found_at + (CONFIRM_URGENT_WITHIN if urgent else CONFIRM_WITHIN)


def _rows(candidate: Candidate) -> list[Mapping[str, object]]:
    rows = candidate.explanation.get("rows", [])
    return [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list | tuple) else []
