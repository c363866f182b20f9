"""What an assessment's analysts look at first: who judges what and how surely, what evidence tells apart, who dissents.

Until a service has revealed its judgement, the view knows that it committed and when, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tansiq.dossiers.model import DossierState
from tansiq.kinds.assessment.ach import diagnosticity, rank, sensitivity
from tansiq.kinds.assessment.model import LIKELIHOOD, Judgement
from tansiq.kinds.assessment.rules import AssessmentState, Told, scores
from tansiq.kinds.items import Item
from tansiq.kinds.said import Said, acts, instant, is_late, newest, said
from tansiq.terms import EntryId, NodeId

JOINT = "joint"
"""Stands where a service's id stands, for what all might sign."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One service in the round: it has not committed, has committed, or has revealed."""

    node: NodeId
    committed: EntryId | None
    at: datetime | None
    revealed: EntryId | None
    late: bool
    """It has not committed, and the time to judge is over."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    label: str
    said: Said
    came_true: bool
    apart: tuple[int, int] | None
    """The least and the most per cent that a service gives it; None while fewer than two have told."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A word of likelihood with its range, and the per cent that its author wrote."""

    word: str
    low: int
    high: int
    percent: int


@dataclass(frozen=True, slots=True)
class Column:
    """A judgement: likelihood of each hypothesis, and confidence, which is another axis (ICD 203)."""

    who: str
    entry: EntryId
    estimates: Mapping[str, Estimate]
    confidence: str
    blind: bool
    brier: float | None
    dissents: bool
    """It does not stand by the joint judgement."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the matrix: what each service says that an item means for each hypothesis."""

    label: str
    said: Said
    form: str
    grade: str
    scheme: str
    cells: Mapping[str, tuple[tuple[str, str], ...]]
    """Hypothesis -> (service, code) of each that filled it in."""
    telling: tuple[tuple[str, int], ...]
    """How far it tells the hypotheses apart, by each service, 0 to 4."""
    rests: tuple[tuple[str, tuple[str, ...]], ...]
    """Services for which others would lead without it, and who would."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A service's weighted inconsistency of each hypothesis, and who leads: who has the least of it."""

    who: str
    against: Mapping[str, int]
    leaders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The newest joint judgement with everybody's answer; it holds once all answered and one at least agreed."""

    entry: EntryId
    author: NodeId
    answers: tuple[tuple[NodeId, str, EntryId], ...]
    holds: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    item: Item
    said: Said
    reading: str
    late: bool


