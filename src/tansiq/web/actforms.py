"""Forms of acts: from what a kind says an act takes, to fields; from a posted form, to the act's body.

A kind's act names its facts (a msgspec Struct) and the kinds of part it takes; the form follows from that, so a new
kind has its forms without a line here. Nothing is decided here: the body goes to the same service as a file or an API
call, and what that refuses comes back to the field it came from (`Written.field_of`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from tansiq.dossiers.model import ActRule
from tansiq.errors import Invalid
from tansiq.terms import Basis, PersonRole, Purpose, TransferBasis
from tansiq.web.factforms import (
    GRADES,
    MOST_ROWS,
    VALUE_LABELS,
    Choice,
    FactField,
    fact_fields,
    is_told,
    read_facts,
    row_count,
)
from tansiq.web.visit import Form

__all__ = ["GRADES", "VALUE_LABELS", "Choice", "FactField", "Written", "fact_fields", "row_count", "write_body"]

TEXT_PARTS = (
    "question", "facts", "availability", "link_reason", "urgency_reasons", "answer", "narrative", "note", "judgement",
)  # fmt: skip
OTHER_PARTS = ("subject", "entity", "link", "sealed_judgement")
"""Parts that a form has other fields for, or that no officer writes."""
FLAGS = ("strictly_necessary", "special_categories", "interpol_channel", "article_3")
"""What the officer declares of the whole act; the gate cannot see it in any part."""
ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (
        ("name", "name"),
        ("alias", "alias"),
        ("birthDate", "birthDate"),
        ("birthPlace", "birthPlace"),
        ("nationality", "nationality"),
        ("fatherName", "fatherName"),
        ("passportNumber", "passportNumber"),
        ("idNumber", "idNumber"),
    ),
    "phone": (("number", "number"),),
    "vehicle": (
        ("registrationNumber", "registrationNumber"),
        ("country", "country"),
        ("make", "make"),
        ("model", "model"),
    ),
}
"""Row kind -> (form field, property of the entity)."""
ROW_SCHEMA = {"person": "Person", "phone": "Phone", "vehicle": "Vehicle"}
ROW_ID = {"person": "p", "phone": "ph", "vehicle": "v"}
DIFFERS = ("handling", "legal_basis", "erase_on")
"""What a detail of a row may say of itself where it is not as the whole."""
NAMED_TEXT = ("name", "alias", "fatherName")
"""Values that have a language of their own."""


def text_parts(rule: ActRule) -> tuple[str, ...]:
    """The text parts that an act takes, in the order in which an officer writes them: what is its own comes first."""
    own = sorted(rule.parts - {*TEXT_PARTS, *OTHER_PARTS})
    return (*own, *(k for k in TEXT_PARTS if k in rule.parts))


def row_counts(form: Form, rule: ActRule) -> dict[str, int]:
    """How many rows of each kind the form shows; the "add" buttons post `more=<kind>`."""
    if "entity" not in rule.parts:
        return {}
    first = {"person": 1, "phone": 1, "vehicle": 1, "link": 1}
    found = {}
    for kind, least in first.items():
        text = form.get(f"n_{kind}") or str(least)
        n = int(text) if text.isascii() and text.isdigit() else least
        found[kind] = min(MOST_ROWS, max(least, n) + (form.get("more") == kind))
    return found


def text_name(kind: str) -> str:
    """The form's name of a text part: a part may be called as another field is (`purpose`)."""
    return kind if kind in TEXT_PARTS else f"part_{kind}"


def _digest(rule: ActRule, parts: list[dict[str, Any]]) -> str:
    """Of the text that the act brings, where its officer left the digest to us: SHA-256 of its bytes in UTF-8."""
    texts = [p["text"] for p in parts if p["kind"] in text_parts(rule) and p["kind"] != "note"]
    return hashlib.sha256(texts[0].encode()).hexdigest() if texts else ""


@dataclass
class Written:
    """A body made from a form, and where each of its places came from."""

    body: dict[str, Any]
    to: list[str]
    places: dict[str, str] = field(default_factory=dict)

    def field_of(self, place: str) -> str:
        """The form's field for a place such as `parts[2].entity.claims[0].value`; the longest known prefix wins."""
        at = re.sub(r"^(legal|handling|facts)\.", "", place)
        known = {p: f for p, f in self.places.items() if place == p or place.startswith((f"{p}.", f"{p}["))}
        return known[max(known, key=len)] if known else at or "form"


