"""A database of the previous release keeps every row when this release takes it over."""

from datetime import UTC, datetime

from core import audit, migrate, startup
from core.backup import count_rows
from core.clock import ManualClock
from core.db import Database
from core.events import EventBus
from core.people import org
from core.people.actor import Actor
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings

CLOCK = ManualClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))


async def counts(url: str) -> dict[str, int]:
    connection = await startup.connect(url)
    try:
        return await count_rows(connection)
    finally:
        await connection.close()


async def people_work(db: Database, settings: Settings, passwords: Passwords) -> None:
    """What every release can do: a unit, a person who signs in, a telephone number."""
    people, system = PeopleService(db, CLOCK, settings, passwords), Actor.system("test")
    async with db.begin() as uow:
        unit = await org.create_unit(uow, system, kind="city", name="桂林", code="4503")
        await people.create_user(
            uow,
            system,
            login="6001",
            name="王小明",
            password="a long password",
            unit_id=unit.id,
            roles=frozenset({Role.AGENT}),
        )
        await Vault(settings).put(uow, "phone", "13800000001")
    await people.authenticate("6001", "a long password", source="127.0.0.1")
    async with db.begin() as uow:
        await audit.link(uow, limit=100)


async def test_the_previous_release_loses_no_row_and_its_audit_chain_still_fits(
    empty_database_url: str, settings: Settings, passwords: Passwords
) -> None:
    previous, newest = migrate.revisions()[-2:]
    await migrate.upgrade(empty_database_url, newest)
    db = Database(empty_database_url, clock=CLOCK, bus=EventBus())
    await people_work(db, settings, passwords)
    await db.close()
    await migrate.downgrade(empty_database_url, previous)  # our code writes this release's tables only
    db = Database(empty_database_url, clock=CLOCK, bus=EventBus())
    before = await counts(empty_database_url)
    assert before["audit_log"] >= 3

    await startup.prepare(empty_database_url)

    after = await counts(empty_database_url)
    assert await migrate.current(empty_database_url) == newest
    assert {
        table: after[table] for table in before if after[table] < before[table]
    } == {}  # new codes are new rows
    async with db.read() as session:
        report = await audit.verify(session)
    assert report.ok
    assert report.linked == before["audit_log"]
    people = PeopleService(db, CLOCK, settings, passwords)
    assert (await people.authenticate("6001", "a long password", source="127.0.0.1")).actor.login == "6001"
    await db.close()
