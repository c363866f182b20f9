"""Nouns of the information bank: records made of claims, in FollowTheMoney's words where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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


DATE_PRECISIONS: Mapping[str, int] = {"day": 10, "month": 7, "year": 4, "circa": 4}
"""How exactly a date is known -> how long its value is then. `circa` is a year that is not certain (lists have it)."""
PLACE_PRECISIONS = ("building", "street", "locality", "region", "country")
"""Down to what a place is known; a coordinate has metres instead (STIX 2.1 Location, `precision`)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value of one property, as one source gave it (LED art. 7: basis, grade, as_of).

    What stands last is empty where it is as in the entry or record that the claim came with.
    """

    property: str
    value: str
    lang: str = ""
    basis: str = "fact"
    grade: str = "X4"
    scheme: str = "4x4"
    as_of: str = ""
    precision: str = ""
    """Of a date one of `DATE_PRECISIONS`, of a place one of `PLACE_PRECISIONS`, of a coordinate metres."""
    handling: str = ""
    """Codes that bind this value besides its entry's: `H1`, `H2` or `H1 H2`. They add, so they are never weaker."""
    legal_basis: str = ""
    """By what right, where it is another than the entry's."""
    erase_on: str = ""
    """The day on which this value is erased, before all else that came with it (LED art. 5)."""

    def is_circa(self) -> bool:
        return self.precision == "circa"


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

    def handling(self) -> frozenset[str]:
        """The codes that single claims carry besides those of their entry."""
        return frozenset(code for c in self.claims if c.handling for code in c.handling.split())

    def first_erasure(self) -> str:
        """The first day on which one of its claims is erased; empty where each lives as long as all of it."""
        return min((c.erase_on for c in self.claims if c.erase_on), default="")

    def without_due(self, today: str) -> Entity | None:
        """What is left of it on this day (`YYYY-MM-DD`); itself where nothing is due, None where nothing is left."""
        left = tuple(c for c in self.claims if not c.erase_on or c.erase_on > today)
        if len(left) == len(self.claims):
            return self
        return replace(self, claims=left) if left else None


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

    def handling(self) -> tuple[str, ...]:
        """All codes that bind it or a value in it."""
        return tuple(sorted({*self.provenance.handling, *self.entity.handling()}))

    def first_erasure(self) -> str:
        """The first day on which it or a value in it is erased; empty where no day is named."""
        return min((d for d in (self.provenance.erase_on, self.entity.first_erasure()) if d), default="")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record found for a query, with the score and its explanation (`matching.explain` as plain values)."""

    record: BankRecord
    score: float
    explanation: Mapping[str, object] = field(default_factory=dict)
