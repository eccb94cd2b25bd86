"""Call sessions, agent legs, state of each PBX."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    _sessions()
    _legs()
    op.create_table(
        "pbx_state",
        _text("pbx"),
        sa.Column("connected", sa.Boolean, nullable=False),
        _time("connected_at", nullable=True),
        _time("silent_since", nullable=True),
        _time("gap_since", nullable=True),
        _text("gap_note", nullable=True),
        sa.Column("queue_log_inode", sa.BigInteger, nullable=True),
        sa.Column("queue_log_offset", sa.BigInteger, nullable=True),
        sa.Column("generation", sa.Integer, nullable=False),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("pbx", name="pk_pbx_state"),
    )


def _sessions() -> None:
    op.create_table(
        "call_session",
        _id(),
        _text("pbx"),
        _text("session_key"),
        _text("direction"),
        sa.Column("caller_ref", sa.BigInteger, nullable=True),
        sa.Column("caller_name_ref", sa.BigInteger, nullable=True),
        _text("caller_kind"),
        _text("did", nullable=True),
        _text("state"),
        _text("outcome", nullable=True),
        sa.Column("queues", JSONB, nullable=False),
        sa.Column("wait_seconds", sa.Float, nullable=True),
        sa.Column("transfers", JSONB, nullable=False),
        sa.Column("linkedids", JSONB, nullable=False),
        _text("recording", nullable=True),
        _text("survey", nullable=True),
        _text("first_extension", nullable=True),
        _time("started_at"),
        _time("queued_at", nullable=True),
        _time("answered_at", nullable=True),
        _time("ended_at", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_session"),
        sa.ForeignKeyConstraint(
            ["caller_ref"], ["personal_value.id"], name="fk_call_session_caller_ref_personal_value"
        ),
        sa.ForeignKeyConstraint(
            ["caller_name_ref"], ["personal_value.id"], name="fk_call_session_caller_name_ref_personal_value"
        ),
        sa.UniqueConstraint("pbx", "session_key", name="uq_call_session_pbx_session_key"),
    )
    op.create_index(
        "ix_call_session_open", "call_session", ["pbx"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_call_session_caller_ref_started_at", "call_session", ["caller_ref", "started_at"])
    op.create_index("ix_call_session_started_at", "call_session", ["started_at"])


def _legs() -> None:
    op.create_table(
        "call_leg",
        _id(),
        sa.Column("session_id", sa.BigInteger, nullable=False),
        _text("leg_key"),
        _text("extension"),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        _text("state"),
        sa.Column("ring_seconds", sa.Float, nullable=False),
        sa.Column("talk_seconds", sa.Float, nullable=False),
        sa.Column("hold_seconds", sa.Float, nullable=False),
        _text("ended_by", nullable=True),
        _time("rang_at", nullable=True),
        _time("answered_at", nullable=True),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_call_leg"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["call_session.id"], name="fk_call_leg_session_id_call_session"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_call_leg_user_id_user_account"),
        sa.UniqueConstraint("session_id", "leg_key", name="uq_call_leg_session_id_leg_key"),
    )
    op.create_index("ix_call_leg_user_id", "call_leg", ["user_id"])


def downgrade() -> None:
    for table in ("pbx_state", "call_leg", "call_session"):
        op.drop_table(table)
