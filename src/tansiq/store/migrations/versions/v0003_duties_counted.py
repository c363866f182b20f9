"""Duties are found and counted from one index: by who owes them, when they are due, and since when they are owed."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_duties_owner_due_since", "dossier_duties", ["owner", "due_at", "since"])
    op.drop_index("ix_duties_owner_due", "dossier_duties")
