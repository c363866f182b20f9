"""Connections to the two databases: what differs between them stands here and nowhere else.

SQLite: WAL with synchronous=FULL, so that a power cut loses nothing that was acknowledged; `BEGIN IMMEDIATE` by hand,
because the driver's own transactions begin too late and do not cover DDL.
PostgreSQL: an advisory lock makes writers of several processes take turns, as SQLite's write lock does. So one promise
holds on both: whoever writes sees everything that was committed before, and nobody writes beside it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from psycopg import OperationalError as LostLine
from psycopg.errors import LockNotAvailable
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from tansiq.errors import Invalid
from tansiq.store.compiled import run_plain

BUSY_S = 30.0
"""How long a writer waits for another process's transaction to end."""

STALLED_S = 300.0
CUT_S = 0.25
"""How long writers wait, once an hour at most, for readers to leave SQLite's log; else it is cut at another time."""

_READERS = 8
_MORE_READERS = 56
# Any fixed number; advisory locks are counted per database, so two nodes in two databases never meet.
_WRITER_LOCK = 0x7461_6E73_6971


# A line that went silent (a power cut, dropped packets) is a broken one after some seconds, and not after hours.
_LIVELY = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def parse_url(url: str) -> URL:
    """The database's address with its driver filled in.

    Raises `Invalid`, which never repeats the address: it may hold a password.
    """
    try:
        found = make_url(url)
    except ArgumentError as exc:
        raise Invalid("store.url", "not a database address", step="open store", field="database.url") from exc
    if found.drivername in ("sqlite", "sqlite+pysqlite"):
        if not found.database or found.database == ":memory:":
            raise Invalid("store.url", "SQLite needs a file", step="open store", field="database.url")
        return found.set(drivername="sqlite+pysqlite")
    if found.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return found.set(drivername="postgresql+psycopg")
    raise Invalid(
        "store.url",
        "unknown database",
        step="open store",
        field="database.url",
        hint="sqlite:////path/tansiq.db or postgresql://user@host/database",
    )


def open_engines(url: URL) -> tuple[Engine, Engine]:
    """One engine that writes (a single connection) and one that only reads."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    return _postgresql(url)


def open_lock_engine(url: URL) -> Engine:
    """For a session that only holds a lock: never a pooled one, so that it ends with its use."""
    connect = {**_LIVELY, "connect_timeout": 5}
    return create_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True, connect_args=connect
    )


def begin_alone(connection: Connection) -> None:
    """Begin a write transaction that no other process's write transaction overlaps."""
    connection.begin()
    if connection.dialect.name == "postgresql":
        # A statement of its own: under READ COMMITTED the next one takes its snapshot after the lock was granted.
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})


def is_busy(failure: OperationalError) -> bool:
    """Whether a transaction could not begin because another process's did not end in time."""
    return isinstance(failure.orig, LockNotAvailable) or "locked" in str(failure.orig)


def is_gone(failure: SQLAlchemyError) -> bool:
    """Whether a server has cut the line, refuses one (it starts, stops or is full), or our own pool has no place left.

    By its state: class 08 is the connection, 53 resources, 57P an operator; a line that broke in the middle has none.
    """
    if isinstance(failure, PoolTimeout):
        return True
    told = failure.orig if isinstance(failure, DBAPIError) else None
    state = told.sqlstate if isinstance(told, LostLine) else "-"
    return state is None or state.startswith(("08", "53", "57P"))


def _sqlite(url: URL) -> tuple[Engine, Engine]:
    path = Path(str(url.database))
    if not path.parent.is_dir():
        raise Invalid("store.folder", "the database's folder does not exist", step="open store", field="database.url")
    # The file first, with nobody else's rights; SQLite gives its -wal and -shm the same.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_S}, "hide_parameters": True}
    writes = create_engine(url, pool_size=1, max_overflow=0, **options)
    reads = create_engine(url, pool_size=_READERS, max_overflow=_MORE_READERS, **options)
    event.listen(writes, "connect", _set_up_sqlite_writer)
    event.listen(reads, "connect", _set_up_sqlite_reader)
    event.listen(writes, "begin", lambda c: run_plain(c, "begin immediate"))
    event.listen(reads, "begin", lambda c: run_plain(c, "begin"))
    return writes, reads


def cut_log(file: Path) -> bool:
    """Write SQLite's log into its file, and cut it to nothing; False where a reader kept it from being cut.

    Hazard: the log is written over from its beginning and never shortened. What stood in it before it was erased
    stands in it still, behind the end of a shorter round for as long as the process lives.
    """
    # A connection of its own: the pools' are in use, or would ask for a transaction.
    with closing(sqlite3.connect(file, timeout=CUT_S, isolation_level=None)) as raw:
        busy, *_pages = raw.execute("pragma wal_checkpoint(truncate)").fetchone()
    return not busy


def _set_up_sqlite_writer(raw: Any, _record: Any) -> None:
    raw.isolation_level = None
    for pragma in (
        "journal_mode = wal",
        "synchronous = full",
        "foreign_keys = on",
        "secure_delete = on",  # what was erased is overwritten, not only unlinked
        "temp_store = memory",  # no personal data in temporary files
    ):
        raw.execute(f"pragma {pragma}")


def _set_up_sqlite_reader(raw: Any, _record: Any) -> None:
    raw.isolation_level = None
    raw.execute("pragma query_only = on")
    raw.execute("pragma temp_store = memory")


def _postgresql(url: URL) -> tuple[Engine, Engine]:
    # Pinged before use: a connection that a fail-over has cut must not cost an officer a failed act.
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True, "connect_args": _LIVELY}
    writes = create_engine(url, pool_size=1, max_overflow=0, isolation_level="READ COMMITTED", **options)
    reads = create_engine(
        url, pool_size=_READERS, max_overflow=_MORE_READERS, isolation_level="REPEATABLE READ", **options
    )
    event.listen(writes, "connect", _set_up_postgresql_writer)
    event.listen(reads, "connect", _set_up_postgresql_reader)
    return writes, reads


def _set_up_postgresql_writer(raw: Any, _record: Any) -> None:
    raw.execute(f"set lock_timeout = '{BUSY_S:.0f}s'")
    # A process that stops in the middle of a work (a suspended machine) must not keep the others from writing for good.
    raw.execute(f"set idle_in_transaction_session_timeout = '{STALLED_S:.0f}s'")
    raw.commit()


def _set_up_postgresql_reader(raw: Any, _record: Any) -> None:
    raw.read_only = True
