"""The exchange's tables and all of its SQL. One text for SQLite and PostgreSQL.

Writes are serial (see `tansiq.store`), across processes too, so no row locks are needed here; a lease on each formed
envelope keeps two workers from posting it at once. Rows hold ids, states and bytes that are sealed or signed: a stolen
database tells who wrote to whom when, and nothing of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)

from tansiq.exchange.model import Delivery, ItemState
from tansiq.store import Compiled, metadata, partial_index
from tansiq.terms import NodeId, format_instant, parse_instant

_serial = BigInteger().with_variant(Integer, "sqlite")

own_card = Table(
    "exchange_own_card",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("file", LargeBinary, nullable=False),
)

peers = Table(
    "exchange_peers",
    metadata,
    Column("node", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("file", LargeBinary, nullable=False),
    Column("pinned_at", String(24), nullable=False),
    Column("last_contact_at", String(24)),
)

card_files = Table(
    "exchange_card_files",
    metadata,
    Column("node", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("file", LargeBinary, nullable=False),
)
"""Every card that was ever pinned or ours: an old receipt is verified with the keys of its day."""

outbox = Table(
    "exchange_outbox",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("recipient", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("ref", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(96), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("envelope", String(128)),
    Column("position", Integer, nullable=False),
    Column("queued_at", String(24), nullable=False),
    Column("sent_at", String(24)),
    Column("received_at", String(24)),
    Column("expires_at", String(24), nullable=False),
    UniqueConstraint("kind", "ref", "recipient"),
    Index("ix_exchange_outbox_waiting", "recipient", "state", "envelope", "id"),
    Index("ix_exchange_outbox_envelope", "envelope"),
    Index("ix_exchange_outbox_ref", "ref"),
)

outbox_envelopes = Table(
    "exchange_outbox_envelopes",
    metadata,
    Column("number", _serial, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("recipient", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("own_version", Integer, nullable=False),
    Column("formed_at", String(24), nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", String(24)),
    Column("receipt", LargeBinary),
    Column("receipt_version", Integer),
    Index("ix_exchange_outbox_envelopes_open", "recipient", "state", "number"),
)
"""`state`: `formed` (has not left), `out` (may have arrived), `receipted`, `given_up` (expired, or keys rotated)."""

envelope_items = Table(
    "exchange_envelope_items",
    metadata,
    Column("envelope", String(128), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("ref", String(128), nullable=False),
    Index("ix_exchange_envelope_items_ref", "ref"),
)
"""What each formed envelope holds, by reference: a receipt answers position by position."""

inbox = Table(
    "exchange_inbox",
    metadata,
    Column("sender", String(32), primary_key=True),
    Column("envelope", String(128), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("own_version", Integer, nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Column("owed", Integer, nullable=False),
    partial_index("ix_exchange_inbox_owed", "sender", "owed", rows="owed = 1"),
)
"""`receipt`: its body, with `own_version` 0; rows of older programs hold it signed, by the keys of that card version.
`owed`: the receipt has to travel by file, because the envelope did."""
UNSIGNED = 0
"""The `own_version` of a receipt that is signed whenever it is given."""


# They run several times for each envelope.
_PEER_STATE = Compiled(select(peers.c.state, peers.c.version).where(peers.c.node == bindparam("node")))
_PEER = Compiled(select(peers).where(peers.c.node == bindparam("node")))
_PEER_STATES = Compiled(select(peers.c.node, peers.c.state, peers.c.version).order_by(peers.c.node))
_NOTE_CONTACT = Compiled(
    peers.update().where(peers.c.node == bindparam("of_node")).values(last_contact_at=bindparam("at"))
)
_FIND_ITEM = Compiled(
    select(outbox).where(
        outbox.c.kind == bindparam("kind"), outbox.c.ref == bindparam("ref"), outbox.c.recipient == bindparam("to")
    )
)
_INSERT_ITEM = Compiled(outbox.insert())
_WAITING = Compiled(
    select(outbox)
    .where(
        outbox.c.recipient == bindparam("to"),
        outbox.c.state == "queued",
        outbox.c.envelope.is_(None),
        outbox.c.id > bindparam("after"),
    )
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_DUE = Compiled(
    select(outbox.c.id).where(
        outbox.c.recipient == bindparam("to"),
        or_(outbox.c.state == "queued", outbox.c.state == "sent"),
        outbox.c.expires_at <= bindparam("now"),
    )
)
_EXPIRE = Compiled(outbox.update().where(outbox.c.id == bindparam("row")).values(state="expired", reason="expired"))
_PUT_IN_ENVELOPE = Compiled(
    outbox.update()
    .where(outbox.c.id == bindparam("row"))
    .values(envelope=bindparam("in_envelope"), position=bindparam("at_position"))
)
_INSERT_ENVELOPE_ITEMS = Compiled(envelope_items.insert())
_INSERT_ENVELOPE = Compiled(outbox_envelopes.insert())
_STILL_OPEN = or_(outbox_envelopes.c.state == "formed", outbox_envelopes.c.state == "out")
_OPEN_ENVELOPES = Compiled(
    select(
        outbox_envelopes.c.id,
        outbox_envelopes.c.expires_at,
        outbox_envelopes.c.lease_until,
        outbox_envelopes.c.own_version,
    )
    .where(outbox_envelopes.c.recipient == bindparam("to"), _STILL_OPEN)
    .order_by(outbox_envelopes.c.number)
    .limit(bindparam("most"))
)
_ANY_WAITING = Compiled(
    select(outbox.c.id)
    .where(outbox.c.recipient == bindparam("to"), outbox.c.state == "queued", outbox.c.envelope.is_(None))
    .limit(1)
)
_ANY_OPEN = Compiled(
    select(outbox_envelopes.c.number).where(outbox_envelopes.c.recipient == bindparam("to"), _STILL_OPEN).limit(1)
)
_PEER_OF_OPEN = Compiled(
    _PEER.statement.where(
        select(outbox_envelopes.c.number).where(outbox_envelopes.c.id == bindparam("envelope"), _STILL_OPEN).exists()
    )
)
_LOAD_SENT = Compiled(
    select(
        outbox_envelopes.c.id,
        outbox_envelopes.c.recipient,
        outbox_envelopes.c.sha256,
        outbox_envelopes.c.expires_at,
        outbox_envelopes.c.receipt_version,
    ).where(outbox_envelopes.c.id == bindparam("envelope"))
)
_LOAD_ENVELOPE = Compiled(select(outbox_envelopes).where(outbox_envelopes.c.id == bindparam("envelope")))
_ITEMS_OF = Compiled(
    select(
        envelope_items.c.kind,
        envelope_items.c.ref,
        outbox.c.id,
        outbox.c.state,
        outbox.c.sent_at,
        outbox.c.envelope,
        outbox.c.expires_at,
    )
    .select_from(
        envelope_items.outerjoin(
            outbox,
            and_(
                outbox.c.kind == envelope_items.c.kind,
                outbox.c.ref == envelope_items.c.ref,
                outbox.c.recipient == bindparam("to"),
            ),
        )
    )
    .where(envelope_items.c.envelope == bindparam("envelope"))
    .order_by(envelope_items.c.position)
)
_SETTLE = Compiled(
    outbox.update()
    .where(outbox.c.id == bindparam("row"))
    .values(
        state=bindparam("now_state"),
        reason=bindparam("why"),
        sent_at=bindparam("sent"),
        received_at=bindparam("received"),
    )
)
_SAVE_RECEIPT = Compiled(
    outbox_envelopes.update()
    .where(outbox_envelopes.c.id == bindparam("envelope"))
    .values(
        state="receipted", raw=b"", lease_until=None, receipt=bindparam("signed"), receipt_version=bindparam("version")
    )
)
_FIND_INBOX = Compiled(
    select(inbox).where(inbox.c.sender == bindparam("of_sender"), inbox.c.envelope == bindparam("of_envelope"))
)
_INSERT_INBOX = Compiled(inbox.insert())


def _text(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _at(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


# --- cards and peers ---


def load_own_card(tx: Connection) -> tuple[int, bytes] | None:
    row = tx.execute(select(own_card.c.version, own_card.c.file)).first()
    return None if row is None else (row.version, bytes(row.file))


def save_own_card(tx: Connection, node: NodeId, version: int, file: bytes) -> None:
    tx.execute(own_card.delete())
    tx.execute(own_card.insert().values(one=1, version=version, file=file))
    save_card_file(tx, node, version, file)


def save_card_file(tx: Connection, node: NodeId, version: int, file: bytes) -> None:
    if load_card_file(tx, node, version) is None:
        tx.execute(card_files.insert().values(node=node, version=version, file=file))


def load_card_file(tx: Connection, node: NodeId, version: int) -> bytes | None:
    found = tx.execute(
        select(card_files.c.file).where(card_files.c.node == node, card_files.c.version == version)
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


@dataclass(frozen=True, slots=True)
class PeerRow:
    node: NodeId
    state: str
    version: int
    file: bytes
    pinned_at: datetime
    last_contact_at: datetime | None


def _peer(row: Row[Any]) -> PeerRow:
    pinned = parse_instant(row.pinned_at)
    return PeerRow(NodeId(row.node), row.state, row.version, bytes(row.file), pinned, _at(row.last_contact_at))


def load_peer(tx: Connection, node: NodeId) -> PeerRow | None:
    row = _PEER.first(tx, {"node": node})
    return None if row is None else _peer(row)


def load_peer_of_open(tx: Connection, node: NodeId, envelope: str) -> PeerRow | None:
    """The partner, while this envelope for it is neither receipted nor given up."""
    row = _PEER_OF_OPEN.first(tx, {"node": node, "envelope": envelope})
    return None if row is None else _peer(row)


def load_peers(tx: Connection) -> list[PeerRow]:
    return [_peer(r) for r in tx.execute(select(peers).order_by(peers.c.node))]


def peer_state(tx: Connection, node: NodeId) -> tuple[str, int] | None:
    """The state and the pinned version: what every step asks again, so that a removal holds at once everywhere."""
    row = _PEER_STATE.first(tx, {"node": node})
    return None if row is None else (row.state, row.version)


def peer_states(tx: Connection) -> list[tuple[NodeId, str, int]]:
    """Of all partners, without their cards."""
    return [(NodeId(r.node), r.state, r.version) for r in _PEER_STATES.all(tx)]


def save_peer(tx: Connection, node: NodeId, version: int, file: bytes, at: datetime) -> None:
    values = {"state": "pinned", "version": version, "file": file, "pinned_at": format_instant(at)}
    if tx.execute(peers.update().where(peers.c.node == node).values(**values)).rowcount == 0:
        tx.execute(peers.insert().values(node=node, **values))
    save_card_file(tx, node, version, file)


def set_peer_state(tx: Connection, node: NodeId, state: str) -> bool:
    return tx.execute(peers.update().where(peers.c.node == node).values(state=state)).rowcount == 1


def note_contact(tx: Connection, node: NodeId, at: datetime) -> None:
    _NOTE_CONTACT.run(tx, {"of_node": node, "at": format_instant(at)})


# --- outbox ---


@dataclass(frozen=True, slots=True)
class OutboxRow:
    id: int
    kind: str
    ref: str
    state: ItemState
    expires_at: datetime
    envelope: str | None


def _outbox(row: Row[Any]) -> OutboxRow:
    return OutboxRow(row.id, row.kind, row.ref, ItemState(row.state), parse_instant(row.expires_at), row.envelope)


def find_item(tx: Connection, kind: str, ref: str, to: NodeId) -> OutboxRow | None:
    row = _FIND_ITEM.first(tx, {"kind": kind, "ref": ref, "to": to})
    return None if row is None else _outbox(row)


def insert_item(
    tx: Connection, kind: str, ref: str, to: NodeId, at: datetime, expires_at: datetime, *, removed: bool
) -> None:
    _INSERT_ITEM.run(
        tx,
        {
            "recipient": to,
            "kind": kind,
            "ref": ref,
            "state": (ItemState.REFUSED if removed else ItemState.QUEUED).value,
            "reason": "peer.removed" if removed else "",
            "attempts": 0,
            "envelope": None,
            "position": 0,
            "queued_at": format_instant(at),
            "expires_at": format_instant(expires_at),
        },
    )


def queue_again(tx: Connection, row: OutboxRow, to: NodeId, at: datetime, expires_at: datetime) -> None:
    """Behind all that waits: a new row, under which receipts of older envelopes find it as before."""
    tx.execute(outbox.delete().where(outbox.c.id == row.id))
    insert_item(tx, row.kind, row.ref, to, at, expires_at, removed=False)


def waiting_items(tx: Connection, to: NodeId, limit: int, after: int = 0) -> list[OutboxRow]:
    """Queued and in no envelope, oldest first."""
    return [_outbox(r) for r in _WAITING.all(tx, {"to": to, "after": after, "most": limit})]


def has_work(tx: Connection, to: NodeId) -> bool:
    """Whether something waits for `to`, or is on its way without a receipt."""
    return any(query.first(tx, {"to": to}) is not None for query in (_ANY_WAITING, _ANY_OPEN))


def has_open(tx: Connection, to: NodeId) -> bool:
    """Whether an envelope is on its way without a receipt."""
    return _ANY_OPEN.first(tx, {"to": to}) is not None


def settle_item(tx: Connection, row: int, state: ItemState, reason: str) -> None:
    tx.execute(outbox.update().where(outbox.c.id == row).values(state=state, reason=reason))


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a receipt says of one row."""

    row: int
    state: ItemState
    reason: str
    sent_at: str


