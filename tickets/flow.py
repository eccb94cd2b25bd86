"""Tables of the process around a ticket: who holds it, which stage runs, what was asked and answered.

`ticket_contact` and `ticket_reply` are append-only by trigger, as the history is. The rest is written
by `tickets.actions` alone, in the transaction of the history row that says why.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, String, Text, text
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column
from tickets.models import code_column


def _ref(target: str) -> Any:
    return ref_column(target, nullable=True)


def _time() -> Any:
    return time_column(nullable=True)


def _text() -> Any:
    return Column(Text, nullable=False)


class TicketUnit(Table, table=True):
    """A unit that works on a ticket (lead, sub, co); `until` is set when it no longer does.

    `created_at` repeats the ticket's, so that the list of a unit is read newest first from one index.
    """

    __tablename__: ClassVar[str] = "ticket_unit"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("role IN ('lead', 'sub', 'co')", name="role"),
        Index(
            "uq_ticket_unit_present",
            "ticket_id",
            "unit_id",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
        Index(
            "ix_ticket_unit_list",
            "unit_id",
            text("created_at DESC"),
            text("ticket_id DESC"),
            postgresql_where=text("until IS NULL"),
        ),
        Index(
            "ix_ticket_unit_unanswered",
            "unit_id",
            "due_at",
            "ticket_id",
            postgresql_where=text("role = 'co' AND until IS NULL AND answered_at IS NULL"),
        ),
        # Leads that gave it up, by when: for what several units had and none carried through.
        Index(
            "ix_ticket_unit_left",
            "until",
            "ticket_id",
            postgresql_where=text("role = 'lead' AND until IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id", index=True))
    unit_id: int = Field(sa_column=ref_column("unit.id"))
    role: str = Field(sa_column=code_column(8))
    created_at: datetime = Field(sa_column=time_column())
    since: datetime = Field(sa_column=time_column())
    until: datetime | None = Field(default=None, sa_column=_time())
    signed_at: datetime | None = Field(default=None, sa_column=_time())
    due_at: datetime | None = Field(default=None, sa_column=_time())
    asked: str = Field(default="", sa_column=_text())
    answered_at: datetime | None = Field(default=None, sa_column=_time())
    opinion: str = Field(default="", sa_column=_text())


STRANGE = "ended_at IS NULL AND due_at IS NOT NULL AND policy IS NULL AND stage <> 'handle'"


class TicketStage(Table, table=True):
    """A clock: a stretch of the process with its owner, when it began, when it is due, what ended it.

    One row per stage, round and owner; none is deleted. `limit` is what was promised (`10wd`) and `policy`
    the pack that promised it. `alarm_at` is when the ladder's next step is due, `alarm_step` how many are
    behind it in this `card_round`; a due time that moves opens the next.
    """

    __tablename__: ClassVar[str] = "ticket_stage"
    __table_args__: ClassVar[Any] = (
        Index("ix_ticket_stage_ticket", "ticket_id", "id"),
        Index("ix_ticket_stage_open", "ticket_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_ticket_stage_due", "stage", "due_at", postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix_ticket_stage_alarm",
            "alarm_at",
            "id",
            postgresql_where=text("ended_at IS NULL AND alarm_at IS NOT NULL"),
        ),
        # What came from before there was a ladder, or past its service: see sla/adopting.py.
        Index("ix_ticket_stage_strange", "id", postgresql_where=text(STRANGE)),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    stage: str = Field(sa_column=code_column())
    round: int = Field(sa_column=Column(SmallInteger, nullable=False))
    unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    started_at: datetime = Field(sa_column=time_column())
    due_at: datetime | None = Field(default=None, sa_column=_time())
    ended_at: datetime | None = Field(default=None, sa_column=_time())
    ended_by: str | None = Field(default=None, sa_column=code_column(nullable=True))
    limit: str | None = Field(default=None, sa_column=code_column(nullable=True))
    policy: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    alarm_at: datetime | None = Field(default=None, sa_column=_time())
    alarm_step: int = Field(
        default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0"))
    )
    card_round: int = Field(
        default=1, sa_column=Column(SmallInteger, nullable=False, server_default=text("1"))
    )


class TicketRequest(Table, table=True):
    """Something a unit applied for and somebody else decides; one pending of a kind per ticket."""

    __tablename__: ClassVar[str] = "ticket_request"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('pending', 'approved', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("kind IN ('return', 'extension', 'suspension', 'exclusion', 'closing')", name="kind"),
        Index("ix_ticket_request_ticket", "ticket_id", "id"),
        Index(
            "uq_ticket_request_pending",
            "ticket_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_ticket_request_waiting", "kind", "requested_at", postgresql_where=text("state = 'pending'")
        ),
        Index("ix_ticket_request_unit", "unit_id", "kind", postgresql_where=text("state = 'pending'")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    kind: str = Field(sa_column=code_column())
    state: str = Field(sa_column=code_column(12))
    unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    requested_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    requested_at: datetime = Field(sa_column=time_column())
    reason_code: str | None = Field(default=None, sa_column=code_column(30, nullable=True))
    note: str = Field(default="", sa_column=_text())
    basis: str = Field(default="", sa_column=_text())
    suggested_unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    days: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    due_at: datetime | None = Field(default=None, sa_column=_time())
    decided_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    decided_at: datetime | None = Field(default=None, sa_column=_time())
    decision_note: str = Field(default="", sa_column=_text())
    on_behalf_of: int | None = Field(default=None, sa_column=_ref("user_account.id"))


class TicketContact(Table, table=True):
    """One try to reach the citizen about a ticket; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "ticket_contact"
    __table_args__: ClassVar[Any] = (Index("ix_ticket_contact_ticket", "ticket_id", "id"),)
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    round: int = Field(sa_column=Column(SmallInteger, nullable=False))
    at: datetime = Field(sa_column=time_column())
    unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    actor_id: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    purpose: str = Field(sa_column=code_column())
    means: str = Field(sa_column=code_column())
    result: str = Field(sa_column=code_column())
    note: str = Field(default="", sa_column=_text())
    call_session_id: int | None = Field(default=None, sa_column=_ref("call_session.id"))


