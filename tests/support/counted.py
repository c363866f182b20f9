"""How many statements a verb says to its database: what a list of much must not say more of where there is more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tansiq.store import compiled


@contextmanager
def statements() -> Iterator[list[str]]:
    """All that are said meanwhile, in this process: SQLAlchemy's own and the compiled ones."""
    said: list[str] = []
    real = compiled._execute

    def plainly(tx: Any, sql: str, values: Any, *, many: bool = False) -> Any:
        said.append(sql)
        return real(tx, sql, values, many=many)

    def heard(_connection: Any, _cursor: Any, sql: str, *_more: Any) -> None:
        said.append(sql)

    compiled._execute = plainly
    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
        compiled._execute = real
