"""The ground: the tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _access_attempts()
    _access_officers()
    _bank_changes()
    _bank_records()
    _dossiers()
    _exchange_card_files()
    _exchange_envelope_items()
    _exchange_inbox()
    _exchange_outbox()
    _exchange_outbox_envelopes()
    _exchange_own_card()
    _exchange_peers()
    _hit_matches()
    _hit_queue()
    _ledger_checkpoints()
    _ledger_contents()
    _ledger_head()
    _ledger_leaves()
    _ledger_nodes()
    _ledger_witnessed()
    _access_drafts()
    _access_sessions()
    _access_tokens()
    _bank_keys()
    _dossier_duties()
    _dossier_entries()
    _dossier_grants()
    _dossier_parts()


def _access_attempts() -> None:
    op.create_table(
        "access_attempts",
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_access_attempts"),
    )
    op.create_index("ix_access_attempts_last_at", "access_attempts", ["last_at"], unique=False)


def _access_officers() -> None:
    op.create_table(
        "access_officers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_officers"),
        sa.UniqueConstraint("name_key", name="uq_access_officers_name_key"),
    )


def _bank_changes() -> None:
    op.create_table(
        "bank_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bank_changes"),
    )


def _bank_records() -> None:
    op.create_table(
        "bank_records",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("originator", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("erase_on", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bank_records"),
    )
    op.create_index("bank_records_change", "bank_records", ["change"], unique=False)
    op.create_index("bank_records_erase_on", "bank_records", ["erase_on"], unique=False)
    op.create_index("bank_records_part", "bank_records", ["part"], unique=False)
    op.create_index("bank_records_reference", "bank_records", ["reference"], unique=False)
    op.create_index("bank_records_source", "bank_records", ["source"], unique=False)


def _dossiers() -> None:
    op.create_table(
        "dossiers",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("opener", sa.String(length=23), nullable=False),
        sa.Column("opened_at", sa.String(length=24), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.Column("erase_on", sa.String(length=10), nullable=False),
        sa.Column("unsettled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dossiers"),
    )
    op.create_index("ix_dossiers_unsettled", "dossiers", ["unsettled"], unique=False)
    op.create_index("ix_dossiers_updated_at", "dossiers", ["updated_at"], unique=False)


def _exchange_card_files() -> None:
    op.create_table(
        "exchange_card_files",
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node", "version", name="pk_exchange_card_files"),
    )


def _exchange_envelope_items() -> None:
    op.create_table(
        "exchange_envelope_items",
        sa.Column("envelope", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("envelope", "position", name="pk_exchange_envelope_items"),
    )
    op.create_index("ix_exchange_envelope_items_ref", "exchange_envelope_items", ["ref"], unique=False)


def _exchange_inbox() -> None:
    op.create_table(
        "exchange_inbox",
        sa.Column("sender", sa.String(length=32), nullable=False),
        sa.Column("envelope", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("own_version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "envelope", name="pk_exchange_inbox"),
    )
    op.create_index("ix_exchange_inbox_owed", "exchange_inbox", ["sender", "owed"], unique=False)


def _exchange_outbox() -> None:
    op.create_table(
        "exchange_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("recipient", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=96), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.String(length=128), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.String(length=24), nullable=False),
        sa.Column("sent_at", sa.String(length=24), nullable=True),
        sa.Column("received_at", sa.String(length=24), nullable=True),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exchange_outbox"),
        sa.UniqueConstraint("kind", "ref", "recipient", name="uq_exchange_outbox_kind_ref_recipient"),
    )
    op.create_index("ix_exchange_outbox_envelope", "exchange_outbox", ["envelope"], unique=False)
    op.create_index("ix_exchange_outbox_ref", "exchange_outbox", ["ref"], unique=False)
    op.create_index(
        "ix_exchange_outbox_waiting", "exchange_outbox", ["recipient", "state", "envelope", "id"], unique=False
    )


def _exchange_outbox_envelopes() -> None:
    op.create_table(
        "exchange_outbox_envelopes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("recipient", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("own_version", sa.Integer(), nullable=False),
        sa.Column("formed_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.String(length=24), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("receipt_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_outbox_envelopes"),
        sa.UniqueConstraint("id", name="uq_exchange_outbox_envelopes_id"),
    )
    op.create_index(
        "ix_exchange_outbox_envelopes_open", "exchange_outbox_envelopes", ["recipient", "state", "number"], unique=False
    )


def _exchange_own_card() -> None:
    op.create_table(
        "exchange_own_card",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_exchange_own_card"),
    )


def _exchange_peers() -> None:
    op.create_table(
        "exchange_peers",
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("pinned_at", sa.String(length=24), nullable=False),
        sa.Column("last_contact_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("node", name="pk_exchange_peers"),
    )


def _hit_matches() -> None:
    op.create_table(
        "hit_matches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("entity", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("holding_part", sa.Text(), nullable=False),
        sa.Column("originator", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hit_matches"),
        sa.UniqueConstraint("entry", "part", "entity", "record", name="uq_hit_matches_meeting"),
    )
    op.create_index("hit_matches_holding_part", "hit_matches", ["holding_part"], unique=False)
    op.create_index("hit_matches_part", "hit_matches", ["part"], unique=False)
    op.create_index("hit_matches_record", "hit_matches", ["record"], unique=False)
    op.create_index("hit_matches_state", "hit_matches", ["state"], unique=False)


def _hit_queue() -> None:
    op.create_table(
        "hit_queue",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("dossier", sa.Text(), nullable=False),
        sa.Column("originator", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("queued_at", sa.Text(), nullable=False),
        sa.Column("examined_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_hit_queue"),
    )
    op.create_index("hit_queue_waiting", "hit_queue", ["examined_at", "queued_at"], unique=False)


def _ledger_checkpoints() -> None:
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_ledger_checkpoints"),
    )


def _ledger_contents() -> None:
    op.create_table(
        "ledger_contents",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_ledger_contents"),
    )


def _ledger_head() -> None:
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
    )


def _ledger_leaves() -> None:
    op.create_table(
        "ledger_leaves",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_ledger_leaves"),
    )
    op.create_index("ix_ledger_leaves_subject", "ledger_leaves", ["subject", "leaf_index"], unique=False)


def _ledger_nodes() -> None:
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("node_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "node_index", name="pk_ledger_nodes"),
    )


def _ledger_witnessed() -> None:
    op.create_table(
        "ledger_witnessed",
        sa.Column("origin", sa.String(length=128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name="pk_ledger_witnessed"),
    )


def _access_drafts() -> None:
    op.create_table(
        "access_drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["first"], ["access_officers.id"], name="fk_access_drafts_first_access_officers"),
        sa.ForeignKeyConstraint(["second"], ["access_officers.id"], name="fk_access_drafts_second_access_officers"),
        sa.PrimaryKeyConstraint("id", name="pk_access_drafts"),
    )
    op.create_index("ix_access_drafts_state", "access_drafts", ["state"], unique=False)


def _access_sessions() -> None:
    op.create_table(
        "access_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["officer"], ["access_officers.id"], name="fk_access_sessions_officer_access_officers"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_access_sessions"),
    )
    op.create_index("ix_access_sessions_officer", "access_sessions", ["officer"], unique=False)
    op.create_index("ix_access_sessions_seen_at", "access_sessions", ["seen_at"], unique=False)


def _access_tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["officer"], ["access_officers.id"], name="fk_access_tokens_officer_access_officers"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_access_tokens_token_hash"),
    )
    op.create_index("ix_access_tokens_officer", "access_tokens", ["officer"], unique=False)


def _bank_keys() -> None:
    op.create_table(
        "bank_keys",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record"], ["bank_records.id"], name="fk_bank_keys_record_bank_records", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record", "kind", "mac", name="pk_bank_keys"),
    )
    op.create_index("bank_keys_mac", "bank_keys", ["mac"], unique=False)


def _dossier_duties() -> None:
    op.create_table(
        "dossier_duties",
        sa.Column("dossier", sa.String(length=34), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=23), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("clause", sa.String(length=120), nullable=False),
        sa.Column("entry", sa.String(length=66), nullable=False),
        sa.Column("urgent", sa.Integer(), nullable=False),
        sa.Column("creditor", sa.String(length=23), nullable=False),
        sa.Column("paused", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossiers.id"], name="fk_dossier_duties_dossier_dossiers"),
        sa.PrimaryKeyConstraint("dossier", "number", name="pk_dossier_duties"),
    )
    op.create_index("ix_duties_owner_due", "dossier_duties", ["owner", "due_at"], unique=False)


def _dossier_entries() -> None:
    op.create_table(
        "dossier_entries",
        sa.Column("id", sa.String(length=66), nullable=False),
        sa.Column("dossier", sa.String(length=34), nullable=False),
        sa.Column("author", sa.String(length=23), nullable=False),
        sa.Column("clock", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("filed_at", sa.String(length=24), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dossier"], ["dossiers.id"], name="fk_dossier_entries_dossier_dossiers"),
        sa.PrimaryKeyConstraint("id", name="pk_dossier_entries"),
    )
    op.create_index("ix_dossier_entries_dossier", "dossier_entries", ["dossier"], unique=False)


def _dossier_grants() -> None:
    op.create_table(
        "dossier_grants",
        sa.Column("entry", sa.String(length=66), nullable=False),
        sa.Column("node", sa.String(length=23), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("clauses", sa.LargeBinary(), nullable=False),
        sa.Column("withheld", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["dossier_entries.id"], name="fk_dossier_grants_entry_dossier_entries"),
        sa.PrimaryKeyConstraint("entry", "node", name="pk_dossier_grants"),
    )


def _dossier_parts() -> None:
    op.create_table(
        "dossier_parts",
        sa.Column("id", sa.String(length=66), nullable=False),
        sa.Column("entry", sa.String(length=66), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("presence", sa.String(length=10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["entry"], ["dossier_entries.id"], name="fk_dossier_parts_entry_dossier_entries"),
        sa.PrimaryKeyConstraint("id", name="pk_dossier_parts"),
    )
    op.create_index("ix_dossier_parts_entry", "dossier_parts", ["entry"], unique=False)
