"""The life cycle of an assessment.

framing ──judging_opened──► judging ──all revealed──► revealed ──outcome_recorded──► closed
   ▲                      │                              │
   └──────reopened────────┴──────────reopened────────────┘ (a new round)
reveal: once every service has committed; or, when the time is over, once another service's entry says so too
joint judgement: awaited (each other service) ──► agreed | dissented (or dropped: a new round began before the answer)
indicator:       watched ⟲ checked every so many days ──► dropped
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tansiq.dossiers import ancestors
from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.assessment.ach import brier, weight
from tansiq.kinds.assessment.model import (
    LIKELIHOOD,
    QUESTIONS,
    About,
    Answered,
    Asked,
    Committed,
    Dissent,
    EvidenceAdded,
    HypothesisProposed,
    IndicatorChecked,
    IndicatorSet,
    JointProposed,
    Judgement,
    JudgingOpened,
    LevelTold,
    Outcome,
    Revealed,
    commitment,
)
from tansiq.kinds.items import Cycle, Facts, Items, Move, Owed, Step, stop
from tansiq.terms import EntryId, Grade, NodeId, later, parse_instant

_TEXT = frozenset({"subject", "narrative", "note", "link", "entity"})
_NOTE = frozenset({"note"})
_ICD = "ICD 203"
_FRAMING = ("framing",)
_JUDGING = ("judging",)
_KNOWN = ("revealed",)
_ANY = ("framing", "judging", "revealed")

ACTS = (
    ActRule("assessment.asked", "opener", (), "framing", _ICD, _TEXT | {"question"}, Asked),
    ActRule(
        "assessment.hypothesis_proposed", "member", _FRAMING, "", _ICD, frozenset({"hypothesis"}), HypothesisProposed
    ),
    ActRule("assessment.evidence_added", "member", _FRAMING, "", _ICD, _TEXT | {"evidence"}, EvidenceAdded),
    ActRule("assessment.judging_opened", "opener", _FRAMING, "judging", _ICD, _NOTE, JudgingOpened),
    ActRule(
        "assessment.committed",
        "member",
        _JUDGING,
        "",
        _ICD,
        _NOTE | {"sealed_judgement"},
        Committed,
        kept=frozenset({"sealed_judgement"}),
    ),
    ActRule("assessment.time_called", "member", _JUDGING, "", _ICD, _NOTE, None, bare=True),
    ActRule("assessment.revealed", "member", _JUDGING, "", _ICD, _NOTE | {"judgement", "gaps"}, Revealed),
    ActRule("assessment.dissent_recorded", "member", _KNOWN, "", _ICD, _NOTE | {"dissent"}, Dissent),
    ActRule("assessment.joint_proposed", "member", _KNOWN, "", _ICD, _NOTE | {"judgement"}, JointProposed),
    ActRule("assessment.joint_agreed", "member", _KNOWN, "", _ICD, _NOTE, About),
    ActRule("assessment.joint_dissented", "member", _KNOWN, "", _ICD, _NOTE | {"dissent"}, About),
    ActRule("assessment.national_level_told", "member", _ANY, "", "", _NOTE, LevelTold),
    ActRule("assessment.indicator_set", "member", _ANY, "", "", _NOTE | {"indicator"}, IndicatorSet),
    ActRule("assessment.indicator_checked", "member", _ANY, "", "", _TEXT, IndicatorChecked),
    ActRule("assessment.indicator_dropped", "member", _ANY, "", "", _NOTE, About),
    ActRule("assessment.questionnaire_answered", "member", _ANY, "", "", _TEXT, Answered),
    # While judging too: a service that committed and never reveals must not hold up the others for ever.
    ActRule("assessment.reopened", "opener", ("judging", "revealed"), "framing", _ICD, _NOTE, None),
    ActRule("assessment.outcome_recorded", "opener", _KNOWN, "closed", _ICD, _NOTE, Outcome),
)


def _next_check(facts: Facts, at: datetime) -> datetime | None:
    days = facts.get("every_days")
    return later(at, timedelta(days=days)) if isinstance(days, int) else None


CYCLE = Cycle(
    steps=(
        Step("assessment.joint_proposed", "joint", "each", "any", (), "awaited"),
        Step("assessment.joint_agreed", "joint", "", "owner", ("awaited", "dissented"), "agreed"),
        Step("assessment.joint_dissented", "joint", "", "owner", ("awaited", "agreed"), "dissented"),
        Step("assessment.indicator_set", "indicator", "one", "any", (), "watched", _next_check),
        Step("assessment.indicator_checked", "indicator", "", "owner", ("watched",), "watched", _next_check),
        Step("assessment.indicator_dropped", "indicator", "", "any", ("watched",), "dropped", stop),
    ),
    owed=(
        Owed("joint", ("awaited",), "assessment.answer_joint", _ICD),
        Owed("indicator", ("watched",), "assessment.check_indicator", ""),
    ),
    moves=(Move("joint", ("awaited",), "dropped", "assessment.reopened"),),
    phases=(Move("", ("judging",), "revealed", "assessment.revealed: by every service that committed"),),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A revealed judgement, and whether it was made before its author could know another's."""

    entry: EntryId
    judgement: Judgement
    blind: bool


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint judgement with who stands by it and who does not: dissent is printed beside it, never averaged away."""

    entry: EntryId
    judgement: Judgement
    agreed: tuple[NodeId, ...]
    """Its author first."""
    dissenting: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class AssessmentState:
    """The question's hypotheses and evidence, who committed, who revealed, what all agreed to."""

    facts: Mapping[str, Any]
    due_at: datetime | None
    round: int = 1
    hypotheses: Mapping[str, EntryId] = field(default_factory=dict)
    evidence: Mapping[str, tuple[EntryId, str, str]] = field(default_factory=dict)
    """Label -> (entry, grade, scheme)."""
    committed: Mapping[NodeId, tuple[str, EntryId]] = field(default_factory=dict)
    revealed: Mapping[NodeId, Told] = field(default_factory=dict)
    seen_by_first: frozenset[EntryId] = frozenset()
    """What the round's first revelation had seen: commitments outside it were not blind."""
    earlier: tuple[Mapping[NodeId, Told], ...] = ()
    """What was revealed in each round before this one."""
    proposals: tuple[EntryId, ...] = ()
    """This round's joint judgements, in order."""
    levels: Mapping[NodeId, tuple[int, int]] = field(default_factory=dict)
    answers: Mapping[tuple[str, NodeId], tuple[str, str, datetime]] = field(default_factory=dict)
    """(question, service) -> (value, trend, when): the newest answer."""
    dissents: tuple[EntryId, ...] = ()
    items: Items = field(default_factory=dict)
    outcome: str | None = None

    @property
    def weights(self) -> dict[str, int]:
        return {label: weight(grade, scheme) for label, (_e, grade, scheme) in self.evidence.items()}

    def joint(self) -> Joint | None:
        """The round's newest joint judgement that every other service answered and at least one agreed to."""
        for entry in reversed(self.proposals):
            lanes = [i for i in self.items.values() if i.sort == "joint" and i.begun == entry]
            agreed = tuple(i.owner for i in lanes if i.state == "agreed")
            against = tuple(i.owner for i in lanes if i.state == "dissented")
            if agreed and len(agreed) + len(against) == len(lanes):
                first = lanes[0]
                told = {k: first.facts.get(k) for k in ("likelihood", "percent", "confidence")}
                return Joint(entry, told, (first.author, *agreed), against)
        return None


