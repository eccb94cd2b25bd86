"""Releases are made, corrected and decided on; every write of `open_release` and `open_decision`."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
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
from core.people.permissions import Permission
from core.settings import OpenData
from sla.measures.models import MeasureDelta
from sla.measures.queries import uncounted, waiting_since
from sla.opendata.counting import Nested, counted, month_after, names
from sla.opendata.models import OpenDecision, OpenRelease
from sla.opendata.release import Earlier, made, says_nothing
from telephony.figures import city_midnight
from tickets.forms import clean
from tickets.models import table_of

_release, _decision, _delta = table_of(OpenRelease), table_of(OpenDecision), table_of(MeasureDelta)
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('open data'))")
MANAGE = Permission.OPENDATA_MANAGE
MAX_WORDS = 200
PUBLISHED, REFUSED = "published", "refused"


class OpenDataService:
    """Prepares a month when it is over, takes decisions and corrections."""

    def __init__(self, db: Database, settings: OpenData) -> None:
        self._db = db
        self._settings = settings

    async def run_due(self, lease: Lease) -> bool:
        """Prepare last month, once, when it is over and counted; True when it was done now."""
        here = to_city(self._db.clock.now())
        month = month_before(here.date())
        if here.day < self._settings.prepare_day:
            return False
        async with self._db.read() as session:
            there = sa.select(_release.c.id).where(_release.c.month == month).limit(1)
            if (await session.execute(there)).first() is not None:
                return False
            if not await all_counted(session, here.date(), month):
                return False
        async with self._db.begin() as uow:
            await lease.fence(uow)
            return await self.prepare(uow, month) is not None

    async def prepare(self, uow: UnitOfWork, month: date) -> int | None:
        """The first version of a month, as it stands at the transaction's instant; None: there is one."""
        return await self._write(uow, month, 1, uow.now, [], None, "")

    async def make(self, uow: UnitOfWork, actor: Actor, month: date, reason: str) -> int:
        """Prepare another version of a month that is over: a correction, or instead of one that was refused.

        Raises `forbidden`, `open_month_running`, `open_reason`, `open_waiting` (a version waits for its
        decision), `open_unchanged`, `open_too_small` (what changed is of too few to be told).
        """
        actor.require(MANAGE)
        reason = clean(reason)[:MAX_WORDS]
        if not reason:
            raise HotlineError("open_reason")
        if month_after(month) > to_city(uow.now).date():
            raise HotlineError("open_month_running")
        await uow.session.execute(_LOCK)
        versions = await _versions(uow.session, month)
        if any(row.decision is None for row in versions):
            raise HotlineError("open_waiting")
        as_of = versions[0].as_of if versions else uow.now
        earlier = [Earlier(row.counts, row.content) for row in versions if row.decision == PUBLISHED]
        ident = await self._write(uow, month, len(versions) + 1, as_of, earlier, actor, reason)
        assert ident is not None  # nobody else writes under the lock
        detail = {"month": month.isoformat(), "version": len(versions) + 1}
        await _note(uow, actor, "opendata.make", ident, reason, detail)
        return ident

    async def decide(self, uow: UnitOfWork, actor: Actor, release_id: int, decision: str, note: str) -> None:
        """Publish a version, or refuse it with a reason; once.

        Raises `forbidden`, `not_found`, `open_decided`, `open_own` (who prepared it), `open_reason`.
        """
        actor.require(MANAGE)
        note = clean(note)[:MAX_WORDS]
        if decision == REFUSED and not note:
            raise HotlineError("open_reason")
        query = sa.select(_release.c.made_by).where(_release.c.id == release_id)
        row = (await uow.session.execute(query)).first()
        if row is None:
            raise HotlineError("not_found", release_id=release_id)
        if row.made_by is not None and row.made_by == actor.user_id:
            raise HotlineError("open_own")
        values = {"release_id": release_id, "decision": decision, "at": uow.now, "note": note}
        statement = insert(_decision).values(**values, by=actor.user_id).on_conflict_do_nothing()
        if (await uow.session.execute(statement.returning(_decision.c.id))).first() is None:
            raise HotlineError("open_decided")
        await _note(uow, actor, f"opendata.{decision}", release_id, note, {})

    async def _write(
        self,
        uow: UnitOfWork,
        month: date,
        version: int,
        as_of: datetime,
        earlier: Sequence[Earlier],
        actor: Actor | None,
        reason: str,
    ) -> int | None:
        counts = await counted(uow.session, month, as_of)
        words = await names(uow.session)
        content = await asyncio.to_thread(made, counts, words, earlier)
        _check(counts, content, earlier)
        values = {
            "month": month,
            "version": version,
            "as_of": as_of,
            "made_at": uow.now,
            "made_by": actor.user_id if actor else None,
            "reason": reason,
            "content": content,
            "counts": counts,
        }
        statement = insert(_release).values(**values).on_conflict_do_nothing().returning(_release.c.id)
        ident: int | None = (await uow.session.execute(statement)).scalar_one_or_none()
        return ident


def _check(counts: Nested, content: dict[str, Any], earlier: Sequence[Earlier]) -> None:
    """A correction must correct something, and something that can be told."""
    if earlier and counts == earlier[-1].counts:
        raise HotlineError("open_unchanged")
    if earlier and says_nothing(content):
        raise HotlineError("open_too_small")


def month_before(day: date) -> date:
    """The first day of the month before the one of `day`."""
    first = day.replace(day=1)
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)


async def all_counted(session: AsyncSession, today: date, month: date) -> bool:
    """Whether the figures of a month that is over are whole: nothing of it waits to be counted or folded."""
    if await uncounted(session):
        return False
    since = await waiting_since(session)
    if since is not None and since < city_midnight(today):
        return False
    waits = sa.select(_delta.c.id).where(_delta.c.day < month_after(month)).limit(1)
    return (await session.execute(waits)).first() is None


async def _versions(session: AsyncSession, month: date) -> list[Any]:
    """Every version of a month, the first one first, with what was decided."""
    columns = [_release.c[name] for name in ("id", "version", "as_of", "counts", "content")]
    query = (
        sa.select(*columns, _decision.c.decision)
        .select_from(_release.outerjoin(_decision, _decision.c.release_id == _release.c.id))
        .where(_release.c.month == month)
        .order_by(_release.c.version)
    )
    return list((await session.execute(query)).all())


async def _note(
    uow: UnitOfWork, actor: Actor, action: str, ident: int, reason: str, detail: dict[str, Any]
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="open_release",
        object_id=ident,
        reason=reason or None,
        detail=detail,
    )
