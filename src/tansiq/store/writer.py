"""One writer at a time: takes all works that wait, runs each in a savepoint, commits once, then answers.

Whoever comes while nobody writes writes by itself, in its own thread: handing a work to another thread and waiting for
it costs more than most works. Who comes meanwhile waits in the queue, which the writer thread empties. The main thread
never writes itself: a signal could break into its transaction.

Order of effects, and what a crash leaves: works run → COMMIT (durable from here) → after-commit callbacks → answers.
A crash before COMMIT leaves nothing of the batch, and nobody was told otherwise; a crash after it leaves all of it, and
some callers who were not told. So whoever repeats a work after a crash must do it under an identifier.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from tansiq.errors import Broken, Conflict
from tansiq.store.compiled import run_plain
from tansiq.store.engines import begin_alone, is_busy

T = TypeVar("T")

BATCH_WORKS = 128
BATCH_S = 0.05
"""No new work joins a batch that has run this long: its first caller is waiting."""

_log = structlog.get_logger("tansiq.store")


class _Job:
    """One work and the caller that waits for it."""

    __slots__ = ("after", "answer", "failure", "last", "result", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.answer: Future[Any] = Future()
        self.after: list[Callable[[], None]] = []
        self.last: dict[Hashable, Callable[[], None]] = {}
        self.result: Any = None
        self.failure: BaseException | None = None


class Writer:
    """Owns the one writing connection; every write of this process goes through its queue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: deque[_Job] = deque()
        self._gate = threading.Condition()
        """Owns `_closed`, and who joins the queue: nobody once it is closed, no thread would answer."""
        self._closed = False
        self._turn = threading.Lock()
        """Owns what follows, and the connection."""
        self._writing = 0
        """The thread that has the turn."""
        self._kept: Connection | None = None
        """SQLite's writing connection between two transactions. PostgreSQL's is pinged by its pool before each."""
        self._running: tuple[Connection, _Job] | None = None
        # A daemon: work that was never acknowledged may die with the process, as in a crash.
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; its result after the commit. Raises what `work` raises, or `Broken`."""
        if self._is_writing():
            raise Broken("store.nested_write", "a write was called from inside a write", step="write")
        job = _Job(work)
        with self._gate:
            if self._closed:
                raise Broken("store.closed", "the store is closed", step="write")
            lonely = not self._queue and threading.current_thread() is not threading.main_thread()
            at_once = lonely and self._turn.acquire(blocking=False)
            if not at_once:
                self._queue.append(job)
                self._gate.notify()
        if at_once:
            self._take_turn(job)
        result: T = job.answer.result()
        return result

    def after_commit(self, tx: Connection, do: Callable[[], None]) -> None:
        """Run `do` when the work that now runs has been committed; forget it when the work fails."""
        if not self._is_writing() or self._running is None or self._running[0] is not tx:
            raise Broken("store.after_commit", "after_commit belongs inside a write", step="write")
        self._running[1].after.append(do)

    def at_end(self, tx: Connection, key: Hashable, do: Callable[[], None]) -> None:
        """Run `do` behind the work that now runs, in its savepoint; one `key` once."""
        if not self._is_writing() or self._running is None or self._running[0] is not tx:
            raise Broken("store.at_end", "at_end belongs inside a write", step="write")
        self._running[1].last.setdefault(key, do)

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._gate.notify()
        self._thread.join()

    def _loop(self) -> None:
        while self._wait_for_work():
            self._turn.acquire()
            self._take_turn(None)
        with self._turn:
            if self._kept is not None:
                self._kept.close()

    def _wait_for_work(self) -> bool:
        """False when the store is closed and all is done."""
        with self._gate:
            self._gate.wait_for(lambda: self._queue or self._closed)
            return bool(self._queue)

    def _take_turn(self, own: _Job | None) -> None:
        """One batch by this thread, which has the turn and gives it up: its own work, or what is first in the queue."""
        self._writing = threading.get_ident()
        try:
            if first := own or self._next():
                self._batch(first)
        finally:
            self._writing = 0
            self._turn.release()

    def _next(self) -> _Job | None:
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def _is_writing(self) -> bool:
        return self._writing == threading.get_ident()

    def _batch(self, first: _Job) -> None:
        """One transaction of all works that wait."""
        jobs = [first]
        committed = False
        try:
            with self._connection() as tx:
                _begin(tx)
                self._attempt(tx, first)
                latest = time.monotonic() + BATCH_S
                while len(jobs) < BATCH_WORKS and time.monotonic() < latest and (job := self._next()):
                    jobs.append(job)
                    self._attempt(tx, job)
                tx.commit()
                committed = True
        except Exception as exc:  # noqa: BLE001  # the callers are told; a dead writer thread would leave them waiting
            if not committed:  # else only the connection's return to the pool failed
                _refuse_all(jobs, exc)
                return
        for job in jobs:
            if job.failure is None:
                _call_back(job)
        for job in jobs:
            if job.failure is None:
                job.answer.set_result(job.result)
            else:
                job.answer.set_exception(job.failure)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        tx, self._kept = self._kept or self._engine.connect(), None
        if tx.in_transaction():
            # Somebody used it after its work: nothing of that was promised to anybody, and nobody else shall bear it.
            _log.error("store.used_after_its_work")
            tx.rollback()
        try:
            yield tx
        except BaseException:
            tx.close()
            raise
        if tx.dialect.name == "sqlite":
            self._kept = tx
        else:
            tx.close()

    def _attempt(self, tx: Connection, job: _Job) -> None:
        """Run one work in a savepoint. In plain SQL: `begin_nested` costs four times as much as an insert.

        A work that ended the transaction it was given took the savepoint with it: then the release fails, and with it
        the whole batch, because what the batch had before that work is no longer ours to promise.
        """
        run_plain(tx, "savepoint work")
        self._running = (tx, job)
        try:
            job.result = job.work(tx)
            while job.last:  # one of them may ask for another
                job.last.pop(next(iter(job.last)))()
        except BaseException as exc:  # noqa: BLE001  # whatever it is belongs to the caller; the writer lives on
            job.failure = exc
            run_plain(tx, "rollback to savepoint work")
        finally:
            self._running = None
        run_plain(tx, "release savepoint work")


def _begin(tx: Connection) -> None:
    try:
        begin_alone(tx)
    except OperationalError as exc:
        if not is_busy(exc):
            raise
        # Nothing has run yet, so the caller may simply try again.
        raise Conflict("store.busy", "another process is writing: try again", step="write") from exc


def _call_back(job: _Job) -> None:
    for do in job.after:
        try:
            do()
        except Exception as exc:  # noqa: BLE001  # committed is committed: a failed callback cannot take it back
            _log.error("store.after_commit_failed", failure=type(exc).__name__)


def _refuse_all(jobs: list[_Job], exc: Exception) -> None:
    """The batch was not committed: each caller is told, with its own failure where its work had one."""
    _log.error("store.commit_failed", failure=type(exc).__name__, works=len(jobs))
    for job in jobs:
        if isinstance(exc, Conflict):
            job.answer.set_exception(Conflict(exc.code, exc.message, step=exc.step))
            continue
        broken = Broken("store.commit", "the transaction was not committed", step="write", detail=type(exc).__name__)
        broken.__cause__ = exc
        job.answer.set_exception(job.failure or broken)
