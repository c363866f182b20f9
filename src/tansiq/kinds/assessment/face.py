"""What an assessment shows: judgements side by side, what evidence tells apart, scores of a known outcome."""

from __future__ import annotations

from typing import Any

import msgspec

from tansiq.dossiers.model import DossierState
from tansiq.kinds.assessment.ach import diagnosticity, rank, sensitivity
from tansiq.kinds.assessment.model import QUESTIONS, Cell, Confidence, Hypothesis, Item, Likelihood, Percent
from tansiq.kinds.assessment.rules import AssessmentState, scores
from tansiq.kinds.assessment.sealed import commit_body, reveal_body
from tansiq.kinds.assessment.view import view
from tansiq.kinds.face import Chance, Face, Facts, Groups, Line, Made
from tansiq.terms import NodeId


class Judged(msgspec.Struct, forbid_unknown_fields=True):
    """What an officer writes: the judgement alone. Commitment and salt are the node's."""

    likelihood: dict[Hypothesis, Likelihood]
    percent: dict[Hypothesis, Percent]
    confidence: Confidence
    cells: dict[Item, dict[Hypothesis, Cell]] = {}


def _judged(state: DossierState, me: NodeId, facts: Facts, chance: Chance) -> dict[str, Any]:
    return commit_body(state, me, facts, chance(32).hex())


def _revealed(state: DossierState, me: NodeId, _facts: Facts, _chance: Chance) -> dict[str, Any]:
    return reveal_body(state, me)


def summary(state: DossierState) -> tuple[Line, ...]:
    own: AssessmentState | None = state.own
    if own is None:
        return ()
    found = [Line("hypotheses", (label,), entry) for label, entry in own.hypotheses.items()]
    found += [Line("evidence_items", (label, grade), entry) for label, (entry, grade, _s) in own.evidence.items()]
    found.append(Line("round", (str(own.round),)))
    if own.committed and state.phase == "judging":
        found.append(Line("committed_by", tuple(str(n) for n in own.committed)))
    for node, told in own.revealed.items():
        found += _judgement(own, str(node), told.judgement)
        if not told.blind:
            found.append(Line("not_blind", (str(node),), told.entry, odd=True))
    joint = own.joint()
    if joint is not None:
        found += _judgement(own, "joint", joint.judgement)
    found += [Line("level_told", (str(n), f"{level}/{steps}")) for n, (level, steps) in own.levels.items()]
    found += [Line("dissent", (), entry, odd=True) for entry in own.dissents]
    found += [Line("brier", (who, f"{score:.3f}")) for who, score in scores(own).items()]
    return tuple(found)


def _judgement(own: AssessmentState, who: str, judgement: Facts) -> list[Line]:
    """Likelihood and confidence stand apart: two lines, never one sentence (ICD 203)."""
    words, percent = judgement.get("likelihood") or {}, judgement.get("percent") or {}
    found = [Line("likelihood", (who, label, str(words[label]), f"{percent.get(label)} %")) for label in sorted(words)]
    found.append(Line("confidence", (who, str(judgement.get("confidence", "")))))
    cells = judgement.get("cells") or {}
    labels = tuple(sorted(own.hypotheses))
    if cells:
        ranking = rank(cells, labels, own.weights)
        found.append(Line("least_inconsistent", (who, *(f"{h} {ranking.inconsistency[h]}" for h in ranking.order))))
        telling = sorted(cells, key=lambda e: (-diagnosticity(cells[e], labels), e))
        found.append(Line("diagnosticity", (who, *(f"{e} {diagnosticity(cells[e], labels)}" for e in telling))))
        for item, leaders in sensitivity(cells, labels, own.weights).items():
            found.append(Line("rests_on", (who, item, *sorted(leaders))))
    return found


def offers(act: str, field: str, _countries: frozenset[str]) -> frozenset[str] | None:
    """The questions of the questionnaire."""
    return QUESTIONS if (act, field) == ("assessment.questionnaire_answered", "question") else None


def axes(state: DossierState, _act: str, field: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """A judgement speaks of every hypothesis; its matrix of every item of evidence under every hypothesis."""
    own: AssessmentState | None = state.own
    if own is None or field not in ("likelihood", "percent", "cells"):
        return ()
    hypotheses = tuple((label, str(entry)) for label, entry in own.hypotheses.items())
    if field != "cells":
        return (hypotheses,)
    return tuple((label, str(entry)) for label, (entry, _g, _s) in own.evidence.items()), hypotheses


PLACES = {
    "the time to judge ends after the question": "due",
    "the time to judge is over: name a later end": "due",
    "that label is taken": "label",
    "no question of the questionnaire": "question",
    "the level is beyond its scale": "level",
    "no such hypothesis": "hypothesis",
    "grade is not of its scheme": "grade",
    "every hypothesis is judged": "percent",
    "{}: the per cent and the word differ": "percent",
}
"""Fault -> the fact to mend."""

_MORE = ("more", ("narrative", "note"))
FORMS: dict[str, Groups] = {
    "assessment.asked": (
        ("question", ("question", "form")),
        ("when", ("due", "horizon_until")),
        ("scope", ("regions", "crime_areas")),
        _MORE,
    ),
    "assessment.evidence_added": (("what", ("label", "form", "evidence")), ("urgency", ("grade",)), _MORE),
    "assessment.committed": (
        ("how_likely", ("likelihood", "percent", "confidence")),
        ("fit", ("cells",)),
        ("more", ("note",)),
    ),
    "assessment.joint_proposed": (
        ("how_likely", ("likelihood", "percent", "confidence")),
        ("in_words", ("judgement", "note")),
    ),
    "assessment.indicator_set": (("watched", ("indicator", "hypothesis")), ("who_when", ("owner", "every_days"))),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(
    summary,
    view,
    frozenset({"joint", "indicator"}),
    offers,
    axes,
    made={"assessment.committed": Made(Judged, _judged), "assessment.revealed": Made(None, _revealed)},
    places=PLACES,
    forms=FORMS,
)
