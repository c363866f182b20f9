"""The dossiers' SQL. Statements lie as they were signed; parts lie sealed under the node's vault."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from tansiq import crypto
from tansiq.dossiers.model import Duty, Entry, Part, PartRef, Presence, Statement
from tansiq.dossiers.wire import parse_statement
from tansiq.store import metadata
from tansiq.terms import DossierId, EntryId, NodeId, PartId, format_instant, parse_instant

REMEMBERED = 4096
"""Parsed statements kept in memory, about 10 KB each. They hold no personal data: that is in the parts."""

DOSSIERS = Table(
    "dossiers",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("opener", String(23), nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("phase", String(40), nullable=False),
    Column("updated_at", String(24), nullable=False, index=True),
    Column("erase_on", String(10), nullable=False),
    Column("unsettled", Integer, nullable=False, index=True),
)
ENTRIES = Table(
    "dossier_entries",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("dossier", String(34), ForeignKey("dossiers.id"), nullable=False, index=True),
    Column("author", String(23), nullable=False),
    Column("clock", Integer, nullable=False),
    Column("type", String(60), nullable=False),
    Column("filed_at", String(24), nullable=False),
    Column("raw", LargeBinary, nullable=False),
)
PARTS = Table(
    "dossier_parts",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("entry", String(66), ForeignKey("dossier_entries.id"), nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("presence", String(10), nullable=False),
    Column("sealed", LargeBinary, nullable=True),
)
GRANTS = Table(
    "dossier_grants",
    metadata,
    Column("entry", String(66), ForeignKey("dossier_entries.id"), primary_key=True),
    Column("node", String(23), primary_key=True),
    Column("at", String(24), nullable=False),
    Column("clauses", LargeBinary, nullable=False),
    Column("withheld", LargeBinary, nullable=False),
)
DUTIES = Table(
    "dossier_duties",
    metadata,
    Column("dossier", String(34), ForeignKey("dossiers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner", String(23), nullable=False),
    Column("code", String(60), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("since", String(24), nullable=False),
    Column("clause", String(120), nullable=False),
    Column("entry", String(66), nullable=False),
    Column("urgent", Integer, nullable=False),
    Column("creditor", String(23), nullable=False),
    Column("paused", String(40), nullable=False),
    Index("ix_duties_owner_due", "owner", "due_at"),
)

NO_DUE = "9999-12-31T23:59:59.999Z"
"""A stopped clock sorts last."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Why an entry goes to a node, and which of its parts do not."""

    entry: EntryId
    node: NodeId
    at: datetime
    clauses: tuple[str, ...]
    withheld: tuple[PartId, ...]


def _seal_part(vault: crypto.Vault, part: PartId, salt: bytes, content: Mapping[str, Any]) -> bytes:
    body = crypto.canonical({"salt": base64.b64encode(salt).decode(), "content": dict(content)})
    return vault.seal("dossier_parts", part, body)


def _open_part(vault: crypto.Vault, part: str, sealed: bytes) -> tuple[bytes, dict[str, Any]]:
    body = msgspec.json.decode(vault.open("dossier_parts", part, sealed))
    return base64.b64decode(body["salt"]), body["content"]


def exists(tx: Connection, dossier: DossierId) -> bool:
    return tx.execute(select(DOSSIERS.c.id).where(DOSSIERS.c.id == dossier)).first() is not None


