"""What opens and seals a node's key file, and how secrets come to a disk.

A passphrase opens it, or a key-encryption key in a file beside it: for demos, and for machines whose disk is the only
secret there is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tansiq import crypto
from tansiq.errors import NotFound, Refused
from tansiq.settings import FILE, Settings


@dataclass(frozen=True, slots=True)
class KeyLock:
    """What opens and seals this node's key file: a passphrase, or the key beside it."""

    passphrase: bytes | None
    kek: bytes | None

    @classmethod
    def find(cls, settings: Settings, passphrase: bytes | None) -> KeyLock:
        """Raises `Refused` where neither is at hand."""
        if passphrase is None and settings.passphrase_file is not None:
            passphrase = _first_line(settings.passphrase_file)
        if passphrase is not None:
            return cls(passphrase, None)
        kek_file = settings.keys_file.with_suffix(".kek")
        if settings.keys_file.exists() and not kek_file.exists():
            raise Refused(
                "keyfile.passphrase",
                "this node's keys need a passphrase",
                step="open node",
                field="--passphrase-file",
            )
        return cls(None, kek_file.read_bytes() if kek_file.exists() else None)

    def read(self, file: Path) -> crypto.NodeKeys:
        """Raises `NotFound` where there is no such file, `Refused` where it does not open."""
        try:
            raw = file.read_bytes()
        except OSError as exc:
            raise NotFound(
                "node.no_keys", "this node's key file cannot be read", step="open node", field=f"{FILE} [keys] file",
                hint="put it back from the backup: nothing in the database opens without it",
            ) from exc  # fmt: skip
        return crypto.open_keyfile(raw, self.passphrase, kek=self.kek)

    def seal(self, keys: crypto.NodeKeys) -> bytes:
        return crypto.seal_keyfile(keys, self.passphrase, kek=self.kek)


def write_keys(file: Path, keys: crypto.NodeKeys, passphrase: bytes | None) -> None:
    """A new key file: sealed by the passphrase, else by a new key beside it."""
    kek = None if passphrase is not None else crypto.random_bytes(32)
    if kek is not None:
        write_secret(file.with_suffix(".kek"), kek)
    write_secret(file, KeyLock(passphrase, kek).seal(keys))


def _first_line(file: Path) -> bytes:
    try:
        return file.read_bytes().split(b"\n")[0].rstrip(b"\r")
    except OSError as exc:
        raise Refused(
            "keyfile.passphrase_file", "the file that holds the passphrase cannot be read", step="open node",
            field=f"{FILE} [keys] passphrase_file", hint="name another for this call: --passphrase-file FILE",
        ) from exc  # fmt: skip


def write_secret(path: Path, content: bytes) -> None:
    """Readable by the owner alone from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
