"""HTTPS to partners: TLS 1.3 only, the certificate pinned by its hash from the node card. No certificate authority.

The pin cannot be gone round: a connection exists for its callers only after `_PinnedConnection.connect` has compared
the partner's certificate, and `connect` runs before the first byte of any request (also when a kept connection was
closed and is opened again).
"""

from __future__ import annotations

import hmac
import http.client
import select
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from tansiq.crypto import NodeKeys, certificate_sha256
from tansiq.errors import Invalid, PeerUnavailable
from tansiq.exchange import wire
from tansiq.exchange.model import NOT_LEFT, OTHER_CERTIFICATE, UNREACHABLE, NodeCard, Peer
from tansiq.terms import NodeId

MAX_IDLE_PER_PEER = 2
AT_ONCE_BYTES = 64 * 1024
"""What a line at rest takes in without waiting for the partner: an officer's thread gives it that much."""
AT_ONCE_S = 0.2
T = TypeVar("T")


def _partner_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Names and authorities say nothing here: the pinned hash below is stricter than both.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _PinnedConnection(http.client.HTTPSConnection):
    """A TLS connection that is given to nobody before the partner's certificate has been recognised."""

    def __init__(self, host: str, port: int, tls_sha256: str, connect_timeout_s: float) -> None:
        super().__init__(host, port, timeout=connect_timeout_s, context=_partner_context())
        self._tls_sha256 = tls_sha256

    def connect(self) -> None:
        # Hazard: http.client calls connect() by itself whenever `sock` is None. So the check stands here and not
        # beside the first request.
        super().connect()
        shown = self.sock.getpeercert(binary_form=True) if isinstance(self.sock, ssl.SSLSocket) else None
        if shown is None or not hmac.compare_digest(certificate_sha256(shown), self._tls_sha256):
            self.close()
            raise ssl.SSLCertVerificationError("the certificate is not the pinned one")


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int
    tls_sha256: str


def _place(card: NodeCard) -> _Place:
    parts = urlsplit(card.url)
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
        raise PeerUnavailable(UNREACHABLE, "the partner has no https address", step="connect", detail=card.node)
    try:
        port = parts.port or 443
    except ValueError as exc:
        raise PeerUnavailable(UNREACHABLE, "the partner's port is none", step="connect") from exc
    return _Place(parts.hostname, port, card.tls_sha256)


