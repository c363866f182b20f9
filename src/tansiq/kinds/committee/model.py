"""Nouns of a committee: the typed facts of its acts, and the limits of the follow-up."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Finding = Literal["best_practice", "improvement_necessary", "non_compliant", "serious_deficiency"]
"""Reg. (EU) 2022/922."""

LIMITS: dict[str, dict[str, tuple[int, int]]] = {
    "ordinary": {
        "comments": (0, 14),
        "plan": (2, 0),
        "review": (1, 0),
        "revision": (1, 0),
        "progress": (6, 0),
        "closure": (1, 0),
    },
    "serious": {
        "comments": (0, 14),
        "plan": (1, 0),
        "review": (0, 14),
        "revision": (0, 14),
        "progress": (6, 0),
        "closure": (1, 0),
        "revisit": (12, 0),
    },
}
"""(months, days) for each step: Reg. (EU) 2022/922's ordinary track and that of a serious deficiency, whose ten working
days for comments are taken as 14. The month to sign a closure is ours: the regulation asks for an explicit decision and
sets it no time."""

MINUTES_DAYS = 30
"""Proposal, no standard: minutes are written within 30 days of the meeting, and approved within 30 of being written."""

MOST_SHOWN = 1_000_000_000


class Established(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.established`: a joint committee or a permanent group of the dossier's members."""

    form: Literal["joint_committee", "permanent_group", "working_group", "directors_meeting"]
    meetings_a_year: Annotated[int, msgspec.Meta(ge=0, le=366)] = 1
    languages: list[str] = []
    """ISO 639-1: the languages in which minutes are written."""
    chair: Literal["host", "rotating", "co_chairs"] = "host"


class MeetingCalled(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.meeting_called`: the agenda is a part; `owner` is who hosts and minutes it (empty: who calls it)."""

    due: str
    """The instant at which it begins."""
    owner: str = ""
    country: str = ""
    number: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0


class About(msgspec.Struct, forbid_unknown_fields=True):
    """An act upon the meeting, minutes or recommendation that `about` names."""

    about: str


class MeetingHeld(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.meeting_held`: how many attended from each side; who they were is a part."""

    about: str
    attendance: dict[str, Annotated[int, msgspec.Meta(ge=0, le=10_000)]] = {}


class MinutesWritten(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.minutes_written`: one language version of a meeting's minutes; the text is a part."""

    meeting: str
    language: str
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the text's bytes in UTF-8: what the sides approve."""
    authentic: bool = False
    """Whether this version decides where versions differ; when none does, all are authentic."""


class MinutesAnswered(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.minutes_approved` and `committee.minutes_contested`: the side names the text that it read."""

    about: str
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Recommended(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.recommended`: the text and the criterion of success are parts, per language."""

    owner: str
    """The member that carries it out."""
    finding: Finding = "improvement_necessary"
    priority: Literal["low", "medium", "high"] = "medium"
    until: str = ""
    """When it should be carried out, as agreed; empty: no date."""
    meeting: str = ""
    origin: str = ""
    """The dossier or entry that it comes from, e.g. a lesson of a match."""


class ProgressReported(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.progress_reported`."""

    about: str
    status: Literal["in_progress", "partly", "not_implemented"]
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class Visited(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.visited`: what another side saw when it came to look; within a year of a serious deficiency."""

    about: str
    status: Literal["implemented", "partly", "not_implemented"]


class Superseded(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.recommendation_superseded`: by another recommendation of this committee."""

    about: str
    origin: str = ""


class ScorecardGiven(msgspec.Struct, forbid_unknown_fields=True):
    """`committee.scorecard_given`: one side's figures about its work with another, from its own dossiers."""

    member: str
    """The other side that the figures are about."""
    window_from: str
    window_until: str
    figures: dict[str, Annotated[int, msgspec.Meta(ge=-1, le=MOST_SHOWN)]]
    """Indicator -> whole number (counts, seconds, or thousandths of a share); -1: no case to count."""
