"""The telephone's figures: the floor as it is now, and spans of time, from kept figures.

Nothing is counted from calls that are over: `telephony.intervals` kept them when they ended, and
`telephony.agent_time` the agents' time. What is still going on is found by the index of open calls and of
open stretches. What each measure is: `telephony.measures`.

A call belongs to the moment and the queue it entered first, also when another queue answered it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from telephony.agent_figures import Going, going, time_by, wraps_by
from telephony.calls.counts import COUNTERS, Agents, so_far
from telephony.grains import Grain, begin_of, city_midnight, column_of
from telephony.measures import Figures, Worked
from telephony.models import AgentState, CallInterval, CallLeg, CallSession, PbxState

INTERVAL: sa.Table = CallInterval.__table__  # type: ignore[attr-defined]  # set by SQLModel
SESSION: sa.Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEG: sa.Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
AGENT: sa.Table = AgentState.__table__  # type: ignore[attr-defined]  # set by SQLModel
PBX: sa.Table = PbxState.__table__  # type: ignore[attr-defined]  # set by SQLModel
ALIVE = timedelta(seconds=30)  # without a sign of life for so long a PBX is not known to be well
FAR = datetime(2200, 1, 1, tzinfo=UTC)
AGENT_STATES = ("talking", "ringing", "ready", "wrap_up", "paused", "unreachable", "out")


@dataclass(frozen=True)
class QueueNow:
    """One queue: who waits in it now, and the calls of today that entered it first."""

    queue: str
    waiting: int
    longest_since: datetime | None
    today: Figures


@dataclass(frozen=True)
class FloorNow:
    """The floor at `at`. `agents` counts telephones by state; it is None when no PBX tells of any."""

    at: datetime
    waiting: int
    longest_since: datetime | None
    today: Figures
    queues: tuple[QueueNow, ...] = ()
    agents: dict[str, int] | None = None
    pauses: dict[str, int] = field(default_factory=dict)  # reason → telephones, "" for none given
    connected: bool = False  # every PBX that is followed gave a sign of life lately
    gap: bool = False  # calls may be missing

    @property
    def longest_wait_seconds(self) -> float:
        """How long the first of those who wait has waited."""
        if self.longest_since is None:
            return 0.0
        return max(0.0, (self.at - self.longest_since).total_seconds())  # a PBX's clock may be ahead


@dataclass(frozen=True)
class Span:
    """One hour or one day of the city's time, from `starts_at` (UTC)."""

    starts_at: datetime
    figures: Figures


@dataclass(frozen=True)
class DayFigures:
    """Days from the first to the last: each hour that had calls, each day, and all together."""

    hours: tuple[Span, ...]
    days: tuple[Span, ...]
    total: Figures


async def floor_now(session: AsyncSession, now: datetime) -> FloorNow:
    """Who waits, what today brought, how the agents stand."""
    begin = city_midnight(to_city(now).date())
    calls, open_ones = await _open_calls(session), await going(session)
    today = await _by_queue(session, begin, FAR, now, calls, open_ones)
    waiting: dict[str, list[datetime]] = {}
    for call in calls:
        if call["state"] in ("waiting", "ringing") and call["queued_at"] is not None and call["queues"]:
            waiting.setdefault(call["queues"][-1], []).append(call["queued_at"])
    queues = tuple(
        QueueNow(
            name,
            len(waiting.get(name, ())),
            min(waiting.get(name, ()), default=None),
            today.get(name, Figures()),
        )
        for name in sorted({*today, *waiting})
    )
    since = [queue.longest_since for queue in queues if queue.longest_since is not None]
    total = Figures()
    for figures in today.values():
        total = total.plus(vars(figures))
    for worked in (await time_by(session, begin, FAR, Grain.DAY, now, open_ones)).values():
        total = total.plus(worked.counts())
    connected, gap = await _pbx(session, now)
    agents, pauses = await _agents(session, now)
    return FloorNow(
        now, sum(queue.waiting for queue in queues), min(since, default=None), total, queues,
        agents, pauses, connected, gap,
    )  # fmt: skip


async def day_figures(
    session: AsyncSession,
    first_day: date,
    last_day: date,
    *,
    queue: str | None = None,
    now: datetime | None = None,
) -> DayFigures:
    """The city's days from `first_day` to `last_day`; calls that go on count as far as they are.

    `now`: up to when agents who are signed in are counted, or only what of their time is over.
    """
    begin, end = city_midnight(first_day), city_midnight(last_day + timedelta(days=1))
    hours = await figures_by(session, begin, end, Grain.HOUR, queue=queue, now=now)
    days: dict[datetime, Figures] = {}
    total = Figures()
    for hour, figures in hours.items():
        day = city_midnight(to_city(hour).date())
        days[day] = days.get(day, Figures()).plus(vars(figures))
        total = total.plus(vars(figures))
    return DayFigures(_spans(hours), _spans(days), total)


