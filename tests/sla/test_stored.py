"""Commands beside a node count by what is in force in its database, and by the files when there is none."""

import json
from datetime import date

from core.db import Database
from core.people.actor import Actor
from core.people.permissions import Role, permissions_of
from core.settings import City, DatabaseSettings, Settings
from sla import calendar_service as days
from sla import pack_service as packs
from sla.calendar import DayKind, Exceptional
from sla.stored import in_use
from tests.sla.test_due_command import due

THIRD = date(2026, 12, 3)


async def _filled(database: Database) -> None:
    roles = frozenset({Role.SYSTEM_ADMIN})
    nobody = Actor(None, "test", "test", roles, permissions_of(roles), None, "", "")
    async with database.begin() as uow:
        await days.seed(uow, City())
        await packs.seed(uow, "guilin")
    async with database.begin() as uow:
        rest = Exceptional(DayKind.CITY_REST, "城市马拉松", "")
        await days.save(
            uow, nobody, City(), 1, days.Change("edit", "马拉松", {THIRD: rest}, frozenset({2027}))
        )
        base = await packs.version(uow.session, (await packs.versions(uow.session))[0].id)
        faster = base.content.replace('complaint = { normal = "10wd"', 'complaint = { normal = "8wd"')
        made = await packs.draft(uow, nobody, base.id, "", faster, note="提速")
        await packs.publish(uow, nobody, made.id, date(2027, 1, 1), "常务会议")


async def test_what_the_database_has_counts(database: Database) -> None:
    await _filled(database)
    settings = Settings(database=DatabaseSettings(url=database.url))
    used = await in_use(settings)
    assert not used.calendar.works(THIRD)
    assert 2027 in used.calendar.known
    assert used.calendar_from == "version 2 of the database"
    assert (used.pack.name, used.pack.effective) == ("桂林市（默认）", date(2026, 1, 1))
    assert used.pack_from == "version 1 of the database"


async def test_without_an_answer_the_files_count() -> None:
    nowhere = "postgresql+asyncpg://hotline@127.0.0.1:1/hotline"
    used = await in_use(Settings(database=DatabaseSettings(url=nowhere)))
    assert used.calendar.works(THIRD)
    assert used.calendar_from == "the file sla/calendars/guilin.csv"
    assert used.pack_from == "sla.pack = guilin"


async def test_an_empty_database_is_none(empty_database_url: str) -> None:
    used = await in_use(Settings(database=DatabaseSettings(url=empty_database_url)))
    assert used.calendar_from == "the file sla/calendars/guilin.csv"


async def test_due_counts_by_the_database_and_says_so(database: Database) -> None:
    await _filled(database)
    words = ("--start", "2026-12-02T10:00", "--limit", "1wd")
    done = due(*words, "--json", HOTLINE_DATABASE__URL=database.url)
    told = json.loads(done.stdout)
    assert told["due"] == "2026-12-04T18:00:00+08:00"
    assert told["calendar_from"] == "version 2 of the database"
    assert "城市马拉松" in told["explanation"]
