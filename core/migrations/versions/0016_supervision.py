"""Supervision: numbered documents with their course, records of interviews, what the desk looks for."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

APPENDED = ("supervision_step", "supervision_interview")
KINDS = "kind IN ('urge_notice', 'order', 'raised', 'bulletin', 'interview', 'handover')"
STATES = "state IN ('issued', 'acknowledged', 'reported', 'closed', 'revoked')"
OPEN = "state IN ('issued', 'acknowledged', 'reported')"
UNREPORTED = "state IN ('issued', 'acknowledged') AND reminded_at IS NULL AND report_by IS NOT NULL"
RUNNING = (
    "due_at IS NOT NULL AND state IN ('waiting_dispatch', 'waiting_sign', 'handling', 'return_review', "
    "'ruling', 'extension_review', 'suspension_review', 'closing_review')"
)
OPEN_TICKET = "due_at IS NOT NULL AND stage IS NOT NULL"
UNHAPPY = "round > 1 AND (solved = false OR satisfied < 3)"
LEFT = "role = 'lead' AND until IS NOT NULL"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _partial(name: str, table: str, columns: list[object], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where))  # type: ignore[arg-type]  # names and texts


def upgrade() -> None:
    _orders()
    _course()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # The desk walks what is running by due time; many are due in the same second.
    op.drop_index("ix_ticket_due_open", "ticket")
    _partial("ix_ticket_running", "ticket", ["due_at", "id"], RUNNING)
    _partial("ix_ticket_redone", "ticket", ["round", "id"], "round > 2 AND stage IS NOT NULL")
    _partial("ix_revisit_unhappy", "revisit", ["closed_at", "ticket_id"], UNHAPPY)
    _partial("ix_ticket_unit_left", "ticket_unit", ["until", "ticket_id"], LEFT)


def _orders() -> None:
    op.create_table(
        "supervision_year",
        sa.Column("year", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("year", name="pk_supervision_year"),
    )
    people = ("issued_by", "acknowledged_by", "reported_by", "closed_by")
    refs = {"ticket_id": "ticket", "unit_id": "unit", "parent_id": "supervision_order"}
    refs |= dict.fromkeys(people, "user_account")
    op.create_table(
        "supervision_order",
        _id(),
        _words("number", 20),
        _words("kind", 20),
        _words("state", 20),
        sa.Column("version", sa.Integer, nullable=False),
        _big("ticket_id"),
        sa.Column("round", sa.SmallInteger, nullable=True),
        _big("unit_id", nullable=False),
        _words("ground", 20),
        _words("subject", 120),
        _text("requirement"),
        _words("recipient", 100),
        _words("limit_text", 20, nullable=True),
        _time("report_by"),
        _big("parent_id"),
        _time("issued_at", nullable=False),
        _big("issued_by"),
        _time("acknowledged_at"),
        _big("acknowledged_by"),
        _time("reported_at"),
        _big("reported_by"),
        _time("closed_at"),
        _big("closed_by"),
        _time("reminded_at"),
        _time("next_look_at"),
        _words("request_key", 40, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_supervision_order"),
        sa.UniqueConstraint("number", name="uq_supervision_order_number"),
        sa.UniqueConstraint("request_key", name="uq_supervision_order_request_key"),
        sa.CheckConstraint(KINDS, name="ck_supervision_order_kind"),
        sa.CheckConstraint(STATES, name="ck_supervision_order_state"),
        *(_ref("supervision_order", column, target) for column, target in refs.items()),
    )
    name, newest = "supervision_order", sa.text("id DESC")
    op.create_index("ix_supervision_order_unit", name, ["unit_id", newest])
    op.create_index("ix_supervision_order_ticket", name, ["ticket_id", newest])
    _partial("ix_supervision_order_open", name, ["report_by", "id"], OPEN)
    _partial("ix_supervision_order_late", name, ["report_by"], UNREPORTED)
    _partial("ix_supervision_order_look", name, ["next_look_at"], "next_look_at IS NOT NULL")
    _partial("ix_supervision_order_parent", name, ["parent_id"], "parent_id IS NOT NULL")


def _course() -> None:
    op.create_table(
        "supervision_copy",
        _big("order_id", nullable=False),
        _big("unit_id", nullable=False),
        sa.PrimaryKeyConstraint("order_id", "unit_id", name="pk_supervision_copy"),
        _ref("supervision_copy", "order_id", "supervision_order"),
        _ref("supervision_copy", "unit_id", "unit"),
    )
    op.create_index("ix_supervision_copy_unit", "supervision_copy", ["unit_id", sa.text("order_id DESC")])
    op.create_table(
        "supervision_step",
        _id(),
        _big("order_id", nullable=False),
        _time("at", nullable=False),
        _words("step", 20),
        _big("actor_id"),
        _words("actor_name", 60),
        _big("unit_id"),
        _words("from_state", 20, nullable=True),
        _words("to_state", 20),
        _text("note"),
        sa.Column("detail", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_supervision_step"),
        _ref("supervision_step", "order_id", "supervision_order"),
        _ref("supervision_step", "actor_id", "user_account"),
        _ref("supervision_step", "unit_id", "unit"),
    )
    op.create_index("ix_supervision_step_order", "supervision_step", ["order_id", "id"])
    op.create_table(
        "supervision_interview",
        _big("order_id", nullable=False),
        _time("held_at", nullable=False),
        _words("place", 100),
        _text("attendees"),
        _text("minutes"),
        _text("measures"),
        _time("recorded_at", nullable=False),
        _big("recorded_by"),
        sa.PrimaryKeyConstraint("order_id", name="pk_supervision_interview"),
        _ref("supervision_interview", "order_id", "supervision_order"),
        _ref("supervision_interview", "recorded_by", "user_account"),
    )


def downgrade() -> None:
    op.drop_index("ix_ticket_unit_left", "ticket_unit")
    op.drop_index("ix_revisit_unhappy", "revisit")
    op.drop_index("ix_ticket_redone", "ticket")
    op.drop_index("ix_ticket_running", "ticket")
    _partial("ix_ticket_due_open", "ticket", ["due_at"], OPEN_TICKET)
    for table in ("supervision_interview", "supervision_step", "supervision_copy", "supervision_order"):
        op.drop_table(table)
    op.drop_table("supervision_year")
