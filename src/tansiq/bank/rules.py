"""Pure rules of the bank: which identifiers and names an entity carries, and how near a record is to it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tansiq.bank.model import BankRecord, Candidate, Claim, Entity
from tansiq.matching import (
    Told,
    compare_persons,
    explain,
    names_at_most,
    normal_identifier,
    normal_plate,
    tell,
)

_LEGAL = {
    "phone": "phone",
    "email": "email",
    "passportNumber": "document",
    "idNumber": "document",
    "socialSecurityNumber": "document",
    "taxNumber": "document",
    "licenseNumber": "document",
    "registrationNumber": "registration",
}
IDENTIFIERS: Mapping[str, Mapping[str, str]] = {
    "Person": _LEGAL,
    "Organization": {k: v for k, v in _LEGAL.items() if k not in ("passportNumber", "socialSecurityNumber")}
    | {"imoNumber": "vessel"},
    "Vehicle": {"registrationNumber": "plate", "vin": "vin"},
    "Vessel": {"imoNumber": "vessel", "mmsi": "vessel", "callSign": "callsign", "registrationNumber": "registration"},
    "Airplane": {"registrationNumber": "aircraft", "serialNumber": "serial"},
    "Document": {"number": "document", "passportNumber": "document", "personalNumber": "document"},
    "Phone": {"number": "phone", "imei": "imei", "imsi": "imsi"},
    "BankAccount": {"iban": "iban", "accountNumber": "account"},
    "CryptoWallet": {"publicKey": "crypto"},
    "UserAccount": {"username": "username", "email": "email", "number": "phone"},
    "Firearm": {"serialNumber": "serial"},
    "Goods": {"serialNumber": "serial"},
}
"""Schema -> property -> kind of identifier. One kind meets across schemas: a phone of a person meets a Phone."""

POINTS: Mapping[str, float] = {
    "crypto": 22.0,
    "iban": 20.0,
    "vin": 20.0,
    "vessel": 20.0,
    "document": 18.0,
    "imei": 18.0,
    "imsi": 18.0,
    "aircraft": 18.0,
    "plate": 16.0,
    "phone": 16.0,
    "email": 16.0,
    "username": 12.0,
    "account": 12.0,
    "serial": 12.0,
    "registration": 12.0,
    "callsign": 10.0,
}
"""log2 of how much rarer than one in one it is that two different things carry this number: numbers with a check digit
and one issuer for the world at the top, numbers that each maker or register counts from one at the bottom."""

START = -9.0
"""The odds before anything is compared, as `matching` has them for names: 1 in 512."""
WEAK_ALIAS = -3.0
"""A low-quality alias (UN: `Low`, EU: not strong) is a nickname that many carry."""
_ROUNDING = 0.1
"""Bits by which the index's score of a pair of names and its explanation may differ."""
_PERSON_KINDS = frozenset({"document", "phone"})
"""What `compare_persons` weighs itself."""
_NAMED_ALIKE: Mapping[str, frozenset[str]] = {
    "Person": frozenset({"Person", "Document"}),
    "Document": frozenset({"Person", "Document"}),
}
"""Schemas whose names may be the same name; every other schema meets its own kind alone."""
_FEW = 4
"""Spellings of each side that are compared in full; the index has chosen the nearest."""


def names_of(entity: Entity) -> tuple[str, ...]:
    """Every name, full ones first; put together from its parts where there is no full one."""
    full = entity.names()
    if not full:
        given = entity.values("firstName", "givenName")[:1] + entity.values("secondName", "middleName")[:1]
        family = entity.values("lastName", "surname")[:1]
        whole = " ".join((*given, *family))
        full = (whole,) if whole else ()
    return tuple(dict.fromkeys(full))


def searchable_names(entity: Entity) -> tuple[str, ...]:
    """What goes into the index: without a letter nothing can be found."""
    return tuple(n for n in names_of(entity) if any(c.isalpha() for c in n))


def identifiers(entity: Entity, country: str = "") -> tuple[tuple[str, str], ...]:
    """(kind, normal form) of every number that can be found again. `country` is where a bare phone is read."""
    known = IDENTIFIERS.get(entity.schema, {})
    own = _country(entity) or country
    found = [
        (known[c.property], normal)
        for c in entity.claims
        if c.property in known and (normal := normal_form(known[c.property], c.value, own))
    ]
    return tuple(dict.fromkeys(found))


