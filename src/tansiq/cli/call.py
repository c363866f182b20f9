"""One call of the program: its global options, the node it opens, the officer who acts, the files it reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import typer

from tansiq.errors import Conflict, Invalid, NotFound
from tansiq.terms import Purpose

if TYPE_CHECKING:
    from tansiq.access.model import Acting, Officer
    from tansiq.node import Node

MAX_BODY_BYTES = 16 * 1024 * 1024
"""An entry's body is written by people; anything larger is an attachment gone astray."""
MAX_ENVELOPES_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """The global options of one call."""

    home: Path | None = None
    as_json: bool = False
    officer: str = ""
    second: str = ""
    purpose: str = ""
    why: str = ""
    passphrase_file: Path | None = None

    def home_folder(self) -> Path:
        """The node's home. Raises `Invalid` where none was named."""
        if self.home is None:
            raise Invalid(
                "cli.home",
                "no home folder",
                step="open node",
                field="--home",
                hint="give --home DIR or set TANSIQ_HOME",
            )
        return self.home

    def passphrase(self) -> bytes | None:
        """The first line of the passphrase file, or None."""
        if self.passphrase_file is None:
            return None
        return read_file(self.passphrase_file, "--passphrase-file", 4096).split(b"\n")[0].rstrip(b"\r")


def call_of(ctx: typer.Context) -> Call:
    """The call that this command belongs to."""
    found = ctx.find_object(Call)
    return found if found is not None else Call()


@contextmanager
def open_node(ctx: typer.Context) -> Iterator[Node]:
    """The node in the home folder, closed again afterwards, also when the command fails."""
    call = call_of(ctx)
    home = call.home_folder()
    from tansiq.node import Node  # late: --help and `names compare` need no database

    node = Node.open(home, passphrase=call.passphrase())
    try:
        yield node
    finally:
        node.close()


def find_officer(node: Node, word: str, field: str = "--officer") -> Officer:
    """An active officer by id or by name. Raises `NotFound` or `Conflict` without quoting the word."""
    found = [o for o in node.access.officers() if o.active and word in (o.id, o.name)]
    if not found:
        raise NotFound("cli.officer", "no such officer on this node", step="who acts", field=field)
    if len(found) > 1:
        raise Conflict("cli.officer", "two officers have this name: give the id", step="who acts", field=field)
    return found[0]


def acting(ctx: typer.Context, node: Node) -> Acting:
    """Who acts: `--officer`, or the only officer that the node has."""
    call = call_of(ctx)
    if call.officer:
        officer = find_officer(node, call.officer)
    else:
        there = [o for o in node.access.officers() if o.active]
        if len(there) != 1:
            raise Invalid(
                "cli.officer",
                "say who acts" if there else "this node has no officer yet",
                step="who acts",
                field="--officer",
                hint="tansiq officer list" if there else "tansiq officer add NAME --role analyst",
            )
        officer = there[0]
    if call.purpose and call.purpose not in set(Purpose):
        # A misspelt purpose would be logged as it stands and mean nothing to whoever checks the log.
        raise Invalid("cli.purpose", f"one of {', '.join(Purpose)}", step="who acts", field="--purpose")
    by = node.access.acting(officer, purpose=call.purpose, justification=call.why)
    if call.second:
        second = find_officer(node, call.second, "--second")
        if second.id == officer.id:
            raise Invalid("access.same_officer", "four eyes need two officers", step="who acts", field="--second")
        by = replace(by, second=second.id)
    return by


def read_file(path: Path, field: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """The bytes of a file, or of standard input for `-`. Raises `Invalid` naming the field, never the path."""
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as source:
                raw = source.read(limit + 1)
    except OSError as exc:
        raise Invalid("cli.file", f"couldn't read the file: {_why(exc)}", step="read file", field=field) from exc
    if len(raw) > limit:
        raise Invalid("cli.file_too_large", f"the file is larger than {limit} bytes", step="read file", field=field)
    return raw


def write_file(path: Path, content: bytes, field: str) -> None:
    """Writes a new file whole or not at all: into a neighbour first, then in place."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        raise Invalid("cli.file", f"couldn't write the file: {_why(exc)}", step="write file", field=field) from exc


def write_lines(path: Path, lines: Iterable[bytes], field: str) -> int:
    """As `write_file`, for what is longer than memory; how many lines were written. The file is its owner's alone."""
    beside = path.with_name(path.name + ".part")
    count = 0
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for count, line in enumerate(lines, 1):  # noqa: B007
                file.write(line)
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        raise Invalid("cli.file", f"couldn't write the file: {_why(exc)}", step="write file", field=field) from exc
    return count


def read_stream(path: Path, field: str, use: Callable[[BinaryIO], dict[str, Any]]) -> dict[str, Any]:
    """What `use` makes of a file that may be larger than memory: it bounds what it reads at a time."""
    try:
        with path.open("rb") as source:
            return use(source)
    except OSError as exc:
        raise Invalid("cli.file", f"couldn't read the file: {_why(exc)}", step="read file", field=field) from exc


def read_object(path: Path, field: str) -> dict[str, Any]:
    """A JSON object from a file. Untrusted: says where it breaks, never what stands there."""
    raw = read_file(path, field)
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise Invalid("cli.json", f"not JSON{_where(exc)}", step="read body", field=field) from exc
    if not isinstance(value, dict):
        raise Invalid("cli.json_object", "a body is one JSON object", step="read body", field=field)
    return value


def _why(exc: OSError) -> str:
    return (exc.strerror or "not possible").lower()


def _where(exc: Exception) -> str:
    """`: byte 812` out of the decoder's words; the words themselves may quote the content."""
    text = str(exc)
    if isinstance(exc, RecursionError):
        return ": nested too deeply"
    number = text.rsplit("byte ", 1)[-1].rstrip(")") if "byte " in text else ""
    return f": byte {number}" if number.isdigit() else ""
