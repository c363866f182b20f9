"""Private checks: whom we serve, lists held and taken, what was asked and answered, watches, alarms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _private_epochs()
    _private_served()
    _private_held()
    _private_pieces()
    _private_deltas()
    _private_taken()
    _private_checks()
    _private_asked()
    _private_answered()
    _private_watches()
    _private_alarms()
    _private_canaries()
    _private_notices()
    _private_queue()


def _private_epochs() -> None:
    op.create_table(
        "private_epochs",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("begins_on", sa.String(10), nullable=False),
        sa.Column("ends_on", sa.String(10), nullable=False),
        sa.Column("grace_until", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_private_epochs"),
    )


def _private_served() -> None:
    op.create_table(
        "private_served",
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("partner", "tier", name="pk_private_served"),
    )


def _private_held() -> None:
    op.create_table(
        "private_held",
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("descriptor", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_on", sa.String(10), nullable=False),
        sa.Column("published_at", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "tier", "epoch", name="pk_private_held"),
    )


def _private_pieces() -> None:
    op.create_table(
        "private_pieces",
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("node", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("side", "node", "tier", "epoch", "number", name="pk_private_pieces"),
    )


def _private_deltas() -> None:
    op.create_table(
        "private_deltas",
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("node", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("side", "node", "tier", "epoch", "sequence", name="pk_private_deltas"),
    )


def _private_taken() -> None:
    op.create_table(
        "private_taken",
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("descriptor", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("last_asked", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("holder", "tier", "epoch", name="pk_private_taken"),
    )


def _private_checks() -> None:
    op.create_table(
        "private_checks",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(24), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_checks"),
    )
    op.create_index("ix_private_checks_asked_at", "private_checks", ["asked_at"], unique=False)
    op.create_index("ix_private_checks_ref", "private_checks", ["ref"], unique=False)


def _private_asked() -> None:
    op.create_table(
        "private_asked",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("check", sa.String(48), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("outputs", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_asked"),
    )
    op.create_index("ix_private_asked_at", "private_asked", ["at"], unique=False)
    op.create_index("ix_private_asked_check", "private_asked", ["check"], unique=False)


def _private_answered() -> None:
    op.create_table(
        "private_answered",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("elements", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_answered"),
    )
    op.create_index("ix_private_answered_at", "private_answered", ["at"], unique=False)


def _private_watches() -> None:
    op.create_table(
        "private_watches",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("since", sa.String(24), nullable=False),
        sa.Column("until_on", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_watches"),
    )


def _private_alarms() -> None:
    op.create_table(
        "private_alarms",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("seen_at", sa.String(24), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_alarms"),
    )
    op.create_index("ix_private_alarms_seen_at", "private_alarms", ["seen_at"], unique=False)


def _private_canaries() -> None:
    op.create_table(
        "private_canaries",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_canaries"),
    )


def _private_notices() -> None:
    op.create_table(
        "private_notices",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("done_at", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_notices"),
    )
    op.create_index("ix_private_notices_dossier", "private_notices", ["dossier"], unique=False)
    op.create_index("ix_private_notices_entry", "private_notices", ["entry"], unique=False)


def _private_queue() -> None:
    op.create_table(
        "private_queue",
        sa.Column("id", sa.String(160), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("node", sa.String(32), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_private_queue"),
    )
    op.create_index("ix_private_queue_at", "private_queue", ["at"], unique=False)
