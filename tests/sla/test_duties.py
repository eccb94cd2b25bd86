"""What is done once a day: told on working days, to the right people, once, whoever leads."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.leadership import Lease
from core.settings import Leadership
from sla.digest import Digest, digest_of
from sla.duties import Duties
from tests.sla.rig import GUILIN, at
from tests.tickets.conftest import City, Refused, city, refused  # noqa: F401 - fixtures
from tests.tickets.test_knowledge import published

EIGHT = at("2026-11-23 08:30")  # a Monday


class Morning:
    """A city with a leader who does the duties of the day."""

    def __init__(self, made: City, clock: ManualClock, lease: Lease) -> None:
        self.city, self.clock, self.lease = made, clock, lease
        digest = Digest(made.db, made.people, lease)
        self.duties = Duties(made.db, lease, digest, lambda: GUILIN, made.settings)

    def at(self, text: str) -> None:
        self.clock.step((at(text) - self.clock.now()).total_seconds())

    async def run(self, text: str) -> None:
        self.at(text)
        await self.duties.run()

    async def told(self, kind: str = "digest") -> dict[str, int]:
        """Who has how many unread notices of a kind, with how often each was given."""
        query = sa.text(
            "SELECT user_id, sum(times) FROM notification WHERE kind = :k AND read_at IS NULL GROUP BY 1"
        )
        async with self.city.db.read() as session:
            found = {row[0]: int(row[1]) for row in await session.execute(query, {"k": kind})}
        return {
            name: found[actor.user_id] for name, actor in self.city.actors.items() if actor.user_id in found
        }

    async def digest(self, who: str) -> Any:
        async with self.city.db.read() as session:
            return await digest_of(session, self.city.user(who))

    async def due(self, unit: str, due: datetime) -> None:
        """A ticket of `unit` that is signed and due then."""
        made = await self.city.dispatched(unit)
        statement = sa.text("UPDATE ticket SET due_at = :due, state = 'handling' WHERE id = :id")
        async with self.city.db.begin() as uow:
            await uow.session.execute(statement, {"due": due, "id": made.id})


@pytest.fixture
async def morning(city: City, clock: ManualClock) -> Morning:  # noqa: F811 - the fixture
    clock.step((at("2026-11-20 10:00") - clock.now()).total_seconds())  # the Friday before
    lease = Lease(city.db, "scheduler", "node-1", Leadership(lease_seconds=3600), clock)
    assert await lease.try_take()
    return Morning(city, clock, lease)


async def test_a_unit_is_told_of_itself_and_below_the_supervision_of_the_city(morning: Morning) -> None:
    await morning.due("lights", EIGHT - timedelta(hours=1))
    await morning.due("lights", EIGHT + timedelta(hours=2))
    await morning.due("sanlidian", EIGHT + timedelta(days=1))
    await morning.city.dispatched("water")
    await morning.run("2026-11-23 08:30")
    told = await morning.told()
    assert set(told) == {"lights", "lights_head", "street", "district", "water", "supervision"}
    lights, district, city_wide = [await morning.digest(who) for who in ("lights", "district", "supervision")]
    assert (lights.scope, lights.counts) == ("unit", {"overdue": 1, "today": 1, "warned": 0, "new": 0})
    assert district.counts["warned"] == 1
    assert (city_wide.scope, city_wide.counts["overdue"]) == ("city", 1)
    assert city_wide.counts["new"] == 1


async def test_nobody_is_told_that_there_is_nothing(morning: Morning) -> None:
    await morning.run("2026-11-23 08:30")
    assert await morning.told() == {}
    assert await morning.digest("lights") is None


@pytest.mark.parametrize(
    ("when", "tells"),
    [
        ("2026-11-23 08:29", False),
        ("2026-11-23 08:30", True),
        ("2026-11-23 17:59", True),  # a node that was away all day
        ("2026-11-23 18:00", False),
        ("2026-11-22 09:00", False),  # Sunday
        ("2026-10-10 09:00", True),  # a Saturday that is worked
        ("2026-10-01 09:00", False),  # National Day
    ],
)
async def test_it_comes_on_working_days_from_half_past_eight(
    morning: Morning, when: str, tells: bool
) -> None:
    morning.at("2026-09-28 10:00")
    await morning.due("lights", at("2026-09-29 10:00"))
    await morning.run(when)
    assert ("lights" in await morning.told()) is tells


async def test_it_comes_once_a_day_and_the_next_day_anew(morning: Morning) -> None:
    await morning.due("lights", EIGHT)
    for text in ("2026-11-23 08:30", "2026-11-23 08:35", "2026-11-23 17:00"):
        await morning.run(text)
    assert (await morning.told())["lights"] == 1
    await morning.run("2026-11-24 08:30")
    assert (await morning.told())["lights"] == 1  # yesterday's was not read, and counts no more
    assert (await morning.digest("lights")).day.isoformat() == "2026-11-24"


async def test_a_node_that_died_in_the_middle_tells_the_rest_and_nobody_twice(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sla.digest.BATCH", 1)
    await morning.due("lights", EIGHT)
    begin, left = morning.city.db.begin, iter([True, True, False])

    def dying() -> Any:
        if not next(left, False):
            raise ConnectionError
        return begin()

    monkeypatch.setattr(morning.city.db, "begin", dying)
    with pytest.raises(ConnectionError):
        await morning.run("2026-11-23 08:30")
    monkeypatch.setattr(morning.city.db, "begin", begin)
    await morning.run("2026-11-23 08:35")
    assert await morning.told() == {"lights": 1, "lights_head": 1, "supervision": 1}


async def test_two_nodes_at_once_tell_each_person_once(morning: Morning) -> None:
    await morning.due("lights", EIGHT)
    morning.at("2026-11-23 08:30")
    await asyncio.gather(*(morning.duties.run() for _ in range(2)))
    assert await morning.told() == {"lights": 1, "lights_head": 1, "supervision": 1}


async def test_a_leader_that_lost_its_lease_tells_nobody(
    morning: Morning,
    refused: Refused,  # noqa: F811 - the fixture
) -> None:
    await morning.due("lights", EIGHT)
    async with morning.city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE lease SET epoch = epoch + 1"))
    await refused("lease_lost", morning.run("2026-11-23 08:30"))
    assert await morning.told() == {}


async def test_who_is_disabled_is_not_told(morning: Morning) -> None:
    await morning.due("lights", EIGHT)
    async with morning.city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE user_account SET active = false WHERE login = 'lights'"))
    await morning.run("2026-11-23 08:30")
    assert set(await morning.told()) == {"lights_head", "supervision"}


# ---- call-backs of the night ----------------------------------------------------------------------


async def missed(morning: Morning, text: str, number: str = "13800000009") -> None:
    morning.at(text)
    made = morning.city
    call, caller = await made.call(number, at=at(text), key=text)
    async with made.db.begin() as uow:
        await made.callbacks.open_for_abandoned(uow, call, caller, at(text))


async def test_callers_of_the_night_are_due_by_ten_and_those_who_call_are_told_in_the_morning(
    morning: Morning,
) -> None:
    await missed(morning, "2026-11-22 23:30")
    await morning.run("2026-11-23 08:30")
    due = await morning.city.scalar("SELECT due_at FROM callback_task")
    assert due == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    await morning.run("2026-11-23 08:35")
    assert await morning.told("night_callbacks") == {"leader": 1, "callback": 1}


async def test_the_night_before_a_rest_day_is_called_back_that_morning_too(morning: Morning) -> None:
    await missed(morning, "2026-11-21 02:00")
    await morning.run("2026-11-21 08:30")  # Saturday
    assert await morning.told("night_callbacks") == {"leader": 1, "callback": 1}


async def test_without_missed_callers_nobody_is_told(morning: Morning) -> None:
    await morning.run("2026-11-23 08:30")
    await missed(morning, "2026-11-23 08:45")  # early, but after the look: due by ten all the same
    await morning.run("2026-11-23 08:50")
    assert await morning.told("night_callbacks") == {}


async def test_owners_of_knowledge_are_reminded_on_working_days_once(morning: Morning) -> None:
    ident = await published(morning.city, valid_to=EIGHT.date() + timedelta(days=9))
    assert ident
    await morning.run("2026-11-22 08:30")  # a Sunday
    assert await morning.told("knowledge_ending") == {}
    await morning.run("2026-11-23 08:30")
    assert await morning.told("knowledge_ending") == {"lights": 1}
    await morning.run("2026-11-23 08:35")
    await morning.run("2026-11-24 08:30")
    assert await morning.told("knowledge_ending") == {"lights": 1}
