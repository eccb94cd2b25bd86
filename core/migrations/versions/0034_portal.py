"""The citizens' portal: who is signed in, codes on their way, consent, files that wait, data requests."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    op.create_table(
        "citizen_session",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _ref("ticket_id"),
        _ref("phone_ref"),
        sa.Column("subject", sa.LargeBinary, nullable=True),
        _time("created_at"),
        _time("expires_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_session"),
        sa.UniqueConstraint("token_hash", name="uq_citizen_session_token_hash"),
        _to("citizen_session", "ticket_id", "ticket"),
        _to("citizen_session", "phone_ref", "personal_value"),
    )
    op.create_index("ix_citizen_session_expires_at", "citizen_session", ["expires_at"])
    op.create_table(
        "citizen_login",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("phone", sa.LargeBinary, nullable=False),
        _ref("phone_ref"),
        _ref("code_ref", nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        _time("created_at"),
        _time("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_login"),
        sa.UniqueConstraint("token_hash", name="uq_citizen_login_token_hash"),
        _to("citizen_login", "phone_ref", "personal_value"),
        _to("citizen_login", "code_ref", "personal_value"),
    )
    op.create_index("ix_citizen_login_phone", "citizen_login", ["phone", "created_at"])
    op.create_index("ix_citizen_login_created_at", "citizen_login", ["created_at"])
    op.create_table(
        "citizen_consent",
        sa.Column("ticket_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("notice", sa.String(20), nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=True),
        _time("at"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_citizen_consent"),
        _to("citizen_consent", "ticket_id", "ticket"),
    )
    op.create_index(
        "ix_citizen_consent_subject",
        "citizen_consent",
        ["subject"],
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "waiting_file",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("form", sa.LargeBinary, nullable=False),
        sa.Column("file", JSONB, nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_file"),
    )
    op.create_index("ix_waiting_file_form", "waiting_file", ["form"])
    op.create_index("ix_waiting_file_at", "waiting_file", ["at"])
    op.create_table(
        "citizen_request",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _ref("phone_ref", nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        _ref("text_ref", nullable=True),
        sa.Column("state", sa.String(10), nullable=False),
        _time("created_at"),
        _time("due_at"),
        _time("decided_at", nullable=True),
        _ref("decided_by"),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_request"),
        sa.UniqueConstraint("phone_ref", "key", name="uq_citizen_request_phone_ref_key"),
        sa.CheckConstraint("kind IN ('access', 'correct', 'delete')", name="ck_citizen_request_kind"),
        sa.CheckConstraint("state IN ('open', 'done', 'refused')", name="ck_citizen_request_state"),
        sa.CheckConstraint("(decided_at IS NULL) = (state = 'open')", name="ck_citizen_request_decided_once"),
        _to("citizen_request", "phone_ref", "personal_value"),
        _to("citizen_request", "text_ref", "personal_value"),
        _to("citizen_request", "decided_by", "user_account"),
    )
    op.create_index(
        "ix_citizen_request_open",
        "citizen_request",
        ["due_at", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_ticket_published",
        "ticket",
        [sa.text("closed_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text(
            "wants_public AND state IN ('closed', 'answered', 'archived') AND type <> 'report' "
            "AND confidentiality IN ('public', 'normal') AND reply_id IS NOT NULL"
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_ticket_published", "ticket")
    for table in ("citizen_request", "waiting_file", "citizen_consent", "citizen_login", "citizen_session"):
        op.drop_table(table)
