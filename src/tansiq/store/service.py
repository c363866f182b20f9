"""The verbs of the store: open, write, read, ping, close."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from tansiq.errors import Broken, Conflict, TansiqError
from tansiq.store import engines, migrations
from tansiq.store.alone import Alone
from tansiq.store.writer import Writer

T = TypeVar("T")

KEPT = 8
"""Reading connections that stay at hand."""
OWN_ROOM = 64 * 1024 * 1024
"""Bytes of the disk that no partner fills; of a small disk a twentieth."""


class Store:
    """One open database. Safe to share between threads; open it once per process and close it at the end."""

    def __init__(self, writes: Engine, reads: Engine) -> None:
        self._writes = writes
        self._reads = reads
        self.alone = Alone(writes.url, reads)
        """The right to serve this database, for the one process that has it."""
        self._writer = Writer(writes)
        self._closed = False
        self._kept: list[Connection] = []
        """At rest, none in a transaction. A list's `append` and `pop` need no lock. SQLite alone: to take one from the
        pool costs ten times what most reads cost. PostgreSQL's are pinged by their pool before each use."""
        self._file = Path(str(writes.url.database)) if writes.dialect.name == "sqlite" else None
        self.dialect: Literal["sqlite", "postgresql"] = "sqlite" if writes.dialect.name == "sqlite" else "postgresql"

    @classmethod
    def open(cls, url: str) -> Store:
        """Open `sqlite:////path/tansiq.db` or `postgresql://...` and bring its tables up to date.

        An SQLite file that another process has open is opened beside it. Raises `Invalid` on an address that is none,
        `Broken` when the database does not answer or a newer program has made it, `Conflict` when its tables are those
        of an older program and another process serves them.
        """
        writes, reads = engines.open_engines(engines.parse_url(url))
        try:
            _migrate(writes, reads)
        except (OperationalError, TansiqError) as exc:
            writes.dispose()
            reads.dispose()
            if isinstance(exc, TansiqError):
                raise
            raise Broken(
                "store.unavailable", "the database does not answer", step="open store", field="database",
                hint="does it run, and do [database] url (or TANSIQ_DATABASE) and ~/.pgpass name it?",
            ) from exc  # fmt: skip
        opened = cls(writes, reads)
        opened.alone.revision = migrations.HEAD
        return opened

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return its result once that is durable.

        Works that wait together share one commit. All others wait for `work`: keep it short, no network in it, and let
        it neither commit nor roll back. Raises what `work` raises; `Broken` when the commit failed.
        """
        return self._writer.run(work)

    def at_end(self, tx: Connection, key: Hashable, do: Callable[[], None]) -> None:
        """From inside a work: run `do` once when all of the work has been done, in the same transaction.

        For what needs the whole of it: several callers that give one `key` in one work are served together. What `do`
        raises fails the work.
        """
        self._writer.at_end(tx, key, do)

    def after_commit(self, tx: Connection, do: Callable[[], None]) -> None:
        """From inside a work: run `do` after its commit, before `write` returns. It must be short and may not write."""
        self._writer.after_commit(tx, do)

    def is_write(self, tx: Connection) -> bool:
        """Whether it is a transaction of `write`: what it sees may never be committed."""
        return tx.engine is self._writes

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot, which stands from its first statement on. Never waits for a writer.

        Raises `Broken` (`store.unavailable`) where the database has gone away, or has no place left: the same asked
        again in a moment is answered.
        """
        try:
            connection = self._at_hand()
        except SQLAlchemyError as exc:
            raise (_unavailable("read") if engines.is_gone(exc) else exc) from exc
        try:
            yield connection
            connection.rollback()
        except SQLAlchemyError as exc:
            connection.close()
            raise (_unavailable("read") if engines.is_gone(exc) else exc) from exc
        except BaseException:
            connection.close()
            raise
        if self.dialect == "sqlite" and len(self._kept) < KEPT and not self._closed:
            self._kept.append(connection)
        else:
            connection.close()

    def _at_hand(self) -> Connection:
        try:
            connection = self._kept.pop()
        except IndexError:
            return self._reads.connect()
        if connection.in_transaction():  # used after its block: the snapshot of then is not that of now
            connection.rollback()
        return connection

    def ping(self) -> None:
        """Raises `Broken` when the database does not answer."""
        try:
            with self.read() as connection:
                connection.execute(text("select 1"))
        except SQLAlchemyError as exc:  # no place left in the pool, too: others wait for it already
            raise _unavailable("ping store") from exc

    def has_room(self) -> bool:
        """Whether an SQLite file may grow by what others send: what is left is for our own acts, erasures among them.

        Of a database on another machine nothing is known here.
        """
        if self._file is None:
            return True
        disk = os.statvfs(self._file.parent)
        return disk.f_bavail * disk.f_frsize >= min(OWN_ROOM, disk.f_blocks * disk.f_frsize // 20)

    def forget(self, patience_s: float = 10.0) -> None:
        """Let the disk forget what was erased. Raises `Conflict` where a reader stays in the way: try again later.

        PostgreSQL does it by itself, in its time (docs/operating.md).
        """
        until = time.monotonic() + patience_s
        while self._file is not None and not engines.cut_log(self._file):
            if time.monotonic() > until:
                raise Conflict("store.busy", "a reader keeps what was erased in the log", step="cut the log")
            time.sleep(engines.CUT_S)  # writers have waited as long

    def close(self) -> None:
        """Finish the queued writes and let the database go."""
        self._writer.close()
        self._closed = True
        while self._kept:
            self._kept.pop().close()
        self.alone.give_back()
        self._writes.dispose()
        self._reads.dispose()


def _unavailable(step: str) -> Broken:
    return Broken("store.unavailable", "the database does not answer", step=step)


def _migrate(writes: Engine, reads: Engine) -> None:
    """Bring the tables up to date, alone: two processes that open a new database at once must not both make them."""
    with reads.connect() as connection:
        if migrations.revision_of(connection) == migrations.HEAD:
            return  # the usual case does not wait for whoever is writing
    latest = time.monotonic() + engines.BUSY_S
    while True:
        try:
            with writes.connect() as connection:
                engines.begin_alone(connection)
                with _nobody_serves(connection, reads):
                    migrations.upgrade(connection)
                    connection.commit()
        except OperationalError as exc:
            # SQLite does not wait while a new file is being turned to WAL by another process.
            if not engines.is_busy(exc) or time.monotonic() > latest:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _nobody_serves(connection: Connection, reads: Engine) -> Iterator[None]:
    """Nor begins to, until the tables are changed: who serves would go on with statements for the former ones."""
    if migrations.revision_of(connection) in (None, migrations.HEAD):
        yield  # new, or changed by another process while this one waited
        return
    alone = Alone(connection.engine.url, reads)
    if not alone.take():
        raise Conflict(
            "store.served",
            "an older program serves this database: its tables are not changed meanwhile",
            step="migrate",
            field="database",
            hint="stop the serving process, on whichever machine, then say it again (docs/operating.md, Upgrade)",
        )
    try:
        yield
    finally:
        alone.give_back()
