"""Call-back tasks: one open task per number, due as the rule says, closed in one of three ways."""

import asyncio
from datetime import datetime, timedelta

import pytest

from core.clock import CITY_ZONE
from core.settings import Settings
from tests.tickets.conftest import City, Refused
from tickets import queries, reveal
from tickets.callback_due import callback_due, hours_of, next_try


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY_ZONE)


@pytest.mark.parametrize(
    ("missed", "due"),
    [
        ("2026-11-23T09:00:00", "2026-11-23T09:30:00"),  # the first second of the day is day
        ("2026-11-23T12:30:00", "2026-11-23T13:00:00"),  # the floor is staffed at noon
        ("2026-11-23T17:59:59", "2026-11-23T18:29:59"),  # within 30 minutes, though the day ends before
        ("2026-11-23T18:00:00", "2026-11-24T10:00:00"),  # the evening waits for the morning
        ("2026-11-23T23:59:59", "2026-11-24T10:00:00"),
        ("2026-11-24T00:00:00", "2026-11-24T10:00:00"),  # after midnight it is already that morning
        ("2026-11-24T08:59:59", "2026-11-24T10:00:00"),
        ("2026-11-27T20:00:00", "2026-11-28T10:00:00"),  # Saturdays are staffed too
        ("2026-12-31T20:00:00", "2027-01-01T10:00:00"),
    ],
)
def test_a_missed_call_is_due_in_half_an_hour_by_day_and_next_morning_by_night(
    settings: Settings, missed: str, due: str
) -> None:
    assert callback_due(_at(missed), hours_of(settings)) == _at(due)


def test_a_floor_staffed_round_the_clock_has_no_night(settings: Settings) -> None:
    city = settings.city.model_copy(update={"office_hours": ("00:00-24:00",)})
    hours = hours_of(settings.model_copy(update={"city": city}))
    assert callback_due(_at("2026-11-23T23:50:00"), hours) == _at("2026-11-24T00:20:00")


@pytest.mark.parametrize(
    ("tried", "quiet", "then"),
    [
        ("2026-11-23T10:00:00", "22:00-07:30", "2026-11-23T10:15:00"),
        ("2026-11-23T21:44:59", "22:00-07:30", "2026-11-23T21:59:59"),
        ("2026-11-23T21:45:00", "22:00-07:30", "2026-11-24T07:30:00"),  # 22:00 is quiet already
        ("2026-11-23T23:50:00", "22:00-07:30", "2026-11-24T07:30:00"),
        ("2026-11-24T03:00:00", "22:00-07:30", "2026-11-24T07:30:00"),
        ("2026-11-24T07:20:00", "22:00-07:30", "2026-11-24T07:35:00"),
        ("2026-11-23T12:00:00", "12:00-14:00", "2026-11-23T14:00:00"),
        ("2026-11-23T23:50:00", "", "2026-11-24T00:05:00"),
    ],
)
def test_the_next_try_comes_after_a_pause_and_never_in_quiet_hours(tried: str, quiet: str, then: str) -> None:
    assert next_try(_at(tried), timedelta(minutes=15), quiet) == _at(then)


async def _abandon(city: City, number: str, key: str) -> int | None:
    session_id, caller = await city.call(number, key=key)
    async with city.db.begin() as uow:
        return await city.callbacks.open_for_abandoned(uow, session_id, caller, uow.now)


async def test_a_number_that_gave_up_twice_has_one_task_that_counts_both(city: City) -> None:
    first = await _abandon(city, "13800000001", "a")
    second = await _abandon(city, "13800000001", "b")
    other = await _abandon(city, "13800000002", "c")
    assert first == second != other
    assert await city.scalar("SELECT calls FROM callback_task WHERE id = :t", t=first) == 2


async def test_twenty_abandons_of_one_number_at_once_make_one_task(city: City) -> None:
    tasks = await asyncio.gather(*(_abandon(city, "13800000001", f"k{n}") for n in range(20)))
    assert len(set(tasks)) == 1
    assert await city.scalar("SELECT calls FROM callback_task") == 20


