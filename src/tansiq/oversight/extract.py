"""An extract about one person, verified off-line by whoever it was given to."""

from __future__ import annotations

from typing import Any

from tansiq import crypto
from tansiq.errors import Untrusted
from tansiq.exchange import verify_card_file
from tansiq.ledger import verify_bundle
from tansiq.oversight.wire import EXTRACT_SUBJECT, EXTRACT_TYPE, MAX_EXTRACT_FILE, parse_body, parse_extract
from tansiq.terms import LogVerb


def verify_extract(raw: bytes) -> dict[str, Any]:
    """What it says, if the service signed it and its leaf names these very bytes. Raises `Untrusted`, `Invalid`."""
    file = parse_extract(raw)
    card = verify_card_file(file.card.encode())
    signed = crypto.from_base64(file.signed, "signed", "proof.malformed")
    body = crypto.verify(signed, EXTRACT_TYPE, card.signing, card.card.node, MAX_EXTRACT_FILE)
    said, extract = parse_body(body)
    service = extract.service
    if (service.node, service.name, service.country) != (card.card.node, card.card.name, card.card.country):
        raise Untrusted("proof.service", "it calls itself another service's", step="read proof", field="service")
    proven = verify_bundle(file.leaf, f"tansiq/{card.card.node}", card.signing)
    digest = crypto.sha256(EXTRACT_TYPE, body).hex()
    leaf = proven.leaf
    about_it = leaf.verb is LogVerb.CONSULT and leaf.subject == EXTRACT_SUBJECT
    if not about_it or proven.content is None or proven.content.get("digest") != digest:
        raise Untrusted("proof.subject", "a leaf about something else", step="read proof", field="leaf")
    return {
        "node": card.card.node,
        "fingerprint": card.fingerprint,
        "leaf": {"index": proven.index, "size": proven.size, "at": leaf.at},
        "extract": said,
    }
