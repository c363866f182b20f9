"""Bytes to values: the file of an extract. Nothing in it is verified here."""

from __future__ import annotations

from typing import Any

import msgspec

from tansiq.errors import Invalid

EXTRACT_TYPE = "tansiq.person.v1"
MAX_EXTRACT_BYTES = 16 * 1024 * 1024


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
