"""Open clocks counted anew after a change of the calendar: by the leader, in batches, restartable.

A version whose days changed leaves a row of `recomputation`. The leader walks the running clocks that the
changed days touch, page by page in the order of their tickets, and writes only those that come out
otherwise; a restart goes on behind the last page. It also sees when the product itself brought other days
(a release with a new notice) or other office hours, by the print of the working time it last counted by.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from sla import open_clocks
from sla.calendar import Calendar, DayKind, Exceptional, Spans
from sla.open_clocks import Between
from sla.plain import WITHOUT_LADDER, CityLimits, parsed
from sla.recount import NOTHING, STANDING, Caps, Past, renewed
from sla.version_models import CalendarVersion, Recomputation
from tickets import recount
from tickets.counting import Measures
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
    kept: int
    after_id: int
    made_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> int:
        """0 … 100; a hundred only when it is over."""
        return 100 if self.state == "done" else min(99, 100 * self.seen // max(1, self.total))


_COLUMNS = tuple(_job.c[name] for name in Progress.__dataclass_fields__)


def as_stored(calendar: Calendar) -> dict[str, Any]:
    """The working time of a calendar, without its reasons."""
    days = {day.isoformat(): calendar.day(day).spans for day in sorted(calendar.exceptions)}
    return {"week": calendar.week, "days": days, "first": calendar.first, "last": calendar.last}


def of_stored(told: Mapping[str, Any]) -> Calendar:
    """What `as_stored` wrote, as a calendar that counts the same."""
    days = {
        date.fromisoformat(day): Exceptional(
            DayKind.CITY_WORK if spans else DayKind.CITY_REST, "", "", _spans(spans) if spans else None
        )
        for day, spans in told["days"].items()
    }
    return Calendar([_spans(spans) for spans in told["week"]], days, first=told["first"], last=told["last"])


def _spans(told: Sequence[Sequence[int]]) -> Spans:
    return tuple((begin, end) for begin, end in told)


def print_of(calendar: Calendar) -> str:
    """A short text that is another one when some day has other working time."""
    stored = json.dumps(as_stored(calendar), sort_keys=True)
    return hashlib.sha256(stored.encode()).hexdigest()[:40]


async def order(
    uow: UnitOfWork,
    version_id: int,
    calendar: Calendar,
    days: Sequence[date] | None,
    reason: str,
    *,
    former: Calendar | None = None,
) -> int:
    """Have the clocks touched by these days (None: all) counted anew; returns the id of the job.

    `former`: what counted before, noted down if no recomputation was ever ordered.
    """
    if former is not None and (await uow.session.execute(sa.select(_job.c.id).limit(1))).first() is None:
        first = await order(uow, version_id, former, None, "")
        await _finish(uow, first)
    values = {
        "calendar_version_id": version_id,
        "print": print_of(calendar),
        "calendar": as_stored(calendar),
        "first_day": min(days) if days else None,
        "last_day": max(days) if days else None,
        "reason": reason[:500],
        "state": "running",
        "total": 0,
        "seen": 0,
        "moved": 0,
        "tickets": 0,
        "kept": 0,
        "after_id": 0,
        "made_at": uow.now,
        "finished_at": None,
    }
    made = await uow.session.execute(sa.insert(_job).values(**values).returning(_job.c.id))
    return int(made.scalar_one())


async def _finish(uow: UnitOfWork, job_id: int) -> None:
    done = {"state": "done", "finished_at": uow.now}
    await uow.session.execute(sa.update(_job).where(_job.c.id == job_id).values(**done))


async def latest(session: AsyncSession, limit: int = 1) -> list[Progress]:
    """The latest ones, newest first."""
    query = sa.select(*_COLUMNS).order_by(_job.c.id.desc()).limit(limit)
    return [Progress(*row) for row in (await session.execute(query)).all()]


async def one(session: AsyncSession, ident: int) -> Progress | None:
    """A recomputation; None: there is no such one."""
    row = (await session.execute(sa.select(*_COLUMNS).where(_job.c.id == ident))).first()
    return None if row is None else Progress(*row)


# ---- what comes out otherwise; pure but for its arguments -----------------------------------------


@dataclass(frozen=True)
class Found:
    """Of a page of clocks: the tickets something moves of, and those of clocks nobody can explain."""

    tickets: set[int]
    kept: list[int]


def touched(
    limits: CityLimits, formers: Sequence[Calendar], rows: Sequence[Any], pasts: Mapping[int, Past]
) -> Found:
    """The tickets of which a clock has another due time, or another next alarm."""
    tickets: set[int] = set()
    kept: list[int] = []
    for row in rows:
        past = pasts.get(row["ticket_id"], NOTHING)
        due = renewed(limits.calendar, formers, row, past, was=row["due_at"])
        if due is None:
            kept.append(row["ticket_id"])
        if (due is not None and due != row["due_at"]) or _alarm_moves(limits, formers, row):
            tickets.add(row["ticket_id"])
    return Found(tickets, kept)


def _alarm_moves(limits: CityLimits, formers: Sequence[Calendar], row: Any) -> bool:
    return bool(_next_alarm(limits, formers, row) != row["alarm_at"])


def _next_alarm(limits: CityLimits, formers: Sequence[Calendar], row: Any) -> datetime | None:
    """The next alarm of a clock whose due time stays. One that waits for something else stays as well."""
    now: datetime | None = row["alarm_at"]
    if now is None:
        return None
    told = parsed(row["limit"]), row["started_at"], row["due_at"]
    ladder, step = limits.ladder(row["started_at"]), row["alarm_step"]
    try:
        at = ladder.alarm(limits.calendar, *told, step=step)
        if at.at == now or at.step != step:
            return now
        return at.at if any(ladder.alarm(one, *told, step=step).at == now for one in formers) else now
    except HotlineError as error:
        if error.code != "calendar_range":
            raise
        return now


@dataclass
class Recount:
    """One locked ticket counted anew."""

    limits: CityLimits
    formers: Sequence[Calendar]
    now: datetime
    ticket: Any
    rows: Sequence[Any]
    past: Past
    found: list[Moved] = field(default_factory=list)

    def moved(self) -> tuple[datetime | None, list[Moved]]:
        """The ticket's due time, and the clocks of it that change."""
        was: datetime | None = self.ticket["due_at"]
        total = was
        for row in self.rows:
            if row["stage"] == _TOTAL and self._counts(row):
                due = self._due(row)
                total = due if row["due_at"] == was else total
                self._take(row, due)
        asked = self.ticket["state"] == State.EXTENSION_REVIEW.value
        caps = (was, total) if asked and was is not None and total is not None else None
        for row in self.rows:
            if row["stage"] == _HANDLE and row["due_at"] == was:
                self._take(row, total)
            elif row["stage"] not in (_TOTAL, _HANDLE) and self._counts(row):
                self._take(row, self._due(row, caps if row["stage"] == Stage.DECISION.value else None))
        return total, self.found

    def _counts(self, row: Any) -> bool:
        by_itself = row["stage"] != Stage.SUSPENSION.value  # until a date of its own
        return by_itself and row["limit"] is not None and row["due_at"] is not None

    def _due(self, row: Any, caps: Caps = None) -> datetime:
        was: datetime = row["due_at"]
        due = renewed(self.limits.calendar, self.formers, row, self.past, was=was, most=caps)
        return was if due is None else due

    def _take(self, row: Any, due: datetime | None) -> None:
        stage, step, cards = Stage(row["stage"]), row["alarm_step"], row["card_round"]
        stands = self.ticket["state"] == State.SUSPENDED.value and row["stage"] in STANDING
        if due != row["due_at"]:
            alarm = self.limits.next_alarm(stage, row["limit"], row["started_at"], due, since=self.now)
            at = None if stands else alarm.at
            self.found.append(Moved(row, due, at, alarm.step, cards + (stage not in WITHOUT_LADDER)))
        elif row["alarm_at"] is not None and not stands:
            at = _next_alarm(self.limits, self.formers, row)
            if at != row["alarm_at"]:
                self.found.append(Moved(row, due, at, step, cards))


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

    def __init__(self, db: Database, limits: CityLimits, lease: Lease, measures: Measures) -> None:
        self._db = db
        self._limits = limits
        self._lease = lease
        self._measures = measures
        self._printed: tuple[Calendar, str] | None = None
        self._before: tuple[int, list[Calendar]] | None = None

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
                await _finish(uow, job)

    async def step(self, job_id: int) -> bool:
        """A page of clocks; True when the job is over."""
        async with self._db.read() as session:
            query = sa.select(*_COLUMNS).where(_job.c.id == job_id)
            job = Progress(*(await session.execute(query)).one())
        days, formers = Between.of(job.first_day, job.last_day), await self._formers(job)
        total = job.total or await open_clocks.count(self._db, days)
        rows, over = await open_clocks.page(self._db, days, job.after_id)
        ids = sorted({row["ticket_id"] for row in rows})
        pasts = await open_clocks.pasts(self._db, ids) if ids else {}
        found = await asyncio.to_thread(touched, self._limits, formers, rows, pasts)
        tickets = sorted(found.tickets)
        for first in range(0, len(tickets), BATCH):
            batch = tickets[first : first + BATCH]
            await self._write(job, formers, batch, _counted(job, total, rows, found, batch[-1]))
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            done = _counted(job, total, rows, found, ids[-1] if ids else job.after_id)
            if over:
                done |= {"state": "done", "finished_at": uow.now}
            await uow.session.execute(sa.update(_job).where(_job.c.id == job.id).values(**done))
        return over

    async def _formers(self, job: Progress) -> list[Calendar]:
        """What the clocks were counted by before this one was ordered."""
        if self._before is None or self._before[0] != job.id:
            query = sa.select(_job.c.calendar).where(_job.c.id < job.id).order_by(_job.c.id.desc()).limit(1)
            async with self._db.read() as session:
                told = (await session.execute(query)).scalars().all()
            self._before = (job.id, [await asyncio.to_thread(of_stored, one) for one in told])
        return self._before[1]

    async def _write(
        self, job: Progress, formers: Sequence[Calendar], ids: Sequence[int], counted: Mapping[str, Any]
    ) -> None:
        """One transaction: the tickets that come out otherwise, and how far the job is."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            tickets, running = await recount.lock(uow, ids)
            pasts = await open_clocks.pasts(uow, ids)
            found = []
            for ticket in tickets:
                rows = running.get(ticket["id"], [])
                one = Recount(self._limits, formers, uow.now, ticket, rows, pasts.get(ticket["id"], NOTHING))
                due, moved = one.moved()
                found.append(Recounted(ticket, due, moved, in_words(job.reason, moved)))
            told = {"recomputation_id": job.id, "why": job.reason}
            written = await recount.write(uow, SYSTEM, found, told=told, measures=self._measures)
            clocks = sum(_counted_alone(clock) for one in found for clock in one.clocks)
            more = {"tickets": _job.c.tickets + written, "moved": _job.c.moved + clocks}
            await uow.session.execute(sa.update(_job).where(_job.c.id == job.id).values(**counted, **more))


def _counted_alone(clock: Moved) -> bool:
    """Handling has no limit of its own: it goes with the total."""
    return clock.later and clock.row["stage"] != _HANDLE


def _counted(job: Progress, total: int, rows: Sequence[Any], found: Found, after: int) -> dict[str, Any]:
    """How far the job is behind the ticket `after` of this page."""
    return {
        "total": total,
        "seen": job.seen + sum(row["ticket_id"] <= after for row in rows),
        "kept": job.kept + sum(ticket <= after for ticket in found.kept),
        "after_id": after,
    }
