"""Private deconfliction: plans and targets as tokens that go through the same protocol as names and numbers.

A plan is a circle and a window (DOMAIN 5.6). The map is cut into rows of equal height and each row into cells at least
as wide; the clock into buckets. The holder lists every cell that its circle, grown by the margin, touches, in every
hour and every day of its window; the asker asks for every cell that its own circle touches, in the hours of a short
window or the days of a long one.

Guarantee: if two centres are no farther apart than the two radii and the margin, and the windows (grown by the time
margin) overlap, the two share a token. On the line between the centres there is a point within the asker's radius of
the one and within radius plus margin of the other; its cell is in both covers. The reverse does not hold: two plans
that share a token may be apart, and the exact test (`conflict_between`), bilaterally and with consent, tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tansiq.errors import Invalid
from tansiq.matching import MatchKey, asked_keys, held_keys
from tansiq.private.model import ConflictClass, Grid, Plan

EARTH_M = 6_371_008.8  # mean radius; the error of the sphere (0.6 %) is inside `_SLACK`
_SLACK = 1.01
MAX_TOKENS = 20_000
MAX_RADIUS_M = 50_000.0
MAX_WINDOW_MS = 366 * 24 * 3600 * 1000
_MINUTE_MS = 60_000


def require_plan(plan: Plan) -> Plan:
    """A plan that can be put on the map. Raises `Invalid("plan.*")` naming the field."""
    if not -90.0 <= plan.latitude <= 90.0:
        raise Invalid("plan.place", "a latitude is between -90 and 90", step="plan", field="latitude")
    if not -180.0 <= plan.longitude <= 180.0:
        raise Invalid("plan.place", "a longitude is between -180 and 180", step="plan", field="longitude")
    if not 0.0 <= plan.radius_m <= MAX_RADIUS_M:
        raise Invalid("plan.radius", "a radius is between 0 and 50,000 m", step="plan", field="radius_m")
    if not plan.begins_ms < plan.ends_ms <= plan.begins_ms + MAX_WINDOW_MS:
        raise Invalid("plan.window", "a window ends after it begins, and within a year", step="plan", field="ends_ms")
    return plan


def cells(latitude: float, longitude: float, radius_m: float, grid: Grid) -> set[str]:
    """Every cell that a circle touches, and a few of its corners more."""
    turn = radius_m * _SLACK / EARTH_M
    height = math.degrees(grid.cell_m / EARTH_M)
    south, north = latitude - math.degrees(turn), latitude + math.degrees(turn)
    wide = _wide(latitude, turn)
    last = math.ceil(180.0 / height) - 1
    found: set[str] = set()
    for row in range(max(_row(south, height), 0), min(_row(north, height), last) + 1):
        count = _columns(row, height, grid)
        if wide >= 180.0:
            columns: Iterable[int] = range(count)
        else:
            first, end = _column(longitude - wide, count), _column(longitude + wide, count)
            all_around = 2 * wide >= 360.0 * (count - 1) / count
            columns = range(count) if all_around else ((first + k) % count for k in range((end - first) % count + 1))
        for column in columns:
            found.add(f"{row}:{column}")
            if len(found) > MAX_TOKENS:
                raise Invalid("plan.radius", "this circle covers too much of the map", step="plan", field="radius_m")
    return found


def _wide(latitude: float, turn: float) -> float:
    """Half of the longitudes that a circle reaches, in degrees; all of them when it holds a pole."""
    across = math.cos(math.radians(latitude))
    return math.degrees(math.asin(min(math.sin(turn) / across, 1.0))) if across > math.sin(turn) else 180.0


def _row(latitude: float, height: float) -> int:
    return math.floor((latitude + 90.0) / height)


def _columns(row: int, height: float, grid: Grid) -> int:
    """Cells in a row: as many as are at least `cell_m` wide where the row is narrowest."""
    edge = max(abs(row * height - 90.0), abs((row + 1) * height - 90.0))
    around = 2 * math.pi * EARTH_M * math.cos(math.radians(min(edge, 90.0)))
    return max(1, int(around // grid.cell_m))


def _column(longitude: float, count: int) -> int:
    return math.floor((longitude + 180.0) % 360.0 / 360.0 * count) % count


def _buckets(plan: Plan, minutes: int, margin_minutes: int) -> range:
    size = minutes * _MINUTE_MS
    margin = margin_minutes * _MINUTE_MS
    return range((plan.begins_ms - margin) // size, (plan.ends_ms + margin - 1) // size + 1)


def _tokens(places: Iterable[str], hours: Iterable[int], kind: str) -> list[bytes]:
    found = [f"plan-{kind}\x1f{place}@{hour}".encode("ascii") for hour in hours for place in sorted(places)]
    if len(found) > MAX_TOKENS:
        raise Invalid(
            "plan.window", "this plan needs too many tokens: a smaller circle or a shorter window", step="plan"
        )
    return found


def held_tokens(plan: Plan, grid: Grid) -> list[bytes]:
    """What the holder lists for a plan: its circle grown by the margin, in hours and in days."""
    require_plan(plan)
    places = cells(plan.latitude, plan.longitude, plan.radius_m + grid.margin_m, grid)
    hours, days = (
        _buckets(plan, minutes, grid.time_margin_minutes) for minutes in (grid.bucket_minutes, grid.long_bucket_minutes)
    )
    return _tokens(places, hours, "hour") + _tokens(places, days, "day")


def planned_tokens(plan: Plan, grid: Grid) -> list[bytes]:
    """What the asker asks for a plan: by the hour, or by the day when the window is long."""
    require_plan(plan)
    places = cells(plan.latitude, plan.longitude, plan.radius_m, grid)
    minutes, kind = (grid.long_bucket_minutes, "day") if _is_long(plan, grid) else (grid.bucket_minutes, "hour")
    return _tokens(places, _buckets(plan, minutes, 0), kind)


def _is_long(plan: Plan, grid: Grid) -> bool:
    return plan.ends_ms - plan.begins_ms > grid.long_from_minutes * _MINUTE_MS


def target_tokens(target: Mapping[str, Any], *, held: bool) -> list[bytes]:
    """A target's identifiers and names as tokens of deconfliction, apart from those of the private check: a hit there
    must not be a hit here."""
    keys: list[MatchKey] = held_keys(target) if held else asked_keys(target)
    return [b"target-" + key.input for key in keys]


def distance_m(a: Plan, b: Plan) -> float:
    """Along the sphere (haversine)."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def near(a: Plan, b: Plan, grid: Grid) -> bool:
    """DOMAIN 5.6: no farther apart than the larger radius and the margin, in windows that overlap when padded."""
    margin = grid.time_margin_minutes * _MINUTE_MS
    overlap = a.begins_ms < b.ends_ms + margin and b.begins_ms < a.ends_ms + margin
    return overlap and distance_m(a, b) <= max(a.radius_m, b.radius_m) + grid.margin_m


def conflict_between(a: Plan | None, b: Plan | None, grid: Grid, *, same_target: bool) -> ConflictClass | None:
    """The class of a conflict after the exact test; None when two plans only shared a cell."""
    placed = a is not None and b is not None and near(a, b, grid)
    if placed and same_target:
        return ConflictClass.CRITICAL
    if placed:
        return ConflictClass.SPACE_TIME
    return ConflictClass.TARGET if same_target else None
