"""Nouns of the information bank: records made of claims, in FollowTheMoney's words where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SCHEMAS = (
    "Person",
    "Organization",
    "Vehicle",
    "Vessel",
    "Airplane",
    "Document",
    "Phone",
    "BankAccount",
    "CryptoWallet",
    "UserAccount",
    "Address",
    "Location",
    "Firearm",
    "Goods",
    "Event",
)

IDENTIFIER_KINDS = frozenset(
    {"account", "aircraft", "callsign", "crypto", "document", "email", "iban", "imei", "imsi", "phone", "plate"}
    | {"registration", "serial", "username", "vessel", "vin"}
)
"""Kinds of numbers by which a thing is found again; also the `part` of an explanation's row about one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value of one property, as one source gave it (LED art. 7: basis, grade, as_of)."""

    property: str
    value: str
    lang: str = ""
    basis: str = "fact"
    grade: str = "X4"
    scheme: str = "4x4"
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that a part or a record speaks of. `id` is local to its source."""

    id: str
    schema: str
    claims: tuple[Claim, ...]
    role: str = ""
    """PersonRole for a Person; empty otherwise."""

    def values(self, *properties: str) -> tuple[str, ...]:
        return tuple(c.value for c in self.claims if c.property in properties)

    def names(self) -> tuple[str, ...]:
        return self.values("name", "alias", "weakAlias", "previousName")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a record comes from and what binds it."""

    source: str
    """`own`, a list (`un`, `eu`, `ofac`), or `dossier`."""
    reference: str
    """The source's own reference; for `dossier` the entry id."""
    part: str = ""
    dossier: str = ""
    """The dossier that the part came with; a thing never matches itself through its own dossier."""
    originator: str = ""
    """Country of the originator, ISO 3166 alpha-2; our own country for `own`."""
    handling: tuple[str, ...] = ("H0",)
    unit: str = ""
    legal_basis: str = ""
    erase_on: str = ""


@dataclass(frozen=True, slots=True)
class BankRecord:
    """One entity that this service holds."""

    id: str
    entity: Entity
    provenance: Provenance
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record found for a query, with the score and its explanation (`matching.explain` as plain values)."""

    record: BankRecord
    score: float
    explanation: Mapping[str, object] = field(default_factory=dict)
