"""Threat: a few partners that answer as late as they may hold up what is owed to the others.

Whoever is slow on purpose may ask for much (files that it misses), so that there is always more to send to it. What
goes to the others meanwhile, a recall among it, must not wait for its answers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tansiq.exchange import Courier
from tansiq.exchange.model import Peer
from tansiq.store import Store
from tests.support.federation import Federation, FederationNode, Network
from tests.support.waiting import eventually

SLOW = ("es", "de", "pt", "fr")


@dataclass
class _Late:
    """A line whose slow ends answer when they are told to."""

    network: Network
    slow: set[str]
    waiting: list[str] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
        if peer.card.node in self.slow:
            self.waiting.append(peer.card.node)
            self.go.wait(20)
        return self.network.post(peer, path, body, timeout_s)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[tuple[Federation, dict[str, FederationNode]]]:
    federation = Federation()
    names = ("ma", "it", *SLOW)
    stores = {name: Store.open(f"sqlite:///{tmp_path / name}.db") for name in names}
    yield federation, {name: federation.add(name, store) for name, store in stores.items()}
    for store in stores.values():
        store.close()


def test_an_honest_partner_does_not_wait_for_slow_ones(many: tuple[Federation, dict[str, FederationNode]]) -> None:
    federation, nodes = many
    ma, honest = nodes["ma"], nodes["it"]
    assert ma.settings.send_workers == len(SLOW), "as many as there are places"
    line = _Late(federation.network, {nodes[name].node for name in SLOW})
    for name in SLOW:
        ma.send(nodes[name], f"e-{name}")
    courier = Courier(ma.exchange, line)
    courier.start()
    try:
        assert eventually(lambda: len(line.waiting) == len(SLOW))
        ma.send(honest, "e-recall")
        assert eventually(lambda: ma.states(honest)["e-recall"] == "received", 5.0)
    finally:
        line.go.set()
        courier.stop()
