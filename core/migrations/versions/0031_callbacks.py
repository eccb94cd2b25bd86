"""Call-backs by click: the next try not before, the order behind a try; marks of what was recorded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("callback_task", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("callback_attempt", sa.Column("dial_order_id", sa.BigInteger, nullable=True))
    op.create_unique_constraint("uq_callback_attempt_dial_order_id", "callback_attempt", ["dial_order_id"])
    op.create_foreign_key(
        "fk_callback_attempt_dial_order_id_dial_order",
        "callback_attempt",
        "dial_order",
        ["dial_order_id"],
        ["id"],
    )
    op.create_index("ix_dial_order_extension", "dial_order", ["extension", "id"])
    op.create_index("ix_dial_order_number_ref", "dial_order", ["number_ref", "id"])
    op.create_index("ix_dial_order_ordered_at", "dial_order", ["ordered_at"])
    op.add_column("call_session", sa.Column("marks", JSONB, nullable=True))
    op.add_column("call_session", sa.Column("recording_gone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_call_session_recorded",
        "call_session",
        ["ended_at"],
        postgresql_where=sa.text("recording IS NOT NULL AND recording_gone_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_call_session_recorded", "call_session")
    op.drop_column("call_session", "recording_gone_at")
    op.drop_column("call_session", "marks")
    op.drop_index("ix_dial_order_ordered_at", "dial_order")
    op.drop_index("ix_dial_order_number_ref", "dial_order")
    op.drop_index("ix_dial_order_extension", "dial_order")
    op.drop_constraint("fk_callback_attempt_dial_order_id_dial_order", "callback_attempt")
    op.drop_constraint("uq_callback_attempt_dial_order_id", "callback_attempt")
    op.drop_column("callback_attempt", "dial_order_id")
    op.drop_column("callback_task", "not_before")
