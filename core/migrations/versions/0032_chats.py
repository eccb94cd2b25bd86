"""Conversations in writing, their messages, and the draft each of them has."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

OPEN = "state <> 'ended'"


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "chat_session",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=True),
        _ref("phone_ref"),
        _time("consented_at"),
        _time("queued_at", nullable=False),
        _ref("offered_to"),
        _time("offered_at"),
        sa.Column("offers", sa.Integer, nullable=False),
        _ref("passed_by"),
        _ref("agent_id"),
        _time("answered_at"),
        _time("replied_at"),
        _time("missed_at"),
        _time("due_at"),
        _time("citizen_at", nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        _time("ended_at"),
        sa.Column("ended_by", sa.String(10), nullable=True),
        sa.Column("outcome", sa.String(12), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_chat_session"),
        sa.UniqueConstraint("token_hash", name="uq_chat_session_token_hash"),
        sa.ForeignKeyConstraint(
            ["phone_ref"], ["personal_value.id"], name="fk_chat_session_phone_ref_personal_value"
        ),
        sa.ForeignKeyConstraint(
            ["offered_to"], ["user_account.id"], name="fk_chat_session_offered_to_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["passed_by"], ["user_account.id"], name="fk_chat_session_passed_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["user_account.id"], name="fk_chat_session_agent_id_user_account"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'active', 'missed', 'ended')", name="ck_chat_session_state"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (state <> 'ended')", name="ck_chat_session_ended_once"),
    )
    where = sa.text(OPEN)
    op.create_index("ix_chat_session_open", "chat_session", ["queued_at", "id"], postgresql_where=where)
    op.create_index("ix_chat_session_agent", "chat_session", ["agent_id"], postgresql_where=where)
    op.create_index("ix_chat_session_queued_at", "chat_session", ["queued_at"])
    op.create_index(
        "uq_chat_session_number",
        "chat_session",
        ["phone_ref"],
        unique=True,
        postgresql_where=sa.text(f"channel = 'sms' AND {OPEN}"),
    )
    op.create_table(
        "chat_message",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        _ref("session_id", nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        _time("at", nullable=False),
        sa.Column("sender", sa.String(8), nullable=False),
        _ref("actor_id"),
        _ref("body_ref", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_message"),
        sa.UniqueConstraint("session_id", "key", name="uq_chat_message_session_id_key"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["chat_session.id"], name="fk_chat_message_session_id_chat_session"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name="fk_chat_message_actor_id_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["body_ref"], ["personal_value.id"], name="fk_chat_message_body_ref_personal_value"
        ),
        sa.CheckConstraint("sender IN ('citizen', 'agent', 'system')", name="ck_chat_message_sender"),
    )
    op.execute(
        "CREATE TRIGGER chat_message_append_only BEFORE UPDATE OR DELETE ON chat_message "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.add_column("ticket_draft", sa.Column("chat_session_id", sa.BigInteger, nullable=True))
    op.create_unique_constraint("uq_ticket_draft_chat_session_id", "ticket_draft", ["chat_session_id"])
    op.create_foreign_key(
        "fk_ticket_draft_chat_session_id_chat_session",
        "ticket_draft",
        "chat_session",
        ["chat_session_id"],
        ["id"],
    )
    # Who writes with a citizen takes no calls meanwhile: a reason of not ready like the others.
    op.execute(
        "INSERT INTO reason_code (kind, code, label, hint, active, sort) "
        "VALUES ('not_ready', 'text', '文字服务', '正在以文字接待市民，由系统设置', true, 90) "
        "ON CONFLICT DO NOTHING"
    )
    op.execute("UPDATE catalog_version SET version = version + 1 WHERE name = 'reasons'")


def downgrade() -> None:
    op.execute("DELETE FROM reason_code WHERE kind = 'not_ready' AND code = 'text'")
    op.drop_constraint("fk_ticket_draft_chat_session_id_chat_session", "ticket_draft")
    op.drop_constraint("uq_ticket_draft_chat_session_id", "ticket_draft")
    op.drop_column("ticket_draft", "chat_session_id")
    op.drop_table("chat_message")
    op.drop_table("chat_session")
