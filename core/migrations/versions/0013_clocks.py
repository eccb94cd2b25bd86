"""Clocks as rows with alarms, the cards of the ladder, the feed of 电子监察.

Open dispatched tickets get their total, and units that are to give an opinion their clock, as far as
that can be said here; the limit, the policy and the next alarm of every clock that runs are filled in by
the leader when it begins its service (sla/adopting.py), which knows the calendar.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STRANGE = "ended_at IS NULL AND due_at IS NOT NULL AND policy IS NULL AND stage <> 'handle'"
DISPATCHED = (
    "'waiting_dispatch', 'waiting_sign', 'handling', 'return_review', 'ruling', 'extension_review', "
    "'suspension_review', 'suspended', 'closing_review'"
)
CLOSED = "'waiting_check', 'waiting_callback'"
TOTALS = f"""
    INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at, due_at, ended_at, ended_by)
    SELECT t.id, 'total', t.round, t.lead_unit_id,
        CASE WHEN t.round = 1 THEN t.dispatched_at ELSE coalesce(r.began, t.dispatched_at) END, t.due_at,
        CASE WHEN t.state IN ({CLOSED}) THEN coalesce(r.closed, t.updated_at) END,
        CASE WHEN t.state IN ({CLOSED}) THEN 'close' END
    FROM ticket t CROSS JOIN LATERAL (
        SELECT min(s.started_at) AS began,
            max(s.started_at) FILTER (WHERE s.stage = 'check') AS closed
        FROM ticket_stage s WHERE s.ticket_id = t.id AND s.round = t.round
    ) r
    WHERE t.dispatched_at IS NOT NULL AND t.state IN ({DISPATCHED}, {CLOSED})
"""  # noqa: S608 - constants of this module
OPINIONS = f"""
    INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at, due_at)
    SELECT t.id, 'co_opinion', t.round, u.unit_id, u.since, u.due_at
    FROM ticket_unit u JOIN ticket t ON t.id = u.ticket_id
    WHERE u.role = 'co' AND u.until IS NULL AND u.answered_at IS NULL AND t.state IN ({DISPATCHED})
"""  # noqa: S608 - constants of this module
EXCLUSIONS = """
    INSERT INTO ticket_stage (ticket_id, stage, round, started_at, due_at)
    SELECT t.id, 'exclusion', t.round, q.requested_at, q.due_at
    FROM ticket_request q JOIN ticket t ON t.id = q.ticket_id
    WHERE q.kind = 'exclusion' AND q.state = 'pending' AND t.state <> 'merged'
"""


def _id(table: str) -> "list[sa.schema.SchemaItem]":
    return [sa.Column("id", sa.BigInteger, sa.Identity()), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")]


def _ref(table: str, name: str, target: str, *, nullable: bool = False) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("ticket_stage", sa.Column("limit", sa.String(20)))
    op.add_column("ticket_stage", sa.Column("policy", sa.Text))
    op.add_column("ticket_stage", _time("alarm_at", nullable=True))
    for name, value in (("alarm_step", "0"), ("card_round", "1")):
        column = sa.Column(name, sa.SmallInteger, nullable=False, server_default=sa.text(value))
        op.add_column("ticket_stage", column)
    op.execute(TOTALS)
    op.execute(OPINIONS)
    op.execute(EXCLUSIONS)
    running = sa.text("ended_at IS NULL AND alarm_at IS NOT NULL")
    op.create_index("ix_ticket_stage_alarm", "ticket_stage", ["alarm_at", "id"], postgresql_where=running)
    op.create_index("ix_ticket_stage_strange", "ticket_stage", ["id"], postgresql_where=sa.text(STRANGE))
    _cards()
    _monitor()


def _cards() -> None:
    op.create_table(
        "card",
        *_id("card"),
        _ref("card", "stage_id", "ticket_stage"),
        _ref("card", "ticket_id", "ticket"),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("card_round", sa.SmallInteger, nullable=False),
        _time("issued_at"),
        _time("due_at"),
        _ref("card", "unit_id", "unit", nullable=True),
        sa.UniqueConstraint("stage_id", "card_round", "level", name="uq_card_stage_id_card_round_level"),
    )
    op.create_index("ix_card_ticket", "card", ["ticket_id", "id"])
    op.create_index("ix_card_issued", "card", [sa.text("issued_at DESC"), sa.text("id DESC")])
    by_unit: list[Any] = ["unit_id", sa.text("issued_at DESC"), sa.text("id DESC")]
    op.create_index("ix_card_unit", "card", by_unit)
    op.create_table(
        "card_receipt",
        *_id("card_receipt"),
        _ref("card_receipt", "card_id", "card"),
        _ref("card_receipt", "unit_id", "unit", nullable=True),
        sa.Column("post", sa.String(40), nullable=False),
        _ref("card_receipt", "acknowledged_by", "user_account", nullable=True),
        _time("acknowledged_at", nullable=True),
        _ref("card_receipt", "on_behalf_of", "user_account", nullable=True),
        sa.Column("note", sa.String(500), nullable=False, server_default=""),
    )
    open_ones = sa.text("acknowledged_at IS NULL")
    op.create_index("ix_card_receipt_card", "card_receipt", ["card_id"])
    op.create_index(
        "ix_card_receipt_waiting", "card_receipt", ["post", "unit_id", "card_id"], postgresql_where=open_ones
    )


def _monitor() -> None:
    op.create_table(
        "monitor_event",
        *_id("monitor_event"),
        _time("at"),
        sa.Column("kind", sa.String(40), nullable=False),
        _ref("monitor_event", "ticket_id", "ticket", nullable=True),
        _ref("monitor_event", "unit_id", "unit", nullable=True),
        sa.Column("level", sa.String(20)),
        sa.Column("ref_id", sa.BigInteger),
        sa.Column("detail", JSONB(none_as_null=True), nullable=False),
    )
    op.create_index("ix_monitor_event_at", "monitor_event", ["at", "id"])
    op.create_index("ix_monitor_event_ticket", "monitor_event", ["ticket_id", "id"])
    op.create_index("ix_monitor_event_unit", "monitor_event", ["unit_id", "at"])
    op.execute(
        "CREATE TRIGGER monitor_event_append_only BEFORE UPDATE OR DELETE ON monitor_event "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER monitor_event_no_truncate BEFORE TRUNCATE ON monitor_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("monitor_event")
    op.drop_table("card_receipt")
    op.drop_table("card")
    op.execute("DELETE FROM ticket_stage WHERE stage IN ('total', 'co_opinion', 'exclusion')")
    op.drop_index("ix_ticket_stage_strange", "ticket_stage")
    op.drop_index("ix_ticket_stage_alarm", "ticket_stage")
    for column in ("card_round", "alarm_step", "alarm_at", "policy", "limit"):
        op.drop_column("ticket_stage", column)
