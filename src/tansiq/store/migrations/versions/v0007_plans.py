"""Plans of deconfliction, what they met, and letters about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "plan_plans",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("sensitivity", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("left_at", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_plans"),
    )
    op.create_index("ix_plan_plans_expires_at", "plan_plans", ["expires_at"], unique=False)
    op.create_table(
        "plan_meetings",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("plan", sa.String(length=48), nullable=False),
        sa.Column("partner", sa.String(length=32), nullable=False),
        sa.Column("theirs", sa.String(length=24), nullable=False),
        sa.Column("shared", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_meetings"),
    )
    op.create_index("ix_plan_meetings_plan", "plan_meetings", ["plan"], unique=False)
    op.create_index("ix_plan_meetings_shared", "plan_meetings", ["shared"], unique=False)
    op.create_index("ix_plan_meetings_state", "plan_meetings", ["state"], unique=False)
    op.create_table(
        "plan_letters",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("partner", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_letters"),
    )
    op.create_index("ix_plan_letters_at", "plan_letters", ["at"], unique=False)
    op.create_table(
        "plan_asked",
        sa.Column("plan", sa.String(length=48), nullable=False),
        sa.Column("partner", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan", "partner", name="pk_plan_asked"),
    )
    op.create_table(
        "plan_listed",
        sa.Column("partner", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("partner", name="pk_plan_listed"),
    )
