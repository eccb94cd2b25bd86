"""Tables of what is done once a day: that it was done, and what each person was told."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Date, ForeignKey, PrimaryKeyConstraint, String
from sqlmodel import Field

from core.db import Table, json_column, time_column


class DutyDay(Table, table=True):
    """A duty of a day that is done: it is not done again, by whichever node leads."""

    __tablename__: ClassVar[str] = "duty_day"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("duty", "day"),)
    duty: str = Field(sa_column=Column(String(20), nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    done_at: datetime = Field(sa_column=time_column())


class DailyDigest(Table, table=True):
    """What stood before one person on the morning of a day; `scope`: unit or city."""

    __tablename__: ClassVar[str] = "daily_digest"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("user_id", "day"),)
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    scope: str = Field(sa_column=Column(String(8), nullable=False))
    counts: dict[str, int] = Field(sa_column=json_column())
    at: datetime = Field(sa_column=time_column())
