"""The partners' door: four paths, bounded bodies, and nothing said to strangers. Over real sockets and real TLS."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.exchange import CARD_PATH, ENVELOPES_PATH, MAX_POLL_BYTES, POLL_PATH, RECEIPTS_PATH
from tests.support.door import OpenDoor, ask, client_context, open_door
from tests.support.waiting import eventually
from tests.support.web import Town


@pytest.fixture(scope="module")
def door(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDoor]:
    madrid = town.node("madrid")
    folder: Path = tmp_path_factory.mktemp("door")
    with open_door(madrid, madrid.keys, folder) as found:
        yield found


def an_envelope(town: Town) -> bytes:
    return next(body for name, body in town.federation.posted if name == "madrid")


def test_the_card_is_the_nodes_own(town: Town, door: OpenDoor) -> None:
    answer = door.ask("GET", CARD_PATH)
    assert answer.content == town.node("madrid").exchange.card_bytes()
    assert answer.headers["strict-transport-security"]
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_head_is_given_where_only_the_head_is_asked_for(town: Town, door: OpenDoor) -> None:
    line = door.line()
    answer = ask(line, "HEAD", CARD_PATH)
    assert (answer.status, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(town.node("madrid").exchange.card_bytes())
    assert ask(line, "GET", "/healthz?x=1").content == b'{"status":"ok"}'
    line.close()


@pytest.mark.parametrize("path", [ENVELOPES_PATH, POLL_PATH, RECEIPTS_PATH])
@pytest.mark.parametrize("raw", [b"", b"{}", b"\x00" * 100, b"[" * 50_000, json.dumps({"payload": "x"}).encode()])
def test_what_does_not_verify_is_a_problem_and_changes_nothing(
    town: Town, door: OpenDoor, path: str, raw: bytes
) -> None:
    before = town.node("madrid").ledger.head().size
    answer = door.ask("POST", path, raw)
    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert town.node("madrid").ledger.head().size == before


def test_a_body_over_the_limit_is_refused_before_it_is_read(door: OpenDoor) -> None:
    assert door.ask("POST", POLL_PATH, b"x" * (MAX_POLL_BYTES + 1)).code == "body.too_large"
    # Of ten megabytes not one is waited for: the length alone is refused.
    assert door.ask("POST", POLL_PATH, b"", {"Content-Length": str(10 * 1024 * 1024)}).code == "body.too_large"


def test_a_body_without_a_length_is_refused(door: OpenDoor) -> None:
    answer = door.ask("POST", POLL_PATH, iter([b"x" * 1024] * 3), {"Transfer-Encoding": "chunked"})
    assert (answer.status, answer.code) == (422, "http.length")


def test_a_sender_that_leaves_in_the_middle_is_forgotten_quietly(
    town: Town, door: OpenDoor, capfd: pytest.CaptureFixture[str]
) -> None:
    """A partner's process dies while it sends: no fault of ours, so no traceback in our log and no line kept."""
    before = town.node("madrid").ledger.head().size
    assert eventually(lambda: door.door.count() == 0)
    with client_context().wrap_socket(socket.create_connection(("127.0.0.1", door.port))) as line:
        line.sendall(b"POST %s HTTP/1.1\r\nContent-Length: 1000\r\n\r\nhalf" % ENVELOPES_PATH.encode())
        assert eventually(lambda: door.door.count() == 1)
    assert eventually(lambda: door.door.count() == 0)
    assert town.node("madrid").ledger.head().size == before
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_envelope_gets_its_receipt_and_the_same_one_again(town: Town, door: OpenDoor) -> None:
    line, raw = door.line(), an_envelope(town)
    first, second = ask(line, "POST", ENVELOPES_PATH, raw), ask(line, "POST", ENVELOPES_PATH, raw)
    assert first.status == 200
    found = json.loads(first.content)["payload"]
    assert base64.b64decode(found)
    assert json.loads(second.content)["payload"] == found
    line.close()


def test_requests_that_come_in_pieces_or_together_are_each_answered(town: Town, door: OpenDoor) -> None:
    raw = an_envelope(town)
    head = b"POST %s HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (ENVELOPES_PATH.encode(), len(raw))
    with client_context().wrap_socket(socket.create_connection(("127.0.0.1", door.port), timeout=10)) as line:
        for piece in (head[:7], head[7:-2], head[-2:] + raw[:100], raw[100:] + head + raw):
            line.sendall(piece)
            time.sleep(0.02)
        came = b""
        while came.count(b"HTTP/1.1 200 OK") < 2:
            more = line.recv(65_536)
            assert more
            came += more


def test_a_body_that_waits_to_be_asked_for_is_asked_for(town: Town, door: OpenDoor) -> None:
    raw = an_envelope(town)
    with client_context().wrap_socket(socket.create_connection(("127.0.0.1", door.port), timeout=10)) as line:
        line.sendall(
            b"POST %s HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            % (ENVELOPES_PATH.encode(), len(raw))
        )
        assert line.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(raw)
        came = b""
        while more := line.recv(65_536):
            came += more
        assert came.startswith(b"HTTP/1.1 200 OK")
        assert b"\r\nconnection: close\r\n" in came


def test_unknown_paths_are_problems_and_pages_are_not_served_here(door: OpenDoor) -> None:
    for path in ("/", "/sign-in", "/api/v1/duties", "/exchange/v1/nope"):
        answer = door.ask("GET", path)
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
    answer = door.ask("GET", ENVELOPES_PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert door.ask("POST", CARD_PATH, b"{}").status == 405
