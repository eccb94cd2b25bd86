"""Releases of public data: what was counted and what may be seen of it; and who decided on it.

Both tables are append-only (triggers): a release that was made says the same for ever, a correction is a
row with the next version of its month. `counts` are the true numbers, kept to compare a correction with;
no page shows them.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Date, Integer, String, UniqueConstraint
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class OpenRelease(Table, table=True):
    """A version of a month. `month` is its first day; `as_of`: what had happened until then is counted."""

    __tablename__: ClassVar[str] = "open_release"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("month", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("extract(day from month) = 1", name="month"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    month: date = Field(sa_column=Column(Date, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    as_of: datetime = Field(sa_column=time_column())
    made_at: datetime = Field(sa_column=time_column())
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    reason: str = Field(default="", sa_column=Column(String(200), nullable=False))
    content: dict[str, Any] = Field(sa_column=json_column())
    counts: dict[str, Any] = Field(sa_column=json_column())


class OpenDecision(Table, table=True):
    """What a person decided on a version, once."""

    __tablename__: ClassVar[str] = "open_decision"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("decision IN ('published', 'refused')", name="decision"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    release_id: int = Field(sa_column=ref_column("open_release.id", unique=True))
    decision: str = Field(sa_column=Column(String(10), nullable=False))
    at: datetime = Field(sa_column=time_column())
    by: int = Field(sa_column=ref_column("user_account.id"))
    note: str = Field(default="", sa_column=Column(String(200), nullable=False))