class HttpsTransport:
    """Posts to partners over kept connections. Safe to share between threads."""

    def __init__(self, connect_timeout_s: float = 10.0) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._lock = threading.Lock()
        self._idle: dict[tuple[NodeId, _Place], list[_PinnedConnection]] = {}
        self._busy: set[_PinnedConnection] = set()
        self._closed = False

    def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
        """The body of the partner's 200 answer. Raises `PeerUnavailable`; with `NOT_LEFT` not a byte has left."""
        key = (peer.card.node, _place(peer.card))
        kept = self._take(key)
        if kept is not None:
            try:
                return self._exchange(key, kept, path, body, timeout_s)
            except PeerUnavailable as exc:
                # A kept connection may have been closed by the partner meanwhile. Saying the same bytes twice is
                # harmless here, so it is tried once more over a fresh one.
                if exc.code != "peer.no_answer":
                    raise
                return self._again(key, path, body, timeout_s)
        return self._exchange(key, self._open(key), path, body, timeout_s)

    def begin(self, card: NodeCard, path: str, body: bytes) -> _Begun | None:
        """Give `body` to a line that is at rest, at once; None where there is none: then not a byte has left.

        For who may not wait: it opens no line, and what an empty line does not take in is not given to it.
        """
        key = (card.node, _place(card))
        kept = self._take(key) if len(body) <= AT_ONCE_BYTES else None
        if kept is None:
            return None
        try:
            self._send(key, kept, path, body, AT_ONCE_S)
        except PeerUnavailable as exc:
            return None if exc.code in NOT_LEFT else _Begun(self, key, None, path, body)
        return _Begun(self, key, kept, path, body)

    def _finish(self, begun: _Begun, timeout_s: float) -> bytes:
        if begun.connection is not None:
            try:
                return self._hear(begun.key, begun.connection, timeout_s)
            except PeerUnavailable as exc:
                if exc.code != "peer.no_answer":
                    raise
        return self._again(begun.key, begun.path, begun.body, timeout_s)

    def _again(self, key: tuple[NodeId, _Place], path: str, body: bytes, timeout_s: float) -> bytes:
        """Over a fresh line what may have left by one that was dead: the same bytes twice are harmless."""
        try:
            return self._exchange(key, self._open(key), path, body, timeout_s)
        except PeerUnavailable as exc:
            # Hazard: `NOT_LEFT` is a promise that nothing has left. After a first try it would be a lie.
            if exc.code in NOT_LEFT:
                raise PeerUnavailable("peer.no_answer", exc.message, step=exc.step, detail=exc.detail) from exc
            raise

    def _drop(self, connection: _PinnedConnection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.close()

    def close(self) -> None:
        """Also cuts held polls short."""
        with self._lock:
            self._closed = True
            connections = [c for kept in self._idle.values() for c in kept] + list(self._busy)
            self._idle.clear()
        for connection in connections:
            with suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _take(self, key: tuple[NodeId, _Place]) -> _PinnedConnection | None:
        with self._lock:
            kept = self._idle.get(key, [])
            connections = [kept.pop() for _ in range(len(kept))]
            found = next((c for c in connections if _is_quiet(c)), None)
            kept += [c for c in connections if c is not found and _is_quiet(c)]
        for connection in connections:
            if connection is not found and connection not in kept:
                connection.close()
        return found

    def _open(self, key: tuple[NodeId, _Place]) -> _PinnedConnection:
        node, place = key
        connection = _PinnedConnection(place.host, place.port, place.tls_sha256, self._connect_timeout_s)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as exc:
            raise PeerUnavailable(
                OTHER_CERTIFICATE,
                "the address shows another certificate than the card",
                step="tls",
                detail=node,
            ) from exc
        except (OSError, http.client.HTTPException, UnicodeError) as exc:
            raise PeerUnavailable(UNREACHABLE, "the partner cannot be reached", step="connect", detail=node) from exc
        return connection

    def _exchange(
        self, key: tuple[NodeId, _Place], connection: _PinnedConnection, path: str, body: bytes, timeout_s: float
    ) -> bytes:
        self._send(key, connection, path, body, timeout_s)
        return self._hear(key, connection, timeout_s)

    def _send(
        self, key: tuple[NodeId, _Place], connection: _PinnedConnection, path: str, body: bytes, timeout_s: float
    ) -> None:
        """The request; the connection is busy from here on."""
        with self._lock:
            closed = self._closed
            self._busy.add(connection)
        if closed:
            self._drop(connection)
            raise PeerUnavailable(UNREACHABLE, "this node is closing down", step="post", detail=key[0])
        try:
            connection.sock.settimeout(timeout_s)
            # In one piece: a head that goes ahead wakes the partner for nothing.
            connection.sock.sendall(_request_head(key[1], path, len(body)) + body)
        except (OSError, AttributeError) as exc:
            self._drop(connection)
            raise _no_answer(key[0]) from exc

    def _hear(self, key: tuple[NodeId, _Place], connection: _PinnedConnection, timeout_s: float) -> bytes:
        node = key[0]
        try:
            status, answer = _answer(connection, timeout_s)
        except (OSError, http.client.HTTPException, AttributeError) as exc:
            connection.close()
            raise _no_answer(node) from exc
        finally:
            with self._lock:
                self._busy.discard(connection)
        self._keep(key, connection)
        if status != http.client.OK:
            raise PeerUnavailable(
                f"peer.http_{status}", "the partner's door answered with a failure", step="post", detail=node
            )
        return answer

    def _keep(self, key: tuple[NodeId, _Place], connection: _PinnedConnection) -> None:
        with self._lock:
            kept = self._idle.setdefault(key, [])
            if not self._closed and connection.sock is not None and len(kept) < MAX_IDLE_PER_PEER:
                kept.append(connection)
                return
        connection.close()


def _is_quiet(connection: _PinnedConnection) -> bool:
    """Still open, as far as can be seen. Between two requests a partner has nothing to say but that it hangs up:

    seen now, nothing is sent into a dead line, and what could not leave is not taken for sent.
    """
    if connection.sock is None:
        return False
    try:
        return not select.select([connection.sock], [], [], 0)[0]
    except (OSError, ValueError):
        return False


def _request_head(place: _Place, path: str, size: int) -> bytes:
    host = f"[{place.host}]" if ":" in place.host else place.host
    said = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}:{place.port}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {size}",
    )
    return "\r\n".join((*said, "", "")).encode("ascii")