def normal_form(kind: str, value: str, country: str = "") -> str | None:
    """One written form for one number, without its country: one side may know it and the other may not.

    What breaks its own grammar (a phone with a digit too few, a foreign plate) is still met by its bare signs.
    """
    found = normal_identifier(kind, value, country)
    if found is None and kind == "plate":
        found = normal_plate(value)
    if found is None:
        return _bare(value, 7 if kind in ("phone", "document") else 5)
    if kind in ("plate", "document"):
        return _bare(found.rpartition(":")[2], 4)
    return found


def _bare(value: str, least: int) -> str | None:
    signs = "".join(c for c in unicodedata.normalize("NFKC", value).upper() if c.isalnum())
    return signs if least <= len(signs) <= 128 and any(c.isdigit() for c in signs) else None


def _country(entity: Entity) -> str:
    code = next((v for v in entity.values("country") if re.fullmatch(r"[A-Za-z]{2}", v)), "")
    return "" if entity.schema in ("Person", "Organization") else code.upper()


NOTHING_TOLD = tell({})


def told(entity: Entity, country: str) -> Told:
    """What a person's record tells beside its names: kept in memory with them. `country`: where it dials."""
    return tell(_person(entity, country)) if entity.schema == "Person" else NOTHING_TOLD


class Asked:
    """An entity read once, for all that it is compared with. `country` is where its bare phones are read."""

    __slots__ = ("country", "entity", "names", "numbers", "person")

    def __init__(self, entity: Entity, country: str = "") -> None:
        self.entity = entity
        self.country = country
        self.names = searchable_names(entity)
        self.numbers = identifiers(entity, country)
        self.person: Mapping[str, Any] = _person(entity, country) if entity.schema == "Person" else {}
        """As `matching.compare_persons` reads it, without names."""

    def dialled_in(self, country: str) -> Asked:
        """Where nobody has said in which country it dials: as if in this one."""
        return self if self.country or not country else Asked(self.entity, country)


def may_reach(query: Asked, least: float) -> Callable[[float, Told], bool]:
    """Whether a record whose best name scores so much, and which tells this, can come to `least`.

    Birth dates and numbers count as they meet: a number without its country, or with a wrong sign, is weighed by
    `compare_persons` but not found by its mark. All else at its best is the query itself met again.
    """
    if least <= 0:
        return lambda _score, _told: True
    wanted = _bits(least) - _ROUNDING
    if not query.person:
        return lambda score, _told: _bits(score) >= wanted
    own = tell(query.person)
    by_numbers = max(0.0, own.numbers_with(own))
    by_births = own.births_at_most()
    itself = {**query.person, "birth_dates": [], "phones": [], "documents": []}
    other = 0.0
    if any(itself.values()):
        other = sum(max(0.0, row.points) for row in compare_persons(itself, itself).rows)

    def enough(score: float, there: Told) -> bool:
        if _bits(score) >= wanted:
            return True
        short = wanted - names_at_most(score) - other
        if short > by_births + by_numbers:
            return False
        # Where it is not said in which country the query dials, its phones are read in each record's.
        numbers = own.numbers_with(there) if query.country else by_numbers
        return short <= numbers + by_births and short <= numbers + own.births_with(there)

    return enough


def may_any_reach(query: Asked, least: float) -> Callable[[float], bool]:
    """Whether a record whose best name scores so much could come to `least`, were all else of it as it is asked for."""
    enough, itself = may_reach(query, least), tell(query.person) if query.person else NOTHING_TOLD
    return lambda score: enough(score, itself)


def _bits(score: float) -> float:
    return math.log2(score / (1.0 - score)) if 0.0 < score < 1.0 else math.copysign(math.inf, score - 0.5)


def score_entity(
    query: Asked, record: BankRecord, pairs: Sequence[tuple[str, str]] = (), *, shares: bool = True
) -> Candidate:
    """How near a record is, with the reasons. `pairs` are the spellings (asked, held) that the index found near.

    `shares` false: it is known that the two carry no number in common.
    """
    held, schema = record.entity, query.entity.schema
    there = record.provenance.originator
    here = query.dialled_in(there)
    asked_names = _distinct(q for q, _ in pairs) or query.names[:_FEW]
    held_names = _distinct(h for _, h in pairs) or searchable_names(held)[: _FEW * 2]
    rows = _identifier_rows(here, held, there) if shares else []
    if schema == held.schema == "Person":
        person = {**_person(held, there), "names": held_names}
        names = compare_persons({**here.person, "names": asked_names}, person).to_dict()
        rows = [r for r in rows if r["part"] not in _PERSON_KINDS or not _has(names, str(r["part"]))]
    elif held.schema in _NAMED_ALIKE.get(schema, frozenset({schema})):
        names = _best_name(asked_names, held_names)
    else:
        names = {}
    return Candidate(record, *_sum(names, rows, _weak(names, held, held_names)))


