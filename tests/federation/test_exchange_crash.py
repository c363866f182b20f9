"""A crash at every step of enqueue, form, post, file, receipt, poll and parcel: lost 0, applied twice 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.errors import Untrusted
from tansiq.exchange.model import FAULT_POINTS
from tansiq.store import Store
from tests.support.federation import Crash, Federation, FederationNode

Pair = tuple[Federation, FederationNode, FederationNode]

SENDING = (
    "outbox.enqueued",
    "outbox.before_form",
    "outbox.formed",
    "outbox.form_committed",
    "courier.before_post",
    "courier.after_post",
    "courier.before_failure_noted",
    "receipt.before_store",
    "receipt.stored",
    "receipt.after_commit",
)
FILING = (
    "inbox.before_open",
    "inbox.opened",
    "inbox.prepared",
    "inbox.before_file",
    "inbox.filed",
    "inbox.before_commit",
    "inbox.after_commit",
    "inbox.signed",
)
GROUPS = ("inbox.group_filed", "inbox.group_committed")
"""Of a large envelope alone."""
HANDING = ("poll.before_hand", "poll.handed")
PACKING = ("poll.handed", "parcel.before_commit", "parcel.after_commit")


def test_every_fault_point_is_crashed_at() -> None:
    assert set(SENDING) | set(FILING) | set(GROUPS) | set(HANDING) | set(PACKING) == set(FAULT_POINTS)


@pytest.fixture
def pair(store: Store, tmp_path: Path):
    """Rabat on either database, Madrid on SQLite."""
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    yield federation, federation.add("ma", store), federation.add("es", other)
    other.close()


def until_acknowledged(act: Callable[[], None], node: FederationNode) -> None:
    """What the caller does who was told nothing: the same again, after the restart."""
    while True:
        try:
            return act()
        except Crash:
            node.restart()


def check_exactly_once(sender: FederationNode, to: FederationNode, refs: list[str], what: str) -> None:
    assert to.filed() == sorted(refs), f"filed after a crash at {what}"
    assert {ref: sender.states()[ref] for ref in refs} == dict.fromkeys(refs, "received"), what
    assert sender.ledger.verify().ok
    assert to.ledger.verify().ok


@pytest.mark.parametrize("passage", [1, 2])
@pytest.mark.parametrize("who", ["sender", "sender, formed with the item", "receiver"])
def test_a_crash_of_either_side_during_a_post_loses_and_repeats_nothing(pair: Pair, who: str, passage: int) -> None:
    federation, ma, es = pair
    refs: list[str] = []
    side, points = (es, FILING) if who == "receiver" else (ma, SENDING)
    for point in points:
        fresh = [f"e-{point}-{n}" for n in range(3)]
        refs += fresh
        side.faults.crash_at(point, passage)
        for ref in fresh:
            if "formed" in who:
                ma.exchange.rest(es.node)
            until_acknowledged(lambda ref=ref: ma.send(es, ref), ma)
            federation.network.plan = ["drop"] * (passage + 1) if point == "courier.before_failure_noted" else []
            federation.deliver(ma, es)
        assert side.faults.crashed, f"{point} was never passed"
        federation.deliver(ma, es)
        check_exactly_once(ma, es, refs, point)


@pytest.mark.parametrize("passage", [1, 2])
@pytest.mark.parametrize("who", ["asker", "answerer"])
def test_a_crash_of_either_side_during_a_poll_loses_and_repeats_nothing(pair: Pair, who: str, passage: int) -> None:
    """Madrid polls Rabat: Rabat hands out, Madrid files and hands the receipts back."""
    federation, ma, es = pair
    refs: list[str] = []
    receipts = tuple(p for p in SENDING if p.startswith("receipt."))
    side, points = (es, FILING) if who == "asker" else (ma, (*HANDING, *receipts, "outbox.formed"))
    for point in points:
        side.faults.crash_at(point, passage)
        for n in range(3):
            refs.append(f"e-{point}-{n}")
            ma.send(es, refs[-1])
            federation.poll(es, ma)
        assert side.faults.crashed, f"{point} was never passed"
        check_exactly_once(ma, es, refs, point)


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_a_crash_of_either_side_during_a_parcel_loses_and_repeats_nothing(pair: Pair, who: str) -> None:
    _, ma, es = pair
    refs: list[str] = []
    receipts = tuple(p for p in SENDING if p.startswith("receipt."))
    side, points = (ma, (*PACKING, *receipts, "outbox.formed")) if who == "sender" else (es, (*FILING, *PACKING))
    for point in points:
        refs.append(f"e-{point}")
        ma.send(es, refs[-1])
        side.faults.crash_at(point)
        for _ in range(3):
            until_acknowledged(lambda: es.exchange.import_file(ma.exchange.export_file(es.node)) and None, ma)
            until_acknowledged(lambda: ma.exchange.import_file(es.exchange.export_file(ma.node)) and None, es)
        check_exactly_once(ma, es, refs, point)


def test_an_envelope_is_the_same_bytes_after_every_crash(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    for point in ("courier.before_post", "courier.after_post", "receipt.stored", "receipt.before_store"):
        ma.faults.crash_at(point)
        with pytest.raises(Crash):
            ma.exchange.deliver_once(es.node, federation.network)
        ma.restart()
    assert len({body for _, _, body in federation.network.seen}) == 1
    assert es.filed() == ["e-1"]


@pytest.mark.parametrize("point", ["courier.before_post", "courier.after_post", "receipt.before_store"])
def test_a_partner_that_vanishes_after_a_crash_does_not_make_us_forget_what_may_have_left(
    pair: Pair, point: str
) -> None:
    """After a crash nobody knows whether the bytes left: they are kept even when the next try cannot connect."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    ma.faults.crash_at(point)
    federation.deliver(ma, es, rounds=1)
    federation.network.away = {es.node}
    federation.deliver(ma, es, rounds=2)
    federation.network.away = set()
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": "received"}


