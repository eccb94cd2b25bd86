"""Categories, tickets with their history, drafts, numbered records, call-back tasks."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

APPENDED = ("ticket_history", "draft_history", "intake_record", "callback_miss", "callback_attempt")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    op.execute("CREATE SEQUENCE ticket_number_seq")
    _categories_and_numbers()
    _tickets()
    _drafts()
    _callbacks()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _categories_and_numbers() -> None:
    op.create_table(
        "category",
        _id(),
        _big("parent_id", nullable=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("initials", sa.String(60), nullable=False),
        sa.Column("path", sa.String(60), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sort", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_category"),
        _ref("category", "parent_id", "category"),
        sa.UniqueConstraint("code", name="uq_category_code"),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name="ck_category_level"),
    )
    op.create_index("ix_category_parent_id", "category", ["parent_id"])
    op.create_table(
        "number_day",
        sa.Column("area", sa.String(4), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        _big("base"),
        sa.PrimaryKeyConstraint("area", "day", name="pk_number_day"),
    )


def _tickets() -> None:
    op.create_table(
        "ticket",
        _id(),
        sa.Column("number", sa.String(18), nullable=False),
        _big("query_code_ref"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("urgency", sa.String(20), nullable=False),
        sa.Column("confidentiality", sa.String(20), nullable=False),
        _big("category_id"),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("narrative", sa.Text, nullable=False),
        sa.Column("expected", sa.Text, nullable=False),
        _time("occurred_at", nullable=True),
        sa.Column("address", sa.String(200), nullable=False),
        _big("district_id", nullable=True),
        _big("street_id", nullable=True),
        sa.Column("subject_name", sa.String(100), nullable=False),
        sa.Column("subject_uscc", sa.String(18), nullable=True),
        _big("name_ref", nullable=True),
        _big("phone_ref", nullable=True),
        _big("phone2_ref", nullable=True),
        _big("id_number_ref", nullable=True),
        sa.Column("wants_reply", sa.Boolean, nullable=False),
        sa.Column("wants_public", sa.Boolean, nullable=False),
        sa.Column("urges", sa.Integer, nullable=False),
        _big("lead_unit_id", nullable=True),
        _big("call_session_id", nullable=True),
        _big("created_by", nullable=True),
        _time("created_at"),
        _time("dispatched_at", nullable=True),
        _time("closed_at", nullable=True),
        _time("due_at", nullable=True),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        _ref("ticket", "query_code_ref", "personal_value"),
        _ref("ticket", "category_id", "category"),
        _ref("ticket", "district_id", "unit"),
        _ref("ticket", "street_id", "unit"),
        _ref("ticket", "name_ref", "personal_value"),
        _ref("ticket", "phone_ref", "personal_value"),
        _ref("ticket", "phone2_ref", "personal_value"),
        _ref("ticket", "id_number_ref", "personal_value"),
        _ref("ticket", "lead_unit_id", "unit"),
        _ref("ticket", "call_session_id", "call_session"),
        _ref("ticket", "created_by", "user_account"),
        sa.UniqueConstraint("number", name="uq_ticket_number"),
        sa.CheckConstraint("number ~ '^[0-9]{18}$'", name="ck_ticket_number"),
    )
    op.create_index(
        "ix_ticket_call",
        "ticket",
        ["call_session_id"],
        postgresql_where=sa.text("call_session_id IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_due_open",
        "ticket",
        ["due_at"],
        postgresql_where=sa.text(
            "due_at IS NOT NULL AND state NOT IN ('closed', 'archived', 'merged', 'withdrawn', 'void')"
        ),
    )
    op.create_index("ix_ticket_newest", "ticket", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_ticket_phone", "ticket", ["phone_ref", sa.text("created_at DESC")])
    op.create_index(
        "ix_ticket_undispatched",
        "ticket",
        ["created_at", "id"],
        postgresql_where=sa.text("state = 'waiting_dispatch'"),
    )
    op.create_index(
        "ix_ticket_unit_newest", "ticket", ["lead_unit_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "ix_ticket_unit_open",
        "ticket",
        ["lead_unit_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("state NOT IN ('closed', 'archived', 'merged', 'withdrawn', 'void')"),
    )
    op.create_table(
        "ticket_history",
        _id(),
        _big("ticket_id"),
        _time("at"),
        _big("actor_id", nullable=True),
        sa.Column("actor_name", sa.String(60), nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        _big("unit_id", nullable=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("reason_code", sa.String(30), nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("from_state", sa.String(20), nullable=True),
        sa.Column("to_state", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _big("call_session_id", nullable=True),
        sa.Column("changes", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_history"),
        _ref("ticket_history", "ticket_id", "ticket"),
        _ref("ticket_history", "actor_id", "user_account"),
        _ref("ticket_history", "unit_id", "unit"),
        _ref("ticket_history", "call_session_id", "call_session"),
    )
    op.create_index("ix_ticket_history_ticket", "ticket_history", ["ticket_id", "id"])
    op.create_table(
        "intake_record",
        _id(),
        sa.Column("number", sa.String(18), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("type", sa.String(20), nullable=True),
        _big("category_id", nullable=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _big("phone_ref", nullable=True),
        _big("call_session_id", nullable=True),
        _big("created_by", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_intake_record"),
        _ref("intake_record", "category_id", "category"),
        _ref("intake_record", "phone_ref", "personal_value"),
        _ref("intake_record", "call_session_id", "call_session"),
        _ref("intake_record", "created_by", "user_account"),
        sa.UniqueConstraint("number", name="uq_intake_record_number"),
        sa.CheckConstraint("number ~ '^[0-9]{18}$'", name="ck_intake_record_number"),
    )
    op.create_index(
        "ix_intake_record_newest", "intake_record", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("ix_intake_record_phone", "intake_record", ["phone_ref", sa.text("created_at DESC")])


def _drafts() -> None:
    op.create_table(
        "ticket_draft",
        _id(),
        _big("call_session_id", nullable=True),
        _big("owner_id", nullable=True),
        _big("caller_ref", nullable=True),
        sa.Column("form_sealed", sa.LargeBinary, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        _time("opened_at"),
        _time("saved_at"),
        _time("ended_at", nullable=True),
        sa.Column("ended_as", sa.String(20), nullable=True),
        sa.Column("ended_code", sa.String(20), nullable=True),
        _big("ended_by", nullable=True),
        _big("ticket_id", nullable=True),
        sa.Column("record_number", sa.String(18), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_draft"),
        _ref("ticket_draft", "call_session_id", "call_session"),
        _ref("ticket_draft", "owner_id", "user_account"),
        _ref("ticket_draft", "caller_ref", "personal_value"),
        _ref("ticket_draft", "ended_by", "user_account"),
        _ref("ticket_draft", "ticket_id", "ticket"),
        sa.UniqueConstraint("call_session_id", name="uq_ticket_draft_call_session_id"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ck_ticket_draft_ended_once"),
    )
    op.create_index(
        "ix_ticket_draft_open",
        "ticket_draft",
        ["owner_id", "opened_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_ticket_draft_stale", "ticket_draft", ["opened_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "draft_history",
        _id(),
        _big("draft_id"),
        _time("at"),
        _big("actor_id", nullable=True),
        sa.Column("action", sa.String(20), nullable=False),
        _big("from_owner_id", nullable=True),
        _big("to_owner_id", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draft_history"),
        _ref("draft_history", "draft_id", "ticket_draft"),
        _ref("draft_history", "actor_id", "user_account"),
        _ref("draft_history", "from_owner_id", "user_account"),
        _ref("draft_history", "to_owner_id", "user_account"),
    )
    op.create_index("ix_draft_history_draft", "draft_history", ["draft_id", "id"])


def _callbacks() -> None:
    op.create_table(
        "callback_task",
        _id(),
        _big("caller_ref"),
        sa.Column("version", sa.Integer, nullable=False),
        _time("opened_at"),
        _time("missed_at"),
        _time("due_at"),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _big("claimed_by", nullable=True),
        _time("claimed_at", nullable=True),
        _time("closed_at", nullable=True),
        sa.Column("closed_as", sa.String(20), nullable=True),
        _big("closed_by", nullable=True),
        _big("closing_session_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_callback_task"),
        _ref("callback_task", "caller_ref", "personal_value"),
        _ref("callback_task", "claimed_by", "user_account"),
        _ref("callback_task", "closed_by", "user_account"),
        _ref("callback_task", "closing_session_id", "call_session"),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_as IS NULL)", name="ck_callback_task_closed_once"),
    )
    op.create_index("ix_callback_task_caller", "callback_task", ["caller_ref"])
    op.create_index(
        "ix_callback_task_due",
        "callback_task",
        ["due_at", "id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_callback_task_open_caller",
        "callback_task",
        ["caller_ref"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "callback_miss",
        _big("call_session_id"),
        _big("task_id"),
        _time("missed_at"),
        sa.PrimaryKeyConstraint("call_session_id", name="pk_callback_miss"),
        _ref("callback_miss", "call_session_id", "call_session"),
        _ref("callback_miss", "task_id", "callback_task"),
    )
    op.create_index("ix_callback_miss_task", "callback_miss", ["task_id"])
    op.create_table(
        "callback_attempt",
        _id(),
        _big("task_id"),
        _time("at"),
        _big("actor_id"),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        _big("call_session_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_callback_attempt"),
        _ref("callback_attempt", "task_id", "callback_task"),
        _ref("callback_attempt", "actor_id", "user_account"),
        _ref("callback_attempt", "call_session_id", "call_session"),
    )
    op.create_index("ix_callback_attempt_task", "callback_attempt", ["task_id", "id"])


def downgrade() -> None:
    for table in (
        "callback_attempt",
        "callback_miss",
        "callback_task",
        "draft_history",
        "ticket_draft",
        "intake_record",
        "ticket_history",
        "ticket",
        "number_day",
        "category",
    ):
        op.drop_table(table)
    op.execute("DROP SEQUENCE ticket_number_seq")
