"""Drawings of the Hit page, laid out here: who hangs together with whom, and when what was known. Pure.

Positions are computed, the same for everyone, and nothing moves by itself. Each drawing is a list as well: what a
reader of the screen gets says the same. Units are those of the drawing's own view box.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tansiq.dossiers.model import Entry
from tansiq.hits.model import Match

WIDTH, HEIGHT = 760, 360
MOST = 8
"""Satellites of one side; what is left out is counted and said."""
LETTERS = 22
LINE, LETTER, INWARD = 13, 7.6, 14
"""Letters of a line of a main name, the width of one, and how far the name reaches outwards, where the links run."""
WORDS_AT = 0.6
MIDDLE, REACH_X, REACH_Y = HEIGHT // 2, 165, 130
MAIN_A, MAIN_B = 255, 505
SHARED_Y = (70, 300, 120)
MOST_SHARED = len(SHARED_Y)
"""What both sides have stands between them."""
NUMBERS = ("phone", "number", "passportNumber", "idNumber", "registrationNumber", "email", "iban", "address")
NUMBER_KINDS = frozenset({*NUMBERS, "Phone", "Vehicle", "Document", "BankAccount"} - {"address"})
ARABIC = re.compile(r"([\u0621-\u064a]+)")
LRM = "\u200e"
"""After the letters of a plate: without it the digits that follow would change places with those before."""


@dataclass(frozen=True)
class Dot:
    """A record in the graph: a circle on side A, a rounded square on side B, a circle in ink where both have it."""

    key: str
    side: str
    main: bool
    kind: str
    """A schema, or for a number of ours its property."""
    words: str
    x: float
    y: float

    @property
    def below(self) -> bool:
        """Its label stands away from the middle, where the lines run."""
        return self.y >= MIDDLE

    @property
    def lines(self) -> tuple[str, ...]:
        """Its words; those of the two in question stand in two lines where they are long."""
        if not self.main or len(self.words) <= LINE or " " not in self.words:
            return (self.words,)
        middle = len(self.words) / 2
        at = min((n for n, c in enumerate(self.words) if c == " "), key=lambda n: abs(n - middle))
        return self.words[:at], self.words[at + 1 :]

    @property
    def words_x(self) -> float:
        """The middle of its words. Those of the two in question lean to each other, off the links on their outer side.

        An estimate of the width and a text set around its middle: so it is the same in either direction of writing."""
        if not self.main:
            return self.x
        lean = max(0.0, max(len(x) for x in self.lines) * LETTER / 2 - INWARD)
        return round(self.x + (lean if self.x < WIDTH / 2 else -lean), 1)

    @property
    def number(self) -> bool:
        """Written left to right on every page."""
        return self.kind in NUMBER_KINDS


@dataclass(frozen=True)
class Line:
    """What joins two of them; `how` is a link's code, a property, or `match` between the two in question."""

    start: Dot
    end: Dot
    how: str
    grade: str = ""

    @property
    def side(self) -> str:
        """Whose word it is: a line to what both have is that of its other end."""
        return self.end.side if self.start.side == "both" else self.start.side

    @property
    def x(self) -> float:
        """Where its word stands: away from the two in question, whose names lie under them."""
        return round(self._along(self.start.x, self.end.x), 1)

    @property
    def y(self) -> float:
        return round(self._along(self.start.y, self.end.y), 1)

    def _along(self, start: float, end: float) -> float:
        if self.start.main == self.end.main:
            return (start + end) / 2
        near, far = (start, end) if self.start.main else (end, start)
        return near + WORDS_AT * (far - near)


