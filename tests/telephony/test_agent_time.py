"""Agents' time: cut at quarters of an hour, kept once, and with it handling time and occupancy."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.db import Database
from core.people.service import PeopleService
from telephony.agent_figures import TIME, by_agent, going, time_by
from telephony.agent_time import Stretch, keep, pieces
from telephony.figures import city_midnight, day_figures, figures_by, floor_now
from telephony.grains import Grain, begin_of, end_of
from telephony.service import TelephonyService
from tests.telephony.agent_rows import agents, begin, seat, write
from tests.telephony.test_figures import MONDAY, SESSION, TEN, call, service  # noqa: F401 - the fixture
from tests.telephony.test_figures import write as write_calls

START = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)  # Sunday 21:00 in the city: a night shift
STATES = ["ready", "not_ready", "ringing", "talking", "hold", "wrap_up", "call_back", "unreachable"]


def shift(draw: random.Random, user_id: int, hours: int) -> list[Stretch]:
    """One stretch after the other, of whole seconds."""
    found, at = [], START + timedelta(seconds=draw.randrange(2000))
    while at < START + timedelta(hours=hours):
        state = draw.choice(STATES)
        reason = draw.choice(["break", "meal", None]) if state == "not_ready" else None
        upto = at + timedelta(seconds=draw.choice([0, 1, 7, 61, 899, 900, 901, 5000]))
        found.append(Stretch(user_id, state, reason, None, at, upto))
        at = upto
    return found


def by_second(stretches: list[Stretch]) -> Counter[tuple[datetime, int, str, str]]:
    """The same counted second by second, by another way of cutting."""
    found: Counter[tuple[datetime, int, str, str]] = Counter()
    for one in stretches:
        for second in range(int(one.started_at.timestamp()), int(one.ended_at.timestamp())):
            at = datetime.fromtimestamp(second - second % 900, UTC)
            found[at, one.user_id, one.state, one.reason or ""] += 1000
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_time_is_kept_as_it_was_spent(database: Database, people: PeopleService, seed: int) -> None:
    draw = random.Random(seed)
    told: list[Stretch] = []
    for extension, user_id in (await agents(database, people, 3)).items():
        mine = shift(draw, user_id, 10)
        told += mine
        async with database.begin() as uow:
            seat_id = await seat(uow, user_id, extension, START)
        while mine:  # a few at a time, as they end
            count = draw.randrange(1, 5)
            async with database.begin() as uow:
                await write(uow, seat_id, extension, mine[:count])
            mine = mine[count:]
    async with database.read() as session:
        kept = await session.execute(sa.select(TIME))
        rows = {(row.starts_at, row.user_id, row.state, row.reason): row.ms for row in kept if row.ms}
    assert len(told) > 30
    assert rows == by_second(told)


def test_pieces_add_up_whatever_the_instants_are() -> None:
    draw = random.Random(3)
    for _ in range(200):
        one = START + timedelta(microseconds=draw.randrange(10**10))
        two = one + timedelta(microseconds=draw.randrange(10**10))
        three = two + timedelta(microseconds=draw.randrange(10**10))
        parts = sum(ms for _, ms in [*pieces(one, two), *pieces(two, three)])
        assert parts == sum(ms for _, ms in pieces(one, three))
        assert all(0 < ms <= 900_000 for _, ms in pieces(one, three) if ms)
    assert list(pieces(one, one)) == []
    assert list(pieces(two, one)) == []  # a clock that was set back


async def test_what_goes_on_counts_as_if_it_ended_now(database: Database, people: PeopleService) -> None:
    (extension, user_id), *_ = (await agents(database, people, 1)).items()
    now = START + timedelta(hours=4, seconds=17)  # over midnight
    async with database.begin() as uow:
        seat_id = await seat(uow, user_id, extension, START)
        await begin(
            uow, seat_id, extension, user_id=user_id, state="not_ready", reason="meal", started_at=START
        )
    found = []
    for ended in (False, True):
        if ended:
            async with database.begin() as uow:
                await uow.session.execute(sa.text("UPDATE agent_interval SET ended_at = :now"), {"now": now})
                await keep(uow, [Stretch(user_id, "not_ready", "meal", None, START, now)])
        async with database.read() as session:
            for grain in Grain:
                first, last = START + timedelta(minutes=30), START + timedelta(hours=9)
                found.append(await time_by(session, first, last, grain, now))
    assert found[: len(Grain)] == found[len(Grain) :]
    hours = found[list(Grain).index(Grain.HOUR)]
    assert [one.not_ready_ms for _, one in sorted(hours.items())] == [1_800_000, *[3_600_000] * 3, 17_000]


@pytest.mark.parametrize("grain", list(Grain))
def test_a_span_ends_where_the_next_begins(grain: Grain) -> None:
    at = begin_of(START, grain)
    for _ in range(30):
        following = end_of(at, grain)
        assert begin_of(following, grain) == following
        assert begin_of(following - timedelta(microseconds=1), grain) == at
        at = following


async def test_handling_time_belongs_to_the_moment_the_call_entered_the_queue(
    service: TelephonyService,  # noqa: F811 - the fixture's value
    people: PeopleService,
) -> None:
    database = service._db
    people_there = await agents(database, people, 1)
    midnight = city_midnight(MONDAY).timestamp()
    await write_calls(service, call("answered", at=midnight - 30, wait=10, talk=100))
    async with database.read() as session:
        call_id = await session.scalar(sa.select(SESSION.c.id))
    hung_up = datetime.fromtimestamp(midnight + 80, UTC)
    async with database.begin() as uow:
        seat_id = await seat(uow, people_there["1001"], "1001", hung_up)
        after = Stretch(
            people_there["1001"], "wrap_up", None, call_id, hung_up, hung_up + timedelta(seconds=40)
        )
        await write(uow, seat_id, "1001", [after])
    async with database.read() as session:
        sunday = (await day_figures(session, MONDAY - timedelta(days=1), MONDAY - timedelta(days=1))).total
        monday = (await day_figures(session, MONDAY, MONDAY)).total
        queue = await day_figures(
            session, MONDAY - timedelta(days=1), MONDAY - timedelta(days=1), queue="hotline"
        )
    assert (sunday.aht_seconds, sunday.wrap_seconds, sunday.busy_ms) == (140, 40, 0)
    assert (monday.answered, monday.aht_seconds, monday.busy_ms) == (0, None, 40_000)
    assert queue.total.aht_seconds == 140


async def test_occupancy_is_what_agents_did_of_the_time_they_were_to_be_had(
    service: TelephonyService,  # noqa: F811 - the fixture's value
    people: PeopleService,
) -> None:
    database = service._db
    user_id = (await agents(database, people, 1))["1001"]
    begins = datetime.fromtimestamp(TEN, UTC)
    parts = [
        ("ready", None, 600), ("talking", None, 300), ("hold", None, 60), ("wrap_up", None, 40),
        ("not_ready", "break", 500), ("ringing", None, 0),
    ]  # fmt: skip
    async with database.begin() as uow:
        seat_id = await seat(uow, user_id, "1001", begins)
        at = begins
        for state, reason, seconds in parts:
            upto = at + timedelta(seconds=seconds)
            await write(uow, seat_id, "1001", [Stretch(user_id, state, reason, None, at, upto)])
            at = upto
    async with database.read() as session:
        day = (await day_figures(session, MONDAY, MONDAY)).total
        quarters = await figures_by(
            session, begins, begins + timedelta(hours=1), Grain.QUARTER, now=begins + timedelta(hours=1)
        )
        (mine,) = await by_agent(session, begins, begins + timedelta(hours=1), at)
        assert await going(session) == []
    assert (day.signed_ms, day.not_ready_ms) == (1_500_000, 500_000)
    assert day.occupancy == mine.worked.occupancy == pytest.approx(0.4)
    assert mine.worked.reasons == {"break": 500_000}
    assert [one.occupancy for _, one in sorted(quarters.items())] == [
        pytest.approx(1 / 3),  # 300 s of talk in the first quarter of an hour
        pytest.approx(1.0),  # the rest of it: 100 s at matters, 500 s not ready
    ]


async def test_the_floor_counts_agents_who_are_still_at_it(
    service: TelephonyService,  # noqa: F811 - the fixture's value
    people: PeopleService,
) -> None:
    database, now = service._db, service._db.clock.now()
    user_id = (await agents(database, people, 1))["1001"]
    await write_calls(service, call("answered", at=now.timestamp() - 400, wait=10, talk=100))
    async with database.begin() as uow:
        call_id = await uow.session.scalar(sa.select(SESSION.c.id))
        begins = now - timedelta(seconds=100)
        seat_id = await seat(uow, user_id, "1001", begins)
        ready = Stretch(user_id, "ready", None, None, begins, begins + timedelta(seconds=75))
        await write(uow, seat_id, "1001", [ready])
        await begin(
            uow, seat_id, "1001", user_id=user_id, state="wrap_up", call_session_id=call_id,
            started_at=now - timedelta(seconds=25),
        )  # fmt: skip
    async with database.read() as session:
        floor = await floor_now(session, now)
    assert (floor.today.aht_seconds, floor.today.occupancy) == (125, 0.25)
    assert floor.queues[0].today.aht_seconds == 125


async def test_calls_of_an_agent_are_counted_once_each(
    service: TelephonyService,  # noqa: F811 - the fixture's value
    people: PeopleService,
) -> None:
    database = service._db
    user_id = (await agents(database, people, 1))["1001"]
    await write_calls(
        service, call("answered", talk=60), call("answered", talk=90, queue="expert"), call("abandoned")
    )
    begins = datetime.fromtimestamp(TEN, UTC)
    async with database.read() as session:
        (mine,) = await by_agent(session, begins, begins + timedelta(minutes=15), begins)
        (expert,) = await by_agent(session, begins, begins + timedelta(minutes=15), begins, queue="expert")
        assert await by_agent(session, begins - timedelta(minutes=15), begins, begins) == []
    assert (mine.user_id, mine.name, mine.rung, mine.taken, mine.talk_ms) == (
        user_id, "坐席1001", 2, 2, 150_000,
    )  # fmt: skip
    assert (expert.taken, expert.talk_seconds, expert.aht_seconds) == (1, 90, None)
