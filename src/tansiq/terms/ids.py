"""Identifiers. A node's id certifies itself: it is derived from its first signing keys (see `crypto.node_id`)."""

from __future__ import annotations

import re
from typing import NewType

from tansiq.errors import Invalid

NodeId = NewType("NodeId", str)
"""`<country>-<20 base32 characters>`, e.g. `ma-k7c2...`; lower case."""
DossierId = NewType("DossierId", str)
"""`d-` and 32 hex digits of chance."""
EntryId = NewType("EntryId", str)
"""`e-` and the SHA-256 of the entry's statement, hex."""
PartId = NewType("PartId", str)
"""`p-` and the salted commitment to the part's content, hex."""
OfficerId = NewType("OfficerId", str)
"""`o-` and 16 hex digits; a pseudonym: the name stays on the officer's own node."""

_FORMS = {
    "node": re.compile(r"[a-z]{2}-[a-z2-7]{20}"),
    "dossier": re.compile(r"d-[0-9a-f]{32}"),
    "entry": re.compile(r"e-[0-9a-f]{64}"),
    "part": re.compile(r"p-[0-9a-f]{64}"),
    "officer": re.compile(r"o-[0-9a-f]{16}"),
}


def _check(form: str, value: str, field: str) -> str:
    if not isinstance(value, str) or not _FORMS[form].fullmatch(value):
        raise Invalid("id.malformed", f"not a {form} id", field=field or form)
    return value


def parse_node_id(value: str, field: str = "") -> NodeId:
    return NodeId(_check("node", value, field))


def parse_dossier_id(value: str, field: str = "") -> DossierId:
    return DossierId(_check("dossier", value, field))


def parse_entry_id(value: str, field: str = "") -> EntryId:
    return EntryId(_check("entry", value, field))


def parse_part_id(value: str, field: str = "") -> PartId:
    return PartId(_check("part", value, field))


def country_of(node: NodeId) -> str:
    """The ISO 3166 alpha-2 country of a node, upper case."""
    return node[:2].upper()
