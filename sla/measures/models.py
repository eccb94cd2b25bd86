"""Tables of the figures: what writers put down, the facts that hold, their sums.

`measure_delta` is written by whoever moves a ticket, in that very transaction, and holds seconds of work.
The leader folds it into `measure_fact` (one row per thing that counts: the list behind every figure) and
`measure_sum` (how many there are per day, week and month, of all, of a unit, a category, a district, a
type: what dashboards read). Only `sla.measures.folding` writes the last two.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, time_column


def _code(length: int = 24) -> Any:
    return Column(String(length), nullable=False)


def _id() -> Any:
    """An id, 0 for none: it is part of what is counted by, and refers to nothing that is ever deleted."""
    return Column(BigInteger, nullable=False)


def _flag() -> Any:
    return Column(Boolean, nullable=False)


class MeasureDelta(Table, table=True):
    """One step of a fact: put down (n = 1), taken back (-1); code `*`: all of the ticket's shown apart."""

    __tablename__: ClassVar[str] = "measure_delta"
    id: int | None = Field(default=None, sa_column=id_column())
    at: datetime = Field(sa_column=time_column())
    record: bool = Field(sa_column=_flag())  # of an intake record, not of a ticket
    ref_id: int = Field(sa_column=_id())
    code: str = Field(sa_column=_code())
    seq: int = Field(sa_column=Column(Integer, nullable=False))
    n: int = Field(sa_column=Column(SmallInteger, nullable=False))
    day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    unit_id: int = Field(sa_column=_id())
    category_id: int = Field(sa_column=_id())
    district_id: int = Field(sa_column=_id())
    type: str = Field(sa_column=_code(20))
    left_out: bool = Field(sa_column=_flag())


class MeasureFact(Table, table=True):
    """One thing that counts, on the day it counts for; the category is the one of the first level."""

    __tablename__: ClassVar[str] = "measure_fact"
    __table_args__: ClassVar[Any] = (
        PrimaryKeyConstraint("ref_id", "code", "seq", "record"),
        # Lists behind figures: newest day first, by keyset.
        Index("ix_measure_fact_list", "code", text("day DESC"), text("ref_id DESC"), text("seq DESC")),
        Index(
            "ix_measure_fact_unit",
            "unit_id",
            "code",
            text("day DESC"),
            text("ref_id DESC"),
            text("seq DESC"),
            postgresql_where=text("unit_id <> 0"),
        ),
    )
    ref_id: int = Field(sa_column=_id())
    code: str = Field(sa_column=_code())
    seq: int = Field(sa_column=Column(Integer, nullable=False))
    record: bool = Field(sa_column=_flag())
    day: date = Field(sa_column=Column(Date, nullable=False))
    unit_id: int = Field(sa_column=_id())
    category_id: int = Field(sa_column=_id())
    district_id: int = Field(sa_column=_id())
    type: str = Field(sa_column=_code(20))
    left_out: bool = Field(sa_column=_flag())


class MeasureSum(Table, table=True):
    """How many facts of a code there are in a day (d), week (w) or month (m) that begins at `start`."""

    __tablename__: ClassVar[str] = "measure_sum"
    __table_args__: ClassVar[Any] = (
        PrimaryKeyConstraint("scope", "code", "grain", "start", "key", "left_out"),
        Index("ix_measure_sum_empty", "code", postgresql_where=text("n = 0")),
    )
    scope: str = Field(sa_column=_code(10))  # all, unit, category, district, type
    code: str = Field(sa_column=_code())
    grain: str = Field(sa_column=_code(1))
    start: date = Field(sa_column=Column(Date, nullable=False))
    key: str = Field(sa_column=_code(20))
    left_out: bool = Field(sa_column=_flag())
    n: int = Field(sa_column=Column(BigInteger, nullable=False))


class MeasureCount(Table, table=True):
    """How far a count from history has come; one row. `upto` null: everything is counted."""

    __tablename__: ClassVar[str] = "measure_count"
    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    upto: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    records_upto: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