class TicketReply(Table, table=True):
    """What was done and what the citizen is told, as written at one moment (trigger)."""

    __tablename__: ClassVar[str] = "ticket_reply"
    __table_args__: ClassVar[Any] = (Index("ix_ticket_reply_ticket", "ticket_id", "id"),)
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    round: int = Field(sa_column=Column(SmallInteger, nullable=False))
    at: datetime = Field(sa_column=time_column())
    unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    actor_id: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    handling: str = Field(default="", sa_column=_text())
    public_reply: str = Field(default="", sa_column=_text())
    solved: bool | None = None
    unsolved_code: str | None = Field(default=None, sa_column=code_column(30, nullable=True))


class Revisit(Table, table=True):
    """Asking the citizen after a closing; three separate questions (回访)."""

    __tablename__: ClassVar[str] = "revisit"
    __table_args__: ClassVar[Any] = (
        Index("ix_revisit_ticket", "ticket_id", "id"),
        Index("ix_revisit_open", "due_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index(
            "ix_revisit_unhappy",
            "closed_at",
            "ticket_id",
            postgresql_where=text("round > 1 AND (solved = false OR satisfied < 3)"),
        ),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    round: int = Field(sa_column=Column(SmallInteger, nullable=False))
    opened_at: datetime = Field(sa_column=time_column())
    due_at: datetime | None = Field(default=None, sa_column=_time())
    mandatory: bool = False
    attempts: int = 0
    closed_at: datetime | None = Field(default=None, sa_column=_time())
    closed_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    result: str | None = Field(default=None, sa_column=code_column(nullable=True))
    responded: bool | None = None
    solved: bool | None = None
    satisfied: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    reason_code: str | None = Field(default=None, sa_column=code_column(30, nullable=True))
    note: str = Field(default="", sa_column=Column(String(2000), nullable=False))
