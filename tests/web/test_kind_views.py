"""The view of a kind on its dossier's page: what the fold says, each value leading to its entry, nothing hidden."""

from __future__ import annotations

import html
import re
import tomllib
from pathlib import Path

import pytest

from tansiq.access.model import Role
from tansiq.kinds import KINDS, face_of, items_of
from tansiq.web import kindviews
from tests.support import kind_scenes
from tests.support.messages import WEB
from tests.support.scenes import Scene
from tests.support.services import Federation
from tests.support.web import PASSWORD, Browser, create_app

SCENES = [name for name in dir(kind_scenes) if name.split("_")[0] in {k.split("_")[0] for k in KINDS}]
TEMPLATES = sorted((WEB / "templates" / "kinds").glob("*.html"))
NAMES = ("rabat", "madrid", "berlin")


class Stage:
    """A federation of its own for each scene, and its pages."""

    def __init__(self, folder: Path) -> None:
        self.f = Federation(folder, lambda name: f"sqlite:///{folder / name / 'tansiq.db'}")
        self.f.add(*NAMES)
        for node in self.f.nodes.values():
            node.access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
        self.browsers: dict[tuple[str, str], Browser] = {}
        self.played: dict[str, Scene] = {}

    def scene(self, name: str) -> Scene:
        if name not in self.played:
            self.played[name] = getattr(kind_scenes, name)(self.f)
        return self.played[name]

    def page(self, scene: Scene, name: str, language: str = "en") -> str:
        if name not in self.browsers:
            self.browsers[name] = Browser(create_app(self.f.nodes[name]))
        browser = self.browsers[name]
        # Scenes let days pass: a session of the morning is over by then.
        browser.sign_in()
        browser.say_why(scene.dossier)
        browser.speak(language)
        answer = browser.get(f"/dossiers/{scene.dossier}")
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory):
    made = Stage(Path(tmp_path_factory.mktemp("stage")))
    yield made
    made.f.close()


def views_of(page: str) -> str:
    """The sections of the view alone."""
    return "".join(re.findall(r'<section class="card kind-view.*?</section>', page, re.S))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("language", ["ar", "fr", "es", "de", "en"])
def test_a_view_is_whole_in_each_language(stage: Stage, name: str, language: str) -> None:
    scene = stage.scene(name)
    page = stage.page(scene, "madrid", language)
    shown = views_of(page)
    assert shown
    entries = {e.id for e in scene.state("madrid").entries}
    named = set(re.findall(r'href="#(e-[0-9a-f]+)"', shown))
    assert named
    assert named <= entries
    assert all(f'id="{e}"' in page for e in named), "every link of the view has its place on the page"
    assert "style=" not in shown
    assert not re.search(r"\son\w+=", shown)
    heads = re.findall(r"<h([1-6])", page)
    assert heads.count("1") == 1


@pytest.mark.parametrize("name", SCENES)
def test_nothing_of_a_view_stands_a_second_time_below_it(stage: Stage, name: str) -> None:
    page = stage.page(stage.scene(name), "madrid")
    assert "<h2>Where it stands</h2>" not in page
    sorts = {i.sort for i in items_of(stage.scene(name).state("madrid"))}
    shown = face_of(stage.scene(name).state("madrid").kind).shows
    for sort in sorts & shown:
        assert page.count(f'id="items-{sort}"') <= 1
        assert 'aria-labelledby="view-' in page
    tables = re.findall(r'<section class="card" id="items-(\w+)"', page)
    assert not set(tables) & shown


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.stem)
def test_every_word_of_a_view_is_in_its_kinds_list_and_no_other(path: Path) -> None:
    root = WEB.parent / "kinds"
    shared = tomllib.loads((root / "words.toml").read_text(encoding="utf-8"))["view"]
    used = set(re.findall(r"""\bw\(["'](\w+)["']\)""", path.read_text(encoding="utf-8")))
    if path.stem == "shared":
        assert used <= set(shared)
        return
    own = tomllib.loads((root / path.stem / "words.toml").read_text(encoding="utf-8"))["view"]
    assert used <= {*own, *shared}
    macros = (path.parent / "shared.html").read_text(encoding="utf-8")
    assert set(own) <= used | set(re.findall(r"""\bw\(["'](\w+)["']\)""", macros)), "a word that nothing says"


