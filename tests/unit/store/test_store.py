"""The store's promises, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from tansiq.errors import Broken, Invalid
from tansiq.store import Store

tables = MetaData()
notes = Table("notes", tables, Column("id", Integer, primary_key=True), Column("text", Text, nullable=False))


@pytest.fixture
def store(store: Store) -> Store:
    """With a table of this test's own: the store knows none."""
    store.write(tables.create_all)
    return store


def put(number: int, text: str = "") -> Callable[[Connection], int]:
    def work(tx: Connection) -> int:
        tx.execute(insert(notes).values(id=number, text=text))
        return 1

    return work


def ids(store: Store) -> list[int]:
    with store.read() as tx:
        return list(tx.execute(select(notes.c.id).order_by(notes.c.id)).scalars())


class Gate:
    """Holds the writer inside a work, so that others queue up behind it and share a batch."""

    def __init__(self, store: Store) -> None:
        self._inside, self._open = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._write, args=(store,))
        self._thread.start()
        assert self._inside.wait(10)

    def _write(self, store: Store) -> None:
        try:
            store.write(self._wait)
        except Broken as exc:
            self.failure = exc

    def _wait(self, _tx: Connection) -> None:
        self._inside.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()
        self._thread.join()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


def queued(store: Store, count: int) -> None:
    """Wait until so many works stand in the queue."""
    for _ in range(1000):
        if len(store._writer._queue) >= count:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the works did not queue")


def test_what_was_written_is_read_as_soon_as_write_returned(store: Store) -> None:
    for number in range(20):
        assert store.write(put(number)) == 1
        assert number in ids(store)


def test_a_work_that_raises_leaves_nothing_and_raises_to_its_caller(store: Store) -> None:
    def work(tx: Connection) -> None:
        put(1)(tx)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        store.write(work)
    assert ids(store) == []


def test_works_that_wait_together_share_one_transaction(store: Store, pool: ThreadPoolExecutor) -> None:
    begun = []

    def work(tx: Connection) -> None:
        begun.append(id(tx.get_transaction()))

    gate = Gate(store)
    waiting = [pool.submit(store.write, work) for _ in range(8)]
    queued(store, 8)
    gate.open()
    for one in waiting:
        one.result(10)
    assert len(begun) == 8
    assert len(set(begun)) == 1


def test_a_failing_work_leaves_its_neighbours_in_the_batch_alone(store: Store, pool: ThreadPoolExecutor) -> None:
    store.write(put(3))
    gate = Gate(store)
    waiting = {number: pool.submit(store.write, put(number)) for number in range(6)}  # 3 is there already
    queued(store, 6)
    gate.open()
    with pytest.raises(IntegrityError):
        waiting.pop(3).result(10)
    assert [one.result(10) for one in waiting.values()] == [1] * 5
    assert ids(store) == [0, 1, 2, 3, 4, 5]


def test_a_failed_statement_inside_a_work_may_be_survived_by_it_in_a_savepoint(store: Store) -> None:
    def work(tx: Connection) -> str:
        put(1)(tx)
        try:
            with tx.begin_nested():
                put(1)(tx)
        except IntegrityError:
            put(2)(tx)
        return "went on"

    assert store.write(work) == "went on"
    assert ids(store) == [1, 2]


def test_many_threads_write_each_of_their_works_once(store: Store, pool: ThreadPoolExecutor) -> None:
    assert sum(pool.map(store.write, [put(n) for n in range(300)])) == 300
    assert ids(store) == list(range(300))