def settle_items(tx: Connection, settled: Sequence[Settlement], received_at: datetime) -> None:
    if settled:
        at = format_instant(received_at)
        _SETTLE.many(
            tx,
            [
                {"row": x.row, "now_state": x.state.value, "why": x.reason, "sent": x.sent_at, "received": at}
                for x in settled
            ],
        )


def close_items(tx: Connection, to: NodeId, before: ItemState, after: ItemState, reason: str) -> None:
    tx.execute(
        outbox.update().where(outbox.c.recipient == to, outbox.c.state == before).values(state=after, reason=reason)
    )


def put_in_envelope(tx: Connection, rows: Sequence[OutboxRow], envelope: str) -> None:
    _PUT_IN_ENVELOPE.many(tx, [{"row": r.id, "in_envelope": envelope, "at_position": n} for n, r in enumerate(rows)])
    _INSERT_ENVELOPE_ITEMS.many(
        tx,
        [{"envelope": envelope, "position": n, "kind": r.kind, "ref": r.ref} for n, r in enumerate(rows)],
    )


def expire_items(tx: Connection, to: NodeId, now: datetime) -> None:
    """Items whose time is up, whether they may have left or not. A receipt that comes later still corrects them."""
    due = [{"row": r.id} for r in _DUE.all(tx, {"to": to, "now": format_instant(now)})]
    if due:
        _EXPIRE.many(tx, due)


