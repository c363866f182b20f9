"""A dossier of many entries: they stand in pages, each long one shortened, and every link leads to its own."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tansiq.dossiers.model import Entry, Statement
from tansiq.terms import DossierId, Handling, NodeId
from tansiq.web import create_app, excerpts
from tests.support import acts
from tests.support.entries import LEGAL, START, make
from tests.support.flood import Flooder
from tests.support.services import Federation
from tests.support.web import Browser, two_services

MANY = 180
ROOM = 255 * MANY
"""Entries that are named and not here: each of the flood names as many as it can, and here all of it is taken in."""
CARD = re.compile(r'<article class="entry[^>]*id="(e-[0-9a-f]{64})"')
PAGES = re.compile(r'href="\?page=(\d+)#entries"')


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory):
    f = two_services(tmp_path_factory.mktemp("flooded"), take_waiting=ROOM)
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    flooder = Flooder(f, "madrid", dossier)
    for n in range(MANY):
        short = n in (0, MANY - 1)
        assert flooder.file(rabat, *((flooder.entry(n),) if short else flooder.longest(n))).received
    yield f, dossier
    f.close()


@pytest.fixture
def officer(flooded: tuple[Federation, DossierId]) -> Browser:
    f, dossier = flooded
    browser = Browser(create_app(f.nodes["rabat"]))
    browser.sign_in()
    browser.say_why(dossier)
    confirmed = browser.post(f"/dossiers/{dossier}/acknowledge", {"next": f"/dossiers/{dossier}"})
    assert confirmed.status_code == 200
    return browser


def template(n: int) -> Entry:
    who, none = NodeId("ma-" + "r" * 20), Handling.parse([])
    where = DossierId("d-" + "0" * 32)
    return make(
        Statement(where, "report", "report.note_added", who, "o", n, START, (), (), none, LEGAL, {}, (), None, f"{n}")
    )


def shown(page: str) -> list[str]:
    return CARD.findall(page)


def test_no_page_weighs_more_than_a_megabyte(flooded: tuple[Federation, DossierId], officer: Browser) -> None:
    """Whole, 180 such entries weigh 24 MB."""
    _, dossier = flooded
    sizes = [len(officer.get(f"/dossiers/{dossier}?page={n}").content) for n in range(1, 5)]
    assert max(sizes) < 1_000_000, sizes


def test_what_stands_beside_has_pages_too(tmp_path: Path) -> None:
    """Texts to be translated are those of one page's entries, each by its beginning."""
    f = two_services(tmp_path)
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    flooder, parents = Flooder(f, "madrid", dossier), rabat.dossiers.state(dossier).heads
    for n in range(80):
        entry, contents = flooder.longest(n, letters=200_000)
        plain = {"facts": {}, "parents": parents, "handling": Handling.parse([])}
        parents = (flooder.entry(n, **plain, parts=entry.statement.parts).id,)
        assert flooder.file(rabat, flooder.entry(n, **plain, parts=entry.statement.parts), contents).received
    assert not rabat.dossiers.state(dossier).voided()
    browser = Browser(create_app(rabat))
    browser.sign_in()
    browser.say_why(dossier)
    page = browser.get(f"/dossiers/{dossier}/beside")
    assert page.text.count('name="about"') == 31
    assert len(page.content) < 1_000_000
    first = browser.get(f"/dossiers/{dossier}/beside?page=1")
    assert first.text.count('name="about"') >= 50
    assert len(first.content) < 1_000_000
    f.close()


def test_what_a_browser_writes_longer_than_it_came_has_a_bound_too(tmp_path: Path) -> None:
    """A control character is shown by eight letters, a sign of markup by five."""
    f = two_services(tmp_path, take_waiting=ROOM)
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    flooder = Flooder(f, "madrid", dossier)
    for n in range(70):
        assert flooder.file(rabat, *flooder.longest(n, letters=20_000, word="\u202e&<'")).received
    browser = Browser(create_app(rabat))
    browser.sign_in()
    browser.say_why(dossier)
    browser.post(f"/dossiers/{dossier}/acknowledge", {"next": f"/dossiers/{dossier}"})
    page = browser.get(f"/dossiers/{dossier}")
    assert len(shown(page.text)) == 71
    assert len(page.content) < 4_000_000
    f.close()


def test_it_opens_at_the_newest_and_its_links_lead_to_every_entry(
    flooded: tuple[Federation, DossierId], officer: Browser
) -> None:
    f, dossier = flooded
    ids = [e.id for e in f.nodes["rabat"].dossiers.state(dossier).entries]
    page = officer.get(f"/dossiers/{dossier}").text
    assert shown(page)[-1] == ids[-1]
    seen = shown(page)
    while earlier := re.search(r'href="(\?page=\d+#entries)" rel="prev"', page):
        page = officer.get(f"/dossiers/{dossier}{earlier[1]}").text
        seen = shown(page) + seen
        assert len(seen) <= len(ids)
    assert seen == ids
    assert {int(n) for n in PAGES.findall(page)} >= {2, 3}
    assert 'aria-current="page">1<' in page
    assert "Entries 1 to 50 of 181" in page


