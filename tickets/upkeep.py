"""Tables of the upkeep of the ticket room: versions of the categories, hand-overs of closed units, flags."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class CategoryVersion(Table, table=True):
    """The whole tree as it was drafted or published; published ones never change again."""

    __tablename__: ClassVar[str] = "category_version"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('draft', 'published', 'dropped')", name="state"),
        Index("uq_category_version_draft", "state", unique=True, postgresql_where=text("state = 'draft'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    number: int = Field(unique=True)
    state: str = Field(sa_column=Column(String(10), nullable=False))
    tree: list[dict[str, Any]] = Field(sa_column=json_column())
    edits: int = 0
    note: str = Field(default="", sa_column=Column(String(500), nullable=False))
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    published_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    published_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class UnitHandover(Table, table=True):
    """A closed unit whose tickets go to another; unfinished ones are taken up again by any node."""

    __tablename__: ClassVar[str] = "unit_handover"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("from_unit_id <> to_unit_id", name="other"),
        Index(
            "uq_unit_handover_running",
            "from_unit_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    from_unit_id: int = Field(sa_column=ref_column("unit.id"))
    to_unit_id: int = Field(sa_column=ref_column("unit.id"))
    move_users: bool = True
    reason: str = Field(sa_column=Column(String(500), nullable=False))
    total: int = 0
    requested_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    started_at: datetime = Field(sa_column=time_column())
    finished_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class UnitHandoverItem(Table, table=True):
    """One ticket of a hand-over and what came of it, written in the transaction that moved it."""

    __tablename__: ClassVar[str] = "unit_handover_item"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("handover_id", "ticket_id"),)
    handover_id: int = Field(sa_column=Column(BigInteger, ForeignKey("unit_handover.id"), nullable=False))
    ticket_id: int = Field(sa_column=Column(BigInteger, ForeignKey("ticket.id"), nullable=False))
    result: str = Field(sa_column=Column(String(40), nullable=False))
    at: datetime = Field(sa_column=time_column())


class TicketFlag(Table, table=True):
    """A sensitive word found in a ticket when it was made; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "ticket_flag"
    __table_args__: ClassVar[Any] = (
        PrimaryKeyConstraint("ticket_id", "word"),
        Index("ix_ticket_flag_kind_at", "kind", "at"),
    )
    ticket_id: int = Field(sa_column=Column(BigInteger, ForeignKey("ticket.id"), nullable=False))
    word: str = Field(sa_column=Column(String(40), nullable=False))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    at: datetime = Field(sa_column=time_column())
