"""Names in the other script: what a machine spells beside them, and when it keeps silent."""

from __future__ import annotations

import html
import re

import pytest

from tansiq.web.transcription import LONGEST, script_of, transcribed
from tests.support.web import Browser, Town


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("عبد الرحمن بن موسى الحدادي", "ʿAbd ar-Raḥmān bin Mūsā al-Ḥaddādī"),
        ("يوسف بن عمر", "Yūsuf bin ʿUmar"),
        ("سلمى الوزاني", "Salmā al-Wzānī"),
        ("مُحَمَّد", "Muḥammad"),
        ("تطوان", "Tiṭwān"),
        ("زبيغ", "Zbīgh"),
    ],
)
def test_an_arabic_name_is_spelled_in_latin(written: str, spelled: str) -> None:
    for reader in ("en", "fr", "es", "de"):
        assert transcribed(written, reader) == spelled
    assert transcribed(written, "ar") == ""


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("Abderrahman El Haddadi Ben Moussa", "عبد الرحمن الحدادي بن موسى"),
        ("Yusef Benomar", "يوسف بن عمر"),
        ("Abdelkader", "عبد القادر"),
        ("Mohamed", "محمد"),
        ("Mahmoud", "محمود"),
        ("Rachid", "رشيد"),
        ("Klaus Schmidt", "كلاوس شميدت"),
    ],
)
def test_a_latin_name_is_spelled_in_arabic_for_readers_of_arabic_alone(written: str, spelled: str) -> None:
    assert transcribed(written, "ar") == spelled
    assert transcribed(written, "fr") == ""


@pytest.mark.parametrize(
    ("written", "another"),
    [
        ("Jamil", "جمال"), ("Salim", "سلام"), ("Salem", "سلام"), ("Kamil", "كمال"), ("Ammar", "عمر"), ("Karam", "كريم"),
        ("Rashad", "رشيد"), ("Anis", "أنس"), ("Mina", "أمينة"), ("Samia", "أسامة"), ("Malika", "مالقة"),
        ("Benjamin", "بن جامين"), ("Bingham", "بن غام"), ("Benedikt", "بن إديكت"),
    ],
)  # fmt: skip
def test_no_name_is_spelled_as_another_of_the_same_consonants(written: str, another: str) -> None:
    """An officer who reads Arabic alone would take one person for another."""
    assert transcribed(written, "ar") != another


@pytest.mark.parametrize("odd", ["", " ", "12345", "يوسف Yusef", "-", "ال", "'", "ا" * (LONGEST + 1), "Дмитрий"])
def test_what_has_no_script_or_both_is_left_as_it_is(odd: str) -> None:
    for reader in ("ar", "en"):
        assert script_of(odd) in ("", "ar")
        assert isinstance(transcribed(odd, reader), str)
    assert transcribed("يوسف Yusef", "en") == transcribed("12345", "ar") == transcribed("ا" * (LONGEST + 1), "en") == ""


def test_the_hit_page_says_that_a_machine_spelled_it(town: Town, madrid: Browser) -> None:
    shown = {}
    for language in ("en", "ar"):
        madrid.speak(language)
        shown[language] = html.unescape(madrid.get(f"/hits/{town.match}").text)
    madrid.speak("en")
    assert re.search(r"A machine's transcription: <bdi[^>]*>Yūsuf bin ʿUmar", shown["en"])
    assert re.search(r"نقل آلي للحروف: <bdi[^>]*>يوسف بن عمر", shown["ar"])
    assert "Yūsuf" not in shown["ar"]


def test_a_translation_stands_behind_a_switch_with_who_made_it(town: Town, madrid: Browser) -> None:
    page = madrid.get(f"/hits/{town.match}").text
    assert 'class="views"' not in page
    node = town.node("madrid")
    match = node.hits.match(town.match)
    entry = node.dossiers.entry(match.entry)
    part = next(p.ref.id for p in entry.parts if p.ref.kind == "narrative")
    by = node.access.acting(next(o for o in node.access.officers() if o.name == "salma"), "investigation", "case 12")
    node.dossiers.translate(match.dossier, entry.id, part, "Una red de vehículos robados.", "es", "machine", by)
    page = html.unescape(madrid.get(f"/hits/{town.match}").text)
    switch = re.search(r'<fieldset class="views">.*?</fieldset>', page, re.S)
    assert switch
    assert switch[0].index("في إطار") < switch[0].index("Una red de vehículos robados.")
    assert re.search(r'id="view-1" checked', switch[0])
    assert "A machine may have it wrong: the original counts." in switch[0]
    assert switch[0].count("checked") == 1
