"""A pinned partner sends more, or deeper, than anybody needs."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from tansiq.crypto import canonical
from tansiq.errors import TansiqError, Untrusted
from tansiq.exchange import MAX_ENVELOPE_BYTES, MAX_RECEIPT_BYTES, wire
from tests.support.exchange_bytes import PAYLOAD, envelope, items, signed


def refused(act, raw: bytes) -> TansiqError:
    began = time.monotonic()
    with pytest.raises(TansiqError) as failure:
        act(raw)
    assert time.monotonic() - began < 2
    return failure.value


def test_an_oversized_envelope_is_refused_before_it_is_read(trio) -> None:
    _, _, es, _ = trio
    assert refused(es.exchange.receive, b"{" * (MAX_ENVELOPE_BYTES + 1)).code == "envelope.too_large"


def test_an_oversized_body_is_refused_although_it_is_signed(trio) -> None:
    _, ma, es, _ = trio
    body = b'{"v":1,"x":"' + b"y" * wire.MAX_ENVELOPE_BODY_BYTES + b'"}'
    failure = refused(es.exchange.receive, signed(ma, wire.ENVELOPE_TYPE, body))
    assert isinstance(failure, Untrusted)
    assert failure.code == "envelope.too_large"


def test_an_oversized_receipt_poll_or_card_is_refused(trio) -> None:
    _, _, es, _ = trio
    assert refused(es.exchange.take_receipt, b" " * (MAX_RECEIPT_BYTES + 1)).code == "receipt.too_large"
    assert refused(es.exchange.answer_poll, b" " * (wire.MAX_POLL_BYTES + 1)).code == "poll.too_large"
    assert refused(es.exchange.add_peer, b" " * (wire.MAX_CARD_FILE_BYTES + 1)).code == "card.too_large"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"items":['])
def test_deeply_nested_bytes_are_refused_at_every_layer(trio, opening: bytes) -> None:
    _, ma, es, _ = trio
    deep = opening * 200_000
    for raw in (
        deep,
        signed(ma, wire.ENVELOPE_TYPE, deep),
        envelope(ma, es, plaintext=deep),
        envelope(ma, es, plaintext=b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ):
        assert isinstance(refused(es.exchange.receive, raw), Untrusted)
    for act in (es.exchange.take_receipt, es.exchange.answer_poll, es.exchange.add_peer, es.exchange.import_file):
        refused(act, deep[:20_000])
    assert es.filed() == []


def test_more_items_than_an_envelope_may_hold_are_refused(trio) -> None:
    _, ma, es, _ = trio
    many = [{"kind": "entry", "ref": f"e-{n}", "size": 1} for n in range(wire.MAX_ITEMS + 1)]
    failure = refused(es.exchange.receive, envelope(ma, es, content={"items": many}, behind=b"x" * len(many)))
    assert (failure.code, failure.field) == ("items.malformed", "items")
    assert es.filed() == []


def test_no_items_and_one_item_twice_are_refused(trio) -> None:
    _, ma, es, _ = trio
    assert refused(es.exchange.receive, envelope(ma, es, content={"items": []}, behind=b"")).code == "items.malformed"
    one = {"kind": "entry", "ref": "e-1", "size": 1}
    twice = envelope(ma, es, content={"items": [one, one]}, behind=b"xx")
    assert refused(es.exchange.receive, twice).code == "items.repeated"


@pytest.mark.parametrize("size", [0, 1, 13, 15, -1, wire.MAX_ITEM_BYTES, wire.MAX_ITEM_BYTES + 1, 2**53 - 1])
def test_a_payload_is_as_long_as_its_item_says_or_nothing_is_filed(trio, size: int) -> None:
    """Neither bytes that belong to no item, nor an item with another's bytes."""
    _, ma, es, _ = trio
    assert len(PAYLOAD) == 14
    one = {"kind": "entry", "ref": "e-1", "size": size}
    failure = refused(es.exchange.receive, envelope(ma, es, content={"items": [one]}))
    assert failure.code == ("items.sizes" if 0 <= size <= wire.MAX_ITEM_BYTES else "items.malformed")
    assert es.filed() == []


def test_a_body_without_anything_behind_its_head_is_refused(trio) -> None:
    _, ma, es, _ = trio
    failure = refused(es.exchange.receive, envelope(ma, es, plaintext=canonical(items())))
    assert failure.code == "items.malformed"


@pytest.mark.parametrize("file", [b"%PDF-1.7 " + b"x" * 5000, b"x" * 5000 + b"\n{}", b"", b"\n", b"PK\x03\x04"])
def test_a_file_of_another_kind_is_called_so_and_not_too_large(trio, file: bytes) -> None:
    assert refused(trio[2].exchange.import_file, file).code == "parcel.malformed"


def test_a_file_of_line_ends_costs_no_more_memory_than_it_is_long(trio) -> None:
    """A list of its lines would be eight times as large: a gigabyte of them would end whoever reads it."""
    _, ma, es, _ = trio
    head = ma.exchange.export_file(es.node).partition(b"\n")[0]
    bomb = head + b"\n" * 20_000_000
    tracemalloc.start()
    try:
        assert refused(es.exchange.import_file, bomb).code == "parcel.too_large"
        assert tracemalloc.get_traced_memory()[1] < 2 * len(bomb)
    finally:
        tracemalloc.stop()
    assert es.exchange.import_file(head + b"\n" * 1000).failures == ()
