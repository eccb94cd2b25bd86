"""A change of the calendar counts open clocks anew: what moves, what stays, who writes, and what is told.

The tests begin on Monday 23 November 2026, 10:00 in the city; every time below is the city's.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import CITY_ZONE, ManualClock, to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.settings import City as CitySettings
from sla import calendar_service as days
from sla import recompute
from sla.calendar import Calendar, DayKind, Exceptional
from sla.clocks import Pause, add, parse_limit
from sla.measures.counters import Counters
from sla.recompute import Recomputer
from sla.recount import Granted, Past, due_of
from sla.sources import days_calendar, shipped_calendar
from tests.sla.measures_rig import counted, fold, wrong
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tests.tickets.test_walks import TYPED, WALKERS, inputs, possible
from tickets.flow import TicketStage
from tickets.models import table_of
from tickets.states import Action

# ruff: noqa: F811
from tests.tickets.conftest import city  # isort: skip  # noqa: F401 - the fixture

A = Action
REST = Exceptional(DayKind.CITY_REST, "城市马拉松", "")
THIRD = date(2026, 12, 3)  # a Thursday
_stage = table_of(TicketStage)


class Leads:
    """A lease that is held until it is lost."""

    held = True

    async def fence(self, _uow: UnitOfWork) -> None:
        if not self.held:
            raise HotlineError("lease_lost", role="scheduler")


class Rig:
    """The city's calendar in the database, and the leader that counts anew."""

    def __init__(self, town: City, clock: ManualClock) -> None:
        self.city, self.clock, self.lease = town, clock, Leads()
        self.limits = cast(Any, town.limits)
        self.work = Recomputer(town.db, self.limits, cast(Any, self.lease), Counters())

    async def seed(self) -> None:
        async with self.city.db.begin() as uow:
            await days.seed(uow, CitySettings())
        await self.work.tick()  # what runs was counted by these days

    async def change(self, found: Mapping[date, Exceptional | None], note: str = "城市马拉松放假") -> None:
        """A new version, as a node that follows has it."""
        async with self.city.db.begin() as uow:
            base = await days.present_number(uow.session)
            change = days.Change("edit", note, found)
            made = await days.save(uow, self.city.actors["supervision"], CitySettings(), base, change)
        self.limits.use_calendar(made.calendar(CitySettings()))
        self.clock.advance(10)

    async def job(self) -> recompute.Progress:
        async with self.city.db.read() as session:
            return (await recompute.latest(session))[0]


@pytest.fixture
async def rig(city: City, clock: ManualClock) -> Rig:
    made = Rig(city, clock)
    await made.seed()
    return made


def shown(at: datetime | None) -> str | None:
    return to_city(at).strftime("%m-%d %H:%M") if at else None


async def clocks(one: Life) -> dict[str, Any]:
    query = sa.select(_stage).where(_stage.c.ticket_id == one.id, _stage.c.ended_at.is_(None))
    async with one.city.db.read() as session:
        return {row.stage: row for row in (await session.execute(query)).all()}


async def handled(town: City, **over: Any) -> Life:
    one = await life(town, type="complaint", **over)
    await one.do("dispatcher", A.DISPATCH, unit_id=town.unit("lights"), co_unit_ids=[town.unit("water")])
    await one.do("lights", A.SIGN)
    return one


async def test_a_day_off_on_the_way_moves_the_total_and_what_goes_with_it(rig: Rig) -> None:
    one = await handled(rig.city)
    before = await one.row()
    assert shown(before.due_at) == "12-07 18:00"
    await rig.change({THIRD: REST})
    await rig.work.tick()
    after, running = await one.row(), await clocks(one)
    assert shown(after.due_at) == shown(after.stage_due_at) == "12-08 18:00"
    assert shown(running["total"].due_at) == shown(running["handle"].due_at) == "12-08 18:00"
    assert (running["total"].card_round, running["total"].limit) == (2, "10wd")
    assert shown(running["total"].alarm_at) == "11-30 09:00", "five working days before"
    assert shown(running["co_opinion"].due_at) == "11-30 18:00", "over before the changed day"
    last = (await one.history())[-1]
    assert (last.action, last.role, last.from_state) == ("recount", "system", after.state)
    assert last.note == "城市马拉松放假：总时限 2026-12-07 18:00 → 2026-12-08 18:00"
    assert after.version == before.version + 1
    await one.check_replay()
    assert (
        await one.scalar("SELECT count(*) FROM event_log WHERE ref = :id AND data->>'action' = 'recount'")
        == 1
    )


