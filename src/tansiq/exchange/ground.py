"""What the parts of the exchange stand on: store, keys, ledger, clock, and the bell that wakes who waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tansiq.crypto import NodeKeys, sha256
from tansiq.exchange.model import AtOnce, ExchangeSettings, Fault
from tansiq.store import Store, run_plain
from tansiq.terms import NodeId

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tansiq.ledger import Ledger


class Bell:
    """Wakes couriers and held polls. Counts instead of flags: a ring between look and wait is not lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._anyone = threading.Condition(self._lock)
        self._near: dict[NodeId, threading.Condition] = {}
        """One condition for each partner: a ring for one must not wake the threads of fifty."""
        self._rings: dict[NodeId, int] = {}
        self._contacts: dict[NodeId, int] = {}
        self._served: set[NodeId] = set()
        self._all = 0
        self._everyone = 0

    def ring(self, node: NodeId | None = None) -> None:
        """Something waits for this partner (or for anyone)."""
        with self._lock:
            if node is None:
                self._everyone += 1
                for near in self._near.values():
                    near.notify_all()
            else:
                self._rings[node] = self._rings.get(node, 0) + 1
                self._at(node).notify_all()
            if node not in self._served:
                self._all += 1
                self._anyone.notify_all()

    def serve(self, node: NodeId, served: bool) -> None:
        """Whether a thread listens for this partner alone: then its rings are not for those who wait for anyone."""
        with self._lock:
            (self._served.add if served else self._served.discard)(node)

    def contact(self, node: NodeId) -> None:
        """The partner has just proven that it is there: its queue reopens at once."""
        with self._lock:
            self._contacts[node] = self._contacts.get(node, 0) + 1
        self.ring(node)

    def rings(self, node: NodeId | None = None) -> int:
        with self._lock:
            return self._count(node)

    def contacts(self, node: NodeId) -> int:
        with self._lock:
            return self._contacts.get(node, 0)

    def wait(self, node: NodeId | None, seen: int, timeout_s: float) -> bool:
        """True when it rang since `seen` was read."""
        with self._lock:
            changed = self._anyone if node is None else self._at(node)
            return changed.wait_for(lambda: self._count(node) != seen, timeout=max(0.0, timeout_s))

    def _at(self, node: NodeId) -> threading.Condition:
        return self._near.setdefault(node, threading.Condition(self._lock))

    def _count(self, node: NodeId | None) -> int:
        return self._all if node is None else self._rings.get(node, 0) + self._everyone


def no_fault(_point: str) -> None:
    """Nothing happens: the default of `Exchange(fault=...)`."""


@dataclass(slots=True)
class Ground:
    """Shared by the parts; `keys` changes when the node rotates them."""

    store: Store
    keys: NodeKeys
    ledger: Ledger
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    chosen: ExchangeSettings
    fault: Fault = no_fault
    hear: Callable[[datetime], None] = lambda _at: None
    """Told of each instant that a pinned partner has signed."""
    past: Callable[[], datetime] | None = None
    """See `surely_past`."""
    bell: Bell = field(default_factory=Bell)
    resting: set[NodeId] = field(default_factory=set)
    """Partners whose courier has nothing to do and may post at once: what is queued for them is formed with it."""
    at_once: dict[NodeId, AtOnce] = field(default_factory=dict)
    """Of those partners, the lines that the committing thread itself may give the formed bytes to."""

    @property
    def node(self) -> NodeId:
        return self.keys.node

    def surely_past(self) -> datetime:
        """What an expiry is measured by, because it ends something: our clock's instant, but of a clock that has leapt
        the latest that something else vouches for."""
        return self.clock() if self.past is None else self.past()


@contextmanager
def savepoint(tx: Connection, name: str) -> Iterator[None]:
    """As `begin_nested`, in plain SQL: that costs four times as much as an insert, and this runs once for each item."""
    run_plain(tx, f"savepoint {name}")
    try:
        yield
    except BaseException:
        run_plain(tx, f"rollback to savepoint {name}")
        raise
    finally:
        run_plain(tx, f"release savepoint {name}")


def envelope_sha256(raw: bytes) -> str:
    return sha256("tansiq.envelope.v1", raw).hex()