def test_a_line_of_time_mirrors_and_keeps_its_words_apart() -> None:
    from datetime import UTC, datetime, timedelta

    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    marks = [
        ("span", "the window", at + timedelta(hours=4), at + timedelta(hours=6)),
        ("now", "now", at, None),
        ("spot", "issued", at + timedelta(minutes=1), None),
        ("spot", "unknown", None, None),
    ]
    line = kindviews.line_of_time(marks, mirrored=False)
    turned = kindviews.line_of_time(marks, mirrored=True)
    assert line is not None
    assert turned is not None
    assert [s.words for s in line.spots] == ["now", "issued", "the window"]
    assert line.spots[0].x == 12
    assert turned.spots[0].x == kindviews.WIDTH - 12
    assert line.spots[2].width == turned.spots[2].width > 0
    assert [s.row for s in line.spots] == [0, 1, 0]
    assert line.rows == 2
    assert kindviews.line_of_time(marks[1:2], mirrored=False) is None


# --- assessment ---


def test_before_all_have_judged_the_page_says_who_did_and_nothing_of_it(stage: Stage) -> None:
    scene = kind_scenes.assessment_judging(stage.f)
    page = views_of(stage.page(scene, "rabat"))
    said = text_of(page)
    assert said.count("has judged, sealed") == 2
    assert said.count("has not judged yet") == 1
    assert "Each judgement stays sealed" in said
    assert "%" not in said
    assert "consistent" not in said
    scene.later(days=5)
    assert "did not judge in time" in text_of(views_of(stage.page(scene, "rabat")))


def test_judgements_their_words_numbers_and_dissent_are_on_the_page(stage: Stage) -> None:
    scene = stage.scene("assessment")
    page = views_of(stage.page(scene, "berlin"))
    said = text_of(page)
    for words in ("likely (55 to 80%)", "65%", "Confidence in the ground", "dissents from the joint judgement"):
        assert words in said, words
    assert "Die Vorräte sprechen dagegen" in said
    assert "the services say: 20–60%" in said
    order = [page.index(f'<b class="mono">{label}</b>') for label in ("E2", "E1", "E3", "E4")]
    assert order == sorted(order), "what tells most apart stands first"
    row = page[order[0] : order[1]]
    assert "withheld" in row, "E2 was withheld from Berlin"
    assert "nuevos depósitos" not in page
    assert "nuevos depósitos" in stage.page(scene, "rabat")
    for code in ("CC", "C", "N", "I", "II"):
        assert f'class="ach {code}"' in page
    assert "Brier" not in said


def test_the_outcome_shows_each_score(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("assessment_known"), "madrid")))
    assert "What came true: H2" in said
    for score in ("0.065", "0.047", "0.287"):
        assert score in said
    assert " late" not in said, "nothing is owed any more"


# --- committee ---


def test_the_late_recommendation_stands_first_with_how_late_it_is(stage: Stage) -> None:
    page = views_of(stage.page(kind_scenes.committee(stage.f), "rabat"))
    rows = re.findall(r"<tr( class=\"urgent\")?><th scope=\"row\">(.*?)</tr>", page, re.S)
    assert [bool(urgent) for urgent, _row in rows] == [True, False, False, False, False]
    first = text_of(rows[0][1])
    for words in ("Fristen der Ersuchen", "Silence reported by", "serious deficiency"):
        assert words in first, words
    assert re.search(r"\b(9|1[012]) days( and \d+ hours?)? late", first), "forty days less a calendar month"
    signing = next(text_of(row) for _u, row in rows if "Cursos comunes" in row)
    assert re.search(r"DE berlin not signed yet", signing)
    assert re.search(r"MA this service signed", signing)
    assert "as the checklist says" not in text_of(page)
    halfway = next(row for _u, row in rows if "matrículas" in row)
    assert "60%" in halfway
    assert 'aria-current="step">in progress' in halfway
    said = text_of(page)
    assert "Language versions not approved by all: Arabic" in said
    assert re.search(r"Next meeting joint committee \d+ \w+ 20\d\d", said)


