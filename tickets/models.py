"""Tables of the ticket room. They hold references to personal values, never the values.

Names, phones, ID numbers and query codes lie in `personal_value` (core.privacy); what an agent types
into a draft is sealed as one blob. Everything appended (history, attempts, missed calls) is never
edited: a trigger refuses it for the two histories.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column
from core.tables import table_of as table_of
from tickets.states import RUNNING_STATES, TODO_STATES


def code_column(length: int = 20, *, nullable: bool = False) -> Any:
    """A short code out of a fixed list."""
    return Column(String(length), nullable=nullable)


class Category(Table, table=True):
    """A node of the three-level tree of matters; `path` is the chain of ids, `.1.12.120.`."""

    __tablename__: ClassVar[str] = "category"
    __table_args__: ClassVar[Any] = (CheckConstraint("level BETWEEN 1 AND 3", name="level"),)
    id: int | None = Field(default=None, sa_column=id_column())
    parent_id: int | None = Field(
        default=None, sa_column=ref_column("category.id", nullable=True, index=True)
    )
    level: int
    code: str = Field(sa_column=Column(String(20), nullable=False, unique=True))
    name: str = Field(sa_column=Column(String(60), nullable=False))
    full_name: str = Field(sa_column=Column(String(200), nullable=False))
    initials: str = Field(sa_column=Column(String(60), nullable=False))
    path: str = Field(sa_column=Column(String(60), nullable=False))
    active: bool = True
    sort: int = 0


class NumberDay(Table, table=True):
    """Where the number sequence stood when a day began in an area (see tickets.numbers)."""

    __tablename__: ClassVar[str] = "number_day"
    area: str = Field(sa_column=Column(String(4), primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    base: int = Field(sa_column=Column(BigInteger, nullable=False))


# An open ticket is in a stage; what is over has none.
_OPEN = "stage IS NOT NULL"
# What lies on the desks of departments, by due time (tickets.queries.todo).
_TODO = "state IN (" + ", ".join(f"'{state}'" for state in TODO_STATES) + ")"
# What the supervision desk watches (tickets.queries.risk).
_RUNNING = "due_at IS NOT NULL AND state IN (" + ", ".join(f"'{state}'" for state in RUNNING_STATES) + ")"


# The order in which waiting tickets are dispatched: 特急, 紧急, the rest; then the oldest. Written as
# PostgreSQL gives it back, so that model and database can be compared.
DISPATCH_RANK = """(
CASE urgency
    WHEN 'critical'::text THEN 0
    WHEN 'urgent'::text THEN 1
    ELSE 2
END)"""


class Ticket(Table, table=True):
    """A citizen's matter with its present state; how it came about is in TicketHistory."""

    __tablename__: ClassVar[str] = "ticket"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("number ~ '^[0-9]{18}$'", name="number"),
        # Lists are read newest first by keyset; each scope has the index that answers it alone.
        Index("ix_ticket_newest", text("created_at DESC"), text("id DESC")),
        Index("ix_ticket_unit_newest", "lead_unit_id", text("created_at DESC"), text("id DESC")),
        Index("ix_ticket_desk_due", "desk_unit_id", "due_at", "id", postgresql_where=text(_TODO)),
        Index(
            "ix_ticket_unsigned",
            "desk_unit_id",
            "stage_due_at",
            "id",
            postgresql_where=text("state = 'waiting_sign'"),
        ),
        Index("ix_ticket_state_due", "state", "stage_due_at", "id", postgresql_where=text(_OPEN)),
        Index(
            "ix_ticket_to_archive",
            "closed_at",
            postgresql_where=text("state IN ('closed', 'answered', 'informed', 'emergency', 'withdrawn')"),
        ),
        Index("ix_ticket_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        Index("ix_ticket_appeal", "appeal_of_id", postgresql_where=text("appeal_of_id IS NOT NULL")),
        Index(
            "ix_ticket_undispatched",
            text(DISPATCH_RANK),
            "created_at",
            "id",
            postgresql_where=text("state = 'waiting_dispatch'"),
        ),
        Index("ix_ticket_phone", "phone_ref", text("created_at DESC")),
        Index("ix_ticket_call", "call_session_id", postgresql_where=text("call_session_id IS NOT NULL")),
        Index("ix_ticket_running", "due_at", "id", postgresql_where=text(_RUNNING)),
        Index("ix_ticket_redone", "round", "id", postgresql_where=text("round > 2 AND " + _OPEN)),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    number: str = Field(sa_column=Column(String(18), nullable=False, unique=True))
    query_code_ref: int = Field(sa_column=ref_column("personal_value.id"))
    version: int = 1
    state: str = Field(sa_column=code_column())
    channel: str = Field(sa_column=code_column())
    type: str = Field(sa_column=code_column())
    urgency: str = Field(sa_column=code_column())
    confidentiality: str = Field(sa_column=code_column())
    category_id: int = Field(sa_column=ref_column("category.id"))
    title: str = Field(sa_column=Column(String(120), nullable=False))
    narrative: str = Field(sa_column=Column(Text, nullable=False))
    expected: str = Field(default="", sa_column=Column(Text, nullable=False))
    occurred_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    address: str = Field(default="", sa_column=Column(String(200), nullable=False))
    district_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    street_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    subject_name: str = Field(default="", sa_column=Column(String(100), nullable=False))
    subject_uscc: str | None = Field(default=None, sa_column=Column(String(18), nullable=True))
    name_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    phone2_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    id_number_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    wants_reply: bool = True
    wants_public: bool = False
    urges: int = 0
    lead_unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    # Where the work lies: the lead unit, or a lower one after a sub-dispatch.
    desk_unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    subject_unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    stage: str | None = Field(default=None, sa_column=code_column(nullable=True))
    # When the present stage began; an open ticket's age is counted from here.
    stage_since: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    stage_due_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    round: int = Field(default=1, sa_column=Column(SmallInteger, nullable=False))
    returns: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))
    extensions: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))
    supervised: bool = False
    ruled: bool = False
    excluded: bool = False
    contacted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    reply_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    closed_as: str | None = Field(default=None, sa_column=code_column(nullable=True))
    responded: bool | None = None
    solved: bool | None = None
    satisfied: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    merged_into_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    appeal_of_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    avoid_unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    avoid_user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    archived_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    dispatched_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    due_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    updated_at: datetime = Field(sa_column=time_column())


