"""One serving process a database: the second is refused, and a killed one is in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tansiq.errors import Broken
from tansiq.store import Store

HOLD = (
    "import sys, time; from tansiq.store import Store; s = Store.open(sys.argv[1]);"
    "print(s.alone.take(), flush=True); time.sleep(600)"
)


@pytest.fixture
def other(store_url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that serves the database."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TANSIQ_")}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, store_url], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_process_does_not_get_it_and_after_a_kill_it_does(
    store: Store, other: subprocess.Popen[str]
) -> None:
    assert not store.alone.take()
    assert not store.alone.take()
    store.write(lambda tx: tx.execute(text("select 1")))  # commands beside it write all the same
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert store.alone.take()
    assert store.alone.take(), "who has it has it still"


def test_it_ends_with_the_store_and_can_be_given_back(store: Store, store_url: str) -> None:
    again = Store.open(store_url)
    assert store.alone.take()
    assert not again.alone.take()
    store.alone.give_back()
    assert again.alone.take()
    again.close()
    assert store.alone.take()


@pytest.mark.postgres
def test_a_cut_session_is_noticed_and_the_right_taken_anew(postgres_url: str) -> None:
    store, other = Store.open(postgres_url), Store.open(postgres_url)
    assert store.alone.take()
    cut = "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
    store.write(lambda tx: tx.execute(text(cut)))
    assert store.alone.take(), "nobody else took it meanwhile"
    store.write(lambda tx: tx.execute(text(cut)))
    assert other.alone.take()
    assert not store.alone.take()
    other.close()
    assert store.alone.take()
    store.close()


def test_one_file_has_one_lock_by_whichever_link_and_a_removed_lock_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    first = Store.open(f"sqlite:///{tmp_path / 'real.db'}")
    other = Store.open(f"sqlite:///{tmp_path / 'link.db'}")
    assert first.alone.take()
    assert not other.alone.take()
    (tmp_path / "real.db.serving").unlink()
    assert other.alone.take()
    assert not first.alone.take(), "it learns that another has it"
    other.close()
    assert first.alone.take()
    first.close()
    first.alone._path = tmp_path / "nowhere" / "x"
    with pytest.raises(Broken, match="lock file"):
        first.alone.take()
