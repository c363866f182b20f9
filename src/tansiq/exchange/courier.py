"""Couriers: threads that carry envelopes to partners and fetch from those that cannot reach us.

One thread for each partner that can be reached: it forms, posts and takes the receipt, one envelope at a time, and is
woken by the commit that queued something for it. A manager thread looks after them, and at what other processes queued.
A failed partner is left alone for a jittered, growing time capped at minutes, but any authenticated contact from it
reopens its queue at once. Idle cost: one held poll per polled partner, nothing for the others.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

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
"""Then another partner may have the place, so that one long queue does not hold up the rest."""
PATIENCE_S = 1.0
"""Then a line goes on without a place: partners that answer late on purpose must not keep what is owed to the others.
There is one thread for each partner at most."""
GIVE_WAY_S = 0.001
CRASHED_ATTEMPTS = 5
"""An unforeseen failure backs off as far as this many foreseen ones."""


class Courier:
    """Start it once per process; stop it before the store is closed."""

    def __init__(
        self, exchange: Exchange, transport: Transport | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._exchange = exchange
        self._transport: Transport = transport or HttpsTransport(exchange.settings.connect_timeout_s)
        self._chance = chance
        self._lines: dict[NodeId, threading.Thread] = {}
        self._polled: dict[NodeId, threading.Thread] = {}
        self._reachable: frozenset[NodeId] = frozenset()
        """Pinned, with an address. Set by the manager; a line whose partner is not in it ends."""
        self._stopping = threading.Event()
        self._places = threading.Semaphore(exchange.settings.send_workers)
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
        for thread in [*self._lines.values(), *self._polled.values()]:
            thread.join(timeout=10)

    # --- the manager ---

    def _manage(self) -> None:
        while not self._stopping.is_set():
            seen = self._exchange.bell.rings()
            try:
                self._look()
            except Exception as exc:  # noqa: BLE001  # a worker loop: a broken look must not end all delivery
                _log.error("courier.look_failed", failure=type(exc).__name__, code=getattr(exc, "code", ""))
            if not self._stopping.is_set():
                self._exchange.bell.wait(None, seen, LOOK_S)

    def _look(self) -> None:
        """A line for each partner that can be reached, a poll for each that is polled, a ring where something waits."""
        now = time.monotonic()
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            self._exchange.sweep()
        peers = {p.card.node: p for p in self._exchange.peers() if p.state == "pinned"}
        self._reachable = frozenset(node for node, peer in peers.items() if peer.card.url)
        self._tend_polls(peers)
        for node in self._reachable:
            line = self._lines.get(node)
            if line is None or not line.is_alive():
                self._lines[node] = threading.Thread(
                    target=self._serve, args=(node,), name=f"courier-{node}", daemon=True
                )
                self._lines[node].start()
        for node in self._exchange.waiting_for():
            if node in self._reachable:
                self._exchange.bell.ring(node)

    # --- a line ---

    def _serve(self, node: NodeId) -> None:
        """Carry what waits for one partner, and rest in between."""
        bell = self._exchange.bell
        bell.serve(node, True)
        try:
            while not self._stopping.is_set() and node in self._reachable:
                seen, contacts = bell.rings(node), bell.contacts(node)
                has_place = self._places.acquire(timeout=PATIENCE_S)
                try:
                    more, pause_s = self._turn(node)
                finally:
                    if has_place:
                        self._places.release()
                if pause_s:
                    self._rest(node, contacts, pause_s)
                elif more:
                    time.sleep(GIVE_WAY_S)
                elif not self._stopping.is_set():
                    self._exchange.rest(node, self._transport)
                    bell.wait(node, seen, SWEEP_S)
        finally:
            bell.serve(node, False)
            self._exchange.stir(node)
            self._exchange.wake()  # the manager looks whether the partner is there again

    def _turn(self, node: NodeId) -> tuple[bool, float]:
        """Whether more may wait, and for how many seconds the partner is to be left alone."""
        chosen = self._exchange.settings
        try:
            for _ in range(ENVELOPES_PER_TURN):
                if self._stopping.is_set() or not self._exchange.deliver_once(node, self._transport):
                    return False, 0.0
                self._exchange.note_attempt(node, None)
        except TansiqError as exc:
            attempts = self._exchange.note_attempt(node, exc)
            _log.info("courier.attempt_failed", peer=node, code=exc.code, attempts=attempts)
        except Exception as exc:  # noqa: BLE001  # a worker loop: said aloud, backed off, tried again
            _log.error("courier.turn_failed", peer=node, failure=type(exc).__name__)
            attempts = CRASHED_ATTEMPTS
        else:
            return True, 0.0
        return True, rules.backoff_s(attempts, self._chance(), chosen.backoff_first_s, chosen.backoff_cap_s)

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
            seen = self._exchange.bell.rings(node)
            if self._exchange.bell.contacts(node) != contacts:
                return
            self._exchange.bell.wait(node, seen, left)
