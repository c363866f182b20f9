"""What the store does when the database fails it: says so to whom it concerns, keeps nothing half done, goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from tansiq.errors import Broken, Conflict
from tansiq.store import Store, engines

tables = MetaData()
blobs = Table("blobs", tables, Column("id", Integer, primary_key=True), Column("content", LargeBinary))


def put(number: int, size: int = 1):
    return lambda tx: tx.execute(insert(blobs).values(id=number, content=bytes(size))) and number


def count(store: Store) -> int:
    with store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(blobs)).scalar_one())


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for another process one second only."""
    monkeypatch.setattr(engines, "BUSY_S", 1.0)


@pytest.fixture
def two(brief: None, store_url: str) -> Iterator[tuple[Store, Store]]:
    stores = Store.open(store_url), Store.open(store_url)
    stores[0].write(tables.create_all)
    yield stores
    for one in stores:
        one.close()


def test_a_writer_that_another_process_holds_up_too_long_may_try_again(two: tuple[Store, Store]) -> None:
    busy, waiting = two

    def long_work(tx: Connection) -> None:
        put(1)(tx)
        with pytest.raises(Conflict) as caught:
            waiting.write(put(2))
        assert caught.value.code == "store.busy"

    busy.write(long_work)
    assert waiting.write(put(2)) == 2
    assert count(busy) == 2


def test_a_full_disk_fails_the_work_and_the_store_goes_on(sqlite_store: Store) -> None:
    sqlite_store.write(tables.create_all)
    sqlite_store.write(put(1))
    sqlite_store.write(lambda tx: tx.exec_driver_sql("pragma max_page_count = 1").scalar())
    with pytest.raises((Broken, DBAPIError)):
        sqlite_store.write(put(2, 1_000_000))
    assert count(sqlite_store) == 1
    sqlite_store.write(lambda tx: tx.exec_driver_sql("pragma max_page_count = 1000000").scalar())
    assert sqlite_store.write(put(3, 1_000_000)) == 3
    assert count(sqlite_store) == 2


END_ALL = text(
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = :name"
)


@pytest.mark.postgres
def test_connections_cut_between_two_works_cost_nobody_anything(postgres_url: str) -> None:
    """A fail-over of the database, seen from a node that is idle meanwhile."""
    store, other = Store.open(postgres_url), Store.open(postgres_url)
    store.write(tables.create_all)
    assert count(store) == 0
    with other.read() as tx:
        name = tx.execute(text("select current_database()")).scalar_one()
        tx.execute(END_ALL, {"name": name})
    assert store.write(put(1)) == 1
    assert count(store) == 1
    store.close()
    other.close()


@pytest.mark.postgres
def test_a_connection_cut_inside_a_work_fails_that_work_alone(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    store.write(tables.create_all)

    def work(tx: Connection) -> None:
        put(1)(tx)
        tx.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises((Broken, DBAPIError)):
        store.write(work)
    assert store.write(put(2)) == 2
    assert count(store) == 1
    store.close()
