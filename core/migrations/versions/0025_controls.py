"""Orders about calls, marks of what was done to them, reports of abuse, numbers on a list."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ident() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _orders() -> None:
    op.create_table(
        "call_order",
        _ident(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("session_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("extension", sa.String(20), nullable=False),
        sa.Column("token", sa.String(40), nullable=False),
        sa.Column("target_kind", sa.String(12), nullable=True),
        sa.Column("target", sa.String(40), nullable=True),
        sa.Column("number_ref", sa.BigInteger, nullable=True),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("why", sa.String(40), nullable=True),
        _time("ordered_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_call_order"),
        sa.UniqueConstraint("user_id", "token", name="uq_call_order_user_id_token"),
        sa.UniqueConstraint("channel_id", name="uq_call_order_channel_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'ringing', 'done', 'failed', 'late')", name="ck_call_order_state"
        ),
        _ref("call_order", "session_id", "call_session"),
        _ref("call_order", "user_id", "user_account"),
        _ref("call_order", "number_ref", "personal_value"),
    )
    for name, states in (("waiting", "state = 'waiting'"), ("open", "state IN ('taken', 'ringing')")):
        op.create_index(f"ix_call_order_{name}", "call_order", ["id"], postgresql_where=sa.text(states))
    op.create_index("ix_call_order_session_id", "call_order", ["session_id", "id"])
    op.create_table(
        "call_mark",
        _ident(),
        sa.Column("session_id", sa.BigInteger, nullable=False),
        _time("at"),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("data", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_mark"),
        _ref("call_mark", "session_id", "call_session"),
        _ref("call_mark", "user_id", "user_account"),
    )
    op.create_index("ix_call_mark_session_id", "call_mark", ["session_id", "id"])


def _protection() -> None:
    op.create_table(
        "abuse_report",
        _ident(),
        sa.Column("session_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("extension", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(30), nullable=False),
        _time("reported_at"),
        sa.Column("state", sa.String(10), nullable=False),
        _time("decided_at", nullable=True),
        sa.Column("decided_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_abuse_report"),
        sa.CheckConstraint("state IN ('open', 'ended', 'closed')", name="ck_abuse_report_state"),
        _ref("abuse_report", "session_id", "call_session"),
        _ref("abuse_report", "user_id", "user_account"),
        _ref("abuse_report", "decided_by", "user_account"),
    )
    op.create_index(
        "uq_abuse_report_open", "abuse_report", ["session_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_table(
        "number_listing",
        _ident(),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("number_ref", sa.BigInteger, nullable=False),
        sa.Column("session_id", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", sa.BigInteger, nullable=False),
        _time("proposed_at"),
        sa.Column("decided_by", sa.BigInteger, nullable=True),
        _time("decided_at", nullable=True),
        _time("expires_at", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_number_listing"),
        sa.CheckConstraint("kind IN ('silent', 'harassment')", name="ck_number_listing_kind"),
        sa.CheckConstraint(
            "state IN ('proposed', 'listed', 'declined', 'lifted')", name="ck_number_listing_state"
        ),
        _ref("number_listing", "number_ref", "personal_value"),
        _ref("number_listing", "session_id", "call_session"),
        _ref("number_listing", "proposed_by", "user_account"),
        _ref("number_listing", "decided_by", "user_account"),
    )
    op.create_index(
        "uq_number_listing_live", "number_listing", ["number_ref", "kind"], unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'listed')"),
    )  # fmt: skip
    op.create_index("ix_number_listing_state", "number_listing", ["state", "id"])


def upgrade() -> None:
    _orders()
    _protection()


def downgrade() -> None:
    for table in ("number_listing", "abuse_report", "call_mark", "call_order"):
        op.drop_table(table)
