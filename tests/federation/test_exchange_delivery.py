"""The exchange between two nodes: what is queued arrives once, whatever the network and the clocks do."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tansiq.crypto import peek, sign, verify
from tansiq.errors import Broken, Conflict, Invalid, PeerUnavailable, Refused, TansiqError, Untrusted
from tansiq.exchange import records, verify_receipt_proof, wire
from tansiq.exchange.model import ItemState, Peer
from tansiq.store import Store
from tests.support.federation import Federation, FederationNode, keys_of

Pair = tuple[Federation, FederationNode, FederationNode]


@pytest.fixture
def pair(store: Store, tmp_path: Path):
    """Rabat on either database, Madrid on SQLite."""
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    yield federation, federation.add("ma", store), federation.add("es", other)
    other.close()


def test_items_of_one_partner_travel_in_one_envelope_and_come_back_as_one_receipt(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1", "e-2")
    assert ma.states() == {"e-1": "queued", "e-2": "queued"}
    assert federation.deliver(ma, es) == 0
    assert es.filed() == ["e-1", "e-2"]
    assert ma.states() == {"e-1": "received", "e-2": "received"}
    assert len(federation.network.seen) == 1
    assert [leaf.verb for leaf in ma.ledger.page(None, 10)] == ["disclose"]
    assert [leaf.verb for leaf in es.ledger.page(None, 10)] == ["collect"]


def test_more_than_an_envelope_holds_goes_in_several(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, *(f"e-{n:03d}" for n in range(150)))
    federation.deliver(ma, es)
    assert len(es.filed()) == 150
    assert len(federation.network.seen) == 3


def test_large_items_are_spread_and_a_too_large_one_is_refused_alone(pair: Pair) -> None:
    federation, ma, es = pair
    sizes = {"e-0": 2_900_000, "e-1": 2_900_000, "e-2": 100, "e-huge": 3_200_000}
    ma.load = lambda _tx, ref, _to: b"x" * sizes[ref]  # type: ignore[method-assign]
    ma.restart()
    ma.send(es, *sizes)
    federation.deliver(ma, es)
    assert es.filed() == ["e-0", "e-1", "e-2"]
    assert ma.states() == {"e-0": "received", "e-1": "received", "e-2": "received", "e-huge": "refused"}
    assert ma.exchange.deliveries("e-huge")[0].reason == "item.too_large"


def test_an_item_queued_twice_is_one_item(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]


def test_two_kinds_of_one_reference_are_two_items(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1", kind="entry")
    ma.send(es, "e-1", kind="ask")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1", "e-1"]


def test_an_unknown_kind_is_refused_by_name_and_the_rest_is_filed(pair: Pair) -> None:
    federation, ma, es = pair
    ma.exchange.handle("novelty", ma.file, ma.load)
    ma.send(es, "e-1")
    ma.send(es, "e-2", kind="novelty")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.exchange.deliveries("e-2")[0].reason == "item.unknown_kind"


def test_an_item_that_its_filer_refuses_leaves_nothing_and_holds_up_nobody(pair: Pair) -> None:
    federation, ma, es = pair
    es.refused["e-2"] = Refused("policy.no_agreement", "no")
    es.refused["e-4"] = Conflict("Not A Stable Code", "no")
    ma.send(es, "e-1", "e-2", "e-3", "e-4")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1", "e-3"]
    reasons = {d.ref: d.reason for d in ma.exchange.deliveries()}
    assert reasons == {"e-1": "", "e-2": "policy.no_agreement", "e-3": "", "e-4": "refused"}


def test_what_may_no_longer_be_sent_is_never_formed(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1", "e-recalled")
    ma.withheld.add("e-recalled")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.exchange.deliveries("e-recalled")[0].reason == "no_longer_permitted"


def test_what_is_recalled_while_the_partner_is_away_never_leaves(pair: Pair) -> None:
    """Bytes that have certainly not left are thrown away, not kept for later."""
    federation, ma, es = pair
    federation.network.away = {es.node}
    ma.send(es, "e-1", "e-2")
    assert federation.deliver(ma, es, rounds=3) == 3
    assert ma.states() == {"e-1": "queued", "e-2": "queued"}
    ma.withheld.add("e-2")
    federation.network.away = set()
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": "received", "e-2": "refused"}


@pytest.mark.parametrize("rests", [False, True])
def test_an_unforeseen_failure_holds_up_nobody(pair: Pair, rests: bool) -> None:
    """A broken transport, say: the same bytes go out at the next try, not when the lease is over."""
    federation, ma, es = pair
    if rests:
        ma.exchange.rest(es.node)
    ma.send(es, "e-1")
    posted = []

    class Broke:
        def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
            posted.append(body)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ma.exchange.deliver_once(es.node, Broke())
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert posted == [body for _, _, body in federation.network.seen]


def test_what_is_queued_for_a_courier_at_rest_is_formed_with_it(pair: Pair) -> None:
    """One commit for both; what is queued after it waits for the next envelope, together."""
    federation, ma, es = pair
    ma.exchange.rest(es.node)
    ma.faults.passed.clear()
    ma.send(es, "e-1", "e-2")
    assert ma.faults.passed.count("outbox.formed") == 1
    ma.send(es, "e-3")
    ma.send(es, "e-4")
    assert ma.faults.passed.count("outbox.formed") == 1
    federation.deliver(ma, es)
    assert len(federation.network.seen) == 2
    assert es.filed() == ["e-1", "e-2", "e-3", "e-4"]
    assert set(ma.states().values()) == {"received"}


def test_what_has_expired_is_not_formed_with_what_is_queued(pair: Pair) -> None:
    """Forming for a courier at rest sweeps nothing: an item past its time must not slip in before the sweep."""
    federation, ma, es = pair
    ma.send(es, "e-1", days=1)
    federation.clock.pass_time(timedelta(days=2))
    ma.exchange.rest(es.node)
    ma.send(es, "e-2")
    federation.deliver(ma, es)
    assert es.filed() == ["e-2"]
    assert ma.states() == {"e-1": "expired", "e-2": "received"}


def test_a_removal_overtakes_an_envelope_formed_with_its_item(pair: Pair) -> None:
    federation, ma, es = pair
    ma.exchange.rest(es.node)
    ma.send(es, "e-1")
    ma.exchange.remove_peer(es.node)
    assert not ma.exchange.deliver_once(es.node, federation.network)
    assert federation.network.seen == []
    assert ma.states() == {"e-1": "expired"}


def test_what_cannot_be_formed_fails_nobodys_act(pair: Pair) -> None:
    """The officer's entry stands; the courier, not the officer, hears that nobody loads this kind of item."""
    federation, ma, es = pair
    ma.exchange.rest(es.node)
    ma.send(es, "e-1", kind="strange")
    assert ma.states() == {"e-1": "queued"}
    with pytest.raises(Broken):
        ma.exchange.deliver_once(es.node, federation.network)


