"""Forms of acts: from what a kind says an act takes, to fields; from a posted form, to the act's body.

A kind's act names its facts (a msgspec Struct) and the kinds of part it takes; the form follows from that, so a new
kind has its forms without a line here. Nothing is decided here: the body goes to the same service as a file or an API
call, and what that refuses comes back to the field it came from (`Written.field_of`).
"""

from __future__ import annotations

import hashlib
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
OTHER_PARTS = ("subject", "entity", "link", "sealed_judgement")
"""Parts that a form has other fields for, or that no officer writes."""
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
    """One typed fact as a form shows it.

    `widget`: select, many, text, number, check; `instant` is a date with a time, `words` a list of free texts, `json` a
    table (`example` shows its form).
    """

    name: str
    widget: str
    required: bool
    choices: tuple[Choice, ...] = ()
    default: str = ""
    hint: str = ""
    example: str = ""


VALUE_LABELS = {
    "crime_areas": labels.CRIME_AREA,
    "urgency_ground": labels.URGENCY_GROUND,
    "grounds": labels.REFUSAL_GROUND,
}
HIDDEN_FACTS = ("scheme", "language", "request")
"""Facts that a form does not ask for where the act does not need them."""
INSTANTS = ("due", "until", "at", "kickoff")
INSTANT_ENDS = ("_until", "_from", "_at")
"""Texts that are instants, by name and by the end of the name."""
MOST_FACT = 64_000


def fact_fields(rule: ActRule, offered: Mapping[str, tuple[Choice, ...]]) -> list[FactField]:
    """The facts of an act as fields. `offered`: the choices that only the dossier knows (entries, parts ...)."""
    if rule.facts is None:
        return []
    info = msgspec.inspect.type_info(rule.facts)
    found = []
    for f in getattr(info, "fields", ()):
        if f.name in HIDDEN_FACTS and not f.required:
            continue
        default = "" if f.default in (msgspec.NODEFAULT, None) else str(f.default)
        if f.name in offered:
            found.append(_offered_field(f, offered[f.name], default))
        elif f.name == "grade" and f.default == "X4":
            grades = tuple(Choice(g, g) for g in GRADES)
            found.append(FactField("grade", "select", True, grades, "X4"))
        else:
            found.append(_typed(f.name, f.type, f.required, default))
    for one in found:
        one.hint = labels.FACT_HINT.get(f"{rule.type}.{one.name}") or labels.FACT_HINT.get(one.name, "")
    return found


def _offered_field(f: Any, choices: tuple[Choice, ...], default: str) -> FactField:
    """A fact whose choices the dossier knows: several of them for a list, else one, perhaps none."""
    if isinstance(f.type, msgspec.inspect.ListType):
        return FactField(f.name, "many", f.required, choices)
    blank = () if f.required or default or (choices and not choices[0].value) else (Choice("", "—"),)
    return FactField(f.name, "select", f.required, (*blank, *choices), default)


def _typed(name: str, kind: Any, required: bool, default: str) -> FactField:
    if isinstance(kind, msgspec.inspect.UnionType):
        inner = [t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)]
        return _typed(name, inner[0], False, default)
    if isinstance(kind, msgspec.inspect.ListType):
        choices = _choices(name, kind.item_type)
        return FactField(name, "many" if choices else "words", required, choices)
    if isinstance(kind, msgspec.inspect.DictType):
        return FactField(name, "json", required, example=_example(kind))
    if isinstance(kind, msgspec.inspect.EnumType | msgspec.inspect.LiteralType):
        return FactField(name, "select", required, _choices(name, kind), default)
    if isinstance(kind, msgspec.inspect.IntType):
        return FactField(name, "number", required, (), default or "0")
    if isinstance(kind, msgspec.inspect.BoolType):
        return FactField(name, "check", False, (), default)
    is_instant = name in INSTANTS or name.endswith(INSTANT_ENDS)
    return FactField(name, "instant" if is_instant else "text", required, (), default)


def _example(kind: Any) -> str:
    """What a table looks like, from its type: `{"H1": "likely"}`."""
    if isinstance(kind, msgspec.inspect.DictType):
        return f"{{{_example(kind.key_type)}: {_example(kind.value_type)}}}"
    if isinstance(kind, msgspec.inspect.LiteralType):
        return f'"{kind.values[-1]}"'
    if isinstance(kind, msgspec.inspect.IntType):
        return str(kind.ge or 0)
    letter = re.match(r"\^([A-Z])", getattr(kind, "pattern", None) or "")
    return f'"{letter[1]}1"' if letter else '"..."'


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
    _write_texts(form, rule, parts, offset, written.places)
    if not facts.get("digest", "-"):
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
            if f.name == "digest":
                found[f.name] = ""
            elif f.required:
                raise Invalid("form.required", "This is missing.", step="read the form", field=name)
        elif f.widget == "select" and value not in [c.value for c in f.choices]:
            raise Invalid("form.choice", "Choose one of the list.", step="read the form", field=name)
        elif f.widget == "number":
            if not value.isascii() or not value.isdigit():
                raise Invalid("form.number", "This is a whole number.", step="read the form", field=name)
            found[f.name] = int(value)
        elif f.widget == "words":
            found[f.name] = [w for w in re.split(r"[\s,;،]+", value) if w]
        else:
            found[f.name] = _table(value, name) if f.widget == "json" else value
    return found


def _table(text: str, name: str) -> Any:
    """A table as JSON. Its rows are checked where all facts are; here only that it is one."""
    try:
        found = msgspec.json.decode(text[:MOST_FACT].encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("form.table", "Write it as the example shows.", step="read the form", field=name)
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
