"""Threat: a partner sends pieces and changes of lists that do not exist, or without end.

They wait until what they belong to is here. What nobody ever reads must not be kept, and what waits must not be read
all at once: the first would fill the disk, the second stop the node, at each new start again.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tansiq import crypto
from tansiq.crypto import peek, sign
from tansiq.exchange import wire
from tansiq.exchange.model import Item, ItemResult
from tansiq.private import records, taking
from tansiq.private.model import Descriptor, Tier
from tansiq.private.wire import DESCRIPTOR_TYPE, descriptor_body, digest, frame, list_bytes
from tests.support.plans import supervisor
from tests.support.private import KEY, KEYSPEC
from tests.support.services import Federation

SENT = iter(range(10**6))


def put(f: Federation, ref: str, raw: bytes, kind: str = "private") -> ItemResult:
    """What Madrid says of an item of Rabat's."""
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    name, now = f"x-{next(SENT)}", f.clock()
    bound = wire.envelope_info(name, rabat.node_id, madrid.node_id, crypto.SUITE)
    sealed = crypto.seal(wire.render_items([Item(kind, ref, raw)]), madrid.keys.sealing.public, bound)
    until = now.replace(year=now.year + 1)
    body = wire.render_envelope(
        wire.SealedEnvelope(name, crypto.SUITE, rabat.node_id, madrid.node_id, now, until, sealed)
    )
    answer = madrid.exchange.receive(sign(wire.ENVELOPE_TYPE, body, rabat.keys.signing, rabat.node_id))
    return wire.parse_receipt(peek(answer).body).items[0]


def descriptor(f: Federation, **changed: object) -> bytes:
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    found = Descriptor(
        rabat.node_id, madrid.node_id, "low", 1, KEYSPEC, ("nd",), KEY.public, 1000, True, digest(b"x"),
        "2026-11-01", "2027-01-30",
    )  # fmt: skip
    body = descriptor_body(replace(found, **changed))  # type: ignore[arg-type]  # a test's own words
    return frame(sign(DESCRIPTOR_TYPE, body, rabat.keys.signing, rabat.node_id), b"")


def kept(f: Federation) -> tuple[int, int, int]:
    """Pieces, changes and queued letters that Madrid keeps."""
    with f.nodes["madrid"].store.read() as tx:
        tables = (records.pieces, records.deltas, records.queue)
        return tuple(tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables)  # type: ignore[return-value]


@pytest.mark.parametrize("ref", ["piece:low:7:0", "delta:low:7:1"])
def test_what_belongs_to_no_list_is_refused_and_not_kept(services: Federation, ref: str) -> None:
    assert put(services, ref, b"x" * 1000).reason == "private.no_list"
    assert kept(services) == (0, 0, 0)


def test_a_list_takes_no_more_than_its_descriptor_says(services: Federation) -> None:
    assert put(services, "desc:low:1", descriptor(services)).received
    size = list_bytes(1000, labelled=True)
    assert put(services, "piece:low:1:0", b"x" * (size - 1)).received
    assert put(services, "piece:low:1:0", b"x" * (size - 1)).received, "the same once more is no other"
    assert put(services, "piece:low:1:1", b"xx").reason == "private.too_large"
    assert put(services, f"piece:low:1:{taking.MAX_PIECES}", b"x").reason == "private.too_large"
    assert put(services, f"delta:low:1:{taking.MOST_AHEAD + 1}", b"x").reason == "private.too_large"
    assert kept(services) == (1, 0, 0)


def test_lists_without_end_are_refused(services: Federation) -> None:
    said = [put(services, "desc:low:1", descriptor(services, epoch=n + 1)) for n in range(taking.MOST_LISTS + 1)]
    assert [s.reason for s in said if not s.received] == ["private.too_many"]
    assert put(services, "desc:low:1", descriptor(services, tier="zz")).reason == "private.descriptor"


def test_changes_that_wait_cost_no_memory(services: Federation) -> None:
    assert put(services, "desc:low:1", descriptor(services)).received
    for number in range(2, 12):
        assert put(services, f"delta:low:1:{number}", b"x" * 1_000_000).received
    madrid = services.nodes["madrid"]
    tracemalloc.start()
    try:
        madrid.private.work()
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert put(services, "end:low:1", b"end").received
    assert kept(services) == (0, 0, 0), "a list that is over waits for nothing"


def test_letters_have_a_size_and_a_number(services: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert put(services, "batch:x", b"x" * (taking.MAX_LETTER + 1)).reason == "private.too_large"
    monkeypatch.setattr(taking, "MOST_QUEUED", 2)
    assert [put(services, f"answer:{n}", b"x").reason for n in range(3)] == ["", "", "private.too_many"]
    services.nodes["madrid"].private.work()
    assert kept(services) == (0, 0, 0)


NO_REFS = (
    "batch", "batch:", "batch:a:b", "answer", "answer:", "piece", "piece:low", "piece:low:x:1", "piece:zz:1:1",
    "delta:low:1", "delta:low:1:-1", "end", "end:low", "end:low:x", "end:low:99999999999999999999999",
)  # fmt: skip


@pytest.mark.parametrize("ref", NO_REFS)
def test_a_reference_of_another_form_is_refused_by_name(services: Federation, ref: str) -> None:
    """By name: else its envelope gets no receipt, and comes again and again."""
    assert put(services, ref, b"x").reason == "private.malformed"


def test_an_honest_list_still_arrives_changes_and_ends(services: Federation) -> None:
    f = services
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    madrid.private.publish(rabat.node_id, [Tier.LOW], supervisor(f, "madrid"))
    f.pump(6)
    [there] = rabat.private.lists()
    assert (there.side, there.state) == ("taken", "ready")
    with rabat.store.read() as tx:
        assert tx.execute(select(func.count()).select_from(records.pieces)).scalar_one() == 0
