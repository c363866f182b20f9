"""Couriers over real sockets: TLS 1.3, the pinned certificate, held polls, a partner that comes back."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.errors import PeerUnavailable
from tansiq.exchange import Courier, HttpsTransport
from tansiq.exchange.model import NodeCard
from tansiq.exchange.transport import _Begun as Begun
from tansiq.store import Store
from tests.support.exchange_listener import Listener, listening
from tests.support.federation import Federation, FederationNode, keys_of
from tests.support.waiting import eventually


class Town:
    """Two nodes with listeners; `es` may have no url of its own."""

    def __init__(self, stack: ExitStack, home: Path, *, es_reachable: bool = True, wait_s: float = 1.0) -> None:
        self.stack, self.home = stack, home
        self.federation = Federation()
        self.listeners: dict[str, Listener] = {}
        self.ma = self.node("ma", True, wait_s)
        self.es = self.node("es", es_reachable, wait_s)
        self.ma.exchange.add_peer(self.es.exchange.card_bytes())
        self.es.exchange.add_peer(self.ma.exchange.card_bytes())

    def node(self, name: str, reachable: bool, wait_s: float) -> FederationNode:
        store = Store.open(f"sqlite:///{self.home / name}.db")
        self.stack.callback(store.close)
        listener = self.stack.enter_context(listening(keys_of(name), self.home / name))
        self.listeners[name] = listener
        node = self.federation.add(name, store, url=listener.url if reachable else "", pin=False)
        node.clock = lambda: datetime.now(UTC)
        node.settings = replace(
            node.settings, backoff_first_s=0.05, backoff_cap_s=0.4, poll_wait_s=wait_s, poll_seconds=0.3
        )
        node.restart()
        listener.exchange = node.exchange
        return node

    def courier(self, node: FederationNode) -> Courier:
        courier = Courier(node.exchange)
        courier.start()
        self.stack.callback(courier.stop)
        return courier


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def test_an_item_queued_is_delivered_without_being_asked(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path)
    town.courier(town.ma)
    began = time.monotonic()
    town.ma.send(town.es, "e-1")
    assert eventually(lambda: town.ma.states() == {"e-1": "received"})
    assert time.monotonic() - began < 2
    assert town.es.filed() == ["e-1"]


def test_a_connection_is_kept_for_the_next_envelope(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path)
    town.courier(town.ma)
    for n in range(5):
        town.ma.send(town.es, f"e-{n}")
        assert eventually(lambda n=n: town.ma.states()[f"e-{n}"] == "received")
    assert len(town.listeners["es"].posts) == 5
    assert town.listeners["es"].connections == 1


class _Watched(HttpsTransport):
    """Says what was given to a line at rest, and by which thread; `breaks` cuts the line behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []
        self.breaks = False

    def begin(self, card: NodeCard, path: str, body: bytes) -> Begun | None:
        begun = super().begin(card, path, body)
        if begun is not None:
            self.given.append(threading.get_ident())
            if self.breaks and begun.connection is not None:
                socket.socket.shutdown(begun.connection.sock, socket.SHUT_RDWR)
        return begun


def _in_a_thread(do: Callable[[], None]) -> int:
    """An officer's: whoever comes while nobody writes commits by itself, but not the main thread."""
    thread = threading.Thread(target=do)
    thread.start()
    ident = thread.ident or 0
    thread.join()
    return ident


def _resting_at(town: Town, stack: ExitStack, transport: _Watched) -> None:
    """A courier that has delivered `e-0` and rests with its line open."""
    courier = Courier(town.ma.exchange, transport)
    courier.start()
    stack.callback(courier.stop)
    town.ma.send(town.es, "e-0")
    assert eventually(lambda: town.ma.states() == {"e-0": "received"})
    assert eventually(lambda: town.es.node in town.ma.exchange._ground.at_once)


def test_who_commits_gives_it_to_the_line_at_rest_and_the_courier_hears_the_answer(
    stack: ExitStack, tmp_path: Path
) -> None:
    town, transport = Town(stack, tmp_path), _Watched()
    _resting_at(town, stack, transport)
    for n in range(1, 4):
        assert eventually(lambda: town.es.node in town.ma.exchange._ground.at_once)
        officer = _in_a_thread(lambda n=n: town.ma.send(town.es, f"e-{n}"))
        assert eventually(lambda n=n: town.ma.states()[f"e-{n}"] == "received")
        assert transport.given[n - 1 :] == [officer]
    assert len(town.listeners["es"].posts) == 4
    assert town.listeners["es"].connections == 1


