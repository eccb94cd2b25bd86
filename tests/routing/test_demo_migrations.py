"""Migrations go down and up again on a database that is full."""

from core import migrate
from core.db import Database
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from routing import demo
from sla.plain import CityLimits
from tests.routing.test_demo import SMALL, Services
from tickets.service import TicketService


async def test_a_seeded_database_goes_down_up_and_is_seeded_again(
    database: Database, vault: Vault, people: PeopleService, settings: Settings
) -> None:
    tickets = TicketService(database, database.clock, vault, settings, CityLimits())
    services = Services(database, vault, people, settings, tickets)
    await demo.seed(services, size=SMALL)
    for revision in [*migrate.revisions()[-2::-1], "base"]:
        await migrate.downgrade(database.url, revision)
        assert await migrate.current(database.url) == (None if revision == "base" else revision)
    await migrate.upgrade(database.url)
    await database.engine.dispose()  # plans made for the tables that went
    assert await demo.is_empty(database)
    await demo.seed(services, size=SMALL)
    assert not await demo.is_empty(database)
