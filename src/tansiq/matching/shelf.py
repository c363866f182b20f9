"""A register of names as one file: written whole or not at all, read by mapping it into memory.

    magic (16 bytes) | version, size of the header (2 x uint32) | BLAKE2b of the header (32 bytes) | header (JSON)
    then the arrays, each at a multiple of 64 bytes and with its own BLAKE2b in the header

`Invalid` when a byte is wrong (`names.index.file`), or when the file was written by another version, for another kind
of machine or with other learned tables (`names.index.version`): then the register is built again from its names.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
from collections.abc import Mapping
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tansiq.errors import Invalid

MAGIC = b"TANSIQ NAMES\r\n\x1a\n"
VERSION = 2
_HEAD = struct.Struct("<16sII32s")
_ALIGN = 64
_MOST = 1 << 20
"""Bytes that a header may have."""

Array = npt.NDArray[Any]


def _digest(data: Any) -> bytes:
    return blake2b(data, digest_size=32).digest()


def _padded(size: int) -> int:
    return -size % _ALIGN


def write(path: str | PathLike[str], facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """A crash leaves the old file, whole. Only its owner may read the new one: names are personal data."""
    to = Path(path)
    made = to.with_name(f"{to.name}.{os.getpid()}.new")
    plain = {name: np.ascontiguousarray(array).reshape(-1).view(np.uint8) for name, array in arrays.items()}
    listed = {name: [data.nbytes, _digest(data).hex()] for name, data in plain.items()}
    header = json.dumps({**facts, "byteorder": sys.byteorder, "arrays": listed}).encode()
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as f:
            f.write(_HEAD.pack(MAGIC, VERSION, len(header), _digest(header)) + header)
            f.write(bytes(_padded(f.tell())))
            for data in plain.values():
                f.write(data.data)
                f.write(bytes(_padded(data.nbytes)))
            f.flush()
            os.fsync(f.fileno())
        made.replace(to)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    _settle(to.parent)


def _settle(folder: Path) -> None:
    """The new name of the file is on disk too, where the system can say so."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def broken(why: str) -> Invalid:
    return Invalid("names.index.file", why, step="matching", field="path")


def other_version(why: str) -> Invalid:
    return Invalid("names.index.version", why, step="matching", field="path")


def read(path: str | PathLike[str], kinds: Mapping[str, np.dtype[Any]]) -> tuple[dict[str, Any], dict[str, Array]]:
    """(facts, arrays of these kinds). The arrays lie in the file and cannot be written to."""
    with open(path, "rb") as f:
        size = os.fstat(f.fileno()).st_size
        if size < _HEAD.size:
            raise broken("not a name index")
        whole = memoryview(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
    magic, version, length, digest = _HEAD.unpack(whole[: _HEAD.size])
    if magic != MAGIC:
        raise broken("not a name index")
    if version != VERSION:
        raise other_version("a name index of another version")
    header = bytes(whole[_HEAD.size : _HEAD.size + min(length, _MOST)])
    if _digest(header) != digest:
        raise broken("the header of the name index is damaged")
    facts, at = _facts(header), _HEAD.size + len(header)
    if facts["byteorder"] != sys.byteorder or set(facts["arrays"]) != set(kinds):
        raise other_version("a name index for another machine")
    out: dict[str, Array] = {}
    for name, (count, said) in facts["arrays"].items():
        at += _padded(at)
        data = whole[at : at + count]
        if len(data) != count or _digest(data).hex() != said or count % kinds[name].itemsize:
            raise broken("the name index is damaged")
        out[name] = np.frombuffer(data, dtype=kinds[name]) if count else np.zeros(0, dtype=kinds[name])
        at += count
    return facts, out


def _facts(header: bytes) -> dict[str, Any]:
    """What the header says; that its digest is right does not make it one."""
    try:
        facts: dict[str, Any] = json.loads(header)
        is_one = "byteorder" in facts and all(int(count) >= 0 and said for count, said in facts["arrays"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise broken("the header of the name index is damaged") from exc
    if not is_one:
        raise broken("the header of the name index is damaged")
    return facts