def test_works_never_run_side_by_side_whoever_runs_them(store: Store, pool: ThreadPoolExecutor) -> None:
    """In the thread of a caller that found nobody writing, or in the writer thread."""
    inside: set[int] = set()

    def work(tx: Connection) -> int:
        assert not inside, "another work is running"
        inside.add(threading.get_ident())
        tx.execute(insert(notes).values(text=""))
        inside.clear()
        return threading.get_ident()

    own = [pool.submit(lambda: store.write(work) == threading.get_ident()) for _ in range(200)]
    mine = [store.write(work) for _ in range(20)]
    assert len([one.result(10) for one in own]) == 200
    assert threading.get_ident() not in mine, "a signal could break into it"
    assert len(ids(store)) == 220
    assert pool.submit(lambda: store.write(work) == threading.get_ident()).result(10), "nobody else writes"


def test_a_write_inside_a_write_is_refused_at_once(store: Store) -> None:
    with pytest.raises(Broken) as caught:
        store.write(lambda _tx: store.write(put(1)))
    assert caught.value.code == "store.nested_write"
    assert ids(store) == []
    assert store.write(put(2)) == 1


def test_a_work_that_ends_the_transaction_breaks_its_batch_and_not_the_store(store: Store) -> None:
    with pytest.raises(Broken) as caught:
        store.write(lambda tx: (put(1)(tx), tx.rollback()))
    assert caught.value.code == "store.commit"
    assert ids(store) == []
    assert store.write(put(2)) == 1


def test_a_failed_commit_is_told_to_every_caller_of_the_batch(store: Store, pool: ThreadPoolExecutor) -> None:
    def work(tx: Connection) -> None:
        tx.connection.dbapi_connection.close()  # the database goes away under the batch

    gate = Gate(store)
    waiting = []
    for one in (put(10), put(11), work):
        waiting.append(pool.submit(store.write, one))
        queued(store, len(waiting))
    gate.open()
    for one in waiting:
        with pytest.raises(Broken) as caught:
            one.result(10)
        assert caught.value.code == "store.commit"
    assert isinstance(gate.failure, Broken)
    assert ids(store) == []
    assert store.write(put(2)) == 1


def test_what_runs_after_commit_sees_the_commit_and_runs_in_order_before_write_returns(store: Store) -> None:
    seen: list[object] = []

    def work(tx: Connection) -> None:
        store.after_commit(tx, lambda: seen.append("first"))
        store.after_commit(tx, lambda: seen.append(ids(store)))
        put(1)(tx)

    store.write(work)
    assert seen == ["first", [1]]


def test_what_a_failed_work_wanted_after_commit_is_forgotten(store: Store) -> None:
    seen: list[str] = []

    def work(tx: Connection) -> None:
        store.after_commit(tx, lambda: seen.append("ran"))
        raise LookupError

    with pytest.raises(LookupError):
        store.write(work)
    assert seen == []


def test_what_runs_at_the_end_of_a_work_sees_all_of_it_and_runs_once(store: Store) -> None:
    seen: list[object] = []

    def work(tx: Connection) -> None:
        for _ in range(2):
            store.at_end(tx, "count", lambda: seen.append(list(tx.execute(select(notes.c.id)).scalars())))
        put(1)(tx)
        store.at_end(tx, "other", lambda: seen.append("other"))
        put(2)(tx)

    store.write(work)
    store.write(put(3))
    assert seen == [[1, 2], "other"]


