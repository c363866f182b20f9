"""Laws of private deconfliction: what is near in place and time always shares a token, at any latitude."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tansiq.errors import Invalid
from tansiq.private.grid import EARTH_M, conflict_between, distance_m, held_tokens, near, planned_tokens, target_tokens
from tansiq.private.model import ConflictClass, Grid, Plan

GRID = Grid()
HOUR = 3_600_000
START = 1_793_000_000_000


def moved(plan: Plan, bearing: float, metres: float) -> tuple[float, float]:
    """The point so far away in that direction (spherical direct problem)."""
    turn, lat, lon = metres / EARTH_M, math.radians(plan.latitude), math.radians(plan.longitude)
    there = math.asin(math.sin(lat) * math.cos(turn) + math.cos(lat) * math.sin(turn) * math.cos(bearing))
    across = math.atan2(
        math.sin(bearing) * math.sin(turn) * math.cos(lat), math.cos(turn) - math.sin(lat) * math.sin(there)
    )
    return math.degrees(there), (math.degrees(lon + across) + 180.0) % 360.0 - 180.0


plans = st.builds(
    Plan,
    latitude=st.floats(-89.9, 89.9) | st.sampled_from([0.0, 33.97, -89.0, 60.0]),
    longitude=st.floats(-180.0, 180.0) | st.sampled_from([-180.0, 180.0, 179.9999, 0.0]),
    radius_m=st.floats(0.0, 1500.0),
    begins_ms=st.integers(START, START + 400 * HOUR),
    ends_ms=st.just(0),
).flatmap(
    lambda p: st.integers(1, 100 * HOUR).map(
        lambda length: Plan(p.latitude, p.longitude, p.radius_m, p.begins_ms, p.begins_ms + length)
    )
)


@settings(max_examples=150, deadline=None)
@given(
    plans,
    st.floats(0.0, 2 * math.pi),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1500.0),
    st.integers(-60, 60),
    st.integers(1, 90),
)
def test_two_plans_within_radii_and_margin_at_the_same_time_share_a_token_either_way(
    a: Plan, bearing: float, share: float, radius: float, later: int, hours: int
) -> None:
    far = share * (a.radius_m + radius + GRID.margin_m)
    latitude, longitude = moved(a, bearing, far)
    begins = a.begins_ms + later * HOUR // 2
    b = Plan(latitude, longitude, radius, begins, begins + hours * HOUR)
    margin = GRID.time_margin_minutes * 60_000
    assume(a.begins_ms < b.ends_ms + margin and b.begins_ms < a.ends_ms + margin)
    assert set(planned_tokens(a, GRID)) & set(held_tokens(b, GRID))
    assert set(planned_tokens(b, GRID)) & set(held_tokens(a, GRID))


@settings(max_examples=100, deadline=None)
@given(plans, plans)
def test_what_shares_no_token_is_not_near(a: Plan, b: Plan) -> None:
    if not set(planned_tokens(a, GRID)) & set(held_tokens(b, GRID)):
        assert not near(a, b, GRID)


RABAT = Plan(34.0209, -6.8416, 300.0, START, START + 4 * HOUR)


def plan(latitude: float = 34.0209, longitude: float = -6.8416, radius: float = 300.0, begins: int = START) -> Plan:
    return Plan(latitude, longitude, radius, begins, begins + 4 * HOUR)


def test_the_exact_test_drops_what_only_shared_a_cell() -> None:
    close, apart = plan(34.0239), plan(34.0335)
    assert distance_m(RABAT, close) == pytest.approx(333.6, abs=1)
    assert set(planned_tokens(apart, GRID)) & set(held_tokens(RABAT, GRID))
    assert conflict_between(RABAT, close, GRID, same_target=False) is ConflictClass.SPACE_TIME
    assert conflict_between(RABAT, apart, GRID, same_target=False) is None
    assert conflict_between(RABAT, apart, GRID, same_target=True) is ConflictClass.TARGET
    assert conflict_between(RABAT, close, GRID, same_target=True) is ConflictClass.CRITICAL
    assert conflict_between(None, close, GRID, same_target=True) is ConflictClass.TARGET


def test_another_hour_or_another_town_shares_nothing() -> None:
    held = set(held_tokens(RABAT, GRID))
    assert not held & set(planned_tokens(plan(begins=START + 6 * HOUR), GRID))
    assert not held & set(planned_tokens(plan(33.57, -7.59), GRID))


def test_a_plan_costs_few_evaluations_and_one_without_bounds_is_refused() -> None:
    assert len(planned_tokens(RABAT, GRID)) <= 4 * 5
    month = Plan(34.0, -6.8, 300.0, START, START + 30 * 24 * HOUR)
    assert len(planned_tokens(month, GRID)) <= 4 * 31
    for wrong, field in (
        (Plan(91.0, 0.0, 1.0, 0, 1), "latitude"),
        (Plan(0.0, 181.0, 1.0, 0, 1), "longitude"),
        (Plan(float("nan"), 0.0, 1.0, 0, 1), "latitude"),
        (Plan(0.0, 0.0, 60_000.0, 0, 1), "radius_m"),
        (Plan(0.0, 0.0, 1.0, 5, 5), "ends_ms"),
        (Plan(0.0, 0.0, 1.0, 0, 2 * 366 * 24 * HOUR), "ends_ms"),
        (Plan(0.0, 0.0, 50_000.0, 0, 40 * HOUR), ""),
    ):
        with pytest.raises(Invalid) as refused:
            planned_tokens(wrong, GRID)
        assert refused.value.code.startswith("plan.")
        assert refused.value.field == field or not field


def test_targets_meet_as_in_a_private_check_and_apart_from_it() -> None:
    asked = target_tokens(
        {"phones": ["+212612345678"], "names": ["Karim Tazi"], "birth_dates": ["1987-03-14"]}, held=False
    )
    held = target_tokens({"phones": ["+212612345678"]}, held=True)
    assert set(asked) & set(held)
    assert all(token.startswith(b"target-") for token in asked)
