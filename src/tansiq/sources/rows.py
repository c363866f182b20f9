"""A table of one's own: the first row declares what each column is.

Columns: `reference` (required, unique), `schema` (Person where it is missing), `role`, `grade`, `as_of`, `legal_basis`,
`erase_on`, and property names of the schema, with a language where one is known: `name`, `name:ar`, `birthDate`,
`nationality`, `passportNumber` ... Several values in one cell are split by ` | `. An unknown column refuses the file:
a list whose birth dates were silently left out would look complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tansiq.bank import SPECIAL_CATEGORIES, parse_entity, properties
from tansiq.bank.model import Provenance
from tansiq.errors import Invalid
from tansiq.sources.model import Reject, SourceRow
from tansiq.sources.wire import table
from tansiq.terms import parse_date

_OWN = ("reference", "schema", "role", "grade", "as_of", "legal_basis", "erase_on")


def read_csv(data: bytes) -> Iterator[SourceRow | Reject]:
    """Raises `Invalid` where the header is wrong; a wrong row is a reject."""
    lines = table(data)
    first = next(lines, None)
    if first is None:
        raise Invalid("source.header_missing", "the table is empty", step="read table", field="header")
    columns = [_column(cell.strip(), f"column {i}") for i, cell in enumerate(first[1], 1)]
    if ("reference", "") not in columns:
        raise Invalid("source.header_missing", "no column `reference`", step="read table", field="reference")
    if len(set(columns)) != len(columns):
        raise Invalid("source.header_twice", "two columns are the same", step="read table", field="header")
    for number, cells in lines:
        where = f"line {number}"
        if not any(c.strip() for c in cells):
            continue
        if len(cells) != len(columns):
            yield Reject(where, "source.columns")
            continue
        try:
            yield _row(columns, [c.strip() for c in cells])
        except Invalid as exc:
            yield Reject(where, exc.code, exc.field)


def _column(name: str, where: str) -> tuple[str, str]:
    prop, _, lang = name.partition(":")
    if prop in _OWN and not lang:
        return prop, ""
    if prop in SPECIAL_CATEGORIES:
        raise Invalid("claim.special_category", "data of LED art. 10 is not taken over", step="read table", field=where)
    known = any(prop in names for names in properties().values())
    if not known or (lang and not re.fullmatch(r"[a-zA-Z-]{2,35}", lang)):
        raise Invalid(
            "source.column_unknown", "unknown column", step="read table", field=where,
            hint=f"{', '.join(_OWN)}, or a property such as name, name:ar, birthDate, phone (docs/sources.md)",
        )  # fmt: skip
    return prop, lang


def _row(columns: list[tuple[str, str]], cells: list[str]) -> SourceRow:
    own = {prop: cell for (prop, _), cell in zip(columns, cells, strict=True) if prop in _OWN}
    if not own["reference"] or len(own["reference"]) > 200:
        raise Invalid("source.reference_missing", "a row needs a reference", field="reference")
    if own.get("erase_on"):
        parse_date(own["erase_on"], "erase_on")
    claims = [
        {
            "property": prop,
            "value": value,
            "lang": lang,
            "grade": own.get("grade") or "X4",
            "as_of": own.get("as_of", ""),
        }
        for (prop, lang), cell in zip(columns, cells, strict=True)
        if prop not in _OWN
        for value in re.split(r"\s+\|\s+", cell)
        if value
    ]
    raw = {"id": "row", "schema": own.get("schema") or "Person", "role": own.get("role", ""), "claims": claims}
    provenance = Provenance(
        source="csv",
        reference=own["reference"],
        legal_basis=own.get("legal_basis", ""),
        erase_on=own.get("erase_on", ""),
    )
    return SourceRow(parse_entity(raw), provenance)
