"""Federations of whole nodes on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import BOTH
from tests.support.postgres import PostgresServer
from tests.support.services import Federation


@pytest.fixture
def make_federation(tmp_path: Path) -> Iterator[Callable[..., Federation]]:
    """Federations on SQLite, closed at the end."""
    made: list[Federation] = []

    def make(label: str = "f", **settings: object) -> Federation:
        folder = tmp_path / label
        federation = Federation(folder, lambda name: f"sqlite:///{folder / name / 'tansiq.db'}", **settings)
        made.append(federation)
        return federation

    yield make
    for federation in made:
        federation.close()


def database_urls(request: pytest.FixtureRequest, kind: str, folder: Path, stack: ExitStack) -> Callable[[str], str]:
    """Node name -> its database, of either kind; a PostgreSQL database lives as long as `stack`."""
    if kind == "sqlite":
        return lambda name: f"sqlite:///{folder / name / 'tansiq.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    tables: str = request.getfixturevalue("postgres_template")
    urls: dict[str, str] = {}

    def url(name: str) -> str:
        if name not in urls:
            urls[name] = stack.enter_context(server.database(tables))
        return urls[name]

    return url


@pytest.fixture(params=BOTH)
def federation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Federation]:
    """Rabat, Madrid and Berlin, pinned to one another."""
    with ExitStack() as stack:
        made = Federation(tmp_path, database_urls(request, request.param, tmp_path, stack))
        made.add("rabat", "madrid", "berlin")
        yield made
        made.close()
