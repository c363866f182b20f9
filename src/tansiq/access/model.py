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


OVERSEERS = frozenset({Role.PROTECTION, Role.SUPERVISOR})
"""Who may read what other officers did, and why."""


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
    as_of: datetime | None = None
    """Came out of a backup of this instant and was not confirmed since: an officer who left after it must not act."""

    @property
    def may_act(self) -> bool:
        return self.active and self.as_of is None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `token` is known to the browser alone: the store keeps its hash."""

    officer: Officer
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token as its owner sees it afterwards: everything but the token itself."""

    id: str
    officer: OfficerId
    label: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What a restore ended, because it may have been ended since the backup; and who waits for a confirmation."""

    sessions: int
    drafts: int
    """Acts that waited for a second officer: what was confirmed since would be done twice."""
    tokens: tuple[tuple[Officer, ApiToken], ...]
    officers: tuple[Officer, ...]


class DraftState(StrEnum):
    """Where a four-eyes act stands. `waiting` is the only state that changes."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Draft:
    """An act that waits for a second officer. `body` is what the first one meant to do, in the proposer's own form."""

    id: str
    act: str
    ref: str
    body: bytes
    needs: Role
    first: OfficerId
    purpose: str
    justification: str
    proposed_at: datetime
    state: DraftState = DraftState.WAITING
    second: OfficerId | None = None
    decided_at: datetime | None = None
