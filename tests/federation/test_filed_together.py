"""Entries that come in one envelope are filed by one fold, and become what they would become one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tansiq import crypto
from tansiq.dossiers import rules
from tansiq.dossiers.model import Entry, PartRef
from tansiq.dossiers.wire import part_content
from tansiq.exchange import wire
from tansiq.exchange.inbox import GROUP
from tansiq.exchange.model import Item
from tansiq.node import Node
from tansiq.terms import DossierId, PartId
from tests.support import acts
from tests.support.entries import make
from tests.support.flood import SALT, Flooder
from tests.support.services import Federation

Town = tuple[Federation, DossierId, Flooder]


@pytest.fixture
def town(make_federation: Callable[..., Federation]) -> Town:
    f = make_federation()
    f.add("rabat", "madrid", "berlin")
    dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    return f, dossier, Flooder(f, "berlin", dossier)


def person(n: int) -> dict[str, Any]:
    claims = [{"property": "name", "value": f"Invented Person {n}"}, {"property": "birthDate", "value": f"19{n:02d}"}]
    return {"kind": "entity", "entity": {"id": f"p{n}", "schema": "Person", "claims": claims}}


def chain(flooder: Flooder, many: int) -> list[Item]:
    """Each follows the one before, and brings a person."""
    s, found, parents = flooder.template.statement, [], flooder.template.statement.parents
    for n in range(many):
        content = person(n)
        packed = part_content(content)
        part = PartId(crypto.commit_part("entity", SALT, packed))
        refs = (PartRef(part, "entity", len(packed)),)
        entry = make(replace(s, clock=s.clock + n, nonce=f"n{n}", parents=parents, parts=refs))
        parents = (entry.id,)
        found.append(flooder.item(entry, {part: content}))
    return found


def together(node: Node, sender: str, items: list[Item]) -> list[Any] | None:
    return node.store.write(lambda tx: node.dossiers.file_together(tx, sender, items))  # type: ignore[arg-type]


def held(node: Node, dossier: DossierId) -> dict[str, Any]:
    """What a node has of a dossier, without what each node chooses for itself."""
    tables = {
        "dossiers": "select kind, phase, unsettled, erase_on from dossiers",
        "bank": "select part, schema, originator from bank_records",
        "queue": "select entry, dossier, urgent from hit_queue",
    }
    with node.store.read() as tx:
        there = {name: sorted(map(tuple, tx.execute(text(query)))) for name, query in tables.items()}
    there["state"] = state = node.dossiers.state(dossier)
    there["queue"] = [row for row in there["queue"] if row[0] != state.first.id]  # its author does not examine it
    there["leaves"] = sorted((leaf.verb, leaf.subject) for leaf in node.ledger.find(dossier))
    return there


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_they_become_what_they_would_one_by_one(town: Town, order: str) -> None:
    f, dossier, flooder = town
    one, many = f.nodes["rabat"], f.nodes["madrid"]
    items = chain(flooder, 16)
    items = items[::-1] if order == "reverse" else [items[n * 7 % 16] for n in range(16)]
    for item in items:
        assert one.store.write(lambda tx, i=item: one.dossiers.file(tx, flooder.node.node_id, i)).received
    for at in range(0, len(items), GROUP):
        results = together(many, flooder.node.node_id, items[at : at + GROUP])
        assert results is not None
        assert all(r.received for r in results)
    assert held(one, dossier) == held(many, dossier)
    state = many.dossiers.state(dossier)
    assert state == replace(rules.fold(dossier, state.entries, flooder.desk.kind), entries=state.entries)
    f.restart("madrid")
    assert f.nodes["madrid"].dossiers.state(dossier) == state, "what was kept is what is read anew"


def test_a_group_that_comes_in_reverse_begins_one_fold_anew(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    f, _dossier, flooder = town
    madrid, begun = f.nodes["madrid"], [0]
    real = rules.folded

    def counted(*args: Any) -> Any:
        begun[0] += 1
        return real(*args)

    monkeypatch.setattr(rules, "folded", counted)
    items = chain(flooder, 2 * GROUP)[::-1]
    for at in (0, GROUP):
        assert together(madrid, flooder.node.node_id, items[at : at + GROUP]) is not None
    assert begun[0] <= 2


def test_what_might_change_another_is_filed_one_by_one(town: Town) -> None:
    f, dossier, flooder = town
    madrid, sender = f.nodes["madrid"], flooder.node.node_id
    items = chain(flooder, 4)
    note, other = (flooder.entry(100 + n, clock=1) for n in range(2))

    def is_left(*more: Entry) -> bool:
        return together(madrid, sender, [*items[:2], *(flooder.item(e) for e in more)]) is None

    recall = make(
        replace(
            note.statement, type="dossier.recalled", facts={"about": items[0].ref, "part": "p-1", "reason": "other"}
        )
    )
    assert is_left(recall), "a recall"
    assert is_left(make(replace(note.statement, dossier=DossierId("d-" + "1" * 32)))), "another dossier"
    assert is_left(make(replace(note.statement, kind="request"))), "another kind"
    assert is_left(other, other), "the same twice"
    stranger = f.nodes["rabat"].node_id
    assert together(madrid, stranger, items[:2]) is None, "not its author"
    assert {e.id for e in madrid.dossiers.state(dossier).entries}.isdisjoint(i.ref for i in items), "none of them filed"
    assert together(madrid, sender, items[:2]) is not None
    assert together(madrid, sender, items[1:3]) is None, "one is here already"


def test_a_bad_one_in_a_group_leaves_the_others(town: Town) -> None:
    """By the door: an envelope of a group whose third entry names a part that it does not bring as committed."""
    f, dossier, flooder = town
    madrid = f.nodes["madrid"]
    items = chain(flooder, 6)
    items[2] = replace(items[2], payload=items[2].payload.replace(b"Invented Person 2", b"Invented Person X"))
    berlin, now = f.nodes["berlin"], f.clock()
    outbox = berlin.exchange._outbox
    with berlin.store.read() as tx:
        pin = outbox._pins.find_pinned(tx, madrid.node_id)
    assert pin is not None
    body = outbox._sealed("x-" + "1" * 32, pin, items, now, now.replace(year=now.year + 1))
    raw = crypto.sign(wire.ENVELOPE_TYPE, body, berlin.keys.signing, berlin.node_id)
    answer = crypto.peek(madrid.exchange.receive(raw), wire.MAX_RECEIPT_BYTES).body
    receipt = wire.parse_receipt(answer)
    assert [(r.received, r.reason) for r in receipt.items] == [
        (True, ""),
        (True, ""),
        (False, "delivery.commitment"),
        (True, ""),
        (True, ""),
        (True, ""),
    ]
    assert len(madrid.dossiers.state(dossier).entries) == 6