OPENING = ("to", "purpose", "legal_basis", "review_on", "erase_on")
"""What no opening act goes without."""


def missing(form: Form, rule: ActRule, fields: list[FactField], parts: tuple[str, ...], *, opening: bool) -> list[str]:
    """Every field that must be filled in and is not, in the form's order: one round, not one for each."""
    found = ["to"] if opening and not form.all("to") else []
    if opening and "subject" in parts and not form.get("subject"):
        found.append("subject")
    found += [f.first_place for f in fields if f.required and f.name != "digest" and not is_told(form, f)]
    found += [text_name(k) for k in text_parts(rule) if k in parts and not form.get(text_name(k))]
    for key, names in rows_told(form, rule):
        found += [f"{key}_{n}" for n in names if not form.get(f"{key}_{n}")]
    return found + [n for n in OPENING[1:] if opening and not form.get(n)]


def rows_told(form: Form, rule: ActRule) -> list[tuple[str, tuple[str, ...]]]:
    """Rows that say anything, and what each then has to say."""
    counts, found = row_counts(form, rule), []
    for kind, n in ((k, n) for k in counts for n in range(1, counts[k] + 1)):
        key = f"{kind}{n}"
        told = ("from", "to") if kind == "link" else tuple(name for name, _ in ROWS[kind])
        if any(form.get(f"{key}_{name}") for name in told):
            asked = {"person": ("role", "basis"), "link": ("from", "type", "to", "basis")}.get(kind, ("basis",))
            found.append((key, asked))
    return found


def write_body(form: Form, rule: ActRule, fields: list[FactField], *, opening: bool) -> Written:
    """The body of an act, as `docs/dossier-body.md` has it. Raises `Invalid` for what only a form can get wrong."""
    written = Written({"type": rule.type}, form.all("to"))
    parts: list[dict[str, Any]] = []
    if opening and "subject" in rule.parts and form.get("subject"):
        # The subject is the first part: the places that the service names count it.
        written.body["subject"] = form.get("subject")
        written.places["parts[0]"] = "subject"
    offset = 1 if "subject" in written.body else 0
    facts = read_facts(form, fields)
    written.places |= {f"facts.{f.name}": f.first_place for f in fields}
    if rule.type == "report.given" and form.get("narrative_lang"):
        facts["language"] = form.get("narrative_lang")
    _write_texts(form, rule, parts, offset, written.places)
    if not facts.get("digest", "-") and any(f.name == "digest" and f.required for f in fields):
        facts["digest"] = _digest(rule, parts)
    _write_entities(form, rule, parts, offset, written.places)
    if facts:
        written.body["facts"] = facts
    if parts:
        written.body["parts"] = parts
    written.body["handling"] = {"codes": form.all("handling"), "text": form.get("handling_text")}
    if marking := form.get("classification"):
        written.body["handling"]["classification"] = marking
    if opening:
        written.body["legal"] = _legal(form)
    elif written.to:
        written.body["to"] = written.to
    for flag in FLAGS:
        if form.get(flag):
            written.body[flag] = True
    for name in ("risk", "assurances"):
        if form.all(name):
            written.body[name] = form.all(name)
    return written


def _write_texts(form: Form, rule: ActRule, parts: list[dict[str, Any]], offset: int, places: dict[str, str]) -> None:
    for kind in text_parts(rule):
        name = text_name(kind)
        if text := form.get(name):
            places[f"parts[{len(parts) + offset}]"] = name
            parts.append(_withheld(form, name, {"kind": kind, "text": text, **_lang(form.get(f"{name}_lang"))}))


def _lang(code: str) -> dict[str, str]:
    return {"lang": code} if code else {}


def _withheld(form: Form, key: str, part: dict[str, Any]) -> dict[str, Any]:
    nodes = form.all(f"withhold_{key}")
    return part | ({"withhold_from": nodes} if nodes else {})


