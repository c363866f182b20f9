"""The README's first steps, line by line as a newcomer types them: each of them works, in this order."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from tansiq.cli.main import call

README = Path(__file__).parents[2] / "README.md"
PROGRAM = ".venv/bin/tansiq "
NOT_HERE = ("make dev", "serve", "proof.json", "m-...")
"""What makes the environment, what runs until it is stopped, and what needs an id that only the reader has."""


def blocks() -> list[list[str]]:
    text = README.read_text(encoding="utf-8")
    steps = text[text.index("## First steps") : text.index("## How it holds together")]
    return [b.strip().splitlines() for b in re.findall(r"```\n(.*?)```", steps, re.S)]


def run(line: str) -> int:
    """A line of a shell, as far as the README uses one: a comment, a redirection, `echo`."""
    line = line.removeprefix(PROGRAM).partition("    #")[0]
    command, arrow, target = next((x for x in (line.partition(" >> "), line.partition(" > ")) if x[1]), (line, "", ""))
    words = shlex.split(command)
    out, err = io.StringIO(), io.StringIO()
    if words[0] == "echo":
        out.write(" ".join(words[1:]) + "\n")
        code = 0
    else:
        with redirect_stdout(out), redirect_stderr(err):
            code = call(words[1:] if words[0] == "tansiq" else words)
    if target:
        with Path(target).open("a" if arrow == " >> " else "w", encoding="utf-8") as file:
            file.write(out.getvalue())
    return code


def test_the_first_steps_run_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    ran = 0
    for lines in blocks():
        for line in lines:
            if any(words in line for words in NOT_HERE):
                continue
            assert run(line) == 0, line
            ran += 1
    assert ran >= 16, "the README lost its steps, or this test cannot read them any more"
    assert list(Path("madrid").iterdir())
