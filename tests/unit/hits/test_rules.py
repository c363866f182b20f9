"""What makes a match, and its life as a table: every path ends in an officer's decision, and none leads back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.bank.model import BankRecord, Candidate, Provenance
from tansiq.hits.model import MatchState
from tansiq.hits.rules import LIFE, MATCH_SCORE, NAME_ALONE_SCORE, OTHER_NAME_SCORE, match_rule, may_become
from tests.support.holdings import BEGIN, entity, person


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


PERSON, FIRM = person("Yasser Tazeghart"), entity("Organization", name="Tazeghart Import SARL")


@pytest.mark.parametrize(
    ("both", "parts", "at_least", "rule"),
    [
        (PERSON, ("name", "birth_date"), MATCH_SCORE, "person"),
        (PERSON, ("name",), NAME_ALONE_SCORE, "name"),
        (FIRM, ("name",), OTHER_NAME_SCORE, "name"),
    ],
)
def test_a_score_makes_a_match_from_its_rules_threshold_on(both, parts, at_least, rule):
    def found(score):
        rows = [{"part": part, "outcome": "agree"} for part in parts]
        held = BankRecord("r-1", both, Provenance("own", "r"), BEGIN)
        return match_rule(both, Candidate(held, score, {"rows": rows}))

    assert (found(at_least), found(at_least - 0.001)) == (rule, "")


def test_a_shared_number_makes_a_match_at_any_score_and_one_that_differs_makes_none():
    held = BankRecord("r-1", PERSON, Provenance("own", "r"), BEGIN)
    for outcome, rule in (("agree", "identifier"), ("conflict", "")):
        found = Candidate(held, 0.01, {"rows": [{"part": "phone", "outcome": outcome}]})
        assert match_rule(PERSON, found) == rule
