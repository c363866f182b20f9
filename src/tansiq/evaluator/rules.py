"""The meter: what a partner may still ask, as pure functions over counters. No key is touched before `charge` agrees.

Why a meter at all: match keys have little entropy, and whoever may ask may guess. The number of evaluations is what
stands between a partner and the holding (docs/private-matching.md, "What bounds it").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from tansiq.errors import Refused
from tansiq.evaluator.model import Alarm, AlarmKind, Charge, Counters, EpochState, KeyName, Limits, Quota, Tier

EPOCH_LIFE: dict[EpochState, frozenset[EpochState]] = {
    EpochState.CURRENT: frozenset({EpochState.GRACE, EpochState.DESTROYED}),
    EpochState.GRACE: frozenset({EpochState.DESTROYED}),
    EpochState.DESTROYED: frozenset(),
}
"""A rotation moves the old epoch to `grace`; nothing brings a destroyed one back."""

BATCH_SIZES = (64, 256)
"""The only sizes of a batch, so that a size tells nothing."""


def advance(counters: Counters, day: int) -> Counters:
    """The counters of `day`. Hazard: a clock that was turned back must not open a day again, so `day` never falls."""
    return replace(counters, day=day, spent={}) if day > counters.day else counters


def charge(
    limits: Limits, counters: Counters, name: KeyName, sequence: int, count: int, day: int, epoch_day: int
) -> tuple[Counters, Charge]:
    """Counts one batch, or raises `Refused("meter.*" | "batch.replayed")` and counts nothing.

    `epoch_day` is the day on which the epoch began. The day's quota goes first, the burst after it.
    """
    if name.partner in limits.revoked:
        raise Refused("meter.revoked", "this partner's private checks are revoked", step="meter", detail=name.partner)
    counters = advance(counters, day)
    key, place = (name.partner, name.tier), (name.partner, name.tier, name.epoch)
    if sequence <= counters.last.get(place, 0):
        raise Refused("batch.replayed", "a batch number that was seen before", step="meter", field="sequence")
    quota = limits.quota(*key)
    spent, burst_spent = counters.spent.get(key, 0), counters.burst.get(place, 0)
    today = max(quota.per_day - spent, 0)
    burst = max(quota.burst - burst_spent, 0) if counters.day - epoch_day < quota.burst_days else 0
    if count > today + burst:
        raise Refused("meter.quota", "the quota of this partner and tier is spent", step="meter", detail=name.partner)
    from_burst = max(count - today, 0)
    total = sum(n for (_, tier), n in counters.spent.items() if tier is name.tier)
    if total + count - from_burst > limits.ceiling(name.tier):
        raise Refused("meter.ceiling", "the quota of all partners together is spent", step="meter", detail=name.tier)
    after = replace(
        counters,
        spent={**counters.spent, key: spent + count - from_burst},
        burst={**counters.burst, place: burst_spent + from_burst} if from_burst else counters.burst,
        last={**counters.last, place: sequence},
    )
    alarms = _alarms(name, quota, limits.ceiling(name.tier), spent, spent + count - from_burst, total)
    left = today + burst - count
    return after, Charge(name, sequence, count, from_burst, counters.day, left, alarms)


def _alarms(name: KeyName, quota: Quota, ceiling: int, before: int, after: int, total: int) -> tuple[Alarm, ...]:
    """Once, when a line is crossed: at half and at the end, for the partner and for all together."""
    lines = (
        (AlarmKind.QUOTA_HALF, name.partner, before, after, quota.per_day, 0.5),
        (AlarmKind.QUOTA_SPENT, name.partner, before, after, quota.per_day, 1.0),
        (AlarmKind.CEILING_HALF, "", total, total + after - before, ceiling, 0.5),
        (AlarmKind.CEILING_SPENT, "", total, total + after - before, ceiling, 1.0),
    )
    return tuple(
        Alarm(kind, partner, name.tier.value, now, of)
        for kind, partner, was, now, of, share in lines
        if of and was < share * of <= now
    )


def replayed(counters: Counters, past: Charge) -> Counters:
    """The counters after a charge that the book on disk holds; used when a process starts again."""
    counters = advance(counters, past.day)
    key = (past.name.partner, past.name.tier)
    place: tuple[str, Tier, int] = (*key, past.name.epoch)
    spent = dict(counters.spent)
    if past.day == counters.day:
        spent[key] = spent.get(key, 0) + past.count - past.from_burst
    burst: dict[tuple[str, Tier, int], int] = (
        {place: counters.burst.get(place, 0) + past.from_burst} if past.from_burst else {}
    )
    return replace(
        counters,
        spent=spent,
        burst={**counters.burst, **burst},
        last={**counters.last, place: max(past.sequence, counters.last.get(place, 0))},
    )


def forget_epoch(counters: Counters, epoch: int) -> Counters:
    """Without what only a destroyed epoch needed."""
    return replace(
        counters,
        burst={k: n for k, n in counters.burst.items() if k[2] != epoch},
        last={k: n for k, n in counters.last.items() if k[2] != epoch},
    )


HIT_RATE, HIT_RATE_FROM = 0.2, 50


def hit_alarms(partner: str, asked: int, hits: int, canaries: int) -> tuple[Alarm, ...]:
    """What the asker's hit notices say about it: a canary is a record that nobody has a reason to ask for, and a
    share of hits beyond a fifth, over fifty keys and more, is either a very good list or bait in the holding."""
    found = []
    if canaries:
        found.append(Alarm(AlarmKind.CANARY, partner, "", canaries, 0))
    if asked >= HIT_RATE_FROM and hits > HIT_RATE * asked:
        found.append(Alarm(AlarmKind.HIT_RATE, partner, "", hits, asked))
    return tuple(found)


# --- what a quota lets a partner read out ----------------------------------------------------------------------

KEYS_A_PERSON = 6
"""Name keys that one person costs an asker, rounded up (benchmarks/private_recall.py: 5.9)."""
DOMAINS = {"phones_of_a_country": 10**8, "plates_of_a_country": 10**7, "passport_numbers": 3 * 10**8}
"""Sizes of the spaces that a guesser goes through one by one."""
_NAME_GUESSES = ((4.0, 0.0031), (5.0, 0.014), (6.0, 0.047), (7.0, 0.13))
"""log10 of evaluations -> share of the persons held whose pair of names and birth date was among the guesses, when
the guesser knows how common names are and tries the commonest first (measured on short lists of invented names: an
upper guide)."""


@dataclass(frozen=True, slots=True)
class Readout:
    """What one quota buys in one epoch, as shares of what is held (0 to 1)."""

    evaluations: int
    new_persons_a_day: int
    shares: dict[str, float]


def readout(quota: Quota, epoch_days: int, partners: int = 1) -> Readout:
    """For the agreement's page: what the figure that was just entered lets `partners` together read out."""
    evaluations = partners * (quota.per_day * epoch_days + quota.burst)
    shares = {name: min(evaluations / size, 1.0) for name, size in DOMAINS.items()}
    shares["persons_by_name_and_date"] = _by_name(evaluations)
    return Readout(evaluations, quota.per_day // KEYS_A_PERSON, shares)


def _by_name(evaluations: int) -> float:
    """Between the measured points along the logarithm; below them in proportion."""
    at = math.log10(max(evaluations, 1))
    (first, share) = _NAME_GUESSES[0]
    if at <= first:
        return share * evaluations / 10**first
    for (x0, y0), (x1, y1) in pairwise(_NAME_GUESSES):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return _NAME_GUESSES[-1][1]