def mark_sent(tx: Connection, envelope: str, at: datetime) -> None:
    tx.execute(
        outbox.update()
        .where(outbox.c.envelope == envelope, outbox.c.state == ItemState.QUEUED)
        .values(state=ItemState.SENT, sent_at=format_instant(at))
    )


def count_attempt(tx: Connection, envelope: str) -> None:
    tx.execute(
        outbox_envelopes.update()
        .where(outbox_envelopes.c.id == envelope)
        .values(attempts=outbox_envelopes.c.attempts + 1, lease_until=None)
    )
    tx.execute(outbox.update().where(outbox.c.envelope == envelope).values(attempts=outbox.c.attempts + 1))


def free_items(tx: Connection, envelope: str) -> None:
    """Back to waiting: the envelope is given up, its items are not."""
    tx.execute(
        outbox.update()
        .where(outbox.c.envelope == envelope, outbox.c.state.in_((ItemState.QUEUED, ItemState.SENT)))
        .values(envelope=None, state=ItemState.QUEUED)
    )


def set_free(tx: Connection, row: int, reason: str = "") -> None:
    tx.execute(outbox.update().where(outbox.c.id == row).values(envelope=None, state=ItemState.QUEUED, reason=reason))


# --- formed envelopes ---


@dataclass(frozen=True, slots=True)
class EnvelopeRow:
    id: str
    recipient: NodeId
    state: str
    raw: bytes
    sha256: str
    expires_at: datetime
    attempts: int
    lease_until: datetime | None
    receipt: bytes | None
    receipt_version: int | None
    own_version: int


