"""Offers and wishes of three services: what meets, what was used, what it changed. Invented throughout."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tansiq.dossiers.model import Presence, Window
from tansiq.kinds import KINDS, scorecard
from tansiq.kinds.expertise import Fit, suit
from tansiq.terms import EntryId, format_instant
from tests.support.federation import BEGIN
from tests.support.scenes import FROM_BERLIN, FROM_MADRID, LEGAL, Scene, part
from tests.support.services import Federation

NAMES = ("rabat", "madrid", "berlin")
LEGALS = {"rabat": LEGAL, "madrid": FROM_MADRID, "berlin": FROM_BERLIN}
HALF_A_YEAR = timedelta(days=180)


def tell(f: Federation, name: str, text: str, lang: str, **facts: Any) -> Scene:
    body = {"subject": text, "facts": facts, "legal": LEGALS[name], "parts": [part("narrative", text, lang)]}
    return Scene.open(f, name, "expertise", body)


def market(f: Federation) -> dict[str, Scene]:
    until = format_instant(f.clock() + timedelta(days=120))
    return {
        "crowds": tell(
            f,
            "berlin",
            "Lehrgang: Menschenmengen lenken",
            "de",
            stance="offer",
            form="training",
            topics=["crowd_management", "stadium_safety"],
            languages=["fr", "de"],
            until=until,
            places=12,
        ),
        "forgeries": tell(
            f,
            "madrid",
            "Nota práctica: visados falsificados",
            "es",
            stance="offer",
            form="practice_note",
            topics=["document_examination"],
            crime_areas=["forgery_admin_documents"],
            languages=["es", "fr"],
        ),
        "stadium": tell(
            f,
            "rabat",
            "نرغب في تكوين حول سلامة الملاعب",
            "ar",
            stance="wish",
            form="training",
            topics=["stadium_safety", "crowd_management", "drone_defence"],
            languages=["fr"],
        ),
        "names": tell(
            f,
            "madrid",
            "Buscamos ayuda con nombres árabes",
            "es",
            stance="wish",
            form="advice",
            topics=["names_and_identity"],
            languages=["es", "fr"],
        ),
    }


def pairs(f: Federation, name: str) -> dict[tuple[str, str], Fit]:
    """What a desk sees: every two open dossiers of the kind that meet, the best first."""
    node = f.nodes[name]
    states = [node.dossiers.state(row.id) for row in node.dossiers.rows("expertise") if row.phase == "open"]
    found = {}
    for one in states:
        for other in states:
            fit = suit(one.own.facts, other.own.facts, f.clock())
            if one.own.facts["stance"] == "offer" and fit is not None:
                found[(one.id, other.id)] = fit
    return dict(sorted(found.items(), key=lambda x: -x[1].points))


def meet(f: Federation, all_: dict[str, Scene]) -> None:
    for name in NAMES:
        ((who, fit),) = pairs(f, name).items()
        assert who == (all_["crowds"].dossier, all_["stadium"].dossier)
        assert (fit.topics, fit.languages) == (("crowd_management", "stadium_safety"), ("fr",))
        assert fit.points == 4 * 2 + 3 + 1
    f.clock.pass_time(timedelta(days=121))
    assert pairs(f, "rabat") == {}, "the offer is past"
    f.clock.pass_time(timedelta(days=-121))


def use_the_offer(scene: Scene) -> EntryId:
    assert "addressee" in scene.refused("berlin", "expertise.taken_up", people=1)
    taken = scene.act(
        "rabat", "expertise.taken_up", part("note", "Six officiers de Tanger", "fr"), people=6, language="fr"
    )
    other = scene.act("madrid", "expertise.taken_up", part("note", "Dos, en alemán", "es"), people=2, language="de")
    assert scene.who("answer") == {"berlin"}
    assert [d.due_at for d in scene.owed("answer")["berlin"]] == [scene.now + timedelta(days=30)] * 2
    assert "opener" in scene.refused("rabat", "expertise.agreed", about=taken, due=format_instant(scene.now))
    starts = scene.now + timedelta(days=60)
    scene.act("berlin", "expertise.agreed", part("note", "Im Januar", "de"), about=taken, due=format_instant(starts))
    scene.act("berlin", "expertise.declined", part("note", "Leider kein Platz", "de"), about=other)
    assert scene.who("answer") == set()
    assert scene.owed("hold").keys() == {"rabat"}
    assert scene.due("rabat", "hold") == starts
    assert "not while declined" in scene.refused("madrid", "expertise.held", about=other)
    scene.at(starts + timedelta(days=5))
    slides = part("material", "Zonen, Ströme, Sammelpunkte", "de")
    scene.act("berlin", "expertise.held", slides, about=taken, people=6)
    assert scene.who("hold") == set()
    assert scene.due("rabat", "tell_effect") == scene.now + HALF_A_YEAR
    return taken


def effect_after_half_a_year(scene: Scene, taken: EntryId) -> None:
    scene.act("berlin", "expertise.closed")
    assert "not while closed" in scene.refused("madrid", "expertise.taken_up", people=1)
    assert scene.who("tell_effect") == {"rabat"}, "the effect is owed after the offer is closed, too"
    scene.later(days=179)
    told = {"about": taken, "effect": "too_early", "useful": "partly"}
    assert "not theirs" in scene.refused("berlin", "expertise.effect_told", **told)
    scene.act("rabat", "expertise.effect_told", **told)
    assert scene.due("rabat", "tell_effect") == scene.now + HALF_A_YEAR
    scene.later(days=100)
    changed = part("narrative", "Un plan par zone au stade de Tanger", "fr")
    scene.act("rabat", "expertise.effect_told", changed, about=taken, effect="procedure_changed", useful="yes")
    assert scene.who("") == set()
    assert scene.state("madrid").own.items[taken].state == "told"


def a_practice_note(scene: Scene) -> None:
    """Its material is withheld from one partner, and used by another."""
    note = part("material", "Tres marcas en los visados falsos", "es", title="Visados", withhold_from=["de"])
    added = scene.act("madrid", "expertise.material_added", note)
    seen = {name: scene.state(name).entry(added).parts[0].presence for name in NAMES}
    assert seen == {"rabat": Presence.HELD, "madrid": Presence.HELD, "berlin": Presence.WITHHELD}
    taken = scene.act("rabat", "expertise.taken_up", language="fr")
    scene.act("madrid", "expertise.agreed", about=taken, due=format_instant(scene.now + timedelta(days=1)))
    scene.act("rabat", "expertise.held", about=taken)
    scene.act("rabat", "expertise.effect_told", about=taken, effect="case_helped", useful="yes")
    scene.act("madrid", "expertise.withdrawn")
    assert scene.who("") == set()


def a_wish_met(scene: Scene) -> None:
    """Who meets a wish gives; who wished tells what came of it."""
    taken = scene.act("rabat", "expertise.taken_up", part("note", "Deux experts des noms", "fr"), people=2)
    assert scene.due("madrid", "answer") == scene.now + timedelta(days=30)
    scene.act("madrid", "expertise.agreed", about=taken, due=format_instant(scene.now + timedelta(days=7)))
    assert scene.who("hold") == {"madrid"}
    scene.later(days=7)
    scene.act("rabat", "expertise.held", about=taken, people=2)
    assert scene.who("tell_effect") == {"madrid"}
    facts = {"about": taken, "effect": "people_trained", "useful": "yes"}
    assert "not theirs" in scene.refused("rabat", "expertise.effect_told", **facts)
    scene.later(days=180)
    scene.act("madrid", "expertise.effect_told", **facts)
    assert scene.who("") == set()


def count(f: Federation, me: str, other: str) -> dict[str, int]:
    node, end = f.nodes[me], f.clock() + timedelta(seconds=1)
    states = [node.dossiers.state(row.id) for row in node.dossiers.rows()]
    return scorecard.count(states, KINDS, Window(node.node_id, f.nodes[other].node_id, BEGIN, end))


def test_offers_wishes_and_what_they_changed(federation: Federation) -> None:
    f = federation
    all_ = market(f)
    meet(f, all_)
    a_practice_note(all_["forgeries"])
    taken = use_the_offer(all_["crowds"])
    all_["stadium"].act("rabat", "expertise.closed")
    a_wish_met(all_["names"])
    effect_after_half_a_year(all_["crowds"], taken)
    for scene in all_.values():
        scene.holds()
    ours, theirs = count(f, "rabat", "madrid"), count(f, "madrid", "rabat")
    assert not [x.name for x in scorecard.beside(ours, theirs) if x.differs]
    assert (ours["expertise.in.offer"], ours["expertise.in.wish"], ours["expertise.out.wish"]) == (1, 1, 1)
    assert (ours["expertise.held"], ours["expertise.effect.case_helped"], ours["expertise.effect.people_trained"]) == (
        2,
        1,
        1,
    )
