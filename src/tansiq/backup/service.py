"""Makes a backup of a node, and a node of a backup."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tansiq import crypto
from tansiq.access.model import Ended
from tansiq.backup import wire
from tansiq.backup.recovery import recover
from tansiq.backup.wire import DATABASE, HOME, KEYS, Inventory, Kept
from tansiq.errors import Broken, Conflict, Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.keyring import KeyLock, write_secret
from tansiq.node import Node, wall_clock
from tansiq.settings import FILE, Settings
from tansiq.store import copy_in, copy_out, is_empty
from tansiq.terms import NodeId

LIST = "backup.json"
"""Written last."""
SQLITE = "sqlite"
"""The word for a database that is a file in the home folder."""
KEY_FILE = "node.keys"
_KEYS = f"{KEYS}/{KEY_FILE}"
_FOLDERS = ("private", "evaluator")
_LEFT = frozenset({"lock", "seeds.new"})
"""What in them is a process's own."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """A node that was made of a backup."""

    inventory: Inventory
    asked: tuple[NodeId, ...]
    """The partners that are asked for what they had sent since, once they are confirmed."""
    ended: Ended


# --- making one ---


def back_up(node: Node, to: Path) -> Inventory:
    """Copy a node, which may be serving, into a new folder. Raises `Conflict` where something is there already."""
    at = node.clock()
    _make_room(to, node.settings.home)
    try:
        with ExitStack() as open_files, node.store.read() as tx:
            with node.private.still():
                size, root = node.ledger.head_in(tx)  # the snapshot stands from here on
                opened = _open_home(node, open_files)
            files = [_written(to / name, name, partial(shutil.copyfileobj, source)) for name, source in opened]
            node.exchange.check_own_keys()  # a rotation meanwhile: rows and keys would not be of one time
            files.append(_written(to / DATABASE, DATABASE, partial(copy_out, tx)))
        made = Inventory(node.node_id, at, size, root.hex(), tuple(files), _elsewhere(node.settings))
        write_secret(to / LIST, crypto.sign(wire.TYPE, wire.render(made), node.keys.signing, node.node_id))
    except OSError as exc:
        raise Broken(
            "backup.write", f"couldn't write the backup: {_why(exc)}", step="backup", field="DIR",
            hint="there is no whole backup in this folder: make room, and name another",
        ) from exc  # fmt: skip
    return made


def _make_room(to: Path, home: Path) -> None:
    if to.absolute().is_relative_to(home.absolute()):
        raise Invalid("backup.inside", "not inside the node's own home folder", step="backup", field="DIR")
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise Conflict(
                "backup.taken", "this folder is not empty: a backup goes into a new one", step="backup", field="DIR"
            )
    except OSError as exc:
        raise Invalid("backup.folder", f"couldn't make the folder: {_why(exc)}", step="backup", field="DIR") from exc


def _open_home(node: Node, open_files: ExitStack) -> list[tuple[str, BinaryIO]]:
    """All handles first: what another process replaces meanwhile stays readable."""
    settings = node.settings
    wanted = {f"{HOME}/{FILE}": settings.home / FILE, _KEYS: settings.keys_file}
    kek = settings.keys_file.with_suffix(".kek")
    if kek.exists():
        wanted[f"{KEYS}/node.kek"] = kek
    for folder in _FOLDERS:
        wanted |= _inside(settings.home, settings.home / folder)
    for path in _chosen(settings).values():
        if path.is_relative_to(settings.home):
            wanted |= _inside(settings.home, path)
    return [(name, open_files.enter_context(path.open("rb"))) for name, path in sorted(wanted.items())]


def _inside(home: Path, path: Path) -> dict[str, Path]:
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {f"{HOME}/{p.relative_to(home).as_posix()}": p for p in found if p.name not in _LEFT}


def _chosen(settings: Settings) -> dict[str, Path]:
    """The files and folders that the settings name, but for keys and passphrase."""
    named = {
        "[policy] directory": settings.policy.directory,
        "[web] tls_certificate": settings.web.tls_certificate,
        "[web] tls_key": settings.web.tls_key,
    }
    return {key: path for key, value in named.items() if (path := settings.path(value)) is not None}


