"""Nouns of a major event: the typed facts of its acts, and its times."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

BEFORE_MATCH = timedelta(days=14)
BEFORE_TOURNAMENT = timedelta(days=56)
"""Football handbook (2016/C 444/01): the advance risk analysis, two weeks before a match, eight before a tournament."""
AFTER_MATCH_WORKING_DAYS = 5
"""Both sides report within five working days."""
KEPT_AT_MOST = timedelta(days=365)
"""Dec. 2008/615/JHA art. 14(2): personal data supplied for a major event."""
ANSWER_DELEGATION = timedelta(days=7)
CHECK = timedelta(hours=24)
"""Proposals, no standard: the host's answer to a delegation, and a question for information without another time."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Team = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
"""The association's three letters."""
Level = Annotated[int, msgspec.Meta(ge=1, le=4)]
"""1 low, 2 medium, 3 high, 4 very high (ours)."""


class Opened(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.opened`: its name is a part."""

    form: Literal["tournament", "match", "other_event"]
    window_from: str
    window_until: str
    """From when until when it lasts; every date of erasure hangs on its end."""
    hosts: Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]
    """Members that host it."""


class Venue(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.venue_described`: name, zones and the operation centre's contacts are parts."""

    owner: str
    """The member whose venue it is."""
    entry: Count = 0
    holding: Count = 0
    exit: Count = 0
    emergency: Count = 0
    """The four capacities, in persons; the lowest is the safe one. 0: not yet known."""
    certificate_until: str = ""


class Site(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.site_described`: where else people gather or pass; its name and place are parts."""

    form: Literal["fan_zone", "hotel", "base_camp", "station", "airport", "port", "border_crossing", "route", "other"]
    expected: Count = 0


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.match_fixed`."""

    home: Team
    away: Team
    kickoff: str
    host: str
    """The member on whose soil it is played."""
    visitors: Annotated[list[str], msgspec.Meta(min_length=1, max_length=8)]
    """The members whose team or followers come: each owes a dossier."""
    venue: str = ""
    expected: Count = 0


class TeamDossier(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.team_dossier_sent`, `_updated`, `_finalised`: numbers are facts, all else graded parts."""

    about: str
    risk: Count = 0
    non_risk: Count = 0
    tickets_allocated: Count = 0
    tickets_sold: Count = 0
    without_tickets: Count = 0
    travel: list[Literal["air", "sea", "rail", "coach", "car", "on_foot"]] = []
    elements: list[
        Literal[
            "rivalry",
            "violence_expected",
            "racist_behaviour",
            "away_in_home_sectors",
            "pitch_invasion",
            "alcohol",
            "weapons",
            "knows_police_tactics",
            "pyrotechnics",
            "travels_without_tickets",
            "touts",
            "banners",
            "other",
        ]
    ] = []
    """The handbook's risk elements that the author sees."""
    spotters: Count = 0
    """Spotters that the visiting service offers."""


class RiskAssessed(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.risk_assessed`: of a match, by a host or a visitor; the reasons are a part."""

    match: str
    level: Level


class MeasureSet(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.measure_set`: a line of the checklist, for a venue."""

    venue: str
    code: str
    owner: str
    body: Literal[
        "", "stadium_owner", "organiser", "national_association", "confederation", "public_authorities", "other"
    ] = ""
    """Empty: the checklist's own."""
    due: str = ""


class About(msgspec.Struct, forbid_unknown_fields=True):
    """An act upon what `about` names."""

    about: str


class Delegation(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.delegation_declared`: who comes is a part. `owner` is the host that answers."""

    owner: str
    leaders: Count = 0
    coordinators: Count = 0
    spotters: Count = 0
    liaison: Count = 0
    escorts: Count = 0
    press: Count = 0
    arms: bool = False
    uniform: bool = False
    vehicles: Count = 0
    powers: bool = False
    """Whether executive powers are asked for; without them it observes and advises."""
    languages: list[str] = []


class Shift(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.shift_opened`: at the centre or a national desk."""

    desk: Literal[
        "command",
        "national",
        "situation",
        "analysis",
        "europol",
        "interpol",
        "border_transport",
        "organiser",
        "media",
        "it",
        "logistics",
    ]
    until: str
    people: Count = 0


class Logged(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.logged`: a line of the journal; the words are a part."""

    layer: Literal["strategic", "operational", "tactical"] = "operational"
    match: str = ""


class Situation(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.situation_reported`: numbered by each service, without a gap."""

    number: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    match: str = ""
    present: Count = 0


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.information_asked`: of one member."""

    owner: str
    due: str = ""
    urgency: Literal["normal", "urgent"] = "normal"
    match: str = ""


class Incident(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.incident_reported`: what happened is a part."""

    form: Literal[
        "violence",
        "pitch_invasion",
        "pyrotechnics",
        "discrimination",
        "crowd_pressure",
        "medical",
        "fire",
        "drone",
        "suspicious_object",
        "ticket_fraud",
        "infrastructure",
        "other",
    ]
    severity: Level
    match: str = ""
    injured: Count = 0
    arrests: Count = 0


class PostMatch(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.post_match_reported`: by each side."""

    about: str
    """The match."""
    attendance: Count = 0
    incidents: Count = 0
    arrests: Count = 0
    ejections: Count = 0
    injured: Count = 0
    cooperation: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    """1 poor ... 5 excellent."""


class Lesson(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.lesson_drawn`: the words are a part."""

    match: str = ""
    committee: str = ""
    """The committee's dossier that took it up as a recommendation; empty: none yet."""


class LessonTaken(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.lesson_taken_up`: by the committee's dossier."""

    about: str
    committee: str


class Ban(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.ban_told`: who is banned is an entity part."""

    scope: Literal["club", "national", "travel"]
    window_from: str
    window_until: str
    enforceable_abroad: bool = False


class Erased(msgspec.Struct, forbid_unknown_fields=True):
    """`major_event.erased`: how many parts this node erased when the event's data died, with the proof.

    The node writes it.
    """

    parts: Count
    leaf: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    proof: Annotated[str, msgspec.Meta(min_length=1)]
    """Inclusion proof of the ledger's leaf with its signed checkpoint, as text (`tansiq ledger verify`)."""
