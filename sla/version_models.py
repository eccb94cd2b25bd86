"""Tables of what a city decides about its clocks: versions of its days, of its limits, and their effects.

Versions are appended, never changed (triggers). The calendar in force is the latest one; the limits in
force on a day are those of the latest publication that is effective by then.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    text,
)
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column


class CalendarVersion(Table, table=True):
    """A city's own days as a whole; `known`: years it confirmed, besides those the product knows."""

    __tablename__: ClassVar[str] = "calendar_version"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind IN ('seed', 'import', 'edit', 'confirm')", name="kind"),
    )
    id: int = Field(default=None, sa_column=id_column())
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    note: str = Field(sa_column=Column(String(500), nullable=False))
    known: list[int] = Field(sa_column=json_column())
    author_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    made_at: datetime = Field(sa_column=time_column())


class CalendarDay(Table, table=True):
    """One day of a version: rest, or work at the usual hours (empty) or at its own; who said so, and when."""

    __tablename__: ClassVar[str] = "calendar_day"
    __table_args__: ClassVar[Any] = (
        PrimaryKeyConstraint("version_id", "day"),
        CheckConstraint("kind IN ('rest', 'work')", name="kind"),
    )
    version_id: int = Field(sa_column=Column(BigInteger, ForeignKey("calendar_version.id"), nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    hours: str = Field(sa_column=Column(String(200), nullable=False))
    reason: str = Field(sa_column=Column(String(100), nullable=False))
    author_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    at: datetime = Field(sa_column=time_column())


class PackVersion(Table, table=True):
    """A policy pack as TOML; every save of a draft is a version of its own."""

    __tablename__: ClassVar[str] = "pack_version"
    id: int = Field(default=None, sa_column=id_column())
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    name: str = Field(sa_column=Column(String(80), nullable=False))
    content: str = Field(sa_type=Text)
    note: str = Field(sa_column=Column(String(500), nullable=False))
    base_id: int | None = Field(default=None, sa_column=ref_column("pack_version.id", nullable=True))
    author_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    made_at: datetime = Field(sa_column=time_column())


class PackPublication(Table, table=True):
    """From this day on clocks that start are promised what this version says; the latest one counts."""

    __tablename__: ClassVar[str] = "pack_publication"
    id: int = Field(default=None, sa_column=id_column())
    version_id: int = Field(sa_column=ref_column("pack_version.id"))
    effective: date = Field(sa_column=Column(Date, nullable=False))
    note: str = Field(sa_column=Column(String(500), nullable=False))
    published_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    published_at: datetime = Field(sa_column=time_column())


class CalendarPreview(Table, table=True):
    """A change of the calendar that was put forward, with what it would do; kept for a few days."""

    __tablename__: ClassVar[str] = "calendar_preview"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('waiting', 'done', 'saved')", name="state"),
        Index("ix_calendar_preview_made_at", "made_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    base: int  # number of the version it starts from
    payload: dict[str, Any] = Field(sa_column=json_column())
    state: str = Field(sa_column=Column(String(10), nullable=False))
    total: int = 0
    done: int = 0
    result: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    author_id: int = Field(sa_column=ref_column("user_account.id"))
    made_at: datetime = Field(sa_column=time_column())
    touched_at: datetime = Field(sa_column=time_column())


class Recomputation(Table, table=True):
    """Open clocks counted anew by `calendar` (days and their working time); `after_id` is how far it is."""

    __tablename__: ClassVar[str] = "recomputation"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('running', 'done')", name="state"),
        Index("ix_recomputation_running", "id", postgresql_where=text("state = 'running'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    calendar_version_id: int = Field(sa_column=ref_column("calendar_version.id"))
    print: str = Field(sa_column=Column(String(64), nullable=False))  # of the working time it counts by
    calendar: dict[str, Any] = Field(sa_column=json_column())
    first_day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))  # null: all days
    last_day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    reason: str = Field(sa_column=Column(String(500), nullable=False))
    state: str = Field(sa_column=Column(String(10), nullable=False))
    total: int = 0
    seen: int = 0
    moved: int = 0
    tickets: int = 0
    kept: int = 0  # due at times no calendar that is known gives: left as promised
    after_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    made_at: datetime = Field(sa_column=time_column())
    finished_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
