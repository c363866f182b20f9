"""The exchange between nodes: cards and pins, envelopes, outbox and inbox, receipts, couriers, files by hand.

Promises:
- An item queued in the caller's transaction reaches its partner or ends in a state with a reason; it is delivered at
  least once, under one envelope id and the same bytes, and filed once.
- A partner's word is taken only under its pinned keys; a removed partner is heard by nobody, at once.
- A receipt is a partner's signed word. Both sides keep it; a third party checks it alone (`verify_receipt_proof`).
- The same envelopes travel over HTTPS (TLS 1.3, certificate pinned by the card), by poll, or as a file.
- What crosses is sealed to one node and bound to its envelope; unknown suites and fields are refused by name.

It cannot read a payload: `handle` names who files and who loads each kind of item. It decides nothing about what may
be sent: the loader answers that at the moment of forming.

Read next: `service.py` (the verbs), `outbox.py` and `inbox.py` (crash states), `wire.py` (what is accepted).
"""

from tansiq.exchange.cards import VerifiedCard, former_keys, held_keys, verify_card_file
from tansiq.exchange.courier import Courier
from tansiq.exchange.door import Answer, Bounds, Door
from tansiq.exchange.missed import Missed
from tansiq.exchange.model import ENVELOPES_PATH
from tansiq.exchange.proofs import verify_receipt_proof
from tansiq.exchange.service import CARD_PATH, POLL_PATH, PRIVATE_PATH, RECEIPTS_PATH, Exchange
from tansiq.exchange.transport import HttpsTransport, server_ssl_context, tls_material
from tansiq.exchange.wire import MAX_ENVELOPE_BYTES, MAX_POLL_BYTES, MAX_RECEIPT_BYTES, RequestHead, render_poll_answer

__all__ = [
    "CARD_PATH",
    "ENVELOPES_PATH",
    "MAX_ENVELOPE_BYTES",
    "MAX_POLL_BYTES",
    "MAX_RECEIPT_BYTES",
    "POLL_PATH",
    "PRIVATE_PATH",
    "RECEIPTS_PATH",
    "Answer",
    "Bounds",
    "Courier",
    "Door",
    "Exchange",
    "HttpsTransport",
    "Missed",
    "RequestHead",
    "VerifiedCard",
    "former_keys",
    "held_keys",
    "render_poll_answer",
    "server_ssl_context",
    "tls_material",
    "verify_card_file",
    "verify_receipt_proof",
]
