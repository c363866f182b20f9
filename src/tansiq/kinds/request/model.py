"""Nouns of a request: the typed facts of its acts, and the clocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from tansiq.terms import CrimeArea, RefusalGround, UrgencyGround

CLOCKS: dict[str, timedelta] = {
    "urgent_direct": timedelta(hours=8),
    "urgent_indirect": timedelta(days=3),
    "other": timedelta(days=7),
}
"""Dir. (EU) 2023/977 art. 5(1), from receipt, calendar time."""


class Made(msgspec.Struct, forbid_unknown_fields=True):
    """`request.made`. The items of art. 4(5) are parts: `question`, `facts`, `availability`, `urgency_reasons`."""

    urgency: Literal["urgent", "normal"] = "normal"
    urgency_ground: UrgencyGround | None = None
    accessibility: Literal["direct", "indirect"] = "direct"
    crime_areas: list[CrimeArea] = []
    offence_max_penalty_months: int = 0
    about: str = ""
    """The entry of another dossier that it follows up, e.g. the report that led to a hit."""

    @property
    def clock(self) -> str:
        return f"urgent_{self.accessibility}" if self.urgency == "urgent" else "other"


class Received(msgspec.Struct, forbid_unknown_fields=True):
    """`request.received`: written by the addressee's node itself; the clock runs from it (art. 5(1))."""

    request: str


class ToLane(msgspec.Struct, forbid_unknown_fields=True):
    """An act of the requester towards one addressee."""

    lane: str


class Delayed(msgspec.Struct, forbid_unknown_fields=True):
    """`request.delay_announced` (art. 5(2)): only judicial authorisation moves the clock."""

    until: str
    reason: Literal["judicial_authorisation"]


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """`request.answered` and `request.partly_answered`."""

    result: Literal["provided", "nothing_held"] = "provided"
    grounds: list[RefusalGround] = []
    """For a partial answer: why the rest is refused (art. 6(2))."""


class RefusedFacts(msgspec.Struct, forbid_unknown_fields=True):
    """`request.refused` (art. 6(1)): at least one ground of the closed list."""

    grounds: list[RefusalGround]
