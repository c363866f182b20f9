"""Laws of the store: what was acknowledged is there, what failed is not, whatever met in one commit."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from tansiq.store import Store

tables = MetaData()
numbers = Table("numbers", tables, Column("value", Integer, primary_key=True, autoincrement=False))


class Changed(Exception):
    """The work thought better of it, after it had written."""


@pytest.fixture
def table(store: Store) -> Store:
    store.write(tables.create_all)
    return store


def work_of(value: int, fails: bool, called_back: list[int], store: Store):
    def work(tx: Connection) -> int:
        tx.execute(insert(numbers).values(value=value))
        store.after_commit(tx, lambda: called_back.append(value))
        if fails:
            raise Changed
        return value

    return work


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(works=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=40), threads=st.integers(1, 12))
def test_what_was_acknowledged_is_there_and_nothing_else(
    table: Store, works: list[tuple[int, bool]], threads: int
) -> None:
    table.write(lambda tx: tx.execute(delete(numbers)))
    called_back: list[int] = []
    acknowledged = []
    with ThreadPoolExecutor(threads) as pool:
        answers: list[Future[int]] = [pool.submit(table.write, work_of(*w, called_back, table)) for w in works]
    for answer in answers:
        failure = answer.exception()
        if failure is None:
            acknowledged.append(answer.result())
        else:
            assert isinstance(failure, Changed | IntegrityError)
    with table.read() as tx:
        found = sorted(tx.execute(select(numbers.c.value)).scalars())
    assert found == sorted(acknowledged)  # a value twice is refused by the key, so each stands once
    assert sorted(called_back) == found
    assert set(found) == {value for value, fails in works if not fails}
