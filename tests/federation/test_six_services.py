"""Morocco, Spain, Germany, Portugal, France and Italy in one dossier, each under its own example law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tansiq.dossiers.model import Presence
from tansiq.errors import Refused
from tansiq.terms import country_of, format_instant
from tests.support.federation import BEGIN
from tests.support.one_dossier import TRANSFER, Scene, ground, person, text
from tests.support.services import NAMES, Federation

EUROPE = ("madrid", "berlin", "lisbon", "paris", "rome")
WITH_RABAT = {"ES": "ma-es-2019", "DE": "ma-de", "PT": "ma-pt", "FR": "ma-fr", "IT": "ma-it"}
ERASE = (BEGIN + timedelta(days=700)).date()
TIP = {
    "precedence": "immediate",
    "grade": "B2",
    "target": "crowd",
    "country": "PT",
    "crime_areas": ["terrorism"],
    "window_from": format_instant(BEGIN + timedelta(hours=10)),
    "window_until": format_instant(BEGIN + timedelta(hours=14)),
}


@pytest.fixture
def scene(make_federation: Callable[..., Federation]) -> Scene:
    federation = make_federation("six")
    federation.add("rabat", *EUROPE)
    assert set(federation.nodes) == set(NAMES)
    return Scene(federation)


def warned(s: Scene) -> str:
    parts = (
        text("threat", "تهديد لمشجعين في طريقهم إلى الملعب", lang="ar"),
        text("place", "Pont-rail près du stade", lang="fr"),
        text("target", "Les supporteurs du train de 18 h", lang="fr"),
        person("نوفل الصنهاجي البركاوي", "PFUT", birthDate="1994"),
    )
    legal = ground(WITH_RABAT, ERASE)
    return s.open("rabat", "warning", [c.lower() for c in WITH_RABAT], TIP, *parts, legal=legal, second=True)


def test_six_services_share_one_warning(scene: Scene) -> None:
    s = scene
    issued = warned(s)
    for name in EUROPE:
        assert {p.presence for p in s.parts(name)} == {Presence.HELD}
        s.act(name, "acknowledged", about=issued)
    for name in EUROPE:
        country = NAMES[name]
        here = {c: "eu-2023-977" for c in WITH_RABAT if c != country} | {"MA": WITH_RABAT[country]}
        measure = text("measure", "Two patrols on the bridge until midnight")
        body = {"legal": ground(here, ERASE, transfer_basis=TRANSFER), "second": True}
        s.act(name, "measure_taken", measure, body=body, measure="patrol", state="running")
    assert len(s.state("rome").own.measures) == len(EUROPE)
    for name in NAMES:
        assert s.open_duties(name) == []
    s.agree()


def test_each_of_the_five_asks_rabat_before_it_passes_its_word_on(scene: Scene) -> None:
    """Handling H2: refused with the clause of the agreement with Morocco, wherever the officer sits."""
    s = scene
    body = {"handling": {"codes": ["H2"]}}
    legal = ground(WITH_RABAT, ERASE)
    note = text("narrative", "معلومة من مصدر موثوق", lang="ar")
    facts = {"crime_areas": ["terrorism"], "grade": "B2"}
    given = s.open("rabat", "report", ["es", "de", "pt", "fr"], facts, note, legal=legal, second=True, **body)
    for name in ("madrid", "berlin", "lisbon", "paris"):
        by = s.f.officers[name]
        with pytest.raises(Refused) as caught:
            s.node(name).dossiers.forward(s.dossier, given, "it", by)
        assert "handling.h2" in caught.value.clauses
        own = WITH_RABAT[country_of(s.id(name))]
        assert f"{own}.third_party" in caught.value.clauses
