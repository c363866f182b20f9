"""Threats: a removed member, and a member that works with a stale member list."""

from __future__ import annotations

from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, statement_to_bytes
from tansiq.exchange.model import Item
from tests.support import acts
from tests.support.entries import Desk
from tests.support.services import Federation


def removed(f: Federation) -> tuple[str, str]:
    """Rabat's report to Madrid and Berlin, from which Rabat then removes Berlin."""
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    rabat.dossiers.append(dossier, {"type": "dossier.members", "to": ["es"]}, f.officers["rabat"])
    f.pump()
    return dossier, rabat.dossiers.state(dossier).entries[0].id


def test_a_removed_member_gets_nothing_more_and_may_write_nothing_more(services: Federation) -> None:
    f = services
    dossier, _ = removed(f)
    f.nodes["rabat"].dossiers.append(dossier, acts.note("report.note_added"), f.officers["rabat"])
    f.pump()
    assert len(f.nodes["madrid"].dossiers.state(dossier).entries) == 3
    berlin = f.nodes["berlin"]
    assert len(berlin.dossiers.state(dossier).entries) == 1
    # Nobody tells Berlin; what it writes all the same is refused by name, and its officers can read that.
    late = berlin.dossiers.append(dossier, acts.note("report.note_added"), f.officers["berlin"])
    f.pump()
    told = {(d.to, str(d.state), d.reason) for d in berlin.exchange.deliveries(ref=late)}
    others = (f.nodes["rabat"].node_id, f.nodes["madrid"].node_id)
    assert told == {(node, "refused", "after_removal") for node in others}


def test_what_a_removed_member_sends_all_the_same_is_refused_by_name(services: Federation) -> None:
    f = services
    dossier, _ = removed(f)
    berlin, madrid = f.nodes["berlin"], f.nodes["madrid"]
    from tansiq import crypto
    from tansiq.kinds import KINDS

    desk = Desk(berlin.node_id, KINDS["report"])
    desk.see(berlin.dossiers.state(dossier).entries[0])
    late = desk.write("report.note_added")
    raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(late.statement), berlin.keys.signing, berlin.node_id)
    item = Item("entry", late.id, delivery_to_bytes(raw, []))
    result = madrid.store.write(lambda tx: madrid.dossiers.file(tx, berlin.node_id, item))
    assert (result.received, result.reason) == (False, "after_removal")
    assert late.id not in {e.id for e in madrid.dossiers.state(dossier).entries}


def test_no_node_seals_to_a_member_that_its_newest_list_lacks(services: Federation) -> None:
    """The entry was queued while Berlin was a member; the list changed before the courier came."""
    f = services
    f.away.add("berlin")
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    rabat.dossiers.append(dossier, {"type": "dossier.members", "to": ["es"]}, f.officers["rabat"])
    f.away.clear()
    f.pump()
    states = {(d.to, str(d.state), d.reason) for d in rabat.exchange.deliveries(to=f.nodes["berlin"].node_id)}
    assert {s for _, s, _ in states} == {"refused"}
    assert f.nodes["berlin"].dossiers.rows() == []


def test_an_empty_member_list_means_nobody(services: Federation) -> None:
    f = services
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    rabat.dossiers.append(dossier, {"type": "dossier.members", "to": []}, f.officers["rabat"])
    rabat.dossiers.append(dossier, acts.note("report.note_added"), f.officers["rabat"])
    f.pump()
    assert len(f.nodes["madrid"].dossiers.state(dossier).entries) == 1
