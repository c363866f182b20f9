"""Partners witness our log, and we theirs, without an officer's hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "ledger_witnesses",
        sa.Column("node", sa.String(length=48), nullable=False),
        sa.Column("asked_ref", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(length=24), nullable=False),
        sa.Column("cosigned_size", sa.BigInteger(), nullable=False),
        sa.Column("cosigned_at", sa.String(length=24), nullable=False),
        sa.Column("answer_ref", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("trouble", sa.String(length=16), nullable=False),
        sa.Column("trouble_at", sa.String(length=24), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_ledger_witnesses"),
    )
