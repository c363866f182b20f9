"""FollowTheMoney entities, one JSON object a line. What the bank has no noun for is a named reject."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tansiq.bank import SPECIAL_CATEGORIES, properties
from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.draft import Draft, written_date
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import json_lines

_SCHEMAS = {
    "Person": "Person",
    "LegalEntity": "Organization",
    "Organization": "Organization",
    "Company": "Organization",
    "PublicBody": "Organization",
    "Passport": "Document",
    "Identification": "Document",
    "Vehicle": "Vehicle",
    "Vessel": "Vessel",
    "Airplane": "Airplane",
    "BankAccount": "BankAccount",
    "CryptoWallet": "CryptoWallet",
    "UserAccount": "UserAccount",
    "Address": "Address",
    "Event": "Event",
}
_GRADE = "X4"
"""Nothing in the file says how good its source is (Reg. 2016/794 art. 29(4))."""


def read_ftm(data: bytes) -> Iterator[SourceRow | Reject]:
    for number, obj in json_lines(data):
        where = f"line {number}"
        if not isinstance(obj, Mapping):
            yield Reject(where, "source.json")
            continue
        ident = obj.get("id")
        if not isinstance(ident, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,99}", ident):
            yield Reject(where, "source.reference_missing", "id")
            continue
        schema = _SCHEMAS.get(str(obj.get("schema")))
        if schema is None:
            yield Reject(where, "source.schema_not_taken", "schema")
            continue
        given = obj.get("properties")
        if not isinstance(given, Mapping):
            yield Reject(where, "source.properties_missing", "properties")
            continue
        try:
            entity = _draft(ident, schema, given).entity()
        except Invalid as exc:
            yield Reject(where, exc.code, exc.field)
            continue
        yield SourceRow(entity, Provenance(source="ftm", reference=ident))


def _draft(ident: str, schema: str, given: Mapping[Any, Any]) -> Draft:
    draft = Draft(ident, schema, _GRADE)
    known = properties()[schema]
    for prop, values in given.items():
        # LED art. 10 stays behind; so does what the bank has no noun for (ids of other entities, housekeeping).
        if prop in SPECIAL_CATEGORIES or prop not in known or not isinstance(values, list):
            continue
        for value in values:
            if not isinstance(value, str):
                continue
            if known[prop] == "date":
                draft.say(prop, written_date(value))
            elif len(value) <= 4000:
                draft.say(prop, value)
    return draft
