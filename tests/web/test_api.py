"""The HTTP API: its description holds for every route, and bad input is a problem that names its field."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest

from tansiq.access.model import Role
from tansiq.ledger.model import LeafView
from tansiq.web import api
from tansiq.web.openapi import document
from tests.support.web import WHY, Browser, Town


def test_the_document_knows_all_that_a_leaf_tells() -> None:
    assert set(document()["components"]["schemas"]["Leaf"]["properties"]) == {f.name for f in fields(LeafView)}


def test_the_description_covers_every_route_and_no_other() -> None:
    described = {(m.upper(), path) for path, item in document()["paths"].items() for m in item}
    served = {(m, r.path) for r in api.routes() for m in r.methods or () if m != "HEAD"}
    assert described == served


def test_the_description_is_well_formed() -> None:
    found = document()
    assert found["openapi"] == "3.1.0"
    text = json.dumps(found)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in found["components"]["schemas"]
    ids = [op["operationId"] for item in found["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))
    for path, item in found["paths"].items():
        for operation in item.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path
            assert any(code.startswith("2") for code in operation["responses"])
            assert "application/problem+json" in operation["responses"]["422"]["content"]


def test_without_a_token_every_route_says_so(town: Town) -> None:
    client = Browser(town.app("madrid")).client
    words = ("dossier", "match", "draft", "entry", "node", "ref", "peer", "check", "watch", "notice", "part")
    fill = dict.fromkeys(words, "x")
    for route in api.routes():
        for method in (route.methods or set()) - {"HEAD"}:
            for headers in ({}, {"authorization": "Bearer tq_wrong"}, {"authorization": "Basic eDp5"}):
                answer = client.request(method, route.path.format(**fill), headers=headers)
                assert answer.status_code == 401, (route.path, headers)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_cookie_does_not_open_the_api(madrid: Browser) -> None:
    assert madrid.get("/api/v1/duties").status_code == 401


def test_reading(town: Town, program: Browser) -> None:
    assert program.get("/api/v1/duties").json()["node"] == town.node("madrid").node_id
    rows = program.get("/api/v1/dossiers?limit=5").json()["dossiers"]
    assert {r["id"] for r in rows} >= {town.dossier, town.request}
    shown = program.get(f"/api/v1/dossiers/{town.dossier}").json()["dossier"]
    assert shown["entries"][0]["statement"]["type"] == "report.given"
    assert program.get("/api/v1/matches?state=open").json()["matches"]
    found = program.client.get("/api/v1/bank/search", params={"q": "يوسف الزروالي"}).json()["results"]
    assert found[0]["score"] > 0.5
    posted = program.client.post("/api/v1/bank/search", json={"q": "يوسف الزروالي"})
    assert posted.json()["results"] == found
    for body, field in (
        ([], "body"),
        ({"q": "Ana", "x": 1}, "body"),
        ({"q": 7}, "q"),
        ({"q": "Ana", "limit": True}, "limit"),
    ):
        refused = program.client.post("/api/v1/bank/search", json=body)
        assert refused.status_code in (400, 422)
        assert refused.json()["field"] == field
    assert program.get("/api/v1/ledger/checkpoint").json()["checkpoint"].startswith("tansiq/")
    leaves = program.get("/api/v1/ledger/leaves?limit=3").json()["leaves"]
    assert len(leaves) == 3
    me = next(o.id for o in town.node("madrid").access.officers() if o.name == "salma")
    others = [x for x in leaves if x["content"] and x["content"]["officer"] != me]
    assert not others, "a liaison officer does not read what others did"
    assert program.get("/api/v1/deliveries").status_code == 200
    assert len(program.get("/api/v1/peers").json()["peers"]) == 2
    assert program.get("/api/v1/openapi.json").json() == document()


def test_lists_are_read_in_pages_and_say_where_they_go_on(town: Town, program: Browser) -> None:
    node = town.node("madrid")
    for path, name, on, every in (
        ("/api/v1/matches", "matches", "after", [m.id for m in node.hits.matches()]),
        ("/api/v1/dossiers", "dossiers", "before", [r.id for r in node.dossiers.rows()]),
    ):
        seen, older = [], ""
        while older or not seen:
            page = program.client.get(path, params={"limit": 1, on: older}).json()
            seen += [x["id"] for x in page[name]]
            older = page["older"]
            assert len(seen) <= len(every)
        assert seen == every
        assert len(seen) > (name == "dossiers")
    whole = program.get("/api/v1/duties").json()
    assert whole["ours"] + whole["theirs"] == len(whole["duties"])
    me, seen = whole["node"], []
    for skip in range(max(whole["ours"], whole["theirs"])):
        page = program.get(f"/api/v1/duties?limit=1&skip={skip}").json()
        assert (page["ours"], page["theirs"]) == (whole["ours"], whole["theirs"])
        seen += page["duties"]
    for ours in (True, False):
        assert [d for d in seen if (d["owner"] == me) is ours] == [
            d for d in whole["duties"] if (d["owner"] == me) is ours
        ]
    assert program.get("/api/v1/duties?limit=1&skip=999999").json()["duties"] == []


BAD = [
    ("GET", "/api/v1/duties?skip=-1", None, "skip"),
    ("GET", "/api/v1/duties?limit=0", None, "limit"),
    ("GET", "/api/v1/matches?limit=2000", None, "limit"),
    ("GET", "/api/v1/dossiers?limit=0", None, "limit"),
    ("GET", "/api/v1/dossiers?limit=many", None, "limit"),
    ("GET", "/api/v1/matches?state=maybe", None, "state"),
    ("GET", "/api/v1/bank/search?q=x", None, "q"),
    ("GET", "/api/v1/bank/search?q=Ana&kind=pet", None, "kind"),
    ("GET", "/api/v1/ledger/leaves?before=-1", None, "before"),
    ("GET", "/api/v1/dossiers/d-zz", None, "dossier"),
    ("POST", "/api/v1/dossiers", [], "body"),
    ("POST", "/api/v1/dossiers", {"kind": "report", "to": ["es"]}, "body"),
    ("POST", "/api/v1/dossiers", {"kind": "report", "to": "es", "body": {}}, "to"),
    ("POST", "/api/v1/dossiers", {"kind": 7, "to": ["es"], "body": {}}, "kind"),
    ("POST", "/api/v1/dossiers", {"kind": "report", "to": ["ma"], "body": {"colour": "red"}}, "colour"),
    ("POST", "/api/v1/dossiers", {"kind": "report", "to": ["ma"], "body": {}, "extra": 1}, "extra"),
    ("POST", "/api/v1/preview", {"kind": "report", "to": ["zz"], "body": {}}, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_bad_input_is_a_problem_that_names_its_field(
    town: Town, program: Browser, method: str, path: str, body: object, field: str
) -> None:
    before = len(town.node("madrid").dossiers.rows())
    answer = program.client.request(method, path, **({"json": body} if body is not None else {}))
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(said)
    assert said["status"] == answer.status_code
    assert field in said.get("field", "")
    assert len(town.node("madrid").dossiers.rows()) == before


def test_a_body_that_is_not_json_or_too_large_or_too_deep(program: Browser) -> None:
    kind = {"content-type": "application/json"}
    for raw in (b"{", b"\xff\xfe", b"[" * 100_000):
        answer = program.client.post("/api/v1/dossiers", content=raw, headers=kind)
        assert (answer.status_code, answer.json()["code"]) == (422, "body.not_json")
    large = program.client.post("/api/v1/dossiers", content=b" " * 4_100_000, headers=kind)
    assert large.json()["code"] == "body.too_large"
    assert program.client.post("/api/v1/dossiers", data={"a": "b"}).json()["code"] == "body.type"
    deep: object = "x"
    for _ in range(60):
        deep = {"a": deep}
    answer = program.client.post("/api/v1/dossiers", json={"kind": "report", "to": ["ma"], "body": deep})
    assert answer.json()["code"] == "body.too_deep"


def test_unknown_paths_and_methods_are_problems_too(program: Browser) -> None:
    for method, path, status in (("GET", "/api/v1/nope", 404), ("DELETE", "/api/v1/duties", 405)):
        answer = program.client.request(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_decision_by_a_program_needs_its_officers_word(town: Town, program: Browser) -> None:
    path = f"/api/v1/matches/{town.match}/decision"
    assert (
        program.client.post(path, json={"decision": "guilty", "reason": "because it is"}).json()["field"] == "decision"
    )
    assert program.client.post(path, json={"decision": "hit", "reason": ""}).status_code == 422
    assert town.node("madrid").hits.match(town.match).state == "open"


def test_an_administrators_program_reads_no_records(town: Town) -> None:
    node = town.node("berlin")
    officer, _ = node.access.add_officer("machine-room", (Role.ADMIN,), None, "en")
    client = Browser(town.app("berlin")).client
    client.headers.update({"authorization": f"Bearer {node.access.new_token(officer.id, 'x', 1)}", **WHY})
    for path in (
        "/api/v1/dossiers",
        "/api/v1/matches",
        f"/api/v1/dossiers/{town.dossier}",
        "/api/v1/bank/search?q=Ana",
    ):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert "الزروالي" not in answer.text


def test_a_program_purges_what_has_ended_and_nothing_else(town: Town, program: Browser) -> None:
    still = program.client.post(f"/api/v1/dossiers/{town.dossier}/erasure", json={})
    assert (still.status_code, still.json()["code"]) == (409, "dossier.in_use")
    legal = {
        "purpose": "investigation",
        "legal_basis": "Example law, art. 3",
        "agreement": "eu-2023-977",
        "review_on": "2028-05-22",
        "erase_on": "2029-11-22",
    }
    opening = {"facts": {"form": "coordination"}, "legal": legal, "subject": "two vans"}
    made = program.client.post("/api/v1/dossiers", json={"kind": "operation", "to": ["de"], "body": opening}).json()
    path = f"/api/v1/dossiers/{made['dossier']}"
    end = {"type": "operation.closed", "facts": {"due": "2027-11-22T00:00:00.000Z", "outcome": "not_reached"}}
    assert program.client.post(f"{path}/entries", json=end).status_code == 201
    # A liaison officer's program is told which rule stops it; a supervisor's erases.
    refused = program.client.post(f"{path}/erasure", json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "policy.refused")
    node = town.node("madrid")
    omar = next(o for o in node.access.officers() if o.name == "omar")
    client = Browser(town.app("madrid")).client
    client.headers.update({"authorization": f"Bearer {node.access.new_token(omar.id, 'y', 1)}", **WHY})
    assert client.post(f"{path}/erasure", json={"why": "x"}).json()["field"] == "why"
    assert client.post(f"{path}/erasure", json={}).json() == {"erased": 1}
    node.settle()
    shown = client.get(path).json()["dossier"]
    assert [e["statement"]["type"] for e in shown["entries"]][-1] == "operation.erased"
    assert {p["presence"] for e in shown["entries"] for p in e["parts"]} == {"erased"}
