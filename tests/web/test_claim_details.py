"""What a detail says of itself, from the form to the partner's pages: handling, legal basis, erasure, precision."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.web import Browser, Town, make_town
from tests.web.conftest import signed_in
from tests.web.test_acts import report_form

NUMBER = "+212 600 000 355"


@pytest.fixture
def town(tmp_path: Path):
    made = make_town(tmp_path)
    yield made
    made.federation.close()


@pytest.fixture
def rabat(town: Town) -> Browser:
    return signed_in(town, "rabat")


def form(town: Town, **more: str) -> dict[str, object]:
    detail = {
        "person1_birthDate": "1990",
        "person1_birthDate_precision": "circa",
        "person1_birthPlace": "Casablanca-Settat",
        "person1_birthPlace_precision": "region",
        "person1_passportNumber": "ZZ0099887",
        "person1_only": "passportNumber",
        "person1_handling": "H1 H2",
        "person1_legal_basis": "Passport act (example), art. 9",
        "person1_erase_on": "2027-02-01",
        "phone1_number": NUMBER,
        "handling": "H1",
    }
    return report_form(town, **{**detail, **more})


def reader(town: Town, dossier: str) -> Browser:
    madrid = signed_in(town, "madrid")
    madrid.say_why(dossier)
    return madrid


def sent(town: Town, rabat: Browser, **more: str) -> str:
    before = {r.id for r in town.node("rabat").dossiers.rows()}
    assert rabat.post("/compose/report", form(town, do="send", **more)).status_code == 200
    (made,) = {r.id for r in town.node("rabat").dossiers.rows()} - before
    town.federation.pump()
    return made


def test_one_detail_of_a_row_says_what_differs_and_the_others_do_not(town: Town, rabat: Browser) -> None:
    dossier = sent(town, rabat)
    first = town.node("madrid").dossiers.state(dossier).entries[0]
    person = next(p.content["entity"] for p in first.parts if p.content and "zz0099887" in repr(p.content).lower())
    said = {c["property"]: {k: c[k] for k in c.keys() & {"precision", "handling", "legal_basis", "erase_on"}}
            for c in person["claims"]}  # fmt: skip
    assert said["passportNumber"] == {
        "handling": "H1 H2",
        "legal_basis": "Passport act (example), art. 9",
        "erase_on": "2027-02-01",
    }
    assert said["birthDate"] == {"precision": "circa"}
    assert said["birthPlace"] == {"precision": "region"}
    assert said["name"] == {}


WORDS = {
    "en": ("year not certain", "known to the region only", "Erase by", "ask the owner before sharing"),
    "ar": ("السنة غير مؤكدة", "معروف على مستوى الجهة فقط"),
    "fr": ("année incertaine", "connu à la région près seulement"),
    "es": ("año incierto", "conocido solo hasta la región"),
    "de": ("Jahr unsicher", "nur bis auf die Region bekannt"),
}


def test_the_partners_dossier_shows_it_in_each_language(town: Town, rabat: Browser) -> None:
    dossier = sent(town, rabat)
    madrid = reader(town, dossier)
    for language, words in WORDS.items():
        madrid.speak(language)
        text = madrid.get(f"/dossiers/{dossier}").text
        for word in (*words, "Passport act (example), art. 9"):
            assert word in text, language


def test_the_mark_of_the_page_is_that_of_its_strictest_detail(town: Town, rabat: Browser) -> None:
    dossier = sent(town, rabat)
    page = reader(town, dossier).get(f"/dossiers/{dossier}").text
    assert [str(c) for c in town.node("madrid").dossiers.state(dossier).entries[0].statement.handling.codes] == [
        "H0",
        "H1",
    ]
    marked = page.split("highest code on this page:")[1][:120]
    assert "H2" in marked


def test_what_was_erased_on_its_day_is_named_and_not_shown(town: Town, rabat: Browser) -> None:
    dossier = sent(town, rabat)
    town.federation.clock.pass_time(timedelta(days=80))
    town.node("madrid").sweep()
    page = reader(town, dossier).get(f"/dossiers/{dossier}").text
    assert "Erased on its day:" in page
    assert "ZZ0099887" not in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"person1_erase_on": "2031-01-01"}, "person1_erase_on"),
        ({"person1_birthDate": "1990-05"}, "person1_birthDate"),
        ({"person1_passportNumber": ""}, "person1_passportNumber"),
    ],
)
def test_what_is_wrong_with_a_detail_is_said_at_its_field(
    town: Town, rabat: Browser, wrong: dict[str, str], field: str
) -> None:
    answer = rabat.post("/compose/report", form(town, do="preview", **wrong))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert 'value="Passport act (example), art. 9"' in answer.text, "what was typed stays"


def test_a_hit_page_shows_how_certain_each_side_is(town: Town, rabat: Browser) -> None:
    known = {"basis": "fact", "grade": "B2"}
    claims = [
        {"property": "name", "value": "عادل بن سعيد المرابطي", "lang": "ar", **known},
        {"property": "birthDate", "value": "1990-05-02", **known},
        {"property": "passportNumber", "value": "ZZ0099887", "handling": "H2", **known},
    ]
    town.federation.hold("madrid", [{"id": "h7", "schema": "Person", "role": "SUSP", "claims": claims}])
    dossier = sent(town, rabat)
    (match,) = [m for m in town.node("madrid").hits.matches(dossier=dossier) if m.incoming.schema == "Person"]
    madrid = reader(town, dossier)
    page = madrid.get(f"/hits/{match.id}").text
    assert "year not certain" in page
    assert "circa 1990" not in page
