"""The tables of access and their SQL. What names or judges a person lies in `sealed`; see `service` for its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from tansiq.store import metadata

officers = Table(
    "access_officers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name_key", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("roles", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("language", Text, nullable=False),
    # The time step of the last one-time code that was taken; only a later one will be (RFC 6238 section 5.2).
    Column("totp_step", BigInteger, nullable=False),
    Column("created_at", Text, nullable=False),
    # Of which instant the backup is that this row came out of, until the officer is confirmed; else NULL.
    Column("as_of", Text),
)

# By name, not by officer: a name that nobody has is throttled too, or the throttle would tell who exists.
attempts = Table(
    "access_attempts",
    metadata,
    Column("name_key", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", Text, nullable=False),
    Column("last_at", Text, nullable=False, index=True),
)

sessions = Table(
    "access_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("officer", Text, ForeignKey("access_officers.id"), nullable=False, index=True),
    Column("created_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False, index=True),
)

tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("officer", Text, ForeignKey("access_officers.id"), nullable=False, index=True),
    Column("label", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
)

drafts = Table(
    "access_drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("act", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("first", Text, ForeignKey("access_officers.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("proposed_at", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("second", Text, ForeignKey("access_officers.id")),
    Column("decided_at", Text),
)

Values = Mapping[str, Any]


# Officers


def add_officer(tx: Connection, values: Values) -> None:
    tx.execute(insert(officers).values(**values))


def change_officer(tx: Connection, officer: str, values: Values) -> bool:
    return tx.execute(update(officers).where(officers.c.id == officer).values(**values)).rowcount == 1


def officer_by_id(tx: Connection, officer: str) -> Row[Any] | None:
    return tx.execute(select(officers).where(officers.c.id == officer)).one_or_none()


def officer_by_name(tx: Connection, name_key: bytes) -> Row[Any] | None:
    return tx.execute(select(officers).where(officers.c.name_key == name_key)).one_or_none()


def may_act(officer: Row[Any]) -> bool:
    """Not one who has left, nor one whom a restore brought back and nobody has confirmed."""
    return bool(officer.active) and officer.as_of is None


def hold_officers(tx: Connection, as_of: str) -> None:
    """All who are active: whether they still should be is not in a backup."""
    tx.execute(update(officers).where(officers.c.active).values(as_of=as_of))


def confirm_officer(tx: Connection, officer: str) -> bool:
    """False where nothing of this officer waits."""
    held = update(officers).where(officers.c.id == officer, officers.c.as_of.is_not(None))
    return tx.execute(held.values(as_of=None)).rowcount == 1


def all_officers(tx: Connection) -> list[Row[Any]]:
    return list(tx.execute(select(officers).order_by(officers.c.created_at, officers.c.id)))


def spend_code(tx: Connection, officer: str, step: int) -> bool:
    """Take this time step, if it is later than the last one taken."""
    newer = update(officers).where(officers.c.id == officer, officers.c.totp_step < step).values(totp_step=step)
    return tx.execute(newer).rowcount == 1


# Attempts to sign in


def attempts_of(tx: Connection, name_key: bytes) -> Row[Any] | None:
    return tx.execute(select(attempts).where(attempts.c.name_key == name_key)).one_or_none()


def put_attempts(tx: Connection, name_key: bytes, values: Values) -> None:
    found = tx.execute(update(attempts).where(attempts.c.name_key == name_key).values(**values))
    if found.rowcount == 0:
        tx.execute(insert(attempts).values(name_key=name_key, **values))


def forget_attempts(tx: Connection, before: str) -> None:
    tx.execute(delete(attempts).where(attempts.c.last_at < before))


# Sessions


def add_session(tx: Connection, values: Values) -> None:
    tx.execute(insert(sessions).values(**values))


def session_by_hash(tx: Connection, token_hash: bytes) -> Row[Any] | None:
    return tx.execute(select(sessions).where(sessions.c.token_hash == token_hash)).one_or_none()


def touch_session(tx: Connection, token_hash: bytes, seen_at: str) -> None:
    """Never backwards: two requests of one session may arrive in any order."""
    tx.execute(
        update(sessions)
        .where(sessions.c.token_hash == token_hash, sessions.c.seen_at < seen_at)
        .values(seen_at=seen_at)
    )


def end_session(tx: Connection, token_hash: bytes) -> None:
    tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def end_sessions_of(tx: Connection, officer: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.officer == officer))


def end_sessions(tx: Connection) -> int:
    """How many there were."""
    return tx.execute(delete(sessions)).rowcount


def end_old_sessions(tx: Connection, seen_before: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.seen_at < seen_before))


# API tokens


def add_token(tx: Connection, values: Values) -> None:
    tx.execute(insert(tokens).values(**values))


def token_by_hash(tx: Connection, token_hash: bytes) -> Row[Any] | None:
    return tx.execute(select(tokens).where(tokens.c.token_hash == token_hash)).one_or_none()


def tokens_of(tx: Connection, officer: str) -> list[Row[Any]]:
    return list(
        tx.execute(select(tokens).where(tokens.c.officer == officer).order_by(tokens.c.created_at, tokens.c.id))
    )


def all_tokens(tx: Connection) -> list[Row[Any]]:
    return list(tx.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)))


def end_tokens(tx: Connection) -> None:
    tx.execute(delete(tokens))


def end_token(tx: Connection, token: str) -> bool:
    return tx.execute(delete(tokens).where(tokens.c.id == token)).rowcount == 1


def end_tokens_of(tx: Connection, officer: str) -> None:
    tx.execute(delete(tokens).where(tokens.c.officer == officer))


# Four eyes


def add_draft(tx: Connection, values: Values) -> None:
    tx.execute(insert(drafts).values(**values))


def draft_by_id(tx: Connection, draft: str) -> Row[Any] | None:
    return tx.execute(select(drafts).where(drafts.c.id == draft)).one_or_none()


def drafts_in(tx: Connection, state: str, proposed_after: str) -> list[Row[Any]]:
    found = select(drafts).where(drafts.c.state == state, drafts.c.proposed_at >= proposed_after)
    return list(tx.execute(found.order_by(drafts.c.proposed_at, drafts.c.id)))


def settle_draft(tx: Connection, draft: str, waiting: str, values: Values) -> bool:
    """Move a waiting draft on; False when it is no longer waiting."""
    moved = update(drafts).where(drafts.c.id == draft, drafts.c.state == waiting).values(**values)
    return tx.execute(moved).rowcount == 1


def settle_drafts(tx: Connection, waiting: str, values: Values) -> int:
    """Move all waiting drafts on; how many there were."""
    return tx.execute(update(drafts).where(drafts.c.state == waiting).values(**values)).rowcount
