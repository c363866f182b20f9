"""What lists and figures count is counted by an index alone."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("hit_matches_originator", "hit_matches", ["originator", "found_at", "state"])
