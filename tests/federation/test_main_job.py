"""The main job on whole nodes: report, match, request, permission, recall; on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tansiq.demo import people
from tansiq.dossiers.model import Presence
from tansiq.errors import Refused
from tansiq.exchange import verify_receipt_proof
from tansiq.hits.model import MatchState
from tansiq.ledger import verify_bundle
from tests.support import acts
from tests.support.holdings import by_name
from tests.support.services import Federation, shared_view


def send_report(f: Federation) -> tuple[str, str]:
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open(
        "report", acts.report((f.nodes["berlin"].node_id,)), ["es", "de"], f.officers["rabat"]
    )
    return dossier, rabat.dossiers.state(dossier).entries[0].id


def test_a_report_arrives_whole_in_madrid_and_without_its_source_in_berlin(federation: Federation) -> None:
    dossier, _ = send_report(federation)
    federation.pump()
    held = {
        name: [p.presence for e in federation.nodes[name].dossiers.state(dossier).entries for p in e.parts]
        for name in ("madrid", "berlin")
    }
    assert set(held["madrid"]) == {Presence.HELD}
    assert held["berlin"].count(Presence.WITHHELD) == 1
    assert len({shared_view(n, dossier) for n in federation.nodes.values()}) == 1


def test_a_match_across_scripts_becomes_a_hit_only_by_an_officer(federation: Federation) -> None:
    federation.hold("madrid", people.MADRID_HOLDINGS)
    send_report(federation)
    federation.pump()
    madrid = federation.nodes["madrid"]
    (match,) = [m for m in madrid.hits.matches() if m.incoming.schema == "Person"]
    assert match.holding.entity.names() == ("Yusef Benomar Serruali",)
    assert [d.code for d in madrid.hits.duties()] == ["hit.confirm"]
    decided = madrid.hits.decide(match.id, MatchState.HIT, "same person", federation.officers["madrid"])
    assert decided.state is MatchState.HIT
    assert madrid.hits.duties() == ()


def test_a_request_runs_against_its_clock_and_its_receipt_is_proven(federation: Federation) -> None:
    f = federation
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    with pytest.raises(Refused, match="second officer"):
        madrid.dossiers.open("request", acts.request(), ["ma"], f.officers["madrid"])
    dossier = madrid.dossiers.open("request", acts.request(), ["ma"], f.officers["madrid+second"])
    f.pump()
    (duty,) = [d for d in rabat.dossiers.duties(rabat.node_id) if d.code == "request.answer"]
    assert duty.due_at == f.clock() + timedelta(hours=8)
    f.clock.pass_time(timedelta(hours=2))
    rabat.dossiers.append(dossier, acts.note("request.clarification_asked"), f.officers["rabat"])
    f.pump()
    f.clock.pass_time(timedelta(hours=30))
    given = acts.note("request.clarification_given", lane="ma")
    madrid.dossiers.append(dossier, given, f.officers["madrid"])
    f.pump()
    (duty,) = [d for d in rabat.dossiers.duties(rabat.node_id) if d.code == "request.answer"]
    assert duty.due_at == f.clock() + timedelta(hours=6)
    answer = {"type": "request.answered", "facts": {}, "parts": [{"kind": "answer", "lang": "fr", "text": "voici"}]}
    rabat.dossiers.append(dossier, answer, f.officers["rabat"])
    f.pump()
    assert madrid.dossiers.state(dossier).phase == "closed"
    opening = madrid.dossiers.state(dossier).entries[0].id
    (receipt,) = madrid.prove(opening)["receipts"]
    proven = verify_receipt_proof(json.dumps(receipt).encode())
    assert (proven.ref, proven.receipt.recipient, proven.result.received) == (opening, rabat.node_id, True)


def test_an_h2_report_is_passed_on_by_its_originator_alone(federation: Federation) -> None:
    f = federation
    dossier, entry = send_report(f)
    f.pump()
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    with pytest.raises(Refused) as refused:
        berlin.dossiers.forward(dossier, entry, "pt", f.officers["berlin"])
    assert "handling.h2" in refused.value.clauses
    asked = berlin.dossiers.append(
        dossier, acts.note("dossier.permission_requested", about=entry, to="pt"), f.officers["berlin"]
    )
    f.pump()
    grant = acts.note("dossier.permission_answered", asked=asked, answer="granted_with_conditions")
    rabat.dossiers.append(dossier, grant, f.officers["rabat"])
    f.add("lisbon")
    rabat.dossiers.admit(dossier, "pt", f.officers["rabat"])
    f.pump()
    lisbon = f.nodes["lisbon"].dossiers.state(dossier)
    assert lisbon.phase == "given"
    source = [p for p in lisbon.entries[0].parts if p.ref.kind == "note"]
    assert [p.presence for p in source] == [Presence.WITHHELD]
    carried = [name for name, _ in f.posted if name == "lisbon"]
    assert carried, "nothing was delivered to Lisbon"


def test_a_recalled_part_is_erased_everywhere_with_proof_and_all_still_verifies(federation: Federation) -> None:
    f = federation
    f.hold("madrid", people.MADRID_HOLDINGS)
    dossier, entry = send_report(f)
    f.pump()
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    mine = rabat.dossiers.state(dossier).entries[0]
    part = next(p.ref.id for p in mine.parts if p.content and p.content.get("entity", {}).get("id") == "p1")
    assert madrid.hits.matches()
    rabat.dossiers.append(
        dossier,
        {"type": "dossier.recalled", "facts": {"about": entry, "part": part, "reason": "inaccurate"}},
        f.officers["rabat"],
    )
    f.pump()
    (recall,) = rabat.dossiers.state(dossier).recalls
    for name in ("madrid", "berlin"):
        node = f.nodes[name]
        found = next(p for e in node.dossiers.state(dossier).entries for p in e.parts if p.ref.id == part)
        assert (found.presence, found.content) == (Presence.ERASED, None)
        proof = recall.erased[node.node_id]["proof"].encode()
        assert verify_bundle(proof, f"tansiq/{node.node_id}", node.keys.signing.public)
        assert node.ledger.verify().broken_at is None
    assert madrid.hits.matches() == []
    assert not [c for c in by_name(madrid.bank, "يوسف بن عمر الزروالي") if c.record.provenance.source == "dossier"]
    assert len({shared_view(n, dossier) for n in f.nodes.values()}) == 1


def test_a_partner_away_for_thirty_days_misses_nothing(federation: Federation) -> None:
    f = federation
    f.away.add("berlin")
    dossier, entry = send_report(f)
    for day in range(30):
        f.clock.pass_time(timedelta(days=1))
        if day % 10 == 0:
            f.nodes["rabat"].dossiers.append(dossier, acts.note("report.note_added", f"day {day}"), f.officers["rabat"])
        f.pump()
    f.away.clear()
    f.pump()
    assert len(f.nodes["berlin"].dossiers.state(dossier).entries) == 4
    assert len({shared_view(n, dossier) for n in f.nodes.values()}) == 1
    assert entry == f.nodes["berlin"].dossiers.state(dossier).entries[0].id


def test_clocks_an_hour_apart_change_no_rule(make_federation) -> None:
    f = make_federation(ahead={"madrid": timedelta(hours=1), "rabat": timedelta(minutes=-30)})
    f.add("rabat", "madrid", "berlin")
    body = acts.request()
    body["legal"]["agreement"] = {"MA": "ma-es-2019", "DE": "eu-2023-977"}
    dossier = f.nodes["madrid"].dossiers.open("request", body, ["ma", "de"], f.officers["madrid+second"])
    f.pump()
    answer = {"type": "request.answered", "facts": {}, "parts": [{"kind": "answer", "lang": "fr", "text": "voici"}]}
    f.nodes["rabat"].dossiers.append(dossier, answer, f.officers["rabat"])
    f.pump()
    views = {shared_view(n, dossier) for n in f.nodes.values()}
    assert len(views) == 1
    assert all(not m.void for m in f.nodes["madrid"].dossiers.state(dossier).marks)


def test_a_withheld_part_is_given_later_by_its_originator(federation: Federation) -> None:
    f = federation
    dossier, entry = send_report(f)
    f.pump()
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    hidden = [p.ref.id for p in berlin.dossiers.state(dossier).entries[0].parts if p.presence is Presence.WITHHELD]
    assert len(hidden) == 1
    rabat.dossiers.deliver_to(dossier, "de", f.officers["rabat"], give=hidden)
    f.pump()
    state = berlin.dossiers.state(dossier)
    assert {p.presence for p in state.entries[0].parts} == {Presence.HELD}
    assert state.entries[0].id == entry
    assert len(state.entries) == 1
