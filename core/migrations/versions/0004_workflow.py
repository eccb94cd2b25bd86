"""The life of a ticket: who holds it, its stages, applications, contacts, replies, call-backs."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPENDED = ("ticket_contact", "ticket_reply")
_OPEN_BEFORE = "state NOT IN ('closed', 'archived', 'merged', 'withdrawn', 'void')"
_OPEN = "stage IS NOT NULL"
_TODO = "state IN ('waiting_sign', 'handling', 'extension_review', 'suspension_review', 'closing_review')"
TICKET_REFS = {
    "desk_unit_id": "unit",
    "subject_unit_id": "unit",
    "merged_into_id": "ticket",
    "appeal_of_id": "ticket",
    "avoid_unit_id": "unit",
    "avoid_user_id": "user_account",
}


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def _time(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _code(name: str, length: int = 20, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _table(
    name: str, *columns: sa.Column[Any], refs: dict[str, str], checks: dict[str, str] | None = None
) -> None:
    op.create_table(
        name,
        _id(),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(_ref(name, column, target) for column, target in refs.items()),
        *(sa.CheckConstraint(rule, name=f"ck_{name}_{key}") for key, rule in (checks or {}).items()),
    )


def upgrade() -> None:
    _ticket_columns()
    _units_and_stages()
    _requests()
    _contacts_and_replies()
    _revisits()
    _fill()
    _indexes()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _ticket_columns() -> None:
    for name in (*TICKET_REFS, "reply_id"):
        op.add_column("ticket", _big(name))
    for name, target in TICKET_REFS.items():
        op.create_foreign_key(f"fk_ticket_{name}_{target}", "ticket", target, [name], ["id"])
    for name, default in (("round", "1"), ("returns", "0"), ("extensions", "0")):
        op.add_column("ticket", sa.Column(name, sa.SmallInteger, nullable=False, server_default=default))
        op.alter_column("ticket", name, server_default=None)
    for name in ("supervised", "ruled", "excluded"):
        op.add_column("ticket", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
        op.alter_column("ticket", name, server_default=None)
    for name in ("stage_due_at", "contacted_at", "archived_at"):
        op.add_column("ticket", _time(name))
    for name in ("stage", "closed_as"):
        op.add_column("ticket", _code(name, nullable=True))
    for name in ("responded", "solved"):
        op.add_column("ticket", sa.Column(name, sa.Boolean, nullable=True))
    op.add_column("ticket", sa.Column("satisfied", sa.SmallInteger, nullable=True))


def _units_and_stages() -> None:
    _table(
        "ticket_unit",
        _big("ticket_id", nullable=False),
        _big("unit_id", nullable=False),
        _code("role", 8),
        _time("created_at", nullable=False),
        _time("since", nullable=False),
        _time("until"),
        _time("signed_at"),
        _time("due_at"),
        _text("asked"),
        _time("answered_at"),
        _text("opinion"),
        refs={"ticket_id": "ticket", "unit_id": "unit"},
        checks={"role": "role IN ('lead', 'sub', 'co')"},
    )
    _table(
        "ticket_stage",
        _big("ticket_id", nullable=False),
        _code("stage"),
        _small("round"),
        _big("unit_id"),
        _time("started_at", nullable=False),
        _time("due_at"),
        _time("ended_at"),
        _code("ended_by", nullable=True),
        refs={"ticket_id": "ticket", "unit_id": "unit"},
    )


def _requests() -> None:
    _table(
        "ticket_request",
        _big("ticket_id", nullable=False),
        _code("kind"),
        _code("state", 12),
        _big("unit_id"),
        _big("requested_by"),
        _time("requested_at", nullable=False),
        _code("reason_code", 30, nullable=True),
        _text("note"),
        _text("basis"),
        _big("suggested_unit_id"),
        sa.Column("days", sa.Integer, nullable=True),
        _time("due_at"),
        _big("decided_by"),
        _time("decided_at"),
        _text("decision_note"),
        _big("on_behalf_of"),
        refs={
            "ticket_id": "ticket",
            "unit_id": "unit",
            "requested_by": "user_account",
            "suggested_unit_id": "unit",
            "decided_by": "user_account",
            "on_behalf_of": "user_account",
        },
        checks={
            "state": "state IN ('pending', 'approved', 'refused', 'withdrawn')",
            "kind": "kind IN ('return', 'extension', 'suspension', 'exclusion', 'closing')",
        },
    )


def _contacts_and_replies() -> None:
    _table(
        "ticket_contact",
        _big("ticket_id", nullable=False),
        _small("round"),
        _time("at", nullable=False),
        _big("unit_id"),
        _big("actor_id"),
        _code("purpose"),
        _code("means"),
        _code("result"),
        _text("note"),
        _big("call_session_id"),
        refs={
            "ticket_id": "ticket",
            "unit_id": "unit",
            "actor_id": "user_account",
            "call_session_id": "call_session",
        },
    )
    _table(
        "ticket_reply",
        _big("ticket_id", nullable=False),
        _small("round"),
        _time("at", nullable=False),
        _big("unit_id"),
        _big("actor_id"),
        _text("handling"),
        _text("public_reply"),
        sa.Column("solved", sa.Boolean, nullable=True),
        _code("unsolved_code", 30, nullable=True),
        refs={"ticket_id": "ticket", "unit_id": "unit", "actor_id": "user_account"},
    )


def _revisits() -> None:
    _table(
        "revisit",
        _big("ticket_id", nullable=False),
        _small("round"),
        _time("opened_at", nullable=False),
        _time("due_at"),
        sa.Column("mandatory", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _time("closed_at"),
        _big("closed_by"),
        _code("result", nullable=True),
        sa.Column("responded", sa.Boolean, nullable=True),
        sa.Column("solved", sa.Boolean, nullable=True),
        sa.Column("satisfied", sa.SmallInteger, nullable=True),
        _code("reason_code", 30, nullable=True),
        sa.Column("note", sa.String(2000), nullable=False),
        refs={"ticket_id": "ticket", "closed_by": "user_account"},
    )


def _fill() -> None:
    """Tickets of before: the work lies with the lead unit; an open one is in the stage of its state."""
    op.execute(
        "UPDATE ticket SET desk_unit_id = lead_unit_id, stage = CASE state "
        "WHEN 'waiting_dispatch' THEN 'dispatch' WHEN 'waiting_sign' THEN 'sign' "
        "WHEN 'handling' THEN 'handle' WHEN 'waiting_check' THEN 'check' "
        "WHEN 'waiting_callback' THEN 'call_back' END"
    )
    op.execute(
        "INSERT INTO ticket_unit (ticket_id, unit_id, role, created_at, since, asked, opinion) "
        "SELECT id, lead_unit_id, 'lead', created_at, coalesce(dispatched_at, created_at), '', '' "
        "FROM ticket WHERE lead_unit_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at) "
        "SELECT id, stage, 1, desk_unit_id, updated_at FROM ticket WHERE stage IS NOT NULL"
    )


def _partial(name: str, table: str, columns: list[Any], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, postgresql_where=sa.text(where))


def _indexes() -> None:
    op.drop_index("ix_ticket_unit_open", "ticket")
    op.drop_index("ix_ticket_due_open", "ticket")
    _partial("ix_ticket_due_open", "ticket", ["due_at"], "due_at IS NOT NULL AND " + _OPEN)
    _partial("ix_ticket_desk_due", "ticket", ["desk_unit_id", "due_at", "id"], _TODO)
    unsigned: list[object] = ["desk_unit_id", "stage_due_at", "id"]
    _partial("ix_ticket_unsigned", "ticket", unsigned, "state = 'waiting_sign'")
    _partial("ix_ticket_state_due", "ticket", ["state", "stage_due_at", "id"], _OPEN)
    _partial(
        "ix_ticket_to_archive",
        "ticket",
        ["closed_at"],
        "state IN ('closed', 'answered', 'informed', 'emergency', 'withdrawn')",
    )
    _partial("ix_ticket_merged", "ticket", ["merged_into_id"], "merged_into_id IS NOT NULL")
    _partial("ix_ticket_appeal", "ticket", ["appeal_of_id"], "appeal_of_id IS NOT NULL")
    op.create_index("ix_ticket_unit_ticket_id", "ticket_unit", ["ticket_id"])
    _partial("uq_ticket_unit_present", "ticket_unit", ["ticket_id", "unit_id"], "until IS NULL", unique=True)
    newest = ["unit_id", sa.text("created_at DESC"), sa.text("ticket_id DESC")]
    _partial("ix_ticket_unit_list", "ticket_unit", newest, "until IS NULL")
    _partial(
        "ix_ticket_unit_unanswered",
        "ticket_unit",
        ["unit_id", "due_at", "ticket_id"],
        "role = 'co' AND until IS NULL AND answered_at IS NULL",
    )
    op.create_index("ix_ticket_stage_ticket", "ticket_stage", ["ticket_id", "id"])
    _partial("ix_ticket_stage_open", "ticket_stage", ["ticket_id"], "ended_at IS NULL")
    _partial("ix_ticket_stage_due", "ticket_stage", ["stage", "due_at"], "ended_at IS NULL")
    op.create_index("ix_ticket_request_ticket", "ticket_request", ["ticket_id", "id"])
    pending = "state = 'pending'"
    _partial("uq_ticket_request_pending", "ticket_request", ["ticket_id", "kind"], pending, unique=True)
    _partial("ix_ticket_request_waiting", "ticket_request", ["kind", "requested_at"], pending)
    _partial("ix_ticket_request_unit", "ticket_request", ["unit_id", "kind"], pending)
    op.create_index("ix_ticket_contact_ticket", "ticket_contact", ["ticket_id", "id"])
    op.create_index("ix_ticket_reply_ticket", "ticket_reply", ["ticket_id", "id"])
    op.create_index("ix_revisit_ticket", "revisit", ["ticket_id", "id"])
    _partial("ix_revisit_open", "revisit", ["due_at", "id"], "closed_at IS NULL")


def downgrade() -> None:
    for table in (
        "revisit",
        "ticket_reply",
        "ticket_contact",
        "ticket_request",
        "ticket_stage",
        "ticket_unit",
    ):
        op.drop_table(table)
    for index in (
        "ix_ticket_due_open",
        "ix_ticket_desk_due",
        "ix_ticket_state_due",
        "ix_ticket_unsigned",
        "ix_ticket_to_archive",
    ):
        op.drop_index(index, "ticket")
    for column in (
        *TICKET_REFS,
        *("reply_id", "round", "returns", "extensions", "supervised", "ruled", "excluded"),
        *("stage_due_at", "contacted_at", "archived_at", "stage", "closed_as", "responded", "solved"),
        "satisfied",
    ):
        op.drop_column("ticket", column)
    _partial("ix_ticket_due_open", "ticket", ["due_at"], "due_at IS NOT NULL AND " + _OPEN_BEFORE)
    newest = ["lead_unit_id", sa.text("created_at DESC"), sa.text("id DESC")]
    _partial("ix_ticket_unit_open", "ticket", newest, _OPEN_BEFORE)
