"""Threat: somebody holds, guesses or alters a session token, or a form's token, of another officer.

What it gives: nothing without the token itself. What the database holds of it (its hash) signs nobody in, a form's
token belongs to one session, and four eyes stay two officers.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from tansiq.access import Access, PasswordCost
from tansiq.crypto import Vault
from tansiq.errors import Refused
from tansiq.store import Store

PASSWORD = "a long enough password"
CHEAP = PasswordCost(passes=1, memory_kib=8, lanes=1)


@pytest.fixture
def access(store: Store) -> Access:
    found = Access(store, Vault(b"v" * 32), lambda: datetime(2026, 11, 22, tzinfo=UTC), os.urandom, CHEAP)
    for name in ("Yasmine Bahri", "Ines Vidal"):
        found.add_officer(name, ["liaison", "supervisor"], PASSWORD)
    return found


def test_each_session_is_its_own_officers(access: Access) -> None:
    yasmine, ines = (access.sign_in(name, PASSWORD)[0] for name in ("Yasmine Bahri", "Ines Vidal"))
    assert access.session(yasmine).officer.name == "Yasmine Bahri"
    assert access.session(ines).officer.name == "Ines Vidal"
    access.sign_out(yasmine)
    assert access.session(ines).officer.name == "Ines Vidal"


def test_a_changed_token_is_nobodys(access: Access) -> None:
    token, _ = access.sign_in("Yasmine Bahri", PASSWORD)
    for wrong in (token[:-1], token + "A", token.swapcase(), token[1:] + token[0], ""):
        with pytest.raises(Refused):
            access.session(wrong)


def test_what_the_database_holds_of_a_session_opens_none(access: Access, store: Store) -> None:
    token, _ = access.sign_in("Yasmine Bahri", PASSWORD)
    with store.read() as tx:
        (row,) = tx.exec_driver_sql("select * from access_sessions").mappings()
    assert token.encode() not in b"".join(str(v).encode() for v in row.values())
    stored = bytes(row["token_hash"])
    for wrong in (stored.hex(), stored.decode("latin-1"), str(stored)):
        with pytest.raises(Refused):
            access.session(wrong)


def test_a_forms_token_is_good_for_one_session_alone(access: Access) -> None:
    tokens = [access.sign_in(name, PASSWORD)[1].csrf for name in ("Yasmine Bahri", "Yasmine Bahri", "Ines Vidal")]
    assert len(set(tokens)) == 3


def test_a_token_made_before_signing_in_is_never_taken_over(access: Access) -> None:
    """Session fixation: the token is made at sign-in, whatever the browser brought."""
    first, _ = access.sign_in("Yasmine Bahri", PASSWORD)
    second, _ = access.sign_in("Yasmine Bahri", PASSWORD)
    assert first != second


def test_two_sessions_of_one_officer_are_not_four_eyes(access: Access) -> None:
    proposer, confirmer = (access.session(access.sign_in("Yasmine Bahri", PASSWORD)[0]).officer for _ in range(2))
    draft = access.propose("dossier.open", b"", access.acting(proposer), "supervisor")
    with pytest.raises(Refused) as caught:
        access.confirm(draft, access.acting(confirmer))
    assert caught.value.code == "access.same_officer"