async def test_the_same_call_told_twice_counts_once_even_after_the_task_was_closed(city: City) -> None:
    session_id, caller = await city.call()
    for _ in range(2):
        async with city.db.begin() as uow:
            task = await city.callbacks.open_for_abandoned(uow, session_id, caller, uow.now)
    async with city.db.begin() as uow:
        assert await city.callbacks.close_for_answered(uow, caller, session_id) == task
    async with city.db.begin() as uow:
        assert await city.callbacks.open_for_abandoned(uow, session_id, caller, uow.now) == task
    assert await city.scalar("SELECT count(*) FROM callback_task") == 1
    assert await city.scalar("SELECT calls FROM callback_task") == 1


async def test_a_caller_without_a_number_makes_no_task(city: City) -> None:
    session_id, _ = await city.call()
    async with city.db.begin() as uow:
        assert await city.callbacks.open_for_abandoned(uow, session_id, None, uow.now) is None


async def _try(city: City, task: int, version: int, result: str, who: str = "callback") -> int:
    async with city.db.begin() as uow:
        return await city.callbacks.log_attempt(uow, city.actors[who], task, version, result)


async def _end(city: City) -> str | None:
    found: str | None = await city.scalar("SELECT closed_as FROM callback_task")
    return found


async def test_reaching_the_citizen_closes_the_task(city: City, refused: Refused) -> None:
    task = await _abandon(city, "13800000001", "a") or 0
    assert await _try(city, task, 1, "no_answer") == 2
    await _try(city, task, 2, "reached")
    assert await _end(city) == "called_back"
    await refused("callback_closed", _try(city, task, 3, "reached"))
    async with city.db.read() as session:
        page = await queries.callback_page(session, city.actors["callback"], task)
    assert [attempt.result for attempt in page.attempts] == ["no_answer", "reached"]


async def test_three_tries_in_vain_close_the_task_as_unreachable(city: City) -> None:
    task = await _abandon(city, "13800000001", "a") or 0
    for version in (1, 2, 3):
        assert await _end(city) is None
        await _try(city, task, version, "busy")
    assert await _end(city) == "unreachable"


async def test_a_claimed_task_is_called_by_one_person_only(city: City, refused: Refused) -> None:
    task = await _abandon(city, "13800000001", "a") or 0
    agent, officer = city.actors["agent"], city.actors["callback"]
    async with city.db.begin() as uow:
        assert await city.callbacks.claim(uow, officer, task, 1) == 2
        assert await city.callbacks.claim(uow, officer, task, 1) == 2
    async with city.db.begin() as uow:
        await refused("callback_claimed", city.callbacks.claim(uow, agent, task, 2))
    await refused("callback_claimed", _try(city, task, 2, "reached", "agent"))
    async with city.db.begin() as uow:
        assert await city.callbacks.release(uow, city.actors["leader"], task, 2) == 3
    await _try(city, task, 3, "reached", "agent")


async def test_two_officers_claiming_at_once_get_one_task(city: City) -> None:
    task = await _abandon(city, "13800000001", "a") or 0

    async def claim(who: str) -> int:
        async with city.db.begin() as uow:
            return await city.callbacks.claim(uow, city.actors[who], task, 1)

    results = await asyncio.gather(claim("agent"), claim("callback"), return_exceptions=True)
    assert sorted(str(result).split(" ")[0] for result in results) == ["2", "callback_claimed"]


async def test_an_unknown_result_or_end_is_refused(city: City, refused: Refused) -> None:
    task = await _abandon(city, "13800000001", "a") or 0
    await refused("unknown_result", _try(city, task, 1, "lunch"))
    async with city.db.begin() as uow:
        await refused("unknown_result", city.callbacks.close(uow, city.actors["agent"], task, 1, "lunch"))


async def test_open_tasks_are_listed_by_due_time_with_masked_numbers(city: City) -> None:
    await _abandon(city, "13800000001", "a")
    async with city.db.read() as session:
        (item,) = await queries.callback_list(session, city.actors["agent"])
        assert await queries.callback_list(session, city.actors["lights"]) == []
        assert await queries.callback_list(session, city.actors["agent"], closed=True) == []
    assert item.caller == "138****0001"


async def test_the_number_to_call_is_shown_for_a_reason(city: City, refused: Refused) -> None:
    task = await _abandon(city, "13800000001", "a") or 0
    async with city.db.begin() as uow:
        shown = await reveal.of_callback(uow, city.actors["agent"], city.vault, task, "漏接回拨")
        assert shown == "13800000001"
        await refused("forbidden", reveal.of_callback(uow, city.actors["admin"], city.vault, task, "看看"))
