"""A warning, told end to end: a tip on a crowd in a port city, from the flash to what came of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tansiq.dossiers.model import Presence
from tansiq.errors import Invalid, Refused
from tansiq.kinds.warning.model import FEEDBACK
from tansiq.terms import format_instant
from tests.support.federation import BEGIN
from tests.support.one_dossier import TRANSFER, Scene, ground, person, text
from tests.support.services import Federation

ERASE = (BEGIN + timedelta(days=700)).date()
RABAT_GROUND = ground({"ES": "ma-es-2019", "DE": "ma-de"}, ERASE)
MADRID_GROUND = ground({"MA": "ma-es-2019", "DE": "eu-2023-977"}, ERASE, transfer_basis=TRANSFER)
BERLIN_GROUND = ground({"MA": "ma-de", "ES": "eu-2023-977"}, ERASE, transfer_basis=TRANSFER)
TONIGHT = {
    "window_from": format_instant(BEGIN + timedelta(hours=10)),
    "window_until": format_instant(BEGIN + timedelta(hours=14)),
}
TIP = {
    "precedence": "flash",
    "grade": "B2",
    "target": "crowd",
    "country": "ES",
    "crime_areas": ["terrorism"],
    **TONIGHT,
}


def test_a_tip_on_a_crowd_in_a_port_city(federation: Federation) -> None:
    f = federation
    s = Scene(f)
    issued = _issue(s)
    _acknowledge(s, issued)
    _measures(s)
    _update_while_berlin_is_away(s, issued)
    _stand_down(s)
    s.agree()


def _issue(s: Scene) -> str:
    parts = (
        text("threat", "Une attaque au véhicule contre la foule du marché de nuit est annoncée.", lang="fr"),
        text("place", "Marché de nuit du vieux port, entrée est", lang="fr"),
        text("target", "Les visiteurs du marché", lang="fr"),
        text("narrative", "المصدر حضر اللقاء بنفسه", "de", lang="ar"),
        person("نوفل الصنهاجي البركاوي", "PFUT", birthDate="1994"),
    )
    with pytest.raises(Refused, match="second officer") as refused:
        s.open("rabat", "warning", ["es", "de"], TIP, *parts, legal=RABAT_GROUND)
    assert refused.value.field == "second"
    issued = s.open("rabat", "warning", ["es", "de"], TIP, *parts, legal=RABAT_GROUND, second=True)
    held = {n: [p.presence for p in s.parts(n)] for n in ("madrid", "berlin")}
    assert set(held["madrid"]) == {Presence.HELD}
    assert held["berlin"].count(Presence.WITHHELD) == 1
    return issued


def _acknowledge(s: Scene, issued: str) -> None:
    due = BEGIN + timedelta(minutes=30)
    for at in ("rabat", "madrid", "berlin"):
        owed = s.owed("warning.acknowledge", at)
        assert {n: (d.due_at, d.urgent) for n, d in owed.items()} == {"madrid": (due, True), "berlin": (due, True)}
        assert not s.owed("warning.escalate", at)
        assert not s.owed("warning.call", at)
    s.wait(minutes=20)
    s.act("berlin", "acknowledged", about=issued)
    s.wait(minutes=11)
    for at in ("rabat", "madrid"):
        assert set(s.owed("warning.escalate", at)) == {"madrid"}
        assert s.owed("warning.call", at)["rabat"].creditor == s.id("madrid")
    s.act("madrid", "acknowledged", about=issued)
    assert s.open_duties("rabat") == []
    assert s.open_duties("madrid") == []
    with pytest.raises(Invalid, match="not while acknowledged") as again:
        s.act("madrid", "acknowledged", about=issued)
    assert (again.value.step, again.value.field) == ("check the life cycle", "type")


def _measures(s: Scene) -> None:
    # A transfer to Morocco rests on a basis that Madrid names itself, once; its later acts in this dossier follow it.
    with pytest.raises(Refused) as refused:
        s.act("madrid", "measure_taken", text("measure", "El acceso este queda cerrado."), measure="closure")
    assert "led.35" in refused.value.clauses
    closed = text("measure", "El acceso este queda cerrado.", lang="es")
    s.act("madrid", "measure_taken", closed, body={"legal": MADRID_GROUND}, measure="closure", state="running")
    s.act("madrid", "measure_taken", text("note", "Dos patrullas más.", lang="es"), measure="patrol", state="done")
    assert len(s.state("rabat").own.measures) == 2
    assert [p.presence for p in s.parts("berlin")].count(Presence.HELD) == 6


def _update_while_berlin_is_away(s: Scene, issued: str) -> None:
    with pytest.raises(Invalid) as refused:
        s.act("madrid", "updated", precedence="routine")
    assert (refused.value.code, refused.value.step) == ("act.not_the_opener", "check the life cycle")
    assert "الصنهاجي" not in str(refused.value)
    s.f.away.add("berlin")
    with s.lawless("madrid"):
        forged = s.act("madrid", "updated", precedence="routine", grade="X4")
    assert [(m.code, m.void) for m in s.marks("rabat", forged)] == [("not_the_opener", True)]
    assert s.state("rabat").own.facts["precedence"] == "flash"
    told = text("threat", "Nouvelle heure: une heure plus tôt, entrée ouest.", lang="fr")
    sooner = format_instant(BEGIN + timedelta(hours=9))
    update = s.act("rabat", "updated", told, precedence="immediate", window_from=sooner, grade="A2")
    assert set(s.owed("warning.acknowledge")) == {"madrid", "berlin"}
    s.act("madrid", "acknowledged", about=update)
    s.wait(days=1)
    # Berlin has not seen it: Rabat is to call over another channel, and Berlin's own duty waits for it.
    assert s.owed("warning.call")["rabat"].creditor == s.id("berlin")
    s.f.away.clear()
    s.f.pump()
    assert set(s.owed("warning.escalate", "berlin")) == {"berlin"}
    assert s.state("berlin").own.facts["window_from"] == sooner
    assert [(m.code, m.void) for m in s.marks("berlin", forged)] == [("not_the_opener", True)]
    with pytest.raises(Invalid):
        s.act("berlin", "acknowledged", about=issued)
    s.act("berlin", "acknowledged", about=update)
    assert s.open_duties("rabat") == s.open_duties("berlin") == []


def _stand_down(s: Scene) -> None:
    down = s.act("rabat", "stood_down", reason="threat_ended")
    assert set(s.owed("warning.feedback")) == {"madrid", "berlin"}
    assert s.owed("warning.record_outcome")["rabat"].due_at == s.f.clock() + FEEDBACK
    arrested = text("note", "Detenido antes de llegar al mercado.", lang="es")
    s.act("madrid", "feedback_given", arrested, about=down, outcome="prevented", used=True)
    s.act("rabat", "outcome_recorded", outcome="prevented")
    s.act("berlin", "feedback_given", body={"legal": BERLIN_GROUND}, about=down, outcome="unknown", used=False)
    for at in ("rabat", "madrid", "berlin"):
        assert s.open_duties(at) == []
        assert (s.state(at).phase, s.state(at).own.outcome) == ("closed", "prevented")
