"""Sessions, tokens of forms, headers, bad input: what a page refuses, and what it does not let out."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tansiq.web.app import OPEN_TO_ALL, PAGES
from tests.support.web import PASSWORD, Browser, Town


def paths(town: Town, method: str) -> list[str]:
    fill = {"dossier": town.dossier, "match": town.match, "kind": "report", "act": "dossier.feedback", "draft": "f-0"}
    # What a page of another thing is asked for does not matter here: nobody gets that far.
    return [path.format_map(defaultdict(lambda: "x-0", fill)) for m, path, _ in PAGES if m == method]


def test_without_a_session_every_page_leads_to_sign_in(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    for path in paths(town, "GET"):
        answer = browser.client.get(path, follow_redirects=False)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in"), path
    for path in paths(town, "POST"):
        answer = browser.client.post(path, data={"csrf": "x"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path


def test_signing_in_with_a_wrong_password_says_nothing_of_who_is_an_officer(town: Town) -> None:
    browser = Browser(town.app("berlin"))
    wrong = browser.post("/sign-in", {"name": "auditor", "password": "not-this-one-at-all"}, source="/sign-in")
    nobody = browser.post("/sign-in", {"name": "nobody", "password": "not-this-one-at-all"}, source="/sign-in")
    assert wrong.status_code == nobody.status_code == 403
    strip = [t.text.replace("auditor", "").replace("nobody", "") for t in (wrong, nobody)]
    assert strip[0] == strip[1]
    assert "not-this-one" not in wrong.text


def test_a_session_cookie_is_out_of_reach(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    token = browser._token(browser.get("/sign-in").text)
    values = {"csrf": token, "name": "omar", "password": PASSWORD}
    answer = browser.client.post("/sign-in", data=values, follow_redirects=False)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("tq_session")).lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie


def test_a_form_without_the_sessions_token_is_refused_everywhere(town: Town, madrid: Browser) -> None:
    leaves = town.node("madrid").ledger.head().size
    for path in [*paths(town, "POST"), *(p for m, p, _ in OPEN_TO_ALL if m == "POST")]:
        if path == "/sign-out":
            continue
        for csrf in ({"x": "1"}, {"csrf": "0" * 64}, {"csrf": "é"}):
            answer = madrid.client.post(path, data=csrf)
            assert answer.status_code == 403, path
    assert town.node("madrid").ledger.head().size == leaves


def test_a_form_from_another_site_is_refused(madrid: Browser) -> None:
    malformed = ("http://[::1", "", "//", "http://[v1.x]")
    for origin in ("https://evil.example", "null", "http://node.example.evil.example", *malformed):
        values = {"csrf": madrid.csrf, "theme": "dark"}
        assert madrid.client.post("/preferences/theme", data=values, headers={"origin": origin}).status_code == 403
    own = {"origin": "http://node.example"}
    assert madrid.client.post("/preferences/theme", data={"csrf": madrid.csrf, "theme": "auto"}, headers=own).is_success


def test_another_officers_token_does_not_open_a_form(town: Town, madrid: Browser) -> None:
    other = Browser(town.app("madrid"))
    other.sign_in("omar")
    assert madrid.client.post("/ledger/verify", data={"csrf": other.csrf}).status_code == 403


def test_a_session_that_was_ended_is_dead(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    browser.sign_in("omar")
    (name, kept), *_ = ((k, v) for k, v in browser.client.cookies.items() if k.startswith("tq_session"))
    browser.post("/sign-out", {})
    browser.client.cookies.set(name, kept)
    assert browser.client.get("/", follow_redirects=False).status_code == 303


def test_who_signs_in_over_a_session_ends_it(town: Town) -> None:
    """A second officer at the same screen, at a form that still stood: the first could not sign out any more."""
    browser, copied = Browser(town.app("madrid")), Browser(town.app("madrid"))
    browser.sign_in("omar")
    (name, omars), *_ = ((k, v) for k, v in browser.client.cookies.items() if k.startswith("tq_session"))
    copied.client.cookies.set(name, omars, domain="node.example")
    assert copied.client.get("/", follow_redirects=False).status_code == 200
    wrong = {"csrf": browser.csrf, "name": "salma", "password": "not-this-one-at-all"}
    assert browser.client.post("/sign-in", data=wrong, follow_redirects=False).status_code == 403
    assert copied.client.get("/", follow_redirects=False).status_code == 200, "a failed attempt ends nothing"
    browser.client.post("/sign-in", data={**wrong, "password": PASSWORD}, follow_redirects=False)
    assert browser.client.get("/", follow_redirects=False).status_code == 200
    assert copied.client.get("/", follow_redirects=False).status_code == 303


def test_signing_in_at_another_node_of_the_same_machine_ends_no_session(town: Town) -> None:
    here, there = Browser(town.app("madrid")), Browser(town.app("rabat"))
    there.client.cookies = here.client.cookies
    here.sign_in("omar")
    there.sign_in("omar")
    assert here.client.get("/", follow_redirects=False).status_code == 200
    assert there.client.get("/", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in/", "/dossiers/", "/api/v1/duties/"])
def test_no_answer_leads_to_the_host_that_the_sender_named(madrid: Browser, path: str) -> None:
    answer = madrid.client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
    assert "evil.example" not in answer.headers.get("location", "")
    assert answer.status_code in (303, 404)


def test_headers_of_every_kind_of_answer(madrid: Browser) -> None:
    for path in ("/", "/nope", "/static/css/base.css", "/api/v1/duties", "/healthz"):
        headers = madrid.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == ("public, max-age=3600" if path.startswith("/static") else "no-store")


def test_what_is_not_there_and_what_is_malformed_look_the_same(madrid: Browser) -> None:
    texts = []
    for dossier in ("d-" + "0" * 32, "d-zz", "..%2f..", "x" * 3000):
        answer = madrid.get(f"/dossiers/{dossier}")
        assert answer.status_code == 404
        texts.append("There is no such record" in answer.text or "no such page" in answer.text)
    assert all(texts)


BAD: list[tuple[str, dict[str, object], str]] = [
    ("/purpose", {"record": "d", "purpose": "curiosity", "justification": "because"}, "purpose"),
    ("/purpose", {"record": "d", "purpose": "prevention", "justification": ""}, "justification"),
    ("/bank", {"q": "", "kind": "person", "purpose": "prevention", "justification": "case 7"}, "q"),
    ("/bank", {"q": "x" * 500, "kind": "person", "purpose": "prevention", "justification": "case 7"}, "q"),
    ("/bank", {"q": "Ana", "kind": "pet", "purpose": "prevention", "justification": "case 7"}, "kind"),
    ("/preferences/language", {"language": "tlh"}, "language"),
    ("/preferences/theme", {"theme": "pink"}, "theme"),
    ("/compose/report", {"narrative": "text", "purpose": "prevention", "legal_basis": "art. 1"}, "to"),
    ("/compose/report", {"to": "zz", "purpose": "prevention", "legal_basis": "art. 1"}, ""),
    ("/compose/report", {"to": "es", "person1_name": "Ana", "person1_birthDate": "31/12/1990"}, "person1_birthDate"),
    ("/compose/report", {"to": "es", "handling": "H3"}, "handling"),
    ("/compose/report", {"to": "es", "link1_from": "p1"}, "link1_to"),
    ("/compose/report", {"to": "es", "fact_urgency": "soon"}, "fact_urgency"),
    ("/compose/request", {"to": "ma", "fact_offence_max_penalty_months": "many"}, "fact_offence_max_penalty_months"),
]


@pytest.mark.parametrize(("path", "values", "field"), BAD)
def test_bad_input_is_named_by_its_field_and_nothing_is_written(
    town: Town, madrid: Browser, path: str, values: dict[str, object], field: str
) -> None:
    before = (town.node("madrid").ledger.head().size, len(town.node("madrid").dossiers.rows()))
    answer = madrid.post(path, values)
    assert 400 <= answer.status_code < 500, answer.status_code
    assert field in answer.text
    assert (town.node("madrid").ledger.head().size, len(town.node("madrid").dossiers.rows())) == before


def test_a_decision_needs_an_answer_and_a_reason(town: Town, madrid: Browser) -> None:
    path = f"/hits/{town.match}/decision"
    assert madrid.post(path, {"answer": "hit", "reason": "yes"}).status_code == 422
    assert madrid.post(path, {"reason": "a long enough reason"}).status_code == 422
    assert madrid.post(path, {"answer": "guilty", "reason": "a long enough reason"}).status_code == 422
    assert town.node("madrid").hits.match(town.match).state == "open"
    kept = madrid.post(path, {"answer": "hit", "reason": "kept"}).text
    assert "kept</textarea>" in kept


def test_what_was_typed_never_comes_back_in_an_error(madrid: Browser) -> None:
    text = madrid.get("/compose/Secretname").text + madrid.get("/hits?state=Secretname").text
    assert "Secretname" not in text.replace("/compose/Secretname", "").replace("Secretname</bdi>", "")


def test_a_form_over_the_limit_is_refused(madrid: Browser) -> None:
    answer = madrid.post("/bank", {"q": "x" * 1_100_000})
    assert answer.status_code == 422
    assert "body" in answer.text


def test_an_administrator_reads_no_records(town: Town) -> None:
    from tansiq.access.model import Role

    if not any(o.name == "root" for o in town.node("madrid").access.officers()):
        town.node("madrid").access.add_officer("root", (Role.ADMIN,), PASSWORD, "en")
    browser = Browser(town.app("madrid"))
    browser.sign_in("root")
    assert browser.get("/hits").status_code == 403
    assert browser.get("/dossiers").status_code == 403
    assert "شبكة" not in browser.get("/").text
    browser.say_why(town.dossier)
    answer = browser.get(f"/dossiers/{town.dossier}")
    assert answer.status_code == 403
    assert "الزروالي" not in answer.text


def test_what_other_officers_did_is_shown_to_those_who_oversee(town: Town, madrid: Browser) -> None:
    hidden = madrid.get("/ledger").text
    assert "> for those who oversee</td>" in hidden
    assert "content erased" not in hidden
    auditor = Browser(town.app("madrid"))
    auditor.sign_in("auditor")
    shown = auditor.get("/ledger").text
    assert "> for those who oversee</td>" not in shown
    # The clauses of every leaf stand on the overseer's page, those of the officer's own acts on both.
    cell = 'data-label="Clauses"'
    assert hidden.count(cell) < shown.count(cell)
