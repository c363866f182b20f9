"""Drawings of the Hit page: what is drawn is what the list says, mirrored where one reads from the right."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date

import pytest

from tansiq.terms import EntryId
from tansiq.web import graphs
from tests.support.web import Browser, Town

TODAY = date(2027, 3, 1)


@pytest.fixture
def found(town: Town):
    node = town.node("madrid")
    match = node.hits.match(town.match)
    return match, node.dossiers.entry(EntryId(match.entry))


def test_the_graph_shows_both_records_and_what_hangs_on_them(found) -> None:
    match, entry = found
    graph = graphs.of_match(match, entry, blind=False, mirrored=False)
    a, b = (next(d for d in graph.dots if d.main and d.side == side) for side in "ab")
    assert (a.words, b.words) == ("يوسف بن عمر الزروالي", "Yusef Benomar Serruali")
    assert a.x < b.x
    assert {line.how for line in graph.lines} == {"match", "uses", "drives", "seen_with"}
    assert graph.percent == int(match.score * 100)
    assert {d.kind for d in graph.dots} == {"Person", "Phone", "Vehicle"}


def test_it_is_mirrored_and_says_no_score_where_the_review_is_blind(found) -> None:
    match, entry = found
    plain = graphs.of_match(match, entry, blind=False, mirrored=False)
    mirrored = graphs.of_match(match, entry, blind=True, mirrored=True)
    assert mirrored.percent is None
    assert [round(graphs.WIDTH - d.x, 1) for d in mirrored.dots] == [d.x for d in plain.dots]
    assert [d.y for d in mirrored.dots] == [d.y for d in plain.dots]


def test_every_dot_lies_inside_and_none_on_another(found) -> None:
    match, entry = found
    graph = graphs.of_match(match, entry, blind=False, mirrored=False)
    places = [(d.x, d.y) for d in graph.dots]
    assert len(set(places)) == len(places)
    assert all(20 < x < graph.width - 20 and 30 < y < graph.height - 30 for x, y in places)


def test_a_plate_keeps_its_order_in_a_drawing(found) -> None:
    """Without a mark after its letters the digits on both sides of them would change places."""
    match, entry = found
    plate = next(d for d in graphs.of_match(match, entry, blind=False, mirrored=True).dots if d.kind == "Vehicle")
    assert plate.number
    assert plate.words == f"48213-ب{graphs.LRM}-40"


def test_without_an_entry_only_the_two_are_drawn(found) -> None:
    graph = graphs.of_match(found[0], None, blind=False, mirrored=False)
    assert [d.main for d in graph.dots][:2] == [True, True]
    assert [line.how for line in graph.lines][:1] == ["match"]


def test_the_timeline_has_a_day_for_each_thing_that_was_known(found) -> None:
    match, entry = found
    line = graphs.timeline(match, entry, today=TODAY, mirrored=False)
    said = {(m.side, w) for m in line.moments for w in m.words}
    assert {("a", "known"), ("a", "written"), ("b", "recorded"), ("both", "found")} <= said
    days = [m.day for m in line.moments]
    assert days == sorted(days)
    assert (line.first, line.last) == (days[0], days[-1])
    places = [m.x for m in line.moments]
    assert places == sorted(places)
    mirrored = [m.x for m in graphs.timeline(match, entry, today=TODAY, mirrored=True).moments]
    assert mirrored == sorted(mirrored, reverse=True)


def test_the_page_says_in_a_list_what_it_draws(town: Town, madrid: Browser) -> None:
    text = madrid.get(f"/hits/{town.match}").text
    drawings = re.findall(r"<svg class=\"graph.*?</svg>", text, re.S)
    assert len(drawings) == 2
    assert all('role="img"' in d and "aria-label=" in d for d in drawings)
    listed = text[text.index("The same as a list") :]
    for words in (
        "uses",
        "drives",
        "was seen with",
        "سميرة الودغيري",
        "an officer decided",
        "the node found the match",
    ):
        assert words in listed or words == "an officer decided"


def test_a_number_that_both_sides_have_is_drawn_once_and_joined_to_both(found) -> None:
    match, entry = found
    phone = next(
        c
        for p in entry.parts
        if p.content and p.ref.kind == "entity"
        for c in p.content["entity"]["claims"]
        if c["property"] == "number"
    )
    spaced = " ".join([phone["value"][:4], phone["value"][4:]])
    person = match.holding.entity
    claims = (*person.claims, replace(person.claims[0], property="phone", value=spaced))
    held = replace(match, holding=replace(match.holding, entity=replace(person, claims=claims)))
    graph = graphs.of_match(held, entry, blind=False, mirrored=False)
    both = [d for d in graph.dots if d.side == "both"]
    assert [d.kind for d in both] == ["Phone"]
    assert {(line.start.main, line.side, line.how) for line in graph.lines if line.end in both} == {
        (True, "a", "uses"),
        (True, "b", "phone"),
    }
    assert not [d for d in graph.dots if d.kind == "phone"], "and not a second time as ours"


def test_the_axis_names_months_and_today_has_its_own_line(found) -> None:
    match, entry = found
    line = graphs.timeline(match, entry, today=TODAY, mirrored=False)
    assert [x.day for x in line.ticks] == ["2026-12", "2027-01", "2027-02", "2027-03"]
    assert line.today >= max(m.x for m in line.moments)
    short = graphs.timeline(match, entry, today=line.last, mirrored=False)
    assert [x.day for x in short.ticks] == [d.isoformat() for d in (line.first, line.last)]
    long = graphs.timeline(match, entry, today=date(2036, 3, 1), mirrored=False)
    assert len(long.ticks) <= graphs.MOST_TICKS
    labelled = sorted(m.x for m in line.moments if m.side == "a" and (m.day, m.side) in line.labelled)
    assert all(b - a >= graphs.ROOM for a, b in itertools.pairwise(labelled))


def test_the_names_of_the_two_in_question_stand_off_the_links(found) -> None:
    """Under their dot and towards each other: on the outer side a link would run through the letters."""
    match, entry = found
    for mirrored in (False, True):
        graph = graphs.of_match(match, entry, blind=False, mirrored=mirrored)
        a, b = (next(d for d in graph.dots if d.main and d.side == side) for side in "ab")
        assert a.lines == ("يوسف بن عمر", "الزروالي")
        assert b.lines == ("Yusef Benomar", "Serruali")
        inward = 1 if a.x < b.x else -1
        assert inward * (a.words_x - a.x) > 0 > inward * (b.words_x - b.x)
        wide = {d.key: max(map(len, d.lines)) * graphs.LETTER / 2 for d in (a, b)}
        assert abs(a.words_x - b.words_x) > wide["a"] + wide["b"], "and they do not meet"
        for line in (x for x in graph.lines if x.start is a and x.end is not b and x.end.y > a.y + 26):
            foot = a.y + 26 + 16
            crossing = a.x + (line.end.x - a.x) * (foot - a.y) / (line.end.y - a.y)
            assert abs(crossing - a.words_x) > wide["a"], line.how
    others = [d for d in graph.dots if not d.main]
    assert others
    assert all(d.words_x == d.x and d.lines == (d.words,) for d in others)
