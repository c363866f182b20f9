"""The dossiers' SQL. Statements lie as they were signed; parts lie sealed under the node's vault."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

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
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from tansiq import crypto
from tansiq.dossiers.model import Duty, Entry, Part, PartRef, Presence, Statement
from tansiq.dossiers.wire import parse_statement
from tansiq.store import Compiled, metadata, partial_index
from tansiq.terms import DossierId, EntryId, NodeId, PartId, format_instant, parse_instant

T = TypeVar("T")

GROUP = 256
"""So many dossiers or entries are read by one statement."""
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
    Column("updated_at", String(24), nullable=False),
    Column("erase_on", String(10), nullable=False),
    Column("unsettled", Integer, nullable=False),
    # The order of the list, of all kinds and of one.
    Index("ix_dossiers_newest", "updated_at", "id"),
    Index("ix_dossiers_kind_newest", "kind", "updated_at", "id"),
    partial_index("ix_dossiers_erase_on", "erase_on", "id", rows="erase_on <> ''"),
    partial_index("ix_dossiers_unsettled", "unsettled", rows="unsettled = 1"),
)
ENTRIES = Table(
    "dossier_entries",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("dossier", String(34), ForeignKey("dossiers.id"), nullable=False),
    Column("author", String(23), nullable=False),
    Column("clock", Integer, nullable=False),
    Column("type", String(60), nullable=False),
    Column("filed_at", String(24), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # The how manieth of its dossier it was to come: who has folded up to a number asks for what came after it.
    Column("number", Integer, nullable=False, server_default=text("0")),
    Index("ix_dossier_entries_number", "dossier", "number", unique=True),
)
PARTS = Table(
    "dossier_parts",
    metadata,
    # An entry's part, and not a part: what another author copied into an entry of its own stands in nobody's way.
    Column("entry", String(66), ForeignKey("dossier_entries.id"), primary_key=True),
    Column("id", String(66), primary_key=True),
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
DECLARED = Table(
    "dossier_declared",
    metadata,
    # Of our own entries alone: a partner's officer declares to the partner's gate.
    Column("entry", String(66), ForeignKey("dossier_entries.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
CLAIM_DATES = Table(
    "dossier_claim_dates",
    metadata,
    # Of parts that hold a value with a day of erasure of its own: the next such day.
    Column("entry", String(66), ForeignKey("dossier_entries.id"), primary_key=True),
    Column("part", String(66), primary_key=True),
    Column("erase_on", String(10), nullable=False, index=True),
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
    # With `since`: counting what is owed now reads the index alone.
    Index("ix_duties_owner_due_since", "owner", "due_at", "since"),
    Index("ix_duties_creditor_due_since", "creditor", "due_at", "since", "owner"),
    # What has its time still before it is most of the escalations: those whose time has come are read alone.
    Index("ix_duties_code_since", "code", "since"),
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


_LOCK = Compiled(select(DOSSIERS.c.id).where(DOSSIERS.c.id == bindparam("dossier")).with_for_update())
_INSERT_DOSSIER, _INSERT_ENTRY = Compiled(insert(DOSSIERS)), Compiled(insert(ENTRIES))
_INSERT_PARTS = Compiled(insert(PARTS))
_UPDATE_DOSSIER = Compiled(
    update(DOSSIERS)
    .where(DOSSIERS.c.id == bindparam("dossier"))
    .values({c: bindparam(f"new_{c}") for c in ("opener", "opened_at", "phase", "updated_at", "erase_on")})
    # Only `set_settled` says that nothing is left to write by ourselves: an entry that comes in between must not.
    .values(unsettled=case((DOSSIERS.c.unsettled == 1, 1), else_=bindparam("new_unsettled")))
)
_ENTRIES_FROM = Compiled(
    select(ENTRIES.c.number, ENTRIES.c.id, ENTRIES.c.raw)
    .where(ENTRIES.c.dossier == bindparam("dossier"), ENTRIES.c.number >= bindparam("first"))
    .order_by(ENTRIES.c.number)
)
_ENTRIES_OF_MANY = Compiled(
    select(ENTRIES.c.dossier, ENTRIES.c.number, ENTRIES.c.id, ENTRIES.c.raw)
    .where(ENTRIES.c.dossier.in_(bindparam("dossiers", expanding=True)))
    .order_by(ENTRIES.c.dossier, ENTRIES.c.number)
)
_OPENINGS_OF_MANY = Compiled(
    select(ENTRIES.c.dossier, ENTRIES.c.id)
    .where(ENTRIES.c.dossier.in_(bindparam("dossiers", expanding=True)), ENTRIES.c.clock == 0)
    .order_by(ENTRIES.c.dossier, ENTRIES.c.number)
)
_SUBJECTS = Compiled(
    select(PARTS.c.entry, PARTS.c.id, PARTS.c.sealed)
    .where(
        PARTS.c.entry.in_(bindparam("entries", expanding=True)),
        PARTS.c.kind == "subject",
        PARTS.c.presence == Presence.HELD.value,
    )
    .order_by(PARTS.c.entry, PARTS.c.id)
)
_SIZES_OF_MANY = Compiled(
    select(ENTRIES.c.dossier, PARTS.c.entry, PARTS.c.id, func.length(PARTS.c.sealed).label("size"))
    .join(ENTRIES, ENTRIES.c.id == PARTS.c.entry)
    .where(ENTRIES.c.dossier.in_(bindparam("dossiers", expanding=True)), PARTS.c.presence == Presence.HELD.value)
    .order_by(ENTRIES.c.dossier, ENTRIES.c.number, PARTS.c.id)
)
_SEALED_OF_MANY = Compiled(
    select(PARTS.c.entry, PARTS.c.id, PARTS.c.sealed)
    .where(PARTS.c.entry.in_(bindparam("entries", expanding=True)), PARTS.c.presence == Presence.HELD.value)
    .order_by(PARTS.c.entry, PARTS.c.id)
)
_PARTS_OF_DOSSIER = Compiled(
    select(PARTS).join(ENTRIES, ENTRIES.c.id == PARTS.c.entry).where(ENTRIES.c.dossier == bindparam("dossier"))
)
_HELD_OF_DOSSIER = Compiled(
    select(PARTS.c.entry, PARTS.c.id)
    .join(ENTRIES, ENTRIES.c.id == PARTS.c.entry)
    .where(ENTRIES.c.dossier == bindparam("dossier"), PARTS.c.presence == Presence.HELD.value)
    .order_by(ENTRIES.c.number, PARTS.c.id)
)
_PARTS_OF_ENTRY = Compiled(select(PARTS).where(PARTS.c.entry == bindparam("of_entry")))
_ONE_PART = and_(PARTS.c.entry == bindparam("of_entry"), PARTS.c.id == bindparam("of_part"))
_HOLD = Compiled(
    update(PARTS)
    .where(_ONE_PART, PARTS.c.presence == Presence.WITHHELD.value)
    .values(presence=Presence.HELD.value, sealed=bindparam("new_sealed"))
)
_ONE = Compiled(select(PARTS).where(_ONE_PART))
_PRESENCE = Compiled(select(PARTS.c.presence).where(_ONE_PART))
_HAS_KIND = Compiled(
    select(PARTS.c.id).where(PARTS.c.entry == bindparam("of_entry"), PARTS.c.kind == bindparam("of_kind"))
)
_REDUCE = Compiled(update(PARTS).where(_ONE_PART).values(sealed=bindparam("new_sealed")))
_INSERT_CLAIM_DATE = Compiled(insert(CLAIM_DATES))
_ONE_CLAIM_DATE = and_(CLAIM_DATES.c.entry == bindparam("of_entry"), CLAIM_DATES.c.part == bindparam("of_part"))
_DROP_CLAIM_DATE = Compiled(delete(CLAIM_DATES).where(_ONE_CLAIM_DATE))
_ERASE = Compiled(update(PARTS).where(_ONE_PART).values(presence=Presence.ERASED.value, sealed=None))
_RAW = Compiled(select(ENTRIES.c.raw).where(ENTRIES.c.id == bindparam("of_entry")))
_DOSSIER_OF = Compiled(select(ENTRIES.c.dossier).where(ENTRIES.c.id == bindparam("of_entry")))
_ONE_GRANT = and_(GRANTS.c.entry == bindparam("of_entry"), GRANTS.c.node == bindparam("to"))
_DROP_GRANT = Compiled(delete(GRANTS).where(_ONE_GRANT))
_INSERT_GRANTS = Compiled(insert(GRANTS))
_SENDING = Compiled(
    select(GRANTS, ENTRIES.c.dossier, ENTRIES.c.raw).join(ENTRIES, ENTRIES.c.id == GRANTS.c.entry).where(_ONE_GRANT)
)
_GRANTED = Compiled(select(GRANTS.c.node).where(GRANTS.c.entry == bindparam("of_entry")))
_INSERT_DECLARED = Compiled(insert(DECLARED))
_DECLARED = Compiled(select(DECLARED.c.sealed).where(DECLARED.c.entry == bindparam("of_entry")))
_DROP_DUTIES = Compiled(delete(DUTIES).where(DUTIES.c.dossier == bindparam("of_dossier")))
_INSERT_DUTIES = Compiled(insert(DUTIES))
_UNSETTLED = Compiled(select(DOSSIERS.c.id).where(text("unsettled = 1")).limit(10_000))


def seal_part(vault: crypto.Vault, part: PartId, salt: bytes, packed: bytes) -> bytes:
    """`packed`: the content's canonical bytes."""
    body = b'{"content":%b,"salt":"%b"}' % (packed, base64.b64encode(salt))
    return vault.seal("dossier_parts", part, body)


