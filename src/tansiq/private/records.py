"""The private checks' tables and all of their SQL. One text for SQLite and PostgreSQL.

Plain columns hold codes, counts, node ids, dates and what is noise without a key (tags, blinded elements). Inputs,
blinds, cases, opaque ids and which record stands behind one are sealed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    select,
)

from tansiq.private import holding
from tansiq.store import Compiled, Sealed, add, change, metadata, put, remove, row, rows

NODE, TIER, DAY, AT = String(32), String(16), String(10), String(24)

epochs = Table(
    "private_epochs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("begins_on", DAY, nullable=False),
    Column("ends_on", DAY, nullable=False),
    # The last day on which a closed epoch is answered; empty while it is the current one.
    Column("grace_until", DAY, nullable=False),
)

served = Table(
    "private_served",
    metadata,
    Column("partner", NODE, primary_key=True),
    Column("tier", TIER, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("officer", Text, nullable=False),
    Column("at", AT, nullable=False),
)
"""Whom we serve: `wanted` (its list is due), `served`, `revoked`."""

held = Table(
    "private_held",
    metadata,
    Column("partner", NODE, primary_key=True),
    Column("tier", TIER, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("descriptor", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("changed_on", DAY, nullable=False),
    Column("published_at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""A list that we ship. `sealed`: which tag is whose record's, and which opaque id means which record."""