def test_a_link_to_an_entry_opens_its_page_before_and_after_the_officer_has_said_why(
    flooded: tuple[Federation, DossierId],
) -> None:
    f, dossier = flooded
    ids = [e.id for e in f.nodes["rabat"].dossiers.state(dossier).entries]
    browser = Browser(create_app(f.nodes["rabat"]))
    browser.sign_in()
    asked = browser.get(f"/dossiers/{dossier}?entry={ids[60]}#{ids[60]}").text
    target = html.unescape(re.findall(r'name="next" value="([^"]+)"', asked)[0])
    assert target == f"/dossiers/{dossier}?entry={ids[60]}#{ids[60]}"
    browser.say_why(dossier, target)
    browser.post(f"/dossiers/{dossier}/acknowledge", {"next": target})
    assert shown(browser.get(target).text) == ids[50:100]


def test_an_entry_leads_to_those_that_it_follows_wherever_they_stand(
    flooded: tuple[Federation, DossierId], officer: Browser
) -> None:
    f, dossier = flooded
    first = f.nodes["rabat"].dossiers.state(dossier).first.id
    there = officer.get(f"/dossiers/{dossier}?page=1").text
    away = officer.get(f"/dossiers/{dossier}").text
    assert f'href="#{first}"' in there
    assert f'href="/dossiers/{dossier}?entry={first}#{first}"' in away
    assert f'href="#{first}"' not in away


def test_a_shortened_entry_leads_to_all_of_it(flooded: tuple[Federation, DossierId], officer: Browser) -> None:
    _, dossier = flooded
    page = officer.get(f"/dossiers/{dossier}?page=3").text
    text = re.compile(r'<div class="source"[^>]*>(.*?)</div>', re.DOTALL)
    assert max(len(x) for x in text.findall(page)) <= excerpts.ENTRY_LETTERS
    ways = re.findall(r'href="([^"]+whole=1#e-[0-9a-f]+)"', page)
    assert len(ways) == len(shown(page))
    whole = officer.get(html.unescape(ways[-1])).text
    assert shown(whole) == shown(page)
    assert sum(len(x) > 50_000 for x in text.findall(whole)) == 1
    assert len(re.findall(r"whole=1#e-", whole)) == len(ways) - 1


def test_a_number_beyond_the_last_page_is_the_last_and_no_number_is_refused(
    flooded: tuple[Federation, DossierId], officer: Browser
) -> None:
    _, dossier = flooded
    assert shown(officer.get(f"/dossiers/{dossier}?page=999").text) == shown(officer.get(f"/dossiers/{dossier}").text)
    assert officer.get(f"/dossiers/{dossier}?page=-1").status_code == 422


@pytest.mark.parametrize(("many", "pages", "last"), [(1, 1, 1), (74, 1, 74), (75, 2, 25), (124, 2, 74), (125, 3, 25)])
def test_the_last_page_is_neither_a_crumb_nor_a_heap(many: int, pages: int, last: int) -> None:
    entries = [template(n) for n in range(many)]
    newest = excerpts.leaf(entries)
    assert (newest.pages, len(newest.entries), newest.last) == (pages, last, many)
    assert excerpts.leaf(entries, named=entries[-1].id) == newest
    whole = [e for n in range(1, pages + 1) for e in excerpts.leaf(entries, n).entries]
    assert whole == entries


def test_who_told_two_stories_is_named_on_every_page(tmp_path: Path) -> None:
    """Whoever signed two entries under one counter could write a hundred more: the page that opens showed neither."""
    f = two_services(tmp_path)
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    flooder, parents = Flooder(f, "madrid", dossier), rabat.dossiers.state(dossier).heads
    plain = {"facts": {}, "handling": Handling.parse([])}
    one, other = (flooder.entry(n, **plain, parents=parents) for n in (0, 1))
    other = make(replace(other.statement, clock=one.statement.clock))
    assert flooder.file(rabat, one).received
    assert flooder.file(rabat, other).received
    assert {m.entry for m in rabat.dossiers.state(dossier).marks if m.code == "equivocation"} == {one.id, other.id}
    browser = Browser(create_app(rabat))
    browser.sign_in()
    browser.say_why(dossier)
    warned = browser.get(f"/dossiers/{dossier}").text
    said = "signed two different entries under one counter"
    assert warned.count(said) == 2, "at each of the two, which stand here"
    parents = (one.id,)
    for n in range(1, 110):
        entry = flooder.entry(n, **plain, parents=parents)
        assert flooder.file(rabat, entry).received
        parents = (entry.id,)
    page = browser.get(f"/dossiers/{dossier}").text
    assert not {one.id, other.id} & set(shown(page))
    assert page.count(said) == 1
    for entry in (one, other):
        link = re.search(rf'href="([^"]*{entry.id}[^"]*)"', page.split(said)[1])
        assert link
        assert entry.id in shown(browser.get(html.unescape(link[1])).text)
    f.close()
