"""Tables of supervision: its documents, whom they were copied to, their course, records of interviews."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, String, Text, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

_OPEN = "state IN ('issued', 'acknowledged', 'reported')"
_UNREPORTED = "state IN ('issued', 'acknowledged') AND reminded_at IS NULL AND report_by IS NOT NULL"


def _ref(target: str) -> Any:
    return ref_column(target, nullable=True)


def _time() -> Any:
    return time_column(nullable=True)


class SupervisionYear(Table, table=True):
    """The last number given in a year; counted on under its row's lock."""

    __tablename__: ClassVar[str] = "supervision_year"
    year: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    last: int = Field(sa_column=Column(Integer, nullable=False))


class SupervisionOrder(Table, table=True):
    """A document of supervision with where it stands; how it came about is in SupervisionStep.

    `round` is the ticket's when it was issued. `request_key` belongs to the form it was made with: the
    same form sent twice makes one document.
    """

    __tablename__: ClassVar[str] = "supervision_order"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "kind IN ('urge_notice', 'order', 'raised', 'bulletin', 'interview', 'handover')", name="kind"
        ),
        CheckConstraint("state IN ('issued', 'acknowledged', 'reported', 'closed', 'revoked')", name="state"),
        Index("ix_supervision_order_unit", "unit_id", text("id DESC")),
        Index("ix_supervision_order_ticket", "ticket_id", text("id DESC")),
        Index("ix_supervision_order_open", "report_by", "id", postgresql_where=text(_OPEN)),
        Index("ix_supervision_order_late", "report_by", postgresql_where=text(_UNREPORTED)),
        Index("ix_supervision_order_look", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
        Index("ix_supervision_order_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    number: str = Field(sa_column=Column(String(20), nullable=False, unique=True))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    state: str = Field(sa_column=Column(String(20), nullable=False))
    version: int = 1
    ticket_id: int | None = Field(default=None, sa_column=_ref("ticket.id"))
    round: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    unit_id: int = Field(sa_column=ref_column("unit.id"))
    ground: str = Field(sa_column=Column(String(20), nullable=False))
    subject: str = Field(sa_column=Column(String(120), nullable=False))
    requirement: str = Field(sa_column=Column(Text, nullable=False))
    recipient: str = Field(default="", sa_column=Column(String(100), nullable=False))
    limit_text: str | None = Field(default=None, sa_column=Column(String(20), nullable=True))
    report_by: datetime | None = Field(default=None, sa_column=_time())
    parent_id: int | None = Field(default=None, sa_column=_ref("supervision_order.id"))
    issued_at: datetime = Field(sa_column=time_column())
    issued_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    acknowledged_at: datetime | None = Field(default=None, sa_column=_time())
    acknowledged_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    reported_at: datetime | None = Field(default=None, sa_column=_time())
    reported_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    closed_at: datetime | None = Field(default=None, sa_column=_time())
    closed_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    reminded_at: datetime | None = Field(default=None, sa_column=_time())
    next_look_at: datetime | None = Field(default=None, sa_column=_time())
    request_key: str | None = Field(default=None, sa_column=Column(String(40), nullable=True, unique=True))


class SupervisionCopy(Table, table=True):
    """A unit a document was copied to (抄送)."""

    __tablename__: ClassVar[str] = "supervision_copy"
    __table_args__: ClassVar[Any] = (Index("ix_supervision_copy_unit", "unit_id", text("order_id DESC")),)
    order_id: int = Field(
        sa_column=Column(sa.BigInteger, sa.ForeignKey("supervision_order.id"), primary_key=True)
    )
    unit_id: int = Field(sa_column=Column(sa.BigInteger, sa.ForeignKey("unit.id"), primary_key=True))


class SupervisionStep(Table, table=True):
    """One thing that happened to a document; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "supervision_step"
    __table_args__: ClassVar[Any] = (Index("ix_supervision_step_order", "order_id", "id"),)
    id: int | None = Field(default=None, sa_column=id_column())
    order_id: int = Field(sa_column=ref_column("supervision_order.id"))
    at: datetime = Field(sa_column=time_column())
    step: str = Field(sa_column=Column(String(20), nullable=False))
    actor_id: int | None = Field(default=None, sa_column=_ref("user_account.id"))
    actor_name: str = Field(sa_column=Column(String(60), nullable=False))
    unit_id: int | None = Field(default=None, sa_column=_ref("unit.id"))
    from_state: str | None = Field(default=None, sa_column=Column(String(20), nullable=True))
    to_state: str = Field(sa_column=Column(String(20), nullable=False))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    detail: dict[str, Any] = Field(sa_column=json_column())


class SupervisionInterview(Table, table=True):
    """What was said at a 约谈: who was there, what was agreed; written once (trigger)."""

    __tablename__: ClassVar[str] = "supervision_interview"
    order_id: int = Field(
        sa_column=Column(sa.BigInteger, sa.ForeignKey("supervision_order.id"), primary_key=True)
    )
    held_at: datetime = Field(sa_column=time_column())
    place: str = Field(sa_column=Column(String(100), nullable=False))
    attendees: str = Field(sa_column=Column(Text, nullable=False))
    minutes: str = Field(sa_column=Column(Text, nullable=False))
    measures: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: datetime = Field(sa_column=time_column())
    recorded_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))


class SupervisionDecline(Table, table=True):
    """A proposal that a person declined, for the ticket's round of then; written once (trigger)."""

    __tablename__: ClassVar[str] = "supervision_decline"
    ticket_id: int = Field(sa_column=Column(sa.BigInteger, sa.ForeignKey("ticket.id"), primary_key=True))
    round: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    ground: str = Field(sa_column=Column(String(20), primary_key=True))
    reason: str = Field(sa_column=Column(String(200), nullable=False))
    declined_at: datetime = Field(sa_column=time_column())
    declined_by: int | None = Field(default=None, sa_column=_ref("user_account.id"))
