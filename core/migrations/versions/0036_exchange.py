"""Calls that PBXs push."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_call",
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("call_id", sa.String(120), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "call_id", name="pk_push_call"),
    )
    op.create_index("ix_push_call_heard_at", "push_call", ["heard_at"])


def downgrade() -> None:
    op.drop_table("push_call")
