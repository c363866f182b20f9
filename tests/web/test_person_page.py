"""The page and the programs' way to everything held on one person: by role, by choice, signed; the log by filter."""

from __future__ import annotations

import json

import pytest

from tansiq.oversight import gathering, verify_extract, verify_log
from tansiq.web.i18n import tongue
from tests.support.web import Browser, Town

ASKED = {"name": "Youssef Benomar Zerouali", "birthDate": "1989-06-17", "right": "access"}
WHY = {"purpose": "investigation", "justification": "request 12 of the person"}
NOT_COMPLETE = (
    "This search is not complete: more may be held on this person than it goes through. A birth date or a number "
    "narrows it down; each further spelling can be searched by itself."
)
PERSON = {"name": [ASKED["name"]], "birthDate": [ASKED["birthDate"]]}


def browser(town: Town, name: str, language: str = "en") -> Browser:
    made = Browser(town.app("madrid"), language)
    made.sign_in(name)
    return made


def program(town: Town, name: str) -> Browser:
    node = town.node("madrid")
    made = Browser(town.app("madrid"))
    token = node.access.new_token(next(o for o in node.access.officers() if o.name == name).id, "test", 1)
    made.client.headers.update({"authorization": f"Bearer {token}"})
    return made


def items(town: Town, *, ours: bool) -> list[str]:
    found = program(town, "auditor").client.post("/api/v1/persons/search", params=WHY, json={"person": PERSON}).json()
    return [t["id"] for t in found["things"] if t["ours"] is ours]


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
def test_the_page_lists_what_is_held_with_whose_it_is_and_where_it_went(town: Town, language: str) -> None:
    page = browser(town, "auditor", language).post("/person", {**ASKED, **WHY}, source="/person")
    assert page.status_code == 200
    assert "Yusef Benomar Serruali" in page.text
    assert "الزروالي" in page.text
    assert "Casals" not in page.text
    for item in (*items(town, ours=True), *items(town, ours=False)):
        assert f'value="{item}"' in page.text


def test_only_the_protection_officer_finds_the_page_and_may_use_it(town: Town) -> None:
    assert 'href="/person"' in browser(town, "auditor").get("/").text
    salma = browser(town, "salma")
    assert 'href="/person"' not in salma.get("/").text
    assert salma.post("/person", {**ASKED, **WHY}, source="/person").status_code == 403


def test_a_decision_that_is_posted_again_is_kept_once(town: Town) -> None:
    node, auditor = town.node("madrid"), browser(town, "auditor")
    form = {**ASKED, **WHY, **DECIDED, "request": "2026/77", "ground": ["b"], "once": "a-form-of-its-own"}
    pages = [auditor.post("/person/decision", form, source="/person") for _ in range(2)]
    assert [p.status_code for p in pages] == [200, 200]
    leaves = [x for x in node.ledger.find("person.decision") if (x.content or {}).get("request_number") == "2026/77"]
    assert len(leaves) == 1
    for page in pages:
        assert str(leaves[0].index) in page.text


@pytest.mark.parametrize(
    ("changed", "field"), [({"name": ""}, "name"), ({"justification": ""}, "justification"), ({"right": "x"}, "right")]
)
def test_what_is_wrong_in_the_form_is_said_at_its_field(town: Town, changed: dict[str, str], field: str) -> None:
    page = browser(town, "auditor").post("/person", {**ASKED, "birthDate": "", **WHY, **changed}, source="/person")
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text


def test_the_extract_of_what_was_marked_is_signed_and_keeps_a_partners_content_back(town: Town) -> None:
    own, theirs = items(town, ours=True)[0], items(town, ours=False)[0]
    auditor = browser(town, "auditor")
    values = {**ASKED, **WHY, "item": own}
    answer = auditor.post("/person/extract", values, source="/person")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert [t["id"] for t in verify_extract(answer.content)["extract"]["things"]] == [own]
    answer = auditor.post("/person/extract", {**values, "item": theirs}, source="/person")
    assert [t["kept_back"] for t in verify_extract(answer.content)["extract"]["things"]] == ["consent"]
    answer = auditor.post("/person/extract", {**values, "item": theirs, "consented": theirs}, source="/person")
    assert [t["kept_back"] for t in verify_extract(answer.content)["extract"]["things"]] == [""]


