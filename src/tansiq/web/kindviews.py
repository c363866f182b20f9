"""The view that a kind gives of itself, on its dossier's page: its template, its words, and where its drawings go.

No kind is known by name here: `kinds/<kind>/view.py` says what, a template of `templates/kinds/` draws it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from tansiq.dossiers.model import DossierState
from tansiq.kinds import LANGUAGES, face_of, words_of
from tansiq.private import Meeting, MeetingState
from tansiq.web.problems import places_of
from tansiq.web.visit import Visit

log = structlog.get_logger()

PLANS = "plans.list"
"""What the ledger calls the list of plans."""
WIDTH, EDGE = 720, 12
"""Of a line of time, in units of its drawing."""


def shown(visit: Visit, state: DossierState) -> dict[str, Any]:
    """What the page needs to draw the kind's view; no view: it shows the summary and all tables."""
    face, at = face_of(state.kind), LANGUAGES.index(visit.tongue.code)
    view = _view(state, visit.now) if state.own is not None else None
    words = words_of(state.kind)["view"]

    def say(code: str) -> str:
        # A word that is missing is an error of ours: a page never shows half of what it should.
        return words[code][at]

    return {
        "view": view,
        "view_page": f"kinds/{state.kind}.html",
        "shows": face.shows if view is not None else frozenset(),
        "w": say,
        "kind_says": lambda value: face.say(str(value), visit.tongue.code),
        "overlaps": lambda: overlaps(visit, state),
        "line_of_time": lambda *marks: line_of_time(marks, mirrored=visit.tongue.direction == "rtl"),
    }


def overlaps(visit: Visit, state: DossierState) -> list[Meeting]:
    """Conflicts of our plans with those of members: what the page of plans shows this officer, and no more."""
    found = visit.node.plans.meetings(visit.acting("", PLANS))
    return [m for m in found if m.state is MeetingState.CONFLICT and m.partner in state.members]


def _view(state: DossierState, now: datetime) -> Any:
    """A view is drawn from what partners wrote: where it raises, the page does without. It is never worth the page."""
    try:
        return face_of(state.kind).view(state, now)
    except Exception as exc:  # noqa: BLE001 # whatever it is, the tables below say the same
        leave_out(state.kind, exc)
        return None


def leave_out(kind: str, exc: Exception) -> dict[str, Any]:
    """What the page needs when it shows no view because of a fault, which the log tells; never what was written."""
    log.error("view left out", of=kind, kind=type(exc).__name__, at=places_of(exc))
    return {"view": None, "shows": frozenset()}


@dataclass(frozen=True)
class Spot:
    """A point of time, or a period (`width`), on a line: where it stands, and what it is called."""

    words: str
    at: datetime
    x: float
    width: float
    kind: str
    row: int
    """Of its word: words that would run into one another stand under one another."""
    words_x: float
    anchor: str


@dataclass(frozen=True)
class LineOfTime:
    spots: tuple[Spot, ...]
    rows: int
    width: int = WIDTH


Marked = tuple[str, str, datetime | None, datetime | None]
"""(kind, what it is called, when, until when where it is a period)."""
LETTER = 7.2
"""The width of a letter of its words, at most."""


def line_of_time(marks: Iterable[Marked], *, mirrored: bool) -> LineOfTime | None:
    """The marks that have an instant, in their order along one line; None where there are fewer than two instants."""
    told = [(kind, words, at, until) for kind, words, at, until in marks if at is not None]
    instants = sorted({x for _k, _w, at, until in told for x in (at, until) if x is not None})
    if len(instants) < 2:
        return None
    first, span = instants[0], (instants[-1] - instants[0]).total_seconds()

    def place(at: datetime) -> float:
        x = EDGE + (WIDTH - 2 * EDGE) * (at - first).total_seconds() / span
        return round(WIDTH - x if mirrored else x, 1)

    spots: list[Spot] = []
    for kind, words, at, until in sorted(told, key=lambda m: m[2]):
        x = min(place(at), place(until)) if until else place(at)
        width = abs(place(until) - place(at)) if until else 0.0
        begins = place(at)
        anchor = "start" if begins < WIDTH / 3 else "end" if begins > 2 * WIDTH / 3 else "middle"
        spots.append(Spot(words, at, x, round(width, 1), kind, 0, begins, anchor))
    rowed = _in_rows(spots)
    return LineOfTime(tuple(rowed), 1 + max(s.row for s in rowed))


def _reach(spot: Spot) -> tuple[float, float]:
    size = len(spot.words) * LETTER
    start = {"start": spot.words_x, "middle": spot.words_x - size / 2, "end": spot.words_x - size}[spot.anchor]
    return start, start + size


def _in_rows(spots: list[Spot]) -> list[Spot]:
    """Each word in the first row where it runs into none that stands there."""
    rows: list[list[tuple[float, float]]] = []
    found = []
    for spot in spots:
        start, end = _reach(spot)
        free = (n for n, row in enumerate(rows) if all(end < s or start > e for s, e in row))
        row = next(free, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append((start, end))
        found.append(replace(spot, row=row))
    return found
