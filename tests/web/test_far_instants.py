"""A partner may write any instant of the calendar: no page of ours fails on it, and no view is worth a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tansiq.errors import Invalid
from tansiq.kinds.major_event import rules
from tansiq.terms import FIRST, LAST, format_instant
from tansiq.web import kindviews
from tansiq.web.i18n import LANGUAGES, tongue
from tests.support import acts, kind_scenes
from tests.support.drawn import EXTREMES
from tests.support.scenes import LEGAL, Scene, part
from tests.support.web import Browser, create_app
from tests.web.test_kind_views import Stage

NARROW = ("Africa/Casablanca", "Europe/Madrid", "America/New_York", "Pacific/Kiritimati", "UTC")


@pytest.fixture
def stage(tmp_path: Path):
    made = Stage(tmp_path)
    yield made
    made.f.close()


@pytest.mark.parametrize("zone", NARROW)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_instant_beyond_the_zones_calendar_is_told_as_it_is_stored(language: str, zone: str) -> None:
    speak = tongue(language, zone)
    for at in (FIRST, LAST):
        told = (speak.day(at), speak.time(at), speak.instant(at), speak.instant_of(format_instant(at)))
        assert all(told)
        try:
            at.astimezone(ZoneInfo(zone))
        except OverflowError:
            assert set(told) == {format_instant(at)}
    assert speak.day(datetime(2026, 11, 2, 23, 30, tzinfo=UTC)) != format_instant(FIRST)


def _operation(stage: Stage, at: str) -> Scene:
    facts = {
        "form": "joint_operation",
        "window_from": min(at, format_instant(stage.f.clock())),
        "window_until": at,
        "crime_areas": ["drug_trafficking"],
        "states": ["ES", "MA"],
    }
    parts = [part(kind, "x", "es") for kind in ("objective", "leaders", "data_rules")]
    body = {"subject": "Op", "facts": facts, "legal": LEGAL, "parts": parts}
    return Scene.open(stage.f, "rabat", "operation", body, to=("es",))


def _committee(stage: Stage, at: str) -> Scene:
    scene = kind_scenes.committee_founded(stage.f)
    scene.act("rabat", "committee.meeting_called", part("agenda", "x"), due=at, country="MA")
    kind_scenes._recommend(scene, "rabat", "madrid", "x", "ar", until=at)
    return scene


def _assessment(stage: Stage, at: str) -> Scene:
    due = format_instant(stage.f.clock() + timedelta(days=14))
    facts = {"form": "region", "regions": ["sahel"], "crime_areas": ["terrorism"], "due": due, "horizon_until": at}
    body = {"subject": "S", "facts": facts, "legal": LEGAL, "parts": [part("question", "x", "fr")]}
    return Scene.open(stage.f, "rabat", "assessment", body)


def _match(stage: Stage, at: str) -> Scene:
    scene = kind_scenes.major_event(stage.f)
    state = scene.state("rabat")
    fixed = next(i for i in state.own.items.values() if i.sort == "match")
    entry = state.entry(fixed.begun).statement
    who = next(n for n in ("rabat", "madrid", "berlin") if stage.f.nodes[n].node_id == entry.author)
    scene.act(who, entry.type, **(dict(entry.facts) | {"kickoff": at}))
    return scene


@pytest.mark.parametrize("at", [EXTREMES[0], EXTREMES[-1]])
@pytest.mark.parametrize("made", [_operation, _committee, _assessment, _match])
def test_the_page_of_a_dossier_shows_whatever_instant_a_partner_wrote(stage: Stage, made, at: str) -> None:
    scene = made(stage, at)
    for language in ("ar", "en"):
        assert "kind-view" in stage.page(scene, "madrid", language)
    for path in ("/", "/dossiers"):
        assert stage.browsers["madrid"].get(path).status_code == 200


@pytest.mark.parametrize("until", EXTREMES[2:])
def test_an_event_that_ends_beyond_reason_is_refused_by_step_and_field(stage: Stage, until: str) -> None:
    scene = kind_scenes.major_event(stage.f)
    facts = dict(scene.state("rabat").first.statement.facts) | {"window_until": until}
    body = {"subject": "Ev", "facts": facts, "legal": LEGAL, "parts": []}
    with pytest.raises(Invalid) as failure:
        stage.f.nodes["rabat"].dossiers.open("major_event", body, ["es"], stage.f.officers["rabat"])
    assert (failure.value.step, failure.value.field) == ("check the life cycle", "type")


@pytest.mark.parametrize("until", EXTREMES[2:])
def test_a_partner_that_sends_such_an_event_holds_up_nothing(stage: Stage, monkeypatch, until: str) -> None:
    """Its node checks nothing; ours goes on: what it sends afterwards comes in, and every page opens."""
    f = stage.f
    scene = kind_scenes.major_event(f)
    facts = dict(scene.state("rabat").first.statement.facts) | {"window_until": until}
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    with monkeypatch.context() as lying:
        lying.setattr(rules, "FARTHEST", timedelta.max)
        body = {"subject": "Ev", "facts": facts, "legal": LEGAL, "parts": []}
        evil = rabat.dossiers.open("major_event", body, ["es"], f.officers["rabat"])
    honest = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    while rabat.exchange.deliver_once(madrid.node_id, f):
        pass
    madrid.settle()
    assert madrid.dossiers.state(honest).opener == rabat.node_id
    assert madrid.dossiers.state(evil).opener is None
    madrid.dossiers.duties(madrid.node_id)
    browser = Browser(create_app(madrid))
    browser.sign_in()
    for path in ("/", "/dossiers", "/hits", f"/dossiers/{honest}"):
        assert browser.get(path).status_code < 500


def test_a_view_that_fails_gives_way_to_the_tables(stage: Stage, monkeypatch) -> None:
    scene = kind_scenes.committee(stage.f)
    assert "kind-view" in stage.page(scene, "madrid")
    told: list[dict[str, object]] = []
    monkeypatch.setattr(kindviews.log, "error", lambda event, **said: told.append({"event": event, **said}))

    def fails(_state: object, _now: object) -> None:
        raise OverflowError("Karim B., +212 600 000 087")

    plain = kindviews.face_of
    monkeypatch.setattr(kindviews, "face_of", lambda kind: replace(plain(kind), view=fails))
    page = stage.page(scene, "madrid")
    assert "kind-view" not in page
    assert 'id="items-recommendation"' in page
    monkeypatch.setattr(kindviews, "face_of", lambda kind: replace(plain(kind), view=lambda _s, _n: object()))
    page = stage.page(scene, "madrid")  # now its template fails
    assert "kind-view" not in page
    assert 'id="items-recommendation"' in page
    assert [(x["event"], x["of"]) for x in told] == [("view left out", "committee")] * 2
    assert told[0]["kind"] == "OverflowError"
    assert "Karim" not in str(told)