def test_a_receipt_signed_beforehand_counts_only_if_all_was_received(pair: Pair) -> None:
    federation, ma, es = pair
    es.refused["e-2"] = Invalid("e.refused", "no")
    ma.send(es, "e-1", "e-2")
    federation.deliver(ma, es)
    assert ma.states() == {"e-1": "received", "e-2": "refused"}


def test_a_refused_item_that_is_queued_anew_goes_out_anew(pair: Pair) -> None:
    """A permission granted after a refusal."""
    federation, ma, es = pair
    ma.withheld.add("e-1")
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    ma.withheld.clear()
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": "received"}


def test_a_partner_away_for_thirty_days_gets_everything_when_it_returns(pair: Pair) -> None:
    federation, ma, es = pair
    federation.network.away = {es.node}
    for day in range(30):
        ma.send(es, f"e-{day:02d}", days=60)
        ma.send(es, f"e-short-{day:02d}", days=2)
        assert federation.deliver(ma, es, rounds=2) == 2
        federation.clock.pass_time(timedelta(days=1))
    federation.network.away = set()
    federation.deliver(ma, es)
    states = ma.states()
    assert [ref for ref in es.filed() if "short" not in ref] == [f"e-{day:02d}" for day in range(30)]
    assert {states[f"e-{day:02d}"] for day in range(30)} == {"received"}
    assert [ref for ref in states if states[ref] == "expired"] == [f"e-short-{day:02d}" for day in range(28, -1, -1)]
    assert "e-short-29" in es.filed()


