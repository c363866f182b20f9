"""The nouns of the evaluator: whose key, what may be spent on it, what was spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tansiq.terms import NodeId


class Tier(StrEnum):
    """What a key evaluates: long numbers, guessable things, or plans of deconfliction."""

    HIGH = "high"
    LOW = "low"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """One key: the holder's, for one partner, tier and epoch."""

    holder: NodeId
    partner: NodeId
    tier: Tier
    epoch: int

    @property
    def info(self) -> bytes:
        """What DeriveKeyPair gets beside the epoch's seed."""
        return f"tansiq/1|{self.holder}|{self.partner}|{self.tier.value}|{self.epoch}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Quota:
    """Evaluations a day; after a rotation `burst` more in all, while the epoch is younger than `burst_days`."""

    per_day: int
    burst: int = 0
    burst_days: int = 7


DEFAULT_QUOTAS = {Tier.HIGH: Quota(10_000, 20_000), Tier.LOW: Quota(2_000, 10_000), Tier.PLAN: Quota(5_000, 0)}
"""What a partner gets before anyone entered another figure; the agreement's page shows what each one reads out."""
CEILING_FACTOR = 5
"""Over all partners together: this many times one partner's quota."""


class EpochState(StrEnum):
    """`current`: new tag lists are made. `grace`: still answered, not set up again. `destroyed`: its seed is gone."""

    CURRENT = "current"
    GRACE = "grace"
    DESTROYED = "destroyed"


class AlarmKind(StrEnum):
    QUOTA_HALF = "quota_half"
    QUOTA_SPENT = "quota_spent"
    CEILING_HALF = "ceiling_half"
    CEILING_SPENT = "ceiling_spent"
    CANARY = "canary"
    HIT_RATE = "hit_rate"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an officer must be told; `partner` is empty when it concerns all."""

    kind: AlarmKind
    partner: str
    tier: str
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the agreement grants. A partner without a line of its own has the defaults; a revoked one has nothing."""

    quotas: dict[tuple[str, Tier], Quota] = field(default_factory=dict)
    ceilings: dict[Tier, int] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    def quota(self, partner: str, tier: Tier) -> Quota:
        return self.quotas.get((partner, tier), DEFAULT_QUOTAS[tier])

    def ceiling(self, tier: Tier) -> int:
        return self.ceilings.get(tier, CEILING_FACTOR * DEFAULT_QUOTAS[tier].per_day)


@dataclass(frozen=True, slots=True)
class Counters:
    """What was spent. `day` never goes back; `burst` and `last` live as long as their epoch."""

    day: int = 0
    spent: dict[tuple[str, Tier], int] = field(default_factory=dict)
    burst: dict[tuple[str, Tier, int], int] = field(default_factory=dict)
    last: dict[tuple[str, Tier, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Charge:
    """One batch that was counted: `day`, how much came out of the burst, what is left today."""

    name: KeyName
    sequence: int
    count: int
    from_burst: int
    day: int
    left: int
    alarms: tuple[Alarm, ...] = ()