def test_a_line_that_broke_under_it_is_not_the_end_of_it(stack: ExitStack, tmp_path: Path) -> None:
    town, transport = Town(stack, tmp_path), _Watched()
    _resting_at(town, stack, transport)
    transport.breaks = True
    _in_a_thread(lambda: town.ma.send(town.es, "e-1"))
    assert eventually(lambda: town.ma.states()["e-1"] == "received")
    assert len(transport.given) == 1
    assert town.es.filed() == ["e-0", "e-1"]


def test_what_was_given_to_a_line_is_not_called_unsent_because_the_next_try_cannot_connect(
    stack: ExitStack, tmp_path: Path
) -> None:
    town, transport = Town(stack, tmp_path), _Watched()
    _resting_at(town, stack, transport)
    dying = _Dying(town.listeners["es"])
    town.listeners["es"].exchange = dying  # type: ignore[assignment]
    _in_a_thread(lambda: town.ma.send(town.es, "e-1"))
    assert eventually(lambda: bool(dying.got))
    assert eventually(lambda: town.ma.states()["e-1"] == "sent")


def test_a_partner_removed_behind_the_commit_gets_no_second_copy(stack: ExitStack, tmp_path: Path) -> None:
    """The bytes went by the line at the commit; the courier, which finds the partner removed, says them to nobody."""
    town, transport = Town(stack, tmp_path), _Watched()
    stack.callback(transport.close)
    town.ma.send(town.es, "e-0")
    assert town.ma.exchange.deliver_once(town.es.node, transport)
    town.ma.exchange.rest(town.es.node, transport)
    _in_a_thread(lambda: town.ma.send(town.es, "e-1"))
    assert len(transport.given) == 1
    assert eventually(lambda: town.es.filed() == ["e-0", "e-1"])
    town.ma.exchange.remove_peer(town.es.node)
    assert not town.ma.exchange.deliver_once(town.es.node, transport)
    assert len(town.listeners["es"].posts) == 2
    assert not transport._busy


def test_another_certificate_than_the_cards_gets_not_one_byte(stack: ExitStack, tmp_path: Path) -> None:
    """An impostor at the partner's address, with a certificate of its own."""
    town = Town(stack, tmp_path)
    impostor = stack.enter_context(listening(keys_of("fr"), tmp_path / "fr"))
    peer = town.ma.exchange.peer(town.es.node)
    misled = replace(peer, card=replace(peer.card, url=impostor.url))
    transport = HttpsTransport()
    for _ in range(2):
        with pytest.raises(PeerUnavailable) as failure:
            transport.post(misled, "/exchange/v1/envelopes", b"secret", 2)
        assert failure.value.code == "peer.other_certificate"
    assert impostor.posts == []
    transport.close()


def test_a_partner_that_changes_its_certificate_behind_a_kept_connection_is_noticed(
    stack: ExitStack, tmp_path: Path
) -> None:
    town = Town(stack, tmp_path)
    transport = HttpsTransport()
    peer = town.ma.exchange.peer(town.es.node)
    with pytest.raises(PeerUnavailable) as failure:
        transport.post(peer, "/exchange/v1/envelopes", b"{}", 2)
    assert failure.value.code == "peer.http_400"
    port = town.listeners["es"].server_port
    town.listeners["es"].hang_up()
    impostor = stack.enter_context(listening(keys_of("fr"), tmp_path / "fr", port))
    with pytest.raises(PeerUnavailable) as failure:
        transport.post(peer, "/exchange/v1/envelopes", b"secret", 2)
    assert failure.value.code == "peer.other_certificate"
    assert impostor.posts == []
    transport.close()


