"""Kept figures of the telephone, states of the agents, duties of a day, addresses of wallboards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COUNTS = (
    "offered", "answered", "answered_in_15", "waits", "wait_ms", "abandoned", "short_abandoned",
    "timeout", "withdrawn", "empty", "left_by_key", "unknown", "talk_ms", "hold_ms",
)  # fmt: skip

# Calls that ended before the figures were kept, once. The limit of a short abandon is the default's.
COUNTED = """
WITH talk AS (
    SELECT session_id, sum(round(talk_seconds * 1000)) AS talk, sum(round(hold_seconds * 1000)) AS hold
    FROM call_leg GROUP BY session_id
), calls AS (
    SELECT to_timestamp(floor(extract(epoch FROM queued_at) / 900) * 900) AS starts_at,
           queues ->> 0 AS queue, wait_seconds, outcome, talk, hold,
           answered_at IS NOT NULL OR outcome = 'answered' AS answered
    FROM call_session LEFT JOIN talk ON talk.session_id = call_session.id
    WHERE ended_at IS NOT NULL AND queued_at IS NOT NULL AND direction = 'inbound'
      AND jsonb_array_length(queues) > 0
)
INSERT INTO call_interval (
    starts_at, queue, offered, answered, answered_in_15, waits, wait_ms, abandoned, short_abandoned,
    timeout, withdrawn, empty, left_by_key, unknown, talk_ms, hold_ms
)
SELECT starts_at, queue,
       count(*),
       count(*) FILTER (WHERE answered),
       count(*) FILTER (WHERE answered AND wait_seconds <= 15),
       count(*) FILTER (WHERE answered AND wait_seconds IS NOT NULL),
       coalesce(sum(round(wait_seconds * 1000)) FILTER (WHERE answered), 0),
       count(*) FILTER (WHERE NOT answered AND outcome = 'abandoned' AND (wait_seconds >= 5) IS NOT FALSE),
       count(*) FILTER (WHERE NOT answered AND outcome = 'abandoned' AND wait_seconds < 5),
       count(*) FILTER (WHERE NOT answered AND outcome = 'timeout'),
       count(*) FILTER (WHERE NOT answered AND outcome = 'withdrawn'),
       count(*) FILTER (WHERE NOT answered AND outcome = 'empty'),
       count(*) FILTER (WHERE NOT answered AND outcome = 'exit_key'),
       count(*) FILTER (WHERE NOT answered AND coalesce(outcome, '') NOT IN
           ('abandoned', 'timeout', 'withdrawn', 'empty', 'exit_key')),
       coalesce(sum(talk) FILTER (WHERE answered), 0),
       coalesce(sum(hold) FILTER (WHERE answered), 0)
FROM calls GROUP BY starts_at, queue
"""


def upgrade() -> None:
    big = {"wait_ms", "talk_ms", "hold_ms"}
    op.create_table(
        "call_interval",
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger if name in big else sa.Integer, nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("starts_at", "queue", name="pk_call_interval"),
    )
    op.execute(COUNTED)
    op.create_table(
        "agent_state",
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(60), nullable=True),
        sa.Column("queues", JSONB, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "extension", name="pk_agent_state"),
        sa.CheckConstraint(
            "state IN ('ready', 'paused', 'wrap_up', 'unreachable', 'out')", name="ck_agent_state_state"
        ),
    )
    op.create_table(
        "duty_day",
        sa.Column("duty", sa.String(20), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("duty", "day", name="pk_duty_day"),
    )
    op.create_table(
        "daily_digest",
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name="pk_daily_digest"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_daily_digest_user_id_user_account"
        ),
    )
    op.create_table(
        "wallboard_address",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_by", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.BigInteger, nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_wallboard_address"),
        sa.UniqueConstraint("secret_hash", name="uq_wallboard_address_secret_hash"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_wallboard_address_created_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["user_account.id"], name="fk_wallboard_address_revoked_by_user_account"
        ),
    )


def downgrade() -> None:
    op.drop_table("wallboard_address")
    op.drop_table("daily_digest")
    op.drop_table("duty_day")
    op.drop_table("agent_state")
    op.drop_table("call_interval")
