"""A whole database as one stream of rows, and back: what a backup keeps.

The stream is of neither database: what was copied from SQLite can be put into PostgreSQL, and the other way round. It
names the revision of its tables, so a newer program takes it and brings it up to date. What stands in the rows is as
it is in the database: personal data sealed by the vault.

The stream: messages, each preceded by its length in four bytes. First `[version, revision, [[table, [column...]]...]]`,
then `[table's number, [row...]]` as often as needed, last `[-1, [rows of each table]]`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import URL, Column, Connection, Engine, MetaData, Table, inspect, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from tansiq.errors import Broken, Conflict, Invalid
from tansiq.store import engines, migrations

VERSION = 1
ROWS = 50
"""So many rows are read, and stand in a message, at a time: the largest hold two megabytes."""
MAX_MESSAGE = 1 << 30
_LENGTH = struct.Struct(">I")
_END = -1
_HISTORY = "alembic_version"


def copy_out(tx: Connection, out: BinaryIO) -> int:
    """Write all rows of all tables, as this one snapshot has them; how many they were."""
    tables = _tables(tx)
    _write(
        out, [VERSION, migrations.revision_of(tx), [[str(t.name), [str(c.name) for c in t.columns]] for t in tables]]
    )
    counts = [_copy_table(tx, number, table, out) for number, table in enumerate(tables)]
    _write(out, [_END, counts])
    return sum(counts)


def _copy_table(tx: Connection, number: int, table: Table, out: BinaryIO) -> int:
    count = 0
    found = tx.execute(select(table), execution_options={"yield_per": ROWS})
    for part in found.partitions():
        _write(out, [number, [list(row) for row in part]])
        count += len(part)
    return count


def copy_in(url: str, source: BinaryIO) -> int:
    """Make the tables in an empty database and put the rows into them: all or nothing; how many they were.

    Raises `Conflict` where the database is not empty, `Broken` where a newer program made the copy or the database does
    not answer, `Invalid` on a stream that is none.
    """
    address = engines.parse_url(url)
    made = _file_of(address) if _is_missing(address) else None
    writes, reads = engines.open_engines(address)
    try:
        with writes.connect() as tx:
            engines.begin_alone(tx)
            if inspect(tx).get_table_names():
                raise _taken()
            count = _put_all(tx, source)
            tx.commit()
            made = None
            return count
    except OperationalError as exc:
        raise _unavailable() from exc
    except SQLAlchemyError as exc:
        raise _malformed() from exc
    finally:
        _let_go(writes, reads)
        if made is not None:
            made.unlink(missing_ok=True)


def is_empty(url: str) -> bool:
    """Whether there is nothing in this database yet. Raises `Broken` where it does not answer."""
    address = engines.parse_url(url)
    if _is_missing(address):
        return True
    writes, reads = engines.open_engines(address)
    try:
        with reads.connect() as tx:
            return not inspect(tx).get_table_names()
    except OperationalError as exc:
        raise _unavailable() from exc
    finally:
        _let_go(writes, reads)


def _is_missing(address: URL) -> bool:
    """An SQLite file that is not there is not made by looking."""
    return address.get_backend_name() == "sqlite" and not _file_of(address).exists()


def _file_of(address: URL) -> Path:
    return Path(str(address.database))


def _put_all(tx: Connection, source: BinaryIO) -> int:
    messages = _messages(source)
    version, revision, listed = _shape(next(messages, None), 3)
    if version != VERSION:
        raise Broken("store.copy_version", "a newer program made this copy", step="restore", hint="update this program")
    migrations.upgrade(tx, str(revision))
    there = {table.name: table for table in _tables(tx)}
    tables = [_chosen(there, name, columns) for name, columns in listed]
    if {t.name for t in tables} != set(there):
        raise _malformed()
    for table in reversed(tables):  # a migration may have put rows into what it made
        tx.execute(table.delete())
    counts = [0] * len(tables)
    for number, rows in (_shape(m, 2) for m in messages):
        if number == _END:
            if rows != counts or next(messages, None) is not None:
                raise _malformed()
            _count_on(tx, tables)
            return sum(counts)
        _put(tx, tables[number], rows)
        counts[number] += len(rows)
    raise _malformed()  # its end is missing


def _put(tx: Connection, table: Table, rows: list[list[Any]]) -> None:
    names = [c.name for c in table.columns]
    tx.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def _count_on(tx: Connection, tables: list[Table]) -> None:
    """PostgreSQL gives numbers of its own where a row names none: they go on behind those that came."""
    if tx.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.columns:
            name = {"of": f'"{table.name}"', "column": column.name}
            sequence = tx.execute(text("select pg_get_serial_sequence(:of, :column)"), name).scalar()
            if sequence is not None:
                last = tx.execute(select(column).order_by(column.desc()).limit(1)).scalar()
                if last is not None:
                    tx.execute(text("select setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _tables(tx: Connection) -> list[Table]:
    """As the database has them, each behind those that it refers to: this program's own may be newer."""
    found, of = inspect(tx), MetaData()
    names = [name for name, _ in found.get_sorted_table_and_fkc_names() if name and name != _HISTORY]
    return [Table(n, of, *[Column(c["name"], c["type"]) for c in found.get_columns(n)]) for n in names]


def _chosen(there: dict[str, Table], name: str, columns: list[str]) -> Table:
    """The table with its columns in the order of the copy."""
    table = there.get(name)
    if table is None or {c.name for c in table.columns} != set(columns):
        raise _malformed()
    return Table(name, MetaData(), *[Column(c, table.columns[c].type) for c in columns])


def _write(out: BinaryIO, message: list[Any]) -> None:
    raw = msgspec.msgpack.encode(message)
    out.write(_LENGTH.pack(len(raw)))
    out.write(raw)


def _messages(source: BinaryIO) -> Iterator[list[Any]]:
    while head := source.read(_LENGTH.size):
        size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else MAX_MESSAGE + 1
        raw = source.read(size) if size <= MAX_MESSAGE else b""
        if len(raw) != size:
            raise _malformed()
        try:
            yield msgspec.msgpack.decode(raw, type=list[Any])
        except msgspec.DecodeError as exc:
            raise _malformed() from exc


def _shape(message: list[Any] | None, size: int) -> list[Any]:
    if message is None or len(message) != size:
        raise _malformed()
    return message


def _let_go(writes: Engine, reads: Engine) -> None:
    writes.dispose()
    reads.dispose()


def _unavailable() -> Broken:
    return Broken("store.unavailable", "the database does not answer", step="restore", field="database")


def _malformed() -> Invalid:
    return Invalid("store.copy", "this is no whole copy of a database", step="restore", field="database")


def _taken() -> Conflict:
    return Conflict(
        "store.taken",
        "this database is not empty: nothing is put over a node that is there",
        step="restore",
        field="database",
        hint="give an empty one (docs/operating.md, Restore), or name it by --database",
    )
