"""Tables of citizens: what they did to their tickets, how they signed in, what they agreed to and asked."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

MAX_KEY = 120


def _bytes(*, nullable: bool = False) -> Any:
    return Column(LargeBinary, nullable=nullable)


def _string(length: int) -> Any:
    return Column(String(length), nullable=False)


class CitizenAct(Table, table=True):
    """One act; `result_id` is the ticket an objection became."""

    __tablename__: ClassVar[str] = "citizen_act"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("ticket_id", "key", name="uq_citizen_act_ticket_id_key"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    key: str = Field(sa_column=_string(MAX_KEY))
    act: str = Field(sa_column=_string(20))
    result_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    at: datetime = Field(sa_column=time_column())


class CitizenSession(Table, table=True):
    """A browser that proved something: one ticket by number and code, a phone, a subject of a provider.

    `subject` is a blind index of issuer and subject; the names a provider told are not kept.
    """

    __tablename__: ClassVar[str] = "citizen_session"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("token_hash", name="uq_citizen_session_token_hash"),
        Index("ix_citizen_session_expires_at", "expires_at"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    token_hash: bytes = Field(sa_column=_bytes())
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    subject: bytes | None = Field(default=None, sa_column=_bytes(nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CitizenLogin(Table, table=True):
    """A code on its way; `phone` is a blind index of what was typed, `phone_ref` None when nobody has it."""

    __tablename__: ClassVar[str] = "citizen_login"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("token_hash", name="uq_citizen_login_token_hash"),
        Index("ix_citizen_login_phone", "phone", "created_at"),
        Index("ix_citizen_login_created_at", "created_at"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    token_hash: bytes = Field(sa_column=_bytes())
    phone: bytes = Field(sa_column=_bytes())
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    code_ref: int = Field(sa_column=ref_column("personal_value.id"))
    tries: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CitizenConsent(Table, table=True):
    """Which privacy notice was agreed to with a ticket, and which signed-in subject sent it."""

    __tablename__: ClassVar[str] = "citizen_consent"
    __table_args__: ClassVar[Any] = (
        Index("ix_citizen_consent_subject", "subject", postgresql_where=text("subject IS NOT NULL")),
    )
    ticket_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    )
    notice: str = Field(sa_column=_string(20))
    subject: bytes | None = Field(default=None, sa_column=_bytes(nullable=True))
    at: datetime = Field(sa_column=time_column())


class WaitingFile(Table, table=True):
    """A file that was looked at and waits for the rest of its form; `form` is a hash of the form's key."""

    __tablename__: ClassVar[str] = "waiting_file"
    __table_args__: ClassVar[Any] = (
        Index("ix_waiting_file_form", "form"),
        Index("ix_waiting_file_at", "at"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    form: bytes = Field(sa_column=_bytes())
    file: dict[str, Any] = Field(sa_column=json_column())
    at: datetime = Field(sa_column=time_column())


class CitizenRequest(Table, table=True):
    """A citizen asks what is kept of him, to correct or to delete it; the hotline answers."""

    __tablename__: ClassVar[str] = "citizen_request"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("phone_ref", "key", name="uq_citizen_request_phone_ref_key"),
        CheckConstraint("kind IN ('access', 'correct', 'delete')", name="kind"),
        CheckConstraint("state IN ('open', 'done', 'refused')", name="state"),
        CheckConstraint("(decided_at IS NULL) = (state = 'open')", name="decided_once"),
        Index("ix_citizen_request_open", "due_at", "id", postgresql_where=text("state = 'open'")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    version: int = 1
    phone_ref: int = Field(sa_column=ref_column("personal_value.id"))
    key: str = Field(sa_column=_string(MAX_KEY))
    kind: str = Field(sa_column=_string(10))
    text_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    state: str = Field(sa_column=_string(10))
    created_at: datetime = Field(sa_column=time_column())
    due_at: datetime = Field(sa_column=time_column())
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    answer: str = Field(default="", sa_column=_string(500))
