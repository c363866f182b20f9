"""The program as a shell runs it: exit codes, streams, standard input, the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.transcripts import run


def shell(*words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TANSIQ_")}
    return subprocess.run(
        [sys.executable, "-m", "tansiq", *words],
        input=stdin,
        capture_output=True,
        env=clean | environment,
        timeout=120,
        check=False,
    )


@pytest.fixture
def rabat(tmp_path: Path) -> str:
    home = str(tmp_path / "rabat")
    assert run(["--home", home, "node", "init", "--name", "Rabat", "--country", "MA"])[0] == 0
    assert run(["--home", home, "officer", "add", "yasmine", "--role", "analyst"])[0] == 0
    return home


def test_the_home_may_come_from_the_environment(rabat: str) -> None:
    done = shell("duties", "--json", TANSIQ_HOME=rabat)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duties"] == []


def test_a_body_is_read_from_standard_input_and_its_failure_has_one_json_line(rabat: str) -> None:
    done = shell("--home", rabat, "dossier", "open", "report", "-", "--to", "es", "--json", stdin=b'{"sauce": 1}')
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    said = json.loads(done.stdout)
    assert (said["title"], said["field"], said["exit_code"]) == ("Invalid", "sauce", 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe{}",
        b'{"parts": [1, 2]}',
        b'{"facts": {"x": NaN}}',
        b"null",
    ],
    ids=["empty", "open", "deep lists", "deep objects", "not UTF-8", "parts", "NaN", "null"],
)
def test_no_body_breaks_the_program(rabat: str, tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "body"
    file.write_bytes(body)
    code, out, _ = run(["--home", rabat, "dossier", "open", "report", str(file), "--to", "es", "--json"])
    said = json.loads(out)
    assert code in (2, 4), said
    assert said["code"] != "broken.unexpected"


def test_a_damaged_home_says_so_and_shows_no_traceback(rabat: str) -> None:
    Path(rabat, "node.keys").write_bytes(b"nothing")
    code, out, err = run(["--home", rabat, "duties", "--json"])
    assert code in (2, 3, 7, 8)
    assert "Traceback" not in out + err
    Path(rabat, "tansiq.toml").write_text("[node]\nname = 3\nsauce = 1\n", encoding="utf-8")
    code, out, _ = run(["--home", rabat, "duties", "--json"])
    assert code == 2
    assert "tansiq.toml" in json.loads(out)["field"]


def test_options_stand_before_or_after_the_command(rabat: str) -> None:
    first = run(["--home", rabat, "--json", "officer", "list"])
    last = run(["officer", "list", "--json", f"--home={rabat}"])
    assert first[0] == last[0] == 0
    assert json.loads(first[1]) == json.loads(last[1])
