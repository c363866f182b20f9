"""Lists are read by the index of their order, a page at a time; a match goes with the record that it shows.

Those whose record had gone before were hidden and waited for a sweep that looked at all matches: they go here.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.drop_index("ix_dossiers_updated_at", "dossiers")
    op.create_index("ix_dossiers_newest", "dossiers", ["updated_at", "id"])
    op.create_index("ix_dossiers_kind_newest", "dossiers", ["kind", "updated_at", "id"])
    _partial("ix_dossiers_erase_on", "dossiers", ["erase_on", "id"], "erase_on <> ''")
    op.create_index("ix_duties_creditor_due_since", "dossier_duties", ["creditor", "due_at", "since", "owner"])
    op.create_index("ix_duties_code_since", "dossier_duties", ["code", "since"])
    op.execute(
        "delete from hit_matches where not exists (select 1 from bank_records b where b.id = hit_matches.record)"
    )
    op.drop_index("hit_matches_state", "hit_matches")
    op.create_index("hit_matches_state_newest", "hit_matches", ["state", "found_at", "score", "id"])
    op.create_index("hit_matches_dossier", "hit_matches", ["dossier"])
    _partial("hit_matches_urgent", "hit_matches", ["state", "found_at", "id"], "urgent")
    _partial("hit_matches_decided", "hit_matches", ["score", "state"], "decided_at <> ''")


def _partial(name: str, table: str, columns: list[str], rows: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(rows), postgresql_where=text(rows))