class TicketHistory(Table, table=True):
    """One thing that happened to a ticket; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "ticket_history"
    __table_args__: ClassVar[Any] = (
        Index("ix_ticket_history_ticket", "ticket_id", "id"),
        Index("ix_ticket_history_at", "at", postgresql_using="brin"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    actor_name: str = Field(sa_column=Column(String(60), nullable=False))
    role: str = Field(sa_column=code_column(30))
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    action: str = Field(sa_column=code_column())
    reason_code: str | None = Field(default=None, sa_column=code_column(30, nullable=True))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    from_state: str | None = Field(default=None, sa_column=code_column(nullable=True))
    to_state: str = Field(sa_column=code_column())
    version: int
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    changes: dict[str, Any] = Field(sa_column=json_column())


class IntakeRecord(Table, table=True):
    """A contact that became no ticket but leaves its number: answered on the line, informed, harassment."""

    __tablename__: ClassVar[str] = "intake_record"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("number ~ '^[0-9]{18}$'", name="number"),
        Index("ix_intake_record_newest", text("created_at DESC"), text("id DESC")),
        Index("ix_intake_record_phone", "phone_ref", text("created_at DESC")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    number: str = Field(sa_column=Column(String(18), nullable=False, unique=True))
    code: str = Field(sa_column=code_column())
    channel: str = Field(sa_column=code_column())
    type: str | None = Field(default=None, sa_column=code_column(nullable=True))
    category_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    title: str = Field(default="", sa_column=Column(String(120), nullable=False))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())


class TicketDraft(Table, table=True):
    """What an agent is writing; one per answered call or conversation, ended once, never deleted."""

    __tablename__: ClassVar[str] = "ticket_draft"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended_once"),
        Index("ix_ticket_draft_open", "owner_id", "opened_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_ticket_draft_stale", "opened_at", postgresql_where=text("ended_at IS NULL")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    call_session_id: int | None = Field(
        default=None, sa_column=ref_column("call_session.id", nullable=True, unique=True)
    )
    chat_session_id: int | None = Field(
        default=None, sa_column=ref_column("chat_session.id", nullable=True, unique=True)
    )
    owner_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    caller_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    form_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    version: int = 1
    opened_at: datetime = Field(sa_column=time_column())
    saved_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_as: str | None = Field(default=None, sa_column=code_column(nullable=True))
    ended_code: str | None = Field(default=None, sa_column=code_column(nullable=True))
    ended_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    record_number: str | None = Field(default=None, sa_column=Column(String(18), nullable=True))


class DraftHistory(Table, table=True):
    """Who had a draft when: opened, handed over, taken over, ended; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "draft_history"
    __table_args__: ClassVar[Any] = (Index("ix_draft_history_draft", "draft_id", "id"),)
    id: int | None = Field(default=None, sa_column=id_column())
    draft_id: int = Field(sa_column=ref_column("ticket_draft.id"))
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    action: str = Field(sa_column=code_column())
    from_owner_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    to_owner_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    version: int


