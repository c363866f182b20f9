"""A partner that was dropped, at once and everywhere: nothing is accepted, nothing is formed."""

from __future__ import annotations

import pytest

from tansiq.errors import Untrusted
from tansiq.exchange import wire
from tansiq.terms import format_instant
from tests.support.exchange_bytes import envelope, signed


def refused(act, raw: bytes) -> str:
    with pytest.raises(Untrusted) as failure:
        act(raw)
    return failure.value.code


def test_nothing_of_a_removed_partner_is_accepted(trio) -> None:
    federation, ma, es, _ = trio
    ma.send(es, "e-1")
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    receipt = es.exchange.receive(federation.network.seen[0][2])
    ma.exchange.remove_peer(es.node)
    poll = {"v": 1, "id": "q-1", "from": es.node, "to": ma.node, "at": format_instant(federation.clock())}
    assert refused(ma.exchange.receive, envelope(es, ma)) == "peer.not_pinned"
    assert refused(ma.exchange.take_receipt, receipt) == "peer.not_pinned"
    assert refused(ma.exchange.answer_poll, signed(es, wire.POLL_TYPE, poll)) == "peer.not_pinned"
    assert refused(ma.exchange.export_file, es.node) == "peer.not_pinned"
    assert ma.filed() == []


def test_nothing_is_formed_or_posted_for_a_removed_partner(trio) -> None:
    federation, ma, es, de = trio
    ma.send(es, "e-queued")
    ma.send(de, "e-for-berlin")
    ma.exchange.remove_peer(es.node)
    ma.send(es, "e-after")
    assert federation.deliver(ma, es) == 0
    assert federation.network.seen == []
    assert ma.states(es) == {"e-queued": "refused", "e-after": "refused"}
    assert {d.reason for d in ma.exchange.deliveries(to=es.node)} == {"peer.removed"}
    federation.deliver(ma, de)
    assert de.filed() == ["e-for-berlin"]


def test_an_envelope_formed_before_the_removal_is_not_posted_after_it(trio) -> None:
    federation, ma, es, _ = trio
    ma.send(es, "e-1")
    federation.network.plan = ["drop"]
    federation.deliver(ma, es, rounds=1)
    ma.exchange.remove_peer(es.node)
    federation.deliver(ma, es)
    assert len(federation.network.seen) == 1
    assert ma.states() == {"e-1": "expired"}
    assert ma.exchange.deliveries("e-1")[0].reason == "peer.removed"


def test_a_partner_removed_between_opening_and_filing_files_nothing(trio) -> None:
    """The pin is asked again inside the transaction."""
    _, ma, es, _ = trio
    raw = envelope(ma, es)
    es.faults.acts["inbox.opened"] = lambda: es.exchange.remove_peer(ma.node)
    assert refused(es.exchange.receive, raw) == "peer.not_pinned"
    assert es.filed() == []


def test_a_stranger_and_a_removed_partner_look_alike(trio, tmp_path) -> None:
    from tansiq.store import Store

    federation, ma, es, _ = trio
    store = Store.open(f"sqlite:///{tmp_path}/pt.db")
    pt = federation.add("pt", store, pin=False)
    es.exchange.remove_peer(ma.node)
    messages = []
    for author in (ma, pt):
        with pytest.raises(Untrusted) as failure:
            es.exchange.receive(envelope(author, es))
        messages.append((failure.value.code, failure.value.message))
    assert messages[0] == messages[1]
    store.close()


def test_a_partner_may_be_pinned_again(trio) -> None:
    federation, ma, es, _ = trio
    ma.exchange.remove_peer(es.node)
    assert [p.state for p in ma.exchange.peers() if p.card.node == es.node] == ["removed"]
    ma.exchange.add_peer(es.exchange.card_bytes())
    ma.send(es, "e-1")
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
