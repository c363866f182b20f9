"""Threat: whoever reaches the sign-in page guesses at an officer's name without end, and the officer has to wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.access.rules import FREE_FAILURES
from tansiq.web import create_app
from tests.support.services import Federation
from tests.support.web import PASSWORD, Browser, two_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Federation]:
    made = two_services(tmp_path)
    yield made
    made.close()


def guess(app: object) -> None:
    stranger = Browser(app)
    for n in range(FREE_FAILURES + 1):
        stranger.post("/sign-in", {"name": "salma", "password": f"guess number {n}"}, source="/sign-in")


def signs_in(browser: Browser) -> bool:
    browser.sign_in()
    return browser.get("/").url.path == "/"


def test_an_officer_signs_in_where_the_browser_knows_the_name_and_a_stranger_waits(services: Federation) -> None:
    app = create_app(services.nodes["madrid"])
    known = Browser(app)
    assert signs_in(known)
    known.post("/sign-out", {})
    [mark] = [(k, v) for k, v in known.client.cookies.items() if k.startswith("tq_known")]
    guess(app)
    assert not signs_in(Browser(app)), "the right password does not jump the strangers' wait"
    assert signs_in(known)
    elsewhere = Browser(create_app(services.nodes["rabat"]))
    elsewhere.client.cookies.set(*mark, domain="node.example")
    guess(elsewhere.client.app)
    assert not signs_in(elsewhere), "a mark is of one node"


def test_the_mark_is_out_of_every_scripts_and_other_sites_reach_and_names_nobody(services: Federation) -> None:
    browser = Browser(create_app(services.nodes["madrid"]))
    token = browser._token(browser.get("/sign-in").text)
    values = {"csrf": token, "name": "salma", "password": PASSWORD}
    answer = browser.client.post("/sign-in", data=values, follow_redirects=False)
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith("tq_known")]
    assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.lower().split("; "))
    assert "salma" not in cookie
    browser.post("/sign-in", {"name": "salma", "password": "not this one"}, source="/sign-in")
    refused = Browser(create_app(services.nodes["madrid"]))
    said = refused.post("/sign-in", {"name": "salma", "password": "not this one"}, source="/sign-in")
    assert "tq_known" not in said.headers.get("set-cookie", "")