def test_an_extract_of_nothing_shows_the_page_again_with_what_was_found(town: Town) -> None:
    page = browser(town, "auditor").post("/person/extract", {**ASKED, **WHY}, source="/person")
    assert page.status_code == 422
    assert "Yusef Benomar Serruali" in page.text


def test_a_program_extracts_what_verifies(town: Town) -> None:
    body = {"person": PERSON, "right": "authority", "items": items(town, ours=True)}
    answer = program(town, "auditor").client.post("/api/v1/persons/extract", params=WHY, json=body)
    said = verify_extract(answer.content)["extract"]
    assert (said["right"], said["clauses"]) == ("authority", ["LED art. 17"])
    assert json.loads(answer.content)["type"] == "tansiq.person.v1"


@pytest.mark.parametrize(
    ("officer", "body", "status", "code", "field"),
    [
        ("salma", {"person": PERSON}, 403, "person.role", "role"),
        ("omar", {"person": PERSON}, 403, "person.role", "role"),
        ("auditor", {"person": {}}, 422, "person.empty", "name"),
        ("auditor", {}, 422, "body.missing", "person"),
        ("auditor", {"person": PERSON, "more": 1}, 422, "body.unknown_field", "more"),
        ("auditor", {"person": {"religion": ["x"]}}, 422, "body.unknown_field", "religion"),
        ("auditor", {"person": {"name": "x"}}, 422, "body.texts", "name"),
        ("auditor", {"person": PERSON, "right": "visit"}, 422, "person.right", "right"),
    ],
)
def test_a_program_is_told_what_is_wrong(
    town: Town, officer: str, body: dict[str, object], status: int, code: str, field: str
) -> None:
    answer = program(town, officer).client.post("/api/v1/persons/search", params=WHY, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, field)


def test_programs_choose_leaves_by_day_verb_officer_and_record(town: Town) -> None:
    node, auditor = town.node("madrid"), program(town, "auditor")
    every = auditor.get("/api/v1/ledger/leaves?limit=500").json()["leaves"]
    assert len(every) == node.ledger.head().size
    asked = auditor.get("/api/v1/ledger/leaves?verb=disclose&since=2026-11-22&until=2026-11-22&limit=500").json()
    assert [x["index"] for x in asked["leaves"]] == [x["index"] for x in every if x["verb"] == "disclose"]
    of = auditor.get(f"/api/v1/ledger/leaves?record={town.dossier}&limit=500").json()["leaves"]
    assert {x["subject"][:2] for x in of} >= {"e-"}
    salma = next(o.id for o in node.access.officers() if o.name == "salma")
    hers = auditor.get(f"/api/v1/ledger/leaves?officer={salma}&limit=500").json()["leaves"]
    assert {x["content"]["officer"] for x in hers} == {salma}
    first = auditor.get("/api/v1/ledger/leaves?limit=3").json()
    assert auditor.get(f"/api/v1/ledger/leaves?before={first['older']}&limit=3").json()["leaves"] == every[3:6]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [("since=x", 422, "since"), ("verb=look", 422, "verb"), ("until=2026-13-01", 422, "until")],
)
def test_a_wrong_filter_is_named(town: Town, query: str, status: int, field: str) -> None:
    answer = program(town, "auditor").get(f"/api/v1/ledger/leaves?{query}")
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_who_does_not_oversee_sees_his_own_leaves_alone(town: Town) -> None:
    node = town.node("madrid")
    salma, omar = (next(o.id for o in node.access.officers() if o.name == n) for n in ("salma", "omar"))
    leaves = program(town, "salma").get("/api/v1/ledger/leaves?limit=500").json()["leaves"]
    assert {x["content"]["officer"] for x in leaves if x["content"]} <= {salma}
    assert program(town, "salma").get(f"/api/v1/ledger/leaves?officer={omar}").status_code == 403


