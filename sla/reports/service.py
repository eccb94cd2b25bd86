"""Reports are made, kept and found; every write of `report` goes through here."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from sla.measures.periods import Period
from sla.measures.queries import uncounted, waiting_since
from sla.reports.document import Report, report_of
from sla.reports.lookups import subject_name
from sla.reports.models import ReportRow
from sla.reports.periods import Kind, check, missing, scheduled
from telephony.figures import city_midnight
from tickets.models import table_of

logger = logging.getLogger(__name__)
_report, _user = table_of(ReportRow), table_of(User)
PAGE = 50
LOOK_BACK = 64  # days: no period that the schedule asks for began earlier


@dataclass(frozen=True)
class Order:
    """What is to be written: a kind, its days, for a special one a category."""

    kind: Kind
    period: Period
    subject_id: int | None = None


Compose = Callable[[AsyncSession, Order, datetime], Awaitable[Report]]


@dataclass(frozen=True)
class Kept:
    """A report as lists show it."""

    id: int
    kind: str
    title: str
    first: date
    last: date
    digest: str
    made_at: datetime
    made_by: str | None  # None: the schedule


class ReportService:
    """Makes reports when asked and by the calendar."""

    def __init__(self, db: Database, compose: Compose) -> None:
        self._db = db
        self._compose = compose

    async def make(self, uow: UnitOfWork, actor: Actor, order: Order) -> int:
        """Make a report now; returns its id. Raises `forbidden`, what `periods.check` raises, and
        `report_subject` for a category whose sums are not kept, `report_uncounted` while those of the past
        are still being made."""
        actor.require(Permission.REPORT_MAKE)
        check(order.period, to_city(uow.now).date())
        if order.subject_id is not None and await subject_name(uow.session, order.subject_id) is None:
            raise HotlineError("report_subject")
        if await uncounted(uow.session):
            raise HotlineError("report_uncounted")
        ident = await self._write(uow, order, actor)
        assert ident is not None
        await audit.record(
            uow,
            actor=actor,
            action="report.make",
            object_type="report",
            object_id=ident,
            detail={"kind": order.kind.value, "first": order.period.first.isoformat()},
        )
        return ident

    async def look(self, session: AsyncSession, actor: Actor, order: Order) -> Report:
        """A report as it would be now, without keeping it. Raises `forbidden`."""
        actor.require(Permission.REPORT_READ)
        return await self._compose(session, order, self._db.clock.now())

    async def run_due(self, lease: Lease) -> int:
        """Make what should be there by now and is not; returns how many. Each once, by any leader.

        Asked often, so that what a node slept through is made up when it wakes; not before all of the
        days that are over is counted.
        """
        here = to_city(self._db.clock.now())
        async with self._db.read() as session:
            wanted = missing(scheduled(here), await _there(session, here.date()))
            if not wanted or not await _counted(session, city_midnight(here.date())):
                return 0
        made = 0
        for kind, period in wanted:
            async with self._db.begin() as uow:
                await lease.fence(uow)
                made += await self._write(uow, Order(kind, period), None) is not None
        return made

    async def _write(self, uow: UnitOfWork, order: Order, actor: Actor | None) -> int | None:
        report = await self._compose(uow.session, order, uow.now)
        content = report.as_json()
        values = {
            "kind": order.kind.value,
            "first": order.period.first,
            "last": order.period.last,
            "subject_id": order.subject_id,
            "content": content,
            "digest": digest(content),
            "made_at": uow.now,
            "made_by": actor.user_id if actor else None,
            "scheduled": actor is None,
        }
        statement = insert(_report).values(**values).on_conflict_do_nothing().returning(_report.c.id)
        ident: int | None = (await uow.session.execute(statement)).scalar_one_or_none()
        return ident


async def _there(session: AsyncSession, today: date) -> set[tuple[Kind, date]]:
    """What the schedule made lately: no period that is asked for began earlier."""
    query = sa.select(_report.c.kind, _report.c.first).where(
        _report.c.scheduled, _report.c.first >= today - timedelta(days=LOOK_BACK)
    )
    return {(Kind(row.kind), row.first) for row in await session.execute(query)}


async def _counted(session: AsyncSession, midnight: datetime) -> bool:
    """Whether every step of the days before is in the sums."""
    since = await waiting_since(session)
    return (since is None or since >= midnight) and not await uncounted(session)


def digest(content: dict[str, Any]) -> str:
    """The SHA-256 of what a report says, whenever it was counted: two with the same say the same."""
    said = {name: value for name, value in content.items() if name != "as_of"}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def listed(
    session: AsyncSession, actor: Actor, kind: Kind | None = None, before: int | None = None
) -> Sequence[Kept]:
    """Reports, newest first, at most `PAGE` + 1; `before`: the id the last page ended with."""
    actor.require(Permission.REPORT_READ)
    query = _kept().order_by(_report.c.id.desc()).limit(PAGE + 1)
    if kind is not None:
        query = query.where(_report.c.kind == kind.value)
    if before is not None:
        query = query.where(_report.c.id < before)
    return [Kept(**row._mapping) for row in await session.execute(query)]


async def one(session: AsyncSession, actor: Actor, report_id: int) -> tuple[Kept, Report]:
    """A report as it was made. Raises `report_not_found`."""
    actor.require(Permission.REPORT_READ)
    query = _kept().add_columns(_report.c.content).where(_report.c.id == report_id)
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("report_not_found", report_id=report_id)
    values = dict(row._mapping)
    content = values.pop("content")
    return Kept(**values), report_of(content)


def _kept() -> sa.Select[Any]:
    names = ("id", "kind", "first", "last", "digest", "made_at")
    return sa.select(
        *(_report.c[name] for name in names),
        _report.c.content["title"].astext.label("title"),
        _user.c.name.label("made_by"),
    ).select_from(_report.outerjoin(_user, _user.c.id == _report.c.made_by))
