"""Agents' time by quarter of an hour, their work after calls by the calls' quarter, rings they missed."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nothing is counted from before: agents' intervals came with the same version.
    op.create_table(
        "agent_time",
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(30), nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("starts_at", "user_id", "state", "reason", name="pk_agent_time"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_agent_time_user_id_user_account"),
    )
    op.create_table(
        "agent_wrap",
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("wraps", sa.Integer, nullable=False),
        sa.Column("wrap_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("starts_at", "queue", "user_id", name="pk_agent_wrap"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_agent_wrap_user_id_user_account"),
    )
    op.add_column("call_leg", sa.Column("missed", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("call_leg", "missed")
    op.drop_table("agent_wrap")
    op.drop_table("agent_time")
