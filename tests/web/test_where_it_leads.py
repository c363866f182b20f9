"""After an act the officer stands before what came of it; what is wrong, or the gate's answer, has the focus."""

from __future__ import annotations

import re

import pytest

from tansiq.bank.model import Claim, Entity
from tansiq.cli.hit import _called
from tansiq.demo import people
from tests.support.web import Browser, Town


@pytest.fixture
def asked(town: Town) -> Browser:
    made = Browser(town.app("rabat"))
    made.sign_in()
    made.say_why(town.dossier)
    return made


def add_note(town: Town, officer: Browser, do: str, text: str = "Seen again at the port."):
    values: dict[str, object] = {"note": text, "note_lang": "en", "justification": "case 7 of the desk", "do": do}
    return officer.post(f"/dossiers/{town.dossier}/acts/report.note_added", values)


def test_what_was_sent_is_what_one_looks_at_next(town: Town, asked: Browser) -> None:
    preview = add_note(town, asked, "preview")
    assert re.search(r'<section class="card" id="gate" tabindex="-1" autofocus>', preview.text)
    sent = add_note(town, asked, "send")
    newest = town.node("rabat").dossiers.state(town.dossier).entries[-1]
    assert sent.history[-1].headers["location"] == f"/dossiers/{town.dossier}?entry={newest.id}#{newest.id}"
    assert re.search(rf'<article [^>]*id="{newest.id}" tabindex="-1"', sent.text), "and it can take the focus"


def test_what_is_wrong_has_the_focus_and_the_gate_has_not(town: Town, asked: Browser) -> None:
    wrong = asked.post(f"/dossiers/{town.dossier}/acts/dossier.recalled", {"do": "send"})
    assert wrong.status_code == 422
    assert wrong.text.count(" autofocus") == 1
    assert re.search(r'class="error-summary" role="alert" tabindex="-1" autofocus', wrong.text)


def test_a_delivery_says_before_it_is_opened_that_a_part_was_withheld(town: Town, asked: Browser) -> None:
    text = asked.get(f"/dossiers/{town.dossier}").text
    heads = re.findall(r"<summary>(?:(?!</summary>).)*withheld from it.*?</summary>", text, re.S)
    assert len(heads) == 1
    assert "berlin" in heads[0], "Berlin's alone: Madrid got all of it"


def test_a_recalled_part_is_called_by_what_it_was(town: Town, asked: Browser) -> None:
    rabat = town.node("rabat")
    own = rabat.dossiers.open("report", people.report_body([]), ["es"], town.federation.officers["rabat"])
    asked.say_why(own)
    opening = rabat.dossiers.state(own).entries[0]
    phone = next(
        p for p in opening.parts if p.ref.kind == "entity" and p.content and p.content["entity"]["schema"] == "Phone"
    )
    number = phone.content["entity"]["claims"][0]["value"]  # type: ignore[index]
    recall: dict[str, object] = {
        "fact_about": opening.id,
        "fact_part": phone.ref.id,
        "fact_reason": "inaccurate",
        "do": "send",
    }
    text = asked.post(f"/dossiers/{own}/acts/dossier.recalled", recall).text
    rail = text[text.index("Recalled parts") :]
    assert number in rail[: rail.index("</section>")]
    assert f'href="#{phone.ref.id}"' not in text, "no link that leads nowhere"


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Your reason in a few words"), ("ar", "سببكم بكلمات قليلة"), ("de", "Ihr Grund in wenigen Worten")],
)
def test_a_small_form_names_its_wrong_field_in_words(town: Town, language: str, name: str) -> None:
    browser = Browser(town.app("rabat"), language)
    browser.sign_in()
    values = {"record": town.dossier, "purpose": "investigation", "justification": "x", "next": "/"}
    answer = browser.post("/purpose", values)
    summary = re.search(r'class="error-summary".*?</ul>', answer.text, re.S)
    assert summary
    assert f'<small class="muted"><bdi dir="auto">{name}</bdi></small>' in summary[0]


def test_what_is_no_entry_is_called_by_what_it_is_among_the_deliveries(town: Town) -> None:
    node = town.node("madrid")
    node.be_witnessed()
    town.federation.pump(6)
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    text = browser.get("/partners").text
    assert "Our log&#39;s head, for this partner to witness" in text
    assert re.search(r"Plans and conflicts: \w", text)
    assert not re.search(r">(c-)?w-\d+-\d+<", text)
    assert not re.search(r"<td><bdi[^>]*>plan:", text), "a letter about a plan is told in words too"


def test_the_command_calls_a_number_by_the_number() -> None:
    phone = Entity("ph1", "Phone", (Claim("number", "+212600000142"),))
    plate = Entity("v1", "Vehicle", (Claim("country", "ma"), Claim("registrationNumber", "48213-ب-40")))
    person = Entity("p1", "Person", (Claim("birthDate", "1989"), Claim("name", "Driss Bekkali")))
    assert [_called(x) for x in (phone, plate, person)] == [
        "Phone +212600000142",
        "Vehicle 48213-ب-40",
        "Driss Bekkali",
    ]
