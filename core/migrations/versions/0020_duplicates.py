"""Signatures of open tickets, and clusters (群诉) that were found in the stream."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _ref(table: str, name: str, target: str, *, nullable: bool = False) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "ticket_signature",
        _ref("ticket_signature", "ticket_id", "ticket"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", ARRAY(sa.Text), nullable=False),
        sa.Column("features", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_signature"),
    )
    op.create_index("ix_ticket_signature_terms", "ticket_signature", ["terms"], postgresql_using="gin")
    op.create_index("ix_ticket_signature_created", "ticket_signature", ["created_at", "ticket_id"])
    op.create_table(
        "signature_progress",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_signature_progress"),
    )
    op.create_table(
        "ticket_cluster",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("place", sa.String(100), nullable=False),
        sa.Column("callers", sa.Integer, nullable=False),
        sa.Column("callers_24h", sa.Integer, nullable=False),
        sa.Column("callers_7d", sa.Integer, nullable=False),
        sa.Column("z", sa.Float, nullable=True),
        sa.Column("words", JSONB, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        _ref("ticket_cluster", "master_id", "ticket", nullable=True),
        _ref("ticket_cluster", "category_id", "category", nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        _ref("ticket_cluster", "decided_by", "user_account", nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_cluster"),
        sa.CheckConstraint("kind IN ('many', 'words', 'surge')", name="ck_ticket_cluster_kind"),
        sa.CheckConstraint("state IN ('proposed', 'confirmed', 'dismissed')", name="ck_ticket_cluster_state"),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="ck_ticket_cluster_decided"),
    )
    op.create_index(
        "ix_ticket_cluster_newest", "ticket_cluster", ["state", sa.text("found_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "ticket_cluster_member",
        _ref("ticket_cluster_member", "cluster_id", "ticket_cluster"),
        _ref("ticket_cluster_member", "ticket_id", "ticket"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "ticket_id", name="pk_ticket_cluster_member"),
    )
    op.create_index("ix_ticket_cluster_member_ticket", "ticket_cluster_member", ["ticket_id"])


def downgrade() -> None:
    for table in ("ticket_cluster_member", "ticket_cluster", "signature_progress", "ticket_signature"):
        op.drop_table(table)
