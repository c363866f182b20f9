"""A partner's HTTPS door for tests: real sockets, real TLS, the exchange's four paths and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tansiq.errors import TansiqError
from tansiq.exchange import (
    ENVELOPES_PATH,
    POLL_PATH,
    RECEIPTS_PATH,
    Exchange,
    render_poll_answer,
    server_ssl_context,
    tls_material,
)


class Listener(ThreadingHTTPServer):
    """`exchange` may be set after the port is known, because the card names the port."""

    daemon_threads = True
    exchange: Exchange | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.posts: list[str] = []
        self.connections = 0
        self.open_requests: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def hang_up(self) -> None:
        """Down for good: no new connection, and the open ones are cut."""
        self.shutdown()
        self.server_close()
        for request in self.open_requests:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A partner that hangs up is no news."""


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.server.open_requests.append(self.connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(self.path)
        exchange = self.server.exchange
        if exchange is None:
            return self._answer(503, b"")
        try:
            if self.path == ENVELOPES_PATH:
                return self._answer(200, exchange.receive(body))
            if self.path == POLL_PATH:
                return self._answer(200, render_poll_answer(exchange.answer_poll(body)))
            if self.path == RECEIPTS_PATH:
                exchange.take_receipt(body)
                return self._answer(200, b"{}")
        except TansiqError as exc:
            return self._answer(exc.http_status, exc.code.encode())
        return self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def listening(keys: Any, home: Path, port: int = 0) -> Iterator[Listener]:
    """A listener with the node's own certificate."""
    home.mkdir(parents=True, exist_ok=True)
    material = tls_material(keys)
    (home / "tls.crt").write_bytes(material.certfile)
    (home / "tls.key").write_bytes(material.keyfile)
    listener = Listener(("127.0.0.1", port), _Door)
    context = server_ssl_context(str(home / "tls.crt"), str(home / "tls.key"))
    listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(timeout=5)