def _instant(facts: Facts, name: str) -> datetime | None:
    try:
        return parse_instant(str(facts.get(name, "")))
    except TansiqError:
        return None


def begin(opening: Entry) -> AssessmentState:
    facts = dict(opening.statement.facts)
    return AssessmentState(facts, _instant(facts, "due"))


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    s = entry.statement
    if s.type == "assessment.asked":
        due = _instant(s.facts, "due")
        return "" if due is not None and due > s.at else "the time to judge ends after the question"
    own: AssessmentState | None = state.own
    if own is None:
        return ""
    match s.type:
        case "assessment.hypothesis_proposed":
            return "that label is taken" if s.facts.get("label") in own.hypotheses else ""
        case "assessment.evidence_added":
            return _evidence_fault(own, s.facts)
        case "assessment.judging_opened":
            return _judging_fault(own, s.facts, s.at)
        case "assessment.committed":
            return _commit_fault(own, s.author)
        case "assessment.time_called":
            return "" if own.due_at is not None and s.at > own.due_at else "the time to judge is not over"
        case "assessment.revealed":
            return _reveal_fault(state, own, entry)
        case "assessment.joint_proposed":
            return scale_fault(own, s.facts)[1]
        case "assessment.questionnaire_answered":
            return "" if s.facts.get("question") in QUESTIONS else "no question of the questionnaire"
        case "assessment.national_level_told":
            return "" if int(s.facts["level"]) <= int(s.facts["steps"]) else "the level is beyond its scale"
        case "assessment.outcome_recorded" | "assessment.indicator_set":
            told = s.facts.get("hypothesis", "")
            if told and told not in own.hypotheses:
                return "no such hypothesis"
    return CYCLE.check(state, own.items, entry)


