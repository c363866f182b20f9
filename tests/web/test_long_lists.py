"""Lists of much: in pages, and with each dossier of a list folded once at most, without opening a content."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import text

from tansiq.dossiers import desk, effective_handling
from tansiq.dossiers.model import PutOff
from tansiq.hits.model import MatchState
from tansiq.terms import DossierId, EntryId
from tansiq.web.pages import hits, lists
from tests.support.web import Browser, Town


def test_the_codes_of_a_list_are_those_of_its_dossiers_read_one_by_one(town: Town) -> None:
    node = town.node("madrid")
    matches = node.hits.matches()
    assert matches
    alone = []
    for m in matches:
        state = node.dossiers.state(DossierId(m.dossier))
        entry = state.entry(EntryId(m.entry))
        assert entry is not None
        alone += [m.holding.handling(), m.incoming.handling(), effective_handling(state, entry).codes]
    together = lists.shown_codes(node, matches, frozenset())
    assert [sorted(x) for x in together] == [sorted(x) for x in alone]
    assert any("H2" in x for x in together)


def test_a_list_folds_each_dossier_once_and_opens_no_content(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    node = town.node("madrid")
    matches = node.hits.matches() * 50
    loaded: list[str] = []
    real = desk._fold_rows

    def counted(w, dossier, rows):
        loaded.append(dossier)
        return real(w, dossier, rows)

    def refused(*_args: object, **_more: object) -> None:
        raise AssertionError("a list opens no content")

    monkeypatch.setattr(desk, "_fold_rows", counted)
    monkeypatch.setattr(desk, "load_state", refused)
    lists.shown_codes(node, matches, frozenset())
    assert len(loaded) == len({m.dossier for m in matches})


def test_what_is_not_here_any_more_breaks_no_list(town: Town) -> None:
    gone = (DossierId("d-" + "f" * 32), EntryId("e-" + "f" * 64))
    assert town.node("madrid").dossiers.restrictions.handlings([gone]) == {}


def test_many_hits_stand_in_pages_and_none_is_left_out(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [m.id for m in town.node("madrid").hits.matches()]
    monkeypatch.setattr(hits, "PAGE", 1)
    path, seen = "/hits?state=all", []
    while path:
        page = html.unescape(madrid.get(path).text)
        seen += re.findall(r'<a class="what" href="/hits/(m-[0-9a-f]+)"', page)
        found = re.search(r'href="(/hits\?state=all&after=[^"]+)"', page)
        path = found[1] if found else ""
        assert len(seen) <= len(ids)
    assert seen == ids
    assert madrid.get("/hits?state=all&after=nonsense").status_code == 200


def test_many_duties_stand_in_pages_the_most_urgent_first(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = re.findall(r'<a class="what" href="([^"]+)">', madrid.get("/").text)
    monkeypatch.setattr(lists, "PAGE", 1)
    first = html.unescape(madrid.get("/").text)
    assert "Less urgent ones" in first
    assert re.search(r"\d+ duties of ours", first), "all are counted"
    path, seen = "/", []
    while path:
        ours = html.unescape(madrid.get(path).text).partition("What partners owe us")[0]
        seen += re.findall(r'<a class="what" href="([^"]+)">', ours)
        found = re.search(r'href="(/\?mine=\d+)">Less', ours)
        path = found[1] if found else ""
        assert len(seen) <= len(whole)
    assert seen == whole[: len(seen)]
    assert len(seen) > 1
    assert madrid.get("/?mine=x").status_code == 422
    beyond = html.unescape(madrid.get(f"/?mine={len(seen) + 100}").text).partition("What partners owe us")[0]
    assert f'href="{seen[-1]}"' in beyond, "the last page, not 'nothing is due'"


def test_many_dossiers_stand_in_pages_and_none_of_one_instant_is_left_out(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = town.node("madrid")
    instant = node.dossiers.rows()[0].updated_at
    node.store.write(lambda tx: tx.execute(text("update dossiers set updated_at = :at"), {"at": instant}))
    ids = [r.id for r in node.dossiers.rows()]
    monkeypatch.setattr(lists, "PAGE", 1)
    path, seen = "/dossiers", []
    while path:
        page = html.unescape(madrid.get(path).text)
        seen += re.findall(r'<a class="what" href="/dossiers/(d-[0-9a-f]+)"', page)
        found = re.search(r'href="(/dossiers\?kind=&before=[^"]+)"', page)
        path = found[1] if found else ""
        assert len(seen) <= len(ids)
    assert seen == ids
    assert len(seen) > 1


def test_the_live_bar_tells_of_a_duty_that_stands_behind_the_page(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = town.node("madrid")
    monkeypatch.setattr(lists, "PAGE", 1)
    asked = re.search(r'hx-get="([^"]+)"', madrid.get("/").text)
    assert asked
    assert "live-bar" not in madrid.get(html.unescape(asked[1])).text
    last = node.dossiers.duties(node.node_id)[-1]
    gone = text("delete from dossier_duties where dossier = :of and code = :code and owner = :me")
    node.store.write(lambda tx: tx.execute(gone, {"of": last.dossier, "code": last.code, "me": node.node_id}))
    assert "live-bar" in madrid.get(html.unescape(asked[1])).text


def test_the_number_beside_the_navigation_is_that_of_the_page(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A match that an officer called unclear is still owed an answer."""
    node = town.node("madrid")
    counts = node.hits.counts() | {MatchState.OPEN: 3, MatchState.UNCLEAR: 2}
    monkeypatch.setattr(node.hits, "counts", lambda: counts)
    page = madrid.get("/").text
    ours = re.search(r"(\d+) duties of ours", page)
    beside = re.search(r'data-key="g i">.*?<span class="count[^>]*>(\d+)<', page, re.DOTALL)
    hits_beside = re.search(r'data-key="g h">.*?<span class="count[^>]*>(\d+)<', page, re.DOTALL)
    assert ours
    assert beside
    assert hits_beside
    assert int(beside[1]) == int(ours[1])
    assert hits_beside[1] == "3"


def test_a_partner_that_is_put_off_is_a_duty_that_names_it(
    town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, rabat = town.node("madrid"), town.node("rabat").node_id
    since = node.clock()
    told = PutOff(rabat, since, since, 7, "later.dossier", DossierId(town.dossier))
    monkeypatch.setattr(node.dossiers, "put_off", lambda: [told])
    page = html.unescape(madrid.get("/").text)
    row = next(r for r in page.split("<tr")[1:] if "sends more than this node takes in" in r)
    assert 'href="/partners"' in row
    assert "rabat" in row
    beside = re.search(r'data-key="g i">.*?<span class="count[^>]*>(\d+)<', page, re.DOTALL)
    ours = re.search(r"(\d+) duties of ours", page)
    assert beside
    assert ours
    assert beside[1] == ours[1]