def reseal_part(vault: crypto.Vault, part: PartId, packed: bytes, erased: Iterable[str]) -> bytes:
    """What is left of a part, without the salt of what it was: with it, what was erased could be guessed and tried."""
    body = b'{"content":%b,"salt":"","erased":%b}' % (packed, msgspec.json.encode(list(erased)))
    return vault.seal("dossier_parts", part, body)


class _PartBody(msgspec.Struct):
    content: msgspec.Raw
    salt: str
    erased: tuple[str, ...] = ()


_part_bodies = msgspec.json.Decoder(_PartBody)


def _open_part(vault: crypto.Vault, part: str, sealed: bytes) -> _PartBody:
    """Its content is still JSON."""
    return _part_bodies.decode(vault.open("dossier_parts", part, sealed))


def content_of(vault: crypto.Vault, part: str, sealed: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(_open_part(vault, part, sealed).content)
    return found


def lock_dossier(tx: Connection, dossier: DossierId) -> None:
    """One writer per dossier across processes (PostgreSQL); SQLite's single writer needs no lock."""
    if tx.dialect.name == "postgresql":
        _LOCK.first(tx, {"dossier": dossier})


@dataclass(frozen=True, slots=True)
class Head:
    """A dossier's own row: what lists and workers ask for without folding it."""

    id: DossierId
    kind: str
    opener: NodeId
    opened_at: datetime
    phase: str
    updated_at: datetime
    erase_on: str
    unsettled: bool


def insert_dossier(tx: Connection, head: Head) -> None:
    _INSERT_DOSSIER.run(tx, {"id": head.id, "kind": head.kind, **_changing(head)})


def update_dossier(tx: Connection, head: Head) -> None:
    _UPDATE_DOSSIER.run(tx, {"dossier": head.id, **{f"new_{k}": v for k, v in _changing(head).items()}})


def _changing(head: Head) -> dict[str, Any]:
    return {
        "opener": head.opener,
        "opened_at": format_instant(head.opened_at),
        "phase": head.phase,
        "updated_at": format_instant(head.updated_at),
        "erase_on": head.erase_on,
        "unsettled": int(head.unsettled),
    }


def end_erasure(tx: Connection, dossier: DossierId, at: datetime) -> None:
    """Everything was erased: nothing is due any more, and whoever has a recall open is told."""
    values = {"erase_on": "", "unsettled": 1, "updated_at": format_instant(at)}
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(**values))


