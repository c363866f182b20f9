"""An envelope, receipt or poll made for one node is shown to another, or shown again."""

from __future__ import annotations

import pytest

from tansiq.crypto import peek
from tansiq.errors import Untrusted
from tansiq.exchange import service, wire
from tansiq.terms import format_instant
from tests.support.exchange_bytes import envelope, signed


def test_an_envelope_for_madrid_is_refused_in_berlin(trio) -> None:
    federation, ma, es, de = trio
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    replayed = federation.network.seen[0][2]
    with pytest.raises(Untrusted) as failure:
        de.exchange.receive(replayed)
    assert failure.value.code == "envelope.wrong_recipient"
    assert de.filed() == []


def test_madrid_cannot_pass_on_rabats_sealed_items_as_its_own(trio) -> None:
    """Sealing binds id, sender, recipient and suite: the ciphertext opens in no other envelope."""
    _, ma, es, de = trio
    stolen = envelope(es, de, bound={"from": ma.node})
    with pytest.raises(Untrusted) as failure:
        de.exchange.receive(stolen)
    assert failure.value.code == "seal.open"
    assert de.filed() == []


def test_an_envelope_replayed_to_its_own_recipient_changes_nothing(trio) -> None:
    federation, ma, es, _ = trio
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    leaves = len(es.ledger.page(None, 100))
    for _ in range(3):
        es.exchange.receive(federation.network.seen[0][2])
    assert es.filed() == ["e-1"]
    assert len(es.ledger.page(None, 100)) == leaves


def test_one_id_with_two_contents_is_refused_and_the_first_stands(trio) -> None:
    _, ma, es, _ = trio
    first = envelope(ma, es)
    receipt = es.exchange.receive(first)
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(envelope(ma, es))
    assert failure.value.code == "envelope.id_reused"
    assert peek(es.exchange.receive(first)).body == peek(receipt).body
    assert es.filed() == ["e-1"]


def test_two_partners_may_use_one_id(trio) -> None:
    _, ma, es, de = trio
    es.exchange.receive(envelope(ma, es))
    es.exchange.receive(envelope(de, es))
    assert es.filed() == ["e-1", "e-1"]


def test_a_receipt_for_berlins_envelope_settles_nothing_in_rabat(trio) -> None:
    federation, ma, es, de = trio
    de.send(es, "e-1")
    ma.send(es, "e-1")
    federation.deliver(de, es)
    receipt = es.exchange.receive(federation.network.seen[0][2])
    with pytest.raises(Untrusted) as failure:
        ma.exchange.take_receipt(receipt)
    assert failure.value.code == "receipt.wrong_sender"
    assert ma.states() == {"e-1": "queued"}


def test_berlin_cannot_sign_madrids_receipt(trio) -> None:
    federation, ma, es, de = trio
    federation.network.plan = ["drop"]
    ma.send(es, "e-1")
    federation.deliver(ma, es, rounds=1)
    raw = federation.network.seen[0][2]
    body = {
        "v": 1,
        "envelope": "x-00000000000000000000000000000001",
        "envelope_sha256": wire_hash(raw),
        "from": ma.node,
        "to": es.node,
        "received_at": format_instant(federation.clock()),
        "items": [{"kind": "entry", "ref": "e-1", "received": True, "reason": ""}],
    }
    with pytest.raises(Untrusted) as failure:
        ma.exchange.take_receipt(signed(de, wire.RECEIPT_TYPE, body))
    assert failure.value.code == "receipt.author"
    with pytest.raises(Untrusted) as failure:
        ma.exchange.take_receipt(signed(de, wire.RECEIPT_TYPE, {**body, "to": de.node}))
    assert failure.value.code == "receipt.unknown_envelope"
    assert ma.states() == {"e-1": "sent"}


def test_a_poll_is_answered_once_and_only_by_the_node_that_it_names(trio) -> None:
    federation, ma, es, de = trio
    ma.send(es, "e-1")
    body = {"v": 1, "id": "q-1", "from": es.node, "to": ma.node, "at": format_instant(federation.clock())}
    poll = signed(es, wire.POLL_TYPE, body)
    assert len(ma.exchange.answer_poll(poll, wait_s=0)) == 1
    for node, code in ((ma, "poll.repeated"), (de, "poll.wrong_recipient")):
        with pytest.raises(Untrusted) as failure:
            node.exchange.answer_poll(poll, wait_s=0)
        assert failure.value.code == code


def test_no_number_of_polls_of_one_partner_makes_room_for_anothers_second_one(
    trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "REMEMBERED_POLLS", 3)
    federation, ma, es, de = trio

    def poll_of(side, n: int) -> bytes:
        body = {"v": 1, "id": f"q-{n}", "from": side.node, "to": ma.node, "at": format_instant(federation.clock())}
        return signed(side, wire.POLL_TYPE, body)

    first = poll_of(es, 1)
    ma.exchange.answer_poll(first, wait_s=0)
    for n in range(6):
        ma.exchange.answer_poll(poll_of(de, n), wait_s=0)
    with pytest.raises(Untrusted) as failure:
        ma.exchange.answer_poll(first, wait_s=0)
    assert failure.value.code == "poll.repeated"


def test_an_old_poll_tells_an_onlooker_nothing(trio) -> None:
    _, ma, es, _ = trio
    body = {"v": 1, "id": "q-1", "from": es.node, "to": ma.node, "at": "2026-11-20T08:00:00.000Z"}
    with pytest.raises(Untrusted) as failure:
        ma.exchange.answer_poll(signed(es, wire.POLL_TYPE, body), wait_s=0)
    assert failure.value.code == "poll.stale"


def wire_hash(raw: bytes) -> str:
    from tansiq.crypto import sha256

    return sha256("tansiq.envelope.v1", raw).hex()


def test_no_signed_document_passes_for_another_kind(trio) -> None:
    """Domain separation: the payload type is signed."""
    _, ma, es, _ = trio
    as_receipt = signed(ma, wire.RECEIPT_TYPE, {"v": 1})
    as_card = ma.exchange.card_bytes()
    for raw in (as_receipt, as_card):
        with pytest.raises(Untrusted) as failure:
            es.exchange.receive(raw)
        assert failure.value.code == "dsse.payload_type"
