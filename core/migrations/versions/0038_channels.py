"""Dialogues on channels in writing, what was taken and sent there, and which way a ticket's news go."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "channel_dialogue",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("sender", sa.LargeBinary, nullable=False),
        _ref("sender_ref", nullable=False),
        sa.Column("talk", sa.LargeBinary, nullable=True),
        sa.Column("serial", sa.Integer, nullable=False),
        _time("created_at", nullable=False),
        _time("touched_at"),
        _time("stopped_at"),
        _time("gone_at"),
        sa.PrimaryKeyConstraint("id", name="pk_channel_dialogue"),
        sa.UniqueConstraint("channel", "sender", name="uq_channel_dialogue_channel_sender"),
        sa.ForeignKeyConstraint(
            ["sender_ref"], ["personal_value.id"], name="fk_channel_dialogue_sender_ref_personal_value"
        ),
    )
    op.create_table(
        "channel_message",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("stamp", sa.String(200), nullable=True),
        _ref("dialogue_id"),
        sa.Column("kind", sa.String(10), nullable=False),
        _time("at", nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=True),
        _ref("ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_channel_message"),
        sa.UniqueConstraint("channel", "direction", "key", name="uq_channel_message_channel_direction_key"),
        sa.ForeignKeyConstraint(
            ["dialogue_id"], ["channel_dialogue.id"], name="fk_channel_message_dialogue_id_channel_dialogue"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_channel_message_ticket_id_ticket"),
        sa.CheckConstraint("direction IN ('in', 'out')", name="ck_channel_message_direction"),
    )
    where = sa.text("stamp IS NOT NULL")
    name = "uq_channel_message_channel_stamp"
    op.create_index(name, "channel_message", ["channel", "stamp"], unique=True, postgresql_where=where)
    op.create_index("ix_channel_message_channel_at", "channel_message", ["channel", "direction", "at"])
    op.create_index("ix_channel_message_at", "channel_message", ["at"])
    op.create_table(
        "channel_ticket",
        sa.Column("ticket_id", sa.BigInteger, autoincrement=False, nullable=False),
        _ref("dialogue_id", nullable=False),
        sa.Column("told", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_channel_ticket"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_channel_ticket_ticket_id_ticket"),
        sa.ForeignKeyConstraint(
            ["dialogue_id"], ["channel_dialogue.id"], name="fk_channel_ticket_dialogue_id_channel_dialogue"
        ),
    )
    op.create_index("ix_channel_ticket_dialogue_id", "channel_ticket", ["dialogue_id"])
    op.create_table(
        "channel_state",
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("error", sa.String(60), nullable=True),
        _time("error_at"),
        _time("checked_at"),
        sa.Column("token", sa.LargeBinary, nullable=True),
        _time("token_until"),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_state"),
    )
    # Which way a message went; null: by text message, as before there were others.
    op.add_column("citizen_message", sa.Column("channel", sa.String(20), nullable=True))


def downgrade() -> None:
    op.drop_column("citizen_message", "channel")
    op.drop_table("channel_state")
    op.drop_table("channel_ticket")
    op.drop_table("channel_message")
    op.drop_table("channel_dialogue")
