"""The listener that partners' nodes knock at: HTTP/1.1 over TLS 1.3, one thread for each line.

A thread that waits for its line's next bytes is awake with them and goes on with them itself: from rest that is
0.7 ms less than an event loop that hands them to a thread (ADR 16). It serves one kind of client, so it takes little: a
request line, a few headers, a body of a stated length. What else HTTP allows is refused by name.

What a stranger can hold up is bounded. Nobody is known by TLS; a line is a partner's once a signature on it verified.
Until then it has seconds for its handshake and its head, and is the first to go where all lines are taken; bodies of
strangers together have bounded room. Every reading and writing has an end that a slow counterpart cannot put off.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import structlog

from tansiq.errors import Invalid, TansiqError
from tansiq.exchange import wire

_log = structlog.get_logger("tansiq.exchange")

LINGER_S = 2.0
LINGER_BYTES = 1024 * 1024
_READ = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What others can hold up of us."""

    lines: int = 256
    """A thread each. A partner keeps two or three."""
    stranger_s: float = 10.0
    """For the handshake; for a head; and how long a line that no partner has used may wait for its next request."""
    partner_s: float = 50.0
    """How long a partner's line may rest: shorter than what firewalls keep in mind."""
    body_s: float = 20.0
    slowest: int = 16 * 1024
    """Bytes a second: a body has `body_s` and longer, the more of it is here; an answer, the longer it is."""
    strangers_bytes: int = 64 * 1024 * 1024
    """Of bodies under way on lines that are no partner's yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to who knocked."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_partner: bool = False
    """Whether a partner's signature verified on the way to it."""


class Doorman(Protocol):
    """Who answers. Called from the lines' threads; raises nothing."""

    def limit(self, head: wire.RequestHead) -> int | Answer:
        """The most bytes that the body may have; or the answer that is given without reading it."""
        ...

    def answer(self, head: wire.RequestHead, body: bytes) -> Answer: ...

    def refuse(self, failure: TansiqError) -> Answer:
        """Of a request that is none."""
        ...


class Door:
    """The listener and its lines."""

    def __init__(
        self, context: ssl.SSLContext, doorman: Doorman, headers: Mapping[str, str], bounds: Bounds | None = None
    ) -> None:
        """`headers` stand in every answer."""
        self.context = context
        self.doorman = doorman
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
        self.bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._lines: dict[_Line, None] = {}
        """Oldest first."""
        self._strangers_bytes = 0
        self._closing = False
        self._listening: socket.socket | None = None
        self._accepting: threading.Thread | None = None

    def start(self, listening: socket.socket) -> None:
        self._listening = listening
        self._accepting = threading.Thread(target=self._accept, args=(listening,), name="exchange-door", daemon=True)
        self._accepting.start()

    def stop(self, patience_s: float) -> None:
        """No line more; those at rest end at once, those at work have `patience_s` to say their answer."""
        with self._lock:
            self._closing = True
            lines = list(self._lines)
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            self._listening.close()
        if self._accepting is not None:
            self._accepting.join(patience_s)
        until = time.monotonic() + patience_s
        for line in lines:
            if not line.is_busy:
                line.cut()
        for line in lines:
            if line.thread.ident is not None:  # else there was no thread for it
                line.thread.join(max(0.0, until - time.monotonic()))
            line.cut()

    @property
    def is_closing(self) -> bool:
        return self._closing

    def count(self) -> int:
        """Lines that are open."""
        with self._lock:
            return len(self._lines)

    def _accept(self, listening: socket.socket) -> None:
        failed = False
        while not self._closing:
            try:
                raw, _address = listening.accept()
            except OSError as exc:
                # No more descriptors, a client that was gone again: the door itself must not close by it.
                if not self._closing and not failed:
                    _log.warning("door.not_accepted", errno=exc.errno)
                failed = True
                time.sleep(0.05)
                continue
            failed = False
            self._take(_Line(self, raw))

    def _take(self, line: _Line) -> None:
        with self._lock:
            full = len(self._lines) >= self.bounds.lines
            goes = self._least_missed() if full else None
            if self._closing or (full and goes is None):
                goes = line
            if goes is not None:
                self._lines.pop(goes, None)
            if goes is not line:
                self._lines[line] = None
        if goes is not None:
            goes.cut()
        if goes is not line:
            try:
                line.thread.start()
            except RuntimeError:  # no thread more to be had
                self.gone(line)
                line.cut()

    def _least_missed(self) -> _Line | None:
        """The oldest stranger's line that is not at work; else the oldest partner's."""
        idle = [line for line in self._lines if not line.is_busy]
        return next((line for line in idle if not line.is_partner), idle[0] if idle else None)

    def gone(self, line: _Line) -> None:
        with self._lock:
            self._lines.pop(line, None)

    def grown(self, line: _Line, size: int) -> None:
        """So much more of a stranger's body is here. Where all of them are too much, the oldest that is not whole goes:
        room is taken by what came, never by what somebody says will come."""
        cut: list[_Line] = []
        with self._lock:
            line.held += size
            self._strangers_bytes += size
            for other in self._lines:
                if self._strangers_bytes <= self.bounds.strangers_bytes:
                    break
                if other.held and not other.is_busy:
                    cut.append(other)
                    self._strangers_bytes -= other.held
                    other.held = 0
        for other in cut:
            other.cut()

    def freed(self, line: _Line) -> None:
        with self._lock:
            self._strangers_bytes -= line.held
            line.held = 0


