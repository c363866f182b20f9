"""Couriers: threads that carry envelopes to partners and fetch from those that cannot reach us.

One manager thread looks at what waits, a small pool posts; one partner has at most one envelope under way. A failed
partner is left alone for a jittered, growing time capped at minutes, but any authenticated contact from it reopens its
queue at once. Idle cost: one held poll per polled partner, nothing for the others.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from tansiq.errors import TansiqError
from tansiq.exchange import rules
from tansiq.exchange.model import Peer, Transport
from tansiq.exchange.service import Exchange
from tansiq.exchange.transport import HttpsTransport
from tansiq.terms import NodeId

_log = structlog.get_logger("tansiq.courier")

LOOK_S = 5.0
"""How often the manager looks although nobody rang: other processes on one PostgreSQL ring their own bells only."""
SWEEP_S = 60.0
ENVELOPES_PER_TURN = 16
"""Then the worker turns to another partner, so that one long queue does not hold up the rest."""


@dataclass(slots=True)
class _Line:
    """Where we stand with one partner. Touched under the manager's lock."""

    busy: bool = False
    not_before: float = 0.0
    contacts: int = 0


class Courier:
    """Start it once per process; stop it before the store is closed."""

    def __init__(
        self, exchange: Exchange, transport: Transport | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._exchange = exchange
        self._transport: Transport = transport or HttpsTransport(exchange.settings.connect_timeout_s)
        self._chance = chance
        self._lines: dict[NodeId, _Line] = {}
        self._polled: dict[NodeId, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(exchange.settings.send_workers, thread_name_prefix="courier")
        self._manager = threading.Thread(target=self._manage, name="courier-manager", daemon=True)
        self._swept_at = 0.0

    def start(self) -> None:
        self._manager.start()

    def stop(self) -> None:
        """Ends held polls and waits for posts under way; what they carried is posted again at the next start."""
        self._stopping.set()
        self._exchange.wake()
        if isinstance(self._transport, HttpsTransport):
            self._transport.close()
        if self._manager.is_alive():
            self._manager.join(timeout=10)
        self._pool.shutdown(wait=True, cancel_futures=True)
        for thread in list(self._polled.values()):
            thread.join(timeout=10)

    # --- the manager ---

    def _manage(self) -> None:
        while not self._stopping.is_set():
            seen = self._exchange.bell.rings()
            wait_s = LOOK_S
            try:
                wait_s = self._look()
            except Exception as exc:  # noqa: BLE001  # a worker loop: a broken look must not end all delivery
                _log.error("courier.look_failed", failure=type(exc).__name__, code=getattr(exc, "code", ""))
            if not self._stopping.is_set():
                self._exchange.bell.wait(None, seen, wait_s)

    def _look(self) -> float:
        """Give work to the pool; returns after how many seconds to look again."""
        now = time.monotonic()
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            self._exchange.sweep()
        peers = {p.card.node: p for p in self._exchange.peers() if p.state == "pinned"}
        self._tend_polls(peers)
        soonest = LOOK_S
        for node in self._exchange.waiting_for():
            peer = peers.get(node)
            if peer is None or not peer.card.url:
                continue
            line = self._line(node)
            with self._lock:
                reopened = self._exchange.bell.contacts(node) != line.contacts
                if line.busy:
                    continue
                if line.not_before > now and not reopened:
                    soonest = min(soonest, line.not_before - now)
                    continue
                # Read before the turn: a contact that comes while it fails reopens the queue.
                line.contacts = self._exchange.bell.contacts(node)
                line.busy = True
            self._pool.submit(self._turn, node)
        return max(0.01, soonest)

    def _line(self, node: NodeId) -> _Line:
        with self._lock:
            return self._lines.setdefault(node, _Line())

    def _turn(self, node: NodeId) -> None:
        line = self._line(node)
        failure: TansiqError | None = None
        crashed = False
        try:
            for _ in range(ENVELOPES_PER_TURN):
                if self._stopping.is_set() or not self._exchange.deliver_once(node, self._transport):
                    break
                self._exchange.note_attempt(node, None)
        except TansiqError as exc:
            failure = exc
        except Exception as exc:  # noqa: BLE001  # a worker loop: said aloud, backed off, tried again
            _log.error("courier.turn_failed", peer=node, failure=type(exc).__name__)
            crashed = True
        with self._lock:
            line.not_before = time.monotonic() + self._pause_s(node, failure, crashed)
            line.busy = False
        self._exchange.wake()

    def _pause_s(self, node: NodeId, failure: TansiqError | None, crashed: bool) -> float:
        if failure is None and not crashed:
            return 0.0
        chosen = self._exchange.settings
        attempts = self._exchange.note_attempt(node, failure) if failure is not None else 5
        if failure is not None:
            _log.info("courier.attempt_failed", peer=node, code=failure.code, attempts=attempts)
        return rules.backoff_s(attempts, self._chance(), chosen.backoff_first_s, chosen.backoff_cap_s)

    # --- polls ---

    def _tend_polls(self, peers: dict[NodeId, Peer]) -> None:
        """One thread per polled partner: a held poll would otherwise occupy a worker of the pool."""
        for node, peer in peers.items():
            thread = self._polled.get(node)
            if peer.poll and (thread is None or not thread.is_alive()):
                self._polled[node] = threading.Thread(
                    target=self._poll, args=(node,), name=f"courier-poll-{node}", daemon=True
                )
                self._polled[node].start()

    def _poll(self, node: NodeId) -> None:
        chosen = self._exchange.settings
        attempts = 0
        while not self._stopping.is_set():
            began, contacts = time.monotonic(), self._exchange.bell.contacts(node)
            pause = 0.0
            try:
                peer = self._exchange.peer(node)
                if peer.state != "pinned" or not peer.poll:
                    return
                came = self._exchange.poll_once(node, self._transport)
                attempts = 0
                # Held polls come back late and are asked again at once; an answer at once that brings nothing is not.
                pause = 0.0 if came else max(0.2, chosen.poll_seconds - (time.monotonic() - began))
            except TansiqError as exc:
                attempts = attempts + 1
                self._exchange.note_attempt(node, exc)
                pause = rules.backoff_s(attempts, self._chance(), chosen.backoff_first_s, chosen.backoff_cap_s)
            except Exception as exc:  # noqa: BLE001  # a worker loop, as above
                _log.error("courier.poll_failed", peer=node, failure=type(exc).__name__)
                pause = chosen.backoff_cap_s
            self._rest(node, contacts, pause)

    def _rest(self, node: NodeId, contacts: int, pause_s: float) -> None:
        """Sleep, but not past a contact from that partner or the end of the process."""
        until = time.monotonic() + pause_s
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            seen = self._exchange.bell.rings()
            if self._exchange.bell.contacts(node) != contacts:
                return
            self._exchange.bell.wait(None, seen, min(left, 1.0))
