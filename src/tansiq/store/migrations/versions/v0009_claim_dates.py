"""Values that are erased on a day of their own, before the part that holds them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "dossier_claim_dates",
        sa.Column("entry", sa.String(66), nullable=False),
        sa.Column("part", sa.String(66), nullable=False),
        sa.Column("erase_on", sa.String(10), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["dossier_entries.id"], name="fk_dossier_claim_dates_entry_dossier_entries"),
        sa.PrimaryKeyConstraint("entry", "part", name="pk_dossier_claim_dates"),
    )
    op.create_index("ix_dossier_claim_dates_erase_on", "dossier_claim_dates", ["erase_on"], unique=False)
