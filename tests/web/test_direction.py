"""Texts of two directions on one page: numbers keep their order, and what turns a text unseen is seen."""

from __future__ import annotations

import re

import pytest

from tansiq.demo import people
from tansiq.web import views
from tansiq.web.render import environment, prose
from tests.support.web import Browser, Town

OVERRIDE = "\u202e"


def test_a_number_in_an_arabic_text_is_read_from_the_left() -> None:
    text = prose("رصد استعمال الرقم +212 600 000 142 مرتين")
    assert '<bdi dir="ltr">+212 600 000 142</bdi>' in text
    assert "<script" not in prose("<script>+212600000142")


@pytest.mark.parametrize(
    ("value", "number"),
    [("+212600000142", True), ("48213-ب-40", True), ("0417 KZZ", True), ("يوسف", False), ("Rue 12 de la Gare", False)],
)
def test_marked_numbers_are_told_from_marked_names(value: str, number: bool) -> None:
    assert views.Piece(value, "a").number is number


def test_a_telephone_and_a_plate_in_the_report_stand_as_they_are_written(town: Town, madrid: Browser) -> None:
    text = madrid.get(f"/hits/{town.match}").text
    source = text.split('class="source"')[1].split("</div>")[0]
    assert re.search(r'<bdi dir="ltr" class="mono">\+212600000142</bdi>', source)
    assert re.search(r'<bdi dir="ltr" class="mono">48213-<bdi dir="rtl">ب</bdi>-40</bdi>', source)


def test_a_direction_control_is_seen_wherever_a_template_writes_it() -> None:
    env = environment("en")
    said = env.from_string('<bdi dir="auto">{{ subject }}</bdi>').render(subject=f"invoice{OVERRIDE}fdp.exe")
    assert OVERRIDE not in said
    assert "[U+202E]" in said


def test_what_an_officer_typed_comes_back_into_its_field_as_it_was(madrid: Browser) -> None:
    typed = f"عبد{OVERRIDE}الله"
    shown = madrid.post(
        "/compose/report", {"subject": typed, "narrative": typed, "person1_name": typed, "do": "preview"}
    )
    assert shown.status_code == 422
    assert shown.text.count(typed) == 3


def test_a_hostile_subject_is_shown_with_its_controls(town: Town, rabat: Browser) -> None:
    body = people.report_body([]) | {"subject": f"Bericht {OVERRIDE}txt.exe"}
    f = town.federation
    made = f.nodes["rabat"].dossiers.open("report", body, ["es", "de"], f.officers["rabat"])
    rabat.say_why(made)
    for path in ("/dossiers", f"/dossiers/{made}"):
        text = rabat.get(path).text
        assert OVERRIDE not in text, path
        assert "[U+202E]" in text, path


def test_the_parts_that_may_be_recalled_are_told_apart_and_none_is_offered_twice(town: Town, rabat: Browser) -> None:
    f = town.federation
    made = f.nodes["rabat"].dossiers.open("report", people.report_body([]), ["es", "de"], f.officers["rabat"])
    rabat.say_why(made)
    path = f"/dossiers/{made}/acts/dossier.recalled"
    inside = rabat.get(path).text.split('name="fact_part"')[1].split("</select>")[0]
    choices = dict(re.findall(r'<option value="(p-[^"]+)">([^<]+)<', inside))
    assert len(set(choices.values())) == len(choices), "no two parts are called the same"
    assert any("يوسف بن عمر الزروالي – uses – \u200e+212600000142" in words for words in choices.values())
    assert any("48213-ب\u200e-40" in words for words in choices.values())
    entry = town.node("rabat").dossiers.state(made).entries[0]
    recalled = next(p.ref.id for p in entry.parts if p.ref.kind == "note")
    body = {"type": "dossier.recalled", "facts": {"about": entry.id, "part": recalled, "reason": "inaccurate"}}
    assert recalled in choices
    town.node("rabat").dossiers.append(made, body, town.federation.officers["rabat"])
    assert f'value="{recalled}"' not in rabat.get(path).text.split('name="fact_part"')[1].split("</select>")[0]


def test_a_link_on_a_dossiers_page_says_whom_it_joins(town: Town, rabat: Browser) -> None:
    rabat.say_why(town.dossier)
    text = rabat.get(f"/dossiers/{town.dossier}").text
    line = text.split('class="part line"')[1].split("</div>")[0]
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", line))
    assert "يوسف بن عمر الزروالي p1 uses \u200e+212600000142\u200e ph1" in shown


@pytest.mark.parametrize("unseen", ["\x00", "\x08", "\x1b", "\x7f", "\x9b", "\U000e0041", "\u2066"])
def test_what_no_browser_shows_is_seen(unseen: str) -> None:
    mark = f"[U+{ord(unseen):04X}]"
    said = environment("en").from_string("{{ name }} {{ note|string }}").render(name=f"Ser{unseen}ruali", note=unseen)
    assert said == f"Ser{mark}ruali {mark}"
    assert f"Ser{mark}ruali" in prose(f"Ser{unseen}ruali")
    assert (
        views.visible_controls("two\tlines\r\nof text, \u200cنيم\u200cفاصله")
        == "two\tlines\r\nof text, \u200cنيم\u200cفاصله"
    )
