"""Entity JSON to `Entity`: the only parser of the entities that parts, forms and files bring.

Rules: the keys, schemas, properties and roles are closed lists; what is not on them is refused by name, so that nothing
that we do not understand is ever stored. Data of LED art. 10 has no property at all. Values are never echoed in errors.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from tansiq.bank.model import DATE_PRECISIONS, PLACE_PRECISIONS, SCHEMAS, Claim, Entity
from tansiq.errors import Invalid
from tansiq.terms import Basis, Grade, GradeScheme, PersonRole, parse_date

SPECIAL_CATEGORIES = frozenset(
    {"ethnicity", "race", "racialOrigin", "religion", "belief", "political", "politicalOpinion", "tradeUnion"}
    | {"genetic", "dna", "biometric", "health", "sexLife", "sexualOrientation"}
)
"""LED art. 10. Refused with their own code, so that the page can say why."""

MAX_CLAIMS = 500
"""The longest entry of the UN list has under 150 values; a part with more is a mistake or an attack."""
MAX_VALUE = 8_000
MAX_SHORT_VALUE = 512
"""For everything but free text: a name or a number that is longer is not one."""

_ENTITY_KEYS = frozenset({"id", "schema", "role", "claims"})
_CLAIM_KEYS = frozenset(
    {"property", "value", "lang", "basis", "grade", "scheme", "as_of"}
    | {"precision", "handling", "legal_basis", "erase_on"}
)
_RARE = ("precision", "handling", "legal_basis", "erase_on")
"""What most claims leave to their entry."""
_RARE_KEYS = frozenset(_RARE)
_HANDLING = ("H1", "H2", "H1 H2")
"""No H3: its words must be read and confirmed before what they restrict is seen, so they stand with the entry. No H0:
it holds for everything, and to write it would look like less than the entry's codes."""
MAX_LEGAL_BASIS = 2_000
_PLACES = frozenset({"birthPlace"})
"""Places that the vocabulary has as plain text; whatever is an `address` is one too."""
_COORDINATES = frozenset({"latitude", "longitude"})
_METRES = re.compile(r"[1-9]\d{0,6}")
_BASES = frozenset(Basis)
_GRADES = frozenset((s.value, a + b) for s in GradeScheme for a, b in itertools.product(*Grade.codes(s)))
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,99}")
_LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
# Direction marks may turn a shown value around; none of them is part of a name or a number.
_DIRECTION = dict.fromkeys([0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


@cache
def properties() -> Mapping[str, Mapping[str, str]]:
    """Schema -> property -> type of value (`name`, `date`, `country`, `phone`, `identifier`, `text`, ...)."""
    raw = resources.files("tansiq.bank").joinpath("data/properties.json").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, str]] = json.loads(raw)["schemas"]
    return found


def parse_entity(obj: Any, field: str = "entity") -> Entity:
    """One entity. Raises `Invalid` with the field that is wrong; never with its value."""
    if not isinstance(obj, Mapping):
        raise _wrong("entity.not_an_object", "an entity is an object", field=field)
    _closed(obj, _ENTITY_KEYS, field)
    schema = _text(obj.get("schema", ""), f"{field}.schema", 40)
    if schema not in SCHEMAS:
        raise _wrong("entity.schema_unknown", "unknown schema", field=f"{field}.schema")
    ident = _text(obj.get("id", ""), f"{field}.id", 100)
    if not _ID.fullmatch(ident):
        raise _wrong("entity.id_malformed", "an id is 1-100 of A-Z a-z 0-9 . _ : -", field=f"{field}.id")
    role = _parse_role(obj.get("role", ""), schema, f"{field}.role")
    claims = obj.get("claims")
    if not isinstance(claims, list | tuple) or not claims:
        raise _wrong("entity.no_claims", "an entity has at least one claim", field=f"{field}.claims")
    if len(claims) > MAX_CLAIMS:
        raise _wrong("entity.too_many_claims", f"more than {MAX_CLAIMS} claims", field=f"{field}.claims")
    return Entity(
        id=ident,
        schema=schema,
        claims=tuple(_parse_claim(c, schema, f"{field}.claims[{i}]") for i, c in enumerate(claims)),
        role=role,
    )


