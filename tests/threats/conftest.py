"""Three services on SQLite for the threats to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.store import Store
from tests.support.federation import Federation


@pytest.fixture
def trio(tmp_path: Path):
    """Rabat, Madrid, Berlin: each has pinned the others."""
    stores = [Store.open(f"sqlite:///{tmp_path / name}.db") for name in ("ma", "es", "de")]
    federation = Federation()
    yield federation, *(federation.add(name, s) for name, s in zip(("ma", "es", "de"), stores, strict=True))
    for store in stores:
        store.close()
