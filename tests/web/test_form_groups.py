"""Forms of the kinds: what is decided together stands together, headings and hints are said, nothing typed is lost."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from tansiq.access.model import Role
from tansiq.kinds import KINDS, face_of, makes
from tansiq.kinds.words import of
from tests.support import kind_scenes
from tests.support.services import Federation
from tests.support.web import PASSWORD, Browser, create_app

SCENES = ("warning", "operation", "assessment_framed", "major_event", "committee", "expertise")
TYPED = 'Ébauche de "nuit" <b>&amp;</b> تقدير'
BY_TYPE = {"number": "7", "datetime-local": "2027-03-04T05:06", "date": "2027-03-04"}
LAID_OUT = sorted((kind, act) for kind in KINDS for act in face_of(kind).forms)


@pytest.fixture(scope="module")
def f(tmp_path_factory: pytest.TempPathFactory):
    folder = Path(tmp_path_factory.mktemp("forms"))
    made = Federation(folder, lambda name: f"sqlite:///{folder / name}.db")
    made.add("rabat", "madrid", "berlin")
    for node in made.nodes.values():
        node.access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
    yield made
    made.close()


@pytest.fixture(scope="module")
def dossiers(f: Federation) -> list[str]:
    return [getattr(kind_scenes, scene)(f).dossier for scene in SCENES]


@pytest.fixture(scope="module")
def madrid(f: Federation, dossiers: list[str]) -> Browser:
    made = Browser(create_app(f.nodes["madrid"]))
    made.sign_in()
    for dossier in dossiers:
        made.say_why(dossier)
    return made


def takes(kind: str, act: str) -> set[str]:
    """The facts and parts that its officer writes."""
    rule = next(r for r in KINDS[kind].acts if r.type == act)
    made = makes(kind, act)
    facts = made.facts if made else rule.facts
    return {f.name for f in getattr(msgspec.inspect.type_info(facts), "fields", ())} | set(rule.parts)


@pytest.mark.parametrize(("kind", "act"), LAID_OUT)
def test_a_forms_groups_name_what_its_act_takes_each_once_under_headings_that_have_words(kind: str, act: str) -> None:
    headings = [heading for heading, _ in face_of(kind).forms[act]]
    names = [name for _, under in face_of(kind).forms[act] for name in under]
    assert set(names) <= takes(kind, act)
    assert len(names) == len(set(names))
    assert set(headings) <= set(of(kind)["group"])
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_heading_and_hint_of_a_kind_is_used(kind: str) -> None:
    shared = set(of("report")["group"]), set(of("report")["hint"])
    used = {heading for groups in face_of(kind).forms.values() for heading, _ in groups}
    assert set(of(kind)["group"]) - used <= shared[0]
    facts = {f"{rule.type}.{name}" for rule in KINDS[kind].acts for name in takes(kind, rule.type)}
    known = facts | {f.rpartition(".")[2] for f in facts}
    assert set(of(kind)["hint"]) - known <= shared[1]


@pytest.mark.parametrize("kind", sorted(k for k in KINDS if face_of(k).forms))
def test_what_is_grouped_stands_under_its_heading_in_the_order_that_the_kind_gives(madrid: Browser, kind: str) -> None:
    act = KINDS[kind].opening.type
    page = madrid.get(f"/compose/{kind}").text
    places = []
    for heading, names in face_of(kind).forms[act]:
        places.append(page.index(f"<h3>{of(kind)['group'][heading][0]}</h3>"))
        for name in names:
            told = [page.find(f' name="{at}"') for at in (f"fact_{name}", f"part_{name}", name)]
            places += sorted(place for place in told if place > 0)[:1]
    assert places == sorted(places)
    assert len(places) > 4


def test_the_clauses_of_a_request_are_no_hints_of_another_kind(madrid: Browser) -> None:
    assert "Art. 4(5)(a)" in madrid.get("/compose/request").text
    assert "Art. 4(5)(a)" not in madrid.get("/compose/assessment").text


class Controls(HTMLParser):
    """Every control of the act's form with what it holds; of a list, what is chosen and what may be."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.held: dict[str, list[str]] = {}
        self.may: dict[str, list[str]] = {}
        self.types: dict[str, str] = {}
        self.at, self.writing = "", False
        self.feed(page[page.index('<form id="form"') :].split("</form>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        name, value = a.get("name", ""), a.get("value", "")
        if tag == "input" and a.get("type") not in ("hidden", "submit"):
            self.types[name] = a.get("type", "text")
            if a.get("type") != "checkbox":
                self.held.setdefault(name, []).append(value)
            else:
                self.may.setdefault(name, []).append(value)
                self.held.setdefault(name, []).extend([value] if "checked" in a else [])
        elif tag in ("select", "textarea"):
            self.at, self.types[name], self.writing = name, tag, tag == "textarea"
            self.held.setdefault(name, []).extend([""] if self.writing else [])
        elif tag == "option":
            self.may.setdefault(self.at, []).append(value)
            self.held[self.at] += [value] if "selected" in a else []

    def handle_endtag(self, tag: str) -> None:
        self.writing = self.writing and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self.writing:
            self.held[self.at][-1] += data.removeprefix("\n") if not self.held[self.at][-1] else data


def filled(controls: Controls) -> dict[str, list[str]]:
    """Something in each control; one box of each list, the last choice of each."""
    found = {}
    for name, how in controls.types.items():
        rows = max(1, len(controls.held[name]))
        if how == "checkbox":
            found[name] = controls.may[name][:1]
        elif how == "select":
            found[name] = [controls.may[name][-1]]
        else:
            found[name] = [BY_TYPE.get(how, TYPED)] * rows
    return found


def lost(before: dict[str, list[str]], after: Controls) -> dict[str, tuple[list[str], list[str]]]:
    """Where the form that came back holds something else; of rows of one list, the empty ones are none."""
    return {
        name: (told, after.held.get(name, []))
        for name, told in before.items()
        if [x for x in told if x] != [x for x in after.held.get(name, []) if x][: len(told)]
    }


def refused(madrid: Browser, path: str) -> dict[str, tuple[list[str], list[str]]]:
    """What is lost of a form that is filled in from top to bottom and refused (H3 has no text)."""
    page = madrid.get(path).text
    told = filled(Controls(page)) | {"handling": ["H3"], "handling_text": [""], "to": []}
    hidden = {n: v for n, v in re.findall(r'<input type="hidden" name="(n_\w+|seen)" value="([^"]*)"', page)}
    assert sum(1 for values in told.values() if values not in ([], [""])) > 1, path
    answer = madrid.post(path, {**hidden, **told, "do": "preview"})
    assert answer.status_code == 422, (path, answer.status_code)
    assert 'class="error-summary"' in answer.text
    assert re.search(r'class="field[^"]*has-wrong|class="wrong"', answer.text), path
    return lost(told, Controls(answer.text))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_form_that_is_refused_keeps_all_that_was_filled_in(madrid: Browser, kind: str) -> None:
    assert refused(madrid, f"/compose/{kind}") == {}


@pytest.mark.parametrize("scene", range(len(SCENES)))
def test_an_act_that_is_refused_keeps_all_that_was_filled_in(madrid: Browser, dossiers: list[str], scene: int) -> None:
    where = f"/dossiers/{dossiers[scene]}"
    acts = re.findall(rf'href="{where}/acts/([a-z_.]+)"', madrid.get(where).text)
    assert acts
    bad = {act: found for act in dict.fromkeys(acts) if (found := refused(madrid, f"{where}/acts/{act}"))}
    assert not bad
