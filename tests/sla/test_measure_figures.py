"""Figures: their parts, their periods, and that every number is the length of its list."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from core.errors import HotlineError
from sla.measures import lists, queries
from sla.measures.definitions import COUNTERS, MIN_N, RATES, kept_codes
from sla.measures.periods import FIRST_DAY, LAST_DAY, Period, ages, days_back, mondays, pieces, weeks_back
from sla.measures.queries import share
from tests.sla.measures_rig import day, fold
from tests.sla.test_measures import clock_of
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tests.tickets.test_walks import walk
from tickets.states import Action

A = Action


async def random_city(city: City) -> list[Life]:
    """A month in which twelve matters are walked by anybody who may, and some answered on the line."""
    draw = random.Random(7)
    other = await life(city, phone="13800000008")
    lives = []
    for number in range(12):
        kind = draw.choice(("help", "consult", "complaint"))
        lives.append(await life(city, phone=f"138000001{number:02}", type=kind))
        if number % 4 == 0:
            async with city.db.begin() as uow:
                draft = await city.drafts.open_manual(uow, city.actors["agent"])
                await city.drafts.end_as_record(uow, city.actors["agent"], draft, 1, "direct_answer", "已答")
        for one in lives:
            if number % 2 == 0:
                await walk(
                    city, one, other.id, [(draw.randrange(100), draw.randrange(100), draw.randrange(100))]
                )
        if await lives[-1].state() == "waiting_dispatch":
            unit = draw.choice(("lights", "water"))
            await lives[-1].do("dispatcher", A.DISPATCH, unit_id=city.unit(unit))
        clock_of(city).advance(draw.randrange(72) * 3600)
        if number % 3 == 1 and await lives[-1].state() == "waiting_sign":
            await lives[-1].do(unit, A.SIGN)
        if number % 3 == 0 and await lives[-1].state() == "waiting_sign":
            await lives[-1].do("system", A.SIGN)
    await fold(city.db)
    return lives


async def length(city: City, wanted: lists.Wanted, limit: int = 7) -> int:
    """All pages of a list together; no line comes twice."""
    seen: list[tuple[object, ...]] = []
    cursor = None
    while True:
        async with city.db.read() as session:
            page = await lists.lines(session, city.actors["supervision"], wanted, cursor, limit)
        for line in page.items:
            ident = line.ticket.id if line.ticket else line.record.id if line.record else None
            assert ident is not None
            seen.append((line.ticket is None, ident, line.seq))
        assert len(page.items) <= limit
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(seen)) == len(seen)
    return len(seen)


async def test_every_number_is_the_length_of_its_list(city: City) -> None:
    """For every counter: of all, of a unit, a category, a type, apart or not, in several periods."""
    await random_city(city)
    today = day(city.db.clock.now())
    periods = (Period(FIRST_DAY, LAST_DAY), days_back(today, 14), Period(today - timedelta(days=90), today))
    narrowed: tuple[dict[str, Any], ...] = (
        {},
        {"unit_id": city.unit("lights")},
        {"unit_id": city.unit("water")},
        {"category_id": city.category_id},
        {"type": "help"},
        {"type": "help", "unit_id": city.unit("lights")},
        {"apart": "all"},
        {"apart": "yes"},
    )
    somewhere = set()
    for counter in COUNTERS.values():
        for period in periods:
            for narrow in narrowed:
                wanted = lists.Wanted(counter, period, **narrow)
                async with city.db.read() as session:
                    n = await lists.count(session, wanted)
                assert n == await length(city, wanted), (counter.code, period, narrow)
                if n:
                    somewhere.add(counter.code)
    assert somewhere >= {"accepted", "direct", "sent", "due", "overdue", "signed"}


async def test_every_rate_is_its_part_over_the_whole(city: City) -> None:
    await random_city(city)
    clock_of(city).advance(86_400 * 20)
    today = day(city.db.clock.now())
    period = Period(today - timedelta(days=90), today)
    async with city.db.read() as session:
        found = (await queries.shares(session, today, list(RATES), period))[""]
        for code, one in found.items():
            over = Period(period.first, today - timedelta(days=1))
            for counter, n in ((one.rate.part, one.part), (one.rate.of, one.of)):
                span = over if COUNTERS[counter].settled else period
                assert n == await lists.count(session, lists.Wanted(COUNTERS[counter], span)), (code, counter)
            assert 0 <= one.part <= one.of or code in ("return_rate", "redo_rate")
    assert found["on_time_rate"].part + found["overdue_rate"].part == found["on_time_rate"].of > 0


async def test_what_is_due_today_is_not_late_yet(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await fold(city.db)
    due = day((await one.row()).due_at)
    period = Period(due - timedelta(days=30), due + timedelta(days=30))
    async with city.db.read() as session:
        assert await queries.shares(session, due, ["overdue_rate"], period) == {}
        late = await queries.shares(session, due + timedelta(days=1), ["overdue_rate"], period)
    assert (late[""]["overdue_rate"].part, late[""]["overdue_rate"].of) == (1, 1)


async def test_stages_by_age_tell_how_long_a_ticket_stands_there(city: City) -> None:
    first = await life(city)
    await first.to_handling()
    clock_of(city).advance(86_400 * 5)
    await life(city, phone="13800000009")
    await fold(city.db)
    today = day(city.db.clock.now())
    async with city.db.read() as session:
        found = await queries.stage_ages(session, today)
    words = [word for word, _period in ages(today)]
    assert words == ["今日", "1 天", "2–3 天", "4–7 天", "8–15 天", "15 天以上"]
    assert [cell.n for cell in found["handle"]] == [0, 0, 0, 1, 0, 0]
    assert [cell.n for cell in found["dispatch"]] == [1, 0, 0, 0, 0, 0]


async def test_units_are_grouped_with_their_peers_and_ranked_when_there_is_enough(city: City) -> None:
    for number in range(3):
        await (await life(city, phone=f"1380000000{number}")).to_handling("lights")
    await fold(city.db)
    today = day(city.db.clock.now())
    async with city.db.read() as session:
        groups = await queries.by_unit(session, today, ["sign_rate"], days_back(today, 7))
    assert list(groups) == ["bureau", "district", "town"]
    (row,) = groups["bureau"]
    assert (row.id, row.shares["sign_rate"].of, row.shares["sign_rate"].ranked) == (
        city.unit("lights"),
        3,
        False,
    )


def test_a_share_shows_who_is_left_out_and_who_was_silent() -> None:
    values = {
        ("solved", False): 40,
        ("asked_solved", False): 50,
        ("asked_solved", True): 3,
        ("unreached", False): 9,
    }
    one = share(RATES["solved_rate"], values)
    assert (one.part, one.of, one.left_out, one.silent, one.percent) == (40, 50, 3, 9, 80.0)
    assert one.ranked is (MIN_N <= 50)
    assert share(RATES["solved_rate"], {}).percent is None


def test_a_period_is_put_together_of_whole_pieces() -> None:
    for first, last in (
        (date(2026, 1, 1), date(2026, 12, 31)),
        (date(2026, 2, 3), date(2026, 3, 1)),
        (date(2024, 2, 28), date(2024, 3, 1)),
        (date(2026, 11, 23), date(2026, 11, 30)),
    ):
        days: list[date] = []
        for grain, start in pieces(Period(first, last)):
            size = {"d": 1, "w": 7}.get(grain) or (_next_month(start) - start).days
            days += [start + timedelta(days=n) for n in range(size)]
        assert days == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert len(pieces(Period(date(2026, 1, 1), date(2026, 12, 31)))) == 12
    assert pieces(Period(date(2026, 1, 2), date(2026, 1, 1))) == []


def _next_month(at: date) -> date:
    return date(at.year + at.month // 12, at.month % 12 + 1, 1)


def test_weeks_begin_on_monday() -> None:
    period = weeks_back(date(2026, 11, 25), 3)
    assert mondays(period) == [date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23)]
    assert all(monday.weekday() == 0 for monday in mondays(period))


def test_every_rate_is_made_of_counters_that_exist() -> None:
    for rate in RATES.values():
        assert {rate.part, rate.of} <= set(COUNTERS)
        assert rate.silent is None or rate.silent in COUNTERS
        assert kept_codes({rate.part, rate.of}) <= set(COUNTERS)


async def test_a_cursor_nobody_gave_out_is_refused(city: City) -> None:
    wanted = lists.Wanted(COUNTERS["sent"], Period(FIRST_DAY, LAST_DAY))
    async with city.db.read() as session:
        for cursor in ("x", "W10", "e30", "WyJhIiwxLDEsdHJ1ZV0"):
            with pytest.raises(HotlineError) as caught:
                await lists.lines(session, city.actors["supervision"], wanted, cursor)
            assert caught.value.code == "bad_cursor"


async def test_a_list_shows_nobody_what_he_may_not_see(city: City) -> None:
    await (await life(city)).to_handling("lights")
    await (await life(city, phone="13800000009")).to_handling("water")
    await fold(city.db)
    wanted = lists.Wanted(COUNTERS["sent"], Period(FIRST_DAY, LAST_DAY))
    seen = {}
    async with city.db.read() as session:
        for login in ("supervision", "lights", "admin"):
            seen[login] = len((await lists.lines(session, city.actors[login], wanted)).items)
    assert seen == {"supervision": 2, "lights": 1, "admin": 0}
