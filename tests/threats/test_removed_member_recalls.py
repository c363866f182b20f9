"""Threat: a removed member may still take back what it gave; it must not be able to do anything else with that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tansiq import crypto
from tansiq.dossiers.model import Entry, PartRef, Presence
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, statement_to_bytes
from tansiq.exchange.model import Item, ItemResult
from tansiq.kinds import KINDS
from tansiq.node import Node
from tansiq.terms import DossierId, PartId
from tests.support import acts
from tests.support.entries import Desk
from tests.support.services import Federation


@pytest.fixture
def removed(services: Federation) -> tuple[Federation, DossierId, Desk, Entry]:
    """Rabat's dossier with a note of Berlin, which Rabat then removes; and Berlin's desk, on which it may forge."""
    f = services
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    berlin.dossiers.append(dossier, acts.note("report.note_added", "seen in Tarvenne"), f.officers["berlin"])
    f.pump()
    rabat.dossiers.append(dossier, {"type": "dossier.members", "to": ["es"]}, f.officers["rabat"])
    f.pump()
    desk = Desk(berlin.node_id, KINDS["report"])
    desk.see(*berlin.dossiers.state(dossier).entries)
    note = next(e for e in desk.state().entries if e.statement.author == berlin.node_id)
    return f, dossier, desk, note


def file(f: Federation, forged: Entry, at: str = "madrid") -> ItemResult:
    berlin, node = f.nodes["berlin"], f.nodes[at]
    raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(forged.statement), berlin.keys.signing, berlin.node_id)
    item = Item("entry", forged.id, delivery_to_bytes(raw, []))
    return node.store.write(lambda tx: node.dossiers.file(tx, berlin.node_id, item))


def ask(f: Federation, asker: Node, node: Node, missing: str) -> None:
    until = f.clock() + timedelta(days=1)
    asker.store.write(lambda tx: asker.exchange.enqueue(tx, to=node.node_id, kind="ask", ref=missing, expires_at=until))


def facts(about: Entry, part: PartRef, **more: Any) -> dict[str, Any]:
    return {"about": about.id, "part": part.id, "reason": "other", **more}


def ids(node: Node, dossier: DossierId) -> set[str]:
    return {e.id for e in node.dossiers.state(dossier).entries}


def test_it_takes_back_no_other_services_part(removed: tuple[Federation, DossierId, Desk, Entry]) -> None:
    f, dossier, desk, _note = removed
    madrid = f.nodes["madrid"]
    opening = madrid.dossiers.state(dossier).first
    forged = desk.write("dossier.recalled", facts(opening, opening.statement.parts[0]))
    assert file(f, forged) == ItemResult(forged.id, received=False, reason="after_removal")
    assert forged.id not in ids(madrid, dossier)
    first = madrid.dossiers.state(dossier).first
    assert first.parts[0].presence is Presence.HELD


def test_a_flood_of_recalls_leaves_one_for_each_part_it_gave(
    removed: tuple[Federation, DossierId, Desk, Entry],
) -> None:
    f, dossier, desk, note = removed
    (part,) = note.statement.parts
    forged = [desk.write("dossier.recalled", facts(note, part)) for _ in range(20)]
    # Of what never was, too: neither an entry nor a part that it invents makes room.
    nowhere = PartRef(PartId("p-" + "0" * 64), "note", 1)
    forged += [desk.write("dossier.recalled", facts(note, nowhere)) for _ in range(3)]
    before = ids(f.nodes["madrid"], dossier)
    results = [file(f, e) for e in forged]
    assert [r.received for r in results] == [True] + [False] * 22
    assert {r.reason for r in results[1:]} == {"after_removal"}
    assert ids(f.nodes["madrid"], dossier) - before == {forged[0].id}


def test_parents_that_it_invents_are_asked_for_by_nobody(removed: tuple[Federation, DossierId, Desk, Entry]) -> None:
    """Nor do they open the door for other entries of its own: a node that waits for parents refuses less."""
    f, dossier, desk, note = removed
    (part,) = note.statement.parts
    madrid = f.nodes["madrid"]
    invented = tuple(f"e-{n:064x}" for n in range(8))
    parents = tuple(sorted((*desk.state().heads, *invented)))
    forged = desk.write("dossier.recalled", facts(note, part), parents=parents)
    assert file(f, forged).received
    state = madrid.dossiers.state(dossier)
    assert (forged.id in state.voided(), state.missing) == (False, ())
    late = desk.write("report.note_added")
    assert file(f, late) == ItemResult(late.id, received=False, reason="after_removal")


def test_an_answer_that_nobody_asked_it_for_is_refused(removed: tuple[Federation, DossierId, Desk, Entry]) -> None:
    f, _dossier, desk, note = removed
    (part,) = note.statement.parts
    taken = desk.write("dossier.recalled", facts(note, part))
    assert file(f, taken).received
    forged = desk.write("dossier.erased", {"recall": taken.id, "part": part.id, "held": False})
    assert file(f, forged) == ItemResult(forged.id, received=False, reason="after_removal")


def test_it_is_given_the_answers_and_nothing_else(removed: tuple[Federation, DossierId, Desk, Entry]) -> None:
    f, dossier, _desk, note = removed
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    (part,) = note.statement.parts
    rabat.dossiers.append(dossier, acts.note("report.note_added", "for Madrid alone"), f.officers["rabat"])
    body = {"type": "dossier.recalled", "facts": facts(note, part)}
    before = ids(berlin, dossier)
    taken = berlin.dossiers.append(dossier, body, f.officers["berlin"])
    f.pump()
    # It asks for what the answers name as their parents: nobody gives it that.
    named = berlin.dossiers.state(dossier).missing
    assert named
    for missing in named:
        for node in (rabat, madrid):
            ask(f, berlin, node, missing)
    f.pump()
    new = [e for e in berlin.dossiers.state(dossier).entries if e.id not in before and e.id != taken]
    assert {(e.statement.type, e.statement.author) for e in new} == {
        ("dossier.erased", rabat.node_id),
        ("dossier.erased", madrid.node_id),
    }
    assert not any(e.statement.parts for e in new)
