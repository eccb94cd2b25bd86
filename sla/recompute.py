"""Open clocks counted anew after a change of the calendar: by the leader, in batches, restartable.

A version whose days changed leaves a row of `recomputation`. The leader walks the running clocks that the
changed days touch, page by page in the order of their tickets, and writes only those that come out
otherwise; a restart goes on behind the last page. It also sees when the product itself brought other days
(a release with a new notice) or other office hours, by the print of the working time it last counted by.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.db import Database, UnitOfWork
from core.leadership import Lease
from core.people.actor import Actor
from sla import open_clocks
from sla.calendar import Calendar
from sla.open_clocks import Between
from sla.plain import WITHOUT_LADDER, CityLimits
from sla.recount import NOTHING, STANDING, Past, due_of
from sla.version_models import CalendarVersion, Recomputation
from tickets import recount
from tickets.models import table_of
from tickets.recount import Moved, Recounted
from tickets.states import STAGE_LABELS, Stage, State

logger = logging.getLogger(__name__)
BATCH = 200  # tickets of a transaction
REST = timedelta(seconds=5)  # until every node counts by the new calendar
SYSTEM = Actor.system("recount")
_job, _version = table_of(Recomputation), table_of(CalendarVersion)
_HANDLE = Stage.HANDLE.value
_TOTAL = Stage.TOTAL.value


@dataclass(frozen=True)
class Progress:
    """How far a recomputation is."""

    id: int
    calendar_version_id: int
    first_day: date | None
    last_day: date | None
    reason: str
    state: str
    total: int
    seen: int
    moved: int
    tickets: int
    after_id: int
    made_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> int:
        """0 … 100; a hundred only when it is over."""
        return 100 if self.state == "done" else min(99, 100 * self.seen // max(1, self.total))


_COLUMNS = tuple(_job.c[name] for name in Progress.__dataclass_fields__)


def print_of(calendar: Calendar) -> str:
    """A short text that is another one when some day has other working time."""
    days = sorted((day.isoformat(), calendar.day(day).spans) for day in calendar.exceptions)
    return hashlib.sha256(repr((calendar.week, days)).encode()).hexdigest()[:40]


async def order(
    uow: UnitOfWork, version_id: int, calendar: Calendar, days: Sequence[date] | None, reason: str
) -> int:
    """Have the clocks touched by these days (None: all) counted anew; returns the id of the job."""
    values = {
        "calendar_version_id": version_id,
        "print": print_of(calendar),
        "first_day": min(days) if days else None,
        "last_day": max(days) if days else None,
        "reason": reason[:500],
        "state": "running",
        "total": 0,
        "seen": 0,
        "moved": 0,
        "tickets": 0,
        "after_id": 0,
        "made_at": uow.now,
        "finished_at": None,
    }
    made = await uow.session.execute(sa.insert(_job).values(**values).returning(_job.c.id))
    return int(made.scalar_one())


async def latest(session: AsyncSession, limit: int = 1) -> list[Progress]:
    """The latest ones, newest first."""
    query = sa.select(*_COLUMNS).order_by(_job.c.id.desc()).limit(limit)
    return [Progress(*row) for row in (await session.execute(query)).all()]


async def one(session: AsyncSession, ident: int) -> Progress | None:
    """A recomputation; None: there is no such one."""
    row = (await session.execute(sa.select(*_COLUMNS).where(_job.c.id == ident))).first()
    return None if row is None else Progress(*row)


# ---- what comes out otherwise; pure but for its arguments -----------------------------------------


def touched(limits: CityLimits, rows: Sequence[Any], pasts: Mapping[int, Past]) -> set[int]:
    """The tickets of which a clock has another due time, or another next alarm."""
    calendar, found = limits.calendar, set()
    for row in rows:
        ident = row["ticket_id"]
        if ident in found:
            continue
        due = due_of(calendar, row["stage"], row["limit"], row["started_at"], pasts.get(ident, NOTHING))
        if due != row["due_at"] or _alarm_moves(limits, row, due):
            found.add(ident)
    return found


def _alarm_moves(limits: CityLimits, row: Any, due: datetime) -> bool:
    if row["alarm_at"] is None:
        return False
    step = row["alarm_step"]
    alarm = limits.next_alarm(Stage(row["stage"]), row["limit"], row["started_at"], due, step=step)
    return bool(alarm.at != row["alarm_at"])


@dataclass
class Recount:
    """One locked ticket counted anew."""

    limits: CityLimits
    now: datetime
    ticket: Any
    rows: Sequence[Any]
    past: Past
    found: list[Moved] = field(default_factory=list)

    def moved(self) -> tuple[datetime | None, list[Moved]]:
        """The ticket's due time, and the clocks of it that change."""
        total: datetime | None = self.ticket["due_at"]
        for row in self.rows:
            if row["stage"] == _TOTAL and row["limit"] is not None:
                total = self._due(row)
                self._take(row, total)
        for row in self.rows:
            if row["stage"] == _HANDLE and row["due_at"] is not None:
                self._take(row, total)
            elif row["stage"] != _TOTAL and self._counts(row):
                due = self._due(row)
                asked = (
                    row["stage"] == Stage.DECISION.value
                    and self.ticket["state"] == State.EXTENSION_REVIEW.value
                )
                self._take(row, min(due, total) if asked and total is not None else due)
        return total, self.found

    def _counts(self, row: Any) -> bool:
        return (
            row["limit"] is not None and row["due_at"] is not None and row["stage"] != Stage.SUSPENSION.value
        )

    def _due(self, row: Any) -> datetime:
        return due_of(self.limits.calendar, row["stage"], row["limit"], row["started_at"], self.past)

    def _take(self, row: Any, due: datetime | None) -> None:
        stage, step, cards = Stage(row["stage"]), row["alarm_step"], row["card_round"]
        stands = self.ticket["state"] == State.SUSPENDED.value and row["stage"] in STANDING
        if due != row["due_at"]:
            alarm = self.limits.next_alarm(stage, row["limit"], row["started_at"], due, since=self.now)
            at = None if stands else alarm.at
            self.found.append(Moved(row, due, at, alarm.step, cards + (stage not in WITHOUT_LADDER)))
        elif row["alarm_at"] is not None and not stands:
            alarm = self.limits.next_alarm(stage, row["limit"], row["started_at"], due, step=step)
            if (alarm.at, alarm.step) != (row["alarm_at"], step):
                self.found.append(Moved(row, due, alarm.at, alarm.step, cards))


