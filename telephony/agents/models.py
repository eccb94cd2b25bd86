"""Signed-in agents, each stretch of a state, and work after calls. One writer: `telephony.agents.store`.

The row of a session holds what the person wants (`wish`, `leaving`) and what the PBX shall stand at for
it (`queues`, `paused`, `pause_reason`); the node that leads telephony brings it there (ADR 0022).
`calls` is what the machine remembers of calls under way.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, String, text
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column

STATES = (
    "signed_out", "ready", "not_ready", "ringing", "talking", "hold", "wrap_up", "call_back", "unreachable",
)  # fmt: skip


class AgentSession(Table, table=True):
    """An agent at a telephone, from signing in to signing out; one open per person and per telephone."""

    __tablename__: ClassVar[str] = "agent_session"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("wish IN ('ready', 'not_ready')", name="wish"),
        CheckConstraint("signed_out_at >= signed_in_at", name="span"),
        Index(
            "uq_agent_session_user", "user_id", unique=True, postgresql_where=text("signed_out_at IS NULL")
        ),
        Index(
            "uq_agent_session_extension",
            "extension",
            unique=True,
            postgresql_where=text("signed_out_at IS NULL"),
        ),
        Index("ix_agent_session_user_id_signed_in_at", "user_id", "signed_in_at"),
        Index("ix_agent_session_extension_pbx", "extension", "pbx"),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    extension: str = Field(sa_column=Column(String(20), nullable=False))
    pbx: str = Field(sa_column=Column(String(40), nullable=False))
    queues: list[str] = Field(sa_column=json_column())
    signed_in_at: datetime = Field(sa_column=time_column(index=True))
    signed_out_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_by: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))
    wish: str = Field(sa_column=Column(String(10), nullable=False))  # how to stand when nothing else is on
    wish_reason: str | None = Field(default=None, sa_column=Column(String(30), nullable=True))
    wish_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    leaving: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))  # ended_by to come
    missed: int = 0  # rings in a row that nobody answered
    reachable: bool = True
    paused: bool  # what follows from all this for the queues of the PBX
    pause_reason: str = Field(default="", sa_column=Column(String(30), nullable=False))
    calls: dict[str, Any] = Field(sa_column=json_column())
    changed_at: datetime = Field(sa_column=time_column())
    version: int = 1


class AgentInterval(Table, table=True):
    """One stretch of one state; the next begins where it ends. Appended; only `ended_at` is ever set.

    PostgreSQL refuses what overlaps (an exclusion constraint of migration 0024) and what is changed else.
    """

    __tablename__: ClassVar[str] = "agent_interval"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ({})".format(", ".join(f"'{name}'" for name in STATES)), name="state"),
        CheckConstraint("ended_at >= started_at", name="span"),
        Index(
            "uq_agent_interval_open",
            "agent_session_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_agent_interval_user_id_started_at", "user_id", "started_at"),
        Index("ix_agent_interval_started_at", "started_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    agent_session_id: int = Field(sa_column=ref_column("agent_session.id"))
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    extension: str = Field(sa_column=Column(String(20), nullable=False))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(String(30), nullable=True))
    call_session_id: int | None = Field(
        default=None, sa_column=ref_column("call_session.id", nullable=True, index=True)
    )
    queue: str | None = Field(default=None, sa_column=Column(String(40), nullable=True))
    set_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    started_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class WrapUp(Table, table=True):
    """Work after a call, until its deadline or until the agent ends it; the code may come later still."""

    __tablename__: ClassVar[str] = "wrap_up"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_at >= started_at", name="span"),
        Index("uq_wrap_up_open", "user_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_wrap_up_due", "ends_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_wrap_up_to_log", "id", postgresql_where=text("code IS NOT NULL AND NOT logged")),
        Index("ix_wrap_up_user_id_started_at", "user_id", "started_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    agent_session_id: int = Field(sa_column=ref_column("agent_session.id", index=True))
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    extension: str = Field(sa_column=Column(String(20), nullable=False))
    call_session_id: int | None = Field(
        default=None, sa_column=ref_column("call_session.id", nullable=True, index=True)
    )
    code: str | None = Field(default=None, sa_column=Column(String(30), nullable=True))
    note: str = Field(default="", sa_column=Column(String(200), nullable=False))
    started_at: datetime = Field(sa_column=time_column())
    ends_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_by: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))
    extended: int = 0
    logged: bool = False  # the code stands in queue_log
