"""Leaves of the audit log are found by their time: a data-protection officer asks for a day, not for an index."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("ix_ledger_leaves_at", "ledger_leaves", ["at", "leaf_index"])