def _envelope(row: Row[Any]) -> EnvelopeRow:
    return EnvelopeRow(
        row.id,
        NodeId(row.recipient),
        row.state,
        bytes(row.raw),
        row.sha256,
        parse_instant(row.expires_at),
        row.attempts,
        _at(row.lease_until),
        None if row.receipt is None else bytes(row.receipt),
        row.receipt_version,
        row.own_version,
    )


def insert_envelope(tx: Connection, row: EnvelopeRow, at: datetime) -> None:
    _INSERT_ENVELOPE.run(
        tx,
        {
            "id": row.id,
            "recipient": row.recipient,
            "state": row.state,
            "raw": row.raw,
            "sha256": row.sha256,
            "own_version": row.own_version,
            "formed_at": format_instant(at),
            "expires_at": format_instant(row.expires_at),
            "attempts": row.attempts,
            "lease_until": _text(row.lease_until),
        },
    )


@dataclass(frozen=True, slots=True)
class OpenEnvelope:
    """Without its bytes: there may be hundreds of them."""

    id: str
    expires_at: datetime
    lease_until: datetime | None
    own_version: int


def open_envelopes(tx: Connection, to: NodeId) -> list[OpenEnvelope]:
    """Formed or out, oldest first, leased or not."""
    rows = _OPEN_ENVELOPES.all(tx, {"to": to, "most": 100_000})
    return [OpenEnvelope(r.id, parse_instant(r.expires_at), _at(r.lease_until), r.own_version) for r in rows]