def test_what_fails_at_the_end_of_a_work_takes_the_work_with_it(store: Store) -> None:
    def work(tx: Connection) -> None:
        put(1)(tx)
        store.at_end(tx, "fail", lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        store.write(work)
    assert ids(store) == []


def test_at_end_outside_a_write_is_refused(store: Store) -> None:
    with store.read() as tx, pytest.raises(Broken) as caught:
        store.at_end(tx, "key", lambda: None)
    assert caught.value.code == "store.at_end"


def test_a_failure_after_commit_takes_nothing_back(store: Store) -> None:
    def work(tx: Connection) -> str:
        store.after_commit(tx, lambda: 1 // 0)
        put(1)(tx)
        return "committed"

    assert store.write(work) == "committed"
    assert ids(store) == [1]


def test_after_commit_outside_a_write_is_refused(store: Store) -> None:
    with store.read() as tx, pytest.raises(Broken) as caught:
        store.after_commit(tx, lambda: None)
    assert caught.value.code == "store.after_commit"


def test_a_reader_keeps_its_snapshot_and_never_writes(store: Store) -> None:
    store.write(put(1))
    count = select(func.count()).select_from(notes)
    with store.read() as tx:
        assert tx.execute(count).scalar_one() == 1
        store.write(put(2))
        assert tx.execute(count).scalar_one() == 1
    with store.read() as tx:
        assert tx.execute(count).scalar_one() == 2
    with store.read() as tx, pytest.raises(DBAPIError):
        put(3)(tx)


def test_no_reader_leaves_its_snapshot_to_the_next(store: Store) -> None:
    """Whether it came to its end, failed on the way, or began inside another."""
    count = select(func.count()).select_from(notes)

    def see() -> int:
        with store.read() as tx:
            return int(tx.execute(count).scalar_one())

    for number in range(1, 13, 4):
        store.write(put(number))
        assert see() == number
        with pytest.raises(DBAPIError), store.read() as tx:
            put(0)(tx)
        store.write(put(number + 1))
        assert see() == number + 1
        with store.read() as outer:
            assert outer.execute(count).scalar_one() == number + 1
            store.write(put(number + 2))
            assert see() == number + 2
            assert outer.execute(count).scalar_one() == number + 1
        store.write(put(number + 3))
        assert see() == number + 3


def test_more_readers_at_once_than_are_kept(store: Store, pool: ThreadPoolExecutor) -> None:
    store.write(put(1))
    together = threading.Barrier(8)

    def see(_: int) -> int:
        with store.read() as tx, store.read() as other:
            together.wait()
            return len(tx.execute(select(notes)).all()) + len(other.execute(select(notes)).all())

    assert list(pool.map(see, range(16))) == [2] * 16


def test_two_stores_on_one_database_take_turns(store: Store, store_url: str) -> None:
    """A command beside a running node: read, think, write must not lose the other's write."""
    other = Store.open(store_url)
    store.write(put(0, "0"))

    def increase(tx: Connection) -> None:
        value = int(tx.execute(select(notes.c.text)).scalar_one())
        tx.execute(notes.update().values(text=str(value + 1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (store, other)[n % 2].write(increase), range(100)))
    with other.read() as tx:
        assert tx.execute(select(notes.c.text)).scalar_one() == "100"
    other.close()


def test_a_store_is_opened_while_another_writes(store: Store, store_url: str) -> None:
    """A command must not wait for a long import of the running node, as long as it only reads."""
    gate = Gate(store)
    other = Store.open(store_url)
    other.ping()
    gate.open()
    other.close()


def test_what_is_queued_is_finished_before_close_and_later_writes_are_refused(store_url: str) -> None:
    opened = Store.open(store_url)
    opened.write(tables.create_all)
    gate = Gate(opened)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(opened.write, put(n)) for n in range(5)]
        queued(opened, 5)
        closing = pool.submit(opened.close)
        gate.open()
        assert [one.result(10) for one in waiting] == [1] * 5
        closing.result(10)
    with pytest.raises(Broken) as caught:
        opened.write(put(9))
    assert caught.value.code == "store.closed"
    opened.close()


def test_ping_tells_whether_the_database_answers(store: Store) -> None:
    store.ping()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "sqlite:////no/such/folder/x.db"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Store.open(url)
    assert caught.value.field == "database.url"
    assert "folder/x.db" not in str(caught.value)


def test_a_database_that_does_not_answer_is_broken_and_its_address_is_not_told() -> None:
    with pytest.raises(Broken) as caught:
        Store.open("postgresql://someone:secret@127.0.0.1:1/none?connect_timeout=2")
    assert caught.value.code == "store.unavailable"
    assert "secret" not in str(caught.value)
