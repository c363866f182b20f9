"""The exchange between two nodes: what is queued arrives once, whatever the network and the machines do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.store import Store
from tests.support.federation import Federation, FederationNode

Pair = tuple[Federation, FederationNode, FederationNode]


@pytest.fixture
def pair(store: Store, tmp_path: Path):
    """Rabat on either database, Madrid on SQLite."""
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    yield federation, federation.add("ma", store), federation.add("es", other)
    other.close()


def test_an_item_arrives_and_its_sender_holds_the_receipt(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-1", "e-2")
    assert ma.states() == {"e-1": "queued", "e-2": "queued"}
    assert federation.deliver(ma, es) == 0
    assert es.filed() == ["e-1", "e-2"]
    assert ma.states() == {"e-1": "received", "e-2": "received"}
    assert len(federation.network.seen) == 1
