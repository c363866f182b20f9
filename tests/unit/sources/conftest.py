"""Real lists lie beside the repository on the machines that have them; elsewhere their tests say so and skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.holdings import Holdings

SHARED = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.fixture
def public():
    """Bytes of a file of the public data, by its path."""
    if not SHARED.is_dir():
        pytest.skip("the public data set (../shared/data) is not on this machine")
    return lambda name: (SHARED / "public" / name).read_bytes()


@pytest.fixture
def press():
    if not SHARED.is_dir():
        pytest.skip("the press texts (../shared/data) are not on this machine")
    return lambda name: (SHARED / "press" / name).read_bytes()


@pytest.fixture
def there(sqlite_url):
    opened = Holdings(sqlite_url, country="DE")
    yield opened
    opened.close()
