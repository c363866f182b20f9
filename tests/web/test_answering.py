"""Who answers sees what is asked: the question and its clock beside the form, for every act that answers something."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.kinds import example_of
from tansiq.web import hints, labels
from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in

QUESTION = "cruces de frontera desde el 1 de noviembre"
"""Of the question that Madrid puts to Rabat (`tansiq.demo.people`)."""
ANSWERS = ("answered", "partly_answered", "refused", "clarification_asked", "delay_announced")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):  # its own: the clock of its request is never stopped
    made = make_town(Path(tmp_path_factory.mktemp("answering")))
    yield made
    made.federation.close()


@pytest.fixture
def written(tmp_path: Path):
    """A town of one test that writes."""
    made = make_town(tmp_path)
    yield made
    made.federation.close()


@pytest.fixture(scope="module")
def rabat(town: Town) -> Browser:
    return signed_in(town, "rabat")


def beside(text: str) -> str:
    """What stands beside the form, as a person reads it."""
    found = re.search(r'<aside class="question".*?</aside>', text, re.S)
    return html.unescape(found[0]) if found else ""


@pytest.mark.parametrize("act", ANSWERS)
def test_a_request_is_answered_with_its_question_and_its_clock_in_view(town: Town, rabat: Browser, act: str) -> None:
    shown = beside(rabat.get(f"/dossiers/{town.request}/acts/request.{act}").text)
    assert QUESTION in shown
    assert "Yusef Benomar Serruali" in shown, "the subject"
    assert "madrid" in shown, "who asks"
    assert "the information loses its value" in shown, "the ground of the urgency"
    assert "<tq-clock" in shown
    assert "Dir. 2023/977 art. 5(1)" in shown
    assert shown.index("Urgency") < shown.index("Longest penalty"), "in the order in which the kind tells it"


def test_the_persons_stand_there_whom_the_report_names_that_it_follows_up(town: Town, rabat: Browser) -> None:
    path = f"/dossiers/{town.request}/acts/request.answered"
    assert "يوسف بن عمر الزروالي" in beside(rabat.get(path).text)
    other = Browser(town.app("rabat"))
    other.sign_in()
    other.say_why(town.request)
    shown = beside(other.get(path).text)
    assert QUESTION in shown
    assert "يوسف بن عمر الزروالي" not in shown, "why that dossier is opened was not said yet"
    assert f'href="/dossiers/{town.dossier}"' in shown


def test_the_question_stays_when_the_form_comes_back_and_is_read_on_the_record(town: Town, rabat: Browser) -> None:
    node = town.node("rabat")
    before = len([x for x in node.ledger.find(town.request) if x.verb == "consult"])
    wrong = rabat.post(f"/dossiers/{town.request}/acts/request.refused", {"note": "non", "do": "preview"})
    assert wrong.status_code == 422
    assert QUESTION in beside(wrong.text)
    assert len([x for x in node.ledger.find(town.request) if x.verb == "consult"]) == before + 1


def test_nothing_is_shown_to_one_who_has_not_said_why(town: Town) -> None:
    other = Browser(town.app("rabat"))
    other.sign_in()
    path = f"/dossiers/{town.request}/acts/request.refused"
    assert QUESTION not in other.get(path).text
    assert QUESTION not in other.post(path, {"note": "non", "do": "preview"}).text


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr"])
def test_each_ground_of_the_closed_list_says_what_it_means(town: Town, rabat: Browser, language: str) -> None:
    rabat.speak(language)
    text = html.unescape(rabat.get(f"/dossiers/{town.request}/acts/request.refused").text)
    rabat.speak("en")
    assert set(hints.REFUSAL_HINT) == set(labels.REFUSAL_GROUND)
    assert text.count('class="hint told"') == len(labels.REFUSAL_GROUND)
    assert "6.1" in text or "6(1)" in text or "6, par. 1" in text or "6, apdo. 1" in text or "6 Abs. 1" in text


def test_a_clarification_is_given_with_what_was_asked_in_view(written: Town) -> None:
    town, rabat, madrid = written, signed_in(written, "rabat"), signed_in(written, "madrid")
    path = f"/dossiers/{town.request}/acts"
    asked = {"narrative": "Quel véhicule exactement ?", "narrative_lang": "fr", "do": "send"}
    assert rabat.post(f"{path}/request.clarification_asked", asked).status_code == 200
    town.federation.pump()
    assert "Quel véhicule exactement ?" in beside(madrid.get(f"{path}/request.clarification_given").text)


def test_a_permission_is_answered_with_the_entry_in_view(written: Town) -> None:
    town, rabat, madrid = written, signed_in(written, "rabat"), signed_in(written, "madrid")
    about = town.node("madrid").dossiers.state(town.dossier).entries[0].id
    asking = {"fact_about": about, "fact_to": "pt", "note": "for a case in Lisbon", "do": "send"}
    sent = madrid.post(f"/dossiers/{town.dossier}/acts/dossier.permission_requested", asking)
    assert sent.status_code == 200
    town.federation.pump()
    shown = beside(rabat.get(f"/dossiers/{town.dossier}/acts/dossier.permission_answered").text)
    assert "for a case in Lisbon" in shown
    assert "يوسف بن عمر الزروالي" in shown, "what it is about"
    assert "PT" in shown


def test_a_warning_is_acknowledged_with_its_text_in_view(written: Town) -> None:
    town, rabat = written, signed_in(written, "rabat")
    node = town.node("madrid")
    now = town.federation.clock()
    body = example_of("warning", now)
    assert body is not None
    by = town.federation.officers["madrid+second"]
    law = {"purpose": "prevention", "legal_basis": "Act (example)", "transfer_basis": "binding_instrument_37a"}
    dates = {x: (now + timedelta(days=n)).date().isoformat() for x, n in (("review_on", 90), ("erase_on", 180))}
    legal = body.get("legal", {}) | law | dates | {"agreement": "ma-es-2019"}
    dossier = node.dossiers.open("warning", body | {"legal": legal}, ["ma"], by)
    town.federation.pump()
    rabat.say_why(dossier)
    text = next(p["text"] for p in body["parts"] if p.get("text"))
    shown = beside(rabat.get(f"/dossiers/{dossier}/acts/warning.acknowledged").text)
    assert text[:40] in shown
    assert "<tq-clock" in shown, "when it must be acknowledged"


def test_an_opening_act_has_nothing_beside_it(rabat: Browser) -> None:
    assert beside(rabat.get("/compose/report").text) == ""