def set_settled(tx: Connection, dossier: DossierId) -> None:
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(unsettled=0))


def load_unsettled(tx: Connection) -> list[DossierId]:
    return [DossierId(i) for i in _UNSETTLED.scalars(tx)]


def load_past_erasure(tx: Connection, today: str) -> list[DossierId]:
    due = select(DOSSIERS.c.id).where(text("erase_on <> ''"), DOSSIERS.c.erase_on <= today)
    return [DossierId(i) for i in tx.scalars(due.order_by(DOSSIERS.c.erase_on, DOSSIERS.c.id))]


def load_unerased(tx: Connection, before: str) -> list[tuple[DossierId, str]]:
    """Dossiers whose day of erasure was before this one, with that day, the oldest first."""
    due = select(DOSSIERS.c.id, DOSSIERS.c.erase_on).where(text("erase_on <> ''"), DOSSIERS.c.erase_on < before)
    return [(DossierId(r.id), r.erase_on) for r in tx.execute(due.order_by(DOSSIERS.c.erase_on, DOSSIERS.c.id))]


def load_unerased_claims(tx: Connection, before: str) -> list[tuple[DossierId, str, int]]:
    """Dossiers with single values whose day was before this one: the oldest such day, and in how many parts."""
    query = (
        select(ENTRIES.c.dossier, func.min(CLAIM_DATES.c.erase_on).label("day"), func.count().label("parts"))
        .join(ENTRIES, ENTRIES.c.id == CLAIM_DATES.c.entry)
        .where(CLAIM_DATES.c.erase_on < before)
        .group_by(ENTRIES.c.dossier)
    )
    return [(DossierId(r.dossier), r.day, r.parts) for r in tx.execute(query)]


