"""A PostgreSQL that restarts under a node: who reads meanwhile is told so, and afterwards nothing has to be started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tansiq.dossiers.records import load_by_prefix
from tansiq.errors import Broken
from tansiq.store import Store, engines
from tansiq.web.problems import document_response
from tests.support.postgres import PostgresServer, database_of

pytestmark = pytest.mark.postgres


@contextmanager
def away(server: PostgresServer, url: str) -> Iterator[None]:
    """The database lets nobody in, and has cut every line."""
    name = database_of(url)
    cut(server, url)
    server.admin.execute(f"alter database {name} with allow_connections false")
    try:
        cut(server, url)
        yield
    finally:
        server.admin.execute(f"alter database {name} with allow_connections true")


def cut(server: PostgresServer, url: str) -> None:
    server.admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database_of(url)]
    )


def put(tx: Connection, key: bytes) -> None:
    tx.execute(text("insert into access_attempts values (:key, 1, '', '')"), {"key": key})


def there(store: Store) -> int:
    with store.read() as tx:
        return int(tx.execute(text("select count(*) from access_attempts")).scalar_one())


def ask(store: Store, *steps: str | Callable[[], None]) -> None:
    """In one reading."""
    with store.read() as tx:
        for step in steps:
            tx.execute(text(step)) if isinstance(step, str) else step()


def test_who_reads_while_it_is_away_is_told_so_and_reads_again_afterwards(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    store = Store.open(postgres_url)
    store.write(lambda tx: put(tx, b"before"))
    assert there(store) == 1
    with away(postgres_server, postgres_url):
        for _ in range(3):
            with pytest.raises(Broken) as caught:
                there(store)
            assert caught.value.code == "store.unavailable"
        with pytest.raises(Broken):
            store.write(lambda tx: put(tx, b"lost"))
    assert there(store) == 1
    store.write(lambda tx: put(tx, b"after"))
    assert there(store) == 2
    store.close()


def test_a_line_that_is_cut_in_the_middle_of_a_reading_is_no_fault_of_the_program(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    store = Store.open(postgres_url)
    with pytest.raises(Broken) as caught:
        ask(store, "select 1", lambda: cut(postgres_server, postgres_url), "select 1")
    assert caught.value.code == "store.unavailable"
    assert there(store) == 0
    answer = document_response(caught.value)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    store.close()


def test_a_statement_that_is_wrong_is_not_taken_for_a_database_that_is_away(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    with pytest.raises(ProgrammingError):
        ask(store, "select 1 from no_such_table")
    with pytest.raises(OperationalError) as late:
        ask(store, "set local statement_timeout = 1", "select pg_sleep(1)")
    assert not engines.is_gone(late.value), "it took too long, and would again"
    store.close()


def test_a_full_pool_says_so(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_READERS", 1)
    monkeypatch.setattr(engines, "_MORE_READERS", 0)
    store = Store.open(postgres_url)
    store._reads.pool._timeout = 0.05  # type: ignore[attr-defined]
    with store.read() as tx:
        tx.execute(text("select 1"))
        with pytest.raises(Broken) as caught:
            there(store)
    assert caught.value.code == "store.unavailable"
    assert there(store) == 0
    store.close()


def test_no_order_of_a_language_hides_a_dossier_from_its_first_characters(postgres_server: PostgresServer) -> None:
    """`~` stands behind `f` in the order of bytes alone."""
    name = "by_language"
    postgres_server.admin.execute(
        f"create database {name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'"
    )
    store = Store.open(postgres_server.url(name))
    row = text("insert into dossiers values (:id, 'report', 'ma', '', 'open', '', '', 0)")
    ids = ["d-41c0" + "f" * 28, "d-41c1" + "0" * 28, "d-5" + "0" * 31]
    store.write(lambda tx: [tx.execute(row, {"id": i}) for i in ids])
    with store.read() as tx:
        assert load_by_prefix(tx, "d-41c0") == ids[:1]
        assert sorted(load_by_prefix(tx, "d-41")) == ids[:2]
        assert load_by_prefix(tx, "d-41c0e") == []
    store.close()
    postgres_server.admin.execute(f"drop database {name} with (force)")
