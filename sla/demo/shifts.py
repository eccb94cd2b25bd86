"""The rota of the demo city from last week to next, who came, a swap that waits, notes between shifts.

Rosters, swaps and notes go through the services. Sign-ins of the past are rows: nobody was there to make
them, and none of them is open, so that seats are free for who signs in now.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.catalog import queues as catalog
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import Role
from core.tables import table_of
from sla.demo.people import Cast
from telephony.agents.models import AgentInterval, AgentSession
from telephony.recordings import SIMULATED_PBX
from telephony.shifts import grid, notes, queries, service, swaps
from telephony.shifts.grid import Planned
from telephony.shifts.hours import Span, monday_of, today
from telephony.shifts.notes import Matter
from tickets.models import Ticket
from tickets.states import State

_user, _role, _ticket = table_of(User), table_of(UserRole), table_of(Ticket)
_session, _interval = table_of(AgentSession), table_of(AgentInterval)
CYCLE = ("A", "A", "C", "C", "N", "", "")
WEEKDAYS = ("D", "D", "D", "D", "D", "", "")
SEED = 12345
SUMMARY = (
    "话务平稳。防汛应急口径已更新，请提醒各席按新口径答复；七星区停水集中来电较多，已统一回复预计恢复时间。"
)
MATTERS = (
    "市政抢修进展未反馈，接班后电话催办",
    "来电人要求今晚回电告知进度",
    "疑似重复群诉，请派单台合并处理",
)
Person = tuple[int, str, str]  # id, extension, role
Stretch = tuple[str, str | None, datetime, datetime]


@dataclass
class Floor:
    """Who is rostered, with what each has at the telephone."""

    people: list[Person]
    draw: random.Random

    @classmethod
    async def load(cls, uow: UnitOfWork) -> "Floor":
        posts = (Role.AGENT.value, Role.SHIFT_LEADER.value, Role.CALLBACK_OFFICER.value)
        query = (
            sa.select(_user.c.id, _user.c.extension, _role.c.role)
            .join(_role, _role.c.user_id == _user.c.id)
            .where(_role.c.role.in_(posts), _user.c.active)
            .order_by(_user.c.id)
        )
        rows = await uow.session.execute(query)
        return cls([(row.id, row.extension or "", row.role) for row in rows], random.Random(SEED))

    def cells(self, monday: date) -> dict[tuple[int, date], str]:
        """Three shifts around the clock by turns; who calls back works by day."""
        found = {}
        for place, (who, _, role) in enumerate(self.people):
            for number, day in enumerate(grid.week(monday)):
                turn = (day.toordinal() + place) % len(CYCLE)
                found[who, day] = WEEKDAYS[number] if role == Role.CALLBACK_OFFICER.value else CYCLE[turn]
        return found


async def make(uow: UnitOfWork, cast: Cast) -> None:
    """Everything, within the transaction that makes the city."""
    floor = await Floor.load(uow)
    leader = await cast.actor(uow.session, None, Role.SHIFT_LEADER.value)
    if leader is None or not floor.people:
        return
    this = monday_of(today(uow.now))
    names = {queue.name for queue in await catalog.queues(uow.session) if queue.active}
    for monday in (this - timedelta(days=7), this, this + timedelta(days=7)):
        chosen = {who: _queues(place, names) for place, (who, _, _) in enumerate(floor.people)}
        await service.save_week(uow, leader, monday, 0, floor.cells(monday), chosen)
    await _attend(uow, floor, this)
    await _swap(uow, cast, floor, this + timedelta(days=7))
    await _hand_over(uow, cast, leader)


def _queues(place: int, names: set[str]) -> tuple[str, ...]:
    """The general queue, and every eighth the experts' besides."""
    wanted = ("hotline", "expert") if place % 8 == 0 else ("hotline",)
    return tuple(name for name in wanted if name in names)


# ---- who came -------------------------------------------------------------------------------


async def _attend(uow: UnitOfWork, floor: Floor, this: date) -> None:
    rows = await queries.rows(uow.session, this - timedelta(days=7), today(uow.now))
    extensions = {who: extension for who, extension, _ in floor.people}
    sessions, stretches = [], list[list[Stretch]]()
    for (who, day), planned in sorted(rows.items()):
        came = _came(floor.draw, planned.hours.span(day), uow.now)
        if came is None or not extensions.get(who):
            continue
        sessions.append(_row(who, extensions[who], planned, came))
        stretches.append(_states(floor.draw, planned, day, came))
    if not sessions:
        return
    made = await uow.session.execute(
        sa.insert(_session).returning(_session.c.id, sort_by_parameter_order=True), sessions
    )
    intervals = [
        {
            "agent_session_id": ident, "user_id": row["user_id"], "extension": row["extension"],
            "state": state, "reason": reason, "started_at": begin, "ended_at": end,
        }
        for ident, row, states in zip(made.scalars(), sessions, stretches, strict=True)
        for state, reason, begin, end in states
    ]  # fmt: skip
    await uow.session.execute(sa.insert(_interval), intervals)