def test_a_side_signs_the_closure_from_the_tracker(stage: Stage) -> None:
    page = views_of(stage.page(stage.scene("committee"), "berlin"))
    assert re.search(r'href="/dossiers/[^"]+/acts/committee.closure_signed\?about=e-', page)


def test_a_committee_without_recommendations_says_so(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("committee_founded"), "rabat")))
    assert "No recommendation yet." in said
    assert "No meeting is called." in said


# --- operation ---


def test_a_room_that_waits_for_a_signature_says_whose_and_what_is_seen_until_then(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("operation_unsigned"), "madrid")))
    assert "Nothing opens before every party has signed." in said
    assert re.search(r"MA rabat not signed yet Tasks to do: 0 sees the agreement alone until it signs", said)
    assert "ES-MA Convention 2019" in said
    assert "No task is given." in said


def test_a_room_shows_tasks_log_results_and_what_a_partner_does_not_see(stage: Stage) -> None:
    scene = kind_scenes.operation(stage.f)
    page = views_of(stage.page(scene, "madrid"))
    said = text_of(page)
    assert re.search(r"MA rabat .{0,60}Parts that we withhold from it: 1", said)
    assert re.search(r"40,000 Drugs, in grams", said)
    assert "Victims freed: 3" in said, "what is disputed is shown"
    assert not re.search(r"<b>3</b><span>Victims", page), "and does not count"
    assert said.index("Lista de pagos") < said.index("Titulares de las cuatro")
    assert "1 day late" in said
    log = said[said.index("Situation log, newest first") : said.index("Results that every party agreed to")]
    # Three panes: what is to be done, then what happened; the rail beside them.
    assert said.index("Tasks 3") < said.index("Measures asked for") < said.index("Situation log, newest first")
    assert log.index("Registro el jueves") < log.index("Dos naves") < log.index("حركة")
    theirs = views_of(stage.page(scene, "rabat"))
    assert "Dos naves" not in theirs
    assert re.search(r"Situation 1 ES madrid withheld", text_of(theirs))


def test_a_closed_room_says_who_has_erased_and_when_all_must(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("operation_closed"), "madrid")))
    assert "partly reached" in said
    assert said.count("not erased yet") == 2
    assert "All erased by" in said


# --- major event ---


def test_a_match_says_where_when_how_risky_and_what_is_late(stage: Stage) -> None:
    scene = kind_scenes.major_event(stage.f)
    said = text_of(views_of(stage.page(scene, "madrid")))
    assert said.index("ESP – GER") < said.index("MAR – ESP"), "by day"
    assert "more expected than is safe" in said
    assert "host and visitors see the risk differently" in said
    assert re.search(r"MA rabat host 2 medium", said)
    assert re.search(r"this service visitor 3 high", said)
    assert re.search(r"DE berlin visitor not assessed draft, not sent .{0,60} late", said)
    assert re.search(r"Still open Information asked MA rabat DE berlin .{0,60}10 minutes late", said)
    assert re.search(r"Safety 1/26 in place: 1", said)
    assert "Its personal data die, at the latest, on" in said
    assert "safe capacity: not known" in said, "a venue that nobody told is missing, not none"


def test_after_the_match_it_says_whose_report_is_awaited(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("major_event_played"), "madrid")))
    assert re.search(r"this service visitor 3 high after the match .{0,90} given", said)
    assert re.search(r"MA rabat host 2 medium none owed awaited", said)


def test_an_event_without_matches_says_so(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("major_event_opened"), "berlin")))
    assert "No match is fixed." in said
    assert "Nothing logged yet." in said


