"""A bank with everything it stands on, for tests: a real store, a real ledger, a clock that stands still."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.bank import Bank, parse_entity
from tansiq.bank.model import BankRecord, Candidate, Entity, Provenance
from tansiq.crypto import SigningKeys, Vault, node_id
from tansiq.ledger import Ledger
from tansiq.policy import Gate, load_gate
from tansiq.store import Store
from tansiq.terms import OfficerId

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ANALYST = Acting(OfficerId("o-00000000000000a1"), frozenset({Role.ANALYST}), "prevention", "case 7")


@cache
def signing_keys() -> SigningKeys:
    return SigningKeys.generate()


@cache
def gate_of(country: str) -> Gate:
    """Rules cost a tenth of a second to read; tests share them."""
    return load_gate(country)


@dataclass
class Clock:
    at: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Holdings:
    """One service's bank. Open a second one on the same url to be another process beside it."""

    url: str
    country: str = "ES"
    clock: Clock = field(default_factory=Clock)
    first_id: int = 1

    def __post_init__(self) -> None:
        numbers = itertools.count(self.first_id)
        self.vault = Vault(b"\x07" * 32)
        self.store = Store.open(self.url)
        node = node_id(self.country, signing_keys().public)
        self.ledger = Ledger(self.store, signing_keys(), self.vault, node, f"tansiq/{node}")
        self.new_id = lambda: f"{next(numbers):032x}"
        self.bank = Bank(
            self.store, self.vault, self.ledger, self.clock, self.new_id, gate_of(self.country), self.country
        )

    def keep(self, given: Entity, **prov: Any) -> str:
        provenance = Provenance(**{"source": "own", "reference": "r", "originator": self.country, **prov})
        return self.store.write(lambda tx: self.bank.add(tx, given, provenance))

    def close(self) -> None:
        self.store.close()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/tansiq.db"


def entity(schema: str, *, ident: str = "x1", role: str = "", **claims: str | tuple[str, ...]) -> Entity:
    """`entity("Person", name=("Yasir Benomar", "ياسر بنعمر"), birthDate="1985")`."""
    said = [
        {"property": prop, "value": value}
        for prop, values in claims.items()
        for value in ((values,) if isinstance(values, str) else values)
    ]
    return parse_entity({"id": ident, "schema": schema, "role": role, "claims": said})


def person(*names: str, **more: Any) -> Entity:
    return entity("Person", name=names, **more)


def who_has(bank: Bank, phone: str, country: str = "") -> list[BankRecord]:
    """The records that carry this telephone number."""
    return [c.record for c in bank.find(entity("Phone", number=phone), country=country)]


def by_name(bank: Bank, name: str, k: int = 10) -> list[Candidate]:
    """What a person of this name meets; best first."""
    return bank.find(person(name), k)
