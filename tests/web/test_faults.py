"""A fault of the program is told as one: an honest page in the officer's language, with the log's number, no more."""

from __future__ import annotations

import html
import re

import pytest
from structlog.testing import capture_logs

from tansiq.errors import Broken
from tansiq.web import problems
from tansiq.web.endpoints import api, page
from tests.support.web import Browser, Town, create_app

SECRET = "يوسف بن عمر الزروالي"
"""Stands in the text of the fault, as a value that a template choked on would."""


def faulty(_visit: object) -> None:
    raise KeyError(SECRET)


def broken(_visit: object) -> None:
    raise Broken("ledger.fork", "the log forked", step="append", detail="leaf 7")


def with_page(town: Town, function: object) -> Browser:
    """Madrid's pages with the partners' page replaced by one that fails."""
    app = create_app(town.node("madrid"))
    (route,) = [r for r in app.routes if getattr(r, "path", "") == "/partners"]
    route.app = type(route)("/partners", page(function), methods=["GET"]).app
    browser = Browser(app)
    browser.sign_in()
    return browser


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar", "تعذر إعداد هذه الصفحة"),
        ("de", "Diese Seite konnte nicht erstellt werden"),
        ("en", "This page could not be made"),
        ("es", "No se ha podido preparar esta página"),
        ("fr", "Cette page n’a pas pu être établie"),
    ],
)
def test_a_fault_is_an_honest_page_with_the_number_that_the_log_has(town: Town, language: str, words: str) -> None:
    browser = with_page(town, faulty)
    browser.speak(language)
    with capture_logs() as logged:
        answer = browser.get("/partners")
    text = html.unescape(answer.text)
    assert answer.status_code == 500
    assert words in text
    assert "stopped writing" not in text
    found = re.search(r"F-[0-9A-F]{8}", text)
    assert found
    (line,) = [x for x in logged if x["event"] == "unexpected"]
    assert line["reference"] == found[0]
    assert line["kind"] == "KeyError"
    assert any("test_faults.py" in at and "faulty" in at for at in line["at"]), "where it went wrong"
    assert SECRET not in text + repr(logged), "the text of a fault may quote what was typed"


def test_a_broken_invariant_still_says_that_the_node_stopped(town: Town) -> None:
    with capture_logs() as logged:
        text = with_page(town, broken).get("/partners").text
    assert "The node has stopped writing" in text
    assert logged[-1]["reference"] in text
    assert "leaf 7" not in text


def test_where_the_frame_of_every_page_is_at_fault_a_bare_page_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = with_page(town, faulty)
    browser.speak("ar")

    def nothing(*_args: object, **_more: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(problems, "render", nothing)
    with capture_logs() as logged:
        answer = browser.get("/partners")
    assert answer.status_code == 500
    assert 'dir="rtl"' in answer.text
    assert "تعذر إعداد هذه الصفحة" in answer.text
    assert SECRET not in answer.text + repr(logged)
    assert {x["reference"] for x in logged} == {re.search(r"F-[0-9A-F]{8}", answer.text)[0]}  # type: ignore[index]


def test_a_program_gets_a_document_that_claims_no_broken_invariant(town: Town) -> None:
    app = create_app(town.node("madrid"))
    (route,) = [r for r in app.routes if getattr(r, "path", "") == "/api/v1/duties"]
    route.app = type(route)("/api/v1/duties", api(faulty), methods=["GET"]).app
    browser = Browser(app)
    officer = next(o for o in town.node("madrid").access.officers() if o.name == "salma")
    token = town.node("madrid").access.new_token(officer.id, "test", 1)
    with capture_logs() as logged:
        answer = browser.client.get("/api/v1/duties", headers={"authorization": f"Bearer {token}"})
    found = answer.json()
    assert answer.status_code == 500
    assert found["type"] == "urn:tansiq:problem:fault"
    assert found["reference"] == logged[-1]["reference"]
    assert SECRET not in answer.text
