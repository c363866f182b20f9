"""What the commands show: one JSON object, or text and tables that a partner's words cannot take over."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tansiq.cli.call import call_of
from tansiq.terms.plain import plain

_FSI, _PDI = "\u2068", "\u2069"
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def console() -> Console:
    """Standard output as it is now (tests replace it). A pipe gets wide lines: programs cut, people scroll."""
    wide = None if sys.stdout.isatty() else 240
    return Console(file=sys.stdout, width=wide, highlight=False, soft_wrap=not sys.stdout.isatty())


def safe(value: object) -> Text:
    """Text without control characters or direction overrides; a right-to-left run is isolated, so that it
    cannot reorder the line around it."""
    text = "".join(
        " " if c in "\n\t" else c
        for c in str(value)
        if c in "\n\t" or (unicodedata.category(c) != "Cc" and c not in _OVERRIDES)
    )
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        text = f"{_FSI}{text}{_PDI}"
    return Text(text)


def share(score: float) -> str:
    """A score of two places that never says more than it is: 0.996 is not 1.00."""
    return f"{int(score * 100 + 1e-9) / 100:.2f}"


def emit(ctx: typer.Context, value: Any, show: Callable[[Console], None]) -> None:
    """The answer: with `--json` the value, else what `show` draws."""
    if call_of(ctx).as_json:
        emit_json(value)
    else:
        show(console())


def emit_json(value: Any) -> None:
    """One JSON object and a line end on stdout."""
    sys.stdout.write(msgspec.json.encode(plain(value)).decode() + "\n")
    sys.stdout.flush()


def table(*heads: str, rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """A table of safe cells."""
    drawn = Table(*heads, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else safe(cell) for cell in row))
    return drawn


def when(at: datetime | None) -> str:
    """An instant for people: minutes, in UTC; a dash where there is none."""
    return f"{at:%Y-%m-%d %H:%M}Z" if at else "-"


def _line(value: object) -> object:
    is_words = isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
    return ", ".join(value) if is_words else value  # type: ignore[arg-type]


def facts(console: Console, pairs: Iterable[tuple[str, object]]) -> None:
    """Aligned `name  value` lines; pairs without a value are left out, words of a list stand side by side."""
    kept = [(name, _line(value)) for name, value in pairs if value not in (None, "", (), [])]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        line = Text(f"{name:<{width}}  ", style="bold")
        console.print(line.append_text(safe(value)))
