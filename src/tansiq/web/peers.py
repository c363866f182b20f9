"""The door that partners' nodes knock at: five paths under `/exchange/v1/`, on a TLS listener of its own.

It reads no payload and decides nothing: a size limit before each body is read, a thread for the service, and an
RFC 9457 problem for what fails. Polls are held open; they have threads of their own, so that waiting partners never
take the threads of those who deliver.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import uvicorn
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tansiq.errors import Conflict, Refused, TansiqError, Untrusted
from tansiq.exchange import (
    CARD_PATH,
    ENVELOPES_PATH,
    MAX_ENVELOPE_BYTES,
    MAX_POLL_BYTES,
    MAX_RECEIPT_BYTES,
    POLL_PATH,
    PRIVATE_PATH,
    RECEIPTS_PATH,
    render_poll_answer,
)
from tansiq.web import problems
from tansiq.web.health import healthz
from tansiq.web.security import SecurityHeaders, read_body

POLL_THREADS = 128
WORK_THREADS = 16
MAX_PRIVATE_BYTES = 128 * 1024
"""A batch is 8 kB, its signed header less than 10."""

Work = Callable[[Any, bytes], bytes]


def _receive(node: Any, raw: bytes) -> bytes:
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


def _post(work: Work, limit: int, threads: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state = request.app.state
        try:
            raw = await read_body(request, limit)
            limiter: CapacityLimiter = getattr(state, threads)
            answer = await anyio.to_thread.run_sync(work, state.node, raw, limiter=limiter, abandon_on_cancel=True)
        except TansiqError as failure:
            return problems.document_response(_to_stranger(failure))
        return Response(answer, media_type="application/json")

    return endpoint


def _to_stranger(failure: TansiqError) -> TansiqError:
    """Who is not a partner learns nothing of who is: an unknown sender looks like a signature that does not verify."""
    if isinstance(failure, Untrusted | Refused):
        return Untrusted("exchange.untrusted", "This does not verify.")
    return failure


async def card(request: Request) -> Response:
    """Our signed node card: public by its nature, pinned by its fingerprint."""
    node = request.app.state.node
    return Response(await anyio.to_thread.run_sync(node.exchange.card_bytes), media_type="application/json")


async def door(_request: Request) -> Response:
    """Says that this is the partners' door, to whoever opens it in a browser."""
    return JSONResponse({"tansiq": "exchange", "v": 1})


def create_peer_app(node: Any) -> Starlette:
    """The exchange door of a node."""
    app = Starlette(
        routes=[
            Route(ENVELOPES_PATH, _post(_receive, MAX_ENVELOPE_BYTES, "work_threads"), methods=["POST"]),
            Route(POLL_PATH, _post(_poll, MAX_POLL_BYTES, "poll_threads"), methods=["POST"]),
            Route(RECEIPTS_PATH, _post(_take_receipt, MAX_RECEIPT_BYTES, "work_threads"), methods=["POST"]),
            Route(PRIVATE_PATH, _post(_private, MAX_PRIVATE_BYTES, "work_threads"), methods=["POST"]),
            Route(CARD_PATH, card, methods=["GET"]),
            Route("/exchange/v1/", door, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={404: _unknown, 405: _unknown, Exception: problems.unexpected_document},
    )
    app.state.node = node
    app.state.poll_threads = CapacityLimiter(POLL_THREADS)
    app.state.work_threads = CapacityLimiter(WORK_THREADS)
    return app


async def _unknown(request: Request, exc: Exception) -> Response:
    return problems.http_document(request, exc)


class PeerDoor(threading.Thread):
    """The exchange's own listener, beside the pages': two apps for two levels of trust."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(name="exchange-door", daemon=True)
        self._server = uvicorn.Server(config)

    def start(self) -> None:
        """Raises `Conflict` where it cannot listen: a node that no partner can reach must not call itself up."""
        super().start()
        while not self._server.started:
            self.join(0.02)
            if not self.is_alive():
                raise Conflict(
                    "exchange.port",
                    "the partners' door cannot listen there",
                    step="serve",
                    field="exchange.port",
                    hint="another program has the port: [exchange] port in tansiq.toml, and url if partners come by it",
                )

    def run(self) -> None:
        self._server.run()

    def stop(self) -> None:
        self._server.should_exit = True
        self.join(timeout=10)


def listen(config: uvicorn.Config) -> socket.socket:
    """Before anything is started: a node that no officer can reach must not call itself up (`Conflict`)."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=config.backlog)
    except OSError as exc:
        raise Conflict(
            "web.port",
            "the pages cannot listen there",
            step="serve",
            field="web.port",
            hint="another program has the port: serve --port N, or [web] port in tansiq.toml",
        ) from exc
