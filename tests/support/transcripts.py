"""Plays transcripts of the command line: text files of commands with their exit codes and lines.

    # a comment
    @ body.json             the indented lines that follow are written into this file
        {"subject": "x"}
    $ tansiq --home rabat node card --json
    ? 0                     the exit code; 0 when left out
    > *fingerprint*         a line of stdout, with wildcards; in this order, others may stand between
    ! tansiq: Invalid: *    a line of stderr
    - Yasmine               a text that stands neither in stdout nor in stderr
    = NODE node             $NODE is from here on the JSON member `node` of stdout (`a.0.b` for a path)

Commands run in this process, in the folder that the test gives, without a TANSIQ_ variable in the environment.
"""

from __future__ import annotations

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template

from tansiq.cli.main import call


@dataclass
class Step:
    """One command and what is expected of it."""

    line: int
    command: str
    code: int = 0
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    keep: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> list[Step]:
    """The steps of a transcript. Raises `ValueError` naming the line that does not fit."""
    steps: list[Step] = []
    files: dict[str, str] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("    ") and name:
            files[name] += line[4:] + "\n"
            continue
        sign, _, rest = line.partition(" ")
        if sign == "@":
            name = rest.strip()
            files[name] = ""
        elif sign == "$":
            steps.append(Step(number, rest, files=files))
            files, name = {}, ""
        elif sign == "?":
            steps[-1].code = int(rest)
        elif sign in (">", "!", "-"):
            {">": steps[-1].out, "!": steps[-1].err, "-": steps[-1].never}[sign].append(rest)
        elif sign == "=":
            variable, path = rest.split()
            steps[-1].keep.append((variable, path))
        elif line and not line.startswith("#"):
            raise ValueError(f"line {number} of the transcript begins with no sign")
    return steps


def play(text: str, folder: Path) -> None:
    """Runs every step in `folder`, which must be the current one; an `AssertionError` names the line."""
    known: dict[str, str] = {}
    for step in parse(text):
        for name, content in step.files.items():
            (folder / name).write_text(Template(content).safe_substitute(known), encoding="utf-8")
        _run(step, known)


def _run(step: Step, known: dict[str, str]) -> None:
    words = shlex.split(Template(step.command).safe_substitute(known))
    assert words[0] == "tansiq", f"line {step.line}: only tansiq is run here"
    code, out, err = run(words[1:])
    seen = f"line {step.line}: {step.command}\n--- stdout\n{out}--- stderr\n{err}---"
    assert code == step.code, f"exit code {code}, expected {step.code}\n{seen}"
    _in_order(out, [Template(p).safe_substitute(known) for p in step.out], seen)
    _in_order(err, [Template(p).safe_substitute(known) for p in step.err], seen)
    for text in step.never:
        assert text not in out + err, f"{text!r} was shown\n{seen}"
    for variable, path in step.keep:
        value = json.loads(out)
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        known[variable] = str(value)


def run(argv: list[str]) -> tuple[int, str, str]:
    """One call in this process: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = call(argv)
    return code, out.getvalue(), err.getvalue()


def _in_order(text: str, patterns: list[str], seen: str) -> None:
    lines = iter(text.splitlines())
    for pattern in patterns:
        assert any(fnmatchcase(line.rstrip(), pattern) for line in lines), f"no line like {pattern!r}\n{seen}"
