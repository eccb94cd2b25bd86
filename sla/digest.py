"""The digest of the morning (每日提要): what is overdue, due today, warned and new, told to each person once.

A person of a unit is told of the unit and what stands below it, exactly what the workbench shows; who
supervises is told of the city. Nobody is told that there is nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.db import Database, UnitOfWork
from core.leadership import Lease
from core.notify import staff
from core.notify.models import Notification
from core.notify.staff import roles_with
from core.people.models import User, UserRole
from core.people.permissions import Permission
from core.people.service import PeopleService
from sla.duty_models import DailyDigest
from tickets.models import table_of
from tickets.queries.todo import todo_counts

KIND = "digest"
COUNTED = ("overdue", "today", "warned", "new")
SUPERVISION = roles_with(Permission.TICKET_SUPERVISE)
UNITS = roles_with(Permission.TICKET_HANDLE)
BATCH = 200
_digest = table_of(DailyDigest)
_notice = table_of(Notification)


@dataclass(frozen=True)
class Line:
    """One person's digest; `scope`: unit or city."""

    user_id: int
    scope: str
    counts: dict[str, int]


class Digest:
    """Counts and tells."""

    def __init__(self, db: Database, people: PeopleService, lease: Lease) -> None:
        self._db = db
        self._people = people
        self._lease = lease

    async def tell(self, day: date) -> int:
        """Tell everybody who was not told on `day`; returns how many were told now."""
        lines, told = await self._lines(), 0
        for start in range(0, len(lines), BATCH):
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                told += await _write(uow, day, lines[start : start + BATCH])
        return told

    async def _lines(self) -> list[Line]:
        """One count for each unit that has people, and one for the city."""
        found: list[Line] = []
        counts: dict[int | None, dict[str, int]] = {}
        async with self._db.read() as session:
            for user_id, unit_id, supervises in await _people(session):
                scope = None if supervises else unit_id
                if scope not in counts:
                    counts[scope] = await self._counts(session, user_id)
                if any(counts[scope].values()):
                    found.append(Line(user_id, "city" if supervises else "unit", counts[scope]))
        return found

    async def _counts(self, session: AsyncSession, user_id: int) -> dict[str, int]:
        """What this person's lists would show; equal for all of a unit."""
        person = await self._people.actor_for_user(session, user_id)
        if person is None:
            return {}
        counts = await todo_counts(session, person, now=self._db.clock.now())
        return {name: getattr(counts, name) for name in COUNTED}


async def _people(session: AsyncSession) -> list[tuple[int, int, bool]]:
    """Active people who handle or supervise, with their unit and whether they supervise."""
    supervises = sa.func.bool_or(col(UserRole.role).in_(SUPERVISION))
    query = (
        sa.select(col(User.id), col(User.unit_id), supervises)
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(User.active), col(UserRole.role).in_((*SUPERVISION, *UNITS)))
        .group_by(col(User.id), col(User.unit_id))
        .order_by(col(User.id))
    )
    return [(row[0], row[1], bool(row[2])) for row in await session.execute(query)]


async def _write(uow: UnitOfWork, day: date, lines: Sequence[Line]) -> int:
    """Keep the digests of `lines` and give notice of those that are new."""
    rows = [
        {"user_id": one.user_id, "day": day, "scope": one.scope, "counts": one.counts, "at": uow.now}
        for one in lines
    ]
    statement = insert(_digest).values(rows).on_conflict_do_nothing(index_elements=["user_id", "day"])
    new = sorted((await uow.session.execute(statement.returning(_digest.c.user_id))).scalars())
    if not new:
        return 0
    # Yesterday's, if nobody looked: it would count up instead of being today's.
    earlier = sa.update(_notice).where(
        _notice.c.user_id.in_(new), _notice.c.kind == KIND, _notice.c.read_at.is_(None)
    )
    await uow.session.execute(earlier.values(read_at=uow.now))
    await staff.tell_people(uow, KIND, new)
    return len(new)


async def digest_of(session: AsyncSession, user_id: int) -> Any:
    """A person's latest digest: day, scope, counts, at; None without any."""
    columns = (_digest.c.day, _digest.c.scope, _digest.c.counts, _digest.c.at)
    query = sa.select(*columns).where(_digest.c.user_id == user_id).order_by(_digest.c.day.desc()).limit(1)
    return (await session.execute(query)).first()
