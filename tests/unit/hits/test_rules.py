"""The life of a match as a table: every path ends in an officer's decision, and none leads back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.hits.model import MatchState
from tansiq.hits.rules import LIFE, may_become


def test_the_table_says_where_every_state_leads():
    assert set(LIFE) == set(MatchState)


@pytest.mark.parametrize(("now", "then"), list(itertools.product(MatchState, MatchState)))
def test_nothing_returns_to_open_and_a_decision_stands(now, then):
    if then is MatchState.OPEN or now in (MatchState.HIT, MatchState.NO_HIT) or now is then:
        assert not may_become(now, then)


@given(st.lists(st.sampled_from(MatchState), max_size=12))
def test_however_often_it_is_decided_at_most_two_decisions_count(tried):
    state, counted = MatchState.OPEN, 0
    for then in tried:
        if may_become(state, then):
            state, counted = then, counted + 1
    assert counted <= 2
