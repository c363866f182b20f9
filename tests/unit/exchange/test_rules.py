"""The pure decisions of the exchange."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import rules, wire
from tansiq.exchange.model import ItemState

chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), chances)
def test_the_backoff_grows_to_its_cap_and_never_beyond(attempts: int, chance: float) -> None:
    pause = rules.backoff_s(attempts, chance, first_s=1, cap_s=120)
    assert 0.1 <= pause <= min(120, 2 ** min(attempts - 1, 30))


def test_the_backoff_is_spread_over_its_whole_step() -> None:
    assert rules.backoff_s(5, 0.0, 1, 120) < 2
    assert rules.backoff_s(5, 0.99, 1, 120) > 15


def test_what_was_received_stays_received() -> None:
    assert not any(rules.may_follow(ItemState.RECEIVED, after) for after in ItemState)


def test_every_state_has_its_row_in_the_life_cycle() -> None:
    assert set(rules.LIFE_CYCLE) == set(ItemState)


@given(st.lists(st.integers(0, wire.MAX_ITEM_BYTES), max_size=80))
def test_what_fits_renders_into_a_body_that_the_receiver_takes(sizes: list[int]) -> None:
    taken, used = 0, 0
    for size in sizes:
        if rules.fits(taken, used, size):
            taken, used = taken + 1, used + rules.rendered_bytes(size)
    assert taken <= wire.MAX_ITEMS
    assert used < wire.MAX_SEALED_BYTES
    sealed = used + 2048
    assert sealed < wire.MAX_SEALED_BYTES


def test_the_largest_item_allowed_fits_alone() -> None:
    assert rules.fits(0, 0, wire.MAX_ITEM_BYTES)
    assert not rules.too_large(wire.MAX_ITEM_BYTES)
