"""What only SQLite has: a file, its rights, and the settings that make an acknowledged write durable."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tansiq.errors import Conflict
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


def on_disk(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in sorted(folder.glob("tansiq.db*")) if words in path.read_bytes()]


def test_what_was_erased_leaves_the_log_of_a_process_that_lives_on(sqlite_store: Store, tmp_path: Path) -> None:
    """Overwritten in the file; in the log it stood as it had been written, until the process ended."""
    words = b"what a sealed part looked like"
    sqlite_store.write(lambda tx: tx.exec_driver_sql("create table t (a)"))
    sqlite_store.write(lambda tx: tx.exec_driver_sql("insert into t values (?)", (words * 400,)))
    sqlite_store.write(lambda tx: tx.exec_driver_sql("delete from t"))
    assert on_disk(tmp_path, words) == ["tansiq.db-wal"]
    with sqlite_store.read() as tx:
        assert tx.exec_driver_sql("select count(*) from t").scalar_one() == 0
        sqlite_store.write(lambda tx: tx.exec_driver_sql("insert into t values ('other')"))
        with pytest.raises(Conflict):
            sqlite_store.forget(patience_s=0.1)
    sqlite_store.forget()
    assert on_disk(tmp_path, words) == []
    sqlite_store.write(lambda tx: tx.exec_driver_sql("insert into t values ('more')"))
    with sqlite_store.read() as tx:
        assert tx.exec_driver_sql("select count(*) from t").scalar_one() == 2