def lock_dossier(tx: Connection, dossier: DossierId) -> None:
    """One writer per dossier across processes (PostgreSQL); SQLite's single writer needs no lock."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(DOSSIERS.c.id).where(DOSSIERS.c.id == dossier).with_for_update())


def insert_dossier(tx: Connection, dossier: DossierId, kind: str, opener: NodeId, at: datetime) -> None:
    row = {"id": dossier, "kind": kind, "opener": opener, "opened_at": format_instant(at), "phase": "unopened"}
    tx.execute(insert(DOSSIERS).values(**row, updated_at=format_instant(at), erase_on="", unsettled=1))


def update_dossier(
    tx: Connection, dossier: DossierId, phase: str, at: datetime, erase_on: str, unsettled: bool
) -> None:
    values = {"phase": phase, "updated_at": format_instant(at), "erase_on": erase_on, "unsettled": int(unsettled)}
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(**values))


def set_opener(tx: Connection, dossier: DossierId, opener: NodeId, at: datetime) -> None:
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(opener=opener, opened_at=format_instant(at)))


def set_settled(tx: Connection, dossier: DossierId) -> None:
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(unsettled=0))


def load_unsettled(tx: Connection) -> list[DossierId]:
    return [DossierId(r[0]) for r in tx.execute(select(DOSSIERS.c.id).where(DOSSIERS.c.unsettled == 1).limit(500))]


def load_past_erasure(tx: Connection, today: str) -> list[DossierId]:
    due = and_(DOSSIERS.c.erase_on != "", DOSSIERS.c.erase_on <= today)
    return [DossierId(r[0]) for r in tx.execute(select(DOSSIERS.c.id).where(due))]


def load_rows(tx: Connection, kind: str, before: str, limit: int) -> list[Any]:
    query = select(DOSSIERS).order_by(DOSSIERS.c.updated_at.desc(), DOSSIERS.c.id).limit(limit)
    if kind:
        query = query.where(DOSSIERS.c.kind == kind)
    if before:
        query = query.where(DOSSIERS.c.updated_at < before)
    return list(tx.execute(query))


def load_by_prefix(tx: Connection, prefix: str) -> list[str]:
    """Dossier ids that begin so: officers type the first characters."""
    upper = prefix + "~"
    return [r[0] for r in tx.execute(select(DOSSIERS.c.id).where(DOSSIERS.c.id.between(prefix, upper)).limit(2))]


def has_entry(tx: Connection, entry: EntryId) -> bool:
    return tx.execute(select(ENTRIES.c.id).where(ENTRIES.c.id == entry)).first() is not None


def insert_entry(tx: Connection, entry: Entry, raw: bytes, filed_at: datetime) -> None:
    s = entry.statement
    values = {"id": entry.id, "dossier": s.dossier, "author": s.author, "clock": s.clock, "type": s.type}
    tx.execute(insert(ENTRIES).values(**values, filed_at=format_instant(filed_at), raw=raw))
    if s.parts:
        tx.execute(
            insert(PARTS),
            [
                {"id": p.id, "entry": entry.id, "kind": p.kind, "presence": Presence.WITHHELD.value, "sealed": None}
                for p in s.parts
            ],
        )


def has_part_of(tx: Connection, parts: Iterable[str]) -> bool:
    """Whether one of these part ids stands in an entry already."""
    wanted = list(parts)
    return bool(wanted) and tx.execute(select(PARTS.c.id).where(PARTS.c.id.in_(wanted)).limit(1)).first() is not None


def hold_part(tx: Connection, vault: crypto.Vault, part: PartId, salt: bytes, content: Mapping[str, Any]) -> bool:
    """Store a part's content. An erased part stays erased, whoever sends it again. True where it is new."""
    where = and_(PARTS.c.id == part, PARTS.c.presence == Presence.WITHHELD.value)
    values = {"presence": Presence.HELD.value, "sealed": _seal_part(vault, part, salt, content)}
    return tx.execute(update(PARTS).where(where).values(**values)).rowcount == 1


def erase_part(tx: Connection, part: PartId) -> bool:
    """Remove content and salt; the commitment stays. True where it was held."""
    held = tx.execute(select(PARTS.c.presence).where(PARTS.c.id == part)).scalar() == Presence.HELD.value
    tx.execute(update(PARTS).where(PARTS.c.id == part).values(presence=Presence.ERASED.value, sealed=None))
    return held


def load_parts(tx: Connection, vault: crypto.Vault, entry: EntryId) -> list[tuple[PartId, bytes, dict[str, Any]]]:
    rows = tx.execute(select(PARTS).where(PARTS.c.entry == entry, PARTS.c.presence == Presence.HELD.value))
    return [(PartId(r.id), *_open_part(vault, r.id, r.sealed)) for r in rows]


def load_raw(tx: Connection, entry: EntryId) -> bytes | None:
    return tx.execute(select(ENTRIES.c.raw).where(ENTRIES.c.id == entry)).scalar()


def find_dossier_of(tx: Connection, entry: EntryId) -> DossierId | None:
    found = tx.execute(select(ENTRIES.c.dossier).where(ENTRIES.c.id == entry)).scalar()
    return DossierId(found) if found else None


def load_entries(tx: Connection, vault: crypto.Vault, dossier: DossierId, *, contents: bool) -> list[Entry]:
    """Entries as they verified when they were filed. `contents` unseals the held parts."""
    parts: dict[str, list[Any]] = {}
    query = select(PARTS).join(ENTRIES, ENTRIES.c.id == PARTS.c.entry).where(ENTRIES.c.dossier == dossier)
    for row in tx.execute(query):
        parts.setdefault(row.entry, []).append(row)
    rows = tx.execute(select(ENTRIES.c.id, ENTRIES.c.raw).where(ENTRIES.c.dossier == dossier))
    return [_entry(vault, r.id, r.raw, parts.get(r.id, []), contents=contents) for r in rows]


