"""Tables of the conversations in writing. What was written is sealed: rows hold references to it.

A conversation's token is kept as a hash, so that the database opens no conversation to who reads it.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column
from core.tables import table_of as table_of

_OPEN = "state <> 'ended'"


class ChatSession(Table, table=True):
    """One conversation: who waits since when, who took it, how it ended."""

    __tablename__: ClassVar[str] = "chat_session"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('waiting', 'offered', 'active', 'missed', 'ended')", name="state"),
        CheckConstraint("(ended_at IS NULL) = (state <> 'ended')", name="ended_once"),
        Index("ix_chat_session_open", "queued_at", "id", postgresql_where=text(_OPEN)),
        Index("ix_chat_session_agent", "agent_id", postgresql_where=text(_OPEN)),
        Index("ix_chat_session_queued_at", "queued_at"),
        Index("ix_chat_session_phone_ref", "phone_ref"),
        Index(
            "ix_chat_session_words",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL AND words_gone_at IS NULL"),
        ),
        # One conversation at a time with a number that writes text messages.
        Index(
            "uq_chat_session_number",
            "phone_ref",
            unique=True,
            postgresql_where=text(f"channel = 'sms' AND {_OPEN}"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    channel: str = Field(sa_column=Column(String(10), nullable=False))  # web, sms
    state: str = Field(sa_column=Column(String(10), nullable=False))
    token_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, unique=True, nullable=True))
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    consented_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    queued_at: datetime = Field(sa_column=time_column())
    offered_to: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    offered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    offers: int = 0
    passed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    agent_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    answered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    replied_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    missed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    due_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    citizen_at: datetime = Field(sa_column=time_column())  # last word of the citizen
    messages: int = 0
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_by: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))
    outcome: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))
    words_gone_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ChatMessage(Table, table=True):
    """One message, appended, never edited (trigger); `key` makes a repetition the same message."""

    __tablename__: ClassVar[str] = "chat_message"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("sender IN ('citizen', 'agent', 'system')", name="sender"),
        UniqueConstraint("session_id", "key"),
    )
    id: int = Field(default=None, sa_column=id_column())
    session_id: int = Field(sa_column=ref_column("chat_session.id"))
    key: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=time_column())
    sender: str = Field(sa_column=Column(String(8), nullable=False))
    actor_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    body_ref: int = Field(sa_column=ref_column("personal_value.id"))
