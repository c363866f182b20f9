"""Fixtures that every folder of tests may use.

`store` runs a test on both databases (`-m "not postgres"` leaves SQLite); `sqlite_store` on SQLite alone, for tests
whose subject is not the database. `store_url` and `sqlite_url` are for tests that open and close it themselves; a
`new_url` has no tables yet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tansiq.store import Store
from tests.support.postgres import NoPostgres, PostgresServer, database_of, running_postgres

# Commands speak the language of the terminal: tests read English, wherever they run.
os.environ["TANSIQ_LANG"] = "en"
# No deadline: the machines of developers and CI are shared, and a slow example is not a wrong one.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("night", deadline=None, max_examples=2000)
settings.load_profile("dev")


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """A command sends its log to the error stream of its call, which a test takes away at its end: so does this.

    Else whatever logs in a later test of the same process would write into a closed stream, or where nobody looks.
    """
    yield
    structlog.reset_defaults()


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session, started by the first test that needs it."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """A database whose tables are made: a copy of it is ten times quicker than making them again."""
    with postgres_server.database() as url:
        Store.open(url).close()
        yield database_of(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file whose tables are made."""
    path = tmp_path_factory.mktemp("template") / "tansiq.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database: the tables, and nothing in them."""
    with postgres_server.database(postgres_template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh SQLite file: the tables, and nothing in them."""
    path = tmp_path / "tansiq.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


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


@pytest.fixture(params=BOTH)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of either kind that no store has opened yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url