def load_entry(tx: Connection, vault: crypto.Vault, entry: EntryId) -> Entry | None:
    raw = load_raw(tx, entry)
    if raw is None:
        return None
    return _entry(vault, entry, raw, list(tx.execute(select(PARTS).where(PARTS.c.entry == entry))), contents=True)


@lru_cache(maxsize=REMEMBERED)
def _statement(raw: bytes) -> Statement:
    """Parsing is most of a fold, each act folds its dossier, and signed bytes say the same thing each time."""
    return parse_statement(crypto.peek(raw, max_bytes=len(raw)).body)


def _entry(vault: crypto.Vault, entry: str, raw: bytes, rows: list[Any], *, contents: bool) -> Entry:
    statement = _statement(raw)
    by_id = {r.id: r for r in rows}
    return Entry(
        EntryId(entry), statement, tuple(_part(vault, ref, by_id.get(ref.id), contents) for ref in statement.parts)
    )


def _part(vault: crypto.Vault, ref: PartRef, row: Any, contents: bool) -> Part:
    if row is None:
        return Part(ref, Presence.WITHHELD, None)
    presence = Presence(row.presence)
    if presence is not Presence.HELD or not contents:
        return Part(ref, presence, None)
    return Part(ref, presence, _open_part(vault, row.id, row.sealed)[1])


def load_filed_at(tx: Connection, dossier: DossierId) -> dict[str, datetime]:
    rows = tx.execute(select(ENTRIES.c.id, ENTRIES.c.filed_at).where(ENTRIES.c.dossier == dossier))
    return {r.id: parse_instant(r.filed_at) for r in rows}


def save_grant(tx: Connection, grant: Grant) -> None:
    tx.execute(delete(GRANTS).where(GRANTS.c.entry == grant.entry, GRANTS.c.node == grant.node))
    values = {"entry": grant.entry, "node": grant.node, "at": format_instant(grant.at)}
    packed = {"clauses": msgspec.json.encode(grant.clauses), "withheld": msgspec.json.encode(grant.withheld)}
    tx.execute(insert(GRANTS).values(**values, **packed))


def _grant(row: Any) -> Grant:
    clauses, withheld = msgspec.json.decode(row.clauses), msgspec.json.decode(row.withheld)
    return Grant(EntryId(row.entry), NodeId(row.node), parse_instant(row.at), tuple(clauses), tuple(withheld))


def load_grant(tx: Connection, entry: EntryId, node: NodeId) -> Grant | None:
    row = tx.execute(select(GRANTS).where(GRANTS.c.entry == entry, GRANTS.c.node == node)).first()
    return _grant(row) if row else None


def load_grants(tx: Connection, dossier: DossierId) -> list[Grant]:
    query = select(GRANTS).join(ENTRIES, ENTRIES.c.id == GRANTS.c.entry).where(ENTRIES.c.dossier == dossier)
    return [_grant(r) for r in tx.execute(query)]


def replace_duties(tx: Connection, dossier: DossierId, found: Iterable[Duty]) -> None:
    tx.execute(delete(DUTIES).where(DUTIES.c.dossier == dossier))
    rows = [
        {
            "dossier": dossier,
            "number": n,
            "owner": d.owner,
            "code": d.code,
            "due_at": format_instant(d.due_at) if d.due_at else NO_DUE,
            "since": format_instant(d.since),
            "clause": d.clause,
            "entry": d.entry or "",
            "urgent": int(d.urgent),
            "creditor": d.creditor or "",
            "paused": d.paused,
        }
        for n, d in enumerate(found)
    ]
    if rows:
        tx.execute(insert(DUTIES), rows)


def load_duties(tx: Connection, owner: NodeId | None, dossier: DossierId | None, limit: int) -> list[Duty]:
    query = select(DUTIES).order_by(DUTIES.c.due_at, DUTIES.c.dossier, DUTIES.c.number).limit(limit)
    if owner is not None:
        query = query.where(DUTIES.c.owner == owner)
    if dossier is not None:
        query = query.where(DUTIES.c.dossier == dossier)
    return [
        Duty(
            DossierId(r.dossier),
            NodeId(r.owner),
            r.code,
            None if r.due_at == NO_DUE else parse_instant(r.due_at),
            parse_instant(r.since),
            r.clause,
            EntryId(r.entry) if r.entry else None,
            bool(r.urgent),
            NodeId(r.creditor) if r.creditor else None,
            r.paused,
        )
        for r in tx.execute(query)
    ]


def count_entries(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(ENTRIES)).scalar_one())