def _came(draw: random.Random, shift: Span, now: datetime) -> Span | None:
    """When somebody was there: mostly the whole shift, sometimes late, gone early, longer, or not at all."""
    chance = draw.random()
    begin, end = (
        shift.begin - timedelta(minutes=draw.randint(0, 8)),
        shift.end + timedelta(minutes=draw.randint(0, 5)),
    )
    if chance < 0.02:
        return None
    if chance < 0.10:
        begin = shift.begin + timedelta(minutes=draw.randint(6, 35))
    elif chance < 0.14:
        end = shift.end - timedelta(minutes=draw.randint(8, 50))
    elif chance < 0.24:
        end = shift.end + timedelta(minutes=draw.randint(20, 70))
    end = min(end, now - timedelta(seconds=20))
    return Span(begin, end) if begin < end else None


def _row(who: int, extension: str, planned: Planned, came: Span) -> dict[str, Any]:
    row = AgentSession(
        user_id=who,
        extension=extension,
        pbx=SIMULATED_PBX,
        queues=list(planned.queues),
        signed_in_at=came.begin,
        signed_out_at=came.end,
        ended_by="agent",
        wish="ready",
        paused=False,
        calls={},
        changed_at=came.end,
    )
    return row.model_dump(exclude={"id"})


def _states(draw: random.Random, planned: Planned, day: date, came: Span) -> list[Stretch]:
    """Ready, but for the breaks, a pause now and then, and sometimes a meeting."""
    away = [(span.begin, span.end, "meal") for span in planned.hours.pauses(day)]
    begin = came.begin + timedelta(minutes=draw.randint(40, 110))
    while begin < came.end:
        reason = draw.choices(("break", "meeting", "training", "paperwork"), (60, 10, 10, 20))[0]
        away.append((begin, begin + timedelta(minutes=draw.randint(4, 16)), reason))
        begin += timedelta(minutes=draw.randint(80, 170))
    found, at = list[Stretch](), came.begin
    for start, end, reason in sorted(away):
        start, end = max(start, at), min(end, came.end)
        if start >= end:
            continue
        if at < start:
            found.append(("ready", None, at, start))
        found.append(("not_ready", reason, start, end))
        at = end
    return [*found, ("ready", None, at, came.end)] if at < came.end else found


# ---- a swap, two notes ----------------------------------------------------------------------


async def _swap(uow: UnitOfWork, cast: Cast, floor: Floor, monday: date) -> None:
    """One that both agreed to and a leader has to decide, one that waits for the colleague."""
    agents = [who for who, _, role in floor.people if role == Role.AGENT.value]
    rows = await queries.rows(uow.session, monday, monday + timedelta(days=6))
    for first, agreed, reason in ((0, True, "孩子家长会，想与同事换班"), (2, False, "当天就医复查")):
        if len(agents) <= first + 1:
            return
        asker, taker = await _actors(uow, cast, agents[first : first + 2])
        day = next((day for day in grid.week(monday) if _fits(rows, asker, taker, day)), None)
        if day is None or taker.user_id is None:
            continue
        try:
            async with uow.savepoint():
                swap = await swaps.ask(uow, asker, swaps.Asked(day, taker.user_id, None, reason))
                if agreed:
                    await swaps.answer(uow, taker, swap, agree=True)
        except HotlineError:
            continue


def _fits(rows: grid.Rows, asker: Actor, taker: Actor, day: date) -> bool:
    return (asker.user_id, day) in rows and (taker.user_id, day) not in rows


async def _actors(uow: UnitOfWork, cast: Cast, ids: Sequence[int]) -> list[Actor]:
    found = [await cast.people.actor_for_user(uow.session, one) for one in ids]
    return [one for one in found if one is not None]


async def _hand_over(uow: UnitOfWork, cast: Cast, leader: Actor) -> None:
    """Yesterday's note, which the next leader took over, and one that waits."""
    query = (
        sa.select(_ticket.c.id).where(_ticket.c.state == State.HANDLING.value).order_by(_ticket.c.id.desc())
    )
    tickets: list[int | None] = list((await uow.session.execute(query.limit(3))).scalars())
    tickets += [None] * 3
    second = await _second_leader(uow, cast, leader)
    now = uow.now
    try:
        for number, (hours, taken) in enumerate(((16, True), (1, False))):
            uow.now = now - timedelta(hours=hours)
            matters = [Matter(text, tickets[place]) for place, text in enumerate(MATTERS[number:])]
            note = await notes.hand_over(
                uow, second or leader, day=today(uow.now), kind_id=None, summary=SUMMARY, matters=matters,
                key=f"demo-note-{number}",
            )  # fmt: skip
            if taken and second is not None:
                await notes.mark_read(uow, leader, [note])
                await notes.take_over(uow, leader, note)
    finally:
        uow.now = now


async def _second_leader(uow: UnitOfWork, cast: Cast, leader: Actor) -> Actor | None:
    query = (
        sa.select(_role.c.user_id)
        .where(_role.c.role == Role.SHIFT_LEADER.value, _role.c.user_id != leader.user_id)
        .order_by(_role.c.user_id)
    )
    found = (await uow.session.execute(query.limit(1))).scalar_one_or_none()
    return await cast.people.actor_for_user(uow.session, found) if found is not None else None