@dataclass(frozen=True, slots=True)
class View:
    """The assessment as a page draws it."""

    question: Said
    form: str
    areas: tuple[str, ...]
    horizon: datetime | None
    phase: str
    round: int
    since: datetime
    due_at: datetime | None
    seats: tuple[Seat, ...]
    hypotheses: tuple[Hypothesis, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    ranked: tuple[Ranked, ...]
    proposal: Proposal | None
    dissents: tuple[tuple[NodeId, Said], ...]
    levels: tuple[tuple[NodeId, int, int, EntryId], ...]
    indicators: tuple[Watched, ...]
    answers: tuple[tuple[str, NodeId, str, str, datetime], ...]
    earlier: tuple[tuple[Column, ...], ...]
    outcome: str | None
    """The hypothesis that came true; empty: none of them; None: not known."""
    outcome_entry: EntryId | None

    @property
    def running(self) -> bool:
        """Whether the clock of the judging round runs."""
        return self.phase == "judging" and not any(s.revealed for s in self.seats)


def view(state: DossierState, now: datetime) -> View | None:
    own: AssessmentState | None = state.own
    if own is None or state.opened_at is None:
        return None
    columns = tuple(_column(own, str(n), told) for n, told in own.revealed.items())
    proposal = _proposal(own)
    opened, outcome = newest(state, "assessment.judging_opened"), newest(state, "assessment.outcome_recorded")
    return View(
        question=said(state, state.first.id, "question"),
        form=str(own.facts.get("form", "")),
        areas=tuple(map(str, (*own.facts.get("regions", ()), *own.facts.get("crime_areas", ())))),
        horizon=instant(own.facts, "horizon_until"),
        phase=state.phase,
        round=own.round,
        since=opened.statement.at if opened else state.opened_at,
        due_at=own.due_at,
        seats=tuple(_seat(state, own, n, now) for n in state.members),
        hypotheses=tuple(_hypothesis(state, own, label, columns) for label in own.hypotheses),
        columns=(*columns, *_joint_column(own, proposal)),
        lines=_lines(state, own),
        ranked=_ranked(own),
        proposal=proposal,
        dissents=tuple(_dissent(state, e) for e in own.dissents),
        levels=_levels(state, own),
        indicators=tuple(_watched(state, i, now) for i in own.items.values() if i.sort == "indicator"),
        answers=tuple(sorted((q, n, value, trend, at) for (q, n), (value, trend, at) in own.answers.items())),
        earlier=tuple(tuple(_column(own, str(n), t) for n, t in told.items()) for told in own.earlier if told),
        outcome=own.outcome,
        outcome_entry=outcome.id if outcome else None,
    )


def _seat(state: DossierState, own: AssessmentState, node: NodeId, now: datetime) -> Seat:
    committed, told = own.committed.get(node), own.revealed.get(node)
    entry = state.entry(committed[1]) if committed else None
    late = state.phase == "judging" and committed is None and is_late(own.due_at, now)
    at = entry.statement.at if entry else None
    return Seat(node, committed[1] if committed else None, at, told.entry if told else None, late)


def _hypothesis(state: DossierState, own: AssessmentState, label: str, columns: tuple[Column, ...]) -> Hypothesis:
    told = [c.estimates[label].percent for c in columns if label in c.estimates]
    apart = (min(told), max(told)) if len(told) > 1 else None
    return Hypothesis(label, said(state, own.hypotheses[label], "hypothesis"), own.outcome == label, apart)


def _estimates(judgement: Judgement) -> dict[str, Estimate]:
    words, percent = judgement.get("likelihood") or {}, judgement.get("percent") or {}
    return {h: Estimate(str(w), *LIKELIHOOD[str(w)], int(percent.get(h, 0))) for h, w in sorted(words.items())}


def _column(own: AssessmentState, who: str, told: Told) -> Column:
    current = told in own.revealed.values()
    joint = own.joint() if current else None
    against = joint is not None and who in joint.dissenting
    score = scores(own).get(who) if current else None
    confidence = str(told.judgement.get("confidence", ""))
    return Column(who, told.entry, _estimates(told.judgement), confidence, told.blind, score, against)


def _joint_column(own: AssessmentState, proposal: Proposal | None) -> tuple[Column, ...]:
    """Beside each service's own, never in its place."""
    if proposal is None:
        return ()
    judgement = proposal.items[0].facts
    estimates, confidence = _estimates(judgement), str(judgement.get("confidence", ""))
    score = scores(own).get(JOINT) if proposal.holds else None
    return (Column(JOINT, proposal.entry, estimates, confidence, True, score, False),)


def _proposal(own: AssessmentState) -> Proposal | None:
    """What holds; else the newest that is asked for."""
    joint = own.joint()
    entry = joint.entry if joint else own.proposals[-1] if own.proposals else None
    lanes = tuple(i for i in own.items.values() if i.sort == JOINT and i.begun == entry)
    if entry is None or not lanes:
        return None
    answers = tuple((i.owner, i.state, i.last) for i in lanes)
    return Proposal(entry, lanes[0].author, answers, joint is not None, lanes)


def _cells(own: AssessmentState) -> dict[str, Mapping[str, Mapping[str, str]]]:
    """Service -> its matrix, of those that revealed one."""
    return {str(n): t.judgement["cells"] for n, t in own.revealed.items() if t.judgement.get("cells")}


def _lines(state: DossierState, own: AssessmentState) -> tuple[Line, ...]:
    """What tells the most apart stands first; before anybody has told, as it was gathered."""
    labels, filled = tuple(sorted(own.hypotheses)), _cells(own)
    leads = {who: sensitivity(cells, labels, own.weights) for who, cells in filled.items()}
    found = []
    for label, (entry, grade, scheme) in own.evidence.items():
        rows = {who: cells[label] for who, cells in filled.items() if label in cells}
        telling = tuple((who, diagnosticity(row, labels)) for who, row in rows.items())
        cells = {h: tuple((who, row[h]) for who, row in rows.items() if h in row) for h in labels}
        rests = tuple((who, tuple(sorted(leads[who][label]))) for who in rows if label in leads[who])
        told = state.entry(entry)
        form = str(told.statement.facts.get("form", "evidence")) if told else ""
        words = said(state, entry, "evidence", "narrative", "subject", "note")
        found.append(Line(label, words, form, grade, scheme, cells, telling, rests))
    order = {x.label: n for n, x in enumerate(found)}
    key = {x.label: (-max((n for _w, n in x.telling), default=0), -sum(n for _w, n in x.telling)) for x in found}
    return tuple(sorted(found, key=lambda x: (key[x.label], order[x.label])))


def _ranked(own: AssessmentState) -> tuple[Ranked, ...]:
    labels = tuple(sorted(own.hypotheses))
    found = {who: rank(cells, labels, own.weights) for who, cells in _cells(own).items()}
    return tuple(Ranked(who, r.inconsistency, r.leaders) for who, r in found.items())


def _dissent(state: DossierState, entry: EntryId) -> tuple[NodeId, Said]:
    found = state.entry(entry)
    return (found.statement.author if found else NodeId(""), said(state, entry, "dissent"))


def _levels(state: DossierState, own: AssessmentState) -> tuple[tuple[NodeId, int, int, EntryId], ...]:
    told = {e.statement.author: e.id for e in acts(state, "assessment.national_level_told")}
    return tuple((n, *own.levels[n], told[n]) for n in sorted(own.levels) if n in told)


def _watched(state: DossierState, item: Item, now: datetime) -> Watched:
    late = item.state == "watched" and state.phase != "closed" and is_late(item.due_at, now)
    return Watched(item, said(state, item.begun, "indicator"), str(item.facts.get("reading", "")), late)
