"""What stands before personal data: a purpose that nobody chose for the officer, a restriction to confirm, no score
where the review is blind."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest

from tansiq.web.i18n import LANGUAGES, tongue
from tests.support.acts import report
from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in

WORDS = "لا يُستعمل إلا في التحقيق الجاري"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):  # its own: these tests write
    made = make_town(Path(tmp_path_factory.mktemp("before")))
    yield made
    made.federation.close()


def test_no_purpose_is_chosen_beforehand(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    for path in (f"/dossiers/{town.dossier}", "/hits", "/bank", "/compose/report"):
        text = browser.get(path).text
        options = text[text.index('name="purpose"') :].split("</select>")[0]
        assert '<option value="">' in options, path
        assert "selected" not in options, path
    values = {"record": town.dossier, "next": "/", "purpose": "", "justification": "case 7 of the desk"}
    assert browser.post("/purpose", values).status_code == 422


def test_a_reason_that_is_too_long_is_refused_where_it_is_typed_and_not_kept(town: Town) -> None:
    """Kept, it would come back with each look at the record."""
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    path = f"/dossiers/{town.dossier}"
    values = {"record": town.dossier, "next": path, "purpose": "investigation", "justification": "س" * 2001}
    answer = browser.post("/purpose", values)
    assert answer.status_code == 422
    assert "This is too long." in answer.text
    assert "Why do you open this?" in browser.get(path).text
    browser.post("/purpose", values | {"justification": "س" * 2000})
    assert "Why do you open this?" not in browser.get(path).text


def test_nothing_that_accuses_is_chosen_beforehand(town: Town) -> None:
    browser = signed_in(town, "rabat")
    text = browser.get("/compose/report").text
    role = text[text.index('name="person1_role"') :].split("</select>")[0]
    assert "selected" not in role
    assert role.index('value=""') < role.index('value="SUSP"')
    recall = browser.get(f"/dossiers/{town.dossier}/acts/dossier.recalled").text
    for name in ("fact_part", "fact_reason", "fact_about"):
        options = recall[recall.index(f'name="{name}"') :].split("</select>")[0]
        assert '<option value="">' in options, name
        assert "selected" not in options, name


def test_the_list_of_hits_is_read_with_a_purpose_and_logged(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    ledger = town.node("madrid").ledger
    before = len(ledger.find("hits.list"))
    asked = browser.get("/hits?state=all").text
    assert "Why do you open this?" in asked
    assert "الزروالي" not in asked
    assert len(ledger.find("hits.list")) == before
    browser.say_why("hits.list")
    assert "الزروالي" in browser.get("/hits?state=all").text
    leaf = ledger.find("hits.list")[-1]
    assert (leaf.verb, leaf.content["justification"]) == ("consult", "case 7 of the desk")


@pytest.fixture
def restricted(town: Town) -> str:
    """A report of Rabat's under H3."""
    federation = town.federation
    body = report() | {"handling": {"codes": ["H3"], "text": WORDS}}
    made = federation.nodes["rabat"].dossiers.open("report", body, ["es"], federation.officers["rabat"])
    federation.pump()
    return made


def test_a_restriction_is_read_and_confirmed_before_anything_else(town: Town, restricted: str) -> None:
    browser, node = signed_in(town, "madrid"), town.node("madrid")
    browser.say_why(restricted)
    feedback = f"/dossiers/{restricted}/acts/dossier.feedback"
    for path in (f"/dossiers/{restricted}", feedback):
        text = browser.get(path).text
        assert "Read the restriction first" in text
        assert WORDS in text
        assert town.node("madrid").gate.title("handling.h3.read") in html.unescape(text), "the rule by its name"
        assert "Report given" not in text
    done = browser.post(f"/dossiers/{restricted}/acknowledge", {"next": feedback})
    assert "Give feedback" in done.text
    assert "Report given" in browser.get(f"/dossiers/{restricted}").text
    salma = next(o for o in node.access.officers() if o.name == "salma")
    said = [x.content for x in node.ledger.find(restricted) if x.content and x.content.get("acknowledged")]
    assert [c["clauses"] for c in said if c["officer"] == salma.id] == [["handling.h3.read"]]
    other = signed_in(town, "madrid", "omar")
    other.say_why(restricted)
    assert "Read the restriction first" in other.get(f"/dossiers/{restricted}").text, "each officer for themselves"


def test_a_program_confirms_the_restriction_too(town: Town, restricted: str) -> None:
    node = town.node("madrid")
    auditor = next(o for o in node.access.officers() if o.name == "omar")
    client = Browser(town.app("madrid")).client
    token = node.access.new_token(auditor.id, "test", 1)
    client.headers.update({"authorization": f"Bearer {token}", "tansiq-purpose": "investigation"})
    refused = client.get(f"/api/v1/dossiers/{restricted}")
    assert (refused.status_code, refused.json()["code"]) == (403, "handling.h3_unread")
    assert WORDS not in refused.text
    answer = client.post(f"/api/v1/dossiers/{restricted}/acknowledgement", json={})
    assert [r["text"] for r in answer.json()["restrictions"]] == [WORDS]
    assert client.get(f"/api/v1/dossiers/{restricted}").status_code == 200
    assert client.post(f"/api/v1/dossiers/{restricted}/acknowledgement", json={}).json() == {"restrictions": []}


def test_a_blind_review_hides_the_score_until_the_decision(town: Town) -> None:
    node = town.node("madrid")
    seen = node.settings
    node.settings = replace(seen, review=replace(seen.review, blind=True))
    try:
        browser = signed_in(town, "madrid")
        match = node.hits.match(town.match)
        percent = f"{int(match.score * 100)}%"
        for path in (f"/hits/{town.match}", "/hits?state=open"):
            text = browser.get(path).text
            assert percent not in text, path
            assert "Starting point" not in text
        assert "Blind review" in browser.get(f"/hits/{town.match}").text
        client = Browser(town.app("madrid")).client
        officer = next(o for o in node.access.officers() if o.name == "salma")
        client.headers.update({"authorization": f"Bearer {node.access.new_token(officer.id, 't', 1)}"})
        found = client.get("/api/v1/matches?state=open&purpose=investigation").json()["matches"]
        # A report under H3 may have been met as well: it tells nothing at all, and so has no score to hide.
        assert [(m["score"], m["explanation"]) for m in found if m["id"] == town.match] == [(None, None)]
        answer = {"answer": "hit", "reason": "Same name, same year, same nationality."}
        done = browser.post(f"/hits/{town.match}/decision", answer)
        assert percent in done.text
        assert "Starting point" in done.text
    finally:
        node.settings = seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_zone_is_named_by_its_city_in_the_language_of_the_page(language: str) -> None:
    word = {"ar": "الدار البيضاء", "es": "Casablanca"}.get(language, "Casablanca")
    assert tongue(language, "Africa/Casablanca").city == word
    assert "/" not in tongue(language, "America/Argentina/Buenos_Aires").city
    assert tongue(language, "UTC").city == "UTC"
