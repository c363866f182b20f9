"""An extract about one person, verified off-line by whoever it was given to."""

from __future__ import annotations

from typing import Any

from tansiq import crypto
from tansiq.errors import Untrusted
from tansiq.exchange import verify_card_file
from tansiq.ledger import verify_bundle
from tansiq.oversight.wire import EXTRACT_TYPE, MAX_EXTRACT_BYTES, parse_extract
from tansiq.terms import LogVerb


def verify_extract(raw: bytes) -> dict[str, Any]:
    """What it says, if the service signed it and its leaf names these very bytes. Raises `Untrusted`, `Invalid`."""
    file = parse_extract(raw)
    card = verify_card_file(file.card.encode())
    signed = crypto.from_base64(file.signed, "signed", "proof.malformed")
    body = crypto.verify(signed, EXTRACT_TYPE, card.signing, card.card.node, MAX_EXTRACT_BYTES)
    proven = verify_bundle(file.leaf, f"tansiq/{card.card.node}", card.signing)
    digest = crypto.sha256(EXTRACT_TYPE, body).hex()
    if proven.leaf.verb is not LogVerb.CONSULT or proven.content is None or proven.content.get("digest") != digest:
        raise Untrusted("proof.subject", "a leaf about something else", step="read proof", field="leaf")
    said: dict[str, Any] = crypto.parse_canonical(body, MAX_EXTRACT_BYTES, "read proof")
    return {
        "node": card.card.node,
        "fingerprint": card.fingerprint,
        "leaf": {"index": proven.index, "size": proven.size, "at": proven.leaf.at},
        "extract": said,
    }