def _write_entities(
    form: Form, rule: ActRule, parts: list[dict[str, Any]], offset: int, places: dict[str, str]
) -> None:
    if "entity" not in rule.parts:
        return
    counts = row_counts(form, rule)
    for kind, fields in ROWS.items():
        for n in range(1, counts[kind] + 1):
            key = f"{kind}{n}"
            claims = _claims(form, key, fields)
            if not claims:
                continue
            place = f"parts[{len(parts) + offset}]"
            places[place] = f"{key}_{fields[0][0]}"
            for i, (name, _claim) in enumerate(claims):
                places[f"{place}.entity.claims[{i}]"] = f"{key}_{name}"
                places |= {f"{place}.entity.claims[{i}].{d}": f"{key}_{d}" for d in DIFFERS}
            entity = {"id": f"{ROW_ID[kind]}{n}", "schema": ROW_SCHEMA[kind], "claims": [c for _, c in claims]}
            if kind == "person":
                # Nobody becomes a suspect because a list began with that word.
                entity["role"] = form.get(f"{key}_role")
                if not entity["role"]:
                    raise Invalid("entity.role_unknown", "Choose the role.", step="read the form", field=f"{key}_role")
                places[f"{place}.entity.role"] = f"{key}_role"
            parts.append(_withheld(form, key, {"kind": "entity", "entity": entity}))
    for n in range(1, counts["link"] + 1):
        _write_link(form, f"link{n}", parts, offset, places)


def _graded(form: Form, key: str) -> dict[str, str]:
    """Fact or assessment is the officer's word; a row that is not graded by itself has the grade of the whole act."""
    basis, whole = form.get(f"{key}_basis"), form.get("fact_grade")
    if basis not in BASES:
        raise Invalid("form.required", "This is missing.", step="read the form", field=f"{key}_basis")
    return {"basis": basis, "grade": form.get(f"{key}_grade") or (whole if whole in GRADES else "X4")}


def _claims(form: Form, key: str, fields: tuple[tuple[str, str], ...]) -> list[tuple[str, dict[str, str]]]:
    if not any(form.get(f"{key}_{name}") for name, _ in fields):
        return []
    graded = _graded(form, key)
    found = []
    only = form.get(f"{key}_only")
    own = {d: said for d in DIFFERS if (said := form.get(f"{key}_{d}"))}
    if own and only and not form.get(f"{key}_{only}"):
        # Else what was to bind a detail would bind nothing, and nobody would be told.
        raise Invalid("form.required", "This is missing.", step="read the form", field=f"{key}_{only}")
    for name, prop in fields:
        if value := form.get(f"{key}_{name}"):
            differs = own if only in ("", name) else {}
            if precision := form.get(f"{key}_{name}_precision"):
                differs = {"precision": precision, **differs}
            spoken = _lang(form.get(f"{key}_lang")) if prop in NAMED_TEXT else {}
            found.append((name, {"property": prop, "value": value, **spoken, **graded, **differs}))
    return found


def _write_link(form: Form, key: str, parts: list[dict[str, Any]], offset: int, places: dict[str, str]) -> None:
    ends = {end: form.get(f"{key}_{end}") for end in ("from", "to", "type")}
    if not ends["from"] and not ends["to"]:
        return
    for end, value in ends.items():
        if not value:
            raise Invalid("form.required", "This is missing.", step="read the form", field=f"{key}_{end}")
    places[f"parts[{len(parts) + offset}]"] = f"{key}_from"
    parts.append(_withheld(form, key, {"kind": "link", **ends, **_graded(form, key)}))


def _legal(form: Form) -> dict[str, Any]:
    agreements = {
        name.removeprefix("agreement_"): form.get(name) for name in form.names() if name.startswith("agreement_")
    }
    return {
        "purpose": form.get("purpose"),
        "legal_basis": form.get("legal_basis"),
        "agreement": {country: value for country, value in agreements.items() if value},
        "transfer_basis": form.get("transfer_basis"),
        "review_on": form.get("review_on"),
        "erase_on": form.get("erase_on"),
    }


PURPOSES = tuple(p.value for p in Purpose)
TRANSFER_BASES = tuple(t.value for t in TransferBasis)
ROLES = tuple(r.value for r in PersonRole)
BASES = tuple(b.value for b in Basis)