def _judging_fault(own: AssessmentState, facts: Facts, at: datetime) -> str:
    if len(own.hypotheses) < 2:
        return "there are fewer than two hypotheses"
    # Where the time is over already (a new round), the first to commit could reveal at once: nobody else were blind.
    due = _instant(facts, "due") or own.due_at
    return "" if due is not None and due > at else "the time to judge is over: name a later end"


def _evidence_fault(own: AssessmentState, facts: Facts) -> str:
    if facts.get("label") in own.evidence:
        return "that label is taken"
    try:
        Grade.parse(str(facts.get("grade", "X4")), str(facts.get("scheme", "4x4")))
    except TansiqError:
        return "grade is not of its scheme"
    return ""


def _commit_fault(own: AssessmentState, who: NodeId) -> str:
    if own.revealed:
        return "another service's judgement is known already"
    return "committed already" if who in own.committed else ""


def _reveal_fault(state: DossierState, own: AssessmentState, entry: Entry) -> str:
    s = entry.statement
    if s.author not in own.committed:
        return "not committed to"
    if s.author in own.revealed:
        return "revealed already"
    past = ancestors(entry.id, {e.id: e for e in (*state.entries, entry)})
    # Who reveals had every commitment before it; what merely sorts earlier may have been written in its knowledge.
    waiting = [n for n in state.members if n not in own.committed or own.committed[n][1] not in past]
    if waiting and not own.revealed and not _is_time_over(state, own, entry, past):
        return "not before every service committed, or another service also says that the time is over"
    if not _is_committed_to(state, own, s.author, s.facts):
        return "not what was committed to"
    return scale_fault(own, s.facts)[1]


def _is_time_over(state: DossierState, own: AssessmentState, entry: Entry, past: frozenset[EntryId]) -> bool:
    """Whether its author and another service say so: whose clock is wrong, or lies, ends nobody's time to judge.

    The other's word is any entry that counts, was written after the time, and was known to who reveals.
    """
    if own.due_at is None or entry.statement.at <= own.due_at:
        return False
    void = state.voided()
    said = (e for e in state.entries if e.id in past and e.id not in void)
    return any(e.statement.author != entry.statement.author and e.statement.at > own.due_at for e in said)


def scale_fault(own: AssessmentState, judged: Facts) -> tuple[str, str]:
    """(where, why) a judgement is not one of this assessment; empty when it is."""
    for name in ("likelihood", "percent"):
        missing = sorted(set(own.hypotheses) - set(judged.get(name) or {}))
        if missing or set(judged.get(name) or {}) - set(own.hypotheses):
            return f"{name}.{missing[0]}" if missing else name, "every hypothesis is judged"
    for label, word in judged["likelihood"].items():
        low, high = LIKELIHOOD[str(word)]
        if not low <= int(judged["percent"][label]) <= high:
            return f"percent.{label}", f"{label}: the per cent and the word differ"
    cells = judged.get("cells") or {}
    if not set(cells) <= set(own.evidence) or any(not set(row) <= set(own.hypotheses) for row in cells.values()):
        return "cells", "a cell of an unknown item or hypothesis"
    return "", ""


