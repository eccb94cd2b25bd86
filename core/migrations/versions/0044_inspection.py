"""Requests to hear recordings; emergency wordings that everybody may see."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recording_request",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("call_id", sa.BigInteger, nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=True),
        sa.Column("asked_by", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("decision", sa.String(10), nullable=True),
        sa.Column("decided_by", sa.BigInteger, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recording_request"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_session.id"], name="fk_recording_request_call_id_call_session"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_recording_request_ticket_id_ticket"),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user_account.id"], name="fk_recording_request_asked_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["user_account.id"], name="fk_recording_request_decided_by_user_account"
        ),
        sa.CheckConstraint("decision IN ('approved', 'refused')", name="ck_recording_request_decision"),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="ck_recording_request_decided"),
        sa.CheckConstraint(
            "(ends_at IS NOT NULL) = (decision IS NOT DISTINCT FROM 'approved')",
            name="ck_recording_request_ends",
        ),
        sa.CheckConstraint("decided_by <> asked_by", name="ck_recording_request_another"),
    )
    op.create_index(
        "uq_recording_request_waiting",
        "recording_request",
        ["call_id", "asked_by"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index("ix_recording_request_asked_by", "recording_request", ["asked_by", "id"])
    op.create_index("ix_recording_request_call_id", "recording_request", ["call_id"])
    op.add_column(
        "knowledge_banner",
        sa.Column("public", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.add_column("knowledge_banner", sa.Column("unit_id", sa.BigInteger, nullable=True))
    op.create_foreign_key("fk_knowledge_banner_unit_id_unit", "knowledge_banner", "unit", ["unit_id"], ["id"])


def downgrade() -> None:
    op.drop_column("knowledge_banner", "unit_id")
    op.drop_column("knowledge_banner", "public")
    op.drop_table("recording_request")
