"""Officers, and what the database tells of them without the keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.access import Access, rules
from tansiq.access.model import Role
from tansiq.errors import Broken, Conflict, Invalid, NotFound, Refused
from tansiq.store import Store

PASSWORD = "a long enough password"


def test_an_officer_is_found_again_as_added(access: Access) -> None:
    officer, secret = access.add_officer("Yasmine  Bahri", ["analyst", Role.LIAISON], PASSWORD, "ar")
    assert secret is None
    assert officer.name == "Yasmine Bahri"
    assert officer.roles == {Role.ANALYST, Role.LIAISON}
    assert access.officer(officer.id) == officer
    assert access.officers() == [officer]


def test_one_name_is_one_officer_however_it_is_spelt(access: Access) -> None:
    access.add_officer("Élodie X", ["analyst"], None)
    with pytest.raises(Conflict) as caught:
        access.add_officer("ÉLODIE  x", ["admin"], None)
    assert caught.value.code == "officer.name_taken"
    assert len(access.officers()) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"roles": []}, "roles"),
        ({"roles": ["emperor"]}, "roles"),
        ({"password": "short"}, "password"),
        ({"language": "tlh"}, "language"),
    ],
)
def test_a_wrong_officer_is_refused_by_field_and_not_repeated(access: Access, wrong: dict, field: str) -> None:
    given = {"name": "Ines Vidal", "roles": ["analyst"], "password": PASSWORD, "language": "es"} | wrong
    with pytest.raises(Invalid) as caught:
        access.add_officer(**given)
    assert caught.value.field == field
    assert "short" not in str(caught.value)
    assert access.officers() == []


def test_no_such_officer(access: Access) -> None:
    for verb in (access.officer, access.acting, lambda o: access.change_officer(o, active=False)):
        with pytest.raises(NotFound):
            verb("o-ffffffffffffffff")


def test_acting_holds_the_roles_of_now(access: Access) -> None:
    officer, _ = access.add_officer("Ines Vidal", ["analyst"], None)
    access.change_officer(officer.id, roles=["liaison"], language="fr")
    by = access.acting(officer, "prevention", "case 12")
    assert (by.officer, by.roles, by.purpose, by.justification) == (
        officer.id,
        frozenset({Role.LIAISON}),
        "prevention",
        "case 12",
    )
    access.change_officer(officer.id, active=False)
    with pytest.raises(Refused):
        access.acting(officer)


@pytest.mark.parametrize("field", ["purpose", "justification"])
def test_a_reason_has_an_end(access: Access, field: str) -> None:
    """It stands in the leaf of each act: without a bound one officer could make the log too large to verify."""
    officer, _ = access.add_officer("Ines Vidal", ["analyst"], None)
    most = "م" * rules.MOST_REASON
    assert getattr(access.acting(officer, **{field: most}), field) == most
    with pytest.raises(Invalid) as caught:
        access.acting(officer, **{field: most + "م"})
    assert (caught.value.code, caught.value.field) == ("access.reason_too_long", field)


def test_a_stolen_database_names_nobody_and_holds_no_password_or_token(
    access: Access, sqlite_store: Store, tmp_path: Path
) -> None:
    officer, secret = access.add_officer("Yasmine Bahri", ["supervisor"], PASSWORD, totp=True)
    access.set_totp(officer.id, wanted=False)
    session, _ = access.sign_in("Yasmine Bahri", PASSWORD)
    token = access.new_token(officer.id, "analysis desk", 5)
    access.propose("send", b"an armadillo", access.acting(officer, "prevention", "a pangolin"), "supervisor")
    sqlite_store.close()
    stolen = b"".join(path.read_bytes() for path in tmp_path.glob("tansiq.db*"))
    assert officer.id.encode() in stolen
    for word in (
        "Yasmine",
        "yasmine",
        PASSWORD,
        "argon2",
        secret,
        session,
        token,
        "analysis desk",
        "armadillo",
        "pangolin",
    ):
        assert word.encode() not in stolen, word


def test_a_row_that_was_moved_to_another_officer_does_not_open(access: Access, sqlite_store: Store) -> None:
    """Who can write to the database but has no keys cannot give an admin's row a password that he knows."""
    for name in ("Ines Vidal", "Anna Berg"):
        access.add_officer(name, ["admin"], PASSWORD)
    swap = "update access_officers set sealed = (select sealed from access_officers order by id limit 1)"
    sqlite_store.write(lambda tx: tx.exec_driver_sql(swap))
    with pytest.raises(Broken) as caught:
        access.officers()
    assert caught.value.code == "vault.open"
