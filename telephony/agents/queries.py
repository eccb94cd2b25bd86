"""Reading agents' states: the floor, one's own seat, one's own intervals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import User
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession, WrapUp

SESSION, INTERVAL, WRAP, USER = (
    table_of(AgentSession), table_of(AgentInterval), table_of(WrapUp), table_of(User),
)  # fmt: skip
UNCODED_SHOWN = timedelta(minutes=15)  # a call without a code is asked about for so long


@dataclass(frozen=True)
class AgentRow:
    """A signed-in agent now. `call` is a call session; `wish` is what holds once call and work are over."""

    session_id: int
    user_id: int
    login: str
    name: str
    extension: str
    pbx: str
    state: str
    reason: str | None
    since: datetime
    set_by: int | None
    queues: tuple[str, ...]
    call: int | None
    queue: str | None
    wish: str
    wish_reason: str | None
    leaving: bool
    signed_in_at: datetime
    wrap_up_ends_at: datetime | None
    version: int


@dataclass(frozen=True)
class WrapUpNow:
    """Work after a call that goes on, or whose code is still missing."""

    id: int
    call: int | None
    started_at: datetime
    ends_at: datetime
    open: bool
    code: str | None
    extended: int


def _rows() -> Select[Any]:
    columns = [SESSION.c[name] for name in ("user_id", "extension", "pbx", "queues", "wish", "wish_reason")]
    columns += [SESSION.c.leaving, SESSION.c.signed_in_at, SESSION.c.version, USER.c.login, USER.c.name]
    columns += [INTERVAL.c[name] for name in ("state", "reason", "set_by", "queue")]
    return (
        select(
            SESSION.c.id.label("session_id"),
            *columns,
            INTERVAL.c.started_at.label("since"),
            INTERVAL.c.call_session_id.label("call"),
            WRAP.c.ends_at.label("wrap_up_ends_at"),
        )
        .join(USER, USER.c.id == SESSION.c.user_id)
        .join(INTERVAL, (INTERVAL.c.agent_session_id == SESSION.c.id) & INTERVAL.c.ended_at.is_(None))
        .join(WRAP, (WRAP.c.agent_session_id == SESSION.c.id) & WRAP.c.ended_at.is_(None), isouter=True)
        .where(SESSION.c.signed_out_at.is_(None))
    )


def _row(row: Any) -> AgentRow:
    given = {name: row[name] for name in AgentRow.__dataclass_fields__}
    return AgentRow(**given | {"queues": tuple(row["queues"]), "leaving": row["leaving"] is not None})


async def floor(session: AsyncSession) -> list[AgentRow]:
    """Every signed-in agent, by extension."""
    query = _rows().order_by(SESSION.c.extension)
    return [_row(row) for row in (await session.execute(query)).mappings()]


async def agent_now(session: AsyncSession, user_id: int) -> AgentRow | None:
    """How one agent stands; None when not signed in."""
    row = (await session.execute(_rows().where(SESSION.c.user_id == user_id))).mappings().first()
    return None if row is None else _row(row)


async def held_by_other(session: AsyncSession, extension: str, user_id: int) -> str | None:
    """The name of another person who is signed in at this telephone."""
    query = select(USER.c.name).join(SESSION, SESSION.c.user_id == USER.c.id)
    query = query.where(SESSION.c.extension == extension, SESSION.c.user_id != user_id)
    found: str | None = (await session.execute(query.where(SESSION.c.signed_out_at.is_(None)))).scalar()
    return found


async def wrap_up_now(session: AsyncSession, user_id: int, now: datetime) -> WrapUpNow | None:
    """The work after a call that goes on, else the latest call without a code, for a while."""
    query = select(WRAP).where(WRAP.c.user_id == user_id)
    query = query.order_by(WRAP.c.started_at.desc(), WRAP.c.id.desc()).limit(1)
    row = (await session.execute(query)).mappings().first()
    if row is None:
        return None
    goes_on = row["ended_at"] is None
    if not goes_on and (row["code"] is not None or now - row["ended_at"] > UNCODED_SHOWN):
        return None
    return WrapUpNow(
        row["id"],
        row["call_session_id"],
        row["started_at"],
        row["ends_at"],
        goes_on,
        row["code"],
        row["extended"],
    )
