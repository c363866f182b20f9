"""Nouns of access: officers, roles, and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tansiq.terms import OfficerId


class Role(StrEnum):
    """What an officer may be. One officer may hold several."""

    ANALYST = "analyst"
    LIAISON = "liaison"
    SUPERVISOR = "supervisor"
    PROTECTION = "protection"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, in which role, why. Every verb that reads or changes anything takes one; the ledger keeps it."""

    officer: OfficerId
    roles: frozenset[Role]
    purpose: str = ""
    justification: str = ""
    second: OfficerId | None = None
    """The second officer of a four-eyes act; never the same as `officer`."""

    @classmethod
    def machine(cls) -> Acting:
        """The node itself, for what the rules make it do (erase after a recall, examine what arrived)."""
        return cls(OfficerId("o-0000000000000000"), frozenset(), "system", "rule")


@dataclass(frozen=True, slots=True)
class Officer:
    """One officer of this node. `name` never leaves the node; partners see the id."""

    id: OfficerId
    name: str
    roles: frozenset[Role]
    active: bool
    language: str
    has_totp: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `token` is known to the browser alone: the store keeps its hash."""

    officer: Officer
    csrf: str
    expires_at: datetime
