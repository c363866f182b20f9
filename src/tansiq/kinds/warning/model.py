"""Nouns of a warning: the typed facts of its acts, and the times to acknowledge."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from tansiq.terms import CrimeArea

Precedence = Literal["routine", "priority", "immediate", "flash"]

ACKNOWLEDGE: dict[str, timedelta] = {
    "flash": timedelta(minutes=30),
    "immediate": timedelta(hours=2),
    "priority": timedelta(hours=8),
    "routine": timedelta(days=3),
}
"""Proposal, no standard: a partner confirms that a person read the warning within this time of its issue."""

FEEDBACK = timedelta(days=30)
"""Proposal: after a stand-down the receiver tells what it did and what it saw (duty: Dec. 2008/615/JHA art. 32)."""

Outcome = Literal["prevented", "true", "false", "unknown"]


class Issued(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.issued`. Place, threat and target are parts; facts hold codes and times only."""

    precedence: Precedence = "routine"
    crime_areas: list[CrimeArea] = []
    grade: str = "X4"
    scheme: Literal["4x4", "6x6", "5x5x5", "3x5x2"] = "4x4"
    target: Literal["person", "crowd", "building", "transport", "event", "infrastructure", "other", "unknown"] = (
        "unknown"
    )
    country: str = ""
    """Where it may happen: ISO 3166-1 alpha-2; empty while unknown."""
    window_from: str = ""
    window_until: str = ""
    """The window in which it may happen, as instants; empty while unknown."""


class Updated(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.updated`: replaces what it names; the new text is a part."""

    precedence: Precedence = "routine"
    window_from: str = ""
    window_until: str = ""
    grade: str = ""


class Acknowledged(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.acknowledged`: `about` is the issue or the update that was read."""

    about: str


class Measured(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.measure_taken`."""

    measure: Literal["patrol", "protection", "search", "closure", "interview", "surveillance", "information", "other"]
    state: Literal["planned", "running", "done"] = "done"


class StoodDown(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.stood_down`."""

    reason: Literal["window_passed", "threat_ended", "unfounded", "merged"]


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.feedback_given`: `about` is the stand-down."""

    about: str
    outcome: Outcome
    used: bool
    """Whether the receiver acted upon the warning."""


class Ended(msgspec.Struct, forbid_unknown_fields=True):
    """`warning.outcome_recorded`."""

    outcome: Outcome
