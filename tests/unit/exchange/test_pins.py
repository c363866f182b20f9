"""Pins go forward only, and only with the consent of the keys that are pinned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.errors import Broken, Invalid, NotFound, Untrusted
from tansiq.exchange import cards, records, wire
from tansiq.exchange.cards import (
    card_for,
    former_keys,
    held_keys,
    sign_card,
    sign_rotation,
    verify_card_file,
)
from tansiq.store import Store
from tests.support.federation import BEGIN, Federation, FederationNode, keys_of


@pytest.fixture
def pair(tmp_path: Path):
    stores = [Store.open(f"sqlite:///{tmp_path / name}.db") for name in ("ma", "es")]
    federation = Federation()
    yield federation, federation.add("ma", stores[0]), federation.add("es", stores[1])
    for store in stores:
        store.close()


def refused(node: FederationNode, raw: bytes) -> str:
    with pytest.raises(Untrusted) as failure:
        node.exchange.add_peer(raw)
    return failure.value.code


def rotated(node: FederationNode, number: int = 1):
    return replace(keys_of(node.name, number), node=node.node)


def test_both_sides_read_the_same_fingerprint(pair) -> None:
    _, ma, es = pair
    assert ma.exchange.peer(es.node).fingerprint == es.exchange.fingerprint()
    assert len(es.exchange.fingerprint().split()) == 12


def test_the_same_card_twice_is_one_pin(pair) -> None:
    federation, ma, es = pair
    pinned_at = ma.exchange.peer(es.node).pinned_at
    federation.clock.pass_time(federation.clock().resolution * 10_000_000)
    assert ma.exchange.add_peer(es.exchange.card_bytes()).pinned_at == pinned_at


def test_a_card_survives_a_restart_and_changes_its_version_only_when_it_says_something_new(pair) -> None:
    _, ma, _ = pair
    before = ma.exchange.card_bytes()
    ma.restart()
    assert ma.exchange.card_bytes() == before
    ma.settings = replace(ma.settings, url="https://moved.example:8443")
    ma.restart()
    assert (ma.exchange.card().version, ma.exchange.card().url) == (2, "https://moved.example:8443")


def test_a_newer_card_of_the_same_keys_replaces_the_pin_and_the_older_one_does_not_come_back(pair) -> None:
    _, ma, es = pair
    old = ma.exchange.card_bytes()
    ma.settings = replace(ma.settings, url="https://moved.example:8443")
    ma.restart()
    assert es.exchange.add_peer(ma.exchange.card_bytes()).card.url == "https://moved.example:8443"
    assert refused(es, old) == "pin.version"


def test_a_second_card_of_one_version_is_refused(pair) -> None:
    _, ma, es = pair
    other = card_for(ma.keys, replace(ma.settings, url="https://elsewhere.example"), 1, BEGIN)
    assert refused(es, sign_card(other, ma.keys)) == "pin.version"


def test_a_card_whose_id_does_not_follow_from_its_keys_is_refused(pair) -> None:
    _, ma, es = pair
    false = rotated(ma, 9)
    assert refused(es, sign_card(card_for(false, ma.settings, 5, BEGIN), false)) == "card.id_not_derived"


def test_a_card_that_its_own_keys_did_not_sign_is_refused(pair) -> None:
    _, ma, es = pair
    card = card_for(ma.keys, ma.settings, 2, BEGIN)
    assert refused(es, sign_card(card, rotated(ma, 9))) == "dsse.ed25519"


def test_new_keys_vouched_for_by_the_pinned_ones_are_pinned(pair) -> None:
    federation, ma, es = pair
    before = es.exchange.peer(ma.node).fingerprint
    ma.send(es, "e-1")
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    ma.exchange.rotate(rotated(ma))
    assert ma.exchange.card().version == 2
    peer = es.exchange.add_peer(ma.exchange.card_bytes())
    assert peer.fingerprint != before
    ma.send(es, "e-2")
    es.send(ma, "e-3")
    federation.deliver(ma, es)
    federation.deliver(es, ma)
    assert ma.states() == {"e-1": "received", "e-2": "received"}
    assert es.states() == {"e-3": "received"}


def test_the_former_keys_count_for_nothing_after_a_rotation(pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.network.plan = ["drop"]
    federation.deliver(ma, es, rounds=1)
    stale = federation.network.seen[0][2]
    ma.exchange.rotate(rotated(ma))
    es.exchange.add_peer(ma.exchange.card_bytes())
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(stale)
    assert failure.value.code == "dsse.ed25519"


def test_a_long_chain_of_cards_is_gone_through_once(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which keys it has had is asked of every card in a log's archive: a partner chooses how long its chain is."""
    _, ma, _ = pair
    every = [ma.keys.signing.public]
    for number in range(1, 6):
        ma.exchange.rotate(rotated(ma, number))
        ma.keys = rotated(ma, number)
        ma.restart()
        every.append(ma.keys.signing.public)
    chain = verify_card_file(ma.exchange.card_bytes())
    asked: list[bytes] = []
    real = cards.verify
    monkeypatch.setattr(cards, "verify", lambda raw, *more: asked.append(raw) or real(raw, *more))
    assert former_keys(chain) == tuple(every[:-1])
    one = len(asked)
    assert [keys for keys, _ in held_keys(chain)] == every
    ends = [until for _, until in held_keys(chain)]
    assert ends[-1] is None
    assert None not in ends[:-1]
    assert one == len(asked) / 3 == 1 + 2 * (len(chain.links) - 1), (
        "each card once, and each word of the keys before it"
    )


