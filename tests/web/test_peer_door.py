"""The partners' door: four paths, bounded bodies, and nothing said to strangers."""

from __future__ import annotations

import base64
import json
from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest

from tansiq.exchange import CARD_PATH, ENVELOPES_PATH, MAX_POLL_BYTES, POLL_PATH, RECEIPTS_PATH
from tansiq.web import create_peer_app
from tests.support.web import TestClient, Town


@pytest.fixture(scope="module")
def door(town: Town) -> TestClient:
    return TestClient(create_peer_app(town.node("madrid")), base_url="https://madrid.example:8443")


def test_the_card_is_the_nodes_own(town: Town, door: TestClient) -> None:
    answer = door.get(CARD_PATH)
    assert answer.content == town.node("madrid").exchange.card_bytes()
    assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize("path", [ENVELOPES_PATH, POLL_PATH, RECEIPTS_PATH])
@pytest.mark.parametrize("raw", [b"", b"{}", b"\x00" * 100, b"[" * 50_000, json.dumps({"payload": "x"}).encode()])
def test_what_does_not_verify_is_a_problem_and_changes_nothing(
    town: Town, door: TestClient, path: str, raw: bytes
) -> None:
    before = town.node("madrid").ledger.head().size
    answer = door.post(path, content=raw)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert town.node("madrid").ledger.head().size == before


def test_a_body_over_the_limit_is_refused_before_it_is_read(door: TestClient) -> None:
    answer = door.post(POLL_PATH, content=b"x" * (MAX_POLL_BYTES + 1))
    assert answer.json()["code"] == "body.too_large"

    def endless():
        for _ in range(100):
            yield b"x" * 1024

    assert door.post(POLL_PATH, content=endless()).json()["code"] == "body.too_large"


def test_a_sender_that_leaves_in_the_middle_is_refused_quietly(town: Town) -> None:
    """A partner's process dies while it sends: no fault of ours, so no traceback in our log."""
    coming = iter([{"type": "http.request", "body": b'{"payload"', "more_body": True}, {"type": "http.disconnect"}])
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(coming)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": ENVELOPES_PATH,
        "headers": [],
        "query_string": b"",
        "scheme": "https",
    }
    anyio.run(create_peer_app(town.node("madrid")), scope, receive, send)
    assert said[0]["status"] == 422
    assert json.loads(said[1]["body"])["code"] == "body.cut_short"


def test_an_envelope_gets_its_receipt_and_the_same_one_again(town: Town, door: TestClient) -> None:
    name, raw = next((n, body) for n, body in town.federation.posted if n == "madrid")
    assert name == "madrid"
    first, second = door.post(ENVELOPES_PATH, content=raw), door.post(ENVELOPES_PATH, content=raw)
    assert first.status_code == 200
    assert base64.b64decode(first.json()["payload"])
    assert second.json()["payload"] == first.json()["payload"]


def test_unknown_paths_are_problems_and_pages_are_not_served_here(door: TestClient) -> None:
    for path in ("/", "/sign-in", "/api/v1/duties", "/exchange/v1/nope"):
        answer = door.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert door.get(ENVELOPES_PATH).status_code == 405
