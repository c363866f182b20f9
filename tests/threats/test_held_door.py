"""Strangers who hold the partners' door up: slow lines, many lines, great bodies, half a handshake."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tansiq.crypto import sign
from tansiq.exchange import ENVELOPES_PATH, POLL_PATH, Bounds, wire
from tansiq.exchange.service import HELD_POLLS
from tansiq.web import peers
from tests.support.door import OpenDoor, Said, ask, client_context, open_door
from tests.support.federation import FakeClock, Federation, FederationNode, keys_of
from tests.support.waiting import eventually

Trio = tuple[Federation, FederationNode, FederationNode, FederationNode]
HEAD = b"POST " + ENVELOPES_PATH.encode() + b" HTTP/1.1\r\n"


def held(trio: Trio, folder: Path, stack: ExitStack, bounds: Bounds) -> OpenDoor:
    return stack.enter_context(open_door(trio[2], keys_of("es"), folder / "door", bounds))


def an_envelope(trio: Trio) -> bytes:
    _federation, ma, es, _de = trio
    ma.send(es, "e-1")
    return ma.exchange._outbox.hand_out(es.node, 1)[0]


def knock(door: OpenDoor, stack: ExitStack) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", door.port), timeout=10)
    return stack.enter_context(client_context().wrap_socket(raw))


def drips_until_cut(line: ssl.SSLSocket, said: bytes) -> bool:
    for byte in said:
        try:
            line.sendall(bytes([byte]))
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_who_never_ends_a_handshake_or_a_head_is_let_go(trio: Trio, tmp_path: Path) -> None:
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds(stranger_s=0.4))
        stack.enter_context(socket.create_connection(("127.0.0.1", door.port)))  # says nothing at all
        slow = knock(door, stack)
        assert eventually(lambda: door.door.count() == 2)
        began = time.monotonic()
        # A byte now and then does not put the end off.
        assert drips_until_cut(slow, HEAD + b"x" * 1000)
        assert time.monotonic() - began < 5
        assert eventually(lambda: door.door.count() == 0)


def test_who_never_ends_a_body_is_let_go(trio: Trio, tmp_path: Path) -> None:
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds(body_s=0.3, slowest=1024 * 1024))
        slow = knock(door, stack)
        slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        assert eventually(lambda: door.door.count() == 1)
        assert eventually(lambda: door.door.count() == 0, 3)


def test_a_partner_finds_room_where_strangers_hold_all_lines(trio: Trio, tmp_path: Path) -> None:
    raw = an_envelope(trio)
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds(lines=4))
        for _ in range(4):
            knock(door, stack)
        assert eventually(lambda: door.door.count() == 4)
        line = door.line()
        assert ask(line, "POST", ENVELOPES_PATH, raw).status == 200
        # Known by its signature now: strangers push one another out, and not this line.
        for _ in range(8):
            knock(door, stack)
        assert ask(line, "POST", ENVELOPES_PATH, raw).status == 200
        assert door.door.count() == 4
        line.close()


def test_bodies_of_strangers_have_bounded_room_by_what_came_and_the_oldest_goes(trio: Trio, tmp_path: Path) -> None:
    raw = an_envelope(trio)
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds(strangers_bytes=len(raw) + 2000))
        claiming, sending = knock(door, stack), knock(door, stack)
        claiming.sendall(HEAD + b"Content-Length: 5000000\r\n\r\nx")
        sending.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(raw))
        sending.sendall(raw[:-10])
        assert eventually(lambda: door.door._strangers_bytes >= len(raw) - 10)
        # What was only claimed takes no room; a body that came and is not whole makes room for the next.
        assert door.ask("POST", ENVELOPES_PATH, raw).status == 200
        assert eventually(lambda: door.door.count() <= 1)
        assert eventually(lambda: door.door._strangers_bytes <= 2)


def test_a_line_that_has_its_answer_makes_room(trio: Trio, tmp_path: Path) -> None:
    raw = an_envelope(trio)
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds(lines=4))
        for _ in range(4):
            stranger = knock(door, stack)
            stranger.sendall(HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
            assert stranger.recv(10)
        assert door.ask("POST", ENVELOPES_PATH, raw).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5\r\n folded\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: 5\nX: y\r\n",
        b"",
    ],
)
def test_two_readers_never_differ_on_where_a_body_ends(trio: Trio, tmp_path: Path, head: bytes) -> None:
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds())
        line = knock(door, stack)
        line.sendall(HEAD + head + b"\r\nhello")
        came = b""
        while more := line.recv(65_536):
            came += more
        assert came.startswith(b"HTTP/1.1 422 ")
        assert came.count(b"HTTP/1.1") == 1


def test_old_tls_is_not_spoken(trio: Trio, tmp_path: Path) -> None:
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds())
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        raw = stack.enter_context(socket.create_connection(("127.0.0.1", door.port), timeout=10))
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(raw)


def a_poll(asker: FederationNode, holder: FederationNode, clock: FakeClock) -> bytes:
    poll = wire.Poll(secrets.token_hex(16), asker.node, holder.node, clock())
    return sign(wire.POLL_TYPE, wire.render_poll(poll), asker.keys.signing, asker.node)


def test_a_partner_with_many_lines_does_not_hold_the_polls_of_the_others(
    trio: Trio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that is held takes a place; what one partner may take of them leaves room for the rest."""
    monkeypatch.setattr(peers, "POLLS", HELD_POLLS + 4)
    federation, ma, es, de = trio
    es.settings = replace(es.settings, poll_wait_s=4.0)
    es.restart()
    with ExitStack() as stack:
        door = held(trio, tmp_path, stack, Bounds())
        threads = stack.enter_context(ThreadPoolExecutor(3 * HELD_POLLS))

        def poll(asker: FederationNode) -> Future[Said]:
            return threads.submit(door.ask, "POST", POLL_PATH, a_poll(asker, es, federation.clock))

        def done() -> list[Said]:
            return [line.result() for line in lines if line.done()]

        lines = [poll(ma) for _ in range(2 * HELD_POLLS)]
        assert eventually(lambda: len(done()) == HELD_POLLS, 3), "the others are held"
        assert {(said.status, said.code) for said in done()} == {(503, "poll.held")}, "and are told so at once"
        assert all("retry-after" in said.headers for said in done())
        waiting = poll(de)
        time.sleep(0.2)
        assert not waiting.done(), "another partner finds a place"
        es.send(de, "e-1")
        assert waiting.result(3).status == 200
        # Each place comes back with its answer.
        assert eventually(lambda: len(done()) == 2 * HELD_POLLS, 8)
        es.send(ma, "e-2")
        assert poll(ma).result(3).status == 200
