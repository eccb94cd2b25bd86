"""The tickets behind a number: what a figure counted, line by line."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import Unit
from core.people.permissions import Permission
from sla.measures import lists
from sla.measures.periods import FIRST_DAY, LAST_DAY, Period
from tickets.models import Category, table_of
from tickets.terms import TicketType, label
from web.context import actor, context
from web.inputs import Fields, Ident, read_query
from web.render import page
from web.routes import route
from web.words import TICKET_WORDS

_unit, _category = table_of(Unit), table_of(Category)


class ListQuery(Fields):
    first: date = FIRST_DAY
    last: date = LAST_DAY
    unit: Ident | None = None
    category: Ident | None = None
    district: Ident | None = None
    type: TicketType | None = None
    apart: Literal["no", "yes", "all"] = "no"
    cursor: str | None = Field(None, max_length=200)


@route("GET", "/measures/{code}/tickets", permission=Permission.DASHBOARD_READ)
async def behind(request: web.Request) -> web.StreamResponse:
    """Exactly what a figure counted, newest day first."""
    counter = lists.counter(request.match_info["code"])
    query = read_query(request, ListQuery)
    wanted = lists.Wanted(
        counter,
        Period(query.first, query.last),
        query.unit,
        query.category,
        query.district,
        query.type.value if query.type else None,
        query.apart,
    )
    async with context(request).db.read() as session:
        found = await lists.lines(session, actor(request), wanted, query.cursor)
        number = await lists.count(session, wanted)
        narrowed = await _narrowed(session, query)
    kept = query.model_dump(mode="json", exclude={"cursor"}, exclude_defaults=True)
    following = urlencode({**kept, "cursor": found.next_cursor}) if found.next_cursor else None
    values: dict[str, Any] = {
        "counter": counter,
        "number": number,
        "lines": found.items,
        "period": _period(query),
        "narrowed": narrowed,
        "apart": query.apart,
        "here": f"{request.path}?{urlencode(kept)}",
        "next_page": f"{request.path}?{following}" if following else None,
        "first_page": query.cursor is None,
        "words": TICKET_WORDS,
    }
    return await page(request, "dashboard/behind.html", **values)


def _period(query: ListQuery) -> str:
    if query.first <= FIRST_DAY:
        return "全部" if query.last >= LAST_DAY else f"{query.last} 及以前"
    if query.last >= LAST_DAY:
        return f"{query.first} 起"
    return str(query.first) if query.first == query.last else f"{query.first} 至 {query.last}"


async def _narrowed(session: AsyncSession, query: ListQuery) -> list[str]:
    """What the list is narrowed to, in words."""
    found = [label(TicketType, query.type.value)] if query.type else []
    for ident, column in (
        (query.unit, _unit.c.name),
        (query.district, _unit.c.name),
        (query.category, _category.c.full_name),
    ):
        if ident is not None:
            name = await session.execute(sa.select(column).where(column.table.c.id == ident))
            found.append(name.scalar_one_or_none() or "已不存在")
    return found
