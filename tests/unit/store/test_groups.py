"""Work in groups: everything that can be done is done, what cannot is named, and no step does more than its group."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.errors import Broken, Refused
from tansiq.store import in_groups


class Desk:
    """Items in a row; a step that meets a bad one does nothing of its group, as a transaction."""

    def __init__(self, items: Collection[int], bad: Collection[int]) -> None:
        self.left = list(items)
        self.bad = bad
        self.done: list[int] = []
        self.steps = 0

    def _next(self, most: int, skip: Collection[int]) -> list[int]:
        return [i for i in self.left if i not in skip][:most]

    def step(self, most: int, skip: Collection[int]) -> bool:
        self.steps += 1
        these = self._next(most, skip)
        if any(i in self.bad for i in these):
            raise Refused("x.refused", "kept", step="x")
        self.done += these
        self.left = [i for i in self.left if i not in these]
        return len(these) == most

    def first(self, skip: Collection[int]) -> int | None:
        return next(iter(self._next(1, skip)), None)


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.integers(1, 20))
def test_all_that_can_be_done_is_done_and_the_rest_is_named(count: int, bad: set[int], size: int) -> None:
    desk = Desk(range(count), bad)
    failed = in_groups(size, desk.step, desk.first)
    wanted = bad & set(range(count))
    assert set(failed) == set(desk.left) == wanted
    assert sorted(desk.done) == sorted(set(range(count)) - bad)
    assert {f.code for f in failed.values()} <= {"x.refused"}
    assert desk.steps <= count / size + 2 + (size + 1) * len(wanted)


def test_a_failure_that_is_no_items_is_the_callers() -> None:
    def step(_most: int, _skip: Collection[int]) -> bool:
        raise Broken("x.broken", "the store", step="x")

    with pytest.raises(Broken):
        in_groups(16, step, lambda _skip: None)
