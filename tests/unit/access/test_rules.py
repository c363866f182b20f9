"""The pure decisions of access."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.access import may, require, rules
from tansiq.access.model import Acting, Role
from tansiq.errors import Invalid, Refused
from tansiq.policy.model import Action
from tansiq.terms import OfficerId

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_what_is_not_in_the_table_is_permitted_to_nobody() -> None:
    assert not may(Role, "read_minds")
    assert not may((), "view")


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.ANSWER_CHECK])
def test_each_action_of_the_law_gate_is_open_to_some_role(action: Action) -> None:
    assert may(Role, action)


def test_a_private_check_is_answered_by_no_officer() -> None:
    assert not may(Role, Action.ANSWER_CHECK)


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.ADMINISTER])
def test_who_runs_the_node_sees_and_sends_no_content(action: Action) -> None:
    assert not may([Role.ADMIN], action)


@pytest.mark.parametrize("action", [Action.SEND, Action.FORWARD, Action.APPEND, Action.COLLECT, Action.DECIDE])
def test_who_watches_the_node_takes_no_part_in_its_operations(action: Action) -> None:
    assert not may([Role.PROTECTION], action)


def test_an_officer_has_the_sum_of_the_roles() -> None:
    assert may([Role.ADMIN, Role.ANALYST], "send")


def test_the_role_is_required_by_name() -> None:
    by = Acting(OfficerId("o-0000000000000001"), frozenset({Role.ANALYST}))
    require(by, "append")
    with pytest.raises(Refused) as caught:
        require(by, "administer")
    assert caught.value.code == "access.role"


def test_the_node_itself_holds_no_role() -> None:
    assert not may(Acting.machine().roles, "view")


def test_three_failures_cost_nothing_and_the_wait_is_capped() -> None:
    assert [rules.block_for(n).total_seconds() for n in range(8)] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert rules.block_for(10**6) == rules.LONGEST_BLOCK


@given(st.integers(0, 200))
def test_one_more_failure_never_shortens_the_wait(failures: int) -> None:
    assert rules.block_for(failures) <= rules.block_for(failures + 1) <= rules.LONGEST_BLOCK


@given(st.integers(0, 100_000))
def test_no_use_keeps_a_session_beyond_its_longest(seconds: int) -> None:
    end = rules.session_end(AT, AT + timedelta(seconds=seconds))
    assert end <= AT + rules.SESSION_LONGEST
    assert end <= AT + timedelta(seconds=seconds) + rules.SESSION_IDLE


@given(st.text())
def test_a_name_is_refused_or_shown_in_one_form_whose_key_is_stable(name: str) -> None:
    try:
        shown = rules.parse_name(name)
    except Invalid:
        return
    assert rules.parse_name(shown) == shown
    assert rules.name_key(shown) == rules.name_key(name)


@pytest.mark.parametrize("other", ["ÉLODIE  X", "e\u0301lodie x", " élodie\tx ", "\uff45\u0301lodie x"])
def test_spellings_of_one_sign_in_name_have_one_key(other: str) -> None:
    assert rules.name_key(other) == rules.name_key("Élodie X")


@given(st.text())
def test_any_typed_password_has_bytes(password: str) -> None:
    assert isinstance(rules.password_bytes(password), bytes)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_too_short_or_long_is_refused_without_saying_it(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        rules.parse_password(password)
    assert caught.value.field == "password"


def test_four_eyes_are_two_officers_and_the_second_holds_the_role() -> None:
    rules.may_confirm("o-1", "o-2", [Role.SUPERVISOR], Role.SUPERVISOR)
    for second, roles, code in [("o-1", [Role.SUPERVISOR], "access.same_officer"), ("o-2", [], "access.role")]:
        with pytest.raises(Refused) as caught:
            rules.may_confirm("o-1", second, roles, Role.SUPERVISOR)
        assert caught.value.code == code
