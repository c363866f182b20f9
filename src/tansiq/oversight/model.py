"""Nouns of oversight: who is asked for by which right, what is held, what was disclosed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tansiq.bank.model import Entity


class Right(StrEnum):
    """By which right of the person it is asked."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    AUTHORITY = "authority"
    """The person asks through the supervisory authority."""


CLAUSE: Mapping[Right, str] = {
    Right.ACCESS: "LED art. 14",
    Right.RECTIFICATION: "LED art. 16",
    Right.ERASURE: "LED art. 16",
    Right.AUTHORITY: "LED art. 17",
}


class Sort(StrEnum):
    """What kind of thing is held."""

    HOLDING = "holding"
    PART = "part"
    MATCH = "match"
    QUERY = "query"
    DRAFT = "draft"
    CHECK = "check"
    ANSWER = "answer"
    """What a partner answered to a private check: the partner's word, and a thing of its own."""
    WATCH = "watch"


class Bound(StrEnum):
    """What was not gone through to its end."""

    HOLDINGS = "holdings"
    SPELLINGS = "spellings"
    TEXTS = "texts"
    INDEX = "index"
    """The node holds more texts than the search keeps in memory: the oldest were not looked through."""
    FILES = "files"
    """Texts of attached files that are too long, too many, or not known how they are written."""
    CHECKS = "checks"
    LOG = "log"


class Kept(StrEnum):
    """Why the content of a thing is not shown, or not given out."""

    SHOWN = ""
    UNREAD = "unread"
    """A restriction (H3) must be read and confirmed first."""
    REFUSED = "refused"
    """The law gate does not let this officer read it, or take it out."""
    CONSENT = "consent"
    """A partner gave it: its originator has to consent (Reg. (EU) 2016/794 art. 19; LED art. 35(1)(e))."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """That a thing went to a partner, under which clauses, and what became of it."""

    to: str
    at: datetime
    clauses: tuple[str, ...]
    state: str = ""
    """As the exchange has it: queued, sent, received, refused, expired; empty where that is known no more."""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A leaf about a thing. Without its officer: whoever asks learns who received it, not who worked on it."""

    index: int
    at: datetime
    verb: str
    purpose: str
    clauses: tuple[str, ...]
    to: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that is held and may be about the person; the machine's word, until an officer chooses it."""

    id: str
    sort: Sort
    score: float
    what: Mapping[str, Any] | None
    """None where `kept` says why."""
    kept: Kept
    originator: str
    """Country of the service that gave it."""
    ours: bool
    """Nothing in it is a partner's word."""
    handling: tuple[str, ...] = ("H0",)
    purpose: str = ""
    legal_basis: str = ""
    review_on: str = ""
    erase_on: str = ""
    since: datetime | None = None
    dossier: str = ""
    entry: str = ""
    part: str = ""
    others: bool = False
    """A text that may speak of others too: their rights are weighed before it is handed over (LED art. 15)."""
    disclosures: tuple[Disclosure, ...] = ()
    trail: tuple[Logged, ...] = ()
    owners: tuple[str, ...] = ()
    """Countries of the partners whose word is in it: each has to consent before it is given out."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found, and the leaf that says that it was looked for."""

    asked: Entity
    right: Right
    things: tuple[Thing, ...]
    left_out: tuple[Bound, ...]
    """Where a bound was reached: there more may be held than was found."""
    leaf: int

    @property
    def complete(self) -> bool:
        return not self.left_out
