"""Fixtures that every folder of tests may use.

`store` runs a test on both databases (`-m "not postgres"` leaves SQLite); `sqlite_store` on SQLite alone, for tests
whose subject is not the database. `store_url` and `sqlite_url` are for tests that open and close it themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.support.postgres import NoPostgres, PostgresServer, running_postgres

from tansiq.store import Store

# No deadline: the machines of developers and CI are shared, and a slow example is not a wrong one.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("night", deadline=None, max_examples=2000)
settings.load_profile("dev")

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session, started by the first test that needs it."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as exc:
        pytest.skip(str(exc))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite file, not yet made."""
    return f"sqlite:///{tmp_path / 'tansiq.db'}"


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of either kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store, once on SQLite and once on PostgreSQL."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """An open store on SQLite."""
    opened = Store.open(sqlite_url)
    yield opened
    opened.close()