async def test_what_is_due_in_the_figures_moves_with_the_due_time(rig: Rig) -> None:
    one = await handled(rig.city)
    await fold(rig.city.db)
    await rig.change({THIRD: REST})
    await rig.work.tick()
    await fold(rig.city.db)
    found = await counted(rig.city)
    assert {day for day, code, _ in found if code == "due"} == {to_city((await one.row()).due_at).date()}
    assert await wrong(rig.city) == []


async def test_a_rest_day_that_is_worked_moves_it_forward(rig: Rig) -> None:
    one = await handled(rig.city)
    await rig.change({date(2026, 12, 5): Exceptional(DayKind.CITY_WORK, "补班", "")})
    await rig.work.tick()
    assert shown((await one.row()).due_at) == "12-05 18:00"


async def test_what_the_day_does_not_touch_is_not_written(rig: Rig) -> None:
    short = await handled(rig.city, urgency="urgent")
    done = await life(rig.city, type="complaint")
    await done.to_check()
    before = [await one.row() for one in (short, done)]
    await rig.change({THIRD: REST})
    await rig.work.tick()
    assert [await one.row() for one in (short, done)] == before
    job = await rig.job()
    assert (job.state, job.moved, job.tickets, job.percent) == ("done", 0, 0, 100)
    assert (job.first_day, job.last_day) == (THIRD, THIRD)


async def test_only_the_alarm_moves_when_the_day_lies_behind_the_due_time(rig: Rig) -> None:
    one = await life(rig.city, type="help")  # three working days
    await one.to_handling()
    running = await clocks(one)
    assert shown(running["total"].due_at) == "11-26 18:00"
    async with rig.city.db.begin() as uow:  # the ladder is behind its warnings
        red = rig.limits.next_alarm(
            "total", "3wd", running["total"].started_at, running["total"].due_at, step=2
        )
        values = {"alarm_step": red.step, "alarm_at": red.at}
        await uow.session.execute(
            sa.update(_stage).where(_stage.c.id == running["total"].id).values(**values)
        )
    assert shown(red.at) == "11-27 09:00"
    version = (await one.row()).version
    await rig.change({date(2026, 11, 27): REST})
    await rig.work.tick()
    total = (await clocks(one))["total"]
    assert (shown(total.due_at), shown(total.alarm_at)) == ("11-26 18:00", "11-30 09:00")
    assert (total.card_round, total.alarm_step) == (1, red.step)
    assert (await one.row()).version == version, "nothing was promised otherwise"


async def test_an_extension_and_a_suspension_stay_granted(rig: Rig) -> None:
    one = await handled(rig.city)
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需会商", days=3)
    await one.do("supervision", A.APPROVE_EXTENSION)
    assert shown((await one.row()).due_at) == "12-10 18:00"
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    rig.clock.advance(2 * 86_400)
    await one.do("lights", A.RESUME, note="继续办理")
    assert shown((await one.row()).due_at) == "12-14 18:00"
    await rig.change({THIRD: REST})
    await rig.work.tick()
    assert shown((await one.row()).due_at) == "12-15 18:00"


async def test_a_suspended_ticket_moves_and_stays_silent(rig: Rig) -> None:
    one = await handled(rig.city)
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    await rig.change({THIRD: REST})
    await rig.work.tick()
    total = (await clocks(one))["total"]
    assert (shown(total.due_at), total.alarm_at) == ("12-08 18:00", None)


async def test_the_leader_waits_until_every_node_follows_and_one_that_was_replaced_writes_nothing(
    rig: Rig,
) -> None:
    one = await handled(rig.city)
    before = await one.row()
    await rig.change({THIRD: REST})
    rig.clock.advance(-8)
    await rig.work.tick()
    assert await one.row() == before
    rig.clock.advance(8)
    rig.lease.held = False
    with pytest.raises(HotlineError, match="lease_lost"):
        await rig.work.tick()
    assert await one.row() == before
    rig.lease.held = True
    await rig.work.tick()
    assert (await one.row()).version == before.version + 1


