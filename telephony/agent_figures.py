"""What agents did: time by state, work after calls, calls taken and missed; by span of time or by agent.

Stretches that are over were kept by quarter of an hour (`telephony.agent_time`); the few that go on are cut
here, up to `now`. Calls of an agent are those behind the list: legs of calls that entered a queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import User
from core.tables import table_of
from telephony.agent_time import milliseconds
from telephony.agents.models import AgentInterval
from telephony.calls.counts import quarter
from telephony.grains import Grain, begin_of, column_of, end_of
from telephony.measures import NOBODY, Worked, share
from telephony.models import AgentTime, AgentWrap, CallLeg, CallSession

TIME = table_of(AgentTime)
WRAP = table_of(AgentWrap)
STRETCH = table_of(AgentInterval)
CALL = table_of(CallSession)
LEG = table_of(CallLeg)
USER = table_of(User)
IVR = timedelta(hours=1)  # nobody listens to the menu for longer before a queue


@dataclass(frozen=True)
class Going:
    """A stretch that goes on; for work after a call, where that call belongs."""

    user_id: int
    state: str
    reason: str
    started_at: datetime
    queue: str | None
    queued_at: datetime | None


@dataclass(frozen=True)
class Wraps:
    """Pieces of work after calls, and their milliseconds."""

    wraps: int = 0
    wrap_ms: int = 0

    def plus(self, wraps: int, wrap_ms: int) -> "Wraps":
        """With further ones."""
        return Wraps(self.wraps + wraps, self.wrap_ms + wrap_ms)


@dataclass(frozen=True)
class AgentFigures:
    """One agent in a span of time; telephones nobody is known at stand under their extension."""

    user_id: int | None
    name: str  # of the person; the extension where none is known
    login: str
    rung: int = 0
    taken: int = 0
    missed: int = 0  # rings
    passed_on: int = 0  # calls given to somebody else
    talk_ms: int = 0
    hold_ms: int = 0
    wraps: int = 0
    wrap_ms: int = 0
    worked: Worked = NOBODY

    @property
    def talk_seconds(self) -> float | None:
        """Mean talk of a call taken."""
        return share(self.talk_ms / 1000, self.taken)

    @property
    def hold_seconds(self) -> float | None:
        """Mean hold of a call taken."""
        return share(self.hold_ms / 1000, self.taken)

    @property
    def wrap_seconds(self) -> float | None:
        """Mean work after a call taken; None when none was kept."""
        return share(self.wrap_ms / 1000, self.taken) if self.wraps else None

    @property
    def aht_seconds(self) -> float | None:
        """Mean talk and work after a call taken; None when no work after calls was kept."""
        return share((self.talk_ms + self.wrap_ms) / 1000, self.taken) if self.wraps else None


async def going(session: AsyncSession) -> list[Going]:
    """The stretches that go on."""
    inbound = sa.and_(CALL.c.direction == "inbound", STRETCH.c.state == "wrap_up")
    query = (
        sa.select(
            STRETCH.c.user_id, STRETCH.c.state, sa.func.coalesce(STRETCH.c.reason, "").label("reason"),
            STRETCH.c.started_at, CALL.c.queues[0].astext.label("queue"), CALL.c.queued_at,
        )
        .select_from(STRETCH.outerjoin(CALL, sa.and_(CALL.c.id == STRETCH.c.call_session_id, inbound)))
        .where(STRETCH.c.ended_at.is_(None), STRETCH.c.state != "signed_out")
    )  # fmt: skip
    return [Going(**row._mapping) for row in await session.execute(query)]


def cut(one: Going, begin: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime] | None:
    """The part of a stretch that goes on which lies in [begin, end); None: nothing."""
    since, upto = max(one.started_at, begin), min(end, now)
    return (since, upto) if since < upto else None


async def time_by(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    grain: Grain,
    now: datetime,
    open_ones: list[Going] | None = None,
) -> dict[datetime, Worked]:
    """What all agents did in each span of [begin, end) in which anybody was signed in."""
    # By quarter first: to tell the span of each row of each agent would cost more than all the rest.
    of = (TIME.c.starts_at, TIME.c.state, TIME.c.reason)
    quarters = (
        sa.select(*of, sa.func.sum(TIME.c.ms).label("ms"))
        .where(TIME.c.starts_at >= begin, TIME.c.starts_at < end)
        .group_by(*of)
        .subquery()
    )
    span = column_of(quarters.c.starts_at, grain).label("at")
    query = sa.select(span, quarters.c.state, quarters.c.reason, sa.func.sum(quarters.c.ms).label("ms"))
    query = query.group_by(sa.text("1"), quarters.c.state, quarters.c.reason)
    found: dict[datetime, Worked] = {}
    for row in await session.execute(query):
        found[row.at] = found.get(row.at, NOBODY).plus(row.state, row.reason, int(row.ms))
    for one in await going(session) if open_ones is None else open_ones:
        part = cut(one, begin, end, now)
        while part is not None:
            since, upto = part
            at = begin_of(since, grain)
            border = min(end_of(at, grain), upto)
            ms = milliseconds(border) - milliseconds(since)
            found[at] = found.get(at, NOBODY).plus(one.state, one.reason, ms)
            part = (border, upto) if border < upto else None
    return found


async def wraps_by(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    grain: Grain,
    now: datetime,
    *,
    queue: str | None = None,
    open_ones: list[Going] | None = None,
) -> dict[tuple[datetime, str], Wraps]:
    """Work after the calls of each span and queue; of a call that is still worked on, as far as it is."""
    bucket = column_of(WRAP.c.starts_at, grain)
    query = (
        sa.select(bucket.label("at"), WRAP.c.queue, sa.func.sum(WRAP.c.wraps), sa.func.sum(WRAP.c.wrap_ms))
        .where(WRAP.c.starts_at >= begin, WRAP.c.starts_at < end)
        .group_by(sa.text("1"), WRAP.c.queue)
    )
    if queue is not None:
        query = query.where(WRAP.c.queue == queue)
    found = {(at, name): Wraps(int(wraps), int(ms)) for at, name, wraps, ms in await session.execute(query)}
    for one in await going(session) if open_ones is None else open_ones:
        if one.queued_at is None or one.queue is None or not begin <= quarter(one.queued_at) < end:
            continue
        if queue in (None, one.queue) and one.started_at < now:
            key = (begin_of(one.queued_at, grain), one.queue)
            found[key] = found.get(key, Wraps()).plus(1, milliseconds(now) - milliseconds(one.started_at))
    return found


async def by_agent(
    session: AsyncSession, begin: datetime, end: datetime, now: datetime, *, queue: str | None = None
) -> list[AgentFigures]:
    """Everybody who was signed in or was rung in [begin, end), by name.

    With a `queue` only calls that entered it first; time is of all queues, since agents sit in several.
    """
    found: dict[tuple[int | None, str], AgentFigures] = {}
    for row in await session.execute(_legs(begin, end, queue)):
        key = (row.user_id, row.extension)
        found[key] = replace(AgentFigures(row.user_id, row.extension, ""), **_numbers(row))
    open_ones = await going(session)
    worked = await _time_of_each(session, begin, end, now, open_ones)
    wraps = await _wraps_of_each(session, begin, end, now, queue, open_ones)
    for user_id in {*worked, *wraps}:
        one = found.get((user_id, ""), AgentFigures(user_id, "", ""))
        after = wraps.get(user_id, Wraps())
        found[(user_id, "")] = replace(
            one, worked=worked.get(user_id, NOBODY), wraps=after.wraps, wrap_ms=after.wrap_ms
        )
    people = await _people(session, [user_id for user_id, _ in found if user_id is not None])
    named = [
        replace(one, name=person[0], login=person[1])
        if one.user_id is not None and (person := people.get(one.user_id))
        else one
        for one in found.values()
    ]
    return sorted(named, key=lambda one: (one.user_id is None, one.login, one.name))


def _numbers(row: Any) -> dict[str, Any]:
    names = ("rung", "taken", "missed", "passed_on", "talk_ms", "hold_ms")
    return {name: int(row._mapping[name] or 0) for name in names}


def _legs(begin: datetime, end: datetime, queue: str | None) -> sa.Select[Any]:
    """Legs of calls that entered a queue in the span, by person, else by extension."""
    entered = [
        CALL.c.direction == "inbound", sa.func.jsonb_array_length(CALL.c.queues) > 0,
        CALL.c.queued_at >= begin, CALL.c.queued_at < end,
        CALL.c.started_at >= begin - IVR, CALL.c.started_at < end,
    ]  # fmt: skip
    if queue is not None:
        entered.append(CALL.c.queues[0].astext == queue)
    taken = LEG.c.answered_at.is_not(None)
    extension = sa.case((LEG.c.user_id.is_(None), LEG.c.extension), else_="")
    return (
        sa.select(
            LEG.c.user_id,
            extension.label("extension"),
            sa.func.count().label("rung"),
            sa.func.count().filter(taken).label("taken"),
            sa.func.sum(LEG.c.missed).label("missed"),
            sa.func.count().filter(passed_on()).label("passed_on"),
            sa.func.sum(sa.func.round(LEG.c.talk_seconds * 1000)).label("talk_ms"),
            sa.func.sum(sa.func.round(LEG.c.hold_seconds * 1000)).label("hold_ms"),
        )
        .select_from(LEG.join(CALL, CALL.c.id == LEG.c.session_id))
        .where(*entered)
        .group_by(LEG.c.user_id, sa.text("2"))
    )


def passed_on() -> sa.ColumnElement[bool]:
    """This leg's agent gave the call to somebody else; a conference is none."""
    moves = [
        CALL.c.transfers.op("@>")(
            sa.func.jsonb_build_array(sa.func.jsonb_build_object("kind", kind, "from", LEG.c.extension))
        )
        for kind in ("blind", "attended", "redirect")
    ]
    return sa.and_(sa.func.jsonb_array_length(CALL.c.transfers) > 0, sa.or_(*moves))


