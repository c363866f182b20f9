"""A bundle of `tansiq ledger prove`, checked with nothing else at hand: the third party's side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tansiq.crypto import PublicKeys, from_base64
from tansiq.dossiers import verify_entry
from tansiq.errors import Invalid, Untrusted
from tansiq.exchange import verify_card_file, verify_receipt_proof
from tansiq.exchange.model import ProvenReceipt
from tansiq.ledger import ARCHIVE_TYPE, MAX_ARCHIVE_HEAD, verify_bundle
from tansiq.oversight import EXTRACT_TYPE
from tansiq.terms import NodeId, format_instant

ARCHIVE_MARK = f'"type":"{ARCHIVE_TYPE}"'.encode()


class _Kind(msgspec.Struct):
    type: str = ""


class _Bundle(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    subject: str
    origin: str
    card: str
    leaves: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    entry: str = ""


def is_extract(raw: bytes) -> bool:
    """Whether it says that it is an extract about a person: the other kind of file that can be verified off-line."""
    try:
        return msgspec.json.decode(raw, type=_Kind).type == EXTRACT_TYPE
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False


def is_archive(file: Path) -> bool:
    """Whether the file is that of a whole log. It may be larger than memory: only its first line is looked at."""
    try:
        with file.open("rb") as source:
            return ARCHIVE_MARK in source.readline(MAX_ARCHIVE_HEAD)
    except OSError:
        return False  # whoever reads it says what is wrong


def check(raw: bytes) -> dict[str, Any]:
    """What the bundle proves, as plain values. Raises `Untrusted` unless every piece of it verifies, and `Invalid`
    where it is no such bundle."""
    try:
        bundle = msgspec.json.decode(raw, type=_Bundle)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise Invalid("proof.malformed", "not a bundle of `ledger prove`", step="read proof", field="FILE") from exc
    card = verify_card_file(bundle.card.encode())
    keys: dict[NodeId, PublicKeys] = {card.card.node: card.signing}
    receipts = [verify_receipt_proof(msgspec.json.encode(r)) for r in bundle.receipts]
    for receipt in receipts:
        _same(receipt.ref, bundle.subject, "receipts.ref")
        for other in (receipt.sender, receipt.recipient):
            keys.setdefault(other.node, PublicKeys.from_wire(other.signing_keys))
    leaves = [verify_bundle(leaf, f"tansiq/{card.card.node}", card.signing) for leaf in bundle.leaves]
    for proven in leaves:
        _same(proven.leaf.subject, bundle.subject, "leaves.subject")
    return {
        "subject": bundle.subject,
        "node": card.card.node,
        "fingerprint": card.fingerprint,
        "leaves": [{"index": p.index, "size": p.size, "at": p.leaf.at, "verb": p.leaf.verb.value} for p in leaves],
        "entry": _entry(bundle, keys) if bundle.entry else {},
        "receipts": [_receipt(r) for r in receipts],
    }


def _entry(bundle: _Bundle, keys: dict[NodeId, PublicKeys]) -> dict[str, Any]:
    def key_of(node: NodeId) -> PublicKeys:
        if node not in keys:
            raise Untrusted("proof.author", "the author's card is not in the bundle", step="read proof", field="entry")
        return keys[node]

    entry, statement = verify_entry(from_base64(bundle.entry, "entry", "proof.malformed"), key_of)
    _same(entry.id, bundle.subject, "entry")
    return {"author": statement.author, "type": statement.type, "at": format_instant(statement.at)}


def _receipt(proven: ProvenReceipt) -> dict[str, Any]:
    return {
        "recipient": proven.recipient.node,
        "received_at": format_instant(proven.receipt.received_at),
        "received": proven.result.received,
        "reason": proven.result.reason,
        "fingerprint": proven.recipient_fingerprint,
    }


def _same(found: str, wanted: str, field: str) -> None:
    """A true proof of something else proves nothing here."""
    if found != wanted:
        raise Untrusted("proof.subject", "a proof about something else", step="read proof", field=field)
