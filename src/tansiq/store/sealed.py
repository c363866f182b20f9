"""Rows by their columns, and tables of which one column is sealed: one shape for insert, replace, load and open.

A capability declares its tables and says what is plain; this folder knows none of them. What is sealed is bound to its
table and its row's key: a sealed value that was moved to another row does not open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, insert, select, update

from tansiq.crypto import Vault

Equal = Mapping[str, Any]


def rows(
    tx: Connection, table: Table, *where: ColumnElement[bool], by: Iterable[Any] = (), limit: int = 0, **equal: Any
) -> list[dict[str, Any]]:
    """Rows whose columns equal the given values, in the order of `by`."""
    query = select(table).where(*where, *(table.c[name] == value for name, value in equal.items())).order_by(*by)
    return [dict(r) for r in tx.execute(query.limit(limit) if limit else query).mappings()]


def row(tx: Connection, table: Table, **equal: Any) -> dict[str, Any] | None:
    found = rows(tx, table, limit=1, **equal)
    return found[0] if found else None


def put(tx: Connection, table: Table, **values: Any) -> None:
    """Insert, or replace the row of the same primary key."""
    if not change(tx, table, _key(table, values), **values):
        tx.execute(insert(table).values(**values))


def add(tx: Connection, table: Table, **values: Any) -> bool:
    """Insert; False where the row is there already."""
    if row(tx, table, **_key(table, values)) is not None:
        return False
    tx.execute(insert(table).values(**values))
    return True


def change(tx: Connection, table: Table, where: Equal, **values: Any) -> int:
    condition = (table.c[name] == value for name, value in where.items())
    return tx.execute(update(table).where(*condition).values(**values)).rowcount


def remove(tx: Connection, table: Table, *where: ColumnElement[bool], **equal: Any) -> int:
    return tx.execute(delete(table).where(*where, *(table.c[n] == v for n, v in equal.items()))).rowcount


def _key(table: Table, values: Equal) -> dict[str, Any]:
    return {c.name: values[c.name] for c in table.primary_key.columns}


class Sealed:
    """A table with a column `sealed`. `encode` and `decode` turn what is sealed into bytes and back."""

    def __init__(
        self,
        table: Table,
        encode: Callable[[Any], bytes] = msgspec.msgpack.encode,
        decode: Callable[[bytes], Any] = msgspec.msgpack.decode,
        *,
        joined: str = "/",
    ) -> None:
        self.table, self._encode, self._decode, self._joined = table, encode, decode, joined

    def put(self, tx: Connection, vault: Vault, inner: Any, **plain: Any) -> None:
        """Insert, or replace the row of the same primary key."""
        put(tx, self.table, **plain, sealed=self.seal(vault, inner, plain))

    def add(self, tx: Connection, vault: Vault, inner: Any, **plain: Any) -> bool:
        """Insert; False where the row is there already."""
        return add(tx, self.table, **plain, sealed=self.seal(vault, inner, plain))

    def change(self, tx: Connection, vault: Vault, inner: Any, key: Equal, **plain: Any) -> int:
        """Another content, and what of the plain columns changes with it, for the row of this primary key."""
        return change(tx, self.table, key, **plain, sealed=self.seal(vault, inner, key))

    def load(
        self,
        tx: Connection,
        vault: Vault,
        *where: ColumnElement[bool],
        by: Iterable[Any] = (),
        limit: int = 0,
        **equal: Any,
    ) -> list[tuple[dict[str, Any], Any]]:
        """(plain columns, what was sealed) of each row."""
        return [(r, self.open(vault, r)) for r in rows(tx, self.table, *where, by=by, limit=limit, **equal)]

    def seal(self, vault: Vault, inner: Any, key: Equal) -> bytes:
        return vault.seal(self.table.name, self._name(key), self._encode(inner))

    def open(self, vault: Vault, found: Equal | Row[Any]) -> Any:
        """Raises what the vault raises where the row is not the one that was sealed."""
        plain = found._mapping if isinstance(found, Row) else found
        return self._decode(vault.open(self.table.name, self._name(plain), bytes(plain["sealed"])))

    def _name(self, plain: Mapping[Any, Any]) -> str:
        return self._joined.join(str(plain[c.name]) for c in self.table.primary_key.columns)
