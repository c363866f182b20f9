"""An operation, told end to end: a joint team of Madrid and Berlin, and a van that Rabat lets pass under watch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tansiq.dossiers.model import Presence
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.kinds.operation import custody, totals
from tansiq.ledger import verify_bundle
from tansiq.terms import format_instant
from tests.support.federation import BEGIN
from tests.support.holdings import by_name
from tests.support.one_dossier import TRANSFER, Scene, ground, person, text
from tests.support.services import Federation

ERASE = (BEGIN + timedelta(days=900)).date()
TEAM_GROUND = ground("eu-2023-977", ERASE, "investigation")
PASSAGE_GROUND = ground({"MA": "ma-es-2019", "DE": "eu-2023-977"}, ERASE, "investigation", transfer_basis=TRANSFER)
BERLIN_GROUND = ground({"MA": "ma-de", "ES": "eu-2023-977"}, ERASE, "investigation", transfer_basis=TRANSFER)
UNTIL, LONGER = (format_instant(BEGIN + timedelta(days=n)) for n in (90, 180))
AGREEMENT = (
    text("purpose", "Investigar el robo y la exportación de vehículos; art. 13.", lang="es"),
    text("leaders", "Jefa en España: I. Valdelomar. Leiter in Deutschland: R. Osterkamp.", lang="es"),
    text("evidence_rules", "Cada parte recoge pruebas según su propia ley.", lang="es"),
    text("data_rules", "Los datos se borran a los treinta días del cierre.", lang="es"),
)
JIT = {
    "form": "jit",
    "window_from": format_instant(BEGIN),
    "window_until": UNTIL,
    "crime_areas": ["motor_vehicle_crime"],
    "states": ["ES", "DE"],
}


def test_a_joint_team_from_the_signature_to_the_purge(federation: Federation) -> None:
    s = Scene(federation)
    proposal = _sign(s)
    _amend(s)
    _work(s, proposal)
    _five_hours(s)
    _surveillance_aborted_and_reported(s)
    _results(s)
    _close_and_purge(s)
    s.agree()


def _sign(s: Scene) -> str:
    with pytest.raises(Invalid) as refused:
        s.open("madrid", "operation", ["de"], JIT, *AGREEMENT[:2], legal=TEAM_GROUND)
    assert (refused.value.code, refused.value.field) == ("act.part_missing", "parts")
    # The matrix has no investigation team with Rabat.
    with pytest.raises(Invalid, match="jit is not possible between DE, ES, MA"):
        s.open("madrid", "operation", ["de", "ma"], JIT, *AGREEMENT, legal=PASSAGE_GROUND)
    proposal = s.open("madrid", "operation", ["de"], JIT, *AGREEMENT, legal=TEAM_GROUND)
    assert set(s.owed("operation.sign", "berlin")) == {"berlin"}
    for name in ("madrid", "berlin"):
        with pytest.raises(Invalid, match="not before every party signed") as early:
            s.act(name, "task_given", text("task", "zu früh"), owner="de")
        assert (early.value.step, early.value.field) == ("check the life cycle", "type")
    with s.lawless("madrid"):
        forged = s.act("madrid", "decision_taken", text("decision", "before anybody signed"), number=1)
    assert [(m.code, m.void) for m in s.marks("berlin", forged)] == [("illegal_act", True)]
    s.act("berlin", "signed", about=proposal)
    assert all(s.state(n).own.active for n in ("madrid", "berlin"))
    assert s.open_duties("madrid") == []
    assert set(s.members()) == {"madrid", "berlin"}
    return proposal


def _amend(s: Scene) -> None:
    change = s.act("berlin", "amended", text("arrangements", "Verlängerung um drei Monate."), window_until=LONGER)
    assert s.state("madrid").own.facts["window_until"] == UNTIL
    assert set(s.owed("operation.sign", "madrid")) == {"madrid"}
    s.act("madrid", "signed", about=change)
    assert s.state("berlin").own.facts["window_until"] == LONGER


def _work(s: Scene, proposal: str) -> None:
    due = format_instant(s.f.clock() + timedelta(days=2))
    task = s.act("madrid", "task_given", text("task", "Halter der Hallen feststellen."), owner="de", due=due)
    assert set(s.owed("operation.task", "berlin")) == {"berlin"}
    found = person("Torben Westerhagen", "SUSP", birthDate="1981")
    s.act("berlin", "task_done", text("narrative", "Die Hallen gehören einem Halter."), found, about=task)
    s.act("madrid", "situation_reported", text("situation", "Dos naves vigiladas."), number=1)
    with pytest.raises(Invalid, match="the next number is 2"):
        s.act("madrid", "situation_reported", text("situation", "tres"), number=3)
    s.act("madrid", "decision_taken", text("decision", "Registro el jueves."), number=1)
    phone = s.act(
        "madrid", "exhibit_logged", text("exhibit", "Copia del teléfono."), form="data", digest="ab" * 32, size=10**9
    )
    s.act("madrid", "exhibit_touched", about=phone, how="copied")
    s.act("madrid", "custody_given", about=phone, owner="de")
    assert set(s.owed("operation.take_custody", "berlin")) == {"berlin"}
    with pytest.raises(Invalid, match="not theirs to do"):
        s.act("madrid", "exhibit_touched", about=phone, how="examined")
    s.act("berlin", "custody_taken", about=phone)
    s.act("berlin", "exhibit_touched", about=phone, how="examined")
    chain = custody(s.state("madrid").own.items[phone])
    assert [(act.removeprefix("operation."), who[:2]) for act, who, _at in chain] == [
        ("exhibit_logged", "es"),
        ("exhibit_touched", "es"),
        ("custody_given", "es"),
        ("custody_taken", "de"),
        ("exhibit_touched", "de"),
    ]
    assert proposal == s.state("berlin").own.proposal


def _surveil(s: Scene, **facts: object) -> str:
    parts = (text("route", "A9 hacia el norte"), text("officers", "Cuatro agentes, dos vehículos"))
    body = {"second": True}
    return s.act("madrid", "measure_requested", *parts, body=body, measure="cross_border_surveillance", **facts)


def _five_hours(s: Scene) -> None:
    crossed = s.f.clock() - timedelta(minutes=10)
    asked = _surveil(s, urgency="urgent", crossing_at=format_instant(crossed))
    for code, owner in (("operation.answer_measure", "berlin"), ("operation.stop_surveillance", "madrid")):
        (found,) = s.owed(code, "berlin").items()
        assert (found[0], found[1].due_at, found[1].urgent) == (owner, crossed + timedelta(hours=5), True)
    s.wait(hours=4, minutes=55)
    # No word came: after five hours it must have stopped, and the duty stands late on both boards.
    for at in ("madrid", "berlin"):
        assert s.owed("operation.stop_surveillance", at)["madrid"].due_at < s.f.clock()
    stop = s.act("madrid", "measure_aborted", about=asked)
    assert not s.owed("operation.stop_surveillance", "madrid")
    assert s.owed("operation.acknowledge_abort", "madrid")["berlin"].due_at == s.f.clock() + timedelta(minutes=30)
    s.act("berlin", "abort_acknowledged", about=stop)
    assert s.owed("operation.report_measure", "berlin")["madrid"].due_at == s.f.clock() + timedelta(days=7)
    s.act("madrid", "measure_reported", text("narrative", "Sin contacto."), about=asked, outcome="broken_off")
    assert s.open_duties("madrid") == []


def _surveillance_aborted_and_reported(s: Scene) -> None:
    asked = _surveil(s, due=format_instant(s.f.clock() + timedelta(hours=6)))
    s.act("berlin", "measure_authorised", text("conditions", "Ohne Waffen."), about=asked, conditions=True)
    assert set(s.owed("operation.report_measure", "berlin")) == {"madrid"}
    # Its host breaks it off; what was seen until then is reported all the same.
    stop = s.act("berlin", "measure_aborted", about=asked)
    s.act("madrid", "abort_acknowledged", about=stop)
    assert set(s.owed("operation.report_measure", "berlin")) == {"madrid"}
    s.act("madrid", "measure_reported", text("narrative", "Interrumpida."), about=asked, outcome="broken_off")
    assert not s.owed("operation.report_measure", "madrid")


def _results(s: Scene) -> None:
    result = s.act("madrid", "result_recorded", arrests=3, seizures=11, networks_dismantled=1)
    assert totals(s.state("berlin").own) == {}
    s.act("berlin", "result_disputed", text("note", "Zwei Festnahmen, nicht drei."), about=result)
    s.act("madrid", "result_recorded", arrests=2, seizures=11, networks_dismantled=1)
    right = s.state("berlin").entries[-1].id
    s.act("berlin", "result_agreed", about=right)
    for at in ("madrid", "berlin"):
        assert totals(s.state(at).own) == {"arrests": 2, "seizures": 11, "networks_dismantled": 1}


def _close_and_purge(s: Scene) -> None:
    with pytest.raises(Conflict, match="has not ended"):
        s.node("madrid").dossiers.purge(s.dossier, s.supervisor("madrid"))
    end = s.act("madrid", "closed", due=format_instant(s.f.clock() + timedelta(days=30)), outcome="objective_reached")
    assert set(s.owed("operation.evaluate", "berlin")) == {"madrid", "berlin"}
    for name in ("madrid", "berlin"):
        s.act(name, "evaluated", text("evaluation", "Again at any time."), about=end, worth=5)
    assert set(s.owed("operation.erase", "madrid")) == {"madrid", "berlin"}
    # The node alone says that it erased; a liaison officer erases nothing.
    with pytest.raises(Invalid) as claimed:
        s.act("madrid", "operation.erased", about=end, parts=0, leaf=0, proof="none")
    assert claimed.value.code == "act.of_the_node"
    with pytest.raises(Refused):
        s.node("madrid").dossiers.purge(s.dossier, s.f.officers["madrid"])
    held = sum(p.presence is Presence.HELD for p in s.parts("madrid"))
    assert s.node("madrid").dossiers.purge(s.dossier, s.supervisor("madrid")) == held > 15
    s.f.pump()
    assert set(s.owed("operation.erase", "berlin")) == {"berlin"}
    # Berlin lets the day come: its node erases by itself, and says so.
    s.wait(days=31)
    s.node("berlin").sweep()
    s.f.pump()
    for name in ("madrid", "berlin"):
        assert not s.open_duties(name)
        assert {p.presence for p in s.parts(name)} == {Presence.ERASED}
        (said,) = (e for e in s.state("berlin").entries if e.statement.type == "operation.erased"
                   and e.statement.author == s.id(name))  # fmt: skip
        assert said.statement.facts["parts"] == held
        proof, keys = said.statement.facts["proof"].encode(), s.node(name).keys.signing.public
        assert verify_bundle(proof, f"tansiq/{s.id(name)}", keys)
    assert "proof_wrong" not in {m.code for n in ("madrid", "berlin") for m in s.state(n).marks}
    assert not by_name(s.node("madrid").bank, "Torben Westerhagen")


def test_no_partner_empties_a_dossier_from_one_day_to_the_next(federation: Federation) -> None:
    s = Scene(federation)
    facts = {"form": "coordination", "states": ["ES", "DE"]}
    s.open("madrid", "operation", ["de"], facts, text("subject", "Contacto"), legal=TEAM_GROUND)
    s.act("berlin", "situation_reported", text("situation", "Halle leer."), number=1)
    past = format_instant(BEGIN - timedelta(days=1))
    s.act("madrid", "closed", due=past, outcome="broken_off")
    s.node("berlin").sweep()
    assert {p.presence for p in s.parts("berlin")} == {Presence.HELD}
    s.wait(days=29)
    assert s.node("berlin").oversight.duties() == [], "what is kept so that officers read it is owed to nobody"
    s.wait(days=1)
    assert [d.dossier for d in s.node("berlin").oversight.duties()] == [s.dossier]
    s.node("berlin").confirm_clock()  # nobody has been heard from in a month
    s.node("berlin").sweep()
    assert s.node("berlin").oversight.duties() == []
    s.f.pump()
    assert {p.presence for p in s.parts("berlin")} == {Presence.ERASED}
    assert s.state("madrid").own.erased == {s.id("berlin")}


def test_a_van_passes_under_watch(federation: Federation) -> None:
    s = Scene(federation)
    facts = {"form": "controlled_delivery", "crime_areas": ["drug_trafficking"], "states": ["MA", "ES", "DE"]}
    s.open("madrid", "operation", ["ma", "de"], facts, text("subject", "Furgoneta"), legal=PASSAGE_GROUND)
    parts = (
        text("goods", "40 kg en doble fondo, sin sustituir.", lang="es"),
        text("route", "Tánger, Algeciras, Lyon, Colonia.", lang="es"),
        text("abort_criteria", "Pérdida de vista durante diez minutos.", lang="es"),
        text("officers", "Nombres del equipo español", "ma", lang="es"),
    )
    due = format_instant(BEGIN + timedelta(hours=8))
    asked = s.act("madrid", "measure_requested", *parts, measure="controlled_delivery", due=due)
    assert {n: format_instant(d.due_at) for n, d in s.owed("operation.answer_measure").items()} == {
        "rabat": due,
        "berlin": due,
    }
    assert [p.presence for p in s.parts("rabat")].count(Presence.WITHHELD) == 1
    # What the law between the three does not know is refused to whoever asks, and without effect when one sends it.
    watch = (text("route", "A7"), text("officers", "Dos agentes"))
    with pytest.raises(Invalid, match="cross_border_surveillance is not possible between DE, ES, MA") as refused:
        s.act("madrid", "measure_requested", *watch, measure="cross_border_surveillance")
    assert (refused.value.step, refused.value.field) == ("check the life cycle", "type")
    with s.lawless("rabat"):
        forged = s.act("rabat", "measure_requested", *watch, measure="cross_border_surveillance")
    for at in ("madrid", "berlin", "rabat"):
        (mark,) = s.marks(at, forged)
        assert (mark.code, mark.void) == ("illegal_act", True)
        assert "not possible" in mark.detail
        assert forged not in {d.entry for d in s.node(at).dossiers.duties(dossier=s.dossier)}
    watched = _answered(s, asked)
    _abort(s, watched)
    s.agree()


def _answered(s: Scene, asked: str) -> str:
    s.act("rabat", "measure_authorised", text("conditions", "Suivi par nos équipes."), about=asked, conditions=True)
    s.act("berlin", "measure_refused", body={"legal": BERLIN_GROUND}, about=asked, grounds=["c_judicial_refused"])
    own = s.state("madrid").own
    assert {i.owner[:2]: i.state for i in own.sort("measure")} == {"ma": "authorised", "de": "refused"}
    assert set(s.owed("operation.report_measure")) == {"madrid"}
    return asked


def _abort(s: Scene, asked: str) -> None:
    s.f.away.add("berlin")
    stop = s.act("rabat", "measure_aborted", about=asked)
    s.act("madrid", "abort_acknowledged", about=stop)
    s.wait(minutes=40)
    # Everybody was told at once, and who has not answered is named, late.
    assert s.owed("operation.acknowledge_abort")["berlin"].due_at < s.f.clock()
    s.f.away.clear()
    s.f.pump()
    s.act("berlin", "abort_acknowledged", about=stop)
    s.act("madrid", "measure_reported", text("narrative", "Cortada en el puerto."), about=asked, outcome="broken_off")
    for at in ("rabat", "madrid", "berlin"):
        assert s.open_duties(at) == []