def step(state: DossierState, entry: Entry) -> tuple[str, AssessmentState]:
    s = entry.statement
    own: AssessmentState = replace(state.own, items=CYCLE.step(state.own.items, entry))
    phase = next((a.after for a in ACTS if a.type == s.type and a.after), state.phase)
    match s.type:
        case "assessment.hypothesis_proposed":
            own = replace(own, hypotheses={**own.hypotheses, str(s.facts["label"]): entry.id})
        case "assessment.evidence_added":
            graded = (entry.id, str(s.facts.get("grade", "X4")), str(s.facts.get("scheme", "4x4")))
            own = replace(own, evidence={**own.evidence, str(s.facts["label"]): graded})
        case "assessment.judging_opened":
            own = replace(own, due_at=_instant(s.facts, "due") or own.due_at)
        case "assessment.committed":
            own = replace(own, committed={**own.committed, s.author: (str(s.facts["digest"]), entry.id)})
        case "assessment.revealed":
            own = _revealed(state, own, entry)
            if {n for n in own.committed if n in state.members} <= set(own.revealed):
                phase = "revealed"
        case "assessment.national_level_told":
            own = replace(own, levels={**own.levels, s.author: (int(s.facts["level"]), int(s.facts["steps"]))})
        case "assessment.questionnaire_answered":
            told = (str(s.facts["value"]), str(s.facts.get("trend", "unknown")), s.at)
            own = replace(own, answers={**own.answers, (str(s.facts["question"]), s.author): told})
        case "assessment.dissent_recorded" | "assessment.joint_dissented":
            own = replace(own, dissents=(*own.dissents, entry.id))
        case "assessment.joint_proposed":
            own = replace(own, proposals=(*own.proposals, entry.id))
        case "assessment.reopened":
            own = _reopened(own)
        case "assessment.outcome_recorded":
            own = replace(own, outcome=str(s.facts.get("hypothesis", "")))
    return phase, own


def _reopened(own: AssessmentState) -> AssessmentState:
    """A new round begins blind. What was told stays told; a joint judgement of the old round is answered no more."""
    lapsed = {key: CYCLE.moved(i, "dropped") if i.sort == "joint" else i for key, i in own.items.items()}
    return replace(
        own,
        round=own.round + 1,
        earlier=(*own.earlier, own.revealed),
        committed={},
        revealed={},
        seen_by_first=frozenset(),
        proposals=(),
        items=lapsed,
    )


def _revealed(state: DossierState, own: AssessmentState, entry: Entry) -> AssessmentState:
    """A commitment that the first revelation had not seen may have been made in its knowledge: it is not blind."""
    s = entry.statement
    known = {e.id: e for e in state.entries}
    seen = own.seen_by_first or ancestors(entry.id, known)
    told = {k: s.facts.get(k) for k in ("likelihood", "percent", "confidence", "cells")}
    committed = own.committed[s.author][1]
    blind = committed in seen and not _had_read(state, own, s.author, ancestors(committed, known))
    return replace(own, seen_by_first=seen, revealed={**own.revealed, s.author: Told(entry.id, told, blind)})


def _had_read(state: DossierState, own: AssessmentState, who: NodeId, past: frozenset[EntryId]) -> bool:
    """Whether another's judgement of this round was readable to who committed after `past`.

    A judgement revealed too early changes nothing here, yet everybody can read it.
    """
    for entry in state.entries:
        s = entry.statement
        if entry.id not in past or s.type != "assessment.revealed" or s.author == who:
            continue
        if s.author in own.committed and _is_committed_to(state, own, s.author, s.facts):
            return True
    return False


def _is_committed_to(state: DossierState, own: AssessmentState, who: NodeId, facts: Facts) -> bool:
    """Whether these facts open its commitment of this round. An entry that does not count may hold any facts."""
    try:
        digest = commitment(state.id, who, own.round, str(facts.get("salt", "")), facts)
    except TansiqError:
        return False
    return digest == own.committed[who][0]


