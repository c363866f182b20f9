"""What an officer declared of an entry is kept beside it, sealed: a later delivery is asked of the law gate with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "dossier_declared",
        sa.Column("entry", sa.String(66), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["dossier_entries.id"], name="fk_dossier_declared_entry_dossier_entries"),
        sa.PrimaryKeyConstraint("entry", name="pk_dossier_declared"),
    )
