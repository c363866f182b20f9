"""Every command teaches: what it does, with a line that can be copied, and what each of its words means."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from tansiq.cli.main import VALUED, app, globals_first


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, found in getattr(command, "commands", {}).items():
        yield from commands(found, (*path, name))
    if path and not hasattr(command, "commands"):
        yield path, command


EVERY = dict(commands(get_command(app)))


def lines(command: Any) -> list[str]:
    return [line.strip() for line in str(command.help).splitlines() if line.strip().startswith("tansiq ")]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_a_command_says_what_it_does_what_its_words_mean_and_shows_itself(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    assert str(command.help).strip()[0].isupper()
    unexplained = [p.name for p in command.params if not getattr(p, "help", "")]
    assert unexplained == []
    assert lines(command), "no example"


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_an_example_names_its_command_and_only_options_that_there_are(path: tuple[str, ...]) -> None:
    """`serve` is shown by its short name; the rest as they are."""
    known = {o for p in EVERY[path].params for o in (*p.opts, *p.secondary_opts)} | VALUED | {"--json"}
    for line in lines(EVERY[path]):
        words = globals_first(shlex.split(line)[1:])
        at = 0
        while words[at].startswith("-"):
            at += 2 if words[at] in VALUED and "=" not in words[at] else 1
        said = tuple(words[at : at + len(path)])
        assert said == path or (path == ("node", "serve") and said[0] == "serve"), line
        options = {w.split("=")[0] for w in words if re.match(r"--[a-z]", w)}
        assert options <= known, line


def test_the_walk_finds_them_all() -> None:
    assert len(EVERY) > 70
    assert ("ledger", "settle") in EVERY
