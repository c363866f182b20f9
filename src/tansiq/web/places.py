"""Places of the Hit page: records of both sides that have coordinates, on one map, with how near they come. Pure.

A place meets one of the other side where their circles touch: what a value's precision leaves open is its circle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tansiq.bank.model import Claim, Entity
from tansiq.dossiers.model import Entry
from tansiq.hits.model import Match
from tansiq.web import maps

MOST = 12
"""Of one side; what is left out is counted and said."""
AS_WRITTEN_M = 50.0
"""How far a coordinate without a precision is believed."""
EARTH_M = 6_371_000.0
NAMED = ("name", "full", "address", "city")


@dataclass(frozen=True)
class Spot:
    """One place: `metres` to the nearest of the other side, None where that has none; `meets`: the circles touch."""

    number: int
    side: str
    schema: str
    name: str
    lang: str
    latitude: float
    longitude: float
    radius_m: float
    as_of: str
    metres: float | None = None
    meets: bool = False

    @property
    def where(self) -> str:
        """The coordinates, as one reads them out."""
        north, east = "N" if self.latitude >= 0 else "S", "E" if self.longitude >= 0 else "W"
        return f"{abs(self.latitude):.4f}° {north} {abs(self.longitude):.4f}° {east}"


@dataclass(frozen=True)
class Places:
    spots: tuple[Spot, ...]
    map: maps.PlainMap
    left_out: int

    @property
    def dated(self) -> int:
        return sum(bool(s.as_of) for s in self.spots)


def of_match(match: Match, theirs: Entry | None, ours: Entry | None, language: str = "en") -> Places | None:
    """`theirs`: the entry of the incoming record; `ours`: that of our holding, where it came from a dossier."""
    sides = {"a": list(_spots("a", match.incoming, theirs)), "b": list(_spots("b", match.holding.entity, ours))}
    found = [s for side in ("a", "b") for s in sides[side][:MOST]]
    left_out = sum(max(0, len(x) - MOST) for x in sides.values())
    told = tuple(_near(replace(s, number=n), found) for n, s in enumerate(found, 1))
    drawn = maps.lay_out(
        [maps.Place(s.number, s.side, s.latitude, s.longitude, s.radius_m, name=s.name) for s in told], language
    )
    return Places(told, drawn, left_out) if drawn else None


def _spots(side: str, main: Entity, entry: Entry | None) -> Iterator[Spot]:
    """Each place once: the record in question stands among the parts of its entry as well."""
    seen = set[tuple[float, float, str]]()
    for claims, schema in [(main.claims, main.schema), *_records(entry)]:
        spot = _spot(side, claims, schema)
        if spot is not None and (key := (spot.latitude, spot.longitude, spot.name)) not in seen:
            seen.add(key)
            yield spot


def _records(entry: Entry | None) -> Iterable[tuple[tuple[Claim, ...], str]]:
    for p in entry.parts if entry else ():
        if p.ref.kind == "entity" and p.content:
            record: Any = p.content["entity"]
            claims = tuple(
                Claim(
                    str(c.get("property", "")),
                    str(c.get("value", "")),
                    lang=str(c.get("lang", "")),
                    as_of=str(c.get("as_of", "")),
                    precision=str(c.get("precision", "")),
                )
                for c in record.get("claims", ())
            )
            yield claims, str(record.get("schema", ""))


def _spot(side: str, claims: Iterable[Claim], schema: str) -> Spot | None:
    first: dict[str, Claim] = {}
    for claim in claims:
        first.setdefault(claim.property, claim)
    if "latitude" not in first or "longitude" not in first:
        return None
    latitude, longitude = _degrees(first["latitude"], 90), _degrees(first["longitude"], 180)
    if latitude is None or longitude is None:
        return None
    radii = [float(c.precision) for c in (first["latitude"], first["longitude"]) if c.precision.isdigit()]
    named = next((first[n] for n in NAMED if n in first), None)
    return Spot(
        0,
        side,
        schema,
        named.value if named else "",
        named.lang if named else "",
        latitude,
        longitude,
        max(radii, default=AS_WRITTEN_M),
        str(first["latitude"].as_of or ""),
    )


def _degrees(claim: Claim, most: int) -> float | None:
    """What a partner wrote may be anything; what is no place on the earth is not drawn."""
    try:
        value = float(claim.value)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= most else None


def _near(spot: Spot, every: Iterable[Spot]) -> Spot:
    others = [(distance_m(spot, o), o) for o in every if o.side != spot.side]
    if not others:
        return spot
    metres = min(m for m, _ in others)
    return replace(spot, metres=metres, meets=any(m <= spot.radius_m + o.radius_m for m, o in others))


def distance_m(one: Spot, other: Spot) -> float:
    """Along the surface of a round earth: right to half a per cent."""
    y1, y2 = math.radians(one.latitude), math.radians(other.latitude)
    half_y, half_x = (y2 - y1) / 2, math.radians(other.longitude - one.longitude) / 2
    chord = math.sin(half_y) ** 2 + math.cos(y1) * math.cos(y2) * math.sin(half_x) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(chord)))