@dataclass(frozen=True)
class Graph:
    """Both records with what hangs on them."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    percent: int | None
    """None in a blind review."""
    left_out: int
    width: int = WIDTH
    height: int = HEIGHT


def shortened(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def of_match(match: Match, entry: Entry | None, *, blind: bool, mirrored: bool) -> Graph:
    """The two in question, other records of the report, numbers of our holding. `mirrored`: read from the right."""

    def dot(key: str, side: str, kind: str, words: str, x: float, y: float, *, main: bool = False) -> Dot:
        if kind in NUMBER_KINDS:
            words = ARABIC.sub(rf"\1{LRM}", words)
        return Dot(key, side, main, kind, shortened(words), round(WIDTH - x if mirrored else x, 1), round(y, 1))

    ours, theirs, shared = _apart(_numbers(match), _others(match, entry))
    a = dot("a", "a", match.incoming.schema, _title(match.incoming), MAIN_A, MIDDLE, main=True)
    b = dot("b", "b", match.holding.entity.schema, _title(match.holding.entity), MAIN_B, MIDDLE, main=True)
    dots = {match.incoming.id: a}
    for (ident, kind, words), (x, y) in zip(theirs[:MOST], _around(MAIN_A, -1, theirs), strict=False):
        dots[ident] = dot(ident, "a", kind, words, x, y)
    for n, (ident, kind, words, _) in enumerate(shared[:MOST_SHARED]):
        dots[ident] = dot(ident, "both", kind, words, WIDTH / 2, SHARED_Y[n])
    lines = [Line(a, b, "match")]
    lines += [
        Line(dots[start], dots[end], how, grade)
        for start, end, how, grade in _links(entry)
        if start in dots and end in dots
    ]
    mine = [
        dot(f"b{n}", "b", kind, words, x, y)
        for n, ((kind, words), (x, y)) in enumerate(zip(ours[:MOST], _around(MAIN_B, 1, ours), strict=False))
    ]
    lines += [Line(b, other, other.kind) for other in mine]
    lines += [Line(b, dots[ident], prop) for ident, _, _, prop in shared[:MOST_SHARED]]
    left_out = max(0, len(theirs) - MOST) + max(0, len(ours) - MOST) + max(0, len(shared) - MOST_SHARED)
    percent = None if blind else int(match.score * 100)
    return Graph((a, b, *(d for d in dots.values() if d is not a), *mine), tuple(lines), percent, left_out)


def _apart(
    ours: list[tuple[str, str]], theirs: list[tuple[str, str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    """Numbers of ours, records of theirs, and what is the very same number on both sides: that is drawn once."""
    held = {_plain(value): (prop, value) for prop, value in ours}
    shared = [
        (ident, kind, words, held[_plain(words)][0])
        for ident, kind, words in theirs
        if kind in NUMBER_KINDS and _plain(words) in held
    ]
    there, drawn = {_plain(words) for _, _, words, _ in shared}, {ident for ident, *_ in shared}
    return [x for x in ours if _plain(x[1]) not in there], [x for x in theirs if x[0] not in drawn], shared


def _plain(number: str) -> str:
    """Without what people put between digits: the drawing joins only what is written the same otherwise."""
    return "".join(c for c in number.upper() if c.isalnum())


def _around(centre: int, direction: int, found: list[Any]) -> Iterator[tuple[float, float]]:
    """Places on the outer half circle around a main record, from top to bottom."""
    count = min(len(found), MOST)
    for n in range(count):
        angle = math.pi * ((n + 0.5) / count - 0.5)
        yield centre + direction * REACH_X * math.cos(angle), MIDDLE + REACH_Y * math.sin(angle)


def _title(entity: Any) -> str:
    return str(next(iter(entity.names()), entity.claims[0].value if entity.claims else entity.id))


def _others(match: Match, entry: Entry | None) -> list[tuple[str, str, str]]:
    found = []
    for p in entry.parts if entry else ():
        if p.ref.kind == "entity" and p.content and p.ref.id != match.part:
            entity = p.content["entity"]
            first: dict[str, str] = next(iter(entity.get("claims", ())), {})
            found.append((str(entity["id"]), str(entity["schema"]), str(first.get("value", entity["id"]))))
    return found


def _links(entry: Entry | None) -> list[tuple[str, str, str, str]]:
    return [
        (str(c.get("from")), str(c.get("to")), str(c.get("type")), str(c.get("grade", "")))
        for p in (entry.parts if entry else ())
        if p.ref.kind == "link" and (c := p.content)
    ]


def _numbers(match: Match) -> list[tuple[str, str]]:
    entity = match.holding.entity
    shown = _title(entity)
    return [(c.property, c.value) for c in entity.claims if c.property in NUMBERS and c.value != shown]


@dataclass(frozen=True)
class Moment:
    """One day of one side; `words` are keys of what happened on it."""

    day: date
    side: str
    words: tuple[str, ...]
    x: float


@dataclass(frozen=True)
class Tick:
    """A day that the axis names."""

    day: str
    """A month (2026-11), or a day where the line is short."""
    x: float


@dataclass(frozen=True)
class Timeline:
    """A lane for each side, and one for what was done with the match; `today` has a line of its own."""

    moments: tuple[Moment, ...]
    first: date
    last: date
    ticks: tuple[Tick, ...]
    labelled: frozenset[tuple[date, str]]
    """Moments with room for their day beside them; all stand in the list."""
    today: float
    names: float
    """Where the lanes' names begin."""
    width: int = WIDTH


EDGE, NAMES = 60, 150
MOST_TICKS = 6
ROOM = 96
"""Between two days that are written out."""


def timeline(match: Match, entry: Entry | None, *, today: date, mirrored: bool) -> Timeline:
    """When each side knew what: the days of claims, of writing, of recording, of the match and of the decision."""
    days: dict[tuple[date, str], list[str]] = {}

    def note(at: object, side: str, words: str) -> None:
        if (day := _day(at)) is not None and words not in (kept := days.setdefault((day, side), [])):
            kept.append(words)

    for side, entity in (("a", match.incoming), ("b", match.holding.entity)):
        for claim in entity.claims:
            note(claim.as_of, side, "known")
    note(entry.statement.at if entry else None, "a", "written")
    note(match.holding.created_at, "b", "recorded")
    note(match.found_at, "both", "found")
    note(match.decided_at, "both", "decided")
    first, last = min(d for d, _ in days), max(d for d, _ in days)
    end = max(last, today)
    span = max((end - first).days, 1)

    def place(day: date) -> float:
        x = NAMES + (WIDTH - NAMES - EDGE) * ((day - first).days / span if end > first else 1.0)
        return round(WIDTH - x if mirrored else x, 1)

    moments = tuple(Moment(day, side, tuple(words), place(day)) for (day, side), words in sorted(days.items()))
    ticks = tuple(Tick(words, place(day)) for words, day in _ticks(first, end))
    names = float(WIDTH - 8 if mirrored else 8)
    return Timeline(moments, first, last, ticks, _with_room(moments), place(today), names)


def _ticks(first: date, end: date) -> list[tuple[str, date]]:
    """Firsts of months, not too many; of a short line its two ends."""
    months = []
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= end:
        if day >= first:
            months.append(day)
        year, month = year + month // 12, month % 12 + 1
    if len(months) < 2:
        return [(d.isoformat(), d) for d in sorted({first, end})]
    step = math.ceil(len(months) / MOST_TICKS)
    return [(f"{d:%Y-%m}", d) for d in months[::step]]


def _with_room(moments: tuple[Moment, ...]) -> frozenset[tuple[date, str]]:
    found, last = set(), dict[str, float]()
    for m in moments:
        if m.side not in last or abs(m.x - last[m.side]) >= ROOM:
            last[m.side] = m.x
            found.add((m.day, m.side))
    return frozenset(found)


def _day(value: object) -> date | None:
    """A whole day; partial dates have no place on a line."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None
