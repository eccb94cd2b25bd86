"""The catalogue for its page: searched, filtered, by pages; one row with its earlier versions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.models import User
from routing.models import Responsibility, ResponsibilityChange
from tickets.models import table_of

_row, _change, _user = table_of(Responsibility), table_of(ResponsibilityChange), table_of(User)
PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """Which rows: `words` in subject, basis, clock or script; a category with what is below it by code;
    an area, a lead; on a day, or all of them (None)."""

    words: str = ""
    categories: tuple[str, ...] = ()
    area: str = ""
    lead: str = ""
    day: date | None = None


async def rows(session: AsyncSession, wanted: Wanted, after: int = 0) -> tuple[list[Any], int]:
    """One page from position `after` on, by category and area, and how many rows there are in all."""
    query = _matching(wanted)
    total = (await session.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one()
    ordered = query.order_by(_row.c.category, _row.c.area, _row.c.subject, _row.c.id)
    found = await session.execute(ordered.offset(after).limit(PAGE))
    return list(found.all()), int(total)


async def every(session: AsyncSession, wanted: Wanted) -> list[Any]:
    """All of them, for the list as a file."""
    query = _matching(wanted).order_by(_row.c.category, _row.c.area, _row.c.subject, _row.c.id)
    return list((await session.execute(query)).all())


def _matching(wanted: Wanted) -> sa.Select[Any]:
    query = sa.select(_row)
    if wanted.categories:
        query = query.where(_row.c.category.in_(wanted.categories))
    if wanted.area:
        query = query.where(_row.c.area == wanted.area)
    if wanted.lead:
        query = query.where(_row.c.lead == wanted.lead)
    if wanted.day is not None:
        ended = _row.c.valid_to.is_(None) | (_row.c.valid_to >= wanted.day)
        query = query.where(_row.c.valid_from <= wanted.day, ended)
    if wanted.words:
        like = f"%{wanted.words.replace('%', '').replace('_', '')}%"
        columns = (_row.c.subject, _row.c.basis, _row.c.clock, _row.c.script)
        query = query.where(sa.or_(*(column.like(like) for column in columns)))
    return query


async def row(session: AsyncSession, row_id: int) -> Any:
    """One row. Raises `responsibility_missing`."""
    found = (await session.execute(sa.select(_row).where(_row.c.id == row_id))).first()
    if found is None:
        raise HotlineError("responsibility_missing", row_id=row_id)
    return found


@dataclass(frozen=True)
class Change:
    """What a row said from then on."""

    version: int
    said: dict[str, Any]
    note: str
    by: str | None
    at: datetime


async def changes(session: AsyncSession, row_id: int) -> list[Change]:
    """The versions of a row, newest first."""
    query = (
        sa.select(_change.c.version, _change.c.said, _change.c.note, _user.c.name, _change.c.changed_at)
        .outerjoin(_user, _user.c.id == _change.c.changed_by)
        .where(_change.c.responsibility_id == row_id)
        .order_by(_change.c.version.desc())
    )
    return [Change(*row) for row in await session.execute(query)]
