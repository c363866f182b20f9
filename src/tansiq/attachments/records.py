"""The attachments' SQL: files under keys of their own, chunk by chunk."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from tansiq import crypto
from tansiq.store import metadata
from tansiq.terms import EntryId, PartId, format_instant

FILES = Table(
    "attachments",
    metadata,
    Column("id", String(34), primary_key=True),
    # Empty while it is staged: taken in, and not in an entry yet.
    Column("entry", String(66), nullable=False),
    Column("part", String(66), nullable=False),
    # What the exchange's items name it by.
    Column("ref", String(48), nullable=False),
    # `taking`, `staged`, `coming`, `held`, `broken`.
    Column("state", String(10), nullable=False),
    # The blind index of its SHA-256: who holds the node's key finds a file by its content, nobody else links two.
    Column("content", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", String(24), nullable=False),
    Index("ix_attachments_part", "entry", "part"),
    Index("ix_attachments_ref", "ref"),
    Index("ix_attachments_content", "content"),
    Index("ix_attachments_state", "state", "at"),
)
CHUNKS = Table(
    "attachment_chunks",
    metadata,
    Column("attachment", String(34), ForeignKey("attachments.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

_CHUNK = select(CHUNKS.c.sealed).where(CHUNKS.c.attachment == bindparam("of"), CHUNKS.c.number == bindparam("n"))
_NUMBERS = select(CHUNKS.c.number).where(CHUNKS.c.attachment == bindparam("of"))
_INSERT_CHUNK = insert(CHUNKS)


@dataclass(frozen=True, slots=True)
class File:
    """One file's row with its key. Never in a log: the key stands in it."""

    id: str
    entry: EntryId
    part: PartId
    state: str
    vault: crypto.Vault
    """Under the file's own key."""

    def __repr__(self) -> str:
        return f"File({self.id}, {self.state})"


def ref_of(entry: EntryId, part: PartId) -> str:
    """What the exchange's items name a file by: short enough for their references, and the same at both ends."""
    return "a-" + crypto.sha256("tansiq.attachment.v1", entry.encode(), part.encode()).hex()[:40]


def insert_file(
    tx: Connection,
    vault: crypto.Vault,
    key: bytes,
    row: str,
    state: str,
    now: datetime,
    *,
    at: tuple[str, str] = ("", ""),
) -> None:
    """`at`: entry and part; empty for a staged one."""
    body = msgspec.json.encode({"key": base64.b64encode(key).decode()})
    tx.execute(
        insert(FILES),
        {
            "id": row,
            "entry": at[0],
            "part": at[1],
            "ref": ref_of(EntryId(at[0]), PartId(at[1])) if at[0] else "",
            "state": state,
            "content": b"",
            "sealed": vault.seal("attachments", row, body),
            "at": format_instant(now),
        },
    )


def _file(vault: crypto.Vault, row: Any) -> File | None:
    if row is None:
        return None
    key = base64.b64decode(msgspec.json.decode(vault.open("attachments", row.id, row.sealed))["key"])
    return File(row.id, EntryId(row.entry), PartId(row.part), row.state, crypto.Vault(key))


def find(tx: Connection, vault: crypto.Vault, entry: EntryId, part: PartId) -> File | None:
    return _file(vault, tx.execute(select(FILES).where(FILES.c.entry == entry, FILES.c.part == part)).first())


def find_ref(tx: Connection, vault: crypto.Vault, ref: str) -> File | None:
    return _file(vault, tx.execute(select(FILES).where(FILES.c.ref == ref, FILES.c.entry != "")).first())


def find_staged(tx: Connection, vault: crypto.Vault, content: bytes) -> File | None:
    query = select(FILES).where(FILES.c.content == content, FILES.c.state == "staged").order_by(FILES.c.at).limit(1)
    return _file(vault, tx.execute(query).first())


def set_state(tx: Connection, row: str, state: str, content: bytes = b"") -> None:
    values: dict[str, Any] = {"state": state} | ({"content": content} if content else {})
    tx.execute(update(FILES).where(FILES.c.id == row).values(**values))


def bind(tx: Connection, row: str, entry: EntryId, part: PartId) -> None:
    """A staged file is from now on this part's."""
    values = {"entry": entry, "part": part, "ref": ref_of(entry, part), "state": "held"}
    tx.execute(update(FILES).where(FILES.c.id == row).values(**values))


def put_chunk(tx: Connection, file: str, vault: crypto.Vault, number: int, content: bytes) -> None:
    sealed = vault.seal("attachment_chunks", f"{file}:{number}", content)
    tx.execute(_INSERT_CHUNK, {"attachment": file, "number": number, "sealed": sealed})


def get_chunk(tx: Connection, file: File, number: int) -> bytes | None:
    sealed = tx.execute(_CHUNK, {"of": file.id, "n": number}).scalar()
    return None if sealed is None else file.vault.open("attachment_chunks", f"{file.id}:{number}", sealed)


def numbers(tx: Connection, file: str) -> set[int]:
    return {r.number for r in tx.execute(_NUMBERS, {"of": file})}


def count(tx: Connection, file: str) -> int:
    return int(tx.execute(select(func.count()).select_from(CHUNKS).where(CHUNKS.c.attachment == file)).scalar_one())


def contents(tx: Connection, file: File, of: int) -> Iterator[bytes]:
    """All chunks in their order; ends where one is missing."""
    for number in range(of):
        found = get_chunk(tx, file, number)
        if found is None:
            return
        yield found


def drop(tx: Connection, row: str) -> None:
    """The chunks and the key that opens them."""
    drop_chunks(tx, row)
    tx.execute(delete(FILES).where(FILES.c.id == row))


def drop_chunks(tx: Connection, row: str) -> None:
    tx.execute(delete(CHUNKS).where(CHUNKS.c.attachment == row))


def held(tx: Connection, most: int) -> list[tuple[EntryId, PartId]]:
    """Where the newest files that are wholly here stand."""
    query = select(FILES.c.entry, FILES.c.part).where(FILES.c.state == "held", FILES.c.entry != "")
    rows = tx.execute(query.order_by(FILES.c.at.desc(), FILES.c.id).limit(most))
    return [(EntryId(r.entry), PartId(r.part)) for r in rows]


def left_behind(tx: Connection, before: datetime) -> list[str]:
    """Files that were taken in and never came into an entry."""
    query = select(FILES.c.id).where(FILES.c.state.in_(("taking", "staged")), FILES.c.at < format_instant(before))
    return [r.id for r in tx.execute(query)]