pieces = Table(
    "private_pieces",
    metadata,
    Column("side", String(8), primary_key=True),
    Column("node", NODE, primary_key=True),
    Column("tier", TIER, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("raw", LargeBinary, nullable=False),
)
"""A list in pieces that fit into an envelope; `side`: `held` or `taken`."""

deltas = Table(
    "private_deltas",
    metadata,
    Column("side", String(8), primary_key=True),
    Column("node", NODE, primary_key=True),
    Column("tier", TIER, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("raw", LargeBinary, nullable=False),
)

taken = Table(
    "private_taken",
    metadata,
    Column("holder", NODE, primary_key=True),
    Column("tier", TIER, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("descriptor", LargeBinary, nullable=False),
    # Of the list as it is now; the descriptor has that of the list as it was shipped.
    Column("digest", String(64), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("last_asked", BigInteger, nullable=False),
    Column("changed_at", AT, nullable=False),
)
"""A partner's list: `arriving`, `ready`, `old` (a newer one is there), `ended` (its epoch is over, or
the partner stopped it), `broken`."""

checks = Table(
    "private_checks",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("partner", NODE, nullable=False),
    Column("ref", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("asked_at", AT, nullable=False),
    Column("dossier", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_private_checks_ref", "ref"),
    Index("ix_private_checks_asked_at", "asked_at"),
)
"""What we asked one partner at once. `kind`: `person` or `plan`; `ref`: the watch or the plan that it belongs to."""

asked = Table(
    "private_asked",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("check", String(48), nullable=False),
    Column("holder", NODE, nullable=False),
    Column("tier", TIER, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("case", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", Text, nullable=False),
    Column("at", AT, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Inputs, blinds and case of every element (the openable log); after the answer, the outputs beside it.
    Column("sealed", LargeBinary, nullable=False),
    Column("outputs", LargeBinary, nullable=False),
    Index("ix_private_asked_check", "check"),
    Index("ix_private_asked_at", "at"),
)
"""Batches that we sent: `sent`, `answered`, `refused`. `id` is the digest of the elements."""

answered = Table(
    "private_answered",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partner", NODE, nullable=False),
    Column("tier", TIER, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("case", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", AT, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("elements", LargeBinary, nullable=False),
    Index("ix_private_answered_at", "at"),
)
"""Batches that were asked of us; `code` is empty when it was evaluated, else why not. Its elements are kept."""

watches = Table(
    "private_watches",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("since", AT, nullable=False),
    Column("until_on", DAY, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

alarms = Table(
    "private_alarms",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("partner", String(32), nullable=False),
    Column("tier", TIER, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("of", BigInteger, nullable=False),
    Column("ref", Text, nullable=False),
    Column("at", AT, nullable=False),
    Column("seen_at", AT, nullable=False),
    Column("seen_by", Text, nullable=False),
    Index("ix_private_alarms_seen_at", "seen_at"),
)

canaries = Table(
    "private_canaries",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

notices = Table(
    "private_notices",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("partner", NODE, nullable=False),
    Column("dossier", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("at", AT, nullable=False),
    Column("done_at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_private_notices_dossier", "dossier"),
    Index("ix_private_notices_entry", "entry"),
)
"""A partner's request named an opaque id of ours. `sealed`: the id and the record that it means."""

queue = Table(
    "private_queue",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("what", String(16), nullable=False),
    Column("node", NODE, nullable=False),
    Column("at", AT, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("ix_private_queue_at", "at"),
)
"""What came by envelope and waits for the worker: batches to answer, entries to read, answers on their way out."""

sealed_held = Sealed(held, holding.pack, holding.unpack, joined=":")
sealed_asked, sealed_canaries, sealed_notices, sealed_watches = map(Sealed, (asked, canaries, notices, watches))
_ANY_HELD = Compiled(select(held.c.epoch).limit(1))


def has_held(tx: Connection) -> bool:
    """Whether we ever made a list. Asked for each entry that comes in, so it is one prepared statement."""
    return _ANY_HELD.first(tx) is not None


def exists(tx: Connection, table: Table, **equal: Any) -> bool:
    return row(tx, table, **equal) is not None


def piece_sizes(tx: Connection, side: str, node: str, tier: str, epoch: int) -> dict[int, int]:
    """Number -> bytes of the pieces that are here. Of all of them together there may be gigabytes: none is read."""
    c = pieces.c
    query = select(c.number, func.length(c.raw)).where(c.side == side, c.node == node, c.tier == tier, c.epoch == epoch)
    return {number: size for number, size in tx.execute(query)}


def waiting_deltas(tx: Connection) -> list[dict[str, Any]]:
    """Where the changes of partners' lists that are not applied yet belong, in order; without what they are."""
    c = deltas.c
    query = select(c.node, c.tier, c.epoch, c.sequence).where(c.side == "taken").order_by(c.sequence)
    return [dict(r) for r in tx.execute(query).mappings()]


def digests(tx: Connection, states: Iterable[str]) -> set[str]:
    """Of the partners' lists in these states: the names of their files."""
    return set(tx.execute(select(taken.c.digest).where(taken.c.state.in_(list(states)))).scalars())


def queued(tx: Connection, what: str, node: str) -> int:
    """How much of this partner waits for the worker."""
    query = select(func.count()).select_from(queue).where(queue.c.what == what, queue.c.node == node)
    return int(tx.execute(query).scalar_one())


def totals(tx: Connection, table: Table, who: str, since: str) -> list[dict[str, Any]]:
    """Batches and elements by partner, tier, purpose and code, since an instant."""
    c = table.c
    groups = (c[who], c.tier, c.purpose, c.code)
    sums = (func.count().label("batches"), func.sum(c.count).label("evaluations"), func.max(c.at).label("last"))
    query = select(*groups, *sums).where(c.at >= since).group_by(*groups).order_by(*groups)
    return [dict(r) | {"partner": r[who], "evaluations": int(r["evaluations"])} for r in tx.execute(query).mappings()]


__all__ = [
    "add",
    "alarms",
    "answered",
    "asked",
    "canaries",
    "change",
    "checks",
    "deltas",
    "digests",
    "epochs",
    "exists",
    "has_held",
    "held",
    "notices",
    "piece_sizes",
    "pieces",
    "put",
    "queue",
    "queued",
    "remove",
    "row",
    "rows",
    "sealed_asked",
    "sealed_canaries",
    "sealed_held",
    "sealed_notices",
    "sealed_watches",
    "served",
    "taken",
    "totals",
    "waiting_deltas",
    "watches",
]