def test_a_worker_that_died_elsewhere_leaves_its_envelope_to_another_after_the_lease(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    ma.faults.crash_at("courier.after_post")
    with pytest.raises(Crash):
        ma.exchange.deliver_once(es.node, federation.network)
    assert not ma.exchange.deliver_once(es.node, federation.network), "the lease holds"
    federation.clock.pass_time(timedelta(seconds=ma.settings.lease_s + 1))
    assert ma.exchange.deliver_once(es.node, federation.network)
    assert es.filed() == ["e-1"]
    assert len({body for _, _, body in federation.network.seen}) == 1


IN_THE_MIDDLE = [
    *((point, passage) for point in GROUPS for passage in (1, 2)),
    *(("inbox.filed", passage) for passage in (1, 8, 9, 20)),
    ("inbox.before_file", 1),
    ("inbox.before_commit", 1),
    ("inbox.after_commit", 1),
]


@pytest.mark.parametrize(("point", "passage"), IN_THE_MIDDLE)
def test_a_crash_in_a_large_envelope_loses_and_repeats_nothing(pair: Pair, point: str, passage: int) -> None:
    """Twenty items in one envelope: two groups are committed before the receipt stands."""
    federation, ma, es = pair
    es.in_groups = True
    es.restart()
    refs = [f"e-{n:02}" for n in range(20)]
    ma.send(es, *refs)
    es.faults.crash_at(point, passage)
    federation.deliver(ma, es)
    assert es.faults.crashed, f"{point} was never passed"
    check_exactly_once(ma, es, refs, point)


def test_a_large_envelope_is_committed_in_groups_and_receipted_once(pair: Pair) -> None:
    federation, ma, es = pair
    es.in_groups = True
    es.restart()
    refs = [f"e-{n:02}" for n in range(20)]
    ma.send(es, *refs)
    seen: list[int] = []
    es.faults.acts["inbox.group_committed"] = lambda: seen.append(len(es.filed()))
    es.refused["e-03"] = Untrusted("entry.bad", "not this one")
    federation.deliver(ma, es)
    assert seen == [7], "the first eight, of which one was refused"
    assert es.faults.passed.count("inbox.group_committed") == 2
    assert es.calls == 20
    assert {r: s for r, s in ma.states().items() if s != "received"} == {"e-03": "refused"}


def test_what_may_not_be_filed_twice_waits_for_the_receipt(pair: Pair) -> None:
    """A handler that promises nothing has all its items in the transaction of the receipt."""
    federation, ma, es = pair
    ma.send(es, *[f"e-{n:02}" for n in range(20)])
    federation.deliver(ma, es)
    assert "inbox.group_filed" not in es.faults.passed
    assert len(es.filed()) == 20
