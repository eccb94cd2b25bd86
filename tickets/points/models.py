"""Points and those that were taken back: apart from the ticket's row, because a citizen who is forgotten
takes them along. Both tables are only added to.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Index, String
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column


class TicketPoint(Table, table=True):
    """A point somebody gave for a ticket, in its datum; the newest of a ticket is where the matter is."""

    __tablename__: ClassVar[str] = "ticket_point"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("datum IN ('wgs84', 'gcj02')", name="datum"),
        Index("ix_ticket_point_ticket", "ticket_id", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    latitude: float = Field(sa_column=Column(Double, nullable=False))
    longitude: float = Field(sa_column=Column(Double, nullable=False))
    datum: str = Field(sa_column=Column(String(5), nullable=False))
    given_at: datetime = Field(sa_column=time_column())


class PointWithdrawal(Table, table=True):
    """A point that was wrong: who took it back, a person or a machine client, when and why."""

    __tablename__: ClassVar[str] = "point_withdrawal"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(withdrawn_by IS NULL) <> (client_id IS NULL)", name="who"),
    )
    point_id: int = Field(
        sa_column=Column(
            BigInteger,
            ForeignKey("ticket_point.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        )
    )
    at: datetime = Field(sa_column=time_column())
    withdrawn_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    client_id: int | None = Field(default=None, sa_column=ref_column("machine_client.id", nullable=True))
    reason: str = Field(sa_column=Column(String(200), nullable=False))
