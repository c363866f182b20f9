"""Statements that run for every entry: put together once, then run on the driver's own cursor.

SQLAlchemy makes the SQL and knows the types, as for every other statement; but what it does again for each execution
costs five times what SQLite needs to run it. Same connection, same transaction, same SQL, same values on both
databases: `tests/unit/store/test_compiled.py` compares them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

Params = Mapping[str, Any]
S = TypeVar("S", bound="Select[Any] | Insert | Update | Delete")
_NONE: Params = {}


class Compiled(Generic[S]):
    """One statement. Safe to share between threads; the parameters are those of `Connection.execute`."""

    def __init__(self, statement: S) -> None:
        self.statement = statement
        """For a rarer variant of it, and for tests."""
        binds = [b for b in visitors.iterate(statement) if isinstance(b, BindParameter) and b.expanding]
        self._lists = [b.key for b in binds if b.required]
        self._constant_lists = any(not b.required for b in binds)
        self._forms: dict[tuple[Any, ...], _Form] = {}

    def all(self, tx: Connection, params: Params = _NONE) -> list[Any]:
        """All rows, their columns by name."""
        form, cursor = self._run(tx, params)
        try:
            return form.rows(cursor, cursor.fetchall())
        finally:
            cursor.close()

    def first(self, tx: Connection, params: Params = _NONE) -> Any:
        """The first row, or None."""
        form, cursor = self._run(tx, params)
        try:
            row = cursor.fetchone()
            return None if row is None else form.rows(cursor, [row])[0]
        finally:
            cursor.close()

    def scalar(self, tx: Connection, params: Params = _NONE) -> Any:
        """The first column of the first row; None where there is no row."""
        row = self.first(tx, params)
        return None if row is None else row[0]

    def scalars(self, tx: Connection, params: Params = _NONE) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self.all(tx, params)]

    def run(self, tx: Connection, params: Params = _NONE) -> int:
        """How many rows it has changed."""
        _form, cursor = self._run(tx, params)
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def many(self, tx: Connection, rows: Sequence[Params]) -> None:
        """Run it for each of the rows; they all have the keys of the first."""
        if not rows:
            return
        _begin(tx)
        form = self._form(tx.dialect, rows[0])
        _execute(tx, form.sql, [form.bind(row) for row in rows], many=True).close()

    def _run(self, tx: Connection, params: Params) -> tuple[_Form, DBAPICursor]:
        if self._lists:
            params = {**params, **{key: _padded(params[key]) for key in self._lists}}
        _begin(tx)
        form = self._form(tx.dialect, params)
        return form, _execute(tx, form.sql, form.bind(params))

    def _form(self, dialect: Dialect, params: Params) -> _Form:
        key = (dialect.name, *params, *[len(params[name]) for name in self._lists])
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _Form(
                self.statement, dialect, params, spread=bool(self._lists) or self._constant_lists
            )
        return form


def _begin(tx: Connection) -> None:
    """As any statement of the connection would."""
    if not tx.in_transaction():
        tx.begin()


def run_plain(tx: Connection, sql: str) -> None:
    """A word of plain SQL inside a transaction, such as a savepoint, or the one that begins it."""
    _execute(tx, sql, ()).close()


def _execute(tx: Connection, sql: str, values: Any, *, many: bool = False) -> DBAPICursor:
    cursor = tx.connection.cursor()
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
    except Exception as exc:
        cursor.close()
        known = tx.dialect.loaded_dbapi.Error
        if not isinstance(exc, known):
            raise
        # The same failure as SQLAlchemy's own, without the values: they may be somebody's data.
        raise DBAPIError.instance(sql, (), exc, known, hide_parameters=True, dialect=tx.dialect) from exc
    return cursor


def _padded(values: Iterable[Any]) -> list[Any]:
    """The list, its last value repeated up to a power of two: a few forms of `in (...)` serve every length."""
    found = list(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found)) if found else found


class _Form:
    """The statement for one database, one set of parameters and one length of each list."""

    def __init__(self, statement: Any, dialect: Dialect, params: Params, *, spread: bool) -> None:
        """`spread`: there are lists in it, of which each value is bound by itself."""
        compiled = statement.compile(dialect=dialect, column_keys=list(params))
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        missing = [name for name, bind in binds.items() if bind.required and name not in params]
        if missing:
            raise KeyError(*missing)
        kinds = {name: bind.type for name, bind in binds.items()}
        fixed = {name: value for name, value in compiled.params.items() if name not in params}
        self._spread: list[tuple[str, list[str]]] = []
        if spread:
            state = compiled.construct_expanded_state({**compiled.params, **params}, escape_names=False)
            for key, names in state.parameter_expansion.items():
                kinds |= dict.fromkeys(names, kinds.pop(key))
                if key in params:
                    self._spread.append((key, names))
                else:
                    fixed |= zip(names, fixed.pop(key), strict=True)
            self.sql: str = state.statement
            order = state.positiontup
        else:
            self.sql = compiled.string
            order = compiled.positiontup
        self._fixed = fixed
        self._named = order is None
        self._names = tuple(kinds if order is None else order)
        found = {n: kinds[n].dialect_impl(dialect).bind_processor(dialect) for n in self._names}
        self._processors = [(place, process) for place, n in enumerate(self._names) if (process := found[n])]
        self._statement = statement
        self._dialect = dialect
        self._reader: _Reader | None = None

    def bind(self, params: Params) -> Any:
        if self._fixed or self._spread:
            given = {**self._fixed, **params}
            for key, names in self._spread:
                given.update(zip(names, params[key], strict=True))
            params = given
        values = [params[name] for name in self._names]
        for place, process in self._processors:
            values[place] = process(values[place])
        return dict(zip(self._names, values, strict=True)) if self._named else values

    def rows(self, cursor: DBAPICursor, found: Sequence[Any]) -> list[Any]:
        if self._reader is None:
            self._reader = _Reader(self._statement, self._dialect, cursor)
        return self._reader.rows(found)


class _Reader:
    """How the rows of a form are read: the driver's first answer says how it gives each column."""

    def __init__(self, statement: Any, dialect: Dialect, cursor: DBAPICursor) -> None:
        # Hazard: only asked where rows come back. SQLAlchemy remembers `exported_columns`, also for statements made of
        # this one by a later `returning`.
        columns = list(statement.selected_columns if isinstance(statement, Select) else statement.exported_columns)
        self._row: Any = namedtuple("_Row", [c.key for c in columns], rename=True)  # type: ignore[misc]  # known here
        told = zip(columns, cursor.description, strict=True)
        made = [c.type.dialect_impl(dialect).result_processor(dialect, given[1]) for c, given in told]
        self._processors = [(place, process) for place, process in enumerate(made) if process is not None]

    def rows(self, found: Sequence[Any]) -> list[Any]:
        if self._processors:
            found = [self._processed(row) for row in found]
        return [self._row._make(row) for row in found]

    def _processed(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, process in self._processors:
            values[place] = process(values[place])
        return values
