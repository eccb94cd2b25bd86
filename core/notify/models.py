"""Tables of notices to staff, and of what the console double of the text messages keeps."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    text,
)
from sqlmodel import Field

from core.tables import Table, id_column, ref_column, time_column


def _user_key() -> Any:
    return Column(BigInteger, ForeignKey("user_account.id"), nullable=False)


class Notification(Table, table=True):
    """One notice to one person; while it is unread, the same again only raises `times`."""

    __tablename__: ClassVar[str] = "notification"
    __table_args__: ClassVar[Any] = (
        Index("ix_notification_user", "user_id", text("at DESC"), text("id DESC")),
        Index(
            "uq_notification_unread",
            "user_id",
            "kind",
            text("coalesce(ticket_id, 0)"),
            unique=True,
            postgresql_where=text("read_at IS NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    at: datetime = Field(sa_column=time_column())
    times: int = 1
    read_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class NotificationPreference(Table, table=True):
    """A person's wish that differs from the usual, per kind and channel."""

    __tablename__: ClassVar[str] = "notification_preference"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("user_id", "kind", "channel"),)
    user_id: int = Field(sa_column=_user_key())
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    channel: str = Field(sa_column=Column(String(10), nullable=False))
    wanted: bool


class NotificationAddress(Table, table=True):
    """Where a person wants e-mail, sealed."""

    __tablename__: ClassVar[str] = "notification_address"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("user_id"),)
    user_id: int = Field(sa_column=_user_key())
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=time_column())


class ConsoleMessage(Table, table=True):
    """A text message the console double took instead of a gateway; number and text sealed."""

    __tablename__: ClassVar[str] = "console_message"
    id: int = Field(default=None, sa_column=id_column())
    message_key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    at: datetime = Field(sa_column=time_column())
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