class _Line:
    """One connection, and the thread that serves it."""

    def __init__(self, door: Door, raw: socket.socket) -> None:
        self._door = door
        self._bounds = door.bounds
        self._sock = raw
        self.is_partner = False
        self.is_busy = False
        """From a request's last byte to its answer's; a stranger's until its answer is known."""
        self.held = 0
        """Bytes of a stranger's body; the door's lock owns it."""
        self._came = b""
        """Of the next request."""
        self.thread = threading.Thread(target=self._run, name="exchange-line", daemon=True)

    def cut(self) -> None:
        """From any thread: whoever reads or writes it finds its end."""
        with suppress(OSError, ValueError):
            # Not the TLS object's: that would wait for the thread that is reading.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        if not self.thread.is_alive():
            self._sock.close()

    def _run(self) -> None:
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sock.settimeout(self._bounds.stranger_s)
            self._sock = self._door.context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
            self._sock.do_handshake()
            while self._serve() and not self._door.is_closing:
                self.is_busy = False
        except (OSError, ValueError):
            pass  # they hung up, were too slow, or speak no TLS 1.3: nothing was promised
        finally:
            self.is_busy = False
            self._door.gone(self)
            with suppress(OSError):
                self._sock.close()

    def _serve(self) -> bool:
        """One request. Whether the line goes on."""
        try:
            head = self._head()
        except TansiqError as exc:
            return self._say(self._door.doorman.refuse(exc), ends=True)
        if head is None:
            return False
        allowed = self._door.doorman.limit(head)
        if isinstance(allowed, Answer):
            # A body that is not read would be taken for the next request.
            return self._say(allowed, ends=not head.keep or head.length > 0, bare=head.method == "HEAD")
        if head.length > allowed:
            return self._say(self._door.doorman.refuse(_too_large(allowed)), ends=True)
        try:
            body = self._body(head)
            if body is None:
                return False
            self.is_busy = True
            answer = self._door.doorman.answer(head, body)
        finally:
            self._door.freed(self)
        self.is_partner = self.is_partner or answer.is_partner
        self.is_busy = self.is_partner
        return self._say(answer, ends=not head.keep, bare=head.method == "HEAD")

    def _head(self) -> wire.RequestHead | None:
        """None where the counterpart has hung up between two requests."""
        rests = self.is_partner and not self._came
        until = time.monotonic() + (self._bounds.partner_s if rests else self._bounds.stranger_s)
        while (end := self._came.find(b"\r\n\r\n")) < 0:
            if len(self._came) > wire.MAX_REQUEST_HEAD_BYTES:
                break
            more = self._read(until)
            if not more:
                return None
            if not self._came:
                until = min(until, time.monotonic() + self._bounds.stranger_s)
            self._came += more
        head = wire.parse_request_head(self._came[:end] if end >= 0 else self._came)
        self._came = self._came[end + 4 :]
        return head

    def _body(self, head: wire.RequestHead) -> bytes | None:
        """None where the counterpart left in the middle."""
        if head.waits and len(self._came) < head.length:
            self._write(_CONTINUE)
        if len(self._came) >= head.length:
            body, self._came = self._came[: head.length], self._came[head.length :]
            return body
        began, found = time.monotonic(), bytearray(self._came)
        self._grown(len(found))
        while len(found) < head.length:
            # As long as what is here may have taken: a length that is only claimed buys no time.
            more = self._read(began + self._bounds.body_s + len(found) / self._bounds.slowest)
            if not more:
                return None
            found += more
            self._grown(len(more))
        self._came = bytes(found[head.length :])
        return bytes(found[: head.length])

    def _grown(self, size: int) -> None:
        if not self.is_partner:
            self._door.grown(self, size)

    def _read(self, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv(_READ)

    def _write(self, data: bytes) -> None:
        until = time.monotonic() + self._bounds.body_s + len(data) / self._bounds.slowest
        rest = memoryview(data)
        while rest:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            rest = rest[self._sock.send(rest) :]

    def _say(self, answer: Answer, *, ends: bool, bare: bool = False) -> bool:
        """Whether the line goes on. `bare`: the head alone."""
        said = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        said += [f"content-type: {answer.media_type}", f"content-length: {len(answer.body)}"]
        said += [f"{name}: {value}" for name, value in answer.headers.items()]
        if ends:
            said.append("connection: close")
        head = "\r\n".join(said).encode("ascii") + b"\r\n" + self._door.headers + b"\r\n"
        self._write(head if bare else head + answer.body)
        if ends:
            self.is_busy = False  # it is said: the line may go
            self._linger()
        return not ends

    def _linger(self) -> None:
        """Closed with bytes unread, a line is reset, and the counterpart may lose the answer that it was given."""
        socket.socket.shutdown(self._sock, socket.SHUT_WR)
        until, left = time.monotonic() + LINGER_S, LINGER_BYTES
        while left > 0 and (more := self._read(until)):
            left -= len(more)


def _too_large(limit: int) -> Invalid:
    return Invalid("body.too_large", f"The body is over {limit} bytes.", step="read the body", field="body")
