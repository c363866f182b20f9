"""What a third party can check alone: that a partner signed for what it was given, and when. Pure; needs no store.

The proof binds: the kind of an item and its reference, the hash of the envelope that carried it, the recipient's two
signatures under its time, and both cards with the chain of keys behind them. What it does not give is trust in the
cards themselves: the reader compares the fingerprints over another channel, as a partner does before pinning.
"""

from __future__ import annotations

from tansiq.crypto import peek, verify
from tansiq.errors import TansiqError, Untrusted
from tansiq.exchange import wire
from tansiq.exchange.cards import verify_card_file
from tansiq.exchange.model import ProvenReceipt


def names_kinds(receipt: bytes) -> bool:
    """Whether a kept receipt proves anything: one from before receipts named kinds does not."""
    try:
        wire.parse_receipt(peek(receipt, wire.MAX_RECEIPT_BYTES).body)
    except TansiqError:
        return False
    return True


def verify_receipt_proof(raw: bytes) -> ProvenReceipt:
    """The facts, or `Invalid`/`Untrusted` naming the step that failed."""
    proof = wire.parse_proof(raw)
    sender, recipient = verify_card_file(proof.sender_card), verify_card_file(proof.recipient_card)
    body = verify(proof.receipt, wire.RECEIPT_TYPE, recipient.signing, recipient.card.node, wire.MAX_RECEIPT_BYTES)
    receipt = wire.read("receipt", wire.parse_receipt, body)
    if receipt.sender != sender.card.node or receipt.recipient != recipient.card.node:
        raise Untrusted("proof.parties", "the receipt names other nodes than the cards", step="proof", field="receipt")
    if (receipt.envelope, receipt.envelope_sha256) != (proof.envelope, proof.envelope_sha256):
        raise Untrusted("proof.envelope", "the receipt is for another envelope", step="proof", field="envelope")
    result = next((i for i in receipt.items if (i.kind, i.ref) == (proof.kind, proof.ref)), None)
    if result is None:
        raise Untrusted("proof.ref", "the receipt does not name this reference", step="proof", field="ref")
    return ProvenReceipt(proof.ref, proof.kind, result, receipt, sender.card, recipient.card, recipient.fingerprint)
