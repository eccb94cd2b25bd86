"""Tables of the market. Steps, ratings and credit events are appended, never edited (trigger).

Nothing here says who complained or who rated: a rating holds its proof, a service or a ticket, and no person.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

_OPEN = "state IN ('proposed', 'noticed', 'appealed', 'listed')"


def _text(length: int) -> Any:
    return Column(String(length), nullable=False)


def _user() -> Any:
    return ref_column("user_account.id", nullable=True)


def _time() -> Any:
    return time_column(nullable=True)


class Intermediary(Table, table=True):
    """A registered intermediary; `unit_id` is the department of its trade, `stars` the sum of its ratings."""

    __tablename__: ClassVar[str] = "intermediary"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('active', 'closed')", name="state"),
        Index("ix_intermediary_name_key", "name_key"),
        Index("ix_intermediary_trade", "trade"),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    uscc: str = Field(sa_column=Column(String(18), nullable=False, unique=True))
    name: str = Field(sa_column=_text(100))
    name_key: str = Field(sa_column=_text(200))
    trade: str = Field(sa_column=_text(40))
    unit_id: int = Field(sa_column=ref_column("unit.id", index=True))
    address: str = Field(default="", sa_column=_text(200))
    phone: str = Field(default="", sa_column=_text(40))
    state: str = Field(default="active", sa_column=_text(8))
    ratings: int = 0
    stars: int = 0
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())


class Qualification(Table, table=True):
    """A licence or certificate of an intermediary; `warned_on` is the day its end was last warned of."""

    __tablename__: ClassVar[str] = "intermediary_qualification"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("intermediary_id", "number"),
        CheckConstraint("valid_to >= valid_from", name="span"),
        Index("ix_intermediary_qualification_valid_to", "valid_to"),
    )
    id: int = Field(default=None, sa_column=id_column())
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    name: str = Field(sa_column=_text(60))
    number: str = Field(sa_column=_text(60))
    valid_from: date | None = None
    valid_to: date | None = None
    revoked_on: date | None = None
    revoked_why: str = Field(default="", sa_column=_text(200))
    warned_on: date | None = None


class IntermediaryStep(Table, table=True):
    """What was done about an intermediary; appended, never edited."""

    __tablename__: ClassVar[str] = "intermediary_step"
    __table_args__: ClassVar[Any] = (Index("ix_intermediary_step_of", "intermediary_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_column=_user())
    actor_name: str = Field(sa_column=_text(60))
    act: str = Field(sa_column=_text(30))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    detail: dict[str, Any] = Field(sa_column=json_column())


class IntermediaryAccount(Table, table=True):
    """The account of somebody who works for an intermediary; one intermediary at a time."""

    __tablename__: ClassVar[str] = "intermediary_account"
    __table_args__: ClassVar[Any] = (
        Index("uq_intermediary_account_user", "user_id", unique=True, postgresql_where=text("until IS NULL")),
        Index("ix_intermediary_account_of", "intermediary_id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    since: datetime = Field(sa_column=time_column())
    until: datetime | None = Field(default=None, sa_column=_time())


class ServiceRecord(Table, table=True):
    """A service that was given; whoever has its number is its client and may rate it once."""

    __tablename__: ClassVar[str] = "intermediary_service"
    id: int = Field(default=None, sa_column=id_column())
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id", index=True))
    number: str = Field(sa_column=Column(String(20), nullable=False, unique=True))
    served_on: date
    created_at: datetime = Field(sa_column=time_column())


class Rating(Table, table=True):
    """One rating of one service or of one complaint that was dealt with; never who gave it."""

    __tablename__: ClassVar[str] = "intermediary_rating"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("(service_id IS NULL) <> (ticket_id IS NULL)", name="proof"),
        Index("ix_intermediary_rating_of", "intermediary_id", "at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    service_id: int | None = Field(
        default=None, sa_column=ref_column("intermediary_service.id", nullable=True, unique=True)
    )
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True, unique=True))
    stars: int
    at: datetime = Field(sa_column=time_column())


class IntermediaryCase(Table, table=True):
    """A ticket about an intermediary: what it was told without the complainant, what it said, the verdict."""

    __tablename__: ClassVar[str] = "intermediary_case"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("verdict IN ('verified', 'unfounded')", name="verdict"),
        CheckConstraint("(verdict IS NULL) = (verdict_at IS NULL)", name="verdict_once"),
        Index("ix_intermediary_case_of", "intermediary_id", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    ticket_id: int = Field(sa_column=ref_column("ticket.id", unique=True))
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    summary: str = Field(default="", sa_column=Column(Text, nullable=False))
    served_at: datetime | None = Field(default=None, sa_column=_time())
    served_by: int | None = Field(default=None, sa_column=_user())
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
    answered_at: datetime | None = Field(default=None, sa_column=_time())
    answered_by: int | None = Field(default=None, sa_column=_user())
    verdict: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))
    finding: str | None = Field(default=None, sa_column=Column(String(20), nullable=True))
    verdict_note: str = Field(default="", sa_column=Column(Text, nullable=False))
    verdict_at: datetime | None = Field(default=None, sa_column=_time())
    verdict_by: int | None = Field(default=None, sa_column=_user())
    cancelled_at: datetime | None = Field(default=None, sa_column=_time())


class BlacklistEntry(Table, table=True):
    """An entry of the blacklist with its way there; at most one open per intermediary."""

    __tablename__: ClassVar[str] = "intermediary_listing"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "state IN ('proposed', 'noticed', 'appealed', 'listed', 'dropped', 'ended')", name="state"
        ),
        CheckConstraint("approved_by <> proposed_by", name="two_people"),
        CheckConstraint("state <> 'listed' OR ends_on > listed_on", name="span"),
        Index("uq_intermediary_listing_open", "intermediary_id", unique=True, postgresql_where=text(_OPEN)),
        Index("ix_intermediary_listing_state", "state", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    state: str = Field(sa_column=_text(10))
    finding: str = Field(sa_column=_text(20))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    months: int
    proposed_by: int | None = Field(default=None, sa_column=_user())
    proposed_at: datetime = Field(sa_column=time_column())
    approved_by: int | None = Field(default=None, sa_column=_user())
    approved_at: datetime | None = Field(default=None, sa_column=_time())
    appeal_until: datetime | None = Field(default=None, sa_column=_time())
    appeal: str = Field(default="", sa_column=Column(Text, nullable=False))
    appealed_by: int | None = Field(default=None, sa_column=_user())
    appealed_at: datetime | None = Field(default=None, sa_column=_time())
    decided_by: int | None = Field(default=None, sa_column=_user())
    decided_at: datetime | None = Field(default=None, sa_column=_time())
    decision: str = Field(default="", sa_column=Column(Text, nullable=False))
    listed_on: date | None = None
    ends_on: date | None = None
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class CreditEvent(Table, table=True):
    """What a city's credit platform is told about an intermediary; appended, a mistake is a further event."""

    __tablename__: ClassVar[str] = "intermediary_credit_event"
    __table_args__: ClassVar[Any] = (Index("ix_intermediary_credit_event_of", "intermediary_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    intermediary_id: int = Field(sa_column=ref_column("intermediary.id"))
    kind: str = Field(sa_column=_text(24))
    finding: str = Field(default="", sa_column=_text(20))
    case_id: int | None = Field(default=None, sa_column=ref_column("intermediary_case.id", nullable=True))
    listing_id: int | None = Field(
        default=None, sa_column=ref_column("intermediary_listing.id", nullable=True)
    )
    ends_on: date | None = None
    cancels: int | None = Field(default=None, sa_type=BigInteger)
    at: datetime = Field(sa_column=time_column())
