"""What stays between services when one of them was removed from a dossier: who shared takes back, who holds answers."""

from __future__ import annotations

import pytest

from tansiq.dossiers.model import Entry, Presence
from tansiq.errors import Refused
from tansiq.ledger import verify_bundle
from tansiq.node import Node
from tansiq.terms import DossierId, EntryId, NodeId, PartId
from tests.support import acts
from tests.support.services import Federation


@pytest.fixture
def f(federation: Federation) -> Federation:
    return federation


def shared(f: Federation) -> tuple[DossierId, EntryId, PartId]:
    """Madrid's dossier, to which Rabat has given a note; all three have it."""
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    body = acts.report()
    body["legal"]["agreement"] = {"MA": "ma-es-2019", "DE": "eu-2023-977"}
    dossier = madrid.dossiers.open("report", body, ["ma", "de"], f.officers["madrid"])
    f.pump()
    words = acts.note("report.note_added", "he was seen in Qanarita")
    note = rabat.dossiers.append(dossier, words, f.officers["rabat"])
    f.pump()
    (part,) = rabat.dossiers.state(dossier).entry(note).parts  # type: ignore[union-attr]
    return dossier, note, part.ref.id


def remove(f: Federation, dossier: DossierId, *stay: str) -> None:
    f.nodes["madrid"].dossiers.append(dossier, {"type": "dossier.members", "to": [*stay]}, f.officers["madrid"])
    f.pump()


def recall(f: Federation, name: str, dossier: DossierId, about: EntryId, part: PartId) -> EntryId:
    facts = {"about": about, "part": part, "reason": "source_protection"}
    return f.nodes[name].dossiers.append(dossier, {"type": "dossier.recalled", "facts": facts}, f.officers[name])


def presence(node: Node, dossier: DossierId, about: EntryId, part: PartId) -> Presence:
    entry = node.dossiers.state(dossier).entry(about)
    assert entry is not None
    return next(p.presence for p in entry.parts if p.ref.id == part)


def verified(f: Federation) -> bool:
    return all(node.ledger.verify().broken_at is None for node in f.nodes.values())


def owed_to(node: Node, dossier: DossierId) -> set[NodeId]:
    found = node.dossiers.duties(dossier=dossier, creditor=node.node_id)
    return {d.owner for d in found if d.code == "dossier.erase"}


def entry_of(node: Node, dossier: DossierId, entry: EntryId) -> Entry | None:
    return node.dossiers.state(dossier).entry(entry)


def test_a_removed_member_takes_back_what_it_gave_and_sees_who_has_erased_it(f: Federation) -> None:
    dossier, note, part = shared(f)
    remove(f, dossier, "de")
    madrid, rabat, berlin = (f.nodes[n] for n in ("madrid", "rabat", "berlin"))
    later = madrid.dossiers.append(dossier, acts.note("report.note_added", "for Berlin"), f.officers["madrid"])
    f.pump()
    f.away.add("berlin")
    taken = recall(f, "rabat", dossier, note, part)
    f.pump()
    assert {(d.to, str(d.state)) for d in rabat.exchange.deliveries(ref=taken)} == {
        (madrid.node_id, "received"),
        (berlin.node_id, "queued"),
    }
    assert presence(madrid, dossier, note, part) is Presence.ERASED
    (seen,) = rabat.dossiers.state(dossier).recalls
    assert set(seen.erased) == {madrid.node_id}
    assert owed_to(rabat, dossier) == {berlin.node_id}
    f.away.clear()
    f.pump()
    assert presence(berlin, dossier, note, part) is Presence.ERASED
    (seen,) = rabat.dossiers.state(dossier).recalls
    for node in (madrid, berlin):
        proof = str(seen.erased[node.node_id]["proof"]).encode()
        assert verify_bundle(proof, f"tansiq/{node.node_id}", node.keys.signing.public)
        assert set(node.dossiers.state(dossier).recalls[0].erased) == {madrid.node_id, berlin.node_id}
        assert taken not in node.dossiers.state(dossier).voided()
    assert owed_to(rabat, dossier) == set()
    # The answers, and nothing else of the dossier: neither the note nor the list that removed it.
    types = [e.statement.type for e in rabat.dossiers.state(dossier).entries]
    assert sorted(types) == sorted(["report.given", "report.note_added", "dossier.recalled", *["dossier.erased"] * 2])
    assert entry_of(rabat, dossier, later) is None
    assert verified(f)


