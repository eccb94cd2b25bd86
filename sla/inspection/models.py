"""Requests to hear a recording: who asked why, who decided, until when it is open."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, String, text
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column


class RecordingRequest(Table, table=True):
    """One request of one person for one call; decided once, by another person."""

    __tablename__: ClassVar[str] = "recording_request"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("decision IN ('approved', 'refused')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(ends_at IS NOT NULL) = (decision IS NOT DISTINCT FROM 'approved')", name="ends"),
        CheckConstraint("decided_by <> asked_by", name="another"),
        Index(
            "uq_recording_request_waiting",
            "call_id",
            "asked_by",
            unique=True,
            postgresql_where=text("decided_at IS NULL"),
        ),
        Index("ix_recording_request_asked_by", "asked_by", "id"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    call_id: int = Field(sa_column=ref_column("call_session.id", index=True))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    asked_by: int = Field(sa_column=ref_column("user_account.id"))
    asked_at: datetime = Field(sa_column=time_column())
    reason: str = Field(sa_column=Column(String(200), nullable=False))
    decision: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    note: str = Field(default="", sa_column=Column(String(200), nullable=False))
    ends_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
