"""A plain map, laid out here: circles of plans on a net of latitudes and longitudes, with a scale. Pure.

No tiles and no coast: nothing is fetched, and who sees the page's requests learns no place. A degree of longitude is as
wide as it is in the middle of the map, so a circle is round. North is up, on a page that runs from the right too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 380
MARGIN = 44
METRES_A_DEGREE = 111_195.0
LEAST_SPAN_M = 2_000.0
LEAST_RADIUS = 10.0
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


def lay_out(places: Sequence[Place]) -> PlainMap | None:
    """Everything in one view; None where there is nothing to show."""
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
    return PlainMap(rings, _net(view), scale, round(scale / metres, 1))


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
