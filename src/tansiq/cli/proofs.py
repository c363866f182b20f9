"""A bundle of `tansiq ledger prove`, checked with nothing else at hand: the third party's side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tansiq.crypto import PublicKeys, from_base64, peek
from tansiq.dossiers import verify_entry
from tansiq.dossiers.model import Entry, Statement
from tansiq.errors import Invalid, Untrusted
from tansiq.exchange import VerifiedCard, former_keys, verify_card_file, verify_receipt_proof
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
    author: str = ""
    """The card file of the entry's author, where that is another node than the one whose log it is."""


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
    cards = [card, *([verify_card_file(bundle.author.encode())] if bundle.author else [])]
    receipts = [verify_receipt_proof(msgspec.json.encode(r)) for r in bundle.receipts]
    for receipt in receipts:
        _same(receipt.ref, bundle.subject, "receipts.ref")
        # A partner that was asked for the entry has signed for its name, and never had it.
        _same(receipt.kind, "entry", "receipts.kind")
    leaves = [verify_bundle(leaf, f"tansiq/{card.card.node}", card.signing) for leaf in bundle.leaves]
    for proven in leaves:
        _same(proven.leaf.subject, bundle.subject, "leaves.subject")
    return {
        "subject": bundle.subject,
        "node": card.card.node,
        "fingerprint": card.fingerprint,
        "leaves": [{"index": p.index, "size": p.size, "at": p.leaf.at, "verb": p.leaf.verb.value} for p in leaves],
        "entry": _entry(bundle, cards) if bundle.entry else {},
        "receipts": [_receipt(r) for r in receipts],
    }


def _entry(bundle: _Bundle, cards: list[VerifiedCard]) -> dict[str, Any]:
    raw = from_base64(bundle.entry, "entry", "proof.malformed")
    claimed = peek(raw).claimed
    for card in cards:
        if card.card.node == claimed:
            entry, statement = _verified(raw, card)
            _same(entry.id, bundle.subject, "entry")
            told = {"author": statement.author, "type": statement.type, "at": format_instant(statement.at)}
            return told | {"fingerprint": card.fingerprint}
    raise Untrusted("proof.author", "the author's card is not in the bundle", step="read proof", field="entry")


def _verified(raw: bytes, card: VerifiedCard) -> tuple[Entry, Statement]:
    """By the author's keys of now, or by those of before that its card's chain leads away from."""
    for keys in former_keys(card):
        with suppress(Untrusted):
            return verify_entry(raw, _only(keys))
    return verify_entry(raw, _only(card.signing))


def _only(keys: PublicKeys) -> Callable[[NodeId], PublicKeys]:
    return lambda _node: keys


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
