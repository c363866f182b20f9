"""An act that waits for a second officer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tansiq.access import Access
from tansiq.access.model import Acting, DraftState
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.store import Store
from tansiq.terms import OfficerId


@pytest.fixture
def first(access: Access) -> Acting:
    officer, _ = access.add_officer("Yasmine Bahri", ["liaison", "supervisor"], None)
    return access.acting(officer, "prevention", "case 12")


@pytest.fixture
def second(access: Access) -> Acting:
    officer, _ = access.add_officer("Ines Vidal", ["supervisor"], None)
    return access.acting(officer, "prevention", "read it")


@pytest.fixture
def draft(access: Access, first: Acting) -> str:
    return access.propose("dossier.open", b"the act", first, "supervisor", "d-1")


def test_what_was_proposed_waits_with_its_reason(access: Access, draft: str, first: Acting) -> None:
    (waiting,) = access.pending()
    assert waiting == access.draft(draft)
    assert (waiting.act, waiting.body, waiting.ref, waiting.first) == ("dossier.open", b"the act", "d-1", first.officer)
    assert (waiting.purpose, waiting.justification) == ("prevention", "case 12")


def test_a_second_officer_confirms_it_once(access: Access, draft: str, first: Acting, second: Acting) -> None:
    body, proposer = access.confirm(draft, second)
    assert (body, proposer.id) == (b"the act", first.officer)
    assert access.pending() == []
    settled = access.draft(draft)
    assert (settled.state, settled.second) == (DraftState.CONFIRMED, second.officer)
    for verb in (access.confirm, access.reject):
        with pytest.raises(Conflict):
            verb(draft, second)


def test_the_same_officer_is_refused_whatever_the_role(access: Access, draft: str, first: Acting) -> None:
    with pytest.raises(Refused) as caught:
        access.confirm(draft, first)
    assert caught.value.code == "access.same_officer"
    assert len(access.pending()) == 1


def test_a_second_officer_without_the_role_neither_confirms_nor_rejects(access: Access, draft: str) -> None:
    officer, _ = access.add_officer("Anna Berg", ["liaison", "protection"], None)
    for verb in (access.confirm, access.reject):
        with pytest.raises(Refused) as caught:
            verb(draft, access.acting(officer))
        assert caught.value.code == "access.role"


def test_either_officer_may_end_it(access: Access, draft: str, first: Acting, second: Acting) -> None:
    other = access.propose("dossier.open", b"", first, "supervisor")
    assert access.reject(draft, first).state is DraftState.REJECTED
    assert access.reject(other, second).state is DraftState.REJECTED
    with pytest.raises(Conflict):
        access.confirm(draft, second)


def test_an_old_draft_is_neither_shown_nor_confirmed(access: Access, draft: str, second: Acting, clock) -> None:
    clock.turn(days=7, seconds=1)
    assert access.pending() == []
    with pytest.raises(Refused) as caught:
        access.confirm(draft, second)
    assert caught.value.code == "access.draft_expired"


def test_the_act_of_an_officer_who_left_is_not_confirmed(
    access: Access, draft: str, first: Acting, second: Acting
) -> None:
    access.change_officer(first.officer, active=False)
    with pytest.raises(Refused) as caught:
        access.confirm(draft, second)
    assert caught.value.code == "access.officer_inactive"


def test_the_act_is_done_in_the_confirming_transaction_or_stays_waiting(
    access: Access, sqlite_store: Store, draft: str, first: Acting, second: Acting
) -> None:
    def work(tx) -> Acting:
        _, by = access.confirm_in(tx, draft, second)
        if not done:
            raise LookupError("the act failed")
        return by

    done = False
    with pytest.raises(LookupError):
        sqlite_store.write(work)
    assert len(access.pending()) == 1
    done = True
    by = sqlite_store.write(work)
    assert (by.officer, by.second, by.justification) == (first.officer, second.officer, "case 12")


def test_two_who_confirm_at_once_confirm_it_once(access: Access, draft: str, second: Acting) -> None:
    def confirm(_n: int) -> bool:
        try:
            access.confirm(draft, second)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(confirm, range(8))) == 1


def test_what_cannot_wait_is_refused(access: Access, first: Acting, second: Acting) -> None:
    with pytest.raises(Invalid):
        access.propose("send", b"", first, "emperor")
    with pytest.raises(NotFound):
        access.propose("send", b"", Acting(OfficerId("o-ffffffffffffffff"), frozenset()), "supervisor")
    with pytest.raises(NotFound):
        access.confirm("f-0", second)
