"""The door that partners' nodes knock at: what is said on each of its paths, all under `/exchange/v1/`.

It reads no payload and decides nothing: a size limit before each body is read, and an RFC 9457 problem for what fails.
`exchange.Door` listens and keeps the lines; who is answered here is called from a line's own thread. Polls are held
open: only so many at a time, so that waiting partners never take all lines from those who deliver, and of one partner
fewer (`exchange.service.HELD_POLLS`), so that none takes the places of all others.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from tansiq.errors import Broken, Conflict, Invalid, NotFound, PeerUnavailable, Refused, TansiqError, Untrusted
from tansiq.exchange import (
    CARD_PATH,
    ENVELOPES_PATH,
    MAX_ENVELOPE_BYTES,
    MAX_POLL_BYTES,
    MAX_RECEIPT_BYTES,
    POLL_PATH,
    PRIVATE_PATH,
    RECEIPTS_PATH,
    Answer,
    Bounds,
    Door,
    RequestHead,
    render_poll_answer,
    server_ssl_context,
)
from tansiq.web import problems
from tansiq.web.security import HEADERS, YEAR_S

log = structlog.get_logger()

POLLS = 128
"""Held at one time."""
WORKING = 16
"""Requests that are worked on at one time; others wait."""
MAX_PRIVATE_BYTES = 128 * 1024
"""A batch is 8 kB, its signed header less than 10."""
BACKLOG = 2048
DOOR_PATH = "/exchange/v1/"
HEALTH_PATH = "/healthz"

Work = Callable[[Any, bytes], bytes]


def _receive(node: Any, raw: bytes) -> bytes:
    if not node.store.has_room():
        # The partner keeps it and comes again. A disk that it could fill would leave none for our own erasures.
        log.error("no room for what partners send")
        raise PeerUnavailable("door.no_room", "no room is left for it", step="receive")
    found: bytes = node.exchange.receive(raw)
    return found


def _take_receipt(node: Any, raw: bytes) -> bytes:
    node.exchange.take_receipt(raw)
    return b"{}"


def _private(node: Any, raw: bytes) -> bytes:
    found: bytes = node.private.answer(raw)
    return found


def _poll(node: Any, raw: bytes) -> bytes:
    return render_poll_answer(node.exchange.answer_poll(raw))


_POSTS: dict[str, tuple[Work, int]] = {
    ENVELOPES_PATH: (_receive, MAX_ENVELOPE_BYTES),
    POLL_PATH: (_poll, MAX_POLL_BYTES),
    RECEIPTS_PATH: (_take_receipt, MAX_RECEIPT_BYTES),
    PRIVATE_PATH: (_private, MAX_PRIVATE_BYTES),
}
_GETS: dict[str, Callable[[Any], bytes]] = {
    # Our signed node card: public by its nature, pinned by its fingerprint.
    CARD_PATH: lambda node: bytes(node.exchange.card_bytes()),
    # Says that this is the partners' door, to whoever opens it in a browser.
    DOOR_PATH: lambda _node: b'{"tansiq":"exchange","v":1}',
    HEALTH_PATH: lambda _node: b'{"status":"ok"}',
}


class Doorman:
    """Answers for one node."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._working = threading.BoundedSemaphore(WORKING)
        self._polls = threading.BoundedSemaphore(POLLS)

    def limit(self, head: RequestHead) -> int | Answer:
        """The most bytes that the body may have; or the answer that is given without reading it."""
        if head.path in _POSTS:
            return _POSTS[head.path][1] if head.method == "POST" else self._not_so("POST")
        if head.path in _GETS:
            return 0 if head.method in ("GET", "HEAD") else self._not_so("GET, HEAD")
        return self.refuse(NotFound("web.no_such_page", "There is no such page.", step="find the page"))

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        try:
            if head.path in _GETS:
                return Answer(200, _GETS[head.path](self._node))
            work = _POSTS[head.path][0]
            # Each of them begins with a partner's signature: what raises nothing has verified one.
            return Answer(200, self._held(body) if work is _poll else self._worked(work, body), is_partner=True)
        except TansiqError as failure:
            return self.refuse(_to_stranger(failure))
        except Exception as exc:  # noqa: BLE001 # the line's thread: the log gets the kind, never the text
            log.error("unexpected", kind=type(exc).__name__, method=head.method)  # noqa: TRY400
            return self.refuse(Broken("web.unexpected", "unexpected", step="answer the request"))

    def refuse(self, failure: TansiqError) -> Answer:
        """A problem as `application/problem+json`."""
        return _as_answer(problems.document_response(failure))

    def _worked(self, work: Work, body: bytes) -> bytes:
        with self._working:
            return work(self._node, body)

    def _held(self, body: bytes) -> bytes:
        if not self._polls.acquire(blocking=False):
            raise PeerUnavailable("door.busy", "too many polls are held", step="answer the poll")
        try:
            return _poll(self._node, body)
        finally:
            self._polls.release()

    @staticmethod
    def _not_so(allowed: str) -> Answer:
        failure = Invalid("web.method", "This address does not take that method.", step="find the page")
        body = msgspec.json.encode(problems.document(failure) | {"status": 405})
        return Answer(405, body, "application/problem+json", {"allow": allowed})


def _as_answer(response: Any) -> Answer:
    kept = {k: v for k, v in response.headers.items() if k not in ("content-length", "content-type")}
    return Answer(response.status_code, bytes(response.body), response.media_type, kept)


def _to_stranger(failure: TansiqError) -> TansiqError:
    """Who is not a partner learns nothing of who is: an unknown sender looks like a signature that does not verify."""
    if isinstance(failure, Untrusted | Refused):
        return Untrusted("exchange.untrusted", "This does not verify.")
    return failure


def create_peer_door(node: Any, certfile: str, keyfile: str, bounds: Bounds | None = None) -> Door:
    """The exchange door of a node, not yet listening. Every answer has the pages' headers, and none is kept."""
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    headers |= {"cache-control": "no-store", "strict-transport-security": f"max-age={YEAR_S}"}
    return Door(server_ssl_context(certfile, keyfile), Doorman(node), headers, bounds)


def listen(host: str, port: int) -> socket.socket:
    """For the pages, before anything is started: a node that no officer can reach must not call itself up."""
    return _listening(
        host, port, "web.port", "the pages cannot listen there",
        "another program has the port: serve --port N, or [web] port in tansiq.toml",
    )  # fmt: skip


def listen_for_peers(host: str, port: int) -> socket.socket:
    """The same for the partners' door: nor one that no partner can reach."""
    return _listening(
        host, port, "exchange.port", "the partners' door cannot listen there",
        "another program has the port: [exchange] port in tansiq.toml, and url if partners come by it",
    )  # fmt: skip


def _listening(host: str, port: int, code: str, message: str, hint: str) -> socket.socket:
    """Raises `Conflict` where it cannot; its field is the setting, which the code names."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as exc:
        raise Conflict(code, message, step="serve", field=code, hint=hint) from exc
