"""Rows of agents' states: what calls write, what PostgreSQL refuses, races and accounts that go."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.service import PeopleService
from core.settings import Leadership, Settings
from telephony.agents import queries
from telephony.agents.service import AgentService
from telephony.agents.upkeep import Upkeep
from telephony.calls.course import Course
from telephony.events import LegMoved, LegsMoved
from tests.conftest import MONDAY
from tests.telephony.agents.rig import line_of, people_of, rows_of

CALL = (
    "INSERT INTO call_session (pbx, session_key, direction, caller_kind, state, queues, transfers, "
    "linkedids, started_at, version) "
    "VALUES ('pbx1', $1, 'inbound', 'mobile', 'talking', '[]', '[]', '[]', now(), 1) RETURNING id"
)


class Hall:
    """Agents, a clock that is moved, and a PBX whose clock is wrong by `skew` seconds."""

    def __init__(
        self, db: Database, clock: ManualClock, agents: AgentService, actors: dict[str, Actor]
    ) -> None:
        self.db, self.clock, self.agents, self.actors = db, clock, agents, actors
        self.skew = 0.0
        self._version = 0

    async def act(self, name: str, login: str = "1001", *args: Any, **kwargs: Any) -> None:
        async def work(uow: UnitOfWork) -> None:
            await getattr(self.agents, name)(uow, self.actors[login], *args, **kwargs)

        await self.db.retrying(work)

    async def call(self) -> int:
        async with self.db.begin() as uow:
            return int((await uow.fetch(CALL, f"k{self.clock.monotonic()}"))[0]["id"])

    async def legs(self, call: int, extension: str = "1001", **course: Any) -> None:
        """The course of a call in seconds since MONDAY, in the PBX's own time, told now."""
        stamps: dict[str, Any] = {
            name: tuple((self._stamp(a), None if b is None else self._stamp(b)) for a, b in spans)
            for name, spans in course.items()
        }
        self.agents.skews.of("pbx1").note(
            self.clock.now().timestamp() - self.skew, self.clock.now().timestamp()
        )
        self._version += 1
        told = Course(**stamps, met="talks" in course)
        leg = LegMoved(call, self._version, extension, "inbound", "hotline", told)
        async with self.db.begin() as uow:
            await uow.emit(LegsMoved("pbx1", (leg,)))

    def _stamp(self, seconds: float) -> float:
        return MONDAY.timestamp() + seconds - self.skew

    async def line(self, login: str = "1001") -> list[str]:
        return await line_of(self.db, self.actors[login].user_id)


@pytest.fixture
async def hall(database: Database, clock: ManualClock, people: PeopleService, settings: Settings) -> Hall:
    agents = AgentService(settings)
    agents.pbxs = ("pbx1",)
    agents.wire(database.bus)
    async with database.begin() as uow:
        actors = await people_of(uow, people)
    return Hall(database, clock, agents, actors)


