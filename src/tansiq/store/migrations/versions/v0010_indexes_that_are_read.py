"""No index that nothing reads, and where only few rows are looked for, an index of those alone.

Each index of a table that every delivery writes costs pages of its commit.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

UNREAD = (
    ("bank_records_part", "bank_records"),  # asked with the reference, which tells more
    ("hit_matches_part", "hit_matches"),  # asked with the entry: the unique constraint's index has both
    ("hit_matches_holding_part", "hit_matches"),
)
FEW = (
    ("bank_records_source", "bank_records", ["source"], "source <> 'dossier'"),
    ("hit_queue_waiting", "hit_queue", ["queued_at", "entry"], "examined_at = ''"),
    ("ix_dossiers_unsettled", "dossiers", ["unsettled"], "unsettled = 1"),
    ("ix_exchange_inbox_owed", "exchange_inbox", ["sender", "owed"], "owed = 1"),
)


def upgrade() -> None:
    for name, table in UNREAD:
        op.drop_index(name, table)
    for name, table, columns, rows in FEW:
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
