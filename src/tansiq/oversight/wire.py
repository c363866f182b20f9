"""Bytes to values: the file of an extract, and what is signed in it. Nothing in it is verified here."""

from __future__ import annotations

from typing import Any

import msgspec

from tansiq.crypto import parse_canonical
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.oversight.model import Kept, Right, Sort
from tansiq.terms import parse_instant

EXTRACT_TYPE = "tansiq.person.v1"
EXTRACT_SUBJECT = "person.extract"
"""What the ledger calls the act: an extract's leaf is about nothing else."""
MAX_EXTRACT_BYTES = 16 * 1024 * 1024
"""Of what is signed."""
MAX_EXTRACT_FILE = 2 * MAX_EXTRACT_BYTES
"""What is signed stands in base64 twice."""
_STEP = "read proof"


class ExtractFile(msgspec.Struct, forbid_unknown_fields=True):
    """An extract with the card of the node that signed it and the leaf that names it."""

    type: str
    card: str
    signed: str
    leaf: dict[str, Any]


def parse_extract(raw: bytes) -> ExtractFile:
    """Raises `Invalid`."""
    try:
        file = msgspec.json.decode(raw, type=ExtractFile)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise Invalid("proof.malformed", "not an extract", step="read proof", field="FILE") from exc
    if file.type != EXTRACT_TYPE:
        raise Invalid("proof.malformed", "not an extract", step="read proof", field="type")
    return file


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class ServiceWire(_Strict):
    node: str
    name: str
    country: str


class ClaimWire(_Strict):
    property: str
    value: str


class DisclosureWire(_Strict):
    to: str
    at: str
    clauses: list[str]
    state: str
    received_at: str


class LoggedWire(_Strict):
    leaf: int
    at: str
    verb: str
    purpose: str
    clauses: list[str]
    to: str


class ThingWire(_Strict):
    """As `rules.extract_body` writes it."""

    id: str
    sort: Sort
    score_in_1000: int
    content: dict[str, Any] | None
    kept_back: Kept
    originator: str
    ours: bool
    handling: list[str]
    since: str
    others: bool
    disclosures: list[DisclosureWire]
    log: list[LoggedWire]
    purpose: str
    legal_basis: str
    review_on: str
    erase_on: str
    dossier: str
    entry: str
    part: str
    owners: list[str]


class ExtractWire(_Strict):
    """What is signed."""

    v: int
    service: ServiceWire
    at: str
    right: Right
    clauses: list[str]
    asked: list[ClaimWire]
    things: list[ThingWire]
    complete: bool
    not_looked_through: list[str]


def parse_body(raw: bytes) -> tuple[dict[str, Any], ExtractWire]:
    """What was signed, as it is and by its fields: a signer may sign any shape, and ours alone is an extract.

    Raises `Untrusted`.
    """
    value = parse_canonical(raw, MAX_EXTRACT_BYTES, _STEP)
    try:
        found = msgspec.convert(value, ExtractWire)
        parse_instant(found.at, "at")
    except (msgspec.ValidationError, TansiqError, RecursionError) as exc:
        raise _not_ours("signed") from exc
    if found.v != 1:
        raise _not_ours("v")
    return value, found


def _not_ours(field: str) -> Untrusted:
    return Untrusted("proof.shape", "what is signed is no extract", step=_STEP, field=field)
