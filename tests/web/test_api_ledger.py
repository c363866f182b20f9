"""A program says what follows from a contradicting log, under the same rule (L-6) as an officer at the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.terms import LogVerb
from tests.support.web import Browser, Town, program_of
from tests.web.conftest import contradicted

WHY = "called Rabat: a disk failed and a copy was restored"
WITNESSES = "/api/v1/ledger/witnesses"


@pytest.fixture(scope="module")
def distrusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Madrid distrusts Rabat's log. For what changes nothing."""
    yield from contradicted(tmp_path_factory.mktemp("town"))


@pytest.fixture
def own_distrusting(tmp_path: Path) -> Iterator[Town]:
    yield from contradicted(tmp_path)


def of_rabat(town: Town, browser: Browser) -> dict:
    found = browser.get(WITNESSES).json()["witnesses"]
    return next(w for w in found if w["node"] == town.node("rabat").node_id)


def settle(browser: Browser, body: object, peer: str = "ma"):
    return browser.client.post(f"{WITNESSES}/{peer}/settlement", json=body)


@pytest.mark.parametrize(
    ("officer", "body", "peer", "status", "code", "field"),
    [
        ("salma", {"reason": WHY}, "ma", 403, "witness.role", "role"),
        ("omar", {"reason": " short "}, "ma", 422, "witness.reason", "reason"),
        ("omar", {}, "ma", 422, "body.text", "reason"),
        ("omar", [WHY], "ma", 422, "body.not_an_object", "body"),
        ("omar", {"reason": WHY, "root": "00"}, "ma", 422, "body.unknown_field", "root"),
        ("omar", {"reason": WHY, "anew": ""}, "ma", 422, "body.root", "anew"),
        ("omar", {"reason": WHY, "anew": None}, "ma", 422, "body.root", "anew"),
        ("omar", {"reason": WHY, "anew": "00" * 32}, "ma", 409, "witness.head_moved", "anew"),
        ("omar", {"reason": WHY}, "de", 409, "witness.settled", "peer"),
        ("omar", {"reason": WHY}, "xx", 404, "peer.unknown", ""),
    ],
)
def test_what_is_refused_is_a_problem_that_names_its_field_and_changes_nothing(
    distrusting: Town, officer: str, body: object, peer: str, status: int, code: str, field: str
) -> None:
    answer = settle(program_of(distrusting, officer), body, peer)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (status, code), said
    assert answer.headers["content-type"] == "application/problem+json"
    assert not field or said["field"] == field
    assert of_rabat(distrusting, program_of(distrusting, "omar"))["trouble"] == "rewritten"


def test_a_program_settles_as_its_officer_who_oversees(own_distrusting: Town) -> None:
    omar, rabat, madrid = (
        program_of(own_distrusting, "omar"),
        own_distrusting.node("rabat"),
        own_distrusting.node("madrid"),
    )
    before = of_rabat(own_distrusting, omar)
    assert before["claimed"]["size"] > 0
    answer = settle(omar, {"reason": WHY})
    assert (answer.status_code, answer.json()) == (200, {"peer": rabat.node_id, "trouble": "distrusted"})
    assert of_rabat(own_distrusting, omar)["trouble"] == "distrusted"
    answer = settle(omar, {"reason": WHY, "anew": before["claimed"]["root"]})
    assert (answer.status_code, answer.json()) == (200, {"peer": rabat.node_id, "trouble": ""})
    after = of_rabat(own_distrusting, omar)
    assert (after["trouble"], after["claimed"], after["seen_size"]) == ("", None, before["claimed"]["size"])
    words = [x.content["decision"] for x in madrid.ledger.find(rabat.node_id) if x.verb is LogVerb.ALTER]
    assert words[-2:] == ["distrusted", "started_anew"]
    assert settle(omar, {"reason": WHY}).status_code == 409
