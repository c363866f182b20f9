"""One process serves a database; a second waits for its turn and goes on where a killed one stopped (ADR 15)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tansiq.store import Store
from tests.cli.test_beside_a_running_node import free_port, wait_for
from tests.conftest import BOTH
from tests.support.postgres import PostgresServer
from tests.support.transcripts import run

Serve = Callable[[str], tuple["subprocess.Popen[bytes]", int]]


def said(*words: str, code: int = 0) -> dict[str, Any]:
    ended, out, err = run([*words, "--json"])
    assert ended == code, out + err
    return json.loads(out)


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path / 'shared.db'}"
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            yield stack.enter_context(server.database(request.getfixturevalue("postgres_template")))


@pytest.fixture
def homes(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A node's home, and the copy of it on a second machine, which listens elsewhere here."""
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    first, second = tmp_path / "first", tmp_path / "second"
    said("--home", str(first), "node", "init", "--name", "Rabat", "--country", "MA", "--database", database)
    said("--home", str(first), "officer", "add", "yasmine", "--role", "analyst")
    shutil.copytree(first, second)
    return str(first), str(second)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[subprocess.Popen[bytes]] = []

    def start(home: str) -> tuple[subprocess.Popen[bytes], int]:
        pages, door = free_port(), free_port()
        settings = Path(home) / "tansiq.toml"
        lines = [line for line in settings.read_text("utf-8").splitlines() if not line.startswith("port =")]
        ports = {"[web]": pages, "[exchange]": door}
        lines = [x for line in lines for x in ([line, f"port = {ports[line]}"] if line in ports else [line])]
        settings.write_text("\n".join(lines), "utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TANSIQ_")}
        log = (tmp_path / f"{Path(home).name}.log").open("wb")
        words = [sys.executable, "-m", "tansiq", "--home", home, "serve"]
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
        started.append(process)
        return process, door

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.timeout(240)
def test_the_second_is_refused_while_the_first_serves_and_takes_over_when_it_is_killed(
    homes: tuple[str, str], serve: Serve
) -> None:
    first, second = homes
    process, door = serve(first)
    wait_for(door, process)
    refused, _ = serve(second)
    assert refused.wait(60) == 5
    told = (Path(second).parent / "second.log").read_text("utf-8")
    assert "node.served" in told
    assert "Ctrl-C" not in told, "nobody answers at the addresses of a machine that was refused"
    assert "Ctrl-C" in (Path(first).parent / "first.log").read_text("utf-8")
    assert said("--home", second, "serve", "--port", "0", code=5)["code"] == "node.served"
    assert said("--home", second, "node", "rotate", "--out", "x", code=5)["code"] == "node.running"
    # A command beside it is fine.
    said("--home", second, "--purpose", "investigation", "--why", "case 7", "match", "Torben Westerhagen")
    process.send_signal(signal.SIGKILL)
    process.wait()
    after, door = serve(second)
    wait_for(door, after)
    assert said("--home", second, "ledger", "verify")["ok"]


@pytest.mark.postgres
@pytest.mark.timeout(240)
@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
def test_who_lost_its_turn_by_a_fail_over_ends(homes: tuple[str, str], serve: Serve, database: str) -> None:
    process, door = serve(homes[0])
    wait_for(door, process)
    other = Store.open(database)
    cut = "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
    until = time.monotonic() + 60
    while not other.alone.take():  # it takes its turn again at once where nobody else has
        assert time.monotonic() < until
        other.write(lambda tx: tx.execute(text(cut)))
    assert process.wait(60) == 5, "it serves beside nobody"
    other.close()