def is_past_erasure(tx: Connection, dossier: DossierId, today: str) -> bool:
    found = tx.execute(select(DOSSIERS.c.erase_on).where(DOSSIERS.c.id == dossier)).scalar()
    return bool(found) and str(found) <= today


def load_rows(tx: Connection, kind: str, before: str, last: str, limit: int) -> list[Any]:
    """Newest first, from before this instant on; with `last`, from behind that dossier of this very instant."""
    place = (DOSSIERS.c.updated_at, DOSSIERS.c.id)
    query = select(DOSSIERS).order_by(*(c.desc() for c in place)).limit(limit)
    if kind:
        query = query.where(DOSSIERS.c.kind == kind)
    if before:
        query = query.where(tuple_(*place) < tuple_(before, last))
    return list(tx.execute(query))


def count_dossiers(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(DOSSIERS)).scalar_one())


def load_changed(tx: Connection, at: str, last: str, limit: int) -> list[tuple[DossierId, str, tuple[int, ...]]]:
    """So many dossiers that changed at this instant or later, with the instant and a mark of what is held of their
    parts, the oldest change first; with `last`, from behind that dossier of this very instant.

    Two changes of one instant differ by the mark: parts are added, held and erased and never the other way, so that
    one of these counts grows; and a part of which single values are erased is sealed in fewer bytes than before.
    """
    held, erased = (func.count().filter(PARTS.c.presence == p.value) for p in (Presence.HELD, Presence.ERASED))
    marks = (func.count(PARTS.c.id), held, erased, func.coalesce(func.sum(func.length(PARTS.c.sealed)), 0))
    place = (DOSSIERS.c.updated_at, DOSSIERS.c.id)
    behind = tuple_(*place) > tuple_(at, last) if last else DOSSIERS.c.updated_at >= at
    # Chosen before anything is joined: else all dossiers are counted for the first few of them.
    few = select(*place).where(behind).order_by(*place).limit(limit).subquery()
    query = (
        select(few.c.id, few.c.updated_at, *marks)
        .outerjoin(ENTRIES, ENTRIES.c.dossier == few.c.id)
        .outerjoin(PARTS, PARTS.c.entry == ENTRIES.c.id)
        .group_by(few.c.id, few.c.updated_at)
    )
    rows = tx.execute(query.order_by(few.c.updated_at, few.c.id))
    return [(DossierId(r[0]), r[1], tuple(map(int, r[2:]))) for r in rows]


def load_sizes(tx: Connection, dossiers: Sequence[DossierId]) -> dict[DossierId, dict[tuple[EntryId, PartId], int]]:
    """Of each dossier the parts that are held, with the bytes that each is sealed in."""
    found: dict[DossierId, dict[tuple[EntryId, PartId], int]] = {d: {} for d in dossiers}
    for some in _in_groups(dossiers):
        for r in _SIZES_OF_MANY.all(tx, {"dossiers": some}):
            found[r.dossier][EntryId(r.entry), PartId(r.id)] = int(r.size)
    return found


def load_sealed(tx: Connection, wanted: Iterable[tuple[EntryId, PartId]]) -> list[tuple[EntryId, PartId, bytes]]:
    """Those that are held, in the order in which they are asked for; `content_of` opens them."""
    asked = list(wanted)
    sealed = {
        (r.entry, r.id): r.sealed
        for some in _in_groups(list(dict.fromkeys(entry for entry, _ in asked)))
        for r in _SEALED_OF_MANY.all(tx, {"entries": some})
    }
    return [(e, p, sealed[e, p]) for e, p in asked if (e, p) in sealed]


