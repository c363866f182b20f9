"""The API's comparisons: the explanation of the pages for programs; nothing personal in an address."""

from __future__ import annotations

import pytest

from tansiq.matching import compare_persons, explain
from tests.support.web import Browser, Town


def test_two_names(program: Browser) -> None:
    told = {"a": "Youssef Zerouali", "b": "يوسف الزروالي"}
    found = program.client.post("/api/v1/names/compare", json=told)
    assert found.status_code == 200
    assert found.json()["explanation"] == explain(told["a"], told["b"]).to_dict()
    mute = program.client.post("/api/v1/names/compare", json={"a": "王小明", "b": "x"}).json()["explanation"]
    assert (mute["comparable"], mute["score"]) == (False, 0.0)


def test_two_persons(program: Browser) -> None:
    a = {"names": ["Karim Haddad"], "birth_dates": ["1987-03-14"], "sex": "m", "documents": [{"number": "AB123456"}]}
    b = {"names": "كريم حداد", "birth_dates": ["1951-11-20"], "sex": "f"}
    found = program.client.post("/api/v1/persons/compare", json={"a": a, "b": b}).json()
    assert found["explanation"] == compare_persons(a, b).to_dict()
    assert found["conflicts"] == 2


def test_a_person_against_the_bank_is_logged(town: Town, program: Browser) -> None:
    before = town.node("madrid").ledger.head()[0]
    claims = [{"property": "name", "value": "يوسف الزروالي"}]
    found = program.client.post("/api/v1/match", json={"claims": claims, "limit": 3}).json()["matches"]
    assert 1 <= len(found) <= 3
    best = found[0]["explanation"]
    assert abs(best["start"] + sum(r["points"] for r in best["rows"]) - best["sum"]) < 1e-6
    assert town.node("madrid").ledger.head()[0] == before + 1
    born = [*claims, {"property": "birthDate", "value": "1901-01-02"}]
    worse = program.client.post("/api/v1/match", json={"claims": born, "limit": 3}).json()["matches"]
    assert all(r["outcome"] == "conflict" for m in worse for r in m["explanation"]["rows"] if r["part"] == "birth_date")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("names/compare", {"a": "x"}, "b"),
        ("names/compare", {"a": " ", "b": "x"}, "a"),
        ("names/compare", {"a": "x", "b": "x" * 401}, "b"),
        ("names/compare", {"a": "x", "b": "y", "c": "z"}, "c"),
        ("names/compare", [], "body"),
        ("persons/compare", {"a": {"names": ["x"]}}, "b"),
        ("persons/compare", {"a": {"colour": ["red"]}, "b": {}}, "colour"),
        ("persons/compare", {"a": {"names": [7]}, "b": {}}, "a.names"),
        ("persons/compare", {"a": {}, "b": {"documents": [{"number": 7}]}}, "b.documents"),
        ("persons/compare", {"a": {"names": ["x"] * 25}, "b": {}}, "a.names"),
        ("match", {}, "body.claims"),
        ("match", {"claims": [{"property": "birthDate", "value": "1987-13-01"}]}, "body.claims[0]"),
        ("match", {"claims": [{"property": "name", "value": "x"}], "limit": 0}, "limit"),
        ("match", {"claims": [{"property": "name", "value": "x"}], "limit": True}, "limit"),
        ("match", {"schema": "Ghost", "claims": [{"property": "name", "value": "x"}]}, "body.schema"),
    ],
)
def test_bad_input_names_its_field(program: Browser, path: str, body: object, field: str) -> None:
    answer = program.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"].startswith(field)
