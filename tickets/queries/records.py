"""Numbered records of contacts that became no ticket."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue
from tickets.models import Category, IntakeRecord, table_of
from tickets.queries.filters import MAX_PAGE, Page, after, encode_cursor
from tickets.visibility import visible_records

_record = table_of(IntakeRecord)
_category = table_of(Category)
_user = table_of(User)
_value = table_of(PersonalValue)


@dataclass(frozen=True)
class RecordItem:
    """A record; `phone` is masked."""

    id: int
    number: str
    code: str
    channel: str
    type: str | None
    category: str | None
    title: str
    note: str
    phone: str | None
    created_by: str | None
    created_at: datetime
    call_session_id: int | None


def _query(actor: Actor) -> sa.Select[Any]:
    joined = {"category", "phone", "created_by"}
    plain = [name for name in RecordItem.__dataclass_fields__ if name not in joined]
    return (
        sa.select(
            *(_record.c[name] for name in plain),
            _category.c.full_name.label("category"),
            _value.c.masked.label("phone"),
            _user.c.name.label("created_by"),
        )
        .select_from(_record)
        .outerjoin(_category, _category.c.id == _record.c.category_id)
        .outerjoin(_value, _value.c.id == _record.c.phone_ref)
        .outerjoin(_user, _user.c.id == _record.c.created_by)
        .where(visible_records(actor))
        .order_by(_record.c.created_at.desc(), _record.c.id.desc())
    )


async def record_list(
    session: AsyncSession, actor: Actor, cursor: str | None = None, limit: int = 25
) -> Page[RecordItem]:
    """One page of the records, newest first. Raises `bad_cursor`."""
    limit = max(1, min(limit, MAX_PAGE))
    rows = (await session.execute(_query(actor).where(*after(_record, cursor)).limit(limit + 1))).all()
    items = tuple(RecordItem(**row._mapping) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, encode_cursor(items[-1].created_at, items[-1].id) if more else None)


async def records_of(
    session: AsyncSession, actor: Actor, caller_ref: int, limit: int = 5
) -> list[RecordItem]:
    """The newest records of the citizen with this number."""
    query = _query(actor).where(_record.c.phone_ref == caller_ref).limit(limit)
    return [RecordItem(**row._mapping) for row in await session.execute(query)]
