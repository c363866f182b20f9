"""What an event shows: safe capacities, risk levels side by side, until when its data may live."""

from __future__ import annotations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.face import Face, Line
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

FACE = Face(
    summary,
    view,
    frozenset({"venue", "match", "team_dossier", "measure", "delegation", "shift", "question", "incident", "lesson"}),
    offers,
    say=say,
    places=PLACES,
)
