"""Tables of the channels. Who writes, what was said and answered is sealed; rows hold ids and codes."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column
from core.tables import table_of as table_of

MAX_KEY = 255


def _key(target: str) -> Any:
    return Column(BigInteger, ForeignKey(target), primary_key=True, autoincrement=False)


class ChannelDialogue(Table, table=True):
    """One citizen on one channel, found by a blind index; `talk` is the sealed state of the dialogue.

    `serial` counts the matters handed in: it names the next one. `stopped_at`: wants no news;
    `gone_at`: the platform reaches this person no more.
    """

    __tablename__: ClassVar[str] = "channel_dialogue"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("channel", "sender", name="uq_channel_dialogue_channel_sender"),
    )
    id: int = Field(default=None, sa_column=id_column())
    channel: str = Field(sa_column=Column(String(20), nullable=False))
    sender: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sender_ref: int = Field(sa_column=ref_column("personal_value.id"))
    talk: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    serial: int = 0
    created_at: datetime = Field(sa_column=time_column())
    touched_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    stopped_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    gone_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ChannelMessage(Table, table=True):
    """A message that was taken or sent. Of one that came, `answer` is the sealed answer: the same again
    gets the same; `stamp` is what its signature was made of, and serves one message.
    """

    __tablename__: ClassVar[str] = "channel_message"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        UniqueConstraint("channel", "direction", "key", name="uq_channel_message_channel_direction_key"),
        Index(
            "uq_channel_message_channel_stamp",
            "channel",
            "stamp",
            unique=True,
            postgresql_where=text("stamp IS NOT NULL"),
        ),
        Index("ix_channel_message_channel_at", "channel", "direction", "at"),
        Index("ix_channel_message_at", "at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    channel: str = Field(sa_column=Column(String(20), nullable=False))
    direction: str = Field(sa_column=Column(String(3), nullable=False))
    key: str = Field(sa_column=Column(String(MAX_KEY), nullable=False))
    stamp: str | None = Field(default=None, sa_column=Column(String(200), nullable=True))
    dialogue_id: int | None = Field(default=None, sa_column=ref_column("channel_dialogue.id", nullable=True))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    at: datetime = Field(sa_column=time_column())
    answer: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))


class ChannelTicket(Table, table=True):
    """The dialogue a ticket came from: there its citizen is told. `told`: the last state in plain words."""

    __tablename__: ClassVar[str] = "channel_ticket"
    ticket_id: int = Field(sa_column=_key("ticket.id"))
    dialogue_id: int = Field(sa_column=ref_column("channel_dialogue.id", index=True))
    told: str = Field(default="", sa_column=Column(String(60), nullable=False))


class ChannelState(Table, table=True):
    """How a channel fares: its last trouble, its access token (sealed) for all nodes."""

    __tablename__: ClassVar[str] = "channel_state"
    channel: str = Field(sa_column=Column(String(20), primary_key=True))
    error: str | None = Field(default=None, sa_column=Column(String(60), nullable=True))
    error_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    checked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    token: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    token_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