def duties(state: DossierState) -> tuple[Duty, ...]:
    """To judge, to reveal, to check what is watched, to answer a joint judgement, to record what came true."""
    own: AssessmentState | None = state.own
    if own is None or state.opener is None or state.opened_at is None or state.phase == "closed":
        return ()
    found = list(CYCLE.duties(state, own.items))
    opening = state.first.id
    if state.phase == "framing":
        found.append(
            Duty(state.id, state.opener, "assessment.open_judging", own.due_at, state.opened_at, _ICD, opening)
        )
    if state.phase == "judging":
        waiting = [n for n in state.members if n not in own.committed]
        if not own.revealed:
            found += [
                Duty(state.id, n, "assessment.judge", own.due_at, state.opened_at, _ICD, opening) for n in waiting
            ]
        # When all have committed, or the time is over, who committed reveals; until then `since` lies ahead.
        early = bool(waiting) and not own.revealed
        since = own.due_at if early and own.due_at else state.opened_at
        found += [
            Duty(state.id, n, "assessment.reveal", own.due_at, since, _ICD, opening, later=early)
            for n in own.committed
            if n not in own.revealed and n in state.members
        ]
        found += _calls(state, own, early)
    horizon = _instant(own.facts, "horizon_until")
    if state.phase == "revealed" and horizon is not None:
        found.append(
            Duty(state.id, state.opener, "assessment.record_outcome", horizon, horizon, _ICD, opening, later=True)
        )
    return tuple(found)


def _calls(state: DossierState, own: AssessmentState, waiting: bool) -> list[Duty]:
    """Where somebody has not judged in time, each service that said nothing since says that the time is over."""
    if not waiting or own.due_at is None:
        return []
    void = state.voided()
    spoke = {e.statement.author for e in state.entries if e.statement.at > own.due_at and e.id not in void}
    others = [n for n in state.members if n not in spoke and set(own.committed) - {n}]
    return [
        Duty(state.id, n, "assessment.call_time", None, own.due_at, _ICD, state.first.id, later=True) for n in others
    ]


def scores(own: AssessmentState) -> dict[str, float]:
    """Brier score of each service, and of the joint judgement under `joint`; empty while no outcome is known."""
    if own.outcome is None:
        return {}
    told: dict[str, Mapping[str, int]] = {str(n): t.judgement.get("percent") or {} for n, t in own.revealed.items()}
    joint = own.joint()
    if joint is not None:
        told["joint"] = joint.judgement.get("percent") or {}
    found = {who: brier(percent, own.outcome) for who, percent in told.items()}
    return {who: score for who, score in found.items() if score is not None}


def picture(states: Iterable[DossierState]) -> list[tuple[datetime, str, str, NodeId, str, str]]:
    """(when, region or crime area, question, service, value, trend), oldest first, over many assessments."""
    found = []
    for state in states:
        own: AssessmentState | None = state.own if state.kind == ASSESSMENT.name else None
        for about in (*own.facts.get("regions", ()), *own.facts.get("crime_areas", ())) if own else ():
            for (question, who), (value, trend, at) in (own.answers if own else {}).items():
                found.append((at, str(about), question, who, value, trend))
    return sorted(found)


def required(entry: Entry) -> tuple[str, ...]:
    return {
        "assessment.asked": ("question",),
        "assessment.hypothesis_proposed": ("hypothesis",),
        "assessment.indicator_set": ("indicator",),
        "assessment.joint_dissented": ("dissent",),
        "assessment.dissent_recorded": ("dissent",),
    }.get(entry.statement.type, ())


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Assessments made together, and how many came to a joint judgement or a known outcome."""
    own: AssessmentState | None = state.own
    if own is None or not window.holds(state.opened_at):
        return ()
    both = {window.me, window.other} <= set(own.revealed)
    found = [Figure("assessments"), *([Figure("assessments.judged_by_both")] * both)]
    found += [Figure("assessments.joint")] * (own.joint() is not None)
    found += [Figure("assessments.outcome_known")] * (own.outcome is not None)
    return tuple(found)


ASSESSMENT = Kind("assessment", ACTS, begin, check, step, duties, lambda _state, _me: (), required, figures)