def _in_groups(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many as one statement names."""
    return (ids[start : start + GROUP] for start in range(0, len(ids), GROUP))


def load_versions(tx: Connection, kind: str) -> list[tuple[DossierId, str, int, str, str]]:
    """(dossier, phase, number of its last entry, when opened, when last written) of each, the oldest first."""
    newest = select(ENTRIES.c.dossier, func.max(ENTRIES.c.number).label("n")).group_by(ENTRIES.c.dossier).subquery()
    d = DOSSIERS.c
    query = select(d.id, d.phase, newest.c.n, d.opened_at, d.updated_at).join(newest, newest.c.dossier == d.id)
    query = query.where(d.kind == kind) if kind else query
    rows = tx.execute(query.order_by(d.opened_at, d.id))
    return [(DossierId(r.id), r.phase, r.n, r.opened_at, r.updated_at) for r in rows]


def load_by_prefix(tx: Connection, prefix: str) -> list[str]:
    """Dossier ids that begin so: officers type the first characters.

    Ids end in hex digits. Where a database sorts as a language does, nothing stands behind them but another letter: `~`
    stands before the digits.
    """
    begins = and_(DOSSIERS.c.id >= prefix, DOSSIERS.c.id < f"{prefix}g")
    return [r[0] for r in tx.execute(select(DOSSIERS.c.id).where(begins).limit(2))]


def insert_entry(
    tx: Connection, entry: Entry, number: int, raw: bytes, filed_at: datetime, held: Mapping[PartId, bytes]
) -> None:
    """`raw` says what `entry` says; `held`: the sealed contents of the parts that this node has."""
    s = entry.statement
    _statements.note(raw, s)
    values = {"id": entry.id, "dossier": s.dossier, "author": s.author, "clock": s.clock, "type": s.type}
    _INSERT_ENTRY.run(tx, {**values, "filed_at": format_instant(filed_at), "raw": raw, "number": number})
    if s.parts:
        presence = {True: Presence.HELD.value, False: Presence.WITHHELD.value}
        rows = [
            {
                "id": p.id,
                "entry": entry.id,
                "kind": p.kind,
                "presence": presence[p.id in held],
                "sealed": held.get(p.id),
            }
            for p in s.parts
        ]
        _INSERT_PARTS.many(tx, rows)


def hold_part(tx: Connection, entry: EntryId, part: PartId, sealed: bytes) -> bool:
    """Keep what came later. An erased part stays erased, whoever sends it again. True where it is new."""
    return _HOLD.run(tx, {"of_entry": entry, "of_part": part, "new_sealed": sealed}) == 1


def erase_part(tx: Connection, entry: EntryId, part: PartId) -> bool:
    """Remove content and salt; the commitment stays. True where it was held."""
    which = {"of_entry": entry, "of_part": part}
    held = bool(_PRESENCE.scalar(tx, which) == Presence.HELD.value)
    _ERASE.run(tx, which)
    return held


def load_part(tx: Connection, vault: crypto.Vault, entry: EntryId, part: PartId) -> Part | None:
    """A part that is held; None where it is not."""
    row = _ONE.first(tx, {"of_entry": entry, "of_part": part})
    if row is None or row.presence != Presence.HELD.value:
        return None
    return _part(vault, PartRef(part, row.kind, 0), row)


def reduce_part(tx: Connection, entry: EntryId, part: PartId, sealed: bytes) -> None:
    """Keep what is left of it (`reseal_part`)."""
    _REDUCE.run(tx, {"of_entry": entry, "of_part": part, "new_sealed": sealed})


def set_claim_date(tx: Connection, entry: EntryId, part: PartId, erase_on: str) -> None:
    """The next day on which a value of the part is erased; empty: there is none any more."""
    _DROP_CLAIM_DATE.run(tx, {"of_entry": entry, "of_part": part})
    if erase_on:
        _INSERT_CLAIM_DATE.run(tx, {"entry": entry, "part": part, "erase_on": erase_on})


def load_due_claims(
    tx: Connection, today: str, entry: EntryId | None = None, most: int | None = None
) -> list[tuple[EntryId, PartId]]:
    """Parts of which a value is due to be erased; of all entries, or of one."""
    query = select(CLAIM_DATES).where(CLAIM_DATES.c.erase_on <= today)
    query = query.where(CLAIM_DATES.c.entry == entry) if entry else query
    rows = tx.execute(query.order_by(CLAIM_DATES.c.entry, CLAIM_DATES.c.part).limit(most))
    return [(EntryId(r.entry), PartId(r.part)) for r in rows]


def set_updated(tx: Connection, dossier: DossierId, at: datetime) -> None:
    """Something of it reads differently now."""
    tx.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(updated_at=format_instant(at)))


def presence_of(tx: Connection, entry: EntryId, part: PartId) -> str:
    """What this node has of a part; empty where it knows no such entry."""
    return str(_PRESENCE.scalar(tx, {"of_entry": entry, "of_part": part}) or "")


def has_parts_of(tx: Connection, entry: EntryId, kind: str) -> bool:
    return _HAS_KIND.first(tx, {"of_entry": entry, "of_kind": kind}) is not None


def load_held(tx: Connection, dossier: DossierId) -> list[tuple[EntryId, PartId]]:
    """The parts whose content this node has."""
    return [(EntryId(r.entry), PartId(r.id)) for r in _HELD_OF_DOSSIER.all(tx, {"dossier": dossier})]


def load_parts(tx: Connection, vault: crypto.Vault, entry: EntryId) -> list[tuple[PartId, bytes, msgspec.Raw]]:
    """(Part, salt, content as JSON) of those that this node has whole, as they were committed to."""
    rows = _PARTS_OF_ENTRY.all(tx, {"of_entry": entry})
    held = [(PartId(r.id), _open_part(vault, r.id, r.sealed)) for r in rows if r.presence == Presence.HELD.value]
    return [(part, base64.b64decode(body.salt), body.content) for part, body in held if not body.erased]


def load_raw(tx: Connection, entry: EntryId) -> bytes | None:
    found: bytes | None = _RAW.scalar(tx, {"of_entry": entry})
    return found


def load_filed_since(tx: Connection, author: NodeId, since: datetime) -> list[EntryId]:
    """This author's entries that we filed from then on, in the order in which they came."""
    at = format_instant(since)
    rows = tx.execute(
        select(ENTRIES.c.id)
        .join(DOSSIERS, DOSSIERS.c.id == ENTRIES.c.dossier)
        # A dossier's row is as old as its newest entry: few have changed since.
        .where(DOSSIERS.c.updated_at >= at, ENTRIES.c.author == author, ENTRIES.c.filed_at >= at)
        .order_by(ENTRIES.c.filed_at, ENTRIES.c.clock, ENTRIES.c.id)
    )
    return [EntryId(r.id) for r in rows]


def find_dossier_of(tx: Connection, entry: EntryId) -> DossierId | None:
    found = _DOSSIER_OF.scalar(tx, {"of_entry": entry})
    return DossierId(found) if found else None


def load_from(tx: Connection, dossier: DossierId, first: int) -> list[tuple[int, Entry]]:
    """Entries from this number on, as they verified when they were filed; their parts are not looked at."""
    rows = _ENTRIES_FROM.all(tx, {"dossier": dossier, "first": first})
    return [(r.number, _entry(None, r.id, r.raw, [])) for r in rows]


def with_contents(tx: Connection, vault: crypto.Vault, dossier: DossierId, entries: Iterable[Entry]) -> list[Entry]:
    """The same entries with what this node has of their parts."""
    parts: dict[str, dict[str, Any]] = {}
    for row in _PARTS_OF_DOSSIER.all(tx, {"dossier": dossier}):
        parts.setdefault(row.entry, {})[row.id] = row
    return [_filled(vault, e.id, e.statement, parts.get(e.id, {})) for e in entries]


def load_openings(tx: Connection, dossiers: Sequence[DossierId]) -> dict[DossierId, list[EntryId]]:
    """Of each dossier the entries that open it."""
    found: dict[DossierId, list[EntryId]] = {}
    for some in _in_groups(dossiers):
        for r in _OPENINGS_OF_MANY.all(tx, {"dossiers": some}):
            found.setdefault(DossierId(r.dossier), []).append(EntryId(r.id))
    return found


def load_subjects(tx: Connection, entries: Sequence[EntryId]) -> dict[EntryId, tuple[PartId, bytes]]:
    """The subject parts that are held of these entries; `content_of` opens them."""
    found: dict[EntryId, tuple[PartId, bytes]] = {}
    for some in _in_groups(entries):
        for r in _SUBJECTS.all(tx, {"entries": some}):
            found.setdefault(EntryId(r.entry), (PartId(r.id), r.sealed))
    return found


def load_raws(tx: Connection, dossiers: Sequence[DossierId]) -> Iterator[tuple[DossierId, list[Any]]]:
    """Of each dossier its entries (`number`, `id`, `raw`), the first first; for `read_raws`."""
    for some in _in_groups(dossiers):
        rows = _ENTRIES_OF_MANY.all(tx, {"dossiers": some})
        yield from ((DossierId(d), list(each)) for d, each in groupby(rows, lambda r: r.dossier))


def read_raws(rows: Iterable[Any]) -> list[Entry]:
    """As they verified when they were filed; their parts are not looked at."""
    return [_entry(None, r.id, r.raw, []) for r in rows]


def load_entry(tx: Connection, vault: crypto.Vault, entry: EntryId) -> Entry | None:
    raw = load_raw(tx, entry)
    if raw is None:
        return None
    return _entry(vault, entry, raw, _PARTS_OF_ENTRY.all(tx, {"of_entry": entry}))


class _Statements:
    """What signed bytes say: the same thing each time, and parsing is most of a fold. Safe to share between threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Statement] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, raw: bytes) -> Statement:
        with self._lock:
            found = self._known.get(raw)
            if found is not None:
                self._known.move_to_end(raw)
                return found
        found = parse_statement(crypto.peek(raw, max_bytes=len(raw)).body)
        self.note(raw, found)
        return found

    def note(self, raw: bytes, statement: Statement) -> None:
        """These bytes were read, or made, already. True whatever becomes of the transaction in which it is said."""
        with self._lock:
            self._known[raw] = statement
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


_statements = _Statements()


def _entry(vault: crypto.Vault | None, entry: str, raw: bytes, rows: list[Any]) -> Entry:
    return _filled(vault, EntryId(entry), _statements.of(raw), {r.id: r for r in rows})


def _filled(vault: crypto.Vault | None, entry: EntryId, statement: Statement, rows: Mapping[str, Any]) -> Entry:
    return Entry(entry, statement, tuple(_part(vault, ref, rows.get(ref.id)) for ref in statement.parts))


def _part(vault: crypto.Vault | None, ref: PartRef, row: Any) -> Part:
    if row is None:
        return Part(ref, Presence.WITHHELD, None)
    presence = Presence(row.presence)
    if presence is not Presence.HELD or vault is None:
        return Part(ref, presence, None)
    body = _open_part(vault, row.id, row.sealed)
    return Part(ref, presence, msgspec.json.decode(body.content), body.erased)


def load_filed_at(tx: Connection, dossier: DossierId) -> dict[str, datetime]:
    rows = tx.execute(select(ENTRIES.c.id, ENTRIES.c.filed_at).where(ENTRIES.c.dossier == dossier))
    return {r.id: parse_instant(r.filed_at) for r in rows}


def load_last_filed(tx: Connection, dossier: DossierId) -> datetime:
    """When the newest of its entries came."""
    return parse_instant(
        tx.execute(select(func.max(ENTRIES.c.filed_at)).where(ENTRIES.c.dossier == dossier)).scalar_one()
    )


def insert_grants(tx: Connection, grants: Iterable[Grant]) -> None:
    """Of an entry that is new."""
    rows = [
        {
            "entry": g.entry,
            "node": g.node,
            "at": format_instant(g.at),
            "clauses": msgspec.json.encode(g.clauses),
            "withheld": msgspec.json.encode(g.withheld),
        }
        for g in grants
    ]
    if rows:
        _INSERT_GRANTS.many(tx, rows)


def replace_grant(tx: Connection, grant: Grant) -> None:
    _DROP_GRANT.run(tx, {"of_entry": grant.entry, "to": grant.node})
    insert_grants(tx, [grant])


def _grant(row: Any) -> Grant:
    clauses, withheld = msgspec.json.decode(row.clauses), msgspec.json.decode(row.withheld)
    return Grant(EntryId(row.entry), NodeId(row.node), parse_instant(row.at), tuple(clauses), tuple(withheld))


def load_sending(tx: Connection, entry: EntryId, node: NodeId) -> tuple[Grant, DossierId, bytes] | None:
    """Why an entry goes to a node, its dossier and its signed bytes; None where it was not granted."""
    row = _SENDING.first(tx, {"of_entry": entry, "to": node})
    return (_grant(row), DossierId(row.dossier), row.raw) if row else None


def load_granted(tx: Connection, entry: EntryId) -> list[NodeId]:
    """Whom it goes to."""
    return [NodeId(n) for n in _GRANTED.scalars(tx, {"of_entry": entry})]


def seal_declared(vault: crypto.Vault, entry: EntryId, declared: bytes) -> bytes:
    return vault.seal("dossier_declared", entry, declared)


def insert_declared(tx: Connection, entry: EntryId, sealed: bytes) -> None:
    _INSERT_DECLARED.run(tx, {"entry": entry, "sealed": sealed})


def load_declared(tx: Connection, vault: crypto.Vault, entry: EntryId) -> bytes | None:
    """What its officer declared to the law gate; None for another's entry, and for one from before it was kept."""
    sealed = _DECLARED.scalar(tx, {"of_entry": entry})
    return vault.open("dossier_declared", entry, sealed) if sealed is not None else None


def undeclared(tx: Connection, dossier: DossierId, author: NodeId) -> list[EntryId]:
    """Entries of the author's, for which nothing that its officers declared is kept."""
    own = (ENTRIES.c.dossier == dossier, ENTRIES.c.author == author)
    return list(tx.execute(select(ENTRIES.c.id).outerjoin(DECLARED).where(*own, DECLARED.c.entry.is_(None))).scalars())


def load_grants(tx: Connection, dossier: DossierId) -> list[Grant]:
    query = select(GRANTS).join(ENTRIES, ENTRIES.c.id == GRANTS.c.entry).where(ENTRIES.c.dossier == dossier)
    return [_grant(r) for r in tx.execute(query)]


def drop_duties(tx: Connection, dossier: DossierId) -> None:
    _DROP_DUTIES.run(tx, {"of_dossier": dossier})


def insert_duties(tx: Connection, dossier: DossierId, found: Iterable[Duty], now: datetime | None = None) -> None:
    """What a clock ahead of ours made known is owed from `now` on; only what begins later waits for its time."""
    rows = [
        {
            "dossier": dossier,
            "number": n,
            "owner": d.owner,
            "code": d.code,
            "due_at": format_instant(d.due_at) if d.due_at else NO_DUE,
            "since": format_instant(d.since if d.later or now is None else min(d.since, now)),
            "clause": d.clause,
            "entry": d.entry or "",
            "urgent": int(d.urgent),
            "creditor": d.creditor or "",
            "paused": d.paused,
        }
        for n, d in enumerate(found)
    ]
    if rows:
        _INSERT_DUTIES.many(tx, rows)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose duties: of one owner or all; in one dossier; what others owe to one creditor; of these codes, or of none
    of those."""

    owner: NodeId | None = None
    dossier: DossierId | None = None
    creditor: NodeId | None = None
    codes: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def where(self, now: datetime) -> list[Any]:
        """A duty whose `since` lies ahead is not owed yet."""
        # One dossier has few, and of single codes few have their time come: those are read by the index of the one or
        # the other, and not by whose they are.
        few = bool(self.codes or self.dossier)
        owner, creditor = (func.coalesce(c, "") if few else c for c in (DUTIES.c.owner, DUTIES.c.creditor))
        found: list[Any] = [DUTIES.c.since <= format_instant(now)]
        found += [owner == self.owner] if self.owner is not None else []
        found += [DUTIES.c.dossier == self.dossier] if self.dossier is not None else []
        found += [creditor == self.creditor, owner != self.creditor] if self.creditor is not None else []
        found += [DUTIES.c.code.in_(sorted(self.codes))] if self.codes else []
        found += [DUTIES.c.code.not_in(sorted(self.without))] if self.without else []
        return found


def load_duties(tx: Connection, asked: Asked, limit: int | None, now: datetime) -> list[Duty]:
    """What is owed now, the first due first; what is stopped comes last, as long as it stands."""
    stopped = case((DUTIES.c.due_at == NO_DUE, DUTIES.c.since), else_="")
    query = select(DUTIES).where(*asked.where(now))
    query = query.order_by(DUTIES.c.due_at, stopped, DUTIES.c.dossier, DUTIES.c.number).limit(limit)
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


def count_duties(tx: Connection, asked: Asked, now: datetime, soon: datetime) -> tuple[int, int, str]:
    """How many duties are owed now, how many of them are due before `soon`, and since when the newest of them is."""
    late = func.count().filter(DUTIES.c.due_at < format_instant(soon))
    row = tx.execute(select(func.count(), late, func.max(DUTIES.c.since)).where(*asked.where(now))).one()
    return int(row[0]), int(row[1]), row[2] or ""