def load_envelope(tx: Connection, envelope: str) -> EnvelopeRow | None:
    row = _LOAD_ENVELOPE.first(tx, {"envelope": envelope})
    return None if row is None else _envelope(row)


@dataclass(frozen=True, slots=True)
class SentEnvelope:
    """What a receipt is held against. Without its bytes: there may be megabytes of them."""

    id: str
    recipient: NodeId
    sha256: str
    expires_at: datetime
    receipted: bool


def load_sent(tx: Connection, envelope: str) -> SentEnvelope | None:
    row = _LOAD_SENT.first(tx, {"envelope": envelope})
    if row is None:
        return None
    until = parse_instant(row.expires_at)
    return SentEnvelope(row.id, NodeId(row.recipient), row.sha256, until, row.receipt_version is not None)


def lease_again(tx: Connection, envelope: str, until: datetime) -> None:
    """Somebody else formed it and did not say what became of it: from here on it may have left."""
    tx.execute(
        outbox_envelopes.update()
        .where(outbox_envelopes.c.id == envelope)
        .values(state="out", lease_until=format_instant(until))
    )


def set_envelope_state(tx: Connection, envelope: str, state: str) -> None:
    tx.execute(outbox_envelopes.update().where(outbox_envelopes.c.id == envelope).values(state=state))