def _elsewhere(settings: Settings) -> tuple[str, ...]:
    """What an administrator has to put in place besides."""
    outside = [key for key, path in _chosen(settings).items() if not path.is_relative_to(settings.home)]
    return tuple(outside + (["[keys] passphrase_file"] if settings.passphrase_file else []))


def _written(path: Path, name: str, write: Callable[[BinaryIO], object]) -> Kept:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
        write(out)
        out.flush()
        os.fsync(out.fileno())
        out.seek(0)
        return Kept(name, *_measured(out))


def _measured(source: BinaryIO) -> tuple[int, str]:
    size, found = 0, hashlib.sha256()
    while piece := source.read(_PIECE):
        size += len(piece)
        found.update(piece)
    return size, found.hexdigest()


# --- making a node of one ---


def restore(
    source: Path,
    home: Path,
    *,
    passphrase: bytes | None = None,
    keys: Path | None = None,
    database: str = "",
    clock: Callable[[], datetime] = wall_clock,
) -> Restored:
    """Make the node of a backup in a home folder and a database that hold nothing yet.

    `keys`: where the backup's folder `keys` is kept, if not in it. `database`: another address than that of the
    settings; `sqlite` is a file in the home folder. Raises `Conflict` where a node is there, `Untrusted` where the
    backup is not what the node signed, `Refused` where its keys do not open; then nothing is left behind.
    """
    key_folder = keys or source / KEYS
    found = _verified_list(source, key_folder, passphrase)
    for kept in found.files:
        _check(_place(source, key_folder, kept.path), kept)
    text = _with_database((source / HOME / FILE).read_text("utf-8"), database)
    settings = Settings.effective(text, home)
    if database and settings.database != Settings.parse(text, home).database:
        raise Invalid(
            "backup.two_databases", "TANSIQ_DATABASE is set and would count instead: unset it", step="restore",
            field="--database",
        )  # fmt: skip
    _check_free(settings)
    try:
        _put_files(found, source, key_folder, settings)
        with (source / DATABASE).open("rb") as rows:
            copy_in(settings.database_url, rows)
        write_secret(home / FILE, text.encode())  # last: a home folder without it is no node
    except (OSError, TansiqError) as exc:
        _clear(settings)
        if isinstance(exc, TansiqError):
            raise
        raise Broken("backup.read", f"couldn't restore: {_why(exc)}", step="restore", field="DIR") from exc
    return _opened(found, home, passphrase, clock)


def _verified_list(source: Path, key_folder: Path, passphrase: bytes | None) -> Inventory:
    try:
        with (source / LIST).open("rb") as file:
            raw = file.read(wire.MAX_LIST + 1)
    except OSError as exc:
        raise NotFound(
            "backup.none", f"no whole backup here: {LIST} is missing", step="restore", field="DIR",
            hint="it is written last: one that was cut off has none",
        ) from exc  # fmt: skip
    keys = _open_keys(key_folder, passphrase)
    try:
        return wire.parse(crypto.verify(raw, wire.TYPE, keys.signing.public, keys.node, wire.MAX_LIST))
    except Untrusted as exc:
        raise Untrusted(
            exc.code, "the list of this backup is not what these keys signed", step="restore", field=LIST
        ) from exc


def _open_keys(folder: Path, passphrase: bytes | None) -> crypto.NodeKeys:
    kek = folder / "node.kek"
    by = "--passphrase-file" if passphrase is not None or not kek.exists() else "keys/node.kek"
    if not (folder / KEY_FILE).exists():
        raise NotFound(
            "backup.keys", "the backup's key file is not here", step="restore", field="--keys",
            hint="name the folder in which node.keys is kept: --keys DIR",
        )  # fmt: skip
    if passphrase is None and not kek.exists():
        raise Refused("keyfile.passphrase", "this node's keys need a passphrase", step="restore", field=by)
    try:
        return KeyLock(passphrase, None if passphrase is not None else kek.read_bytes()).read(folder / KEY_FILE)
    except TansiqError as exc:
        raise type(exc)(exc.code, exc.message, step="restore", field=by) from exc


