"""The demo city's public data: whole months that are over, once, when their figures are counted."""

from datetime import date

from sqlalchemy import text

from core.clock import ManualClock, to_city
from core.db import Database
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import OpenData, Settings
from routing import demo
from sla.demo.releases import FirstReleases
from sla.measures.recount import start_over, step
from sla.opendata import queries
from sla.opendata.service import OpenDataService
from sla.opendata.suppression import K
from sla.plain import CityLimits
from tests.routing.demo_rig import held_lease
from tests.routing.test_demo import Services
from tests.sla.measures_rig import fold
from tickets.service import TicketService


def month_of(clock: ManualClock) -> date:
    return to_city(clock.now()).date().replace(day=1)


async def test_past_months_are_published_once_when_they_are_counted(
    database: Database, vault: Vault, people: PeopleService, settings: Settings, clock: ManualClock
) -> None:
    lease = await held_lease(database)
    service = OpenDataService(database, OpenData())
    first = FirstReleases(database, people, service, OpenData().prepare_day)
    assert not await first.run(lease)  # no city
    tickets = TicketService(database, database.clock, vault, settings, CityLimits())
    await demo.seed(
        Services(database, vault, people, settings, tickets),
        size=demo.Size(tickets=400, records=60, missed=6),
    )
    async with database.begin() as uow:
        await start_over(uow)
    assert not await first.run(lease)  # nothing is counted
    going = True
    while going:
        async with database.begin() as uow:
            going = await step(uow)
    assert not await first.run(lease)  # and what is counted is not folded
    await fold(database)
    assert await first.run(lease)
    async with database.read() as session:
        found = await queries.listed(session)
        decided = (await session.execute(text("SELECT decision, by FROM open_decision"))).all()
    assert found
    for one in found:
        assert one.month < month_of(clock)
        assert to_city(one.published_at).date() > to_city(one.as_of).date() > one.month
        for table in one.tables:
            numbers = [n for row in table["rows"] for n in (row["total"], *row["cells"].values())]
            assert all(n is None or n == 0 or n >= K for n in (*numbers, *table["totals"].values()))
    assert any(one.tables for one in found)
    assert all(decision == "published" and by for decision, by in decided)
    again = FirstReleases(database, people, service, OpenData().prepare_day)
    assert await again.run(lease)
    async with database.read() as session:
        assert len(await queries.listed(session)) == len(found)


def test_a_month_that_began_before_the_city_or_is_not_due_is_left_out(
    database: Database, people: PeopleService
) -> None:
    first = FirstReleases(database, people, OpenDataService(database, OpenData()), 5)
    now = database.clock.now().replace(2026, 11, 6, 12)
    assert first._months(date(2026, 8, 2), now) == [date(2026, month, 1) for month in (8, 9, 10)]
    assert first._months(date(2026, 8, 3), now)[0] == date(2026, 9, 1)
    assert first._months(date(2026, 8, 3), now.replace(day=5))[-1] == date(2026, 9, 1)