def entity_to_json(entity: Entity) -> dict[str, Any]:
    """The wire form; defaults are left out, so that one entity has one form."""
    out: dict[str, Any] = {"id": entity.id, "schema": entity.schema}
    if entity.role:
        out["role"] = entity.role
    out["claims"] = [_claim_to_json(c) for c in entity.claims]
    return out


def check_partial_date(text: str, field: str = "date") -> str:
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`, and a day that exists. Raises `Invalid`."""
    found = _PARTIAL.fullmatch(text)
    if found is None or not text.isascii():
        raise _wrong("date.malformed", "a date is YYYY, YYYY-MM or YYYY-MM-DD", field=field)
    year, month, day = (int(x) if x else None for x in found.groups())
    if not year or (month is not None and not 1 <= month <= 12):
        raise _wrong("date.malformed", "no such date", field=field)
    if month is not None and day is not None and not 1 <= day <= _days(year, month):
        raise _wrong("date.malformed", "no such date", field=field)
    return text


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _parse_role(raw: Any, schema: str, field: str) -> str:
    role = _text(raw, field, 10)
    if not role:
        return ""
    if schema != "Person":
        raise _wrong("entity.role_not_a_person", "only a Person has a role", field=field)
    try:
        return PersonRole(role).value
    except ValueError as exc:
        raise _wrong("entity.role_unknown", "unknown person role (Reg. 2016/794 Annex II.B)", field=field) from exc


def _parse_claim(obj: Any, schema: str, field: str) -> Claim:
    if not isinstance(obj, Mapping):
        raise _wrong("claim.not_an_object", "a claim is an object", field=field)
    _closed(obj, _CLAIM_KEYS, field)
    prop = _text(obj.get("property", ""), f"{field}.property", 60)
    kind = properties()[schema].get(prop)
    if kind is None:
        if prop in SPECIAL_CATEGORIES:
            raise _wrong(
                "claim.special_category",
                "data of LED art. 10 (ethnicity, religion, political ...) is not kept as a property",
                field=f"{field}.{prop}",
            )
        raise _wrong("claim.property_unknown", f"unknown property of {schema}", field=f"{field}.property")
    value = clean_value(_text(obj.get("value", ""), f"{field}.value", MAX_VALUE), f"{field}.value")
    if kind not in ("text", "url", "address") and len(value) > MAX_SHORT_VALUE:
        raise _wrong("claim.value_too_long", f"longer than {MAX_SHORT_VALUE} characters", field=f"{field}.value")
    if kind == "date":
        check_partial_date(value, f"{field}.value")
    lang = _text(obj.get("lang", ""), f"{field}.lang", 35)
    if lang and not _LANG.fullmatch(lang):
        raise _wrong("claim.lang_malformed", "a language is a BCP 47 tag such as ar or ar-Latn", field=f"{field}.lang")
    basis = _text(obj.get("basis", "fact"), f"{field}.basis", 20)
    if basis not in _BASES:
        raise _wrong("claim.basis_unknown", "basis is fact or assessment (LED art. 7)", field=f"{field}.basis")
    scheme = _text(obj.get("scheme", "4x4"), f"{field}.scheme", 10)
    # X4: what comes without a grade (Reg. 2016/794 art. 29(4)).
    grade = _text(obj.get("grade", "X4"), f"{field}.grade", 4)
    if (scheme, grade) not in _GRADES:
        Grade.parse(grade, scheme, f"{field}.grade")  # says what is wrong with it
    as_of = _text(obj.get("as_of", ""), f"{field}.as_of", 10)
    if as_of:
        check_partial_date(as_of, f"{field}.as_of")
    if not _RARE_KEYS.isdisjoint(obj):
        return Claim(prop, value, lang, basis, grade, scheme, as_of, *_parse_rare(obj, prop, value, kind, field))
    return Claim(prop, value, lang, basis, grade, scheme, as_of)


def _parse_rare(obj: Mapping[Any, Any], prop: str, value: str, kind: str, field: str) -> tuple[str, str, str, str]:
    """`_RARE`, in its order."""
    precision = _text(obj.get("precision", ""), f"{field}.precision", 10)
    if precision:
        _check_precision(precision, prop, value, kind, f"{field}.precision")
    handling = _text(obj.get("handling", ""), f"{field}.handling", 10)
    if handling and handling not in _HANDLING:
        message = "a claim adds H1, H2 or H1 H2 to its entry's handling; H3 stands with the entry"
        raise _wrong("claim.handling_unknown", message, field=f"{field}.handling")
    legal_basis = _text(obj.get("legal_basis", ""), f"{field}.legal_basis", MAX_LEGAL_BASIS)
    if legal_basis:
        legal_basis = clean_value(legal_basis, f"{field}.legal_basis")
    erase_on = _text(obj.get("erase_on", ""), f"{field}.erase_on", 10)
    if erase_on:
        parse_date(erase_on, f"{field}.erase_on")
    return precision, handling, legal_basis, erase_on


def _check_precision(precision: str, prop: str, value: str, kind: str, field: str) -> None:
    """Raises `Invalid`: it says another thing than the value, or the property has no precision."""
    if kind == "date":
        if precision not in DATE_PRECISIONS:
            known = ", ".join(DATE_PRECISIONS)
            raise _wrong("claim.precision_unknown", f"the precision of a date is one of: {known}", field=field)
        if len(value) != DATE_PRECISIONS[precision]:
            message = "the value is written as exactly as it is known: a day, a month, or for year and circa a year"
            raise _wrong("claim.precision_differs", message, field=field)
    elif prop in _COORDINATES:
        if not precision.isascii() or not _METRES.fullmatch(precision):
            raise _wrong("claim.precision_unknown", "the precision of a coordinate is whole metres", field=field)
    elif kind == "address" or prop in _PLACES:
        if precision not in PLACE_PRECISIONS:
            known = ", ".join(PLACE_PRECISIONS)
            raise _wrong("claim.precision_unknown", f"the precision of a place is one of: {known}", field=field)
    else:
        raise _wrong("claim.precision_none", "only a date or a place has a precision", field=field)


def _claim_to_json(claim: Claim) -> dict[str, str]:
    out = {"property": claim.property, "value": claim.value}
    if claim.lang:
        out["lang"] = claim.lang
    out["basis"] = claim.basis
    out["grade"] = claim.grade
    if claim.scheme != "4x4":
        out["scheme"] = claim.scheme
    if claim.as_of:
        out["as_of"] = claim.as_of
    if claim.precision or claim.handling or claim.legal_basis or claim.erase_on:
        out |= {key: said for key in _RARE if (said := getattr(claim, key))}
    return out


def clean_value(value: str, field: str) -> str:
    """NFC, without direction marks, one space for each run of white space. Raises `Invalid` on what cannot be text."""
    plain = value if value.isascii() else unicodedata.normalize("NFC", value.translate(_DIRECTION))
    cleaned = " ".join(plain.split())
    if not cleaned:
        raise _wrong("claim.value_empty", "an empty value says nothing", field=field)
    if not cleaned.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in cleaned):
        raise _wrong("claim.value_control", "control characters or half a surrogate pair", field=field)
    return cleaned


def _wrong(code: str, message: str, field: str) -> Invalid:
    return Invalid(code, message, step="parse entity", field=field)


def _text(raw: Any, field: str, limit: int) -> str:
    if not isinstance(raw, str):
        raise _wrong("entity.not_text", "must be text", field=field)
    if len(raw) > limit:
        raise _wrong("entity.text_too_long", f"longer than {limit} characters", field=field)
    return raw


def _closed(obj: Mapping[Any, Any], known: frozenset[str], field: str) -> None:
    if known.issuperset(obj):
        return
    for key in obj:
        if key not in known:
            # The key is the sender's: show it only when it can hold no data of a person.
            shown = key if isinstance(key, str) and re.fullmatch(r"[a-z_]{1,30}", key) else "?"
            raise _wrong("entity.field_unknown", "unknown field", field=f"{field}.{shown}")
