"""The calendar and the pack in force for commands that run beside a node: from a database that answers.

Nothing is started for it: without an address, or without an answer, the files of the settings count.
"""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import date

import asyncpg

from core.clock import SystemClock, to_city
from core.errors import HotlineError
from core.postgres import EmbeddedPostgres
from core.settings import Settings
from core.startup import connect, embedded_folder
from sla.calendar import Calendar
from sla.city_days import exception
from sla.pack import Pack
from sla.packs import named_pack, parse_pack
from sla.sources import city_calendar, days_calendar

PATIENCE = 3  # seconds
_CALENDAR = "SELECT id, number, known FROM calendar_version ORDER BY number DESC LIMIT 1"
_DAYS = "SELECT day, kind, hours, reason FROM calendar_day WHERE version_id = $1"
_PACK = """
    SELECT v.number, v.content, p.effective
    FROM pack_publication p JOIN pack_version v ON v.id = p.version_id
    ORDER BY p.effective <= $1 DESC, CASE WHEN p.effective <= $1 THEN p.effective END DESC,
        p.effective, p.id DESC
    LIMIT 1
"""


@dataclass(frozen=True)
class InUse:
    """What counts, and where it comes from."""

    calendar: Calendar
    calendar_from: str
    pack: Pack
    pack_from: str


async def in_use(settings: Settings) -> InUse:
    """By the database if it can be asked, else by the files. Errors: those of the files."""
    url = _address(settings)
    if url is not None:
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await connect(url)
                try:
                    found = await _read(connection, settings)
                finally:
                    await connection.close()
        except (HotlineError, asyncpg.PostgresError, OSError, TimeoutError):
            found = None  # out of reach, or of another release
        if found is not None:
            return found
    name = settings.city.calendar
    return InUse(
        city_calendar(settings.city),
        f"the file {name}" if name else "the national days",
        named_pack(settings.sla.pack),
        f"sla.pack = {settings.sla.pack}",
    )


def _address(settings: Settings) -> str | None:
    """Where a database is that runs already."""
    if settings.database.url:
        return settings.database.url
    embedded = EmbeddedPostgres(embedded_folder(settings))
    return embedded.url() if embedded.is_running() else None


async def _read(connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings) -> InUse | None:
    """None before a node has taken over the files."""
    version = await connection.fetchrow(_CALENDAR)
    pack = await connection.fetchrow(_PACK, _today())
    if version is None or pack is None:
        return None
    days = {
        row["day"]: exception(row["kind"], row["hours"], row["reason"], file="", where=str(row["day"]))
        for row in await connection.fetch(_DAYS, version["id"])
    }
    known = json.loads(version["known"])
    told = parse_pack(f"version {pack['number']}", pack["content"])
    return InUse(
        days_calendar(settings.city, days, known),
        f"version {version['number']} of the database",
        replace(told, effective=pack["effective"]),
        f"version {pack['number']} of the database",
    )


def _today() -> date:
    return to_city(SystemClock().now()).date()