class CallbackTask(Table, table=True):
    """A citizen who hung up while waiting is to be called; at most one open task per number."""

    __tablename__: ClassVar[str] = "callback_task"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(closed_at IS NULL) = (closed_as IS NULL)", name="closed_once"),
        Index(
            "uq_callback_task_open_caller",
            "caller_ref",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_callback_task_due", "due_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_callback_task_caller", "caller_ref"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    caller_ref: int = Field(sa_column=ref_column("personal_value.id"))
    version: int = 1
    opened_at: datetime = Field(sa_column=time_column())
    missed_at: datetime = Field(sa_column=time_column())
    due_at: datetime = Field(sa_column=time_column())
    calls: int = 1
    attempts: int = 0  # those that reached for the citizen; what failed at our side does not count
    # No new try before: somebody who did not answer is left in peace for a while.
    not_before: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    claimed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    claimed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    closed_as: str | None = Field(default=None, sa_column=code_column(nullable=True))
    closed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    closing_session_id: int | None = Field(
        default=None, sa_column=ref_column("call_session.id", nullable=True)
    )


class CallbackMiss(Table, table=True):
    """A missed call that a task answers for; the session is the key, so a call counts once."""

    __tablename__: ClassVar[str] = "callback_miss"
    __table_args__: ClassVar[Any] = (Index("ix_callback_miss_task", "task_id"),)
    call_session_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("call_session.id"), primary_key=True, autoincrement=False)
    )
    task_id: int = Field(sa_column=ref_column("callback_task.id"))
    missed_at: datetime = Field(sa_column=time_column())


class CallbackAttempt(Table, table=True):
    """One try to reach the citizen."""

    __tablename__: ClassVar[str] = "callback_attempt"
    __table_args__: ClassVar[Any] = (Index("ix_callback_attempt_task", "task_id", "id"),)
    id: int | None = Field(default=None, sa_column=id_column())
    task_id: int = Field(sa_column=ref_column("callback_task.id"))
    at: datetime = Field(sa_column=time_column())
    actor_id: int = Field(sa_column=ref_column("user_account.id"))
    result: str = Field(sa_column=code_column())
    note: str = Field(default="", sa_column=Column(String(500), nullable=False))
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    # The call ordered by a click that this try was; its result is noted once, whoever tells it first.
    dial_order_id: int | None = Field(
        default=None, sa_column=ref_column("dial_order.id", nullable=True, unique=True)
    )
