"""Tables of what citizens are sent, of the contact relay, and of the tries at query codes.

No table here holds a personal value: a message refers to the number it went to, its text is
rendered at sending and kept nowhere.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column
from tickets.models import code_column


def _maybe(target: str) -> Any:
    return ref_column(target, nullable=True)


def _maybe_time() -> Any:
    return time_column(nullable=True)


class MessageTemplate(Table, table=True):
    """The wording for one event; a change is a new version, appended (trigger)."""

    __tablename__: ClassVar[str] = "message_template"
    __table_args__: ClassVar[Any] = (UniqueConstraint("event", "version"),)
    id: int | None = Field(default=None, sa_column=id_column())
    event: str = Field(sa_column=code_column())
    version: int
    text: str = Field(sa_column=Column(String(500), nullable=False))
    mandatory: bool = False
    at_once: bool = False
    enabled: bool = True
    at: datetime = Field(sa_column=time_column())
    by: int | None = Field(default=None, sa_column=_maybe("user_account.id"))


class CitizenMessage(Table, table=True):
    """One message: to whom (by reference), by which wording, and what became of it.

    `channel`: the way it went, None for a text message.
    """

    __tablename__: ClassVar[str] = "citizen_message"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'skipped')", name="state"),
        Index(
            "ix_citizen_message_unsent",
            "state",
            "id",
            postgresql_where=text("state IN ('waiting', 'failed')"),
        ),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    dedup: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    ticket_id: int = Field(sa_column=ref_column("ticket.id", index=True))
    event: str = Field(sa_column=code_column())
    template_id: int | None = Field(default=None, sa_column=_maybe("message_template.id"))
    phone_ref: int | None = Field(default=None, sa_column=_maybe("personal_value.id"))
    state: str = Field(sa_column=code_column(10))
    reason: str | None = Field(default=None, sa_column=code_column(30, nullable=True))
    channel: str | None = Field(default=None, sa_column=Column(String(20), nullable=True))
    attempts: int = 0
    parts: int = 0
    created_at: datetime = Field(sa_column=time_column())
    next_at: datetime | None = Field(default=None, sa_column=_maybe_time())
    sent_at: datetime | None = Field(default=None, sa_column=_maybe_time())


class MessageOptout(Table, table=True):
    """A number whose owner wants no messages beyond the mandatory ones."""

    __tablename__: ClassVar[str] = "message_optout"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("phone_ref"),)
    phone_ref: int = Field(sa_column=Column(BigInteger, ForeignKey("personal_value.id"), nullable=False))
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_column=_maybe("user_account.id"))


class RelayMessage(Table, table=True):
    """A unit's question, the answer to it, or that it was sent on; the words are in the history."""

    __tablename__: ClassVar[str] = "relay_message"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind IN ('question', 'answer', 'message')", name="kind"),
        Index("ix_relay_message_ticket", "ticket_id", "id"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    kind: str = Field(sa_column=code_column(10))
    history_id: int | None = Field(default=None, sa_column=_maybe("ticket_history.id"))
    question_id: int | None = Field(default=None, sa_column=_maybe("relay_message.id"))
    unit_id: int | None = Field(default=None, sa_column=_maybe("unit.id"))
    actor_id: int | None = Field(default=None, sa_column=_maybe("user_account.id"))
    at: datetime = Field(sa_column=time_column())


class RelayOpen(Table, table=True):
    """A ticket with an unanswered question; the row goes when the answer comes."""

    __tablename__: ClassVar[str] = "relay_open"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("ticket_id"),)
    ticket_id: int = Field(sa_column=Column(BigInteger, ForeignKey("ticket.id"), nullable=False))
    question_id: int = Field(sa_column=ref_column("relay_message.id"))
    since: datetime = Field(sa_column=time_column(index=True))


class QueryTry(Table, table=True):
    """Wrong codes for one number from one source; both only as blind indexes."""

    __tablename__: ClassVar[str] = "query_try"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("subject", "source"),)
    subject: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    source: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    failures: int
    last_at: datetime = Field(sa_column=time_column(index=True))
    locked_until: datetime | None = Field(default=None, sa_column=_maybe_time())


class QueryLock(Table, table=True):
    """Wrong codes for one number from everywhere; `locked_at` when there were too many."""

    __tablename__: ClassVar[str] = "query_lock"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("subject"),)
    subject: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    failures: int
    last_at: datetime = Field(sa_column=time_column(index=True))
    locked_at: datetime | None = Field(default=None, sa_column=_maybe_time())
