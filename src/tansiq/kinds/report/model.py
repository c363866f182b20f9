"""Nouns of a report: the typed facts of its acts. Facts are codes; people are in parts."""

from __future__ import annotations

from typing import Literal

import msgspec

from tansiq.terms import CrimeArea


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """`report.given`: what it is about, and how it is graded as a whole (Reg. 2016/794 art. 29)."""

    crime_areas: list[CrimeArea] = []
    grade: str = "X4"
    scheme: Literal["4x4", "6x6", "5x5x5", "3x5x2"] = "4x4"
    urgency: Literal["normal", "urgent"] = "normal"
    language: str = ""


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    """`report.closed`."""

    outcome: Literal["complete", "superseded", "withdrawn"] = "complete"
