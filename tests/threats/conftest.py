"""Three services on SQLite for the threats to try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tansiq.store import Store
from tests.support.federation import Federation
from tests.support.services import Federation as Services


@pytest.fixture
def trio(tmp_path: Path):
    """Rabat, Madrid, Berlin: each has pinned the others."""
    stores = [Store.open(f"sqlite:///{tmp_path / name}.db") for name in ("ma", "es", "de")]
    federation = Federation()
    yield federation, *(federation.add(name, s) for name, s in zip(("ma", "es", "de"), stores, strict=True))
    for store in stores:
        store.close()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Whole nodes of Rabat, Madrid and Berlin on SQLite."""
    made = Services(tmp_path, lambda name: f"sqlite:///{tmp_path / name / 'tansiq.db'}")
    made.add("rabat", "madrid", "berlin")
    yield made
    made.close()
