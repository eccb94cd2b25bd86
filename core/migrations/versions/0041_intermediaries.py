"""The market of intermediaries: register, qualifications, ratings, cases, blacklist, credit events."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

APPENDED = ("intermediary_step", "intermediary_rating", "intermediary_credit_event")
OPEN = "state IN ('proposed', 'noticed', 'appealed', 'listed')"


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length) if length else sa.Text, nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _int(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _day(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _table(name: str, *parts: Any, **references: str) -> None:
    """A table with its id; `references`: column → the table it points at."""
    keys = [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{name}_{column}_{target}")
        for column, target in references.items()
    ]
    ident = sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)
    op.create_table(name, ident, *parts, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"), *keys)


def _unique(name: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{name}_{'_'.join(columns)}")


def upgrade() -> None:
    _register()
    _ratings()
    _cases()
    _blacklist()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _register() -> None:
    _table(
        "intermediary",
        _int("version"),
        _text("uscc", 18),
        _text("name", 100),
        _text("name_key", 200),
        _text("trade", 40),
        _ref("unit_id", nullable=False),
        _text("address", 200),
        _text("phone", 40),
        _text("state", 8),
        _int("ratings"),
        _int("stars"),
        _time("created_at", nullable=False),
        _time("updated_at", nullable=False),
        _unique("intermediary", "uscc"),
        sa.CheckConstraint("state IN ('active', 'closed')", name="ck_intermediary_state"),
        unit_id="unit",
    )
    for column in ("name_key", "trade", "unit_id"):
        op.create_index(f"ix_intermediary_{column}", "intermediary", [column])
    name = "intermediary_qualification"
    _table(
        name,
        _ref("intermediary_id", nullable=False),
        _text("name", 60),
        _text("number", 60),
        _day("valid_from"),
        _day("valid_to"),
        _day("revoked_on"),
        _text("revoked_why", 200),
        _day("warned_on"),
        _unique(name, "intermediary_id", "number"),
        sa.CheckConstraint("valid_to >= valid_from", name=f"ck_{name}_span"),
        intermediary_id="intermediary",
    )
    op.create_index(f"ix_{name}_valid_to", name, ["valid_to"])
    _table(
        "intermediary_step",
        _ref("intermediary_id", nullable=False),
        _time("at", nullable=False),
        _ref("actor_id"),
        _text("actor_name", 60),
        _text("act", 30),
        _text("note"),
        sa.Column("detail", JSONB, nullable=False),
        intermediary_id="intermediary",
        actor_id="user_account",
    )
    op.create_index("ix_intermediary_step_of", "intermediary_step", ["intermediary_id", "id"])
    name = "intermediary_account"
    _table(
        name,
        _ref("user_id", nullable=False),
        _ref("intermediary_id", nullable=False),
        _time("since", nullable=False),
        _time("until"),
        user_id="user_account",
        intermediary_id="intermediary",
    )
    where = sa.text("until IS NULL")
    op.create_index(f"uq_{name}_user", name, ["user_id"], unique=True, postgresql_where=where)
    op.create_index(f"ix_{name}_of", name, ["intermediary_id"])


def _ratings() -> None:
    name = "intermediary_service"
    _table(
        name,
        _ref("intermediary_id", nullable=False),
        _text("number", 20),
        _day("served_on", nullable=False),
        _time("created_at", nullable=False),
        _unique(name, "number"),
        intermediary_id="intermediary",
    )
    op.create_index(f"ix_{name}_intermediary_id", name, ["intermediary_id"])
    name = "intermediary_rating"
    _table(
        name,
        _ref("intermediary_id", nullable=False),
        _ref("service_id"),
        _ref("ticket_id"),
        _int("stars"),
        _time("at", nullable=False),
        _unique(name, "service_id"),
        _unique(name, "ticket_id"),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=f"ck_{name}_stars"),
        sa.CheckConstraint("(service_id IS NULL) <> (ticket_id IS NULL)", name=f"ck_{name}_proof"),
        intermediary_id="intermediary",
        service_id="intermediary_service",
        ticket_id="ticket",
    )
    op.create_index(f"ix_{name}_of", name, ["intermediary_id", "at"])


def _cases() -> None:
    name = "intermediary_case"
    _table(
        name,
        _int("version"),
        _ref("ticket_id", nullable=False),
        _ref("intermediary_id", nullable=False),
        _text("summary"),
        _time("served_at"),
        _ref("served_by"),
        _text("answer"),
        _time("answered_at"),
        _ref("answered_by"),
        _text("verdict", 10, nullable=True),
        _text("finding", 20, nullable=True),
        _text("verdict_note"),
        _time("verdict_at"),
        _ref("verdict_by"),
        _time("cancelled_at"),
        _unique(name, "ticket_id"),
        sa.CheckConstraint("verdict IN ('verified', 'unfounded')", name=f"ck_{name}_verdict"),
        sa.CheckConstraint("(verdict IS NULL) = (verdict_at IS NULL)", name=f"ck_{name}_verdict_once"),
        ticket_id="ticket",
        intermediary_id="intermediary",
        served_by="user_account",
        answered_by="user_account",
        verdict_by="user_account",
    )
    op.create_index(f"ix_{name}_of", name, ["intermediary_id", "id"])


def _blacklist() -> None:
    name = "intermediary_listing"
    states = "state IN ('proposed', 'noticed', 'appealed', 'listed', 'dropped', 'ended')"
    _table(
        name,
        _int("version"),
        _ref("intermediary_id", nullable=False),
        _text("state", 10),
        _text("finding", 20),
        _text("reason"),
        _int("months"),
        _ref("proposed_by"),
        _time("proposed_at", nullable=False),
        _ref("approved_by"),
        _time("approved_at"),
        _time("appeal_until"),
        _text("appeal"),
        _ref("appealed_by"),
        _time("appealed_at"),
        _ref("decided_by"),
        _time("decided_at"),
        _text("decision"),
        _day("listed_on"),
        _day("ends_on"),
        _time("ended_at"),
        sa.CheckConstraint(states, name=f"ck_{name}_state"),
        sa.CheckConstraint("approved_by <> proposed_by", name=f"ck_{name}_two_people"),
        sa.CheckConstraint("state <> 'listed' OR ends_on > listed_on", name=f"ck_{name}_span"),
        intermediary_id="intermediary",
        proposed_by="user_account",
        approved_by="user_account",
        appealed_by="user_account",
        decided_by="user_account",
    )
    where = sa.text(OPEN)
    op.create_index(f"uq_{name}_open", name, ["intermediary_id"], unique=True, postgresql_where=where)
    op.create_index(f"ix_{name}_state", name, ["state", "id"])
    name = "intermediary_credit_event"
    _table(
        name,
        _ref("intermediary_id", nullable=False),
        _text("kind", 24),
        _text("finding", 20),
        _ref("case_id"),
        _ref("listing_id"),
        _day("ends_on"),
        _ref("cancels"),
        _time("at", nullable=False),
        intermediary_id="intermediary",
        case_id="intermediary_case",
        listing_id="intermediary_listing",
    )
    op.create_index(f"ix_{name}_of", name, ["intermediary_id", "id"])


def downgrade() -> None:
    for table in (
        "intermediary_credit_event",
        "intermediary_listing",
        "intermediary_case",
        "intermediary_rating",
        "intermediary_service",
        "intermediary_account",
        "intermediary_step",
        "intermediary_qualification",
        "intermediary",
    ):
        op.drop_table(table)
