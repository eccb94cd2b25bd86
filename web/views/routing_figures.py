"""How well tickets are sent (派单质量): first time right, corrections by reason, and the tickets behind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.errors import HotlineError
from core.people.permissions import Permission
from routing import figures
from routing.suggest import SOURCES
from web.context import actor, context
from web.inputs import Fields, Ident, read_query
from web.render import page
from web.routes import route
from web.views.admin_calendar import today

HOME = "/routing/figures"
READ = (Permission.DASHBOARD_READ, Permission.ROUTING_READ)
BY_WORDS = {"unit": "承办单位", "category": "诉求分类", "rule": "规则", "source": "建议来源"}
KIND_WORDS = {
    "all": "首次派发",
    "right": "一次派准",
    "corrected": "派错更正",
    "followed": "采纳首条建议",
    "advised": "有建议",
    "waiting": "尚未签收",
}
CORRECTED_AS = {"accept_return": "退单", "redispatch": "改派", "rule": "裁定"}
_REASON_KINDS = {"accept_return": "return", "redispatch": "redispatch", "rule": "return"}


class FiguresQuery(Fields):
    first: date | None = None
    last: date | None = None
    by: Literal["unit", "category", "rule", "source"] = "unit"


class BehindQuery(Fields):
    first: date
    last: date
    kind: Literal["all", "right", "corrected", "followed", "advised", "waiting"] = "all"
    unit: Ident | None = None
    category: Ident | None = None
    rule: str | None = Field(None, max_length=40)
    source: str | None = Field(None, max_length=10)
    reason: str | None = Field(None, max_length=30)
    after: int = Field(0, ge=0, lt=1_000_000)


def _span(request: web.Request, first: date | None, last: date | None) -> tuple[date, date]:
    """The days asked for; by default the thirty up to today. Raises `figures_span`."""
    end = last or today(request)
    start = first or end - timedelta(days=29)
    if start > end or (end - start).days >= figures.LONGEST:
        raise HotlineError("figures_span", most=figures.LONGEST)
    return start, end


@route("GET", HOME, permission=READ)
async def figures_page(request: web.Request) -> web.StreamResponse:
    """The rates of some days, in all and by unit, category, rule or source."""
    query = read_query(request, FiguresQuery)
    first, last = _span(request, query.first, query.last)
    wanted = figures.Wanted(first, last)
    async with context(request).db.read() as session:
        whole = await figures.whole(session, wanted)
        lines = await figures.lines(session, wanted, query.by)
        told = await _reasons(session, wanted)
    span = {"first": first.isoformat(), "last": last.isoformat()}

    def behind(kind: str = "all", **narrow: Any) -> str:
        return f"{HOME}/tickets?{urlencode({**span, 'kind': kind, **narrow})}"

    return await page(
        request,
        "routing/figures.html",
        whole=whole,
        lines=lines,
        reasons=told,
        first=first,
        last=last,
        by=query.by,
        by_words=BY_WORDS,
        behind=behind,
        sources=SOURCES,
    )


async def _reasons(session: AsyncSession, wanted: figures.Wanted) -> list[tuple[str, str, str, int]]:
    """How, reason code, reason in words, how many."""
    found = []
    for how, code, count in await figures.reasons(session, wanted):
        word = "未填原因"
        if code != "none":
            word = await reasons.label(session, _REASON_KINDS[how], code)
        found.append((CORRECTED_AS[how], code, word, count))
    return found


@route("GET", HOME + "/tickets", permission=READ)
async def behind_page(request: web.Request) -> web.StreamResponse:
    """The tickets a number counted, as far as this person may see them."""
    query = read_query(request, BehindQuery)
    first, last = _span(request, query.first, query.last)
    wanted = figures.Wanted(
        first, last, query.kind, query.unit, query.category, query.rule, query.source, query.reason
    )
    async with context(request).db.read() as session:
        rows = await figures.tickets(session, actor(request), wanted, query.after)
        words = {
            row.ticket_id: await reasons.label(session, _REASON_KINDS[row.corrected_as], row.corrected_reason)
            for row in rows
            if row.corrected_as and row.corrected_reason
        }
    kept = query.model_dump(mode="json", exclude={"after"}, exclude_defaults=True)
    following = urlencode({**kept, "after": query.after + figures.PAGE})
    return await page(
        request,
        "routing/behind.html",
        rows=rows,
        words=words,
        kind=KIND_WORDS[query.kind],
        first=first,
        last=last,
        corrected_as=CORRECTED_AS,
        sources=SOURCES,
        next_page=f"{HOME}/tickets?{following}" if len(rows) == figures.PAGE else None,
        back=f"{HOME}?{urlencode({'first': first.isoformat(), 'last': last.isoformat()})}",
    )
