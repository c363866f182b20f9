"""What an event shows: safe capacities, risk levels side by side, until when its data may live."""

from __future__ import annotations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.face import Face, Groups, Line
from tansiq.kinds.major_event.checklist import CHECKLIST
from tansiq.kinds.major_event.rules import EventState, disagreements, safe_capacity
from tansiq.kinds.major_event.view import view
from tansiq.terms import EntryId, format_instant


def summary(state: DossierState) -> tuple[Line, ...]:
    own: EventState | None = state.own
    if own is None:
        return ()
    found = [Line("dies_at", (format_instant(own.dies_at),))]
    for venue in own.sort("venue"):
        safe = safe_capacity(venue)
        found.append(Line("safe_capacity", (str(safe) if safe is not None else "unknown",), venue.begun))
    apart = disagreements(own)
    for match, levels in own.levels.items():
        for node, level in sorted(levels.items()):
            found.append(Line("level", (str(node), str(level)), EntryId(match), odd=match in apart))
    found += [Line("ban", (), entry) for entry in own.bans]
    return tuple(found)


def offers(act: str, field: str, _countries: frozenset[str]) -> frozenset[str] | None:
    """The lines of the venue checklist."""
    return frozenset(CHECKLIST) if (act, field) == ("major_event.measure_set", "code") else None


def say(value: str, language: str) -> str:
    """A line of the checklist in words."""
    line = CHECKLIST.get(value)
    return line.text.get(language, "") if line else ""


PLACES = {
    "an event begins and ends": "window_until",
    "an event lies within ten years": "window_until",
    "a host is no member": "hosts",
    "{} is no instant": "kickoff",
    "host and visitors are members": "visitors",
    "host and visitor are two": "visitors",
    "the next number is {}": "number",
    "a host answers a delegation": "owner",
    "no line of the checklist": "code",
    "it names no {} of this dossier": "about",
}
"""Fault -> the fact to mend."""

_MORE = ("more", ("narrative", "note"))
_FOLLOWERS: Groups = (
    ("match", ("about",)),
    ("followers", ("risk", "non_risk", "followers")),
    ("tickets", ("tickets_allocated", "tickets_sold", "without_tickets")),
    ("travel", ("travel", "elements", "spotters")),
    _MORE,
)
FORMS: dict[str, Groups] = {
    "major_event.opened": (("what", ("form", "hosts")), ("when", ("window_from", "window_until")), _MORE),
    "major_event.venue_described": (
        ("what", ("venue", "owner", "certificate_until")),
        ("capacity", ("entry", "holding", "exit", "emergency")),
        ("people_there", ("zones", "contacts")),
        _MORE,
    ),
    "major_event.match_fixed": (
        ("match", ("home", "away", "kickoff")),
        ("who", ("host", "visitors")),
        ("where", ("venue", "expected")),
        _MORE,
    ),
    "major_event.team_dossier_sent": _FOLLOWERS,
    "major_event.team_dossier_updated": _FOLLOWERS,
    "major_event.team_dossier_finalised": _FOLLOWERS,
    "major_event.measure_set": (("measure", ("venue", "code")), ("who_when", ("owner", "body", "due"))),
    "major_event.delegation_declared": (
        ("who", ("owner", "leaders", "coordinators", "spotters", "liaison", "escorts", "press", "languages")),
        ("brings", ("uniform", "arms", "powers", "vehicles", "equipment")),
        _MORE,
    ),
    "major_event.information_asked": (
        ("question", ("question",)),
        ("who_when", ("owner", "due", "urgency", "match")),
        _MORE,
    ),
    "major_event.incident_reported": (
        ("incident", ("form", "severity", "narrative")),
        ("persons", ("injured", "arrests", "match")),
        ("more", ("note",)),
    ),
    "major_event.post_match_reported": (
        ("match", ("about", "cooperation")),
        ("counted", ("attendance", "incidents", "arrests", "ejections", "injured")),
        _MORE,
    ),
    "major_event.ban_told": (("scope", ("scope", "enforceable_abroad")), ("when", ("window_from", "window_until"))),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(
    summary,
    view,
    frozenset({"venue", "match", "team_dossier", "measure", "delegation", "shift", "question", "incident", "lesson"}),
    offers,
    say=say,
    places=PLACES,
    forms=FORMS,
)
