"""The floor: help calls, languages people speak and callers need, interpreters, broadcasts."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _ref(table: str, name: str, target: str, *, nullable: bool = False) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _help()
    _languages()
    op.add_column("notice", sa.Column("urgency", sa.String(8), nullable=True))
    op.create_check_constraint("ck_notice_urgency", "notice", "urgency IN ('usual', 'urgent')")


def _help() -> None:
    op.create_table(
        "help_call",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        _ref("help_call", "user_id", "user_account"),
        sa.Column("extension", sa.Text, nullable=True),
        _ref("help_call", "call_session_id", "call_session", nullable=True),
        _time("asked_at"),
        _time("escalated_at", nullable=True),
        _time("answered_at", nullable=True),
        _ref("help_call", "answered_by", "user_account", nullable=True),
        _time("ended_at", nullable=True),
        sa.Column("ended_as", sa.String(10), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_help_call"),
        sa.CheckConstraint("ended_as IN ('helped', 'withdrawn', 'left')", name="ck_help_call_ended_as"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ck_help_call_ended"),
    )
    op.create_index(
        "uq_help_call_open",
        "help_call",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_help_call_asked_at", "help_call", ["asked_at"])
    op.create_table(
        "help_step",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        _ref("help_step", "help_id", "help_call"),
        _time("at"),
        _ref("help_step", "user_id", "user_account", nullable=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_help_step"),
        sa.CheckConstraint(
            "kind IN ('asked', 'said', 'answered', 'listened', 'escalated', 'ended')",
            name="ck_help_step_kind",
        ),
    )
    op.create_index("ix_help_step_help_id", "help_step", ["help_id", "id"])
    op.execute(
        "CREATE TRIGGER help_step_append_only BEFORE UPDATE OR DELETE ON help_step "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER help_step_no_truncate BEFORE TRUNCATE ON help_step "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _languages() -> None:
    op.create_table(
        "user_language",
        _ref("user_language", "user_id", "user_account"),
        sa.Column("language", sa.String(12), nullable=False),
        _ref("user_language", "noted_by", "user_account", nullable=True),
        _time("noted_at"),
        sa.PrimaryKeyConstraint("user_id", "language", name="pk_user_language"),
    )
    op.create_table(
        "call_language",
        _ref("call_language", "call_session_id", "call_session"),
        sa.Column("language", sa.String(12), nullable=False),
        _ref("call_language", "marked_by", "user_account", nullable=True),
        _time("marked_at"),
        sa.PrimaryKeyConstraint("call_session_id", name="pk_call_language"),
    )
    op.create_table(
        "interpreter",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("languages", JSONB, nullable=False),
        _ref("interpreter", "phone_ref", "personal_value"),
        sa.Column("days", sa.String(7), nullable=False),
        sa.Column("begins", sa.Time, nullable=False),
        sa.Column("ends", sa.Time, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interpreter"),
    )


def downgrade() -> None:
    op.drop_constraint("ck_notice_urgency", "notice")
    op.drop_column("notice", "urgency")
    for table in ("interpreter", "call_language", "user_language", "help_step", "help_call"):
        op.drop_table(table)
