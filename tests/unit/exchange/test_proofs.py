"""A third party with nothing but the proof learns who signed for what, and when; and is not fooled."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.crypto import canonical
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.exchange import verify_receipt_proof
from tansiq.store import Store
from tests.support.exchange_bytes import b64
from tests.support.federation import BEGIN, Federation, keys_of


@pytest.fixture
def proven(tmp_path: Path):
    stores = [Store.open(f"sqlite:///{tmp_path / name}.db") for name in ("ma", "es", "de")]
    federation = Federation()
    ma, es, de = (federation.add(n, s) for n, s in zip(("ma", "es", "de"), stores, strict=True))
    es.send(ma, "e-1", "e-2")
    es.send(de, "e-1")
    federation.clock.pass_time(timedelta(minutes=5))
    federation.deliver(es, ma)
    federation.deliver(es, de)
    yield federation, ma, es, de
    for store in stores:
        store.close()


def test_madrid_proves_that_rabat_received_its_request_at_a_given_time(proven) -> None:
    _, ma, es, de = proven
    proofs = es.exchange.prove_receipt("e-1")
    assert len(proofs) == 2
    [raw] = es.exchange.prove_receipt("e-1", ma.node)
    facts = verify_receipt_proof(raw)
    assert facts.result.received
    assert facts.receipt.received_at == BEGIN + timedelta(minutes=5)
    assert (facts.sender.node, facts.recipient.node) == (es.node, ma.node)
    assert facts.recipient_fingerprint == ma.exchange.fingerprint()
    assert es.exchange.prove_receipt("e-unknown") == []
    assert de.node != ma.node


def test_a_proof_holds_after_both_sides_have_new_keys(proven) -> None:
    from dataclasses import replace

    federation, ma, es, _ = proven
    ma.exchange.rotate(replace(keys_of("ma", 1), node=ma.node))
    es.exchange.add_peer(ma.exchange.card_bytes())
    es.exchange.rotate(replace(keys_of("es", 1), node=es.node))
    [raw] = es.exchange.prove_receipt("e-1", ma.node)
    assert verify_receipt_proof(raw).recipient.version == 1
    assert federation.clock() > BEGIN


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("ref", "e-9", "proof.ref"),
        ("envelope", "x-9", "proof.envelope"),
        ("envelope_sha256", "0" * 64, "proof.envelope"),
    ],
)
def test_a_proof_that_says_more_than_the_receipt_is_refused(proven, field: str, value: str, code: str) -> None:
    _, ma, es, _ = proven
    body = json.loads(es.exchange.prove_receipt("e-1", ma.node)[0])
    with pytest.raises(Untrusted) as failure:
        verify_receipt_proof(canonical({**body, field: value}))
    assert failure.value.code == code


def test_a_proof_with_other_cards_is_refused(proven) -> None:
    _, ma, es, de = proven
    body = json.loads(es.exchange.prove_receipt("e-1", ma.node)[0])
    for change in ({"recipient_card": b64(de.exchange.card_bytes())}, {"sender_card": b64(de.exchange.card_bytes())}):
        with pytest.raises(Untrusted):
            verify_receipt_proof(canonical({**body, **change}))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_no_flipped_bit_of_a_proof_goes_unseen(proven, at: int, bit: int) -> None:
    _, ma, es, _ = proven
    [raw] = es.exchange.prove_receipt("e-1", ma.node)
    at %= len(raw)
    changed = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
    with pytest.raises((Invalid, Untrusted, TansiqError)):
        verify_receipt_proof(changed)
