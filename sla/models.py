"""Tables of the clock: the cards of the ladder, who has to acknowledge them, the feed of 电子监察."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, UniqueConstraint, text
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column
from tickets.models import code_column


class Card(Table, table=True):
    """A rung of the ladder that was issued: one per clock, round of cards and level."""

    __tablename__: ClassVar[str] = "card"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("stage_id", "card_round", "level"),
        Index("ix_card_ticket", "ticket_id", "id"),
        Index("ix_card_issued", text("issued_at DESC"), text("id DESC")),
        Index("ix_card_unit", "unit_id", text("issued_at DESC"), text("id DESC")),
    )
    id: int = Field(default=None, sa_column=id_column())
    stage_id: int = Field(sa_column=ref_column("ticket_stage.id"))
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    stage: str = Field(sa_column=code_column())
    level: str = Field(sa_column=code_column())
    card_round: int = Field(sa_column=Column(SmallInteger, nullable=False))
    issued_at: datetime = Field(sa_column=time_column())
    due_at: datetime = Field(sa_column=time_column())
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))


class CardReceipt(Table, table=True):
    """A post that has to acknowledge a card: of a unit, or of the hotline (no unit)."""

    __tablename__: ClassVar[str] = "card_receipt"
    __table_args__: ClassVar[Any] = (
        Index("ix_card_receipt_card", "card_id"),
        Index(
            "ix_card_receipt_waiting",
            "post",
            "unit_id",
            "card_id",
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    card_id: int = Field(sa_column=ref_column("card.id"))
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    post: str = Field(sa_column=Column(String(40), nullable=False))
    acknowledged_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    acknowledged_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    on_behalf_of: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    note: str = Field(default="", sa_column=Column(String(500), nullable=False, server_default=""))


class MonitorEvent(Table, table=True):
    """One line of the feed of 电子监察; appended, never edited (trigger). No personal data."""

    __tablename__: ClassVar[str] = "monitor_event"
    __table_args__: ClassVar[Any] = (
        Index("ix_monitor_event_at", "at", "id"),
        Index("ix_monitor_event_ticket", "ticket_id", "id"),
        Index("ix_monitor_event_unit", "unit_id", "at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    at: datetime = Field(sa_column=time_column())
    kind: str = Field(sa_column=Column(String(40), nullable=False))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    level: str | None = Field(default=None, sa_column=code_column(nullable=True))
    ref_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    detail: dict[str, Any] = Field(sa_column=json_column())
