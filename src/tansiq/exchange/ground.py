"""What the parts of the exchange stand on: store, keys, ledger, clock, and the bell that wakes who waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tansiq.crypto import NodeKeys, sha256
from tansiq.exchange.model import ExchangeSettings, Fault
from tansiq.store import Store
from tansiq.terms import NodeId

if TYPE_CHECKING:
    from tansiq.ledger import Ledger


class Bell:
    """Wakes couriers and held polls. Counts instead of flags: a ring between look and wait is not lost."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings: dict[NodeId, int] = {}
        self._contacts: dict[NodeId, int] = {}
        self._all = 0

    def ring(self, node: NodeId | None = None) -> None:
        """Something waits for this partner (or for anyone)."""
        with self._changed:
            self._all += 1
            if node is not None:
                self._rings[node] = self._rings.get(node, 0) + 1
            self._changed.notify_all()

    def contact(self, node: NodeId) -> None:
        """The partner has just proven that it is there: its queue reopens at once."""
        with self._changed:
            self._contacts[node] = self._contacts.get(node, 0) + 1
        self.ring(node)

    def rings(self, node: NodeId | None = None) -> int:
        with self._changed:
            return self._count(node)

    def contacts(self, node: NodeId) -> int:
        with self._changed:
            return self._contacts.get(node, 0)

    def wait(self, node: NodeId | None, seen: int, timeout_s: float) -> bool:
        """True when it rang since `seen` was read."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count(node) != seen, timeout=max(0.0, timeout_s))

    def _count(self, node: NodeId | None) -> int:
        return self._all if node is None else self._rings.get(node, 0)


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
    bell: Bell = field(default_factory=Bell)

    @property
    def node(self) -> NodeId:
        return self.keys.node


def envelope_sha256(raw: bytes) -> str:
    return sha256("tansiq.envelope.v1", raw).hex()
