"""What is stored as a code or a number, as a reader meets it: languages and countries by name, plates as on the car."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.access.model import Role
from tansiq.web.i18n import tongue
from tansiq.web.render import language_name, named, prose
from tests.support import kind_scenes
from tests.support.services import Federation
from tests.support.web import PASSWORD, Browser, Town, create_app
from tests.web.conftest import signed_in


@pytest.mark.parametrize(
    ("words", "as_number"),
    [
        ("40-ب-48213", True),
        ("+212600000142", True),
        ("1234 ABC", False),
        ("M-XY-1234", True),
        ("يوسف بن عمر الزروالي", False),
        ("Yusef Benomar Serruali", False),
        ("شارع محمد الخامس 5", False),
        ("Ahmed", False),
    ],
)
def test_a_plate_is_written_as_a_number_and_a_name_as_a_name(words: str, as_number: bool) -> None:
    assert ('class="mono"' in named(words)) is as_number


def test_a_plate_in_a_spanish_text_keeps_the_order_of_the_vehicle() -> None:
    """As plain text `48213-ب-40` is drawn 48213-40-ب there."""
    text = prose("El SUV con matrícula 48213-ب-40; llama al +212 600 000 142.")
    assert '<bdi dir="ltr" class="mono">48213-<bdi dir="rtl">ب</bdi>-40</bdi>;' in text
    assert '<bdi dir="ltr">+212 600 000 142</bdi>.' in text
    assert prose("من 3 إلى 11 نونبر 2026") == "من 3 إلى 11 نونبر 2026"
    assert prose("1-<b>-2") == "1-&lt;b&gt;-2"


def test_words_in_a_column_of_figures_keep_their_order(tmp_path: Path) -> None:
    """`لا حالة` (no case) written as a number stood as `حالة لا`."""
    f = Federation(tmp_path, lambda name: f"sqlite:///{tmp_path / name}.db")
    f.add("rabat", "madrid", "berlin")
    f.nodes["madrid"].access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
    kind_scenes.committee_founded(f)
    browser = Browser(create_app(f.nodes["madrid"]), "ar")
    browser.sign_in()
    asked = {"with": f.nodes["rabat"].node_id, "purpose": "prevention", "justification": "case 12", "do": "show"}
    page = browser.post("/scorecard", asked).text
    f.close()
    assert ">لا حالة</bdi>" in page
    assert not [cell for cell in page.split("<td")[1:] if 'class="mono"' in cell and "حالة" in cell.split("</td>")[0]]


def test_a_language_that_the_pages_do_not_speak_has_its_name_too() -> None:
    assert language_name("pt", tongue("fr", "UTC")) == "portugais"
    assert language_name("ar", tongue("de", "UTC")) == "Arabisch"
    assert language_name("xx", tongue("de", "UTC")) == "xx"


def test_languages_of_an_offer_are_named(tmp_path: Path) -> None:
    f = Federation(tmp_path, lambda name: f"sqlite:///{tmp_path / name}.db")
    f.add("rabat", "madrid", "berlin")
    f.nodes["madrid"].access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
    dossier = kind_scenes.expertise(f).dossier
    browser = Browser(create_app(f.nodes["madrid"]), "ar")
    browser.sign_in()
    browser.say_why(dossier)
    page = browser.get(f"/dossiers/{dossier}").text
    entries = page[page.index('<article class="entry') :]
    f.close()
    assert "<dt>اللغات</dt>" in entries
    told = entries[entries.index("<dt>اللغات</dt>") :].split("</dd>")[0]
    assert "العربية" in told
    assert ">ar<" not in told


def test_a_plate_in_the_list_beside_the_graph_is_written_as_on_the_car(town: Town) -> None:
    """In its own direction `40-ب-48213` became `48213-ب40-`: no plate at all."""
    page = signed_in(town, "madrid").get(f"/hits/{town.match}").text
    listed = page[page.index("The same as a list") :].split("</ul>")[0]
    plate = listed[listed.index("48213") - 120 : listed.index("48213")]
    assert 'class="mono"' in plate
