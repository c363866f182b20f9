"""Nouns of an exchange of expertise: the typed facts of its acts."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from tansiq.terms import CrimeArea

Form = Literal["training", "mission", "practice_note", "venue_inspection", "equipment", "advice"]
Topic = Literal[
    "event_security",
    "document_examination",
    "digital_forensics",
    "financial_investigation",
    "names_and_identity",
    "border_control",
    "crowd_management",
    "stadium_safety",
    "drone_defence",
    "explosives",
    "victim_care",
    "data_protection",
    "languages",
    "leadership",
    "other",
]

ANSWER = timedelta(days=30)
"""Proposal, no standard: the opener answers who takes up an offer or meets a wish."""
EFFECT = timedelta(days=180)
"""Proposal: half a year after it was held, its user tells what it changed."""


class Opened(msgspec.Struct, forbid_unknown_fields=True):
    """`expertise.opened`: an offer or a wish. The description is a part."""

    stance: Literal["offer", "wish"]
    form: Form
    topics: list[Topic]
    crime_areas: list[CrimeArea] = []
    languages: list[str] = []
    """ISO 639-1 codes in which it can be given or taken."""
    until: str = ""
    """The instant after which it is of no use; empty: open."""
    places: int = 0
    """How many may take part; 0: not limited or not said."""


class TakenUp(msgspec.Struct, forbid_unknown_fields=True):
    """`expertise.taken_up`: a partner wants the offer, or can meet the wish."""

    people: int = 0
    language: str = ""


class About(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to the take-up that `about` names."""

    about: str


class Agreed(msgspec.Struct, forbid_unknown_fields=True):
    """`expertise.agreed`: when it will be held."""

    about: str
    due: str


class Held(msgspec.Struct, forbid_unknown_fields=True):
    """`expertise.held`."""

    about: str
    people: int = 0


class Effect(msgspec.Struct, forbid_unknown_fields=True):
    """`expertise.effect_told`: what changed at its user."""

    about: str
    effect: Literal["procedure_changed", "equipment_acquired", "people_trained", "case_helped", "none", "too_early"]
    useful: Literal["yes", "partly", "no"]
