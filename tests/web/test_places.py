"""The Hit page's map: places of both sides with coordinates, what they are within, and where they meet."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from tansiq.bank.model import Claim, Entity
from tansiq.dossiers.model import Part, PartRef
from tansiq.terms import EntryId, PartId
from tansiq.web import coast, maps, places
from tansiq.web.pages import hits
from tests.support.web import Browser, Town

PORT, TOWN_HALL, FAR = ("35.8869", "-5.5043"), ("35.8871", "-5.5041"), ("36.7213", "-4.4214")


def spot(name: str, at: tuple[str, str], precision: str = "") -> dict[str, object]:
    claims = [{"property": "name", "value": name, "lang": "ar"}]
    claims += [
        {"property": p, "value": v, "as_of": "2026-11-12", "precision": precision}
        for p, v in zip(("latitude", "longitude"), at, strict=True)
    ]
    return {"schema": "Location", "id": f"l-{name}", "claims": claims}


@pytest.fixture
def pair(town: Town):
    node = town.node("madrid")
    match = node.hits.match(town.match)
    return match, node.dossiers.entry(EntryId(match.entry))


def with_places(entry, *found: dict[str, object]):
    parts = tuple(
        Part(PartRef(PartId(f"p-{n:064x}"), "entity", 10), "held", {"kind": "entity", "entity": x})
        for n, x in enumerate(found)
    )
    return replace(entry, parts=(*entry.parts, *parts))


def test_without_coordinates_there_is_no_map(pair, madrid: Browser, town: Town) -> None:
    match, entry = pair
    assert places.of_match(match, entry, None) is None
    assert 'id="places"' not in madrid.get(f"/hits/{town.match}").text


def test_places_of_both_sides_stand_on_one_map_with_how_near_they_come(pair) -> None:
    match, entry = pair
    theirs, ours = (
        with_places(entry, spot("الميناء", PORT), spot("مالقة", FAR)),
        with_places(entry, spot("Puerto", TOWN_HALL)),
    )
    found = places.of_match(match, theirs, ours)
    assert found is not None
    a, far, b = found.spots
    assert [s.side for s in found.spots] == ["a", "a", "b"]
    assert [s.number for s in found.spots] == [1, 2, 3]
    assert a.meets
    assert b.meets
    assert a.metres is not None
    assert 20 < a.metres < 40
    assert not far.meets
    assert far.metres is not None
    assert 130_000 < far.metres < 140_000
    assert len(found.map.rings) == 3
    assert found.dated == 3
    assert a.where == "35.8869° N 5.5043° W"


def test_a_coarse_coordinate_meets_what_lies_within_it(pair) -> None:
    match, entry = pair
    coarse = with_places(entry, spot("المدينة", (PORT[0], "-5.40"), precision="20000"))
    found = places.of_match(match, coarse, with_places(entry, spot("Puerto", TOWN_HALL)))
    assert found is not None
    assert all(s.meets for s in found.spots)
    assert found.spots[0].radius_m == 20_000


@pytest.mark.parametrize("wrong", [("north", "-5.5"), ("nan", "-5.5"), ("91", "0"), ("1e999", "0"), ("35.8", "181")])
def test_what_is_no_place_on_the_earth_is_not_drawn(pair, wrong: tuple[str, str]) -> None:
    match, entry = pair
    assert places.of_match(match, with_places(entry, spot("x", wrong)), None) is None


def test_too_many_places_are_counted_and_the_record_in_question_is_drawn_once(pair) -> None:
    match, entry = pair
    many = with_places(entry, *(spot(f"n{i}", (str(35 + i / 10), "-5.0")) for i in range(places.MOST + 3)))
    own = Entity("q", "Location", (Claim("name", "n0"), Claim("latitude", "35.0"), Claim("longitude", "-5.0")))
    found = places.of_match(replace(match, incoming=own), many, None)
    assert found is not None
    assert len(found.spots) == places.MOST
    assert found.left_out == 3
    assert [s.name for s in found.spots].count("n0") == 1


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_page_says_in_a_list_what_the_map_draws(
    pair, town: Town, madrid: Browser, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    match, entry = pair
    state = town.node("madrid").dossiers.state(match.dossier)
    told = replace(state, entries=(with_places(entry, spot("الميناء", PORT)),))
    monkeypatch.setattr(hits, "_consult", lambda *_a: told)
    monkeypatch.setattr(hits, "_held", lambda *_a: (with_places(entry, spot("Puerto", TOWN_HALL)), ()))
    madrid.speak(language)
    text = html.unescape(madrid.get(f"/hits/{town.match}").text)
    madrid.speak("en")
    card = re.search(r'id="places".*?</section>', text, re.S)
    assert card
    for words in ("الميناء", "Puerto", "35.8869° N 5.5043° W", 'class="graph map"'):
        assert words in card[0]
    assert card[0].count("chip-status warn") == 2, "both meet"


TANGIER, MALAGA, LARACHE = ("35.88", "-5.50"), ("36.72", "-4.42"), ("35.19", "-6.15")


def boxes(drawn):
    every = [(w.text, w.x, w.y) for w in (*drawn.names, *(d.words for d in drawn.towns))]
    half = [(t, x - len(t) * maps.LETTER / 2, x + len(t) * maps.LETTER / 2, y) for t, x, y in every]
    return [(a, b) for n, a in enumerate(half) for b in half[n + 1 :]]


@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
def test_a_wide_view_has_a_coast_and_names_that_do_not_run_into_one_another(pair, language: str) -> None:
    match, entry = pair
    theirs = with_places(entry, spot("طنجة المتوسط", TANGIER), spot("الميناء", PORT), spot("Tanger Med", TANGIER))
    found = places.of_match(
        match, theirs, with_places(entry, spot("Málaga", MALAGA), spot("Larache", LARACHE)), language
    )
    assert found is not None
    assert found.map.lands
    assert "Málaga" in {w.text for w in found.map.names}
    towns = {d.words.text for d in found.map.towns}
    assert {"ar": "تطوان", "fr": "Tétouan", "es": "Tetuán"}.get(language, "Tétouan") in towns
    for (_, a1, a2, y1), (_, b1, b2, y2) in boxes(found.map):
        assert a2 <= b1 or b2 <= a1 or abs(y1 - y2) >= maps.LINE - 0.2


def test_a_harbour_seen_close_and_a_place_far_from_the_drawn_coast_have_none(pair) -> None:
    match, entry = pair
    close = places.of_match(match, with_places(entry, spot("x", PORT), spot("y", TOWN_HALL)), None)
    far = places.of_match(match, with_places(entry, spot("x", PORT), spot("y", ("40.7", "-74.0"))), None)
    assert close is not None
    assert far is not None
    assert close.map.lands == far.map.lands == ()
    assert close.map.towns == ()


DRY = ((-4.0, 40.4), (-7.0, 32.0), (10.0, 50.0), (12.5, 42.0), (9.0, 40.0))
WET = ((-5.6, 35.94), (-3.0, 36.0), (-10.5, 36.0), (12.0, 40.0), (5.0, 55.0), (-4.0, 45.0), (14.5, 43.5))


@pytest.mark.parametrize(("at", "dry"), [*((x, True) for x in DRY), *((x, False) for x in WET)])
def test_land_and_sea_lie_where_they_are(at: tuple[float, float], dry: bool) -> None:
    x, y = at
    small = [coast.clipped(ring, x - 0.02, x + 0.02, y - 0.02, y + 0.02) for ring in coast.LANDS]
    assert any(small) is dry


def test_every_town_stands_on_land() -> None:
    for t in coast.TOWNS:
        near = (t.longitude - 0.15, t.longitude + 0.15, t.latitude - 0.15, t.latitude + 0.15)
        assert any(coast.clipped(ring, *near) for ring in coast.LANDS), t.names[0]
