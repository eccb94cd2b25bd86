"""Help calls and what was said in them; who speaks what; what a caller needs; interpreters outside."""

from datetime import datetime, time
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Text, Time, text
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column


class HelpCall(Table, table=True):
    """An agent asked for help (F9); one open at a time for each person."""

    __tablename__: ClassVar[str] = "help_call"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_as IN ('helped', 'withdrawn', 'left')", name="ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        Index("uq_help_call_open", "user_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_help_call_asked_at", "asked_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    extension: str | None = Field(default=None, sa_type=Text)
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    asked_at: datetime = Field(sa_column=time_column())
    escalated_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    answered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    answered_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_as: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))


class HelpStep(Table, table=True):
    """What happened and was said in a help call; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "help_step"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "kind IN ('asked', 'said', 'answered', 'listened', 'escalated', 'ended')", name="kind"
        ),
        Index("ix_help_step_help_id", "help_id", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    help_id: int = Field(sa_column=ref_column("help_call.id"))
    at: datetime = Field(sa_column=time_column())
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    text: str = Field(default="", sa_column=Column(String(300), nullable=False))


class UserLanguage(Table, table=True):
    """A language a person speaks well enough to take a call in it."""

    __tablename__: ClassVar[str] = "user_language"
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), primary_key=True))
    language: str = Field(sa_column=Column(String(12), primary_key=True))
    noted_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    noted_at: datetime = Field(sa_column=time_column())


class CallLanguage(Table, table=True):
    """The language a caller needs; a later call of the same number is told of the last one."""

    __tablename__: ClassVar[str] = "call_language"
    call_session_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("call_session.id"), primary_key=True, autoincrement=False)
    )
    language: str = Field(sa_column=Column(String(12), nullable=False))
    marked_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    marked_at: datetime = Field(sa_column=time_column())


class Interpreter(Table, table=True):
    """Somebody outside who interprets by telephone; `days`: 1 Monday … 7 Sunday, hours of the city."""

    __tablename__: ClassVar[str] = "interpreter"
    id: int = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=Column(String(40), nullable=False))
    languages: list[str] = Field(sa_column=json_column())
    phone_ref: int = Field(sa_column=ref_column("personal_value.id"))
    days: str = Field(sa_column=Column(String(7), nullable=False))
    begins: time = Field(sa_column=Column(Time, nullable=False))
    ends: time = Field(sa_column=Column(Time, nullable=False))
    note: str = Field(default="", sa_column=Column(String(200), nullable=False))
    active: bool = True
    version: int = 1
