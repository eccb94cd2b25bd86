"""Many at once on one ticket: no update is lost, no number doubled, the history is in order."""

import asyncio

from core.db import Database
from core.errors import HotlineError
from tests.tickets.conftest import City
from tests.tickets.life import life
from tickets.states import Action as A

WRITERS = 50


async def test_fifty_writers_on_one_ticket_lose_nothing(city: City) -> None:
    one = await life(city)
    people = [city.actors[name] for name in ("agent", "agent2", "leader", "dispatcher", "supervision")]

    async def write(place: int) -> int:
        actor = people[place % len(people)]
        async with city.db.begin() as uow:
            return await city.tickets.add_note(uow, actor, one.id, f"第 {place} 条")

    versions = await asyncio.gather(*(write(place) for place in range(WRITERS)))
    assert sorted(versions) == list(range(2, WRITERS + 2))
    rows = await one.history()
    assert [row.version for row in rows] == list(range(1, WRITERS + 2))
    assert {row.note for row in rows[1:]} == {f"第 {place} 条" for place in range(WRITERS)}
    await one.check_replay()


async def test_of_fifty_who_decide_on_the_same_version_one_wins(city: City) -> None:
    one = await life(city)
    seen = (await one.row()).version
    units = [city.unit(name) for name in ("lights", "water", "qixing", "xiangshan", "sanlidian")]

    async def dispatch(place: int) -> str:
        actor = city.actors[("dispatcher", "leader", "supervision")[place % 3]]
        try:
            async with city.db.begin() as uow:
                await city.tickets.dispatch(uow, actor, one.id, seen, units[place % 5], f"第 {place} 人")
        except HotlineError as error:
            return error.code
        return "done"

    results = await asyncio.gather(*(dispatch(place) for place in range(WRITERS)))
    assert results.count("done") == 1
    assert results.count("version_conflict") == WRITERS - 1
    assert await one.scalar("SELECT count(*) FROM ticket_unit WHERE ticket_id = :id") == 1
    assert [row.version for row in await one.history()] == [1, 2]


async def test_fifty_tickets_made_at_once_have_fifty_numbers(city: City, database: Database) -> None:
    made = await asyncio.gather(*(life(city, phone=f"138000{place:05d}") for place in range(WRITERS)))
    assert len({one.number for one in made}) == WRITERS
    assert await city.scalar("SELECT count(DISTINCT number) FROM ticket") == WRITERS


async def test_merges_that_cross_end_with_one_master(city: City) -> None:
    first, second = await life(city), await life(city)

    async def merge(one: int, master: int) -> str:
        try:
            async with city.db.begin() as uow:
                await city.tickets.act(uow, city.actors["agent"], one, 1, A.MERGE, {"master_id": master})
        except HotlineError as error:
            return error.code
        return "done"

    results = await asyncio.gather(merge(first.id, second.id), merge(second.id, first.id))
    assert sorted(results) in (["done", "version_conflict"], ["done", "has_members"])
    states = {await first.state(), await second.state()}
    assert states == {"waiting_dispatch", "merged"}
