"""The database's history, as Alembic migrations: how any older node's tables become today's.

A migration that was released is never edited. It names its tables itself and imports no capability: what a table was
then must not follow what it is now. `tests/unit/store/test_migrations.py` checks that the sum of them is `metadata`.
"""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from tansiq.errors import Broken

HEAD = "0014"
"""The newest revision; a database that stands at it is opened without loading Alembic."""

_ALEMBIC = threading.Lock()
"""Alembic's `op` and `context` are global to the process: two databases must not be migrated through them at once."""


def revision_of(connection: Connection) -> str | None:
    """The revision at which this database stands; None when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def upgrade(connection: Connection, target: str = HEAD) -> None:
    """Bring the tables up to date, in the transaction that the caller began: all of it or nothing.

    Raises `Broken` on a database that a newer program has made: to write into it would be to guess.
    """
    if revision_of(connection) == target:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        with _ALEMBIC:
            command.upgrade(config, target)
    except CommandError as exc:
        raise Broken(
            "store.newer", "the database was made by a newer program", step="migrate", hint="update this program"
        ) from exc