def give_up_envelope(tx: Connection, envelope: str) -> None:
    tx.execute(
        outbox_envelopes.update()
        .where(outbox_envelopes.c.id == envelope)
        .values(state="given_up", raw=b"", lease_until=None)
    )


def release_leases(tx: Connection) -> None:
    """At the start of a process: what was formed and is still there may have left before the last one died.

    Another worker may be posting the same bytes: a repeat, which changes nothing.
    """
    tx.execute(
        outbox_envelopes.update().where(outbox_envelopes.c.state == "formed").values(state="out", lease_until=None)
    )
    tx.execute(outbox_envelopes.update().where(outbox_envelopes.c.lease_until.is_not(None)).values(lease_until=None))


def drop_envelope(tx: Connection, envelope: str) -> None:
    """Only by the courier that formed it and knows that it has not left: its id is never seen by anyone."""
    free_items(tx, envelope)
    tx.execute(envelope_items.delete().where(envelope_items.c.envelope == envelope))
    tx.execute(outbox_envelopes.delete().where(outbox_envelopes.c.id == envelope))


def save_receipt(tx: Connection, envelope: str, receipt: bytes, version: int) -> None:
    """The sealed bytes go: nobody has to send them again, and what is not kept cannot be stolen."""
    _SAVE_RECEIPT.run(tx, {"envelope": envelope, "signed": receipt, "version": version})


@dataclass(frozen=True, slots=True)
class SentItem:
    """One item of a formed envelope, and the outbox row that it stands for now."""

    kind: str
    ref: str
    row: int | None
    state: ItemState | None
    sent_at: str | None
    here: bool
    """The row stands for this envelope, and not for a newer one."""
    expires_at: datetime | None


def items_of(tx: Connection, envelope: str, to: NodeId) -> list[SentItem]:
    """By position. By kind and ref, not by envelope: a row may have gone into a newer envelope since."""
    rows = _ITEMS_OF.all(tx, {"envelope": envelope, "to": to})
    return [
        SentItem(
            r.kind, r.ref, r.id, r.state and ItemState(r.state), r.sent_at, r.envelope == envelope, _at(r.expires_at)
        )
        for r in rows
    ]


def receipted_envelopes_of(tx: Connection, kind: str, ref: str) -> list[EnvelopeRow]:
    rows = tx.execute(
        select(outbox_envelopes)
        .join(envelope_items, envelope_items.c.envelope == outbox_envelopes.c.id)
        .where(envelope_items.c.kind == kind, envelope_items.c.ref == ref, outbox_envelopes.c.receipt.is_not(None))
        .order_by(outbox_envelopes.c.number)
    )
    return [_envelope(r) for r in rows]


# --- what people read ---


def least_ref(tx: Connection, kind: str, to: NodeId) -> str:
    """The smallest ref of the items of this kind that were ever queued for a partner; empty where there is none."""
    query = select(func.min(outbox.c.ref)).where(outbox.c.kind == kind, outbox.c.recipient == to)
    return tx.execute(query).scalar() or ""


def deliveries(tx: Connection, ref: str | None, to: NodeId | None, limit: int) -> list[Delivery]:
    """Newest first."""
    wanted = select(outbox)
    if ref is not None:
        wanted = wanted.where(outbox.c.ref == ref)
    if to is not None:
        wanted = wanted.where(outbox.c.recipient == to)
    rows = tx.execute(wanted.order_by(outbox.c.id.desc()).limit(limit))
    return [
        Delivery(
            ref=r.ref,
            kind=r.kind,
            to=NodeId(r.recipient),
            state=ItemState(r.state),
            reason=r.reason,
            attempts=r.attempts,
            queued_at=parse_instant(r.queued_at),
            sent_at=_at(r.sent_at),
            received_at=_at(r.received_at),
            expires_at=parse_instant(r.expires_at),
        )
        for r in rows
    ]


