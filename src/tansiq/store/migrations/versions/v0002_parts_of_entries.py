"""A part belongs to its entry, and a dossier's entries are numbered as they came.

Parts: two entries may name one part id; what the second author copied must not stand in the way of the first.
Numbers: a reader that has folded a dossier up to a number asks for what came after it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER_THEM = sa.text(
    "update dossier_entries set number = (select count(*) from dossier_entries as earlier"
    " where earlier.dossier = dossier_entries.dossier"
    " and (earlier.filed_at < dossier_entries.filed_at"
    " or (earlier.filed_at = dossier_entries.filed_at and earlier.id <= dossier_entries.id)))"
)


def upgrade() -> None:
    _entries()
    _parts()


def _entries() -> None:
    # Added in place: making the table anew, as SQLite otherwise asks for, would cut off what refers to it.
    op.add_column("dossier_entries", sa.Column("number", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(_NUMBER_THEM)
    op.create_index("ix_dossier_entries_number", "dossier_entries", ["dossier", "number"], unique=True)
    op.drop_index("ix_dossier_entries_dossier", "dossier_entries")


def _parts() -> None:
    # Before the table is made anew, which would carry its index along.
    op.drop_index("ix_dossier_parts_entry", "dossier_parts")
    with op.batch_alter_table("dossier_parts") as table:
        table.drop_constraint("pk_dossier_parts", type_="primary")
        table.create_primary_key("pk_dossier_parts", ["entry", "id"])