class _Dying:
    """A partner that has read the envelope and goes down for good before it answers."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.got = b""

    def receive(self, raw: bytes) -> bytes:
        self.got = raw
        self.listener.shutdown()
        self.listener.server_close()
        raise ConnectionError


def test_what_left_over_a_kept_connection_is_not_called_unsent_because_the_next_try_cannot_connect(
    stack: ExitStack, tmp_path: Path
) -> None:
    town = Town(stack, tmp_path)
    transport = HttpsTransport()
    stack.callback(transport.close)
    town.ma.send(town.es, "e-1")
    assert town.ma.exchange.deliver_once(town.es.node, transport)
    dying = _Dying(town.listeners["es"])
    town.listeners["es"].exchange = dying  # type: ignore[assignment]
    town.ma.send(town.es, "e-2")
    with pytest.raises(PeerUnavailable) as failure:
        town.ma.exchange.deliver_once(town.es.node, transport)
    assert dying.got
    assert failure.value.code == "peer.no_answer"
    assert town.ma.states()["e-2"] == "sent"


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_2])
def test_an_older_tls_is_not_spoken_at_our_door(stack: ExitStack, tmp_path: Path, most: ssl.TLSVersion) -> None:
    town = Town(stack, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, most
    with (
        socket.create_connection(("127.0.0.1", town.listeners["es"].server_port), timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain) as tls,
    ):
        tls.recv(1)


def test_a_partner_that_is_away_is_tried_again_and_gets_all(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path)
    town.listeners["es"].exchange = None
    town.courier(town.ma)
    town.ma.send(town.es, "e-1", "e-2")
    assert eventually(lambda: len(town.listeners["es"].posts) >= 3)
    assert town.ma.states() == {"e-1": "sent", "e-2": "sent"}
    [line] = town.ma.exchange.status()
    assert (line.last_failure, line.attempts > 0) == ("peer.http_503", True)
    town.listeners["es"].exchange = town.es.exchange
    assert eventually(lambda: set(town.ma.states().values()) == {"received"})
    assert town.es.filed() == ["e-1", "e-2"]
    assert eventually(lambda: town.ma.exchange.status()[0].last_failure == "")


def test_a_contact_from_the_partner_reopens_its_queue_at_once(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path)
    town.ma.settings = replace(town.ma.settings, backoff_first_s=300, backoff_cap_s=300)
    town.ma.restart()
    town.listeners["ma"].exchange = town.ma.exchange
    town.listeners["es"].exchange = None
    town.courier(town.ma)
    town.ma.send(town.es, "e-1")
    assert eventually(lambda: len(town.listeners["es"].posts) == 1)
    time.sleep(0.3)
    town.listeners["es"].exchange = town.es.exchange
    assert len(town.listeners["es"].posts) == 1
    town.courier(town.es)
    town.es.send(town.ma, "e-hello")
    assert eventually(lambda: town.ma.states() == {"e-1": "received"}, 3)


def test_a_node_that_nobody_can_reach_polls_and_gets_its_items_at_once(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path, es_reachable=False, wait_s=5)
    town.courier(town.ma)
    town.courier(town.es)
    assert eventually(lambda: len(town.listeners["ma"].posts) >= 1)
    time.sleep(0.2)
    began = time.monotonic()
    town.ma.send(town.es, "e-1")
    town.es.send(town.ma, "e-2")
    assert eventually(lambda: town.ma.states() == {"e-1": "received"}, 3)
    assert time.monotonic() - began < 2, "the held poll was not woken"
    assert eventually(lambda: town.es.states() == {"e-2": "received"}, 3)
    assert town.listeners["es"].posts == []


def test_idle_costs_one_held_poll_and_stopping_does_not_wait_for_it(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path, es_reachable=False, wait_s=20)
    courier = town.courier(town.es)
    town.courier(town.ma)
    assert eventually(lambda: len(town.listeners["ma"].posts) == 1)
    time.sleep(1.0)
    assert len(town.listeners["ma"].posts) == 1
    assert town.listeners["es"].posts == []
    began = time.monotonic()
    courier.stop()
    assert time.monotonic() - began < 3


def test_the_card_pins_the_certificate_that_the_listener_shows(stack: ExitStack, tmp_path: Path) -> None:
    town = Town(stack, tmp_path)
    shown = ssl.get_server_certificate(("127.0.0.1", town.listeners["ma"].server_port))
    from tansiq.crypto import certificate_sha256

    assert certificate_sha256(shown) == town.ma.exchange.card().tls_sha256


def test_a_partner_that_went_home_finds_its_items_still_queued(stack: ExitStack, tmp_path: Path) -> None:
    """Not "sent": the kept connection was seen to be closed before anything was said into it."""
    town = Town(stack, tmp_path)
    transport = HttpsTransport()
    stack.callback(transport.close)
    town.ma.send(town.es, "e-1")
    assert town.ma.exchange.deliver_once(town.es.node, transport)
    town.listeners["es"].hang_up()
    town.ma.send(town.es, "e-2")
    with pytest.raises(PeerUnavailable) as failure:
        town.ma.exchange.deliver_once(town.es.node, transport)
    assert failure.value.code == "peer.unreachable"
    assert town.ma.states()["e-2"] == "queued"
