"""Call sessions, their agent legs, and what we know of each PBX.

A row is written as soon as a citizen's call is seen and only ever moves forward. Nothing here holds
a telephone number or a name: `caller_ref` and `caller_name_ref` point at sealed personal values.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

OPEN_LEG = text("call_leg.state <> 'ended'")  # spelled out: a bound value finds no partial index


class CallSession(Table, table=True):
    """One call of one citizen, whatever channels, queues and transfers it was made of."""

    __tablename__: ClassVar[str] = "call_session"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("pbx", "session_key"),
        Index("ix_call_session_open", "pbx", postgresql_where=text("ended_at IS NULL")),
        Index("ix_call_session_caller_ref_started_at", "caller_ref", "started_at"),
        Index("ix_call_session_started_at", "started_at"),
        Index("ix_call_session_outbound", "started_at", postgresql_where=text("direction = 'outbound'")),
        Index(
            "ix_call_session_recorded",
            "ended_at",
            postgresql_where=text(
                "(recording IS NOT NULL OR voicemail IS NOT NULL) AND recording_gone_at IS NULL"
            ),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    pbx: str = Field(sa_type=Text)
    session_key: str = Field(sa_type=Text)  # first trunk-side Linkedid, or our ChannelId
    direction: str = Field(sa_type=Text)  # inbound outbound internal
    caller_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    caller_name_ref: int | None = Field(
        default=None, sa_column=ref_column("personal_value.id", nullable=True)
    )
    caller_kind: str = Field(sa_type=Text)  # mobile landline service foreign internal anonymous invalid
    did: str | None = Field(default=None, sa_type=Text)  # the number that was dialled
    state: str = Field(sa_type=Text)  # ivr waiting ringing talking ended
    outcome: str | None = Field(default=None, sa_type=Text)  # null until ended
    queues: list[str] = Field(sa_column=json_column())
    wait_seconds: float | None = None
    transfers: list[dict[str, Any]] = Field(sa_column=json_column())
    linkedids: list[str] = Field(sa_column=json_column())
    recording: str | None = Field(default=None, sa_type=Text)
    # What the citizen said by keys after the agent had left: satisfied, 1 to 5, and whether it was solved.
    survey: str | None = Field(default=None, sa_type=Text)
    survey_solved: bool | None = None
    survey_asked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # The file of the message he left, and its length as the PBX says; 0: the mailbox heard nothing.
    voicemail: str | None = Field(default=None, sa_type=Text)
    voicemail_ms: int | None = None
    # What happened while it was recorded (`telephony.calls.marks`), from the call's end on.
    marks: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    # When retention took the files away.
    recording_gone_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    first_extension: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(sa_column=time_column())
    queued_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    answered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    version: int


class CallLeg(Table, table=True):
    """One agent's telephone in a session: how long it rang, talked and held, and who ended it."""

    __tablename__: ClassVar[str] = "call_leg"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("session_id", "leg_key"),
        Index("ix_call_leg_open", "extension", postgresql_where=OPEN_LEG),
        Index("ix_call_leg_user_id_answered_at", "user_id", "answered_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    session_id: int = Field(sa_column=ref_column("call_session.id"))
    leg_key: str = Field(sa_type=Text)  # the extension: one leg per telephone
    extension: str = Field(sa_type=Text)
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    state: str = Field(sa_type=Text)  # ringing talking ended
    ring_seconds: float
    talk_seconds: float
    hold_seconds: float
    missed: int = Field(  # rings that nobody answered in time
        default=0, sa_column=Column(Integer, nullable=False, server_default="0")
    )
    ended_by: str | None = Field(default=None, sa_type=Text)  # citizen agent transfer system
    rang_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    answered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CallInterval(Table, table=True):
    """What became of the calls that entered a queue in one quarter of an hour (`telephony.calls.counts`)."""

    __tablename__: ClassVar[str] = "call_interval"
    starts_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    queue: str = Field(primary_key=True, sa_type=Text)
    offered: int
    answered: int
    answered_in_15: int
    waits: int
    wait_ms: int = Field(sa_type=BigInteger)
    abandoned: int
    short_abandoned: int
    timeout: int
    withdrawn: int
    empty: int
    left_by_key: int
    unknown: int
    talk_ms: int = Field(sa_type=BigInteger)
    hold_ms: int = Field(sa_type=BigInteger)
    missed: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    transferred: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    surveyed: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    scored: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    satisfied: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    solved_told: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    solved: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))