# --- warning ---


def test_a_warning_says_who_has_read_what_holds_now_and_what_each_does(stage: Stage) -> None:
    scene = kind_scenes.warning(stage.f)
    page = views_of(stage.page(scene, "rabat"))
    said = text_of(page)
    assert "flash (30 minutes)" in said
    assert "The window lies ahead." in said
    assert re.search(r"as it stands now 1/2", said)
    assert re.search(r"DE berlin not yet .{0,60}25 minutes late", said)
    assert re.search(r"ES madrid acknowledged", said)
    assert re.search(r"DE berlin tells no measure", said)
    assert re.search(r"ES madrid patrol · under way", said)
    assert re.search(r'<svg class="graph when".*class="span span".*</svg>', page, re.S), "the window is drawn"
    assert "vestíbulo" in said
    theirs = views_of(stage.page(scene, "berlin"))
    assert re.search(r"Place withheld", text_of(theirs))
    assert "Estación del puerto" not in theirs


def test_a_warning_of_which_little_is_known_says_what_is_missing(stage: Stage) -> None:
    page = views_of(stage.page(stage.scene("warning_unknown"), "madrid"))
    said = text_of(page)
    assert "No window is known." in said
    assert re.search(r"Place not said Target not said", said)
    assert '<svg class="graph' not in page
    assert re.search(r"acts/warning.acknowledged\?about=e-", page), "it is acknowledged from here"


def test_a_warning_that_is_over_says_how_it_ended(stage: Stage) -> None:
    said = text_of(views_of(stage.page(kind_scenes.warning_over(stage.f), "berlin")))
    assert "How it ended prevented Stood down : its time has passed" in said
    assert re.search(r"ES madrid prevented · acted upon it", said)
    assert "The window has passed." in said


def test_the_erased_part_of_a_view_says_that_it_is_erased(stage: Stage) -> None:
    scene = kind_scenes.warning(stage.f)
    first = scene.state().first
    place = next(x.ref.id for x in first.parts if x.ref.kind == "place")
    scene.act("rabat", "dossier.recalled", about=first.id, part=place, reason="inaccurate")
    scene.f.pump(6)
    page = views_of(stage.page(scene, "madrid"))
    assert re.search(r"Place erased", text_of(page))
    assert "Estación del puerto" not in page


# --- expertise ---


def test_an_offer_says_who_uses_it_and_what_it_changed(stage: Stage) -> None:
    page = views_of(stage.page(kind_scenes.expertise(stage.f), "madrid"))
    said = text_of(page)
    assert "Uses that changed something: 1/2" in said
    assert "8/12 taken" in said
    rows = [text_of(row) for row in re.findall(r"<tr.*?</tr>", page, re.S)]
    assert "DE berlin" in rows[1]
    assert re.search(r"not told yet .{0,40} late", rows[1])
    assert re.search(r"this service .*a procedure changed useful: yes", rows[2])


def test_an_offer_that_nobody_took_up_says_so(stage: Stage) -> None:
    said = text_of(views_of(stage.page(stage.scene("expertise_offered"), "berlin")))
    assert "Nobody has taken it up yet." in said
    assert "0/12 taken" in said


def test_a_grade_of_another_scheme_is_told_in_that_schemes_words(stage: Stage) -> None:
    page = stage.page(stage.scene("assessment"), "madrid")
    assert "usually reliable, possibly true (6x6)" in page  # B3, by the 6x6
    assert "not known to the source, corroborated" not in page


def test_a_duty_that_no_law_sets_says_so(stage: Stage) -> None:
    """An empty cell under "Rule" would be read as a rule that is not known."""
    scene = stage.scene("operation")
    stage.page(scene, "madrid")
    page = stage.browsers["madrid"].get("/").text
    rules = re.findall(r'<td class="full"[^>]*>(.*?)</td>', page, re.S)
    assert rules
    assert all(text_of(r).strip() for r in rules)
    assert any("no article of law" in text_of(r) for r in rules)
