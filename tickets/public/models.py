"""What citizens did to their tickets by themselves, once per key."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, String, UniqueConstraint
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column

MAX_KEY = 120


class CitizenAct(Table, table=True):
    """One act; `result_id` is the ticket an objection became."""

    __tablename__: ClassVar[str] = "citizen_act"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("ticket_id", "key", name="uq_citizen_act_ticket_id_key"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    key: str = Field(sa_column=Column(String(MAX_KEY), nullable=False))
    act: str = Field(sa_column=Column(String(20), nullable=False))
    result_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    at: datetime = Field(sa_column=time_column())
