"""What is formed in the transaction that wrote an entry is sent as it was written, and nothing that it took back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from tansiq.crypto import verify
from tansiq.dossiers import desk
from tansiq.dossiers.model import Entry
from tansiq.dossiers.wire import PAYLOAD_TYPE
from tansiq.node import Node
from tests.support import acts
from tests.support.services import Federation


@pytest.fixture
def rabat(federation: Federation) -> Node:
    return federation.nodes["rabat"]


class Sent(msgspec.Struct):
    entry: msgspec.Raw
    parts: list[dict[str, Any]]


def sent(raw: bytes | None) -> tuple[bytes, list[dict[str, Any]]]:
    """The signed entry, and the parts by id: their order says nothing."""
    assert raw is not None
    found = msgspec.json.decode(raw, type=Sent)
    return bytes(found.entry), sorted(found.parts, key=lambda p: p["id"])


def the_entry(node: Node, tx: Connection, dossier: str) -> Entry:
    return desk.load_state(node.dossiers._w, tx, dossier)[0].entries[0]


def test_as_it_is_read_afterwards(rabat: Node, federation: Federation) -> None:
    madrid = federation.nodes["madrid"].node_id

    def work(tx: Connection) -> tuple[str, bytes | None]:
        made = rabat.dossiers.open_in(tx, "report", acts.report(), ["es"], federation.officers["rabat"])
        entry = the_entry(rabat, tx, made).id
        assert rabat.dossiers._w.standings.written(tx, entry) is not None
        return entry, rabat.dossiers.load(tx, entry, madrid)

    entry, raw = rabat.store.write(work)
    with rabat.store.read() as tx:
        assert rabat.dossiers._w.standings.written(tx, entry) is None
        assert sent(raw) == sent(rabat.dossiers.load(tx, entry, madrid))
    assert verify(sent(raw)[0], PAYLOAD_TYPE, rabat.keys.signing.public, rabat.node_id)


def test_a_part_that_the_same_transaction_erases_goes_to_nobody_and_not_into_the_bank(
    rabat: Node, federation: Federation
) -> None:
    madrid = federation.nodes["madrid"].node_id

    def work(tx: Connection) -> tuple[Entry, bytes | None, Any]:
        made = rabat.dossiers.open_in(tx, "report", acts.report(), ["es"], federation.officers["rabat"])
        entry = the_entry(rabat, tx, made)
        part = next(p for p in entry.parts if p.content and p.content.get("entity", {}).get("schema") == "Person")
        desk.erase(rabat.dossiers._w, tx, entry.id, part.ref.id, "taken back", rabat.clock())
        return entry, rabat.dossiers.load(tx, entry.id, madrid), part

    entry, raw, erased = rabat.store.write(work)
    ids = {p["id"] for p in sent(raw)[1]}
    assert erased.ref.id not in ids
    assert ids == {p.ref.id for p in entry.parts} - {erased.ref.id}
    assert rabat.bank.count("dossier") == sum(p.ref.kind == "entity" for p in entry.parts) - 1
