"""The table of reports."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Date, Index, String, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class ReportRow(Table, table=True):
    """A report as it was made; appended, never edited (trigger). The schedule makes one of a period."""

    __tablename__: ClassVar[str] = "report"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind IN ('daily', 'weekly', 'monthly', 'league', 'special')", name="kind"),
        CheckConstraint("first <= last", name="days"),
        Index("ix_report_newest", text("made_at DESC"), text("id DESC")),
        Index("uq_report_scheduled", "kind", "first", unique=True, postgresql_where=text("scheduled")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=Column(String(12), nullable=False))
    first: date = Field(sa_column=Column(Date, nullable=False))
    last: date = Field(sa_column=Column(Date, nullable=False))
    subject_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    content: dict[str, Any] = Field(sa_column=json_column())
    digest: str = Field(sa_column=Column(String(64), nullable=False))
    made_at: datetime = Field(sa_column=time_column())
    scheduled: bool
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
