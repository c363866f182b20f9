"""What only SQLite has: a file, its rights, and the settings that make an acknowledged write durable."""

from __future__ import annotations

import stat
from pathlib import Path

from sqlalchemy import Connection

from tansiq.store import Store


def pragma(tx: Connection, name: str) -> object:
    return tx.exec_driver_sql(f"pragma {name}").scalar_one()


def test_an_acknowledged_write_survives_a_power_cut_and_erased_content_is_overwritten(sqlite_store: Store) -> None:
    found = sqlite_store.write(
        lambda tx: [pragma(tx, n) for n in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")]
    )
    assert found == ["wal", 2, 1, 1]  # 2 is FULL


def test_nobody_else_may_read_the_file(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.write(lambda tx: tx.exec_driver_sql("create table t (a)"))
    for path in tmp_path.glob("tansiq.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
