"""The exchange's pure decisions: the life cycle of an item, backoff, what fits into one envelope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tansiq.exchange.model import LATER, Item, ItemResult, ItemState
from tansiq.exchange.wire import MAX_ITEM_BYTES, MAX_ITEMS, MAX_SEALED_BYTES

LIFE_CYCLE: dict[ItemState, frozenset[ItemState]] = {
    ItemState.QUEUED: frozenset({ItemState.SENT, ItemState.RECEIVED, ItemState.REFUSED, ItemState.EXPIRED}),
    ItemState.SENT: frozenset({ItemState.QUEUED, ItemState.RECEIVED, ItemState.REFUSED, ItemState.EXPIRED}),
    # A receipt that comes late tells the truth about an item that we had given up.
    ItemState.EXPIRED: frozenset({ItemState.QUEUED, ItemState.RECEIVED, ItemState.REFUSED}),
    # Only a new order of the originator (a permission granted after a refusal) opens a refused item again.
    ItemState.REFUSED: frozenset({ItemState.QUEUED, ItemState.RECEIVED}),
    ItemState.RECEIVED: frozenset(),
}

ITEM_OVERHEAD_BYTES = 256
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)
"""Of an item that its recipient has put off. An hour: what is taken in each day comes in over the day."""
SEALED_BUDGET_BYTES = MAX_SEALED_BYTES - 16 * 1024


def may_follow(state: ItemState, after: ItemState) -> bool:
    return after in LIFE_CYCLE[state]


def state_from(result: ItemResult) -> ItemState:
    return ItemState.RECEIVED if result.received else ItemState.REFUSED


def rendered_bytes(payload_bytes: int) -> int:
    """How much of the plaintext one payload takes, with its kind and its ref."""
    return payload_bytes + ITEM_OVERHEAD_BYTES


def fits(taken: int, used_bytes: int, payload_bytes: int) -> bool:
    return taken < MAX_ITEMS and used_bytes + rendered_bytes(payload_bytes) <= SEALED_BUDGET_BYTES


def too_large(payload_bytes: int) -> bool:
    return payload_bytes > MAX_ITEM_BYTES


def backoff_s(attempts: int, chance: float, first_s: float, cap_s: float) -> float:
    """Exponential with full jitter, capped at minutes. `chance` is in [0, 1).

    A partner back from a month away is met neither by a herd nor by an hour's silence. At least a tenth of the step,
    so that an unlucky zero never spins.
    """
    step = min(cap_s, first_s * 2.0 ** min(max(attempts - 1, 0), 30))
    return float(step * (0.1 + 0.9 * chance))


def has_expired(expires_at: datetime, now: datetime) -> bool:
    return now >= expires_at


def poll_is_timely(at: datetime, now: datetime, slack_s: float) -> bool:
    return abs(at - now) <= timedelta(seconds=slack_s)


def outlives(result: ItemResult, item_until: datetime | None, envelope_until: datetime) -> bool:
    """An envelope lives as long as the shortest-lived of its items: the others, refused with it, go out again.

    Only while they outlive it, or two clocks apart would send and refuse without end.
    """
    return not result.received and result.reason == "expired" and item_until is not None and item_until > envelope_until


def is_later(result: ItemResult) -> bool:
    """Whether the recipient would take it at another time."""
    return not result.received and result.reason.startswith(LATER)


def next_wait(wait: timedelta) -> timedelta:
    """How long an item rests that its recipient has put off once more; `wait`: how long it rested before."""
    return min(max(2 * wait, FIRST_REST), LONGEST_REST)


def refuse_all(items: Iterable[Item], reason: str) -> tuple[ItemResult, ...]:
    return tuple(ItemResult(item.ref, False, reason, item.kind) for item in items)
