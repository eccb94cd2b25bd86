"""What was pushed about the calls of a PBX: without numbers of citizens, which only the session knows."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, Index, String, Text
from sqlmodel import Field

from core.db import Table, json_column, time_column


class PushCall(Table, table=True):
    """One call by the id its PBX gave it."""

    __tablename__: ClassVar[str] = "push_call"
    __table_args__: ClassVar[Any] = (Index("ix_push_call_heard_at", "heard_at"),)
    pbx: str = Field(sa_column=Column(Text, primary_key=True))
    call_id: str = Field(sa_column=Column(String(120), primary_key=True))
    facts: dict[str, Any] = Field(sa_column=json_column())
    heard_at: datetime = Field(sa_column=time_column())
