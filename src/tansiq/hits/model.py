"""Nouns of hits: a match is the machine's word, a hit is a person's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tansiq.bank.model import BankRecord, Entity


class MatchState(StrEnum):
    """Life of a match. Nothing but an officer's decision moves it (LED art. 11)."""

    OPEN = "open"
    HIT = "hit"
    NO_HIT = "no_hit"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Match:
    """What arrived (A) met what we hold (B)."""

    id: str
    dossier: str
    entry: str
    part: str
    incoming: Entity
    holding: BankRecord
    score: float
    explanation: Mapping[str, object]
    rule: str
    state: MatchState
    found_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    originator: str = ""
    """Country of side A's originator."""
    extra: Mapping[str, object] = field(default_factory=dict)

    def dossiers(self) -> frozenset[str]:
        """Where its sides came from: that of what arrived, and that of what we hold where a partner gave it."""
        return frozenset({self.dossier, self.holding.provenance.dossier} - {""})


@dataclass(frozen=True, slots=True)
class Tally:
    """What one country's entries met here in a period."""

    found: int = 0
    confirmed: int = 0
    """Those of them that an officer made hits."""
    told: int = 0
    """Hits in an entry of which its author was told so."""


@dataclass(frozen=True, slots=True)
class LocalDuty:
    """What this node's own officers owe; partners do not see it, so it is no dossier duty."""

    match: str
    dossier: str
    code: str
    """`hit.confirm`."""
    since: datetime
    due_at: datetime
    clause: str
    urgent: bool = False
