"""A question about the Sahel: three services judge apart, two rounds, and what came true. Invented throughout."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tansiq.dossiers.model import Presence
from tansiq.kinds.assessment import commit_body, diagnosticity, picture, rank, reveal_body, scores, sensitivity
from tansiq.terms import NodeId, format_instant
from tests.support.kind_scenes import JOINT, JUDGED, SALTS
from tests.support.scenes import LEGAL, Scene, part
from tests.support.services import Federation

NAMES = ("rabat", "madrid", "berlin")
SECOND: dict[str, dict[str, Any]] = {
    name: {
        "likelihood": {"H1": "very_unlikely", "H2": "very_likely", "H3": "almost_no_chance"},
        "percent": {"H1": 100 - sure - 4, "H2": sure, "H3": 4},
        "confidence": "moderate",
        "cells": {"E5": {"H1": "II", "H2": "CC", "H3": "I"}},
    }
    for name, sure in (("rabat", 85), ("madrid", 90), ("berlin", 80))
}
SURER = {k: SECOND["rabat"][k] for k in ("likelihood", "percent", "confidence")}


def ask(f: Federation) -> Scene:
    facts = {
        "form": "region",
        "regions": ["sahel"],
        "crime_areas": ["terrorism", "arms_ammunition_explosives"],
        "due": format_instant(f.clock() + timedelta(days=14)),
        "horizon_until": format_instant(f.clock() + timedelta(days=180)),
    }
    question = part("question", "La ligne de front se déplacera-t-elle vers la côte d'ici six mois ?", "fr")
    body = {"subject": "Sahel: où va la menace", "facts": facts, "legal": LEGAL, "parts": [question]}
    return Scene.open(f, "rabat", "assessment", body)


def frame(scene: Scene) -> None:
    for name, label, text in (
        ("rabat", "H1", "Les groupes restent où ils sont."),
        ("madrid", "H2", "Los grupos bajan hacia la costa."),
        ("berlin", "H3", "Die Gruppen zerfallen."),
    ):
        scene.act(name, "assessment.hypothesis_proposed", part("hypothesis", text), label=label)
    scene.act(
        "rabat", "assessment.evidence_added", part("evidence", "قوافل جديدة نحو الجنوب", "ar"), label="E1", grade="B2"
    )
    secret = part("evidence", "Una fuente cercana habla de nuevos depósitos.", "es", withhold_from=["de"])
    scene.act("madrid", "assessment.evidence_added", secret, label="E2", grade="B3", scheme="6x6")
    silence = part("note", "Seit Monaten keine Anschläge im Norden.", "de")
    scene.act("berlin", "assessment.evidence_added", silence, label="E3", form="absence", grade="B2")
    assumed = part("note", "The rains come as in other years.")
    scene.act("berlin", "assessment.evidence_added", assumed, label="E4", form="assumption")
    assert "label is taken" in scene.refused("berlin", "assessment.evidence_added", silence, label="E3")


def commit(scene: Scene, name: str, judgement: dict[str, Any]) -> None:
    scene.write(name, commit_body(scene.state(name), scene.id(name), judgement, SALTS[name]))


def reveal(scene: Scene, name: str) -> None:
    scene.write(name, reveal_body(scene.state(name), scene.id(name)))


def sealed_stays(scene: Scene) -> None:
    """A sealed judgement is at its author's alone: not in a partner's store, and in no envelope."""
    own = scene.state().own
    for name in NAMES:
        if scene.id(name) not in own.committed:
            continue
        entry = own.committed[scene.id(name)][1]
        for holder in NAMES:
            (sealed,) = [p for p in scene.state(holder).entry(entry).parts if p.ref.kind == "sealed_judgement"]
            mine = holder == name
            assert (sealed.presence, sealed.content is not None) == (
                (Presence.HELD, True) if mine else (Presence.WITHHELD, False)
            )
            assert not mine or SALTS[name] in sealed.content["text"]
    for _name, _to, delivery in scene.carried:
        assert "sealed_judgement" not in {p["content"].get("kind") for p in delivery["parts"]}
        assert not [p for p in delivery["parts"] if "salt" in p["content"].get("text", "")]


def first_round(scene: Scene) -> None:
    assert scene.who("") == {"rabat"}
    assert scene.who("open_judging") == {"rabat"}
    assert "opener" in scene.refused("madrid", "assessment.judging_opened")
    scene.act("rabat", "assessment.judging_opened")
    assert scene.who("judge") == set(NAMES)
    assert "not while judging" in scene.refused(
        "berlin", "assessment.hypothesis_proposed", part("hypothesis", "x"), label="H4"
    )
    commit(scene, "rabat", JUDGED["rabat"])
    commit(scene, "madrid", JUDGED["madrid"])
    assert scene.who("judge") == {"berlin"}
    assert scene.who("reveal") == set(), "nobody owes to reveal while one still judges"
    sealed_stays(scene)
    told = json.dumps([delivery for _n, _to, delivery in scene.carried])
    assert not [salt for salt in SALTS.values() if salt in told]
    early = reveal_body(scene.state("madrid"), scene.id("madrid"))
    assert "not before every service" in scene.refused("madrid", early["type"], **early["facts"])
    with scene.lawless("madrid"):
        scene.write("madrid", early)
    for name in NAMES:
        (mark,) = scene.state(name).marks
        assert (mark.code, mark.void) == ("illegal_act", True)
        assert scene.state(name).own.revealed == {}
    commit(scene, "berlin", JUDGED["berlin"])
    assert scene.who("judge") == set()
    assert scene.who("reveal") == set(NAMES)
    for name in NAMES:
        reveal(scene, name)
    assert scene.state().phase == "revealed"
    blind = {name: scene.state().own.revealed[scene.id(name)].blind for name in NAMES}
    # Berlin could read what Madrid sent too early.
    assert blind == {"rabat": True, "madrid": True, "berlin": False}


def matrices(scene: Scene) -> None:
    own = scene.state("berlin").own
    hypotheses = tuple(sorted(own.hypotheses))
    cells = {name: own.revealed[scene.id(name)].judgement["cells"] for name in NAMES}
    found = {name: rank(cells[name], hypotheses, own.weights) for name in NAMES}
    assert {name: r.order[0] for name, r in found.items()} == {"rabat": "H2", "madrid": "H2", "berlin": "H1"}
    # B counts 2 in the 4x4 and in the 6x6; E4 says the same of all and counts nothing.
    assert found["rabat"].inconsistency == {"H1": 2 + 4, "H2": 0, "H3": 2 + 4}
    assert diagnosticity(cells["rabat"]["E4"], hypotheses) == 0
    assert diagnosticity(cells["rabat"]["E1"], hypotheses) == 3
    assert sensitivity(cells["rabat"], hypotheses, own.weights) == {}
    assert sensitivity(cells["berlin"], hypotheses, own.weights) == {
        "E1": frozenset({"H1", "H3"}),
        "E3": frozenset({"H1", "H2"}),
    }
    (hidden,) = [p for p in scene.state("berlin").entry(own.evidence["E2"][0]).parts]
    assert hidden.presence is Presence.WITHHELD
    assert "E2" not in cells["berlin"]


def joint_with_a_dissent(scene: Scene) -> None:
    for name, level in (("rabat", 4), ("madrid", 4), ("berlin", 3)):
        scene.act(name, "assessment.national_level_told", level=level, steps=5)
    assert scene.state().own.levels[scene.id("berlin")] == (3, 5)
    joint = scene.act(
        "madrid", "assessment.joint_proposed", part("judgement", "Hacia la costa, con poca base."), **JOINT
    )
    assert scene.who("answer_joint") == {"rabat", "berlin"}
    scene.act("rabat", "assessment.joint_agreed", about=joint)
    assert scene.state().own.joint() is None, "one has not answered"
    assert "act.part_missing" in scene.refused("berlin", "assessment.joint_dissented", about=joint)
    scene.act("berlin", "assessment.joint_dissented", part("dissent", "E2 haben wir nicht gesehen.", "de"), about=joint)
    assert scene.who("answer_joint") == set()
    found = scene.state("rabat").own.joint()
    assert found.agreed == (scene.id("madrid"), scene.id("rabat"))
    assert found.dissenting == (scene.id("berlin"),)
    assert found.judgement["percent"] == JOINT["percent"]
    assert scene.state().own.revealed[scene.id("berlin")].judgement["percent"] == JUDGED["berlin"]["percent"]


def board(scene: Scene) -> str:
    watched = scene.act(
        "rabat",
        "assessment.indicator_set",
        part("indicator", "Fuel bought in bulk at the southern crossings"),
        owner="es",
        every_days=30,
        hypothesis="H2",
    )
    assert scene.due("madrid", "check_indicator") == scene.now + timedelta(days=30)
    scene.later(days=31)
    (duty,) = scene.owed("check_indicator")["madrid"]
    assert duty.due_at < scene.now, "nobody checked: it is late"
    assert "not theirs" in scene.refused("berlin", "assessment.indicator_checked", about=watched, reading="watch")
    scene.act("madrid", "assessment.indicator_checked", about=watched, reading="present")
    assert scene.due("madrid", "check_indicator") == scene.now + timedelta(days=30)
    assert scene.state("berlin").own.items[watched].facts["reading"] == "present"
    return watched


def questionnaire(scene: Scene) -> None:
    for name, question, value, trend in (
        ("rabat", "resources", "high", "up"),
        ("madrid", "resources", "medium", "up"),
        ("berlin", "digital_skills", "unknown", "unknown"),
    ):
        scene.act(name, "assessment.questionnaire_answered", question=question, value=value, trend=trend)
        scene.later(hours=1)
    assert "no question" in scene.refused(
        "berlin", "assessment.questionnaire_answered", question="weather", value="low"
    )
    lines = picture([scene.state("berlin")])
    assert [(q, v) for _at, about, q, _who, v, _t in lines if about == "sahel"] == [
        ("resources", "high"),
        ("resources", "medium"),
        ("digital_skills", "unknown"),
    ]


def second_round(scene: Scene) -> None:
    scene.act("rabat", "assessment.reopened", part("note", "Neue Lage"))
    scene.act(
        "madrid",
        "assessment.evidence_added",
        part("evidence", "Dos ataques en la costa.", "es"),
        label="E5",
        grade="A1",
    )
    assert "name a later end" in scene.refused("rabat", "assessment.judging_opened")
    scene.act("rabat", "assessment.judging_opened", due=format_instant(scene.now + timedelta(days=10)))
    for name in ("berlin", "rabat", "madrid"):
        commit(scene, name, SECOND[name])
    for name in NAMES:
        reveal(scene, name)
    own = scene.state().own
    assert own.round == 2
    assert all(t.blind for t in own.revealed.values())
    assert own.earlier[0][scene.id("berlin")].judgement["percent"] == JUDGED["berlin"]["percent"]
    joint = scene.act("rabat", "assessment.joint_proposed", part("judgement", "Vers la côte."), **SURER)
    for name in ("madrid", "berlin"):
        scene.act(name, "assessment.joint_agreed", about=joint)
    sealed_stays(scene)


def outcome(scene: Scene) -> None:
    assert scene.who("record_outcome") == set()
    scene.later(days=150)
    assert scene.who("record_outcome") == {"rabat"}
    scene.act(
        "rabat", "assessment.outcome_recorded", part("note", "Nouvelle base près de la côte.", "fr"), hypothesis="H2"
    )
    found: dict[str | NodeId, float] = scores(scene.state("madrid").own)
    expected = {
        name: ((96 - sure) ** 2 + (100 - sure) ** 2 + 4**2) / 30000
        for name, sure in (("rabat", 85), ("madrid", 90), ("berlin", 80))
    }
    assert {name: found[scene.id(name)] for name in NAMES} == pytest.approx(expected)
    assert found["joint"] == pytest.approx(expected["rabat"])
    assert scene.state().phase == "closed"
    assert scene.who("") == set()


def test_the_sahel_judged_apart_then_together(federation: Federation) -> None:
    f = federation
    scene = ask(f)
    frame(scene)
    first_round(scene)
    matrices(scene)
    joint_with_a_dissent(scene)
    watched = board(scene)
    questionnaire(scene)
    second_round(scene)
    scene.act("berlin", "assessment.indicator_dropped", about=watched)
    assert scene.who("check_indicator") == set()
    outcome(scene)
    scene.holds()


def test_a_newcomer_gets_no_sealed_judgement_even_where_an_officer_names_it(
    make_federation: Callable[..., Federation],
) -> None:
    f = make_federation()
    f.add("rabat", "madrid", "lisbon")
    due = format_instant(f.clock() + timedelta(days=14))
    body = {"facts": {"form": "threat", "due": due}, "legal": LEGAL, "parts": [part("question", "Où vont-ils ?", "fr")]}
    scene = Scene.open(f, "rabat", "assessment", body, to=("es",))
    for label in ("H1", "H2", "H3"):
        scene.act("rabat", "assessment.hypothesis_proposed", part("hypothesis", label), label=label)
    for label in ("E1", "E2", "E3", "E4"):
        scene.act("rabat", "assessment.evidence_added", part("evidence", label), label=label)
    scene.act("rabat", "assessment.judging_opened")
    # Written by hand: nobody is named from whom to withhold it.
    sealed = commit_body(scene.state(), scene.id("rabat"), JUDGED["rabat"], SALTS["rabat"])
    entry = scene.write("rabat", {**sealed, "to": []})
    (ref,) = [p.ref for p in scene.state().entry(entry).parts]
    rabat, by = scene.node("rabat"), f.officers["rabat"]
    rabat.dossiers.admit(scene.dossier, "pt", by, give=[ref.id])
    f.pump()
    rabat.dossiers.deliver_to(scene.dossier, "es", by, give=[ref.id])
    f.pump()
    for name in ("madrid", "lisbon"):
        (got,) = scene.state(name).entry(entry).parts
        assert (got.presence, got.content) == (Presence.WITHHELD, None)
    assert {to for _name, to, delivery in scene.carried if not delivery["parts"]} >= {
        scene.id("lisbon"),
        scene.id("madrid"),
    }
    assert "sealed_judgement" not in {p["content"]["kind"] for _n, _to, d in scene.carried for p in d["parts"]}