def test_a_newcomer_pins_a_node_that_has_rotated_twice_and_changed_its_address_between(pair, tmp_path: Path) -> None:
    federation, ma, _ = pair
    ma.exchange.rotate(rotated(ma, 1))
    ma.keys, ma.settings = rotated(ma, 1), replace(ma.settings, url="https://moved.example:8443")
    ma.restart()
    ma.exchange.rotate(rotated(ma, 2))
    ma.keys = rotated(ma, 2)
    ma.restart()
    store = Store.open(f"sqlite:///{tmp_path / 'pt.db'}")
    pt = federation.add("pt", store, pin=False)
    peer = pt.exchange.add_peer(ma.exchange.card_bytes())
    assert (peer.card.version, peer.card.url) == (4, "https://moved.example:8443")
    assert peer.fingerprint == ma.exchange.fingerprint()
    store.close()


def test_a_rotation_signed_by_keys_older_than_the_pinned_ones_is_refused(pair) -> None:
    """Who stole the first keys cannot take the node back."""
    _, ma, es = pair
    first = sign_card(card_for(ma.keys, ma.settings, 1, BEGIN), ma.keys)
    ma.exchange.rotate(rotated(ma, 1))
    es.exchange.add_peer(ma.exchange.card_bytes())
    thief = rotated(ma, 9)
    rotation = sign_rotation(sign_card(card_for(thief, ma.settings, 7, BEGIN), thief), ma.keys)
    assert refused(es, wire.render_card_file([first, rotation])) == "pin.not_vouched"


def test_keys_put_between_stolen_former_ones_and_a_true_card_of_today_are_refused(pair) -> None:
    """Its newest card and its fingerprint are the true ones: an officer who compares them by telephone sees nothing."""
    _, ma, es = pair
    stolen = ma.keys
    first = sign_card(card_for(stolen, ma.settings, 1, BEGIN), stolen)
    ma.exchange.rotate(rotated(ma, 1))
    es.exchange.add_peer(ma.exchange.card_bytes())
    ma.keys, ma.settings = rotated(ma, 1), replace(ma.settings, url="https://moved.example:8443")
    ma.restart()
    true = verify_card_file(ma.exchange.card_bytes())
    thief = rotated(ma, 9)
    between = sign_rotation(sign_card(card_for(thief, ma.settings, 2, BEGIN), thief), stolen)
    offered = verify_card_file(wire.render_card_file([first, between, sign_rotation(true.links[-1], thief)]))
    assert (offered.card, offered.fingerprint) == (true.card, true.fingerprint)
    assert thief.signing.public in former_keys(offered)
    assert refused(es, offered.to_bytes()) == "pin.not_vouched"
    assert es.exchange.add_peer(true.to_bytes()).card == true.card