async def figures_by(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    grain: Grain,
    *,
    queue: str | None = None,
    now: datetime | None = None,
    worked: Mapping[datetime, Worked] | None = None,
) -> dict[datetime, Figures]:
    """Each span of [begin, end) that had calls or agents; agents' time is of all queues or not told.

    `worked`: that time, for who has read it already.
    """
    found: dict[datetime, Figures] = {}
    for at, row in await _kept_by_span(session, begin, end, grain, queue):
        found[at] = Figures().plus(row)
    for call in await _open_calls(session):
        place = so_far(call, Agents(), 0)
        if place is None or not begin <= place[0].starts_at < end or queue not in (None, place[0].queue):
            continue
        at = begin_of(place[0].starts_at, grain)
        found[at] = found.get(at, Figures()).plus(place[1])
    open_ones, upto = ([], begin) if now is None else (await going(session), now)
    wraps = await wraps_by(session, begin, end, grain, upto, queue=queue, open_ones=open_ones)
    for (at, _), after in wraps.items():
        found[at] = found.get(at, Figures()).plus(vars(after))
    if queue is None and worked is None:
        worked = await time_by(session, begin, end, grain, upto, open_ones)
    for at, time in (worked or {}).items():
        found[at] = found.get(at, Figures()).plus(time.counts())
    return found


async def queue_figures(
    session: AsyncSession, begin: datetime, end: datetime, now: datetime
) -> dict[str, Figures]:
    """The calls of [begin, end) by the queue they entered first."""
    return await _by_queue(session, begin, end, now, await _open_calls(session), await going(session))


async def _by_queue(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    now: datetime,
    calls: Sequence[Mapping[Any, Any]],
    open_ones: list[Going],
) -> dict[str, Figures]:
    found = {name: Figures().plus(row) for name, row in await _kept_by_queue(session, begin, end)}
    for call in calls:
        place = so_far(call, Agents(), 0)
        if place is not None and begin <= call["queued_at"] < end:
            found[place[0].queue] = found.get(place[0].queue, Figures()).plus(place[1])
    wraps = await wraps_by(session, begin, end, Grain.DAY, now, open_ones=open_ones)
    for (_, name), after in wraps.items():
        found[name] = found.get(name, Figures()).plus(vars(after))
    return found


def _spans(found: dict[datetime, Figures]) -> tuple[Span, ...]:
    return tuple(Span(at, figures) for at, figures in sorted(found.items()))


def _sums() -> list[sa.ColumnElement[Any]]:
    return [sa.func.sum(INTERVAL.c[name]).label(name) for name in COUNTERS]


async def _kept_by_queue(
    session: AsyncSession, begin: datetime, end: datetime
) -> list[tuple[str, Mapping[str, int]]]:
    query = (
        sa.select(INTERVAL.c.queue, *_sums())
        .where(INTERVAL.c.starts_at >= begin, INTERVAL.c.starts_at < end)
        .group_by(INTERVAL.c.queue)
    )
    return [(row.queue, dict(row._mapping)) for row in await session.execute(query)]


async def _kept_by_span(
    session: AsyncSession, begin: datetime, end: datetime, grain: Grain, queue: str | None
) -> list[tuple[datetime, Mapping[str, int]]]:
    at = column_of(INTERVAL.c.starts_at, grain).label("at")
    query = sa.select(at, *_sums()).where(INTERVAL.c.starts_at >= begin, INTERVAL.c.starts_at < end)
    if queue is not None:
        query = query.where(INTERVAL.c.queue == queue)
    rows = await session.execute(query.group_by(sa.text("1")))
    return [(row.at, dict(row._mapping)) for row in rows]


async def _open_calls(session: AsyncSession) -> list[Mapping[Any, Any]]:
    names = (
        "direction", "state", "outcome", "queues", "wait_seconds", "queued_at", "answered_at", "ended_at",
        "transfers",
    )  # fmt: skip
    query = sa.select(*(SESSION.c[name] for name in names)).where(
        SESSION.c.ended_at.is_(None), SESSION.c.direction == "inbound", SESSION.c.queued_at.is_not(None)
    )
    return list((await session.execute(query)).mappings())


async def _pbx(session: AsyncSession, now: datetime) -> tuple[bool, bool]:
    """Whether all is well with the telephone, and whether calls may be missing."""
    rows = (await session.execute(sa.select(PBX.c.connected, PBX.c.updated_at, PBX.c.gap_since))).all()
    alive = [row for row in rows if row.updated_at > now - timedelta(days=1)]  # others are of the past
    well = bool(alive) and all(row.connected and row.updated_at > now - ALIVE for row in alive)
    return well, any(row.gap_since is not None for row in alive)


async def _agents(session: AsyncSession, now: datetime) -> tuple[dict[str, int] | None, dict[str, int]]:
    """Telephones by state: a call comes before what the queues say of them."""
    lately = sa.select(PBX.c.pbx).where(PBX.c.updated_at > now - ALIVE)
    standing = sa.select(AGENT.c.extension, AGENT.c.state, AGENT.c.reason).where(AGENT.c.pbx.in_(lately))
    rows = (await session.execute(standing)).all()
    if not rows:
        return None, {}
    at_work = (
        sa.select(LEG.c.extension, LEG.c.state)
        .join(SESSION, SESSION.c.id == LEG.c.session_id)
        .where(SESSION.c.ended_at.is_(None), LEG.c.state.in_(("ringing", "talking")))
        .order_by(LEG.c.state)  # who talks while another call rings talks
    )
    busy = {row.extension: row.state for row in await session.execute(at_work)}
    agents, pauses = dict.fromkeys(AGENT_STATES, 0), dict[str, int]()
    for extension, state, reason in rows:
        shown = busy.get(extension, state)
        agents[shown] += 1
        if shown == "paused":
            pauses[reason or ""] = pauses.get(reason or "", 0) + 1
    return agents, pauses


__all__ = [
    "DayFigures", "Figures", "FloorNow", "QueueNow", "Span",
    "city_midnight", "day_figures", "figures_by", "floor_now", "queue_figures",
]  # fmt: skip
