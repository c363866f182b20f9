"""Duties to decide a match: each line says which match it is, and names nobody before the officer has said why."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tansiq.demo import people
from tansiq.web.render import title_of
from tests.support.acts import report
from tests.support.web import Browser, Town

TWIN = people.MADRID_HOLDINGS[0] | {"id": "es-twin"}


def lines(page: str) -> dict[str, str]:
    """Match -> what its line says."""
    rows = re.findall(r"<tr.*?</tr>", page, re.S)
    found = {m[1]: row for row in rows if (m := re.search(r'href="/hits/(m-[0-9a-f]+)"', row))}
    return {ident: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for ident, row in found.items()}


@pytest.fixture
def town(own_town: Town) -> Town:
    """Madrid's report of Rabat met two holdings of one name."""
    own_town.federation.hold("madrid", [TWIN])
    own_town.federation.pump()
    return own_town


def test_no_two_lines_read_alike_and_none_names_anybody_before_why_is_said(town: Town) -> None:
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    page = browser.get("/").text
    told = lines(page)
    assert len(told) == 2
    assert len(set(told.values())) == 2
    matches = {m.id: m for m in town.node("madrid").hits.some(told)}
    for ident, said in told.items():
        m = matches[ident]
        assert ident[:10] in said
        assert "Person" in said
        assert f"{int(m.score * 100)}%" in said
        for name in (*m.holding.entity.names(), *m.incoming.names()):
            assert name not in said
    assert "once you have said today why" in page
    assert town.node("madrid").ledger.find("hits.list") == []


def test_once_why_is_said_both_names_stand_there_and_it_is_logged(town: Town) -> None:
    node = town.node("madrid")
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    browser.say_why("hits.list")
    page = browser.get("/").text
    assert "once you have said today why" not in page
    for ident, said in lines(page).items():
        (m,) = node.hits.some([ident])
        assert m.holding.entity.names()[0] in said
        assert m.incoming.names()[0] in said
    leaf = node.ledger.find("hits.list")[-1]
    assert leaf.content["justification"] == "case 7 of the desk"


def test_what_is_under_an_unread_restriction_is_not_named_and_its_score_is_shown_to_no_blind_reviewer(
    town: Town,
) -> None:
    node, f = town.node("madrid"), town.federation
    bound = report() | {"handling": {"codes": ["H3"], "text": "only here"}}
    before = {m.id for m in node.hits.matches()}
    f.nodes["rabat"].dossiers.open("report", bound, ["es"], f.officers["rabat"])
    f.pump()
    bound_ids = {m.id for m in node.hits.matches()} - before
    node.settings = replace(node.settings, review=replace(node.settings.review, blind=True))
    browser = Browser(town.app("madrid"))
    browser.sign_in()
    browser.say_why("hits.list")
    told = lines(browser.get("/").text)
    assert bound_ids & told.keys()
    for ident, said in told.items():
        (m,) = node.hits.some([ident])
        assert "Score" not in said
        assert ("Read the restriction first" in said) == (ident in bound_ids)
        assert (title_of(m.incoming) in said) == (ident not in bound_ids)