class AgentTime(Table, table=True):
    """Milliseconds of one quarter of an hour that an agent spent in a state (`telephony.agent_time`)."""

    __tablename__: ClassVar[str] = "agent_time"
    starts_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), primary_key=True))
    state: str = Field(sa_column=Column(String(12), primary_key=True))
    reason: str = Field(sa_column=Column(String(30), primary_key=True))  # "": none
    ms: int = Field(sa_type=BigInteger)


class AgentWrap(Table, table=True):
    """An agent's work after calls, where those belong: at the quarter and queue they entered first."""

    __tablename__: ClassVar[str] = "agent_wrap"
    starts_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    queue: str = Field(primary_key=True, sa_type=Text)
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), primary_key=True))
    wraps: int
    wrap_ms: int = Field(sa_type=BigInteger)


class AgentState(Table, table=True):
    """How a telephone stands in the queues of its PBX, as that PBX last said; calls are not part of it."""

    __tablename__: ClassVar[str] = "agent_state"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('ready', 'paused', 'wrap_up', 'unreachable', 'out')", name="state"),
    )
    pbx: str = Field(primary_key=True, sa_type=Text)
    extension: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_column=Column(String(12), nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(String(60), nullable=True))
    queues: list[str] = Field(sa_column=json_column())
    since: datetime = Field(sa_column=time_column())


class PbxState(Table, table=True):
    """What the console may say of one PBX; `gap_since` is set while calls may be missing."""

    __tablename__: ClassVar[str] = "pbx_state"
    pbx: str = Field(primary_key=True, sa_type=Text)
    connected: bool
    connected_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    silent_since: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    gap_since: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    gap_note: str | None = Field(default=None, sa_type=Text)
    queue_log_inode: int | None = Field(default=None, sa_type=BigInteger)
    queue_log_offset: int | None = Field(default=None, sa_type=BigInteger)
    generation: int
    updated_at: datetime = Field(sa_column=time_column())


class PhoneEnquiry(Table, table=True):
    """A citizen asked by the keys of his telephone how a ticket stands, and what he was told."""

    __tablename__: ClassVar[str] = "phone_enquiry"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("pbx", "session_key", "attempt"),
        Index("ix_phone_enquiry_ticket_id", "ticket_id", "id"),
        Index("ix_phone_enquiry_at", "at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    pbx: str = Field(sa_type=Text)
    session_key: str = Field(sa_type=Text)  # of the call
    attempt: int  # a call may ask several times
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    answer: str = Field(sa_column=Column(String(20), nullable=False))  # the word of the prompt
    at: datetime = Field(sa_column=time_column())


class DialOrder(Table, table=True):
    """A call somebody ordered from a page; carried out at most once."""

    __tablename__: ClassVar[str] = "dial_order"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('waiting', 'taken', 'ringing', 'failed', 'late')", name="state"),
        Index("ix_dial_order_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_dial_order_object", "object", "object_id", "id"),
        Index("ix_dial_order_extension", "extension", "id"),
        Index("ix_dial_order_number_ref", "number_ref", "id"),
        Index("ix_dial_order_ordered_at", "ordered_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    extension: str = Field(sa_type=Text)
    number_ref: int = Field(sa_column=ref_column("personal_value.id"))
    object: str = Field(sa_column=Column(String(20), nullable=False))  # the call is about: ticket, callback
    object_id: int = Field(sa_type=BigInteger)
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    channel_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    why: str | None = Field(default=None, sa_column=Column(String(40), nullable=True))
    ordered_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