async def test_a_restart_in_the_middle_goes_on_and_moves_nothing_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = [await handled(rig.city) for _ in range(5)]
    monkeypatch.setattr(recompute, "BATCH", 2)
    await rig.change({THIRD: REST})
    job = await rig.job()
    write = rig.work._write
    calls = 0

    async def dying(*args: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError("gone")
        await write(*args, **options)

    monkeypatch.setattr(rig.work, "_write", dying)
    with pytest.raises(ConnectionError):
        await rig.work.step(job.id)
    half = await rig.job()
    assert (half.tickets, half.state) == (2, "running")
    assert 0 < half.percent < 100
    again = Recomputer(rig.city.db, rig.limits, cast(Any, rig.lease), Counters())
    await again.tick()
    assert (await rig.job()).tickets == 5
    assert [len(await one.history()) for one in lives] == [4] * 5
    assert {shown((await one.row()).due_at) for one in lives} == {"12-08 18:00"}


async def test_other_days_that_came_with_a_release_are_noticed(rig: Rig) -> None:
    one = await handled(rig.city)
    rig.limits.use_calendar(days_calendar(CitySettings(), {**_own(shipped_calendar()), THIRD: REST}))
    await rig.work.tick()
    rig.clock.advance(10)
    await rig.work.tick()
    assert shown((await one.row()).due_at) == "12-08 18:00"
    assert (await rig.job()).reason == "节假日数据或办公时间更新"
    count = await one.scalar("SELECT count(*) FROM recomputation WHERE :id > 0")
    await rig.work.tick()
    assert await one.scalar("SELECT count(*) FROM recomputation WHERE :id > 0") == count, "once"


def _own(calendar: Calendar) -> dict[date, Exceptional]:
    kinds = (DayKind.CITY_REST, DayKind.CITY_WORK)
    return {day: told for day, told in calendar.exceptions.items() if told.kind in kinds}


# ---- laws -----------------------------------------------------------------------------------------

DAYS = [date(2026, 11, 23) + timedelta(days=number) for number in range(60)]


def calendar_with(rest: set[int], work: set[int]) -> Calendar:
    own = {DAYS[number]: REST for number in rest}
    own |= {DAYS[number]: Exceptional(DayKind.CITY_WORK, "补班", "") for number in work - rest}
    return days_calendar(CitySettings(), own)


some_days = st.sets(st.integers(0, 59), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    some_days,
    some_days,
    st.integers(0, 20 * 24 * 60),
    st.sampled_from(["1wd", "5wd", "10wd", "4wh", "90wm", "24h"]),
    st.lists(st.tuples(st.integers(1, 6000), st.integers(1, 6000)), max_size=3),
)
def test_from_its_row_a_clock_comes_out_as_with_its_pauses_from_the_start(
    rest: set[int], work: set[int], minutes: int, limit: str, stretches: list[tuple[int, int]]
) -> None:
    calendar = calendar_with(rest, work)
    start = datetime(2026, 11, 23, tzinfo=CITY_ZONE).astimezone(UTC) + timedelta(minutes=minutes)
    at, pauses = start, []
    for gap, length in stretches:
        begin = at + timedelta(minutes=gap)
        at = begin + timedelta(minutes=length)
        pauses.append((begin, at))
    wanted = add(calendar, start, parse_limit(limit), [Pause(*one) for one in pauses])
    before_due: list[tuple[datetime, datetime]] = []
    for begin, end in pauses:  # one that began when the time was over did not happen to this clock
        if begin < due_of(calendar, "total", limit, start, Past(tuple(before_due))):
            before_due.append((begin, end))
    assert due_of(calendar, "total", limit, start, Past(tuple(before_due))) == wanted


def test_an_extension_of_another_round_is_none_of_this_clock() -> None:
    calendar, start = shipped_calendar(), datetime(2026, 11, 23, 2, tzinfo=UTC)
    old = Granted(start - timedelta(days=9), start - timedelta(days=8), 3)
    assert due_of(calendar, "total", "10wd", start, Past((), (old,))) == add(
        calendar, start, parse_limit("10wd")
    )


steps = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(10, 2000)),
    min_size=3,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(some_days, some_days, steps)