def best(scored: Iterable[Candidate], k: int) -> list[Candidate]:
    """The `k` best. Who shares a number is never crowded out by better names: it is what an officer must see."""
    ranked = sorted((c for c in scored if c.score > 0), key=lambda c: (-c.score, c.record.id))
    top = ranked[:k]
    shared = [c for c in ranked[k:] if shares_identifier(c)][:k]
    if not shared:
        return top
    keep = [c for c in top if shares_identifier(c)] + shared
    rest = [c for c in top if not shares_identifier(c)][: max(k - len(keep), 0)]
    return sorted([*keep, *rest], key=lambda c: (-c.score, c.record.id))[: max(k, len(keep))]


def shares_identifier(candidate: Candidate) -> bool:
    rows = candidate.explanation.get("rows", ())
    return isinstance(rows, list | tuple) and any(r["part"] in POINTS for r in rows)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:_FEW]


def _best_name(asked: Sequence[str], held: Sequence[str]) -> dict[str, Any]:
    found = [e for a in asked for b in held if (e := explain(a, b)).comparable]
    return max(found, key=lambda e: e.sum).to_dict() if found else {}


def _person(entity: Entity, country: str) -> dict[str, Any]:
    """The shape that `matching.compare_persons` reads, without names; `country` is where a bare phone is dialled."""
    codes = [v for v in entity.values("nationality", "citizenship") if re.fullmatch(r"[A-Za-z]{2}", v)]
    other = entity.values("idNumber", "socialSecurityNumber", "taxNumber", "licenseNumber")
    return {
        "birth_dates": [f"circa {c.value}" if c.is_circa() else c.value for c in _claims(entity, "birthDate")],
        "birth_places": [p for c in _claims(entity, "birthPlace") if (p := _town_or_country(c))],
        "nationalities": codes,
        "sex": list(entity.values("gender")[:1]),
        "phones": [normal_form("phone", p, country) or p for p in entity.values("phone")],
        "father": list(entity.values("fatherName")),
        "mother": list(entity.values("motherName")),
        "documents": [{"number": n, "kind": "passport"} for n in entity.values("passportNumber")] + list(other),
    }


def _claims(entity: Entity, prop: str) -> Iterable[Claim]:
    return (c for c in entity.claims if c.property == prop)


def _town_or_country(place: Claim) -> str:
    """A place known to its region alone says no more than its country: to a town it is no contradiction."""
    if place.precision != "region":
        return place.value
    _, comma, country = place.value.rpartition(",")
    return country.strip() if comma else ""


def _identifier_rows(query: Asked, held: Entity, there: str) -> list[dict[str, Any]]:
    shared = set(query.numbers).intersection(identifiers(held, there))
    return [
        {
            "part": kind,
            "a": number,
            "b": number,
            "how": "same",
            "outcome": "agree",
            "points": POINTS[kind],
        }
        for kind, number in sorted(shared)
        if not _countries_differ(kind, query.entity, held)
    ]


def _countries_differ(kind: str, a: Entity, b: Entity) -> bool:
    """The same plate or document number of two countries is two numbers."""
    here, there = _country(a), _country(b)
    return kind in ("plate", "document", "registration") and bool(here and there and here != there)


def _has(names: Mapping[str, Any], part: str) -> bool:
    return any(r["part"] == part for r in names.get("rows", ()))


def _weak(names: Mapping[str, Any], record: Entity, held: Sequence[str]) -> list[dict[str, Any]]:
    """Said as a row of its own when only low-quality aliases of the record were near."""
    weak = set(record.values("weakAlias"))
    if not names.get("rows") or not weak or not held or not set(held) <= weak:
        return []
    row = {"part": "alias", "a": "", "b": "", "how": "low_quality_alias", "outcome": "partial", "points": WEAK_ALIAS}
    return [row]


def _sum(names: Mapping[str, Any], *more: list[dict[str, Any]]) -> tuple[float, dict[str, object]]:
    """The score and its explanation: start and points of all rows, which add up."""
    extra = [row for rows in more for row in rows]
    comparable = bool(names.get("comparable")) or any(r["part"] in POINTS for r in extra)
    rows = [*names.get("rows", ()), *extra]
    if not comparable:
        return 0.0, {"score": 0.0, "comparable": False, "start": 0.0, "rows": rows, "sum": 0.0}
    start = float(names.get("start") or START)
    total = round(start + sum(float(r["points"]) for r in rows), 4)
    score = 1.0 / (1.0 + 2.0 ** -max(total, -60.0))
    return score, {"score": score, "comparable": True, "start": start, "rows": rows, "sum": total}
