"""Work in groups: everything that can be done is done, what cannot is named, and no step does more than its group."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from tansiq.errors import Broken, Refused
from tansiq.store import in_groups, why

REFUSED = Refused("x.refused", "kept", step="x")


class Desk:
    """Items in a row; a step that meets a bad one does nothing of its group, as a transaction."""

    def __init__(self, items: Collection[int], bad: Collection[int], failure: Exception = REFUSED) -> None:
        self.left = list(items)
        self.bad = bad
        self.failure = failure
        self.done: list[int] = []
        self.steps = 0

    def _next(self, most: int, skip: Collection[int]) -> list[int]:
        return [i for i in self.left if i not in skip][:most]

    def step(self, most: int, skip: Collection[int]) -> bool:
        self.steps += 1
        these = self._next(most, skip)
        if any(i in self.bad for i in these):
            raise self.failure
        self.done += these
        self.left = [i for i in self.left if i not in these]
        return len(these) == most

    def first(self, skip: Collection[int]) -> int | None:
        return next(iter(self._next(1, skip)), None)


FAILURES = {
    "x.refused": REFUSED,
    "unforeseen.ValueError": ValueError("Karim Bensouda"),
    "unforeseen.OverflowError": OverflowError("date value out of range"),
    "unforeseen.UnicodeDecodeError": UnicodeDecodeError("utf-8", b"Karim \xff", 6, 7, "no"),
}


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.integers(1, 20), st.sampled_from(sorted(FAILURES)))
def test_all_that_can_be_done_is_done_and_the_rest_is_named(count: int, bad: set[int], size: int, code: str) -> None:
    desk = Desk(range(count), bad, FAILURES[code])
    failed = in_groups(size, desk.step, desk.first)
    wanted = bad & set(range(count))
    assert set(failed) == set(desk.left) == wanted
    assert sorted(desk.done) == sorted(set(range(count)) - bad)
    assert {why(f) for f in failed.values()} <= {code}
    assert desk.steps <= count / size + 2 + (size + 1) * len(wanted)


def test_a_failure_that_is_no_items_is_the_callers() -> None:
    def step(_most: int, _skip: Collection[int]) -> bool:
        raise Broken("x.broken", "the store", step="x")

    with pytest.raises(Broken):
        in_groups(16, step, lambda _skip: None)


@pytest.mark.parametrize("failure", [Broken("x.broken", "ours", step="x"), OperationalError("insert", {}, OSError())])
def test_an_invariant_of_ours_or_a_database_that_is_away_stops_the_writing(failure: Exception) -> None:
    """Passed over item by item, each of thousands would be called its own fault."""
    desk = Desk(range(40), {3}, failure)
    with pytest.raises(type(failure)):
        in_groups(16, desk.step, desk.first)
    assert desk.steps == 1
