"""Officers out of a backup wait until they are confirmed; the latest instant known to be past is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("access_officers", sa.Column("as_of", sa.Text(), nullable=True))
    op.create_table(
        "ledger_known_time",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_known_time"),
    )