def test_a_program_gives_out_the_whole_log_with_what_was_chosen(town: Town) -> None:
    body = {"open": True, "verb": "disclose", "record": town.request}
    answer = program(town, "auditor").client.post("/api/v1/ledger/export", params=WHY, json=body)
    assert answer.headers["content-type"] == "application/x-ndjson"
    said = verify_log(answer.content.splitlines(keepends=True))
    assert said["size"] == town.node("madrid").ledger.head().size
    assert said["opened"] == said["chosen"] > 0
    leaf = town.node("madrid").ledger.find("ledger.export")[-1]
    assert leaf.content
    assert (leaf.content["decision"], leaf.content["record"]) == ("permit", town.request)


@pytest.mark.parametrize(
    ("officer", "body", "status", "field"),
    [
        ("salma", {"open": False}, 403, "role"),
        ("auditor", {}, 422, "open"),
        ("auditor", {"open": 1}, 422, "open"),
        ("auditor", {"open": False, "verb": "erase"}, 422, "open"),
        ("auditor", {"open": True, "verb": 1}, 422, "verb"),
        ("auditor", {"open": True, "since": "x"}, 422, "since"),
        ("auditor", {"open": True, "all": True}, 422, "all"),
    ],
)
def test_a_program_that_asks_wrongly_for_the_log_gets_nothing(
    town: Town, officer: str, body: dict[str, object], status: int, field: str
) -> None:
    answer = program(town, officer).client.post("/api/v1/ledger/export", params=WHY, json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
def test_a_search_that_is_not_complete_says_so(town: Town, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = browser(town, "auditor", language).post("/person", {**ASKED, **WHY}, source="/person")
    word = tongue(language, "Europe/Madrid").say(NOT_COMPLETE)
    assert word not in page.text
    monkeypatch.setattr(gathering, "MOST_HOLDINGS", 0)
    page = browser(town, "auditor", language).post("/person", {**ASKED, **WHY}, source="/person")
    assert word in page.text
    found = program(town, "auditor").client.post("/api/v1/persons/search", params=WHY, json={"person": PERSON}).json()
    assert (found["complete"], found["left_out"]) == (False, ["holdings"])


DECIDED = {
    "request": "2026/12",
    "decision": "restricted",
    "reason": "its subject would be told of an open investigation",
}


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
def test_a_decision_is_kept_with_its_grounds_and_found_again(town: Town, language: str) -> None:
    node, auditor = town.node("madrid"), browser(town, "auditor", language)
    asked = {**DECIDED, "request": f"2026/12-{language}"}
    before = len(node.ledger.find("person.decision"))
    page = auditor.post("/person/decision", {**ASKED, **WHY, **asked, "ground": ["b", "e"]}, source="/person")
    assert page.status_code == 200
    assert asked["request"] in page.text
    assert asked["reason"] in page.text
    leaf = node.ledger.find("person.decision")[-1]
    assert leaf.content
    assert len(node.ledger.find("person.decision")) == before + 1
    assert f'value="{ASKED["name"]}"' in page.text, "what was typed is there for the extract"
    assert ASKED["name"] not in str(page.url)
    assert leaf.content["clauses"][-3:] == ["LED art. 15(1)(b)", "LED art. 15(1)(e)", "LED art. 15(4)"]
    assert (leaf.content["right"], leaf.content["decision"], leaf.content["justification"]) == (
        "access", "restricted", WHY["justification"],
    )  # fmt: skip
    assert ASKED["name"] not in str(leaf.content)
    assert asked["reason"] in auditor.get("/person").text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ground": []}, "ground"),
        ({"reason": "short"}, "reason"),
        ({"decision": ""}, "decision"),
        ({"request": ""}, "request"),
        ({"right": "erasure"}, "decision"),
        ({"decision": "granted"}, "ground"),
    ],
)
def test_a_decision_that_lacks_something_is_not_kept(town: Town, changed: dict[str, object], field: str) -> None:
    before = len(town.node("madrid").ledger.find("person.decision"))
    values = {**ASKED, **WHY, **DECIDED, "ground": ["b"], **changed}
    page = browser(town, "auditor").post("/person/decision", values, source="/person")
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert len(town.node("madrid").ledger.find("person.decision")) == before


