"""The meter's rules: quota, burst, ceiling, replays, days that go back, alarms, and what a quota reads out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.errors import Refused
from tansiq.evaluator.model import AlarmKind, Counters, EpochState, KeyName, Limits, Quota, Tier
from tansiq.evaluator.rules import (
    EPOCH_LIFE,
    advance,
    charge,
    forget_epoch,
    hit_alarms,
    readout,
    replayed,
)
from tansiq.terms import NodeId

B, A, C = (NodeId(f"{cc}-" + "a" * 20) for cc in ("es", "ma", "fr"))
DAY = 740_000


def name(partner: NodeId = A, tier: Tier = Tier.LOW, epoch: int = 1) -> KeyName:
    return KeyName(B, partner, tier, epoch)


def limits(per_day: int = 1000, burst: int = 0, ceiling: int = 10**6, revoked: frozenset[str] = frozenset()) -> Limits:
    quotas = {(p, t): Quota(per_day, burst, 7) for p in (A, C) for t in Tier}
    return Limits(quotas, dict.fromkeys(Tier, ceiling), revoked)


def test_a_quota_stops_the_partner_and_a_new_day_gives_it_back() -> None:
    counters, given_ = Counters(), limits(per_day=192)
    for sequence in (1, 2, 3):
        counters, done = charge(given_, counters, name(), sequence, 64, DAY, DAY - 30)
    assert done.left == 0
    with pytest.raises(Refused) as refused:
        charge(given_, counters, name(), 4, 64, DAY, DAY - 30)
    assert refused.value.code == "meter.quota"
    counters, done = charge(given_, counters, name(), 4, 64, DAY + 1, DAY - 30)
    assert done.left == 128


def test_a_clock_turned_back_gives_no_second_quota() -> None:
    counters, _ = charge(limits(per_day=64), Counters(), name(), 1, 64, DAY, DAY - 30)
    for earlier in (DAY, DAY - 1, 0):
        with pytest.raises(Refused, match="quota"):
            charge(limits(per_day=64), counters, name(), 2, 64, earlier, DAY - 30)
    assert advance(counters, DAY - 5).day == DAY


def test_the_burst_is_used_once_and_only_while_the_epoch_is_young() -> None:
    given_ = limits(per_day=64, burst=128)
    counters = Counters()
    for sequence in (1, 2, 3):
        counters, done = charge(given_, counters, name(), sequence, 64, DAY, DAY)
    assert done.from_burst == 64
    with pytest.raises(Refused, match="quota"):
        charge(given_, counters, name(), 4, 64, DAY, DAY)
    counters, _ = charge(given_, counters, name(), 4, 64, DAY + 1, DAY)
    with pytest.raises(Refused, match="quota"):  # the burst does not come back with the day
        charge(given_, counters, name(), 5, 64, DAY + 1, DAY)
    counters, done = charge(given_, counters, name(epoch=2), 1, 64, DAY + 2, DAY - 7)
    with pytest.raises(Refused, match="quota"):  # an epoch of seven days is not young
        charge(given_, counters, name(epoch=2), 2, 64, DAY + 2, DAY - 7)


def test_the_ceiling_holds_over_all_partners() -> None:
    given_ = limits(per_day=1000, ceiling=128)
    counters, _ = charge(given_, Counters(), name(A), 1, 64, DAY, 0)
    counters, done = charge(given_, counters, name(C), 1, 64, DAY, 0)
    assert {a.kind for a in done.alarms} == {AlarmKind.CEILING_SPENT}
    with pytest.raises(Refused) as refused:
        charge(given_, counters, name(C), 2, 64, DAY, 0)
    assert refused.value.code == "meter.ceiling"
    charge(given_, counters, name(C, Tier.HIGH), 1, 64, DAY, 0)  # another tier has its own


def test_replayed_and_revoked_batches_are_refused_by_name_and_count_nothing() -> None:
    counters, _ = charge(limits(), Counters(), name(), 7, 64, DAY, 0)
    for sequence in (7, 6, 0):
        with pytest.raises(Refused) as refused:
            charge(limits(), counters, name(), sequence, 64, DAY, 0)
        assert refused.value.code == "batch.replayed"
    charge(limits(), counters, name(epoch=2), 1, 64, DAY, 0)  # a new epoch counts from one
    with pytest.raises(Refused) as refused:
        charge(limits(revoked=frozenset({A})), counters, name(), 8, 64, DAY, 0)
    assert refused.value.code == "meter.revoked"


def test_alarms_ring_once_at_half_and_once_at_the_end() -> None:
    counters, rung = Counters(), []
    for sequence in range(1, 11):
        counters, done = charge(limits(per_day=640), counters, name(), sequence, 64, DAY, 0)
        rung.append([a.kind for a in done.alarms])
    assert rung[4] == [AlarmKind.QUOTA_HALF]
    assert rung[9] == [AlarmKind.QUOTA_SPENT]
    assert not any(rung[:4] + rung[5:9])


def test_canaries_and_a_hit_rate_beyond_a_fifth_are_alarms() -> None:
    assert [a.kind for a in hit_alarms(A, asked=100, hits=21, canaries=1)] == [AlarmKind.CANARY, AlarmKind.HIT_RATE]
    assert hit_alarms(A, asked=100, hits=20, canaries=0) == ()
    assert hit_alarms(A, asked=10, hits=9, canaries=0) == ()


def test_nothing_leads_out_of_a_destroyed_epoch() -> None:
    assert EPOCH_LIFE[EpochState.DESTROYED] == frozenset()
    assert all(EpochState.CURRENT not in after for after in EPOCH_LIFE.values())


batches = st.lists(
    st.tuples(st.sampled_from([A, C]), st.sampled_from(list(Tier)), st.integers(1, 12), st.integers(0, 3)),
    max_size=40,
)


@given(batches)
def test_what_is_counted_never_exceeds_quota_burst_and_ceiling_and_the_book_tells_the_same(asked: list) -> None:
    given_ = limits(per_day=128, burst=64, ceiling=192)
    counters, book = Counters(), []
    for partner, tier, sequence, later in asked:
        day = max(counters.day, DAY) + later - 1
        try:
            counters, done = charge(given_, counters, name(partner, tier), sequence, 64, day, DAY)
        except Refused:
            continue
        book.append(done)
        for t in Tier:
            assert sum(n for (_, spent), n in counters.spent.items() if spent is t) <= 192
        assert all(n <= 128 for n in counters.spent.values())
        assert all(n <= 64 for n in counters.burst.values())
    again = Counters()
    for done in book:
        again = replayed(again, done)
    if book:
        assert (again.day, again.spent, again.last) == (counters.day, counters.spent, counters.last)
        assert {k: n for k, n in again.burst.items() if n} == counters.burst


def test_a_destroyed_epoch_leaves_no_counters() -> None:
    counters, _ = charge(limits(per_day=64, burst=64), Counters(), name(), 1, 64, DAY, DAY)
    counters, _ = charge(limits(per_day=64, burst=64), counters, name(), 2, 64, DAY, DAY)
    after = forget_epoch(counters, 1)
    assert (after.last, after.burst, after.spent) == ({}, {}, counters.spent)


def test_what_a_quota_reads_out_is_computed_from_it() -> None:
    small, large = readout(Quota(1_000), 90), readout(Quota(10_000), 90)
    assert large.shares["phones_of_a_country"] == pytest.approx(0.009)
    assert small.shares["phones_of_a_country"] == pytest.approx(0.0009)
    assert 0.047 > large.shares["persons_by_name_and_date"] > 0.014 > small.shares["persons_by_name_and_date"] > 0.0031
    assert readout(Quota(80_000), 90).shares["persons_by_name_and_date"] == pytest.approx(0.118, abs=0.01)
    assert readout(Quota(10_000), 90, partners=26).evaluations == 26 * 900_000
    assert readout(Quota(10**9), 365).shares["plates_of_a_country"] == 1.0
    assert readout(Quota(0), 90).shares["persons_by_name_and_date"] == 0.0
    assert readout(Quota(2_000), 90).new_persons_a_day == 333