def test_the_time_at_which_pinned_keys_ended_is_not_put_off(pair) -> None:
    """Who stole them could sign for them the longer, in an archive that is proven by the time of each signature."""
    federation, ma, es = pair
    stolen = ma.keys
    first = sign_card(card_for(stolen, ma.settings, 1, BEGIN), stolen)
    ma.exchange.rotate(rotated(ma, 1))
    es.exchange.add_peer(ma.exchange.card_bytes())
    federation.clock.pass_time(timedelta(days=30))
    ma.keys, ma.settings = rotated(ma, 1), replace(ma.settings, url="https://moved.example:8443")
    ma.restart()
    true = verify_card_file(ma.exchange.card_bytes())
    late = wire.render_card_file([first, sign_rotation(true.links[-1], stolen)])
    assert held_keys(verify_card_file(late))[0][1] != held_keys(true)[0][1]
    assert refused(es, late) == "pin.not_vouched"


def test_a_chain_that_skips_a_rotation_is_refused(pair) -> None:
    _, ma, es = pair
    thief = rotated(ma, 9)
    first = ma.exchange.card_bytes()
    assert refused(es, wire.render_card_file([first, sign_card(card_for(thief, ma.settings, 2, BEGIN), thief)])) == (
        "card.not_rotated"
    )
    backwards = sign_rotation(sign_card(card_for(thief, ma.settings, 1, BEGIN), thief), ma.keys)
    assert refused(es, wire.render_card_file([first, backwards])) == "card.version"


def test_keys_that_are_not_those_of_the_stored_card_open_nothing(pair) -> None:
    _, ma, _ = pair
    ma.keys = rotated(ma, 5)
    with pytest.raises(Broken):
        ma.restart()


def test_a_receipt_asked_for_again_after_a_rotation_is_signed_by_the_new_keys(pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1")
    federation.network.plan = ["drop_answer"]
    federation.deliver(ma, es, rounds=1)
    es.exchange.rotate(rotated(es))
    ma.exchange.add_peer(es.exchange.card_bytes())
    federation.deliver(ma, es)
    assert es.filed() == ["e-1"]
    assert ma.states() == {"e-1": "received"}


def test_words_for_a_partner(pair) -> None:
    _, ma, es = pair
    assert {ma.exchange.resolve(w) for w in ("es", "ES", es.node, "service of es")} == {es.node}
    for word in ("ma", "xx", ""):
        with pytest.raises(NotFound):
            ma.exchange.resolve(word)


def test_an_ambiguous_word_is_refused(pair, tmp_path: Path) -> None:
    federation, ma, _ = pair
    store = Store.open(f"sqlite:///{tmp_path / 'es2.db'}")
    federation.add("es", store, keys=keys_of("es", 2))
    with pytest.raises(Invalid) as failure:
        ma.exchange.resolve("es")
    assert failure.value.code == "peer.ambiguous"
    store.close()


def test_a_word_reads_no_card_twice_and_sees_a_removal_at_once(pair, monkeypatch):
    _, ma, es = pair
    assert ma.exchange.resolve("es") == es.node
    monkeypatch.setattr(records, "load_peers", lambda _tx: pytest.fail("a card was read again"))
    assert ma.exchange.resolve("ES") == es.node
    # By another process on the same database: nothing in this one is told.
    ma.store.write(lambda tx: records.set_peer_state(tx, es.node, "removed"))
    with pytest.raises(NotFound):
        ma.exchange.resolve("es")
