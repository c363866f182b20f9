"""A major event, told end to end: Spain against Germany in Tangier, from the draw to the last part erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tansiq.dossiers.model import Presence
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.kinds.major_event import CHECKLIST, disagreements, safe_capacity
from tansiq.ledger import verify_bundle
from tansiq.terms import format_instant
from tests.support.federation import BEGIN
from tests.support.holdings import by_name
from tests.support.one_dossier import TRANSFER, Scene, ground, person, text
from tests.support.services import Federation

KICKOFF = datetime(2027, 2, 20, 20, 0, tzinfo=UTC)
"""A Saturday."""
BEGINS, ENDS = KICKOFF - timedelta(days=2), KICKOFF + timedelta(days=1)
DIES = ENDS + timedelta(days=365)
ERASE = (ENDS + timedelta(days=300)).date()
HOST_GROUND = ground({"ES": "ma-es-2019", "DE": "ma-de"}, ERASE, "public_security")
MADRID_GROUND = ground({"MA": "ma-es-2019", "DE": "eu-2023-977"}, ERASE, "public_security", transfer_basis=TRANSFER)
BERLIN_GROUND = ground({"MA": "ma-de", "ES": "eu-2023-977"}, ERASE, "public_security", transfer_basis=TRANSFER)
EVENT = {
    "form": "match",
    "window_from": format_instant(BEGINS),
    "window_until": format_instant(ENDS),
    "hosts": ["ma"],
}
ALL = ("rabat", "madrid", "berlin")


def test_two_visiting_teams_in_tangier(federation: Federation) -> None:
    s = Scene(federation)
    match = _draw(s)
    _venue_and_checklist(s)
    _team_dossiers(s, match)
    _risk(s, match)
    _delegations(s)
    _match_day(s, match)
    _afterwards(s, match)
    _lessons_and_end(s)
    _the_data_die(s)
    s.agree()


def _draw(s: Scene) -> str:
    name = text("subject", "España contra Alemania en Tánger", lang="es")
    too_long = ground({"ES": "ma-es-2019", "DE": "ma-de"}, (DIES + timedelta(days=2)).date(), "public_security")
    with pytest.raises(Invalid, match="longer than 365 days") as refused:
        s.open("rabat", "major_event", ["es", "de"], EVENT, name, legal=too_long)
    assert (refused.value.step, refused.value.field) == ("check the life cycle", "type")
    s.open("rabat", "major_event", ["es", "de"], EVENT, name, legal=HOST_GROUND)
    facts = {
        "home": "ESP",
        "away": "GER",
        "kickoff": format_instant(KICKOFF),
        "host": "ma",
        "visitors": ["es", "de"],
        "expected": 62000,
    }
    with pytest.raises(Invalid, match="host and visitor are two"):
        s.act("rabat", "match_fixed", **{**facts, "visitors": ["ma", "de"]})
    match = s.act("rabat", "match_fixed", **facts)
    due = KICKOFF - timedelta(days=14)
    for at in ALL:
        owed = s.owed("major_event.send_team_dossier", at)
        assert {n: d.due_at for n, d in owed.items()} == {"madrid": due, "berlin": due}
        assert not s.owed("major_event.report_after_match", at)
    return match


def _venue_and_checklist(s: Scene) -> None:
    four = {"entry": 61000, "holding": 65000, "exit": 58000, "emergency": 70000}
    ground_ = (text("venue", "Grand stade de Tanger", lang="fr"), text("zones", "Quatre secteurs", lang="fr"))
    venue = s.act("rabat", "venue_described", *ground_, owner="ma", **four)
    assert safe_capacity(s.state("berlin").own.items[venue]) == 58000
    s.act("rabat", "site_described", text("venue", "Port de Tanger Ville"), form="port", expected=4000)
    first, second, third = sorted(CHECKLIST)[:3]
    due = format_instant(KICKOFF - timedelta(days=10))
    with pytest.raises(Invalid, match="no line of the checklist"):
        s.act("rabat", "measure_set", venue=venue, code="service.moon", owner="ma", due=due)
    measures = [s.act("rabat", "measure_set", venue=venue, code=c, owner="ma", due=due) for c in (first, second, third)]
    s.act("rabat", "measure_done", text("evidence", "Inspection du 3 décembre"), about=measures[0])
    s.act("rabat", "measure_not_applicable", text("note", "Pas de toit mobile"), about=measures[1])
    with pytest.raises(Invalid, match="not theirs"):
        s.act("madrid", "measure_done", about=measures[2])
    assert s.owed("major_event.measure", "madrid")["rabat"].entry == measures[2]
    s.act("rabat", "measure_done", about=measures[2])


def _team_dossiers(s: Scene, match: str) -> None:
    s.f.clock.pass_time(KICKOFF - timedelta(days=20) - s.f.clock())
    fans = text("followers", "Un grupo conocido viaja en ferry sin entradas.", lang="es")
    known = person("Aitor Berasategui Lanza", "PFUT", birthDate="1990")
    numbers = {"risk": 40, "non_risk": 2500, "tickets_allocated": 3000, "tickets_sold": 2700}
    sent = {"about": match, **numbers, "travel": ["sea", "air"], "elements": ["travels_without_tickets"], "spotters": 4}
    # What rests on another purpose than the event's security has no place in it.
    elsewhere = {**MADRID_GROUND, "purpose": "investigation"}
    with pytest.raises(Refused) as refused:
        s.act("madrid", "team_dossier_sent", fans, known, body={"legal": elsewhere}, **sent)
    assert "event.purpose" in refused.value.clauses
    s.act("madrid", "team_dossier_sent", fans, known, body={"legal": MADRID_GROUND}, **sent)
    late = {**MADRID_GROUND, "erase_on": (DIES + timedelta(days=2)).date().isoformat()}
    with pytest.raises(Invalid, match="longer than 365 days"):
        s.act("madrid", "team_dossier_updated", fans, body={"legal": late}, about=match)
    s.wait(days=8)
    owed = s.owed("major_event.send_team_dossier", "rabat")
    assert set(owed) == {"berlin"}
    assert owed["berlin"].due_at < s.f.clock()
    parts = (text("followers", "Zwei Gruppen, Anreise per Flug.", lang="de"), text("note", "Quelle", "es", lang="de"))
    s.act("berlin", "team_dossier_sent", *parts, body={"legal": BERLIN_GROUND}, about=match, risk=25, non_risk=3100)
    assert not s.owed("major_event.send_team_dossier", "rabat")
    s.act("madrid", "team_dossier_updated", text("followers", "Ahora sesenta.", lang="es"), about=match, risk=60)
    for name in ("madrid", "berlin"):
        s.act(name, "team_dossier_finalised", about=match)
    lane = s.state("rabat").own.items[f"{match}/{s.id('madrid')}"]
    assert (lane.state, lane.facts["risk"], lane.facts["non_risk"]) == ("final", 60, 2500)
    s.act(
        "berlin", "ban_told", person("Sönke Harmsbüttel", "CONV", birthDate="1988"), scope="travel",
        window_from=format_instant(BEGINS), window_until=format_instant(ENDS),
    )  # fmt: skip


def _risk(s: Scene, match: str) -> None:
    for name, level in (("rabat", 2), ("madrid", 3), ("berlin", 2)):
        s.act(name, "risk_assessed", text("reasons", "Rivalry, ferry, tickets."), match=match, level=level)
    for at in ALL:
        (levels,) = disagreements(s.state(at).own).values()
        assert levels == {s.id("rabat"): 2, s.id("madrid"): 3, s.id("berlin"): 2}


def _delegations(s: Scene) -> None:
    team = text("equipment", "Chalecos y radios, sin armas", lang="es")
    coming = {"owner": "ma", "leaders": 1, "spotters": 4, "uniform": True, "languages": ["es", "fr"]}
    declared = s.act("madrid", "delegation_declared", team, **coming)
    armed = s.act("berlin", "delegation_declared", owner="ma", spotters=2, arms=True, powers=True)
    assert s.owed("major_event.answer_delegation")["rabat"].due_at == s.f.clock() + timedelta(days=7)
    with pytest.raises(Invalid, match="not theirs"):
        s.act("madrid", "delegation_accepted", about=declared)
    s.act("rabat", "delegation_conditioned", text("conditions", "Toujours accompagnés."), about=declared)
    s.act("rabat", "delegation_refused", text("note", "Sans armes ni pouvoirs."), about=armed)
    again = s.act("berlin", "delegation_declared", owner="ma", spotters=2)
    s.act("rabat", "delegation_accepted", about=again)
    states = [i.state for i in s.state("madrid").own.sort("delegation")]
    assert states == ["accepted_with_conditions", "refused", "accepted"]


def _match_day(s: Scene, match: str) -> None:
    s.f.clock.pass_time(KICKOFF - timedelta(hours=6) - s.f.clock())
    until = format_instant(KICKOFF - timedelta(hours=1))
    shift = s.act("rabat", "shift_opened", desk="situation", until=until, people=12)
    s.act("madrid", "logged", text("narrative", "El ferry de las dos llega con 300 seguidores."), match=match)
    s.act("rabat", "situation_reported", text("situation", "Calme au port."), number=1, match=match, present=9000)
    with pytest.raises(Invalid, match="the next number is 2"):
        s.act("rabat", "situation_reported", text("situation", "encore"), number=1)
    with s.lawless("berlin"):
        forged = s.act("berlin", "situation_reported", text("situation", "springt"), number=7)
    for at in ALL:
        assert [(m.code, m.void) for m in s.marks(at, forged)] == [("illegal_act", True)]
        assert s.id("berlin") not in s.state(at).own.numbers
    due = format_instant(s.f.clock() + timedelta(minutes=30))
    asked = {"owner": "de", "urgency": "urgent", "due": due, "match": match}
    asked_ = s.act("rabat", "information_asked", text("question", "Ce car est-il à vous ?"), body=CONFIRMED, **asked)
    assert s.owed("major_event.give_information", "berlin")["berlin"].urgent
    s.wait(minutes=40)
    assert s.owed("major_event.give_information")["berlin"].due_at < s.f.clock()
    s.act("berlin", "information_given", text("answer", "Ja, 48 Personen.", lang="de"), about=asked_)
    hurt = {"form": "pyrotechnics", "severity": 2, "match": match, "injured": 1, "arrests": 2}
    incident = s.act("rabat", "incident_reported", text("narrative", "Feux au secteur nord."), **hurt)
    s.act("rabat", "incident_resolved", about=incident)
    s.act("rabat", "shift_handed_over", text("situation", "Tout est calme."), about=shift)
    assert s.open_duties("berlin") == []


CONFIRMED = {"second": True}


def _afterwards(s: Scene, match: str) -> None:
    found = {"about": match, "attendance": 57800, "incidents": 1, "arrests": 2, "injured": 1, "cooperation": 5}
    with pytest.raises(Invalid, match="not before the match"):
        s.act("rabat", "post_match_reported", text("narrative", "trop tôt"), **found)
    s.f.clock.pass_time(KICKOFF + timedelta(hours=3) - s.f.clock())
    # Saturday evening: five working days are the Friday after.
    due = KICKOFF + timedelta(days=6)
    assert {n: d.due_at for n, d in s.owed("major_event.report_after_match").items()} == dict.fromkeys(ALL, due)
    s.wait(days=2)
    for name in ALL:
        s.act(name, "post_match_reported", text("narrative", "A calm evening, one flare."), **found)
    assert not s.owed("major_event.report_after_match", "berlin")
    assert s.state("madrid").own.items[match].state == "reported"


def _lessons_and_end(s: Scene) -> None:
    lesson = s.act("madrid", "lesson_drawn", text("lesson", "Un puesto común en el ferry.", lang="es"))
    with pytest.raises(Conflict, match="has not ended"):
        s.node("madrid").dossiers.purge(s.dossier, s.supervisor("madrid"))
    assert set(s.owed("major_event.close", "madrid")) == {"rabat"}
    with pytest.raises(Invalid) as refused:
        s.act("madrid", "closed")
    assert refused.value.code == "act.not_the_opener"
    s.act("rabat", "closed", text("narrative", "Fin de l'événement."))
    s.act("rabat", "lesson_taken_up", about=lesson, committee="d-" + "0" * 32)
    assert s.state("berlin").own.items[lesson].state == "taken_up"
    assert {n: d.due_at for n, d in s.owed("major_event.erase").items()} == dict.fromkeys(ALL, DIES)


def _the_data_die(s: Scene) -> None:
    assert by_name(s.node("rabat").bank, "Aitor Berasategui Lanza")
    held = {n: sum(p.presence is Presence.HELD for p in s.parts(n)) for n in ALL}
    assert s.node("berlin").dossiers.purge(s.dossier, s.supervisor("berlin")) == held["berlin"] > 20
    s.f.pump()
    assert set(s.owed("major_event.erase")) == {"rabat", "madrid"}
    # The others wait until the day that the opening names; nobody has to remember it.
    s.f.clock.pass_time(datetime(ERASE.year, ERASE.month, ERASE.day, 6, tzinfo=UTC) - s.f.clock())
    for name in ("rabat", "madrid"):
        s.node(name).sweep()
    s.f.pump()
    assert s.f.clock() < DIES
    assert not s.node("rabat").dossiers.duties(dossier=s.dossier), "nothing is left, not even to review"
    for name in ALL:
        node = s.node(name)
        assert s.open_duties(name) == []
        assert {p.presence for p in s.parts(name)} <= {Presence.ERASED, Presence.WITHHELD}
        assert not by_name(node.bank, "Aitor Berasategui Lanza")
        assert not by_name(node.bank, "Sönke Harmsbüttel")
        (said,) = (e.statement for e in s.state("rabat").entries if e.statement.type == "major_event.erased"
                   and e.statement.author == s.id(name))  # fmt: skip
        assert said.facts["parts"] == held[name]
        assert verify_bundle(said.facts["proof"].encode(), f"tansiq/{s.id(name)}", node.keys.signing.public)


def test_what_nobody_closes_dies_at_the_hard_stop(federation: Federation) -> None:
    s = Scene(federation)
    last = ground({"ES": "ma-es-2019", "DE": "ma-de"}, DIES.date(), "public_security")
    s.open("rabat", "major_event", ["es", "de"], EVENT, text("subject", "Partido", lang="es"), legal=last)
    s.act("rabat", "logged", person("Aitor Berasategui Lanza", "PFUT"))
    s.f.clock.pass_time(DIES + timedelta(hours=1) - BEGIN)
    assert s.owed("major_event.close")["rabat"].due_at < s.f.clock()
    for name in ALL:
        s.node(name).sweep()
    s.f.pump()
    for name in ALL:
        assert {p.presence for p in s.parts(name)} == {Presence.ERASED}
        assert not by_name(s.node(name).bank, "Aitor Berasategui Lanza")
    assert s.state("rabat").own.erased == {s.id(n) for n in ALL}
    s.agree()