async def _time_of_each(
    session: AsyncSession, begin: datetime, end: datetime, now: datetime, open_ones: list[Going]
) -> dict[int, Worked]:
    query = (
        sa.select(TIME.c.user_id, TIME.c.state, TIME.c.reason, sa.func.sum(TIME.c.ms).label("ms"))
        .where(TIME.c.starts_at >= begin, TIME.c.starts_at < end)
        .group_by(TIME.c.user_id, TIME.c.state, TIME.c.reason)
    )
    found: dict[int, Worked] = {}
    for row in await session.execute(query):
        found[row.user_id] = found.get(row.user_id, NOBODY).plus(row.state, row.reason, int(row.ms))
    for one in open_ones:
        part = cut(one, begin, end, now)
        if part is not None:
            ms = milliseconds(part[1]) - milliseconds(part[0])
            found[one.user_id] = found.get(one.user_id, NOBODY).plus(one.state, one.reason, ms)
    return found


async def _wraps_of_each(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    now: datetime,
    queue: str | None,
    open_ones: list[Going],
) -> dict[int, Wraps]:
    query = (
        sa.select(WRAP.c.user_id, sa.func.sum(WRAP.c.wraps), sa.func.sum(WRAP.c.wrap_ms))
        .where(WRAP.c.starts_at >= begin, WRAP.c.starts_at < end)
        .group_by(WRAP.c.user_id)
    )
    if queue is not None:
        query = query.where(WRAP.c.queue == queue)
    found = {user: Wraps(int(wraps), int(ms)) for user, wraps, ms in await session.execute(query)}
    for one in open_ones:
        if one.queued_at is None or not begin <= quarter(one.queued_at) < end:
            continue
        if queue in (None, one.queue) and one.started_at < now:
            ms = milliseconds(now) - milliseconds(one.started_at)
            found[one.user_id] = found.get(one.user_id, Wraps()).plus(1, ms)
    return found


async def _people(session: AsyncSession, idents: list[int]) -> Mapping[int, tuple[str, str]]:
    query = sa.select(USER.c.id, USER.c.name, USER.c.login).where(USER.c.id.in_(idents))
    return {row.id: (row.name, row.login) for row in await session.execute(query)}