def in_words(reason: str, moved: Sequence[Moved]) -> str:
    """The line of the history: why, and each clock from when to when."""
    parts = [
        f"{STAGE_LABELS[Stage(one.row['stage'])]} {_time(one.row['due_at'])} → {_time(one.due)}"
        for one in moved
        if one.later and one.row["stage"] != _HANDLE
    ]
    return f"{reason}：{'；'.join(parts)}"


def _time(at: datetime | None) -> str:
    return to_city(at).strftime("%Y-%m-%d %H:%M") if at is not None else "—"


# ---- the leader's work ----------------------------------------------------------------------------


class Recomputer:
    """Carries out what was ordered; a tick of the leader."""

    def __init__(self, db: Database, limits: CityLimits, lease: Lease) -> None:
        self._db = db
        self._limits = limits
        self._lease = lease
        self._printed: tuple[Calendar, str] | None = None

    async def tick(self) -> None:
        """Go on with what is ordered; look whether the product's own days became others."""
        async with self._db.read() as session:
            query = sa.select(*_COLUMNS).where(_job.c.state == "running").order_by(_job.c.id).limit(1)
            row = (await session.execute(query)).first()
        if row is None:
            await self._look_for_other_days()
            return
        job = Progress(*row)
        if self._db.clock.now() < job.made_at + REST:
            return  # the other nodes still read it
        while not await self.step(job.id):
            pass

    def _print(self) -> str:
        calendar = self._limits.calendar
        if self._printed is None or self._printed[0] is not calendar:
            self._printed = (calendar, print_of(calendar))
        return self._printed[1]

    async def _look_for_other_days(self) -> None:
        now = self._print()
        query = sa.select(_job.c.print).order_by(_job.c.id.desc()).limit(1)
        newest = sa.select(_version.c.id).order_by(_version.c.number.desc()).limit(1)
        async with self._db.read() as session:
            before = (await session.execute(query)).scalar_one_or_none()
            version = (await session.execute(newest)).scalar_one_or_none()
        if version is None or before == now:
            return
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            job = await order(uow, version, self._limits.calendar, None, "节假日数据或办公时间更新")
            if before is None:  # the first look: what runs was counted by these days
                done = {"state": "done", "finished_at": uow.now}
                await uow.session.execute(sa.update(_job).where(_job.c.id == job).values(**done))

    async def step(self, job_id: int) -> bool:
        """A page of clocks; True when the job is over."""
        async with self._db.read() as session:
            query = sa.select(*_COLUMNS).where(_job.c.id == job_id)
            job = Progress(*(await session.execute(query)).one())
        days = Between.of(job.first_day, job.last_day)
        total = job.total or await open_clocks.count(self._db, days)
        rows, over = await open_clocks.page(self._db, days, job.after_id)
        ids = sorted({row["ticket_id"] for row in rows})
        pasts = await open_clocks.pasts(self._db, ids) if ids else {}
        tickets = sorted(await asyncio.to_thread(touched, self._limits, rows, pasts))
        for first in range(0, len(tickets), BATCH):
            batch = tickets[first : first + BATCH]
            last = first + BATCH >= len(tickets)
            seen = sum(row["ticket_id"] <= batch[-1] for row in rows) if not last else len(rows)
            await self._write(job, batch, total, after=batch[-1], seen=job.seen + seen)
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            done = {
                "total": total,
                "seen": job.seen + len(rows),
                "after_id": ids[-1] if ids else job.after_id,
            }
            if over:
                done |= {"state": "done", "finished_at": uow.now}
            await uow.session.execute(sa.update(_job).where(_job.c.id == job.id).values(**done))
        return over

    async def _write(self, job: Progress, ids: Sequence[int], total: int, *, after: int, seen: int) -> None:
        """One transaction: the tickets that come out otherwise, and how far the job is."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            tickets, running = await recount.lock(uow, ids)
            pasts = await open_clocks.pasts(uow, ids)
            found = []
            for ticket in tickets:
                rows = running.get(ticket["id"], [])
                one = Recount(self._limits, uow.now, ticket, rows, pasts.get(ticket["id"], NOTHING))
                due, moved = one.moved()
                found.append(Recounted(ticket, due, moved, in_words(job.reason, moved)))
            told = {"recomputation_id": job.id, "why": job.reason}
            written = await recount.write(uow, SYSTEM, found, told=told)
            clocks = sum(clock.later for one in found for clock in one.clocks)
            counted = {
                "total": total,
                "seen": seen,
                "after_id": after,
                "tickets": _job.c.tickets + written,
                "moved": _job.c.moved + clocks,
            }
            await uow.session.execute(sa.update(_job).where(_job.c.id == job.id).values(**counted))
