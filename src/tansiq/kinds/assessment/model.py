"""Nouns of an assessment: the typed facts of its acts, the scales, and the commitment to a judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from tansiq import crypto
from tansiq.terms import CrimeArea

LIKELIHOOD: dict[str, tuple[int, int]] = {
    "almost_no_chance": (1, 5),
    "very_unlikely": (5, 20),
    "unlikely": (20, 45),
    "roughly_even": (45, 55),
    "likely": (55, 80),
    "very_likely": (80, 95),
    "almost_certain": (95, 99),
}
"""ICD 203: the word and its range in per cent."""

Likelihood = Literal[
    "almost_no_chance", "very_unlikely", "unlikely", "roughly_even", "likely", "very_likely", "almost_certain"
]
Confidence = Literal["low", "moderate", "high"]
"""ICD 203 / JP 2-0: how good the ground is; another axis than likelihood."""
Cell = Literal["CC", "C", "N", "I", "II"]
"""ACH: very consistent ... very inconsistent; N: neutral or not applicable."""
Hypothesis = Annotated[str, msgspec.Meta(pattern="^H[1-9][0-9]?$")]
MaybeHypothesis = Annotated[str, msgspec.Meta(pattern="^(H[1-9][0-9]?)?$")]
Item = Annotated[str, msgspec.Meta(pattern="^E[1-9][0-9]{0,2}$")]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

INDICATORS: dict[str, tuple[str, ...]] = {
    "group": (
        "size_structure",
        "nationality_composition",
        "duration",
        "resources",
        "geographic_dimension",
        "poly_criminality",
        "roles",
        "modus_operandi",
        "cooperation",
        "legal_business_structures",
        "corruption",
        "money_laundering",
        "violence",
        "countermeasures",
        "infiltration",
        "digital_skills",
    ),
    "area": ("number_of_groups", "availability_of_resources", "social_tolerance", "demand_supply", "evolution"),
    "effect": ("financial", "social", "health", "environmental", "institutions"),
    "factor": ("geopolitical", "economic", "transport_logistics", "technology", "legislation", "social_factor"),
}
"""The questionnaire after the SOCTA methodology: indicators of groups, areas and effect, crime-relevant factors."""
QUESTIONS = frozenset(q for group in INDICATORS.values() for q in group)


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.asked`: the question is a part."""

    form: Literal["threat", "group", "region", "crime_area", "venue", "event"]
    due: str
    """When every service has judged."""
    crime_areas: list[CrimeArea] = []
    regions: list[Literal["sahel", "maghreb", "western_mediterranean", "iberia", "western_europe", "global"]] = []
    horizon_until: str = ""
    """Until when the judgement is meant to hold."""


class HypothesisProposed(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.hypothesis_proposed`: its words are a part."""

    label: Hypothesis


class EvidenceAdded(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.evidence_added`: with its native grade. An assumption, or what is strangely absent, counts too."""

    label: Item
    form: Literal["evidence", "assumption", "absence"] = "evidence"
    grade: str = "X4"
    scheme: Literal["4x4", "6x6", "5x5x5", "3x5x2"] = "4x4"


class JudgingOpened(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.judging_opened`: from now on hypotheses and evidence stand."""

    due: str = ""
    """Another end than the question named; it lies ahead. A new round always needs one when the first one's is over."""


class Committed(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.committed`: `commitment` of the judgement."""

    digest: Digest


class Revealed(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.revealed`: the judgement itself, and the salt under which it was committed to."""

    salt: Digest
    likelihood: dict[Hypothesis, Likelihood]
    percent: dict[Hypothesis, Percent]
    confidence: Confidence
    cells: dict[Item, dict[Hypothesis, Cell]] = {}


class JointProposed(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.joint_proposed`: what all might sign; it stands beside each service's own judgement."""

    likelihood: dict[Hypothesis, Likelihood]
    percent: dict[Hypothesis, Percent]
    confidence: Confidence


class About(msgspec.Struct, forbid_unknown_fields=True):
    """An act upon what `about` names."""

    about: str


class Dissent(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.dissent_recorded`: its words are a part."""

    about: str = ""


class LevelTold(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.national_level_told`: a service's own public or internal level, on its own scale."""

    level: Annotated[int, msgspec.Meta(ge=0, le=100)]
    steps: Annotated[int, msgspec.Meta(ge=1, le=100)]
    """How many steps that scale has."""


class IndicatorSet(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.indicator_set`: what is watched, by whom, how often; its words are a part."""

    owner: str
    every_days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    hypothesis: MaybeHypothesis = ""
    """Which hypothesis it speaks for; empty: none in particular."""


class IndicatorChecked(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.indicator_checked`."""

    about: str
    reading: Literal["no_activity", "watch", "present", "confirmed"]


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.questionnaire_answered`: one question of `INDICATORS`."""

    question: str
    value: Literal["nil", "low", "medium", "high", "unknown"]
    trend: Literal["up", "stable", "down", "unknown"] = "unknown"
    confidence: Confidence = "low"


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    """`assessment.outcome_recorded`: which hypothesis came true; empty: none of them."""

    hypothesis: MaybeHypothesis = ""


Judgement = Mapping[str, Any]
"""`likelihood`, `percent`, `confidence`, `cells` as in `Revealed`."""


def commitment(dossier: str, node: str, round_: int, salt: str, judgement: Judgement) -> str:
    """What a service commits to: the hash of its judgement, of where and by whom it is made, and of 32 secret bytes."""
    told = {k: judgement.get(k) for k in ("likelihood", "percent", "confidence")} | {
        "cells": judgement.get("cells") or {}
    }
    text = crypto.canonical({"dossier": dossier, "node": node, "round": round_, "salt": salt, **told})
    return crypto.sha256("tansiq.judgement.v1", text).hex()
