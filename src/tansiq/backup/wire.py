"""The signed list of a backup: what is in it, and at which leaf its ledger stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tansiq.crypto import canonical, parse_canonical
from tansiq.errors import Untrusted
from tansiq.terms import NodeId, format_instant, parse_instant
from tansiq.terms.ids import parse_node_id

TYPE = "application/vnd.tansiq.backup.v1+json"
MAX_LIST = 16 * 1024 * 1024
DATABASE = "database"
HOME, KEYS = "home", "keys"
_PATH = re.compile(rf"{DATABASE}|({HOME}|{KEYS})(/[^/\0]+)+")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup; `path` from its folder on, with `/`."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a backup holds. `at` is not after the moment that its rows show."""

    node: NodeId
    at: datetime
    leaves: int
    root: str
    files: tuple[Kept, ...]
    elsewhere: tuple[str, ...]
    """Keys of the settings whose files lie outside of the home folder, and are not in it."""


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    size: int
    sha256: str


class _Inventory(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    node: str
    at: str
    leaves: int
    root: str
    files: list[_Kept]
    elsewhere: list[str]


def render(x: Inventory) -> bytes:
    files = [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in x.files]
    head = {"v": 1, "node": x.node, "at": format_instant(x.at), "leaves": x.leaves, "root": x.root}
    return canonical({**head, "files": files, "elsewhere": list(x.elsewhere)})


def parse(body: bytes) -> Inventory:
    """Raises `Untrusted`."""
    try:
        x = msgspec.convert(parse_canonical(body, step="restore"), _Inventory)
    except msgspec.ValidationError as exc:
        raise _malformed() from exc
    paths = [f.path for f in x.files]
    if x.v != 1 or len(set(paths)) != len(paths) or DATABASE not in paths or not all(map(_is_inside, paths)):
        raise _malformed()
    files = tuple(Kept(f.path, f.size, f.sha256) for f in x.files)
    return Inventory(parse_node_id(x.node), parse_instant(x.at), x.leaves, x.root, files, tuple(x.elsewhere))


def _is_inside(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and not {".", ".."} & set(path.split("/"))


def _malformed() -> Untrusted:
    return Untrusted("backup.list", "the list of this backup cannot be read", step="restore", field="DIR")
