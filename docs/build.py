"""Rebuilds the pages that are made from the program: commands, life cycles, settings.

`make docs` runs it; `tests/house/test_documents.py` fails when a page differs from what this would write.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from typer.main import get_command

from tansiq.cli.main import app
from tansiq.dossiers import FRAME_ACTS
from tansiq.dossiers.model import ActRule, Kind
from tansiq.kinds import KINDS, cycle_of
from tansiq.kinds.items import Move
from tansiq.settings import Settings

HERE = Path(__file__).resolve().parent


def commands() -> str:
    """Every command with its help, its arguments and its options."""
    root = get_command(app)
    lines = [
        "# Commands",
        "",
        "Made from the program by `make docs`.",
        "Global options stand before or after a command.",
        "",
    ]
    lines += _options(root)
    lines += [
        "Exit codes: 0 done, 2 invalid, 3 refused, 4 not found, 5 conflict, 6 peer unavailable, 7 untrusted, 8 broken.",
        "With `--json` a failure is one problem document on stdout: `type`, `title`, `status`, `detail`,",
        "`code`, `step`, `field`.",
        "",
    ]
    lines += _walk(root, ("tansiq",))
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> list[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        return [line for name, sub in inner.items() for line in _walk(sub, (*path, name))]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([*path, *((a.metavar or a.name.upper()) for a in arguments)])
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    out = [f"## {usage}", ""]
    for text in paragraphs:
        one_line = " ".join(text.split())
        out += ["```", one_line, "```", ""] if one_line.startswith("tansiq ") else [one_line, ""]
    return out + _options(command)


def _options(command: Any) -> list[str]:
    rows = [
        f"| `{'`, `'.join(p.opts)}`{f' {p.metavar}' if p.metavar else ''} | {p.help or ''} |"
        for p in command.params
        if p.param_type_name == "option" and p.name != "help"
    ]
    rows += [
        f"| {p.metavar or p.name.upper()} | {p.help} |"
        for p in command.params
        if p.param_type_name == "argument" and getattr(p, "help", None)
    ]
    return ["| option | |", "| --- | --- |", *(row.replace("a|b", "a b") for row in rows), ""] if rows else []


def life_cycles() -> str:
    """Each kind's table of acts, with a diagram of its phases, and the acts that every kind has."""
    lines = [
        "# Life cycles",
        "",
        "Made from the tables in `src/tansiq/kinds` and `src/tansiq/dossiers/frame.py` by `make docs`.",
        "",
    ]
    for kind in KINDS.values():
        lines += [f"## {kind.name}", "", *_diagram(kind), *_acts(kind.acts), *_items(kind)]
    lines += ["## in every dossier", "", *_acts(tuple(FRAME_ACTS.values()))]
    return "\n".join(lines).rstrip() + "\n"


def _diagram(kind: Kind) -> list[str]:
    """The phases of the dossier: by its acts' table, and by what its rules do besides."""
    cycle = cycle_of(kind.name)
    edges = [
        f"    {before} --> {act.after}: {act.type.split('.', 1)[1]}"
        for act in kind.acts
        if act.after
        for before in (act.before or ("[*]",))
    ]
    return ["```mermaid", "stateDiagram-v2", *edges, *_moves(cycle.phases if cycle else ()), "```", ""]


def _moves(rows: Iterable[Move]) -> list[str]:
    """Edges of what happens by an act about something else; a colon would end a label."""
    return [
        f"    {before} --> {m.after}: {', '.join(w.split('.', 1)[-1] for w in m.because.split(', ')).replace(':', ',')}"
        for m in rows
        for before in (m.before or ("[*]",))
    ]


def _items(kind: Kind) -> list[str]:
    """A diagram for each sort of item that the kind keeps, and what is owed while one stands in a state."""
    cycle = cycle_of(kind.name)
    lines = []
    for sort in dict.fromkeys(s.sort for s in (*cycle.steps, *cycle.moves)) if cycle else ():
        rows = [s for s in cycle.steps if s.sort == sort] if cycle else []
        edges = [
            f"    {before} --> {s.after}: {s.act.split('.', 1)[1]}"
            for s in rows
            for before in (s.before or (("[*]",) if s.begins else ()))
        ]
        edges += _moves(m for m in cycle.moves if m.sort == sort) if cycle else []
        each = " (one for each addressee)" if any(s.begins == "each" and not s.of for s in rows) else ""
        lines += [f"### {kind.name}: {sort}{each}", "", "```mermaid", "stateDiagram-v2", *edges, "```", ""]
        owed = [o for o in cycle.owed if o.sort == sort] if cycle else []
        lines += [f"- while {' or '.join(o.states)}: `{o.code}` {o.clause}".rstrip() for o in owed]
        lines += [""] if owed else []
    return lines


def _acts(acts: tuple[ActRule, ...]) -> list[str]:
    rows = [
        f"| `{a.type}` | {a.by} | {', '.join(a.before) or 'any'} | {a.after or '-'} "
        f"| {', '.join(sorted(a.parts)) or '-'} | {_fields(a) or '-'} | {a.clause or '-'} |"
        for a in acts
    ]
    head = "| act | by | in phase | leads to | parts | facts | clause |"
    return [head, "| --- | --- | --- | --- | --- | --- | --- |", *rows, ""]


def _fields(act: ActRule) -> str:
    return ", ".join(f"`{name}`" for name in getattr(act.facts, "__struct_fields__", ()))


def settings() -> str:
    """The settings file with every key explained."""
    text = Settings.template({"node": {"name": "Rabat", "country": "MA"}})
    lines = [
        "# Settings",
        "",
        "Made from `src/tansiq/settings.py` by `make docs`. `tansiq node init` writes this file, `tansiq.toml`, into",
        "the home folder. An unknown table or key is refused by its name. `TANSIQ_HOME` names the folder where",
        "`--home` does not; `TANSIQ_DATABASE` stands in for `[database] url`. `TANSIQ_LANG`, else `LC_ALL`,",
        "`LC_MESSAGES` or `LANG`, says in which language commands tell failures. No other environment variable counts.",
        "",
        "```toml",
        text.strip(),
        "```",
    ]
    return "\n".join(lines) + "\n"


PAGES = {"commands.md": commands, "life-cycles.md": life_cycles, "settings.md": settings}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
