"""Reading calls: cards, what waits and talks now, what a citizen's calls were, how the PBXs are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.privacy import PersonalValue
from telephony.models import CallLeg, CallSession, PbxState

SESSION: Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEG: Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
STATE: Table = PbxState.__table__  # type: ignore[attr-defined]  # set by SQLModel
VALUE: Table = PersonalValue.__table__  # type: ignore[attr-defined]  # set by SQLModel


@dataclass(frozen=True)
class CallCard:
    """One session as screens show it: masked number, no name unless revealed."""

    id: int
    pbx: str
    direction: str
    state: str
    outcome: str | None
    caller_ref: int | None
    caller_masked: str | None
    caller_kind: str
    did: str | None
    queues: tuple[str, ...]
    wait_seconds: float | None
    first_extension: str | None
    started_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    version: int


@dataclass(frozen=True)
class LegCard:
    """One agent's part of a session."""

    extension: str
    user_id: int | None
    state: str
    ring_seconds: float
    talk_seconds: float
    hold_seconds: float
    ended_by: str | None


def _cards() -> Any:
    return select(SESSION, VALUE.c.masked.label("caller_masked")).join(
        VALUE, VALUE.c.id == SESSION.c.caller_ref, isouter=True
    )


def _card(row: Any) -> CallCard:
    names = CallCard.__dataclass_fields__
    return CallCard(**{name: row[name] for name in names} | {"queues": tuple(row["queues"])})


async def session_card(session: AsyncSession, session_id: int) -> CallCard | None:
    """One session; None when there is none of this id."""
    row = (await session.execute(_cards().where(SESSION.c.id == session_id))).mappings().first()
    return _card(row) if row is not None else None


async def legs_of(session: AsyncSession, session_id: int) -> list[LegCard]:
    """The agents' parts of a session, in the order in which they rang."""
    columns = [LEG.c[name] for name in LegCard.__dataclass_fields__]
    query = select(*columns).where(LEG.c.session_id == session_id).order_by(LEG.c.id)
    return [LegCard(**row) for row in (await session.execute(query)).mappings()]


async def open_sessions(session: AsyncSession, *, limit: int = 500) -> list[CallCard]:
    """Calls that have not ended, oldest first."""
    query = _cards().where(SESSION.c.ended_at.is_(None)).order_by(SESSION.c.started_at).limit(limit)
    return [_card(row) for row in (await session.execute(query)).mappings()]


async def queue_now(session: AsyncSession) -> dict[str, tuple[int, datetime]]:
    """By queue: how many citizens wait in it, and since when the first of them does."""
    last = SESSION.c.queues[-1].astext
    waiting = SESSION.c.ended_at.is_(None) & SESSION.c.state.in_(("waiting", "ringing"))
    query = (
        select(last, func.count(), func.min(SESSION.c.queued_at))
        .where(waiting, SESSION.c.queued_at.is_not(None))
        .group_by(last)
    )
    return {name: (count, since) for name, count, since in await session.execute(query)}


async def pbx_states(session: AsyncSession) -> list[PbxState]:
    """Every PBX that was ever followed, by name."""
    return list((await session.execute(select(PbxState).order_by(STATE.c.pbx))).scalars())


async def recent_calls_of(session: AsyncSession, caller_ref: int, limit: int = 5) -> list[CallCard]:
    """A citizen's latest calls, newest first."""
    query = _cards().where(SESSION.c.caller_ref == caller_ref).order_by(SESSION.c.started_at.desc())
    return [_card(row) for row in (await session.execute(query.limit(limit))).mappings()]
