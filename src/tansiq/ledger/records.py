"""The ledger's SQL. Leaves, nodes and the head only ever grow; content alone can be deleted.

Hazard: nothing here may be cached in memory. The caller's transaction may still be rolled back, and then the log
must look as if nothing had been appended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    SmallInteger,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from tansiq.errors import Broken
from tansiq.ledger.merkle import HASH_BYTES, Node
from tansiq.ledger.model import Leaf, Wanted
from tansiq.store import Compiled, metadata
from tansiq.terms import LogVerb

HEAD_ID = 1
_MOST_BOUND = 400
"""Below SQLite's oldest limit of 999 bound values."""

head = Table(
    "ledger_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    # The hashes of the complete subtrees, largest first: all that an append needs to know of the tree.
    Column("peaks", LargeBinary, nullable=False),
)
leaves = Table(
    "ledger_leaves",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("at", String(24), nullable=False),
)
Index("ix_ledger_leaves_subject", leaves.c.subject, leaves.c.leaf_index)
# No index of officers: they stand in the sealed content alone. A stolen database must not tell who worked when.
Index("ix_ledger_leaves_at", leaves.c.at, leaves.c.leaf_index)
nodes = Table(
    "ledger_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("node_index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
known_time = Table(
    "ledger_known_time",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(24), nullable=False),
)
contents = Table(
    "ledger_contents",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    # The salt and the content, sealed together: erasing the row erases both.
    Column("sealed", LargeBinary, nullable=False),
)
checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)
witnessed = Table(
    "ledger_witnessed",
    metadata,
    Column("origin", String(128), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)

witnesses = Table(
    "ledger_witnesses",
    metadata,
    Column("node", String(48), primary_key=True),
    Column("asked_ref", Text, nullable=False),
    Column("asked_at", String(24), nullable=False),
    Column("cosigned_size", BigInteger, nullable=False),
    Column("cosigned_at", String(24), nullable=False),
    Column("answer_ref", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("trouble", String(16), nullable=False),
    Column("trouble_at", String(24), nullable=False),
    Column("evidence", Text, nullable=False),
)


# The statements of an append: they run for every act.
_LOCK_HEAD = Compiled(select(head.c.size, head.c.peaks).where(head.c.id == HEAD_ID).with_for_update())
_SAVE_HEAD = Compiled(
    update(head)
    .where(head.c.id == HEAD_ID)
    .values(size=bindparam("new_size"), peaks=bindparam("new_peaks", type_=LargeBinary()))
)
_SAVE_LEAF, _SAVE_CONTENT, _SAVE_NODES = (
    Compiled(leaves.insert()),
    Compiled(contents.insert()),
    Compiled(nodes.insert()),
)


def lock_head(tx: Connection) -> tuple[int, list[bytes]]:
    """Size and peaks, the row locked until the caller's transaction ends: appends are serial."""
    row = _LOCK_HEAD.first(tx)
    if row is None:
        if tx.execute(select(leaves.c.leaf_index).limit(1)).first():
            raise Broken("ledger.head", "the ledger has leaves but no head", step="ledger")
        tx.execute(insert_into(tx, head).values(id=HEAD_ID, size=0, peaks=b"").on_conflict_do_nothing())
        row = _LOCK_HEAD.first(tx)
    return row.size, _peaks(row.size, bytes(row.peaks))


def load_head(tx: Connection) -> tuple[int, list[bytes]]:
    """Size and peaks as committed; (0, []) before the first append."""
    row = tx.execute(select(head.c.size, head.c.peaks).where(head.c.id == HEAD_ID)).first()
    return (0, []) if row is None else (row.size, _peaks(row.size, bytes(row.peaks)))


def load_stored_head(tx: Connection) -> tuple[int, bytes]:
    """The head as it stands in its row, unchecked: for the audit, which must not stumble over it."""
    row = tx.execute(select(head.c.size, head.c.peaks).where(head.c.id == HEAD_ID)).first()
    return (0, b"") if row is None else (row.size, bytes(row.peaks))


def _peaks(size: int, joined: bytes) -> list[bytes]:
    if len(joined) != size.bit_count() * HASH_BYTES:
        raise Broken("ledger.head", "the ledger's head does not fit its size", step="ledger", detail=str(size))
    return [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A leaf that is being appended, and its sealed content."""

    index: int
    leaf: Leaf
    hash: bytes
    sealed: bytes


def save_leaves(
    tx: Connection, rows: Sequence[LeafRow], peaks: Sequence[bytes], completed: Sequence[tuple[int, int, bytes]]
) -> None:
    """Appended leaves with their contents, the inner nodes that they completed, and the new head."""
    if not rows:
        return
    _SAVE_LEAF.many(
        tx,
        [
            {
                "leaf_index": row.index,
                "leaf_hash": row.hash,
                "commitment": row.leaf.commitment,
                "verb": row.leaf.verb.value,
                "subject": row.leaf.subject,
                "at": row.leaf.at,
            }
            for row in rows
        ],
    )
    _SAVE_CONTENT.many(tx, [{"leaf_index": row.index, "sealed": row.sealed} for row in rows])
    if completed:
        _SAVE_NODES.many(tx, [{"level": lv, "node_index": ix, "hash": h} for lv, ix, h in completed])
    _SAVE_HEAD.run(tx, {"new_size": rows[-1].index + 1, "new_peaks": b"".join(peaks)})


_LOAD_LEAF_HASH = select(leaves.c.leaf_hash).where(leaves.c.leaf_index == bindparam("position"))
_LOAD_NODE = select(nodes.c.hash).where(
    nodes.c.level == bindparam("height"), nodes.c.node_index == bindparam("position")
)


def node_reader(tx: Connection) -> Node:
    """Complete subtrees out of the store."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            found = tx.execute(_LOAD_LEAF_HASH, {"position": index}).scalar()
        else:
            found = tx.execute(_LOAD_NODE, {"height": level, "position": index}).scalar()
        if found is None:
            raise Broken(
                "ledger.node", "a node of the ledger's tree is missing", step="ledger", detail=f"{level}/{index}"
            )
        return bytes(found)

    return node


def load_leaf(tx: Connection, index: int) -> tuple[Leaf, bytes | None] | None:
    """One leaf and its sealed content (None when erased)."""
    row = tx.execute(_with_content().where(leaves.c.leaf_index == index)).mappings().first()
    return None if row is None else (leaf_of(row), row["sealed"])


def load_by_subject(tx: Connection, subject: str) -> list[RowMapping]:
    query = _with_content().where(leaves.c.subject == subject).order_by(leaves.c.leaf_index)
    return list(tx.execute(query).mappings())


def load_page(tx: Connection, before: int | None, limit: int) -> list[RowMapping]:
    """Newest first, from below `before`."""
    query = _with_content().order_by(leaves.c.leaf_index.desc()).limit(limit)
    if before is not None:
        query = query.where(leaves.c.leaf_index < before)
    return list(tx.execute(query).mappings())


def load_chosen(tx: Connection, wanted: Wanted, before: int | None, limit: int) -> list[RowMapping]:
    """Newest first, from below `before`; the officer is not looked at."""
    query = _with_content().order_by(leaves.c.leaf_index.desc()).limit(limit)
    if wanted.since:
        query = query.where(leaves.c.at >= wanted.since)
    if wanted.until:
        query = query.where(leaves.c.at < wanted.until)
    if wanted.verb is not None:
        query = query.where(leaves.c.verb == wanted.verb.value)
    if before is not None:
        query = query.where(leaves.c.leaf_index < before)
    if wanted.subjects is None:
        return list(tx.execute(query).mappings())
    subjects, found = sorted(wanted.subjects), list[RowMapping]()
    for start in range(0, len(subjects), _MOST_BOUND):
        found += tx.execute(query.where(leaves.c.subject.in_(subjects[start : start + _MOST_BOUND]))).mappings()
    return sorted(found, key=lambda row: -int(row["leaf_index"]))[:limit]


def load_range(tx: Connection, start: int, end: int) -> list[RowMapping]:
    """The leaves from `start` to before `end`, in order."""
    query = _with_content().where(leaves.c.leaf_index >= start, leaves.c.leaf_index < end)
    return list(tx.execute(query.order_by(leaves.c.leaf_index)).mappings())


def load_nodes(tx: Connection, level: int, start: int, end: int) -> dict[int, bytes]:
    """The stored nodes of one level from `start` to before `end`."""
    query = select(nodes.c.node_index, nodes.c.hash).where(
        nodes.c.level == level, nodes.c.node_index >= start, nodes.c.node_index < end
    )
    return {row.node_index: bytes(row.hash) for row in tx.execute(query)}


def load_counts(tx: Connection) -> tuple[int, int]:
    """How many leaves and inner nodes there are."""
    leaf_count, node_count = (
        tx.execute(select(func.count()).select_from(table)).scalar_one() for table in (leaves, nodes)
    )
    return leaf_count, node_count


def leaf_of(row: RowMapping) -> Leaf:
    try:
        return Leaf(row["at"], LogVerb(row["verb"]), row["subject"], bytes(row["commitment"]))
    except ValueError as exc:
        raise Broken("ledger.leaf", "a stored leaf is not one", step="ledger", detail=str(row["leaf_index"])) from exc


def delete_content(tx: Connection, index: int) -> bool:
    """Whether there was content to erase."""
    return tx.execute(delete(contents).where(contents.c.leaf_index == index)).rowcount > 0


def load_checkpoint(tx: Connection, size: int) -> str | None:
    return tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar()


def load_last_checkpoint(tx: Connection) -> tuple[int, bytes] | None:
    row = tx.execute(
        select(checkpoints.c.size, checkpoints.c.root).order_by(checkpoints.c.size.desc()).limit(1)
    ).first()
    return None if row is None else (row.size, bytes(row.root))


def load_checkpoints(tx: Connection) -> list[tuple[int, bytes, str]]:
    rows = tx.execute(select(checkpoints).order_by(checkpoints.c.size))
    return [(row.size, bytes(row.root), row.note) for row in rows]


def load_notes(tx: Connection, start: int, end: int) -> dict[int, str]:
    """The checkpoints of the trees with more than `start` and up to `end` leaves."""
    query = select(checkpoints.c.size, checkpoints.c.note).where(checkpoints.c.size > start, checkpoints.c.size <= end)
    return {row.size: row.note for row in tx.execute(query)}


def save_checkpoint(tx: Connection, size: int, root: bytes, note: str) -> str:
    """The note of that size: this one, or the one that was there before."""
    tx.execute(insert_into(tx, checkpoints).values(size=size, root=root, note=note).on_conflict_do_nothing())
    return str(tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one())


def replace_note(tx: Connection, size: int, note: str) -> None:
    tx.execute(update(checkpoints).where(checkpoints.c.size == size).values(note=note))


def lock_witnessed(tx: Connection, origin: str) -> tuple[int, bytes] | None:
    """The size and root that this node cosigned last for that log."""
    query = select(witnessed.c.size, witnessed.c.root).where(witnessed.c.origin == origin).with_for_update()
    row = tx.execute(query).first()
    return None if row is None else (row.size, bytes(row.root))


def load_witnessed(tx: Connection, origin: str) -> tuple[int, bytes] | None:
    """As `lock_witnessed`, for who only reads."""
    row = tx.execute(select(witnessed.c.size, witnessed.c.root).where(witnessed.c.origin == origin)).first()
    return None if row is None else (row.size, bytes(row.root))


def load_witnessed_note(tx: Connection, origin: str) -> str:
    """The log's signed note that this node cosigned last; empty where it never did."""
    return str(tx.execute(select(witnessed.c.note).where(witnessed.c.origin == origin)).scalar_one_or_none() or "")


def save_witnessed(tx: Connection, origin: str, size: int, root: bytes, note: str) -> None:
    values: dict[str, Any] = {"size": size, "root": root, "note": note}
    statement = insert_into(tx, witnessed).values(origin=origin, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))


def _with_content() -> Any:
    joined = leaves.outerjoin(contents, leaves.c.leaf_index == contents.c.leaf_index)
    return select(leaves, contents.c.sealed).select_from(joined)


def insert_into(tx: Connection, table: Table) -> Any:
    """The insert that knows `on conflict`, which both databases spell alike."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


# --- the latest instant that is known to be past ---


def load_known_time(tx: Connection) -> str:
    """Empty where nothing was noted yet."""
    return str(tx.execute(select(known_time.c.at)).scalar_one_or_none() or "")


def keep_known_time(tx: Connection, at: str) -> None:
    """Forward only: what is past stays past."""
    if not load_known_time(tx):
        tx.execute(known_time.insert().values(id=1, at=at))
    else:
        tx.execute(known_time.update().where(known_time.c.at < at).values(at=at))


def put_known_time(tx: Connection, at: str) -> None:
    """Backward too: an officer says what is so."""
    tx.execute(known_time.delete())
    tx.execute(known_time.insert().values(id=1, at=at))