def received_since(tx: Connection, to: NodeId, since: datetime) -> list[tuple[str, str]]:
    """(kind, ref) of what a partner has signed for since then, as it was queued."""
    rows = tx.execute(
        select(outbox.c.kind, outbox.c.ref)
        .where(
            outbox.c.recipient == to,
            outbox.c.state == ItemState.RECEIVED.value,
            outbox.c.received_at >= format_instant(since),
        )
        .order_by(outbox.c.id)
    )
    return [(r.kind, r.ref) for r in rows]


def counts(tx: Connection) -> dict[tuple[NodeId, ItemState], int]:
    rows = tx.execute(
        select(outbox.c.recipient, outbox.c.state, func.count()).group_by(outbox.c.recipient, outbox.c.state)
    )
    return {(NodeId(r[0]), ItemState(r[1])): int(r[2]) for r in rows}


def oldest_queued(tx: Connection) -> dict[NodeId, datetime]:
    rows = tx.execute(
        select(outbox.c.recipient, func.min(outbox.c.queued_at))
        .where(outbox.c.state.in_((ItemState.QUEUED, ItemState.SENT)))
        .group_by(outbox.c.recipient)
    )
    return {NodeId(r[0]): parse_instant(r[1]) for r in rows}


# --- inbox ---


@dataclass(frozen=True, slots=True)
class InboxRow:
    sender: NodeId
    envelope: str
    sha256: str
    receipt: bytes
    signed_by: int
    """Version of our card when it was signed; `UNSIGNED`: it is the body alone."""


def _inbox(row: Row[Any]) -> InboxRow:
    return InboxRow(NodeId(row.sender), row.envelope, row.sha256, bytes(row.receipt), row.own_version)


def find_inbox(tx: Connection, sender: NodeId, envelope: str) -> InboxRow | None:
    row = _FIND_INBOX.first(tx, {"of_sender": sender, "of_envelope": envelope})
    return None if row is None else _inbox(row)


def insert_inbox(tx: Connection, row: InboxRow, at: datetime, leaf: int) -> None:
    _INSERT_INBOX.run(
        tx,
        {
            "sender": row.sender,
            "envelope": row.envelope,
            "sha256": row.sha256,
            "receipt": row.receipt,
            "own_version": row.signed_by,
            "received_at": format_instant(at),
            "leaf": leaf,
            "owed": 0,
        },
    )


def set_owed(tx: Connection, sender: NodeId, envelopes: Iterable[str], owed: bool) -> None:
    for envelope in envelopes:
        tx.execute(
            inbox.update().where(inbox.c.sender == sender, inbox.c.envelope == envelope).values(owed=1 if owed else 0)
        )


def owed_receipts(tx: Connection, sender: NodeId) -> list[InboxRow]:
    rows = tx.execute(select(inbox).where(inbox.c.sender == sender, text("owed = 1")).order_by(inbox.c.received_at))
    return [_inbox(r) for r in rows]


def open_recipients(tx: Connection) -> list[NodeId]:
    """Partners with items that may still expire."""
    open_states = (ItemState.QUEUED, ItemState.SENT)
    return [
        NodeId(r[0]) for r in tx.execute(select(outbox.c.recipient).where(outbox.c.state.in_(open_states)).distinct())
    ]


def reachable_work(tx: Connection, now: datetime) -> list[NodeId]:
    """Partners for whom something waits or is out and not leased: what the couriers look at."""
    waiting = select(outbox.c.recipient).where(outbox.c.state == ItemState.QUEUED, outbox.c.envelope.is_(None))
    open_ones = select(outbox_envelopes.c.recipient).where(
        outbox_envelopes.c.state.in_(("formed", "out")),
        or_(outbox_envelopes.c.lease_until.is_(None), outbox_envelopes.c.lease_until <= format_instant(now)),
    )
    found = {NodeId(r[0]) for r in tx.execute(waiting.distinct())} | {
        NodeId(r[0]) for r in tx.execute(open_ones.distinct())
    }
    return sorted(found)