def at(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


@pytest.mark.parametrize("skew", [-90.0, 0.0, 1.0, 90.0])
async def test_intervals_are_one_line_whatever_the_clock_of_the_pbx(hall: Hall, skew: float) -> None:
    hall.skew = skew
    await hall.act("sign_in")
    call = await hall.call()
    hall.clock.advance(100)
    await hall.legs(call, rings=[(100, None)])
    hall.clock.advance(5)
    await hall.legs(call, rings=[(100, 105)], talks=[(105, None)])
    hall.clock.advance(10)
    await hall.act("not_ready", "1001", "break")
    hall.clock.advance(45)
    await hall.legs(call, rings=[(100, 105)], talks=[(105, 160)])
    hall.clock.advance(5)
    await hall.act("finish_wrap_up", "1001", code="registered")
    assert await hall.line() == ["ready", "ringing", "talking", "wrap_up", "not_ready:break"]
    rows = await rows_of(hall.db, "interval")
    talk = next(row for row in rows if row["state"] == "talking")
    assert (talk["ended_at"] - talk["started_at"]).total_seconds() == pytest.approx(55, abs=0.01)
    apart = skew if abs(skew) < 2 else 0  # clocks that all but agree leave the PBX's stamps as they are
    assert (talk["started_at"] - at(105)).total_seconds() == pytest.approx(-apart, abs=0.01)


async def test_what_was_written_is_neither_changed_nor_overlapped(hall: Hall) -> None:
    await hall.act("sign_in")
    hall.clock.advance(60)
    await hall.act("not_ready", "1001", "break")
    statements = (
        "UPDATE agent_interval SET reason = 'meal'",
        "UPDATE agent_interval SET started_at = started_at - interval '1 s'",
        "UPDATE agent_interval SET ended_at = NULL WHERE ended_at IS NOT NULL",
        "DELETE FROM agent_interval",
        "INSERT INTO agent_interval (agent_session_id, user_id, extension, state, started_at, ended_at) "
        "SELECT agent_session_id, user_id, extension, 'ready', started_at, started_at + interval '1 s' "
        "FROM agent_interval",
    )
    for statement in statements:
        with pytest.raises(DBAPIError):
            async with hall.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


async def test_two_clicks_at_once_are_one(hall: Hall) -> None:
    await asyncio.gather(*(hall.act("sign_in") for _ in range(4)))
    await asyncio.gather(*(hall.act("not_ready", "1001", "break") for _ in range(4)))
    assert await hall.line() == ["ready", "not_ready:break"]


async def test_two_people_at_one_telephone_at_once(
    hall: Hall, people: PeopleService, database: Database
) -> None:
    """Whoever is second is told, or finds the seat taken; there are never two."""
    twin = Actor(**{**vars(hall.actors["1002"]), "extension": "1001"})
    hall.actors["twin"] = twin
    results = await asyncio.gather(
        hall.act("sign_in", "1001"), hall.act("sign_in", "twin"), return_exceptions=True
    )
    assert all(result is None or isinstance(result, HotlineError) for result in results)
    assert len(await rows_of(hall.db, "session", signed_out_at=None)) == 1


async def test_a_seat_in_a_call_is_not_taken_over(hall: Hall) -> None:
    await hall.act("sign_in")
    call = await hall.call()
    await hall.legs(call, talks=[(0, None)])
    hall.actors["twin"] = Actor(**{**vars(hall.actors["1002"]), "extension": "1001"})
    with pytest.raises(HotlineError, match="seat_busy"):
        await hall.act("sign_in", "twin", take_over=True)


async def test_signing_in_while_the_telephone_is_in_a_call(hall: Hall) -> None:
    call = await hall.call()
    leg = (
        "INSERT INTO call_leg (session_id, leg_key, extension, state, ring_seconds, talk_seconds, "
        "hold_seconds, rang_at, answered_at) VALUES ($1, '1001', '1001', 'talking', 0, 0, 0, $2, $2)"
    )
    async with hall.db.begin() as uow:
        await uow.fetch(leg, call, hall.clock.now())
    hall.clock.advance(30)
    await hall.act("sign_in")
    async with hall.db.read() as session:
        (row,) = await queries.floor(session)
    assert (row.state, row.call) == ("talking", call)


async def test_who_loses_his_account_or_telephone_is_signed_out(
    hall: Hall, people: PeopleService, clock: ManualClock
) -> None:
    lease = Lease(hall.db, "telephony", "node", Leadership(lease_seconds=3600), clock)
    assert await lease.try_take()
    upkeep = Upkeep(hall.db, lease, hall.agents)
    for login in ("1001", "1002", "1003"):
        await hall.act("sign_in", login)
    statements = {
        "1001": "UPDATE user_account SET active = false WHERE login = '1001'",
        "1002": "UPDATE user_account SET extension = '1099' WHERE login = '1002'",
    }
    for statement in statements.values():
        async with hall.db.begin() as uow:
            await uow.session.execute(sa.text(statement))
    await upkeep.sweep()
    open_ones = await rows_of(hall.db, "session", signed_out_at=None)
    assert [row["extension"] for row in open_ones] == ["1003"]
    assert {row["ended_by"] for row in await rows_of(hall.db, "session")} == {"account", None}


async def test_a_call_whose_end_nobody_told_ends_all_the_same(hall: Hall, clock: ManualClock) -> None:
    lease = Lease(hall.db, "telephony", "node", Leadership(lease_seconds=3600), clock)
    assert await lease.try_take()
    await hall.act("sign_in")
    call = await hall.call()
    await hall.legs(call, talks=[(0, None)])
    hall.clock.advance(60)
    async with hall.db.begin() as uow:
        await uow.fetch("UPDATE call_session SET ended_at = $2, version = 99 WHERE id = $1", call, at(40))
    await Upkeep(hall.db, lease, hall.agents).sweep()
    assert await hall.line() == ["ready", "talking", "wrap_up"]
    await Upkeep(hall.db, lease, hall.agents).deadlines()
    assert (await hall.line())[-1] == "wrap_up"
    hall.clock.advance(20)
    await Upkeep(hall.db, lease, hall.agents).deadlines()
    assert (await rows_of(hall.db, "interval"))[-1]["started_at"] == at(70)
