"""Threat: a receipt for a question is shown as the receipt for what was asked for.

A partner signs for all that it takes in: also for a question after an entry that it never had, whose reference is that
entry's id. What is proven with it must be what it was.
"""

from __future__ import annotations

import json

import pytest

from tansiq import crypto
from tansiq.cli.proofs import check
from tansiq.errors import Untrusted
from tansiq.exchange import verify_receipt_proof, wire
from tansiq.exchange.ground import envelope_sha256
from tansiq.exchange.model import Item
from tansiq.node import Node
from tansiq.terms import EntryId
from tests.support import acts
from tests.support.services import Federation


def asked(sender: Node, to: Node, entry: EntryId) -> bytes:
    """An envelope with the question after an entry, properly sealed and signed."""
    bound = wire.envelope_info("x-1", sender.node_id, to.node_id, crypto.SUITE)
    sealed = crypto.seal(wire.render_items([Item("ask", entry, entry.encode())]), to.keys.sealing.public, bound)
    now = sender.clock()
    body = wire.render_envelope(
        wire.SealedEnvelope(
            "x-1", crypto.SUITE, sender.node_id, to.node_id, now, now.replace(year=now.year + 1), sealed
        )
    )
    return crypto.sign(wire.ENVELOPE_TYPE, body, sender.keys.signing, sender.node_id)


@pytest.fixture
def told(services: Federation) -> tuple[Federation, EntryId]:
    """Rabat's report to Madrid alone."""
    rabat = services.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["madrid"], services.officers["rabat"])
    services.pump()
    return services, rabat.dossiers.state(dossier).entries[0].id


def test_an_answered_question_is_no_proof_that_the_asked_had_the_entry(told: tuple[Federation, EntryId]) -> None:
    services, entry = told
    rabat, berlin = services.nodes["rabat"], services.nodes["berlin"]
    raw = asked(rabat, berlin, entry)
    receipt = berlin.exchange.receive(raw)
    assert berlin.dossiers.rows() == []
    cards = (rabat.exchange.card_bytes(), berlin.exchange.card_bytes())
    false = wire.render_proof(wire.ReceiptProof("entry", entry, "x-1", envelope_sha256(raw), receipt, *cards))
    with pytest.raises(Untrusted) as failure:
        verify_receipt_proof(false)
    assert failure.value.code == "proof.ref"
    true = wire.render_proof(wire.ReceiptProof("ask", entry, "x-1", envelope_sha256(raw), receipt, *cards))
    assert verify_receipt_proof(true).kind == "ask"
    bundle = rabat.prove(entry)
    bundle["receipts"].append(json.loads(true))
    with pytest.raises(Untrusted) as failure:
        check(json.dumps(bundle).encode())
    assert (failure.value.code, failure.value.field) == ("proof.subject", "receipts.kind")


def test_our_own_question_is_in_no_bundle_about_the_entry(told: tuple[Federation, EntryId]) -> None:
    """Also without any ill will: who asked a partner for an entry must not hand out its answer as a proof of it."""
    services, entry = told
    rabat, madrid, berlin = (services.nodes[name] for name in ("rabat", "madrid", "berlin"))
    until = rabat.clock().replace(year=rabat.clock().year + 1)
    rabat.store.write(lambda tx: rabat.exchange.enqueue(tx, to=berlin.node_id, kind="ask", ref=entry, expires_at=until))
    services.pump()
    found = check(json.dumps(rabat.prove(entry)).encode())
    assert [receipt["recipient"] for receipt in found["receipts"]] == [madrid.node_id]
    assert len(rabat.exchange.prove_receipt(entry, kind="ask")) == 1
