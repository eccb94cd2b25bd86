"""Orders about calls, what was done to a call, reports of abuse, and numbers on a list."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, String, Text, UniqueConstraint, text
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column

ORDER_STATES = ("waiting", "taken", "ringing", "done", "failed", "late")
LIST_KINDS = ("silent", "harassment")
LIST_STATES = ("proposed", "listed", "declined", "lifted")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class CallOrder(Table, table=True):
    """Something somebody ordered about a call from a page; carried out at most once."""

    __tablename__: ClassVar[str] = "call_order"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(_among("state", ORDER_STATES), name="state"),
        UniqueConstraint("user_id", "token"),
        Index("ix_call_order_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_call_order_open", "id", postgresql_where=text("state IN ('taken', 'ringing')")),
        Index("ix_call_order_session_id", "session_id", "id"),
        Index("ix_call_order_user_id_ordered_at", "user_id", "ordered_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    session_id: int = Field(sa_column=ref_column("call_session.id"))
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    extension: str = Field(sa_column=Column(String(20), nullable=False))
    token: str = Field(sa_column=Column(String(40), nullable=False))  # the same click is the same order
    target_kind: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))
    target: str | None = Field(default=None, sa_column=Column(String(40), nullable=True))  # masked if outside
    number_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    channel_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    why: str | None = Field(default=None, sa_column=Column(String(40), nullable=True))
    ordered_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CallMark(Table, table=True):
    """What was done to a call and when, for the timeline, the player and the buttons; appended only."""

    __tablename__: ClassVar[str] = "call_mark"
    __table_args__: ClassVar[Any] = (Index("ix_call_mark_session_id", "session_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    session_id: int = Field(sa_column=ref_column("call_session.id"))
    at: datetime = Field(sa_column=time_column())
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    data: dict[str, Any] = Field(sa_column=json_column())


class AbuseReport(Table, table=True):
    """An agent is abused on the line: the shift leader hears of it and may end the call."""

    __tablename__: ClassVar[str] = "abuse_report"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('open', 'ended', 'closed')", name="state"),
        Index("uq_abuse_report_open", "session_id", unique=True, postgresql_where=text("state = 'open'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    session_id: int = Field(sa_column=ref_column("call_session.id"))
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    extension: str = Field(sa_column=Column(String(20), nullable=False))
    reason: str = Field(sa_column=Column(String(30), nullable=False))
    reported_at: datetime = Field(sa_column=time_column())
    state: str = Field(sa_column=Column(String(10), nullable=False))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class NumberListing(Table, table=True):
    """A number of silent calls or of harassment: proposed by an agent, decided by a shift leader."""

    __tablename__: ClassVar[str] = "number_listing"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(_among("kind", LIST_KINDS), name="kind"),
        CheckConstraint(_among("state", LIST_STATES), name="state"),
        Index(
            "uq_number_listing_live",
            "number_ref",
            "kind",
            unique=True,
            postgresql_where=text("state IN ('proposed', 'listed')"),
        ),
        Index("ix_number_listing_state", "state", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=Column(String(12), nullable=False))
    number_ref: int = Field(sa_column=ref_column("personal_value.id"))
    session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    reason: str = Field(sa_column=Column(String(200), nullable=False))
    state: str = Field(sa_column=Column(String(10), nullable=False))
    proposed_by: int = Field(sa_column=ref_column("user_account.id"))
    proposed_at: datetime = Field(sa_column=time_column())
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    expires_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    version: int = 1