def _answer(connection: _PinnedConnection, timeout_s: float) -> tuple[int, bytes]:
    connection.sock.settimeout(timeout_s)
    response = http.client.HTTPResponse(connection.sock, method="POST")
    try:
        response.begin()
        answer = response.read(wire.MAX_POLL_ANSWER_BYTES + 1)
        if len(answer) > wire.MAX_POLL_ANSWER_BYTES:
            raise http.client.HTTPException("answer too large")
        if response.will_close:
            connection.close()
        return response.status, answer
    finally:
        response.close()


def _no_answer(node: NodeId) -> PeerUnavailable:
    return PeerUnavailable("peer.no_answer", "the partner gave no whole answer", step="post", detail=node)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A post whose bytes were given to a line; its answer is still to be heard."""

    transport: HttpsTransport
    key: tuple[NodeId, _Place]
    connection: _PinnedConnection | None
    """None where the line broke: the bytes may have left, and are said again over another."""
    path: str
    body: bytes

    def finish(self, timeout_s: float) -> bytes:
        return self.transport._finish(self, timeout_s)

    def drop(self) -> None:
        if self.connection is not None:
            self.transport._drop(self.connection)


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What the node writes under its home (0600) for its HTTPS listener."""

    certfile: bytes
    keyfile: bytes
    sha256: str
    """Must be the one in our card."""


def tls_material(keys: NodeKeys) -> TlsMaterial:
    return TlsMaterial(keys.tls_cert_pem, keys.tls_key_pem, certificate_sha256(keys.tls_cert_pem))


def fetch_card(url: str, timeout_s: float = 10.0) -> bytes:
    """A node card by an unpinned connection: the card signs itself, and its fingerprint is compared by people."""
    parts = urlsplit(url)
    try:
        port = parts.port or 443
    except ValueError as exc:
        raise Invalid("peer.url", "the port is none", step="fetch card", field="url") from exc
    if parts.scheme != "https" or not parts.hostname:
        raise Invalid("peer.url", "an address of the form https://host:port", step="fetch card", field="url")
    connection = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=_partner_context())
    try:
        connection.request("GET", "/exchange/v1/card")
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise PeerUnavailable("peer.no_card", "the partner gave no card", step="fetch card")
        return answer.read(wire.MAX_CARD_FILE_BYTES + 1)
    except (OSError, http.client.HTTPException) as exc:
        raise PeerUnavailable(UNREACHABLE, "the partner does not answer", step="fetch card") from exc
    finally:
        connection.close()


def server_ssl_context(certfile: str, keyfile: str) -> ssl.SSLContext:
    """The listener's side: TLS 1.3 only; partners prove themselves by signatures, not by client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certfile, keyfile)
    except (OSError, ssl.SSLError) as exc:
        raise Invalid("tls.material", "the certificate and its key cannot be read", step="tls") from exc
    return context
