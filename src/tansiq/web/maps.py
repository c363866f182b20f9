"""A plain map, laid out here: circles on a net of latitudes and longitudes, a coarse coast, a scale. Pure.

No tiles: nothing is fetched, and who sees the page's requests learns no place. A degree of longitude is as
wide as it is in the middle of the map, so a circle is round. North is up, on a page that runs from the right too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tansiq.web import coast

WIDTH, HEIGHT = 760, 380
MARGIN = 44
METRES_A_DEGREE = 111_195.0
LEAST_SPAN_M = 2_000.0
LEAST_RADIUS = 10.0
LEAST_COAST_M = 60_000.0
"""Of a view that is not so high the coast is too coarse: a place in a harbour would lie at sea."""
LETTER, LINE = 7.4, 16.0
"""The width of a letter and the height of a line of its words, at most."""
MOST_TOWNS, LONGEST = 12, 24
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0)
_SCALES_M = (
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
)


@dataclass(frozen=True)
class Place:
    """What is to be drawn: `side` a (ours) or b (a partner's, where it told it), `number` as in the table below."""

    number: int
    side: str
    latitude: float
    longitude: float
    radius_m: float
    conflict: bool = False
    name: str = ""
    """What stands beside it, where there is room; all of it stands in the table."""


@dataclass(frozen=True)
class Words:
    """A name on the map: the middle of its words, so that it is the same in either direction of writing."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Dot:
    """A town of the coarse map."""

    x: float
    y: float
    words: Words


@dataclass(frozen=True)
class Ring:
    place: Place
    x: float
    y: float
    r: float


@dataclass(frozen=True)
class NetLine:
    """One line of the net: its ends, and what it is called."""

    x1: float
    y1: float
    x2: float
    y2: float
    words: str
    upright: bool


@dataclass(frozen=True)
class PlainMap:
    rings: tuple[Ring, ...]
    net: tuple[NetLine, ...]
    scale_m: int
    scale_width: float
    lands: tuple[str, ...] = ()
    """Outlines as an SVG polygon has them; none where the view is too close or lies elsewhere."""
    towns: tuple[Dot, ...] = ()
    names: tuple[Words, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class _View:
    """From degrees to the drawing."""

    west: float
    north: float
    a_degree: float
    """Drawing units for a degree of latitude."""
    narrow: float
    """A degree of longitude over one of latitude."""

    def x(self, longitude: float) -> float:
        return round((longitude - self.west) * self.a_degree * self.narrow, 1)

    def y(self, latitude: float) -> float:
        return round((self.north - latitude) * self.a_degree, 1)


def lay_out(places: Sequence[Place], language: str = "en") -> PlainMap | None:
    """Everything in one view; None where there is nothing to show. `language`: in which the towns are named."""
    if not places:
        return None
    view = _view(places)
    rings = tuple(
        Ring(
            p,
            view.x(_near(p.longitude, places)),
            view.y(p.latitude),
            max(LEAST_RADIUS, round(p.radius_m / METRES_A_DEGREE * view.a_degree, 1)),
        )
        for p in places
    )
    metres = METRES_A_DEGREE / view.a_degree
    scale = max((s for s in _SCALES_M if s / metres <= WIDTH / 4), default=_SCALES_M[0])
    lands = _lands(view)
    room = _Room(rings)
    names = tuple(_named(rings, room))
    towns = tuple(_towns(view, language, room)) if lands else ()
    return PlainMap(rings, _net(view), scale, round(scale / metres, 1), lands, towns, names)


def _lands(view: _View) -> tuple[str, ...]:
    south, east = view.north - HEIGHT / view.a_degree, view.west + WIDTH / (view.a_degree * view.narrow)
    inside = coast.within(view.west, east, south, view.north)
    if not inside or HEIGHT / view.a_degree * METRES_A_DEGREE < LEAST_COAST_M:
        return ()
    found = (coast.clipped(ring, view.west, east, south, view.north) for ring in coast.LANDS)
    return tuple(" ".join(f"{view.x(x)},{view.y(y)}" for x, y in ring) for ring in found if ring)


class _Room:
    """What is taken on the map already; words go where nothing stands."""

    def __init__(self, rings: Sequence[Ring]) -> None:
        self._taken = [(r.x - MARK, r.y - MARK, r.x + MARK, r.y + MARK) for r in rings]
        self._taken.append((WIDTH - 24 - WIDTH / 4, 0.0, WIDTH, 30.0))  # of the scale

    def free(self, box: tuple[float, float, float, float]) -> bool:
        x1, y1, x2, y2 = box
        if x1 < 2 or y1 < 2 or x2 > WIDTH - 2 or y2 > HEIGHT - 18:
            return False
        return all(x2 <= a or x1 >= c or y2 <= b or y1 >= d for a, b, c, d in self._taken)

    def put(self, text: str, x: float, y: float, off: float) -> Words | None:
        """Beside the point, on either side, above or under it: the first place that is free."""
        half = len(text) * LETTER / 2
        for dx, dy in ((off + half, 0.0), (-off - half, 0.0), (0.0, -off - LINE / 2), (0.0, off + LINE / 2)):
            box = (x + dx - half, y + dy - LINE / 2, x + dx + half, y + dy + LINE / 2)
            if self.free(box):
                self._taken.append(box)
                return Words(text, round(x + dx, 1), round(y + dy + LINE / 4, 1))
        return None

    def take(self, x: float, y: float, size: float) -> bool:
        box = (x - size, y - size, x + size, y + size)
        if not self.free(box):
            return False
        self._taken.append(box)
        return True


MARK = 12.0
"""Half of the room of a number on the map."""


def _named(rings: Sequence[Ring], room: _Room) -> Iterator[Words]:
    for r in rings:
        text = r.place.name if len(r.place.name) <= LONGEST else f"{r.place.name[: LONGEST - 1]}…"
        words = room.put(text, r.x, r.y, max(MARK, r.r if r.r < HEIGHT / 4 else MARK) + 3) if text else None
        if words is not None:
            yield words


def _towns(view: _View, language: str, room: _Room) -> Iterator[Dot]:
    """Towns of the view, a dozen at most, each with its name or not at all."""
    shown = 0
    for town in coast.TOWNS:
        x, y = view.x(town.longitude), view.y(town.latitude)
        if shown == MOST_TOWNS or not room.take(x, y, 3.0):
            continue
        words = room.put(town.name(language), x, y, 6.0)
        if words is not None:
            shown += 1
            yield Dot(x, y, words)


def _near(longitude: float, places: Sequence[Place]) -> float:
    """The same meridian on the first place's side of the date line."""
    return places[0].longitude + (longitude - places[0].longitude + 180.0) % 360.0 - 180.0


def _view(places: Sequence[Place]) -> _View:
    reach = [max(p.radius_m, LEAST_SPAN_M / 2) / METRES_A_DEGREE for p in places]
    south = min(p.latitude - r for p, r in zip(places, reach, strict=True))
    north = max(p.latitude + r for p, r in zip(places, reach, strict=True))
    narrow = max(math.cos(math.radians((south + north) / 2)), 0.05)
    west = min(_near(p.longitude, places) - r / narrow for p, r in zip(places, reach, strict=True))
    east = max(_near(p.longitude, places) + r / narrow for p, r in zip(places, reach, strict=True))
    wide, high = (east - west) * narrow, north - south
    a_degree = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    return _View(
        (west + east) / 2 - WIDTH / 2 / (a_degree * narrow),
        (north + south) / 2 + HEIGHT / 2 / a_degree,
        a_degree,
        narrow,
    )


def _net(view: _View) -> tuple[NetLine, ...]:
    step = next((s for s in _STEPS if s * view.a_degree >= 60), _STEPS[-1])
    south, east = view.north - HEIGHT / view.a_degree, view.west + WIDTH / (view.a_degree * view.narrow)
    found = [
        NetLine(0, view.y(at), WIDTH, view.y(at), _words(at, "N", "S", step), upright=False)
        for at in _multiples(south, view.north, step)
        if abs(at) <= 90
    ]
    across = next((s for s in _STEPS if s * view.a_degree * view.narrow >= 90), _STEPS[-1])
    found += [
        NetLine(view.x(at), 0, view.x(at), HEIGHT, _words((at + 180.0) % 360.0 - 180.0, "E", "W", across), upright=True)
        for at in _multiples(view.west, east, across)
    ]
    return tuple(found)


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _words(degrees: float, plus: str, minus: str, step: float) -> str:
    """As many places as the step between two lines needs, so that all labels of a map have the same."""
    places = len(f"{step:.3f}".rstrip("0").partition(".")[2])
    return f"{abs(degrees):.{places}f}° {plus if degrees >= 0 else minus}"