def test_an_expired_item_is_shown_as_expired_even_for_a_partner_that_nobody_visits(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1", days=1)
    federation.clock.pass_time(timedelta(days=2))
    ma.exchange.sweep()
    assert ma.states() == {"e-1": "expired"}
    federation.deliver(ma, es)
    assert es.filed() == []


def test_an_item_that_arrives_too_late_is_not_filed_and_the_receipt_says_so(pair: Pair) -> None:
    federation, ma, es = pair
    federation.network.plan = ["delay"]
    ma.send(es, "e-1", days=1)
    federation.deliver(ma, es, rounds=1)
    federation.clock.pass_time(timedelta(days=2))
    receipt = es.exchange.receive(federation.network.delayed[0][2])
    assert es.filed() == []
    assert [(i.received, i.reason) for i in ma.exchange.take_receipt(receipt).items] == [(False, "expired")]
    assert ma.states() == {"e-1": "refused"}


def test_a_late_receipt_tells_the_truth_about_an_item_given_up(pair: Pair) -> None:
    federation, ma, es = pair
    federation.network.plan = ["drop_answer"]
    ma.send(es, "e-1", days=1)
    federation.deliver(ma, es, rounds=1)
    envelope = federation.network.seen[0][2]
    assert ma.states() == {"e-1": "sent"}
    federation.clock.pass_time(timedelta(days=2))
    ma.exchange.sweep()
    assert ma.states() == {"e-1": "expired"}
    ma.exchange.take_receipt(es.exchange.receive(envelope))
    assert ma.states() == {"e-1": "received"}


@pytest.mark.parametrize("minutes", [-60, 60])
def test_clocks_an_hour_apart_lose_nothing(store: Store, tmp_path: Path, minutes: int) -> None:
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    ma = federation.add("ma", store)
    es = federation.add("es", other, ahead=timedelta(minutes=minutes))
    ma.send(es, "e-1", days=1)
    es.send(ma, "e-2", days=1)
    federation.deliver(ma, es)
    federation.poll(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.filed() == ["e-2"]
    assert ma.states() == {"e-1": "received"}
    assert es.states() == {"e-2": "received"}
    other.close()


def test_the_receipt_of_a_repeated_envelope_says_the_very_same(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    envelope = federation.network.seen[0][2]
    first = es.exchange.receive(envelope)
    es.restart()
    federation.clock.pass_time(timedelta(hours=3))
    again = es.exchange.receive(envelope)
    assert peek(again, wire.MAX_RECEIPT_BYTES).body == peek(first, wire.MAX_RECEIPT_BYTES).body
    assert ma.exchange.take_receipt(again) == ma.exchange.take_receipt(first)
    assert es.filed() == ["e-1"]


def test_a_repeat_costs_no_signature_and_after_a_rotation_one_by_the_new_keys(pair: Pair) -> None:
    """ML-DSA signs with chance: equal bytes are the same signature."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    envelope = federation.network.seen[0][2]
    first = es.exchange.receive(envelope)
    assert es.exchange.receive(envelope) == first
    new = replace(keys_of(es.name, 1), node=es.node)
    es.exchange.rotate(new)
    again = es.exchange.receive(envelope)
    assert again != first
    old = es.keys.signing.public
    with pytest.raises(Untrusted):
        verify(again, wire.RECEIPT_TYPE, old, es.node)
    body = verify(again, wire.RECEIPT_TYPE, new.signing.public, es.node)
    assert body == verify(first, wire.RECEIPT_TYPE, old, es.node)


def test_a_receipt_that_was_never_given_is_given_to_the_repeat(pair: Pair) -> None:
    """The power fails between the commit and the signature: the same moment of receipt, signed when it is asked for."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    es.faults.crash_at("inbox.after_commit")
    federation.deliver(ma, es, rounds=1)
    filed = federation.clock()
    federation.clock.pass_time(timedelta(hours=3))
    assert es.filed() == ["e-1"]
    receipt = ma.exchange.take_receipt(es.exchange.receive(federation.network.seen[0][2]))
    assert (receipt.received_at, [i.received for i in receipt.items]) == (filed, [True])
    assert es.filed() == ["e-1"]


def test_a_receipt_of_an_older_program_is_given_as_it_was_signed(pair: Pair) -> None:
    """Its row holds the signed bytes, with the version of the card whose keys signed them."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    envelope = federation.network.seen[0][2]
    signed = es.exchange.receive(envelope)
    es.store.write(lambda tx: tx.execute(records.inbox.update().values(receipt=signed, own_version=1)))
    assert es.exchange.receive(envelope) == signed


STEPS = ("deliver", "drop", "drop_answer", "duplicate", "delay", "truncate", "flip", "truncate_answer", "flip_answer")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=14))
def test_any_mixture_of_network_faults_loses_nothing_and_repeats_nothing(
    pair: Pair, seed: int, steps: list[str]
) -> None:
    federation, ma, es = pair
    chance = random.Random(seed)  # noqa: S311  # a test's dice
    network = federation.network
    run = chance.randrange(2**60)
    refs = [f"e-{run}-{n}" for n in range(6)]
    network.plan, network.position = list(steps), chance.randrange(2**20)
    for ref in refs:
        ma.send(es, ref)
        federation.deliver(ma, es, rounds=2)
        network.position = chance.randrange(2**20)
    network.plan = []
    order = list(range(len(network.delayed)))
    chance.shuffle(order)
    network.release(order)
    federation.deliver(ma, es)
    assert [ref for ref in es.filed() if ref.startswith(f"e-{run}-")] == refs
    assert {ma.states()[ref] for ref in refs} == {"received"}


@pytest.mark.parametrize("how", ["flip", "truncate", "flip_answer", "truncate_answer"])
def test_no_damage_anywhere_in_the_bytes_is_taken_for_the_real_thing(pair: Pair, how: str) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    size = 9_000
    for position in range(0, size, 97):
        federation.network.plan, federation.network.position = [how], position
        with pytest.raises(TansiqError):
            ma.exchange.deliver_once(es.node, federation.network)
        assert es.filed() == ([] if how in ("flip", "truncate") else ["e-1"])
        assert ma.states() == {"e-1": "sent"}
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": ItemState.RECEIVED}


def test_a_node_that_cannot_be_reached_polls_and_posts(store: Store, tmp_path: Path) -> None:
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    ma, es = federation.add("ma", store, url=""), federation.add("es", other)
    assert ma.exchange.peer(es.node).poll
    assert not es.exchange.peer(ma.node).poll
    es.send(ma, "e-1", "e-2")
    ma.send(es, "e-3")
    federation.poll(ma, es)
    federation.deliver(ma, es)
    assert ma.filed() == ["e-1", "e-2"]
    assert es.filed() == ["e-3"]
    assert es.states() == {"e-1": "received", "e-2": "received"}
    other.close()


def test_an_idle_poll_writes_at_most_once_a_minute_and_nothing_is_formed(pair: Pair) -> None:
    federation, ma, es = pair
    federation.poll(es, ma, rounds=1)
    contact = ma.exchange.peer(es.node).last_contact_at
    federation.clock.pass_time(timedelta(seconds=59))
    federation.poll(es, ma, rounds=1)
    assert ma.exchange.peer(es.node).last_contact_at == contact
    federation.clock.pass_time(timedelta(seconds=1))
    federation.poll(es, ma, rounds=1)
    assert ma.exchange.peer(es.node).last_contact_at != contact


def test_status_counts_what_waits_and_what_failed(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    [line] = ma.exchange.status()
    assert (line.country, line.queued, line.received) == ("ES", 1, 0)
    federation.deliver(ma, es)
    [line] = ma.exchange.status()
    assert (line.queued, line.received, line.last_contact_at) == (0, 1, federation.clock())


def test_items_for_an_unknown_partner_wait_until_it_is_pinned(store: Store, tmp_path: Path) -> None:
    other = Store.open(f"sqlite:///{tmp_path / 'pt.db'}")
    federation = Federation()
    ma = federation.add("ma", store)
    pt = federation.add("pt", other, pin=False)
    ma.send(pt, "e-1")
    assert federation.deliver(ma, pt) == 0
    assert ma.states() == {"e-1": "queued"}
    assert [d.reason for d in ma.exchange.deliveries()] == ["peer.no_card"]
    assert ma.exchange.without_card() == {pt.node: 1}
    ma.exchange.add_peer(pt.exchange.card_bytes())
    assert [d.reason for d in ma.exchange.deliveries()] == [""]
    assert ma.exchange.without_card() == {}
    pt.exchange.add_peer(ma.exchange.card_bytes())
    federation.deliver(ma, pt)
    assert pt.filed() == ["e-1"]
    other.close()


def test_items_that_outlive_their_envelope_go_out_again(pair: Pair) -> None:
    """The receiver refuses an envelope whose shortest-lived item has expired; the others are not lost with it."""
    federation, ma, es = pair
    ma.send(es, "e-short", days=1)
    ma.send(es, "e-long", days=60)
    federation.network.plan = ["delay"]
    federation.deliver(ma, es, rounds=1)
    late = federation.network.delayed[0][2]
    es.clock = federation.clock.shifted(timedelta(days=2))
    es.restart()
    ma.exchange.take_receipt(es.exchange.receive(late))
    assert ma.states() == {"e-short": "refused", "e-long": "queued"}
    federation.deliver(ma, es)
    assert es.filed() == ["e-long"]
    assert ma.states() == {"e-short": "refused", "e-long": "received"}


def test_a_late_refusal_of_a_given_up_envelope_does_not_settle_its_items_anew(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-short", days=1)
    ma.send(es, "e-long", days=60)
    federation.network.plan = ["delay"]
    federation.deliver(ma, es, rounds=1)
    federation.clock.pass_time(timedelta(days=2))
    ma.exchange.sweep()
    assert ma.states() == {"e-short": "expired", "e-long": "queued"}
    ma.exchange.take_receipt(es.exchange.receive(federation.network.delayed[0][2]))
    assert ma.states()["e-long"] == "queued"
    federation.deliver(ma, es)
    assert ma.states()["e-long"] == "received"
    assert es.filed() == ["e-long"]


def test_two_clocks_apart_do_not_send_and_refuse_without_end(pair: Pair) -> None:
    federation, ma, es = pair
    es.clock = federation.clock.shifted(timedelta(hours=1))
    es.restart()
    ma.send(es, "e-1", days=0.5 / 24)
    assert federation.deliver(ma, es, rounds=20) == 0
    assert len(federation.network.seen) == 1
    assert ma.states() == {"e-1": "refused"}


def test_what_changed_while_it_was_under_way_goes_out_again(pair: Pair) -> None:
    """More of an entry was granted after an envelope was formed: its receipt is not the last word."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    until = federation.clock() + timedelta(days=9)
    ma.store.write(lambda tx: ma.exchange.requeue(tx, to=es.node, kind="entry", ref="e-1", expires_at=until))
    federation.deliver(ma, es)
    assert es.filed() == ["e-1", "e-1"], "the filer sees it twice, under one reference"
    assert ma.states() == {"e-1": "received"}
    assert len({body for _, _, body in federation.network.seen}) == 2


def test_a_partner_that_lost_an_item_gets_it_again(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    until = federation.clock() + timedelta(days=9)
    ma.store.write(lambda tx: ma.exchange.requeue(tx, to=es.node, kind="entry", ref="e-1", expires_at=until))
    assert ma.states() == {"e-1": "queued"}
    federation.deliver(ma, es)
    assert ma.states() == {"e-1": "received"}
    assert es.filed() == ["e-1", "e-1"]


def test_a_receipt_that_cannot_be_read_holds_nothing_up(pair: Pair) -> None:
    """As an older program signed it, and says it again after the upgrade: without the items' kinds."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    with es.store.read() as tx:
        (kept,) = tx.execute(text("select receipt from exchange_inbox")).scalars().all()
    older = bytes(kept).replace(b'"kind":"entry",', b"")
    assert older != bytes(kept)
    es.store.write(lambda tx: tx.execute(text("update exchange_inbox set receipt = :older"), {"older": older}))
    ma.send(es, "e-2")
    assert federation.deliver(ma, es) == 1
    assert ma.states() == {"e-1": "received", "e-2": "received"}
    assert es.filed() == ["e-1", "e-1", "e-2"], "the filer sees it twice, under one reference"
    assert len(ma.exchange.prove_receipt("e-1")) == 1


def test_what_an_older_receipt_cannot_prove_is_not_handed_out(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    (whole,) = ma.exchange.prove_receipt("e-1")
    assert verify_receipt_proof(whole).result.received
    receipt = base64.b64decode(msgspec.json.decode(whole)["receipt"])
    body = peek(receipt, wire.MAX_RECEIPT_BYTES).body.replace(b'"kind":"entry",', b"")
    older = sign(wire.RECEIPT_TYPE, body, es.keys.signing, es.node)
    ma.store.write(
        lambda tx: tx.execute(text("update exchange_outbox_envelopes set receipt = :older"), {"older": older})
    )
    assert ma.exchange.prove_receipt("e-1") == []


def test_what_goes_out_again_stands_behind_what_waits(pair: Pair) -> None:
    """A partner that came out of a backup must have its own entries before what it answered with them."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    ma.send(es, "e-2")
    until = federation.clock() + timedelta(days=9)
    ma.store.write(lambda tx: ma.exchange.requeue(tx, to=es.node, kind="entry", ref="e-1", expires_at=until))
    federation.deliver(ma, es)
    with es.store.read() as tx:
        assert [row.ref for row in tx.execute(text("select ref from test_filed"))] == ["e-1", "e-2", "e-1"]


def test_two_processes_on_one_store_deliver_once(pair: Pair) -> None:
    """A command beside a running node: the second process does not let the first forget what may have left."""
    federation, ma, es = pair
    ma.send(es, "e-1")
    running = ma.exchange
    found = running._outbox.next_post(es.node)
    assert found is not None
    envelope, _peer, _sent = found
    ma.restart()
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    running._outbox.note_failure(envelope, PeerUnavailable("peer.unreachable", "away"))
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": "received"}
