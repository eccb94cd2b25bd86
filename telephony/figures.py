"""The telephone's measures: the floor as it is now, and days by hour, from kept figures.

Nothing is counted from calls that are over: `telephony.intervals` kept them when they ended. What is
still going on is found by the index of open calls. The definitions are the only ones of the product:

* offered: entered a queue for agents; short abandons (hung up within seconds) stand apart, outside the
  rates, and so do calls that left by a key or whose end nobody saw.
* counted = answered + abandoned + timeout + withdrawn + empty, the denominator of the three rates:
  接通率 = answered, 15 秒应答率 = answered within 15 s of entering the queue, 放弃率 = abandoned.
* ASA = mean wait of the answered. Talk = time in a bridge with the citizen, hold included.
* AHT = talk + wrap-up, occupancy = (talk + wrap-up) / (signed in − not ready). How long agents wrapped
  up, were signed in and not ready is not kept, so that both are None rather than a guess.

A call belongs to the moment and the queue it entered first, also when another queue answered it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from telephony.calls.counts import COUNTERS, Agents, so_far
from telephony.models import AgentState, CallInterval, CallLeg, CallSession, PbxState

INTERVAL: sa.Table = CallInterval.__table__  # type: ignore[attr-defined]  # set by SQLModel
SESSION: sa.Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEG: sa.Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
AGENT: sa.Table = AgentState.__table__  # type: ignore[attr-defined]  # set by SQLModel
PBX: sa.Table = PbxState.__table__  # type: ignore[attr-defined]  # set by SQLModel
ALIVE = timedelta(seconds=30)  # without a sign of life for so long a PBX is not known to be well
AGENT_STATES = ("talking", "ringing", "ready", "wrap_up", "paused", "unreachable", "out")


@dataclass(frozen=True)
class Figures:
    """What became of the calls of a span of time. Seconds and shares are None where there was nothing."""

    offered: int = 0
    answered: int = 0
    answered_in_15: int = 0
    waits: int = 0
    wait_ms: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    timeout: int = 0
    withdrawn: int = 0
    empty: int = 0
    left_by_key: int = 0
    unknown: int = 0
    talk_ms: int = 0
    hold_ms: int = 0

    def plus(self, counts: Mapping[str, int]) -> "Figures":
        """With further counts."""
        return Figures(**{name: getattr(self, name) + int(counts.get(name) or 0) for name in COUNTERS})

    @property
    def counted(self) -> int:
        """The denominator of the rates."""
        return self.answered + self.abandoned + self.timeout + self.withdrawn + self.empty

    @property
    def answer_rate(self) -> float | None:
        """接通率."""
        return _share(self.answered, self.counted)

    @property
    def prompt_rate(self) -> float | None:
        """15 秒应答率."""
        return _share(self.answered_in_15, self.counted)

    @property
    def abandon_rate(self) -> float | None:
        """放弃率."""
        return _share(self.abandoned, self.counted)

    @property
    def asa_seconds(self) -> float | None:
        """Mean wait of the answered whose wait is known."""
        return _share(self.wait_ms / 1000, self.waits)

    @property
    def talk_seconds(self) -> float | None:
        """Mean talk of an answered call."""
        return _share(self.talk_ms / 1000, self.answered)

    @property
    def hold_seconds(self) -> float | None:
        """Mean hold of an answered call, a part of its talk."""
        return _share(self.hold_ms / 1000, self.answered)

    @property
    def aht_seconds(self) -> float | None:
        """None: how long agents wrapped up is not kept."""
        return None

    @property
    def occupancy(self) -> float | None:
        """None: how long agents were signed in and ready is not kept."""
        return None


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


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
        return 0.0 if self.longest_since is None else (self.at - self.longest_since).total_seconds()


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


def city_midnight(day: date) -> datetime:
    """When a day begins in the city."""
    return datetime.combine(day, time(), CITY_ZONE)


async def floor_now(session: AsyncSession, now: datetime) -> FloorNow:
    """Who waits, what today brought, how the agents stand."""
    begin = city_midnight(to_city(now).date())
    today = {name: Figures().plus(row) for name, row in await _kept_by_queue(session, begin)}
    waiting: dict[str, list[datetime]] = {}
    for call in await _open_calls(session):
        found = so_far(call, Agents(), 0)
        if found is not None and call["queued_at"] >= begin:
            today[found[0].queue] = today.get(found[0].queue, Figures()).plus(found[1])
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
    connected, gap = await _pbx(session, now)
    agents, pauses = await _agents(session, now)
    return FloorNow(
        now, sum(queue.waiting for queue in queues), min(since, default=None), total, queues,
        agents, pauses, connected, gap,
    )  # fmt: skip


async def day_figures(
    session: AsyncSession, first_day: date, last_day: date, *, queue: str | None = None
) -> DayFigures:
    """The city's days from `first_day` to `last_day`; calls that go on count as far as they are."""
    begin, end = city_midnight(first_day), city_midnight(last_day + timedelta(days=1))
    hours: dict[datetime, Figures] = {}
    for hour, row in await _kept_by_hour(session, begin, end, queue):
        hours[hour] = Figures().plus(row)
    for call in await _open_calls(session):
        found = so_far(call, Agents(), 0)
        if found is None or not begin <= found[0].starts_at < end or queue not in (None, found[0].queue):
            continue
        hour = found[0].starts_at.replace(minute=0)
        hours[hour] = hours.get(hour, Figures()).plus(found[1])
    days: dict[datetime, Figures] = {}
    total = Figures()
    for hour, figures in hours.items():
        day = city_midnight(to_city(hour).date())
        days[day] = days.get(day, Figures()).plus(vars(figures))
        total = total.plus(vars(figures))
    return DayFigures(_spans(hours), _spans(days), total)


def _spans(found: dict[datetime, Figures]) -> tuple[Span, ...]:
    return tuple(Span(at, figures) for at, figures in sorted(found.items()))


def _sums() -> list[sa.ColumnElement[Any]]:
    return [sa.func.sum(INTERVAL.c[name]).label(name) for name in COUNTERS]


async def _kept_by_queue(session: AsyncSession, begin: datetime) -> list[tuple[str, Mapping[str, int]]]:
    query = (
        sa.select(INTERVAL.c.queue, *_sums()).where(INTERVAL.c.starts_at >= begin).group_by(INTERVAL.c.queue)
    )
    return [(row.queue, dict(row._mapping)) for row in await session.execute(query)]


async def _kept_by_hour(
    session: AsyncSession, begin: datetime, end: datetime, queue: str | None
) -> list[tuple[datetime, Mapping[str, int]]]:
    hour = sa.func.date_trunc("hour", INTERVAL.c.starts_at, CITY_ZONE.key).label("hour")
    query = sa.select(hour, *_sums()).where(INTERVAL.c.starts_at >= begin, INTERVAL.c.starts_at < end)
    if queue is not None:
        query = query.where(INTERVAL.c.queue == queue)
    rows = await session.execute(query.group_by(sa.text("hour")))
    return [(row.hour, dict(row._mapping)) for row in rows]


async def _open_calls(session: AsyncSession) -> list[Mapping[Any, Any]]:
    names = (
        "direction", "state", "outcome", "queues", "wait_seconds", "queued_at", "answered_at", "ended_at",
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
