"""Forms of acts: from what a kind says an act takes, to fields; from a posted form, to the act's body.

A kind's act names its facts (a msgspec Struct) and the kinds of part it takes; the form follows from that, so a new
kind has its forms without a line here. Nothing is decided here: the body goes to the same service as a file or an API
call, and what that refuses comes back to the field it came from (`Written.field_of`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tansiq.dossiers.model import ActRule
from tansiq.errors import Invalid
from tansiq.terms import Basis, PersonRole, Purpose, TransferBasis
from tansiq.web import labels
from tansiq.web.visit import Form

TEXT_PARTS = (
    "question", "facts", "availability", "link_reason", "urgency_reasons", "answer", "narrative", "note", "judgement",
)  # fmt: skip
FLAGS = ("strictly_necessary", "special_categories", "interpol_channel", "article_3")
"""What the officer declares of the whole act; the gate cannot see it in any part."""
MOST_ROWS = 40
GRADES = tuple(f"{s}{i}" for s in "ABCX" for i in "1234")
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
NAMED_TEXT = ("name", "alias", "fatherName")
"""Values that have a language of their own."""


@dataclass(frozen=True)
class Choice:
    """One answer of a closed list."""

    value: str
    label: str


@dataclass
class FactField:
    """One typed fact as a form shows it. `widget`: select, many, text, number, check."""

    name: str
    widget: str
    required: bool
    choices: tuple[Choice, ...] = ()
    default: str = ""

    @property
    def label(self) -> str:
        return labels.FACT.get(self.name, self.name)

    @property
    def hint(self) -> str:
        return labels.FACT_HINT.get(self.name, "")


VALUE_LABELS = {
    "crime_areas": labels.CRIME_AREA,
    "urgency_ground": labels.URGENCY_GROUND,
    "grounds": labels.REFUSAL_GROUND,
}
HIDDEN_FACTS = ("scheme", "language", "request")


def fact_fields(rule: ActRule, offered: Mapping[str, tuple[Choice, ...]]) -> list[FactField]:
    """The facts of an act as fields. `offered`: the choices that only the dossier knows (entries, parts ...)."""
    if rule.facts is None:
        return []
    info = msgspec.inspect.type_info(rule.facts)
    found = []
    for f in getattr(info, "fields", ()):
        if f.name in HIDDEN_FACTS:
            continue
        default = "" if f.default in (msgspec.NODEFAULT, None) else str(f.default)
        if f.name in offered:
            found.append(FactField(f.name, "select", f.required, offered[f.name], default))
        elif f.name == "grade":
            grades = tuple(Choice(g, g) for g in GRADES)
            found.append(FactField("grade", "select", True, grades, "X4"))
        else:
            found.append(_typed(f.name, f.type, f.required, default))
    return found


def _typed(name: str, kind: Any, required: bool, default: str) -> FactField:
    if isinstance(kind, msgspec.inspect.UnionType):
        inner = [t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)]
        return _typed(name, inner[0], False, default)
    if isinstance(kind, msgspec.inspect.ListType):
        return FactField(name, "many", required, _choices(name, kind.item_type))
    if isinstance(kind, msgspec.inspect.EnumType | msgspec.inspect.LiteralType):
        return FactField(name, "select", required, _choices(name, kind), default)
    if isinstance(kind, msgspec.inspect.IntType):
        return FactField(name, "number", required, (), default or "0")
    if isinstance(kind, msgspec.inspect.BoolType):
        return FactField(name, "check", False, (), default)
    return FactField(name, "text", required, (), default)


def _choices(name: str, kind: Any) -> tuple[Choice, ...]:
    if isinstance(kind, msgspec.inspect.EnumType):
        values = [str(m.value) for m in kind.cls]
    elif isinstance(kind, msgspec.inspect.LiteralType):
        values = [str(v) for v in kind.values]
    else:
        return ()
    named = VALUE_LABELS.get(name, labels.FACT_VALUE)
    return tuple(Choice(v, named.get(v, v)) for v in values)


def text_parts(rule: ActRule) -> tuple[str, ...]:
    """The text parts that an act takes, in the order in which an officer writes them."""
    return tuple(k for k in TEXT_PARTS if k in rule.parts)


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


def write_body(form: Form, rule: ActRule, fields: list[FactField], *, opening: bool) -> Written:
    """The body of an act, as `docs/dossier-body.md` has it. Raises `Invalid` for what only a form can get wrong."""
    written = Written({"type": rule.type}, form.all("to"))
    parts: list[dict[str, Any]] = []
    if opening and "subject" in rule.parts and form.get("subject"):
        # The subject is the first part: the places that the service names count it.
        written.body["subject"] = form.get("subject")
        written.places["parts[0]"] = "subject"
    offset = 1 if "subject" in written.body else 0
    facts = _facts(form, fields)
    if rule.type == "report.given" and form.get("narrative_lang"):
        facts["language"] = form.get("narrative_lang")
    if facts:
        written.body["facts"] = facts
    for kind in text_parts(rule):
        if text := form.get(kind):
            written.places[f"parts[{len(parts) + offset}]"] = kind
            parts.append(_withheld(form, kind, {"kind": kind, "text": text, **_lang(form.get(f"{kind}_lang"))}))
    _write_entities(form, rule, parts, offset, written.places)
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


def _facts(form: Form, fields: list[FactField]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for f in fields:
        name = f"fact_{f.name}"
        if f.widget == "many":
            if values := form.all(name):
                found[f.name] = values
            elif f.required:
                raise Invalid("form.required", "This is missing.", step="read the form", field=name)
            continue
        value = form.get(name)
        if f.widget == "check":
            found[f.name] = bool(value)
        elif not value:
            if f.required:
                raise Invalid("form.required", "This is missing.", step="read the form", field=name)
        elif f.widget == "select" and value not in [c.value for c in f.choices]:
            raise Invalid("form.choice", "Choose one of the list.", step="read the form", field=name)
        elif f.widget == "number":
            if not value.isascii() or not value.isdigit():
                raise Invalid("form.number", "This is a whole number.", step="read the form", field=name)
            found[f.name] = int(value)
        else:
            found[f.name] = value
    return found


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


def _claims(form: Form, key: str, fields: tuple[tuple[str, str], ...]) -> list[tuple[str, dict[str, str]]]:
    graded = {"basis": form.get(f"{key}_basis") or "fact", "grade": form.get(f"{key}_grade") or "X4"}
    found = []
    for name, prop in fields:
        if value := form.get(f"{key}_{name}"):
            spoken = _lang(form.get(f"{key}_lang")) if prop in NAMED_TEXT else {}
            found.append((name, {"property": prop, "value": value, **spoken, **graded}))
    return found


def _write_link(form: Form, key: str, parts: list[dict[str, Any]], offset: int, places: dict[str, str]) -> None:
    ends = {end: form.get(f"{key}_{end}") for end in ("from", "to", "type")}
    if not ends["from"] and not ends["to"]:
        return
    for end, value in ends.items():
        if not value:
            raise Invalid("form.required", "This is missing.", step="read the form", field=f"{key}_{end}")
    places[f"parts[{len(parts) + offset}]"] = f"{key}_from"
    graded = {"basis": form.get(f"{key}_basis") or "fact", "grade": form.get(f"{key}_grade") or "X4"}
    parts.append(_withheld(form, key, {"kind": "link", **ends, **graded}))


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
