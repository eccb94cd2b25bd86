"""How fast open clocks are counted anew after a change of the calendar, and what of it is written.

A database holds so many open tickets with the clock of the total, one in five with that of a co-handler
too, started at random within the last eight weeks. Two days off are put in force, one after the other:
one every clock is looked at for and none has on its way (nothing is written), and one a part of them has.

    python -m bench.recompute [--tickets 100000]
"""

import argparse
import asyncio
import random
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg

from bench._report import finish, machine
from core import migrate
from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.postgres import EmbeddedPostgres
from core.settings import City
from core.startup import address
from sla import calendar_service, recompute
from sla.calendar import Calendar, DayKind, Exceptional
from sla.clocks import add, parse_limit
from sla.measures.counters import Counters
from sla.plain import CityLimits
from sla.recompute import Recomputer
from sla.sources import days_calendar, shipped_calendar

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
LIMITS = ("10wd", "10wd", "15wd", "5wd")
TARGET = 20_000  # clocks a second
BEHIND = date(2027, 12, 1)  # a Wednesday no clock reaches
AHEAD = date(2026, 12, 3)  # a Thursday
_TICKET = (
    *("id", "number", "query_code_ref", "version", "state", "channel", "type", "urgency", "confidentiality"),
    *("category_id", "title", "narrative", "expected", "address", "subject_name", "wants_reply"),
    *("wants_public", "urges", "stage", "stage_due_at", "round", "returns", "extensions", "supervised"),
    *("ruled", "excluded", "created_at", "dispatched_at", "due_at", "updated_at", "lead_unit_id"),
)
_STAGE = (
    *("ticket_id", "stage", "round", "unit_id", "started_at", "due_at", "limit", "policy", "alarm_at"),
    *("alarm_step", "card_round"),
)


Figures = dict[str, Any]


class Leads:
    """The only node."""

    async def fence(self, _uow: UnitOfWork) -> None:
        """It leads."""


def with_day_off(day: date) -> Calendar:
    """The shipped calendar and one more day off."""
    own = {
        one: told
        for one, told in shipped_calendar().exceptions.items()
        if told.kind in (DayKind.CITY_REST, DayKind.CITY_WORK)
    }
    return days_calendar(City(), own | {day: Exceptional(DayKind.CITY_REST, "实测", "bench")})


async def fill(superuser: str, number: int, limits: CityLimits) -> int:
    """Open tickets without anything a clock does not need; returns how many clocks they have."""
    source = random.Random(12345)
    tickets: list[tuple[Any, ...]] = []
    stages: list[tuple[Any, ...]] = []
    calendar = limits.calendar
    for ident in range(1, number + 1):
        start = NOW - timedelta(minutes=source.randrange(8 * 7 * 24 * 60))
        for stage, limit in (("total", source.choice(LIMITS)), ("co_opinion", "5wd"))[: 1 + (ident % 5 == 0)]:
            due = add(calendar, start, parse_limit(limit))
            alarm = limits.next_alarm(stage, limit, start, due)  # type: ignore[arg-type]  # its name
            stages.append((ident, stage, 1, 1, start, due, limit, "bench", alarm.at, alarm.step, 1))
            if stage == "total":
                stages.append((ident, "handle", 1, 1, start, due, None, None, None, 0, 1))
                total = due
        tickets.append(
            (
                *(ident, f"4503{ident:014}", ident, 1, "handling", "phone", "complaint", "normal", "normal"),
                *(1, "实测", "实测", "", "", "", True, False, 0, "handle", total, 1, 0, 0, False),
                *(False, False, start, start, total, start, 1),
            )
        )
    connection = await asyncpg.connect(**address(superuser))
    try:
        await connection.execute("SET session_replication_role = replica")  # no foreign keys
        await connection.copy_records_to_table("ticket", records=tickets, columns=_TICKET)
        await connection.copy_records_to_table("ticket_stage", records=stages, columns=_STAGE)
        await connection.execute("ANALYZE ticket; ANALYZE ticket_stage")
    finally:
        await connection.close()
    return len(stages) - number


async def recount(db: Database, limits: CityLimits, calendar: Calendar, *, everything: bool) -> Figures:
    """Put a calendar in force and count anew; what was done, and how long it took."""
    days = None if everything else limits.calendar.changed(calendar)
    limits.use_calendar(calendar)
    async with db.begin() as uow:
        version = (await calendar_service.present(uow.session)).id
        job_id = await recompute.order(uow, version, calendar, days, "实测")
    work = Recomputer(db, limits, cast(Any, Leads()), Counters())
    wall, cpu = time.perf_counter(), time.process_time()
    while not await work.step(job_id):
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    async with db.read() as session:
        (job,) = await recompute.latest(session)
    return {
        "clocks": job.seen,
        "tickets": job.tickets,
        "clocks written": job.moved,
        "seconds": round(wall, 2),
        "cpu": round(cpu, 2),
        "clocks/s": round(job.seen / wall),
        "tickets/s": round(job.tickets / wall),
    }


async def measure(number: int, folder: str) -> dict[str, Any]:
    """Both changes on one database."""
    server = EmbeddedPostgres(Path(folder) / "data")
    server.start()
    db = Database(server.url(), clock=ManualClock(NOW), bus=EventBus())
    limits = CityLimits()
    try:
        await migrate.upgrade(server.url())
        async with db.begin() as uow:
            await calendar_service.seed(uow, City())
        clocks = await fill(server.url(superuser=True), number, limits)
        untouched = await recount(db, limits, with_day_off(BEHIND), everything=True)
        moved = await recount(db, limits, with_day_off(AHEAD), everything=False)
    finally:
        await db.close()
        server.stop()
    return {"open clocks": clocks, "nothing moves": untouched, "a day off ahead": moved}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.recompute", description=__doc__)
    parser.add_argument("--tickets", type=int, default=100_000)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as folder:
        found = asyncio.run(measure(options.tickets, folder))
    calm, moving = found["nothing moves"], found["a day off ahead"]
    rows = [
        ("open clocks", f"{found['open clocks']:,}", ""),
        ("nothing moves: clocks looked at a second", f"{calm['clocks/s']:,}", f"≥ {TARGET:,}"),
        ("nothing moves: clocks written", f"{calm['clocks written']:,}", "0"),
        ("a day off ahead: clocks looked at", f"{moving['clocks']:,}", ""),
        (
            "a day off ahead: clocks, tickets written",
            f"{moving['clocks written']:,}, {moving['tickets']:,}",
            "",
        ),
        ("a day off ahead: tickets written a second", f"{moving['tickets/s']:,}", ""),
    ]
    finish("recompute", "open clocks counted anew", rows, {"machine": about, **found})
    return 0 if calm["clocks/s"] >= TARGET and not calm["clocks written"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