def test_what_was_taken_back_before_the_removal_arrives_stays_taken_back(f: Federation) -> None:
    """Berlin hears of the recall, then of the removal that had not seen it; Madrid in the other order."""
    dossier, note, part = shared(f)
    madrid, rabat, berlin = (f.nodes[n] for n in ("madrid", "rabat", "berlin"))
    f.away.add("madrid")
    taken = recall(f, "rabat", dossier, note, part)
    f.pump()
    madrid.dossiers.append(dossier, {"type": "dossier.members", "to": ["de"]}, f.officers["madrid"])
    f.away.clear()
    f.pump()
    for node in (madrid, berlin):
        state = node.dossiers.state(dossier)
        assert presence(node, dossier, note, part) is Presence.ERASED
        assert taken not in state.voided()
        assert set(state.recalls[0].erased) == {madrid.node_id, berlin.node_id}
    assert set(rabat.dossiers.state(dossier).recalls[0].erased) == {madrid.node_id, berlin.node_id}
    assert verified(f)


def test_what_a_removed_member_holds_is_taken_back_too(f: Federation) -> None:
    dossier, note, part = shared(f)
    remove(f, dossier, "ma")  # Berlin is out, and has Rabat's note
    madrid, rabat, berlin = (f.nodes[n] for n in ("madrid", "rabat", "berlin"))
    recall(f, "rabat", dossier, note, part)
    f.away.add("berlin")
    f.pump()
    assert owed_to(rabat, dossier) == {berlin.node_id}
    f.away.clear()
    f.pump()
    assert presence(berlin, dossier, note, part) is Presence.ERASED
    for node in (madrid, rabat):
        (seen,) = node.dossiers.state(dossier).recalls
        assert set(seen.erased) == {madrid.node_id, berlin.node_id}
        assert not node.dossiers.state(dossier).voided()
    # Berlin is told of the recall, and of nothing else.
    types = [e.statement.type for e in berlin.dossiers.state(dossier).entries]
    assert types.count("dossier.members") == 0
    assert verified(f)


def test_a_recall_with_words_counts_and_its_words_are_not_taken(f: Federation) -> None:
    """Nobody tells a member that it was removed: it may say why, and what it says is kept from the dossier."""
    dossier, note, part = shared(f)
    remove(f, dossier, "de")
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    facts = {"about": note, "part": part, "reason": "inaccurate"}
    body = acts.note("dossier.recalled", "words of a removed member", **facts)
    taken = rabat.dossiers.append(dossier, body, f.officers["rabat"])
    f.pump()
    assert presence(madrid, dossier, note, part) is Presence.ERASED
    entry = entry_of(madrid, dossier, taken)
    assert entry is not None
    assert [p.presence for p in entry.parts] == [Presence.WITHHELD]


def test_a_member_that_knows_of_its_removal_takes_back_and_does_nothing_else(f: Federation) -> None:
    dossier, note, part = shared(f)
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    told_to_all(f, dossier)
    assert rabat.node_id not in rabat.dossiers.state(dossier).members
    with pytest.raises(Refused) as refused:
        rabat.dossiers.append(dossier, acts.note("report.note_added"), f.officers["rabat"])
    assert refused.value.code == "dossier.not_a_member"
    facts = {"about": note, "part": part, "reason": "inaccurate"}
    with pytest.raises(Refused):
        rabat.dossiers.append(dossier, acts.note("dossier.recalled", **facts), f.officers["rabat"])
    recall(f, "rabat", dossier, note, part)
    f.pump()
    (seen,) = rabat.dossiers.state(dossier).recalls
    assert set(seen.erased) == {madrid.node_id, f.nodes["berlin"].node_id}
    assert verified(f)


def told_to_all(f: Federation, dossier: DossierId) -> None:
    """A list that its opener's node addresses to the member that it removes too: a node of another make may."""
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    writing = madrid.dossiers._writing
    plain = writing._addressees
    writing._addressees = lambda state, parsed: tuple(n for n in state.members if n != madrid.node_id)  # type: ignore[method-assign]
    try:
        listed = madrid.dossiers.append(dossier, {"type": "dossier.members", "to": ["de"]}, f.officers["madrid"])
    finally:
        writing._addressees = plain  # type: ignore[method-assign]
    raw = madrid.dossiers.signed(listed)
    from tansiq.dossiers.wire import delivery_to_bytes
    from tansiq.exchange.model import Item

    item = Item("entry", listed, delivery_to_bytes(raw, []))
    assert rabat.store.write(lambda tx: rabat.dossiers.file(tx, madrid.node_id, item)).received
    f.pump()