async def test_two_tickets_with_one_life_agree_whenever_the_calendar_came(
    rig: Rig, rest: set[int], work: set[int], plan: list[tuple[int, int, int, int]]
) -> None:
    """One lives by the former calendar and is counted anew, the other by the new one from the beginning."""
    old, new = shipped_calendar(), calendar_with(rest, work)
    rig.clock.advance((datetime(2026, 11, 23, 2, tzinfo=UTC) - rig.clock.now()).total_seconds())
    pair = []
    for calendar in (old, new):
        rig.limits.use_calendar(calendar)
        pair.append(await handled(rig.city))
    for who, what, how, minutes in plan:
        rig.clock.advance(minutes * 60)
        if not await _both(rig, pair, (old, new), WALKERS[who % len(WALKERS)], what, how):
            break
    rig.limits.use_calendar(new)
    async with rig.city.db.begin() as uow:
        version = (await days.present(uow.session)).id
        before = await recompute.order(uow, version, old, None, "")  # of the example before this one
        await recompute._finish(uow, before)
        await recompute.order(uow, version, new, None, "新日历")
    rig.clock.advance(10)
    await rig.work.tick()
    first, second = [await _clocks_of(one) for one in pair]
    assert first == second
    rows = [await one.row() for one in pair]
    assert rows[0].stage_due_at == rows[1].stage_due_at
    if any(stage == "total" for stage, *_ in first):
        assert rows[0].due_at == rows[1].due_at
    await pair[0].check_replay()


async def _both(
    rig: Rig, pair: list[Life], calendars: tuple[Calendar, Calendar], login: str, what: int, how: int
) -> bool:
    """Do the same to both, each by its calendar; False when one may and the other may not."""
    offered = []
    for one, calendar in zip(pair, calendars, strict=True):
        rig.limits.use_calendar(calendar)
        offered.append([way for way in await possible(rig.city, one, login) if way is not A.MERGE])
    ways = [way for way in offered[0] if way in offered[1]]
    if not ways:
        return True
    action, results = ways[what % len(ways)], []
    for one, calendar in zip(pair, calendars, strict=True):
        rig.limits.use_calendar(calendar)
        try:
            await one.do(login, action, **inputs(rig.city, action, how, one.id))
            results.append("")
        except HotlineError as error:
            if error.code not in TYPED:
                raise
            results.append(error.code)
    return results[0] == results[1]


async def _clocks_of(one: Life) -> list[tuple[Any, ...]]:
    query = sa.select(_stage).where(_stage.c.ticket_id == one.id, _stage.c.ended_at.is_(None))
    async with one.city.db.read() as session:
        rows = (await session.execute(query)).all()
    return sorted(
        (row.stage, row.round, row.unit_id or 0, row.started_at, row.limit or "", shown(row.due_at))
        for row in rows
    )


async def test_a_time_that_was_promised_in_another_way_stays(rig: Rig) -> None:
    one, other = await handled(rig.city), await handled(rig.city)
    async with rig.city.db.begin() as uow:  # such as before limits were kept with their clocks
        for table, column in (("ticket", "id"), ("ticket_stage", "ticket_id")):
            moved = f"UPDATE {table} SET due_at = due_at + interval '90 minutes' WHERE {column} = :id"
            await uow.session.execute(sa.text(moved), {"id": one.id})
    before = await one.row()
    await rig.change({THIRD: REST})
    await rig.work.tick()
    assert await one.row() == before
    assert shown((await other.row()).due_at) == "12-08 18:00"
    job = await rig.job()
    assert (job.moved, job.kept) == (1, 1)


async def test_two_changes_one_after_the_other_come_to_what_both_say(rig: Rig) -> None:
    one = await handled(rig.city)
    await rig.change({THIRD: REST})
    between = await handled(rig.city)  # counted by the first change already
    await rig.change({date(2026, 12, 4): REST})
    for _ in range(2):
        await rig.work.tick()
    assert shown((await one.row()).due_at) == shown((await between.row()).due_at) == "12-09 18:00"


def test_a_calendar_is_kept_as_what_it_counts() -> None:
    calendar = calendar_with({3, 9}, {12})
    kept = recompute.of_stored(json.loads(json.dumps(recompute.as_stored(calendar))))
    assert kept.changed(calendar) == []
    assert recompute.print_of(kept) == recompute.print_of(calendar)
