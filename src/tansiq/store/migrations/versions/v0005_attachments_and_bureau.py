"""Files that belong to entries; what a service keeps for its own officers: standing queries, links, templates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _attachments()
    _standing_queries()
    _links_and_templates()


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("entry", sa.String(66), nullable=False),
        sa.Column("part", sa.String(66), nullable=False),
        sa.Column("ref", sa.String(48), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_part", "attachments", ["entry", "part"])
    op.create_index("ix_attachments_ref", "attachments", ["ref"])
    op.create_index("ix_attachments_content", "attachments", ["content"])
    op.create_index("ix_attachments_state", "attachments", ["state", "at"])
    op.create_table(
        "attachment_chunks",
        sa.Column("attachment", sa.String(34), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attachment"], ["attachments.id"], name="fk_attachment_chunks_attachment_attachments"),
        sa.PrimaryKeyConstraint("attachment", "number", name="pk_attachment_chunks"),
    )


def _standing_queries() -> None:
    op.create_table(
        "bureau_watches",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("officer", sa.String(18), nullable=False),
        sa.Column("expires_on", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bureau_watches"),
    )
    op.create_index("ix_bureau_watches_officer", "bureau_watches", ["officer"])
    op.create_index("ix_bureau_watches_expires_on", "bureau_watches", ["expires_on"])
    op.create_table(
        "bureau_notices",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("watch", sa.String(34), nullable=False),
        sa.Column("met", sa.String(66), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("seen_at", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["watch"], ["bureau_watches.id"], name="fk_bureau_notices_watch_bureau_watches"),
        sa.PrimaryKeyConstraint("id", name="pk_bureau_notices"),
        sa.UniqueConstraint("watch", "met", name="uq_bureau_notices_watch_met"),
    )
    op.create_index("ix_bureau_notices_met", "bureau_notices", ["met"])
    op.create_table(
        "bureau_cursor",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_bureau_cursor"),
    )
    op.create_table(
        "bureau_waiting",
        sa.Column("entry", sa.String(66), nullable=False),
        sa.Column("dossier", sa.String(34), nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_bureau_waiting"),
    )


def _links_and_templates() -> None:
    op.create_table(
        "bureau_links",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("origin", sa.String(34), nullable=False),
        sa.Column("target", sa.String(34), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bureau_links"),
        sa.UniqueConstraint("origin", "target", name="uq_bureau_links_origin_target"),
    )
    op.create_index("ix_bureau_links_target", "bureau_links", ["target"])
    op.create_table(
        "bureau_templates",
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bureau_templates"),
        sa.UniqueConstraint("name", name="uq_bureau_templates_name"),
    )