def _place(source: Path, key_folder: Path, path: str) -> Path:
    return key_folder / path.removeprefix(f"{KEYS}/") if path.startswith(f"{KEYS}/") else source / path


def _check(file: Path, kept: Kept) -> None:
    """Raises `Untrusted` naming the file where it is not what was written."""
    try:
        with file.open("rb") as opened:
            there = _measured(opened)
    except OSError as exc:
        raise Untrusted(
            "backup.missing", f"{kept.path} cannot be read: {_why(exc)}", step="restore", field="DIR"
        ) from exc
    if there != (kept.size, kept.sha256):
        raise Untrusted(
            "backup.changed", f"{kept.path} is not what was written: take another backup", step="restore", field="DIR"
        )


def _check_free(settings: Settings) -> None:
    """Raises `Conflict`: whatever is there, live or newer, is not covered."""
    home = settings.home
    if settings.keys_file.exists() or (home.exists() and (not home.is_dir() or any(home.iterdir()))):
        raise Conflict(
            "backup.home_taken", "something is in this home folder: nothing is put over a node that is there",
            step="restore", field="--home", hint="name a new folder, or move the old one away",
        )  # fmt: skip
    if not is_empty(settings.database_url):
        raise Conflict(
            "backup.database_taken", "the database is not empty: nothing is put over a node that is there",
            step="restore", field="database",
            hint="make an empty database of that name, or name another: --database URL",
        )  # fmt: skip


def _put_files(found: Inventory, source: Path, key_folder: Path, settings: Settings) -> None:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for kept in found.files:
        if kept.path in (DATABASE, f"{HOME}/{FILE}"):
            continue
        if kept.path.startswith(f"{KEYS}/"):
            to = settings.keys_file.with_suffix(Path(kept.path).suffix) if kept.path != _KEYS else settings.keys_file
        else:
            to = settings.home / kept.path.removeprefix(f"{HOME}/")
        with _place(source, key_folder, kept.path).open("rb") as raw:
            _written(to, kept.path, partial(shutil.copyfileobj, raw))


def _clear(settings: Settings) -> None:
    """The home folder was empty, and is so again."""
    for path in settings.home.iterdir() if settings.home.exists() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for key_file in (settings.keys_file, settings.keys_file.with_suffix(".kek")):
        key_file.unlink(missing_ok=True)


def _opened(found: Inventory, home: Path, passphrase: bytes | None, clock: Callable[[], datetime]) -> Restored:
    """The node's first words after its restore. Raises `Broken` where its ledger does not hold what was signed."""
    node = Node.open(home, passphrase=passphrase, clock=clock)
    try:
        report = node.ledger.verify()
        if not report.ok or (report.size, report.root.hex()) != (found.leaves, found.root):
            raise Broken(
                "backup.ledger", "the ledger of this backup does not verify: do not serve", step="restore",
                field="ledger", detail=str(report.broken_at), hint="tansiq ledger verify",
            )  # fmt: skip
        asked, ended = recover(node, found.at)
        return Restored(found, tuple(asked), ended)
    finally:
        node.close()


def _with_database(text: str, database: str) -> str:
    """The settings file with another address under `[database]`."""
    if not database:
        return text
    url = "" if database == SQLITE else database
    lines, inside, written = [], False, False
    for line in text.splitlines():
        if header := re.fullmatch(r"\s*\[(.+)\]\s*(#.*)?", line):
            inside = header[1].strip() == "database"
        if inside and re.match(r"\s*url\s*=", line):
            continue
        lines.append(line)
        if inside and header:
            lines.append(f"url = {json.dumps(url)}")
            written = True
    if not written:
        lines += ["", "[database]", f"url = {json.dumps(url)}"]
    return "\n".join(lines) + "\n"


def _why(exc: OSError) -> str:
    return (exc.strerror or "not possible").lower()
