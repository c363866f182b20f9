"""One serving process a database: the second is refused, and a killed one is in nobody's way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from tansiq.errors import Broken
from tansiq.store import Store, alone
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually

HOLD = (
    "import sys, time; from tansiq.store import Store; s = Store.open(sys.argv[1]);"
    "print(s.alone.take(), flush=True); time.sleep(600)"
)

CUT = "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"


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
    assert eventually(store.alone.take), "the database finds out when it sees the line cut"
    assert store.alone.take(), "who has it has it still"


def test_it_ends_with_the_store_and_can_be_given_back(store: Store, store_url: str) -> None:
    again = Store.open(store_url)
    assert store.alone.take()
    assert not again.alone.take()
    store.alone.give_back()
    assert again.alone.take()
    again.close()
    assert eventually(store.alone.take)


@pytest.mark.postgres
def test_a_cut_session_is_noticed_and_the_right_taken_anew(postgres_url: str) -> None:
    store, other = Store.open(postgres_url), Store.open(postgres_url)
    assert store.alone.take()
    store.write(lambda tx: tx.execute(text(CUT)))
    assert store.alone.take(), "nobody else took it meanwhile"
    store.write(lambda tx: tx.execute(text(CUT)))
    assert eventually(other.alone.take)
    assert not store.alone.take()
    other.close()
    assert eventually(store.alone.take)
    store.close()


class Silent(threading.Thread):
    """A proxy before PostgreSQL that can stop passing bytes on the lines that there are, and closes nothing."""

    def __init__(self, target: str) -> None:
        super().__init__(daemon=True)
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._lines = 0
        self._until = 0

    def silence(self) -> None:
        self._until = self._lines

    def run(self) -> None:
        while True:
            near, _ = self._server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(a, b, self._lines), daemon=True).start()
            self._lines += 1

    def _pass(self, source: socket.socket, target: socket.socket, number: int) -> None:
        with suppress(OSError):
            while got := source.recv(65536):
                if number < self._until:
                    threading.Event().wait()
                target.sendall(got)


@pytest.mark.postgres
def test_a_line_that_passes_no_bytes_and_closes_nothing_is_a_lost_turn(
    postgres_server: PostgresServer, postgres_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "ANSWER_S", 0.5)
    with postgres_server.database(postgres_template) as url:
        proxy = Silent(str(next(postgres_server.folder.glob(".s.PGSQL.*[0-9]"))))
        proxy.start()
        through = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
        first, other = Store.open(through.render_as_string(hide_password=False)), Store.open(url)
        assert first.alone.take()
        assert not other.alone.take()
        proxy.silence()
        answered: list[bool] = []

        def ask() -> None:
            while not answered:
                with suppress(SQLAlchemyError):  # a busy machine may not open a new line in time: as `serve`, ask again
                    answered.append(first.alone.take())

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(60)
        assert answered == [False], "the server counts the former session still: its turn is lost"
        other.write(lambda tx: tx.execute(text(CUT)))
        assert other.alone.take()
        assert not first.alone.take()
        other.close()


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