def test_only_those_who_oversee_read_decisions_and_only_the_protection_officer_makes_them(town: Town) -> None:
    body = {**DECIDED, "grounds": ["a"]}
    for officer in ("salma", "omar"):
        answer = program(town, officer).client.post("/api/v1/persons/decisions", params=WHY, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "person.role")
    answer = program(town, "auditor").client.post("/api/v1/persons/decisions", params=WHY, json=body)
    leaf = answer.json()["leaf"]
    assert answer.status_code == 201
    assert program(town, "salma").get("/api/v1/persons/decisions").status_code == 403
    (found, *_) = program(town, "omar").get("/api/v1/persons/decisions?request=2026/12").json()["decisions"]
    assert (found["leaf"], found["decision"]["ruling"], found["decision"]["grounds"]) == (leaf, "restricted", ["a"])
    assert program(town, "omar").get("/api/v1/persons/decisions?request=none").json()["decisions"] == []
    page = browser(town, "salma").get("/person")
    assert page.status_code == 403
    assert DECIDED["reason"] not in page.text
    assert 'action="/person"' not in page.text, "no form is filled in for nothing"
    assert "Another purpose changes nothing" in page.text
    supervisor = browser(town, "omar").get("/person").text
    assert DECIDED["reason"] in supervisor
    assert 'action="/person"' not in supervisor
    assert 'action="/person"' in browser(town, "auditor").get("/person").text


def test_an_extract_says_in_its_leaf_which_decision_it_carries_out(town: Town) -> None:
    auditor = program(town, "auditor").client

    def decided(decision: str, grounds: list[str]) -> int:
        body = {**DECIDED, "decision": decision, "grounds": grounds}
        return int(auditor.post("/api/v1/persons/decisions", params=WHY, json=body).json()["leaf"])

    granted, refused = decided("restricted", ["e"]), decided("refused", ["d"])
    body = {"person": PERSON, "items": items(town, ours=True)}
    answer = auditor.post("/api/v1/persons/extract", params=WHY, json={**body, "decided": granted})
    assert verify_extract(answer.content)["extract"]["right"] == "access"
    leaf = town.node("madrid").ledger.find("person.extract")[-1]
    assert leaf.content
    assert leaf.content["decided"] == granted
    size = town.node("madrid").ledger.head().size
    for wrong, code in (
        (refused, "person.decided_refused"), (0, "person.decided"), (size + 9, "person.decided"),
        (-1, "person.decided"), ("1", "body.number"),
    ):  # fmt: skip
        answer = auditor.post("/api/v1/persons/extract", params=WHY, json={**body, "decided": wrong})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "decided")
    answer = auditor.post("/api/v1/persons/extract", params=WHY, json={**body, "right": "erasure", "decided": granted})
    assert answer.json()["code"] == "person.decided_right"
    page = browser(town, "auditor")
    values = {**ASKED, **WHY, "item": body["items"][0], "decided": str(granted)}
    assert verify_extract(page.post("/person/extract", values, source="/person").content)
    assert town.node("madrid").ledger.find("person.extract")[-1].content["decided"] == granted  # type: ignore[index]
    found = page.post("/person", {**ASKED, **WHY}, source="/person").text
    assert f'<option value="{granted}"' in found
    assert f'<option value="{refused}"' not in found
