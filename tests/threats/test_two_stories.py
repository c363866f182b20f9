"""Threat: a member that tells two members two stories under one clock. Whoever sees both is told."""

from __future__ import annotations

from dataclasses import replace

from tansiq import crypto
from tansiq.dossiers.model import Entry
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, entry_id, statement_to_bytes
from tansiq.exchange.model import Item, ItemResult
from tansiq.kinds import KINDS
from tansiq.node import Node
from tests.support import acts
from tests.support.entries import Desk
from tests.support.services import Federation


def deliver(author: Node, to: Node, entry: Entry) -> ItemResult:
    raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(entry.statement), author.keys.signing, author.node_id)
    item = Item("entry", entry.id, delivery_to_bytes(raw, []))
    return to.store.write(lambda tx: to.dossiers.file(tx, author.node_id, item))


def test_two_entries_under_one_clock_are_shown_to_officers(services: Federation) -> None:
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    desk = Desk(rabat.node_id, KINDS["report"])
    desk.see(rabat.dossiers.state(dossier).entries[0])
    one = desk.write("report.closed", {"outcome": "complete"})
    statement = replace(one.statement, facts={"outcome": "withdrawn"})
    other = Entry(entry_id(statement_to_bytes(statement)), statement)
    assert deliver(rabat, madrid, one).received
    assert deliver(rabat, berlin, other).received
    assert madrid.dossiers.state(dossier).marks == berlin.dossiers.state(dossier).marks == ()
    # They meet: whatever way the second story comes, both nodes now show the same and say so.
    assert deliver(rabat, madrid, other).received
    assert deliver(rabat, berlin, one).received
    for node in (madrid, berlin):
        state = node.dossiers.state(dossier)
        assert {m.entry for m in state.marks if m.code == "equivocation"} == {one.id, other.id}
        assert len(state.voided()) == 1
    assert madrid.dossiers.state(dossier).phase == berlin.dossiers.state(dossier).phase == "closed"


def test_a_hidden_entry_is_missed_by_those_whom_others_tell_of_it(services: Federation) -> None:
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    desk = Desk(rabat.node_id, KINDS["report"])
    desk.see(rabat.dossiers.state(dossier).entries[0])
    secret = desk.write("report.note_added")
    assert deliver(rabat, madrid, secret).received
    madrid.dossiers.append(dossier, acts.note("report.note_added"), f.officers["madrid"])
    f.pump()
    state = berlin.dossiers.state(dossier)
    assert state.missing == (secret.id,)
    assert "parents_missing" in {m.code for m in state.marks}
