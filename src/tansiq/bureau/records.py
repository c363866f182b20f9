"""The bureau's SQL. Plain columns hold ids, days and instants; every word lies sealed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from tansiq.bureau.model import Link, Notice, Template, Watch, WatchKind
from tansiq.crypto import Vault
from tansiq.store import Compiled, Sealed, metadata
from tansiq.terms import DossierId, format_instant, parse_instant

WATCHES = Table(
    "bureau_watches",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("officer", String(18), nullable=False),
    Column("expires_on", String(10), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_bureau_watches_officer", "officer"),
    Index("ix_bureau_watches_expires_on", "expires_on"),
)
NOTICES = Table(
    "bureau_notices",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("watch", String(34), ForeignKey("bureau_watches.id"), nullable=False),
    # One notice for each query and entry (or record): a repeated comparison tells nothing twice.
    Column("met", String(66), nullable=False),
    Column("at", String(24), nullable=False),
    Column("seen_at", String(24), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("watch", "met"),
    Index("ix_bureau_notices_met", "met"),
)
CURSOR = Table(
    "bureau_cursor",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
)
"""The change of the bank up to which new holdings were compared with the standing queries."""
WAITING = Table(
    "bureau_waiting",
    metadata,
    Column("entry", String(66), primary_key=True),
    Column("dossier", String(34), nullable=False),
)
"""Entries that arrived and were not compared yet: a crash between the two loses none."""
LINKS = Table(
    "bureau_links",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("origin", String(34), nullable=False),
    Column("target", String(34), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("origin", "target"),
    Index("ix_bureau_links_target", "target"),
)
TEMPLATES = Table(
    "bureau_templates",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("kind", String(40), nullable=False),
    # The blind index of its name.
    Column("name", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("name"),
)


_WATCHES, _NOTICES, _LINKS, _TEMPLATES = (
    Sealed(table, msgspec.json.encode, msgspec.json.decode) for table in (WATCHES, NOTICES, LINKS, TEMPLATES)
)


# --- standing queries ---

_WATCH_IDS = Compiled(select(WATCHES.c.id).order_by(WATCHES.c.id))
_ANY_WATCH = Compiled(select(WATCHES.c.id).limit(1))
_WAITING = Compiled(select(WAITING).limit(bindparam("most")))
_CURSOR = Compiled(select(CURSOR.c.change))


def insert_watch(tx: Connection, vault: Vault, w: Watch) -> None:
    body = {
        "kind": w.kind.value,
        "text": w.text,
        "purpose": w.purpose,
        "justification": w.justification,
        "made_at": format_instant(w.made_at),
    }
    row = {"id": w.id, "officer": w.officer, "expires_on": w.expires_on}
    _WATCHES.add(tx, vault, body, **row)


def _watch(vault: Vault, row: Any) -> Watch:
    b = _WATCHES.open(vault, row)
    made_at = parse_instant(b["made_at"])
    kind = WatchKind(b["kind"])
    return Watch(row.id, row.officer, kind, b["text"], b["purpose"], b["justification"], row.expires_on, made_at)


def watch_ids(tx: Connection) -> list[str]:
    return _WATCH_IDS.scalars(tx)


def has_watches(tx: Connection) -> bool:
    return _ANY_WATCH.first(tx) is not None


def watches(tx: Connection, vault: Vault, officer: str = "", ids: Iterable[str] | None = None) -> list[Watch]:
    query = select(WATCHES).order_by(WATCHES.c.expires_on, WATCHES.c.id)
    if officer:
        query = query.where(WATCHES.c.officer == officer)
    if ids is not None:
        query = query.where(WATCHES.c.id.in_(list(ids)))
    return [_watch(vault, r) for r in tx.execute(query)]


def drop_watch(tx: Connection, watch: str) -> None:
    tx.execute(delete(NOTICES).where(NOTICES.c.watch == watch))
    tx.execute(delete(WATCHES).where(WATCHES.c.id == watch))


def expired(tx: Connection, today: str) -> list[tuple[str, str]]:
    query = select(WATCHES.c.id, WATCHES.c.officer).where(WATCHES.c.expires_on < today)
    return [(r.id, r.officer) for r in tx.execute(query)]


def insert_notice(tx: Connection, vault: Vault, n: Notice) -> bool:
    """False where this query met this before."""
    there = select(NOTICES.c.id).where(NOTICES.c.watch == n.watch, NOTICES.c.met == n.met)
    if tx.execute(there).first() is not None:
        return False
    body = {"dossier": n.dossier, "what": n.what, "score": n.score, "officer": n.officer}
    row = {"id": n.id, "watch": n.watch, "met": n.met, "at": format_instant(n.at), "seen_at": ""}
    _NOTICES.add(tx, vault, body, **row)
    return True


def notices(tx: Connection, vault: Vault, officer: str = "", *, open_only: bool = True) -> list[Notice]:
    query = select(NOTICES).join(WATCHES, WATCHES.c.id == NOTICES.c.watch).order_by(NOTICES.c.at, NOTICES.c.id)
    if officer:
        query = query.where(WATCHES.c.officer == officer)
    if open_only:
        query = query.where(NOTICES.c.seen_at == "")
    return [_notice(vault, r) for r in tx.execute(query)]


def _notice(vault: Vault, row: Any) -> Notice:
    b = _NOTICES.open(vault, row)
    seen = parse_instant(row.seen_at) if row.seen_at else None
    at = parse_instant(row.at)
    return Notice(row.id, row.watch, b["officer"], row.met, b["dossier"], b["what"], b["score"], at, seen)


def set_seen(tx: Connection, notice: str, now: datetime) -> None:
    tx.execute(update(NOTICES).where(NOTICES.c.id == notice).values(seen_at=format_instant(now)))


def drop_notices_of(tx: Connection, met: Iterable[str]) -> None:
    """What met them was erased: so are its words here."""
    tx.execute(delete(NOTICES).where(NOTICES.c.met.in_(list(met))))


def put_waiting(tx: Connection, entry: str, dossier: str) -> None:
    if tx.execute(select(WAITING.c.entry).where(WAITING.c.entry == entry)).first() is None:
        tx.execute(insert(WAITING), {"entry": entry, "dossier": dossier})


def waiting(tx: Connection, most: int) -> list[tuple[str, str]]:
    return [(r.entry, r.dossier) for r in _WAITING.all(tx, {"most": most})]


def drop_waiting(tx: Connection, entries: Iterable[str]) -> None:
    tx.execute(delete(WAITING).where(WAITING.c.entry.in_(list(entries))))


def cursor(tx: Connection) -> int | None:
    found = _CURSOR.scalar(tx)
    return None if found is None else int(found)


def set_cursor(tx: Connection, change: int) -> None:
    if tx.execute(update(CURSOR).values(change=change)).rowcount == 0:
        tx.execute(insert(CURSOR), {"one": 1, "change": change})


# --- links ---


def insert_link(tx: Connection, vault: Vault, x: Link) -> None:
    body = {"why": x.why, "officer": x.officer, "at": format_instant(x.at)}
    row = {"id": x.id, "origin": x.origin, "target": x.target}
    _LINKS.add(tx, vault, body, **row)


def links(tx: Connection, vault: Vault, dossier: str) -> list[Link]:
    query = select(LINKS).where(or_(LINKS.c.origin == dossier, LINKS.c.target == dossier)).order_by(LINKS.c.id)
    return [_link(vault, r) for r in tx.execute(query)]


def _link(vault: Vault, row: Any) -> Link:
    b = _LINKS.open(vault, row)
    origin, target = DossierId(row.origin), DossierId(row.target)
    return Link(row.id, origin, target, b["why"], b["officer"], parse_instant(b["at"]))


def drop_link(tx: Connection, link: str) -> None:
    tx.execute(delete(LINKS).where(LINKS.c.id == link))


# --- templates ---


def put_template(tx: Connection, vault: Vault, t: Template, name: bytes) -> None:
    tx.execute(delete(TEMPLATES).where(TEMPLATES.c.name == name))
    body = {"name": t.name, "body": dict(t.body), "places": list(t.places)}
    row = {"id": t.id, "kind": t.kind, "name": name}
    _TEMPLATES.add(tx, vault, body, **row)


def templates(tx: Connection, vault: Vault, kind: str = "", name: bytes = b"") -> list[Template]:
    query = select(TEMPLATES)
    if kind:
        query = query.where(TEMPLATES.c.kind == kind)
    if name:
        query = query.where(TEMPLATES.c.name == name)
    found = [(r, _TEMPLATES.open(vault, r)) for r in tx.execute(query)]
    made = [Template(r.id, b["name"], r.kind, b["body"], tuple(b["places"])) for r, b in found]
    return sorted(made, key=lambda t: (t.kind, t.name))


def drop_template(tx: Connection, template: str) -> None:
    tx.execute(delete(TEMPLATES).where(TEMPLATES.c.id == template))
