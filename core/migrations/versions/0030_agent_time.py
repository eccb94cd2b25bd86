"""Agents' time by quarter of an hour, their work after calls by the calls' quarter, rings they missed."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0027"
branch_labels = None
depends_on = None


# How often the calls before were given on is known; which rings were missed is not.
GIVEN_ON = """
WITH moves AS (
    SELECT to_timestamp(floor(extract(epoch FROM queued_at) / 900) * 900) AS starts_at,
           queues ->> 0 AS queue, count(*) AS n
    FROM call_session CROSS JOIN LATERAL jsonb_array_elements(transfers) AS move
    WHERE ended_at IS NOT NULL AND queued_at IS NOT NULL AND direction = 'inbound'
      AND jsonb_array_length(queues) > 0 AND move ->> 'kind' <> 'conference'
    GROUP BY 1, 2
)
UPDATE call_interval SET transferred = moves.n FROM moves
WHERE call_interval.starts_at = moves.starts_at AND call_interval.queue = moves.queue
"""


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
    for name in ("missed", "transferred"):
        op.add_column("call_interval", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.execute(GIVEN_ON)


def downgrade() -> None:
    op.drop_column("call_interval", "transferred")
    op.drop_column("call_interval", "missed")
    op.drop_column("call_leg", "missed")
    op.drop_table("agent_wrap")
    op.drop_table("agent_time")
