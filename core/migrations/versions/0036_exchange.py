"""Other systems: calls they push, their numbers of tickets, answered requests, webhooks."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def _id() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _ref(table: str, name: str, target: str) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=False)


def _time(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "push_call",
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("call_id", sa.String(120), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        _time("heard_at"),
        sa.PrimaryKeyConstraint("pbx", "call_id", name="pk_push_call"),
    )
    op.create_index("ix_push_call_heard_at", "push_call", ["heard_at"])
    _outer()
    _requests()
    _webhooks()
    # Updates of many tickets at once are asked for by time; history only grows, so a small index will do.
    op.create_index("ix_ticket_history_at", "ticket_history", ["at"], postgresql_using="brin")


def _outer() -> None:
    name = "outer_ticket"
    op.create_table(
        name,
        _id(),
        _ref(name, "client_id", "machine_client"),
        _ref(name, "ticket_id", "ticket"),
        sa.Column("way", sa.String(4), nullable=False),
        sa.Column("number", sa.String(60), nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.CheckConstraint("way IN ('came', 'went')", name=f"ck_{name}_way"),
    )
    op.create_index("uq_outer_ticket_client_ticket", name, ["client_id", "ticket_id"], unique=True)
    known = sa.text("number IS NOT NULL")
    op.create_index(
        "uq_outer_ticket_client_number", name, ["client_id", "number"], unique=True, postgresql_where=known
    )
    op.create_index("ix_outer_ticket_ticket", name, ["ticket_id"])
    op.create_index("ix_outer_ticket_number", name, ["number"], postgresql_where=known)


def _requests() -> None:
    name = "machine_request"
    op.create_table(
        name,
        _id(),
        _ref(name, "client_id", "machine_client"),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", JSONB, nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index("uq_machine_request_client_key", name, ["client_id", "key"], unique=True)
    op.create_index("ix_machine_request_key", name, ["key"])
    op.create_index("ix_machine_request_created_at", name, ["created_at"])


def _webhooks() -> None:
    name = "webhook_endpoint"
    op.create_table(
        name,
        _id(),
        _ref(name, "client_id", "machine_client"),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", JSONB, nullable=False),
        sa.Column("salt", sa.String(40), nullable=False),
        _time("created_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    live = sa.text("revoked_at IS NULL")
    op.create_index("ix_webhook_endpoint_live", name, ["client_id"], postgresql_where=live)
    name = "webhook_delivery"
    op.create_table(
        name,
        _id(),
        _ref(name, "endpoint_id", "webhook_endpoint"),
        _ref(name, "ticket_id", "ticket"),
        sa.Column("event_key", sa.String(60), nullable=False),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("told", JSONB, nullable=False),
        _time("created_at"),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("last_error", sa.String(60), nullable=True),
        _time("delivered_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index("uq_webhook_delivery_event", name, ["endpoint_id", "event_key"], unique=True)
    op.create_index("ix_webhook_delivery_endpoint", name, ["endpoint_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_ticket_history_at", "ticket_history")
    for name in (*("webhook_delivery", "webhook_endpoint", "machine_request", "outer_ticket", "push_call"),):
        op.drop_table(name)
