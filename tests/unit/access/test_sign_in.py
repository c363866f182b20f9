"""Signing in, sessions and API tokens."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from tansiq.access import Access, PasswordCost
from tansiq.access.model import Officer
from tansiq.crypto import Vault
from tansiq.errors import Invalid, NotFound, Refused
from tansiq.store import Store

NAME, PASSWORD = "Yasmine Bahri", "a long enough password"


@pytest.fixture
def officer(access: Access) -> Officer:
    return access.add_officer(NAME, ["analyst"], PASSWORD)[0]


def refused(do, *args) -> str:
    with pytest.raises(Refused) as caught:
        do(*args)
    return caught.value.code


def test_the_right_password_opens_a_session(access: Access, officer: Officer) -> None:
    token, session = access.sign_in("yasmine bahri", PASSWORD)
    assert session.officer == officer
    assert access.session(token) == session


def test_every_reason_of_a_refusal_looks_alike(access: Access, officer: Officer) -> None:
    access.add_officer("Ines Vidal", ["analyst"], PASSWORD, totp=True)
    access.add_officer("Anna Berg", ["analyst"], None)
    gone, _ = access.add_officer("Rui Melo", ["analyst"], PASSWORD)
    access.change_officer(gone.id, active=False)
    told = set()
    for name, password, code in [
        (NAME, "wrong password, surely", None),
        ("Nobody Here", PASSWORD, None),
        ("Ines Vidal", PASSWORD, None),
        ("Ines Vidal", PASSWORD, "000000"),
        ("Anna Berg", "", None),
        ("Rui Melo", PASSWORD, None),
        ("\ud800" * 3000, "\ud800" * 3000, "\ud800"),
    ]:
        with pytest.raises(Refused) as caught:
            access.sign_in(name, password, code)
        told.add((caught.value.code, str(caught.value), caught.value.detail, caught.value.hint))
    assert len(told) == 1


def test_an_unknown_officer_costs_the_same_work_as_a_wrong_password(sqlite_store: Store, vault: Vault, clock) -> None:
    """Measured in processor time, at its least: what else runs on the machine does not count."""
    cost = PasswordCost(passes=3, memory_kib=16384, lanes=1)
    access = Access(sqlite_store, vault, clock, random.Random(1).randbytes, cost)  # noqa: S311
    access.add_officer(NAME, ["analyst"], PASSWORD)
    access.add_officer("Anna Berg", ["analyst"], None)

    def least(name: str) -> float:
        spent = []
        for _ in range(5):
            clock.turn(minutes=15)
            before = time.process_time()
            refused(access.sign_in, name, "wrong password, surely")
            spent.append(time.process_time() - before)
        return min(spent)

    wrong, unknown, without = least(NAME), least("Nobody Here"), least("Anna Berg")
    assert wrong / 2 < unknown < wrong * 2
    assert wrong / 2 < without < wrong * 2


def test_guessing_waits_longer_each_time_and_a_right_password_does_not_jump_the_wait(
    access: Access, officer: Officer, clock
) -> None:
    for _ in range(4):
        assert refused(access.sign_in, NAME, "wrong") == "access.sign_in"
    assert refused(access.sign_in, NAME, PASSWORD) == "access.throttled"
    clock.turn(seconds=1)
    access.sign_in(NAME, PASSWORD)
    for _ in range(3):  # a success forgets the failures
        assert refused(access.sign_in, NAME, "wrong") == "access.sign_in"
    access.sign_in(NAME, PASSWORD)


def test_an_unknown_name_is_throttled_as_a_known_one(access: Access, officer: Officer) -> None:
    known = [refused(access.sign_in, NAME, "wrong") for _ in range(6)]
    unknown = [refused(access.sign_in, "Nobody Here", "wrong") for _ in range(6)]
    assert known == unknown == ["access.sign_in"] * 4 + ["access.throttled"] * 2


def test_one_officer_is_not_locked_out_by_attempts_on_another(access: Access, officer: Officer) -> None:
    for _ in range(6):
        refused(access.sign_in, "Ines Vidal", "wrong")
    access.sign_in(NAME, PASSWORD)


def test_the_longest_wait_is_a_quarter_of_an_hour(access: Access, officer: Officer, clock) -> None:
    for _ in range(40):
        refused(access.sign_in, NAME, "wrong")
        clock.turn(minutes=15)
    access.sign_in(NAME, PASSWORD)


def test_a_strangers_guesses_keep_no_officer_out_of_a_browser_that_is_known(
    access: Access, officer: Officer, clock
) -> None:
    """Else who reaches the page keeps an officer from a request whose clock runs, by a guess each quarter hour."""
    marks = access.marks_of_browser("", NAME)
    for _ in range(12):
        refused(access.sign_in, NAME, "wrong")
        clock.turn(minutes=16)
    refused(access.sign_in, NAME, "wrong")
    assert refused(access.sign_in, NAME, PASSWORD) == "access.throttled"
    access.sign_in(NAME.upper(), PASSWORD, None, marks)
    assert refused(access.sign_in, NAME, PASSWORD) == "access.throttled", "the strangers' wait goes on"


def test_a_known_browser_is_throttled_by_its_own_guesses_alone(access: Access, officer: Officer) -> None:
    marks, other = (access.marks_of_browser("", NAME) for _ in range(2))
    codes = [refused(access.sign_in, NAME, "wrong", None, marks) for _ in range(6)]
    assert codes == ["access.sign_in"] * 4 + ["access.throttled"] * 2
    assert refused(access.sign_in, NAME, PASSWORD, None, access.marks_of_browser(marks, NAME)) == "access.throttled"
    access.sign_in(NAME, PASSWORD, None, other)
    access.sign_in(NAME, PASSWORD)


@pytest.mark.parametrize("what", ["none", "another officer's", "another node's", "too old", "changed", "of tomorrow"])
def test_a_mark_that_is_not_this_officers_changes_nothing(
    access: Access, officer: Officer, clock, sqlite_store: Store, what: str
) -> None:
    made = access.marks_of_browser("", NAME)
    if what == "another officer's":
        made = access.marks_of_browser("", "Ines Vidal")
    elif what == "another node's":
        other = Access(sqlite_store, Vault(b"w" * 32), clock, random.Random(8).randbytes)  # noqa: S311  repeats
        made = other.marks_of_browser("", NAME)
    elif what == "too old":
        clock.turn(days=91)
    elif what == "of tomorrow":
        clock.turn(days=-1)
    marks = {"none": "", "changed": ("B" if made[0] == "A" else "A") + made[1:]}.get(what, made)
    for _ in range(4):
        refused(access.sign_in, NAME, "wrong")
    assert refused(access.sign_in, NAME, PASSWORD, None, marks) == "access.throttled"


def test_five_officers_share_a_browser_and_a_mark_lives_on_while_it_is_used(
    access: Access, officer: Officer, clock
) -> None:
    marks = access.marks_of_browser("", NAME)
    for n in range(4):
        marks = access.marks_of_browser(marks, f"Officer {n}")
    clock.turn(days=80)
    marks = access.marks_of_browser(marks, NAME)
    clock.turn(days=80)
    for _ in range(4):
        refused(access.sign_in, NAME, "wrong")
    access.sign_in(NAME, PASSWORD, None, marks)
    for n in range(5):
        marks = access.marks_of_browser(marks, f"Officer {n}")
    assert refused(access.sign_in, NAME, PASSWORD, None, marks) == "access.throttled"


@pytest.mark.parametrize("marks", ["...", "A" * 43, "é" * 43, "\udc80" * 43, "=" * 43, "." * 100_000, "A" * 100_000])
def test_a_cookie_that_is_no_mark_is_none(access: Access, officer: Officer, marks: str) -> None:
    access.sign_in(NAME, PASSWORD, None, marks)
    assert len(access.marks_of_browser(marks, NAME)) < 300


def test_guesses_at_the_same_time_gain_nothing(access: Access, officer: Officer) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: refused(access.sign_in, NAME, f"wrong {n}"), range(32)))
    assert codes.count("access.sign_in") == 4


def test_a_one_time_code_is_asked_for_and_works_once(access: Access, clock) -> None:
    _, secret = access.add_officer("Ines Vidal", ["analyst"], PASSWORD, totp=True)
    code = pyotp.TOTP(secret).at(clock.now)
    access.sign_in("Ines Vidal", PASSWORD, code)
    assert refused(access.sign_in, "Ines Vidal", PASSWORD, code) == "access.sign_in"
    clock.turn(seconds=30)
    assert refused(access.sign_in, "Ines Vidal", PASSWORD, code) == "access.sign_in"  # still in the window, but spent
    access.sign_in("Ines Vidal", PASSWORD, pyotp.TOTP(secret).at(clock.now))


def test_one_code_used_twice_at_the_same_time_opens_one_session(access: Access, clock) -> None:
    _, secret = access.add_officer("Ines Vidal", ["analyst"], PASSWORD, totp=True)
    code = pyotp.TOTP(secret).at(clock.now)

    def attempt(_n: int) -> bool:
        try:
            access.sign_in("Ines Vidal", PASSWORD, code)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(attempt, range(3))) == 1


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_time_is_refused(access: Access, clock, steps: int) -> None:
    _, secret = access.add_officer("Ines Vidal", ["analyst"], PASSWORD, totp=True)
    assert refused(access.sign_in, "Ines Vidal", PASSWORD, pyotp.TOTP(secret).at(clock.now, counter_offset=steps))


def test_a_wrong_password_does_not_spend_the_code(access: Access, clock) -> None:
    _, secret = access.add_officer("Ines Vidal", ["analyst"], PASSWORD, totp=True)
    code = pyotp.TOTP(secret).at(clock.now)
    refused(access.sign_in, "Ines Vidal", "wrong", code)
    access.sign_in("Ines Vidal", PASSWORD, code)


def test_a_session_ends_after_half_an_hour_without_use(access: Access, officer: Officer, clock) -> None:
    token, _ = access.sign_in(NAME, PASSWORD)
    clock.turn(minutes=29)
    session = access.session(token)
    assert (session.expires_at - clock.now).total_seconds() == 30 * 60
    clock.turn(minutes=29)
    access.session(token)
    clock.turn(minutes=30)
    assert refused(access.session, token) == "access.session"


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(access: Access, officer: Officer, clock) -> None:
    token, _ = access.sign_in(NAME, PASSWORD)
    for _ in range(12 * 4 - 1):
        clock.turn(minutes=15)
        access.session(token)
    clock.turn(minutes=15)
    assert refused(access.session, token) == "access.session"


@pytest.mark.parametrize("change", ["sign_out", "inactive", "password", "totp"])
def test_a_session_ends_at_once_when(access: Access, officer: Officer, change: str) -> None:
    token, _ = access.sign_in(NAME, PASSWORD)
    if change == "sign_out":
        access.sign_out(token)
        access.sign_out(token)
    elif change == "inactive":
        access.change_officer(officer.id, active=False)
        access.change_officer(officer.id, active=True)
    elif change == "password":
        access.set_password(officer.id, "another long password")
    else:
        assert access.set_totp(officer.id, wanted=True)
    assert refused(access.session, token) == "access.session"


def test_a_changed_password_replaces_the_old_one(access: Access, officer: Officer) -> None:
    access.set_password(officer.id, "another long password")
    refused(access.sign_in, NAME, PASSWORD)
    access.sign_in(NAME, "another long password")
    access.set_password(officer.id, None)
    refused(access.sign_in, NAME, "another long password")


def test_a_hash_of_an_older_cost_is_renewed_at_sign_in(sqlite_store: Store, vault: Vault, clock) -> None:
    chance = random.Random(3).randbytes  # noqa: S311
    old = Access(sqlite_store, vault, clock, chance, PasswordCost(1, 8, 1))
    officer, _ = old.add_officer(NAME, ["analyst"], PASSWORD)
    new = Access(sqlite_store, vault, clock, chance, PasswordCost(2, 16, 1))
    token, _ = new.sign_in(NAME, PASSWORD)
    assert new.session(token).officer.id == officer.id  # the session outlives the renewal
    with sqlite_store.read() as tx:
        sealed = tx.exec_driver_sql("select sealed from access_officers").scalar_one()
    assert b"m=16,t=2" in vault.open("access_officers", officer.id, sealed)


def test_an_api_token_acts_for_its_officer_until_it_ends(access: Access, officer: Officer, clock) -> None:
    token = access.new_token(officer.id, "analysis desk", 2)
    assert token.startswith("tq_")
    assert access.by_token(token) == officer
    shown = access.tokens(officer.id)
    assert [(t.label, t.officer) for t in shown] == [("analysis desk", officer.id)]
    clock.turn(days=2)
    assert refused(access.by_token, token) == "access.token"


def test_an_api_token_ends_when_it_is_ended_or_its_officer_leaves(access: Access, officer: Officer) -> None:
    first, second = (access.new_token(officer.id, "desk", 2) for _ in range(2))
    access.end_token(access.tokens(officer.id)[0].id)
    assert len([t for t in (first, second) if t_is_good(access, t)]) == 1
    access.change_officer(officer.id, active=False)
    access.change_officer(officer.id, active=True)
    assert not t_is_good(access, first)
    assert not t_is_good(access, second)
    with pytest.raises(NotFound):
        access.end_token("t-0000000000000000")


def t_is_good(access: Access, token: str) -> bool:
    try:
        access.by_token(token)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(("label", "days"), [("", 1), ("x", 0), ("x", 367)])
def test_a_wrong_api_token_is_refused(access: Access, officer: Officer, label: str, days: int) -> None:
    with pytest.raises(Invalid):
        access.new_token(officer.id, label, days)


@pytest.mark.parametrize("token", ["", "tq_", "tq_" + "A" * 43, "\ud800", "x" * 100_000])
def test_a_token_that_is_none_is_refused(access: Access, officer: Officer, token: str) -> None:
    assert refused(access.by_token, token) == "access.token"
    assert refused(access.session, token) == "access.session"


def test_a_session_token_is_no_api_token_and_the_other_way_round(access: Access, officer: Officer) -> None:
    session, _ = access.sign_in(NAME, PASSWORD)
    refused(access.by_token, session)
    refused(access.session, access.new_token(officer.id, "desk", 1))
