"""电子监察: the feed as people read it, and as another system follows it (docs/monitor.md)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.people.permissions import Permission
from sla.ladder import LEVEL_LABELS
from sla.monitor import KINDS
from sla.monitor_reads import FeedFilters, FeedItem, Mark, newest, settled
from sla.supervision.terms import KIND_LABELS, Kind, OrderState
from sla.supervision.terms import STATE_LABELS as ORDER_STATES
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads.supervision import KIND_TONES
from web.reads.units import unit_groups
from web.render import fragment, page
from web.routes import route
from web.views.cards import TONES as _CARDS
from web.words import TICKET_WORDS

READ = Permission.TICKET_READ_ALL
LEVELS: dict[str, str] = {
    **{level.value: word for level, word in LEVEL_LABELS.items()},
    **{kind.value: word for kind, word in KIND_LABELS.items()},
    Kind.URGE_NOTICE.value: "催办通知书（文书）",  # the ladder has one of its own
}
TONES: dict[str, str] = {**_CARDS, **KIND_TONES}
MOST = 10_000
AT_ONCE = 500
FORMAT = "hotline-monitor/1"
OLDEST, LATEST = date(1992, 1, 1), date(9000, 1, 1)  # what a calendar can be asked


class FeedQuery(Fields):
    kind: str | None = Field(None, max_length=40)
    unit_id: int | None = Field(None, gt=0, lt=2**63)
    level: str | None = Field(None, max_length=20)
    day: date | None = Field(None, ge=OLDEST, le=LATEST)
    before: str | None = Field(None, max_length=200)


class ExportQuery(Fields):
    from_: date | None = Field(None, alias="from", ge=OLDEST, le=LATEST)
    to: date | None = Field(None, ge=OLDEST, le=LATEST)
    after: str | None = Field(None, max_length=200)
    limit: int = Field(MOST, ge=1, le=MOST)


@route("GET", "/monitor", permission=READ)
async def feed(request: web.Request) -> web.StreamResponse:
    """The feed, newest first."""
    query = read_query(request, FeedQuery)
    async with context(request).db.read() as session:
        values = await _rows(session, query)
        groups = await unit_groups(session)
    may_export = actor(request).may(Permission.AUDIT_READ)
    return await page(
        request,
        "monitor/feed.html",
        groups=groups,
        kinds=KINDS,
        levels=LEVELS,
        may_export=may_export,
        **values,
    )


@route("GET", "/monitor/rows", permission=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone, fetched anew when something was added."""
    query = read_query(request, FeedQuery)
    async with context(request).db.read() as session:
        values = await _rows(session, query)
    return fragment(request, "monitor/_rows.html", kinds=KINDS, levels=LEVELS, **values)


async def _rows(session: AsyncSession, query: FeedQuery) -> dict[str, Any]:
    filters = FeedFilters(query.kind, query.unit_id, query.level, query.day)
    items, following = await newest(session, filters, query.before)
    given = {
        name: value
        for name, value in query.model_dump(mode="json").items()
        if value is not None and name != "before"
    }
    return {
        "items": items,
        "filters": given,
        "query": f"?{urlencode(given)}" if given else "",
        "following": f"/monitor?{urlencode({**given, 'before': following})}" if following else "",
        "first_page": query.before is None,
        "tones": TONES,
        "order_states": {state.value: ORDER_STATES[state] for state in OrderState},
        "words": TICKET_WORDS,
    }


@route("GET", "/monitor/export", permission=READ, also=Permission.AUDIT_READ)
async def export(request: web.Request) -> web.StreamResponse:
    """Settled lines as JSON, oldest first, from the mark `after` on; the request is audited."""
    query, ctx = read_query(request, ExportQuery), context(request)
    after = Mark.of(query.after) if query.after else None
    async with ctx.db.begin() as uow:
        detail = {
            name: value
            for name, value in query.model_dump(mode="json", by_alias=True).items()
            if value is not None
        }
        await audit.record(
            uow, actor=actor(request), action="monitor.export", object_type="monitor", detail=detail
        )
        now = uow.now
    response = web.StreamResponse(headers={"Cache-Control": "no-store"})
    response.content_type, response.charset = "application/json", "utf-8"
    await response.prepare(request)
    await response.write(f'{{"format":"{FORMAT}","events":['.encode())
    left, first = query.limit, True
    while left:
        async with ctx.db.read() as session:
            some = await settled(session, after, query.from_, query.to, min(AT_ONCE, left), now=now)
        for item in some:
            await response.write((b"" if first else b",\n") + _json(item))
            first, after = False, Mark(item.at, item.id)
        left -= len(some)
        if len(some) < AT_ONCE:
            break
    mark = json.dumps(after.text() if after is not None else None)
    await response.write(f'],"next":{mark}}}\n'.encode())
    await response.write_eof()
    return response


def _json(item: FeedItem) -> bytes:
    """One line as docs/monitor.md says: numbers and codes, no ids of persons, nothing that was written."""
    told = {
        "id": item.id,
        "at": item.at.isoformat(),
        "kind": item.kind,
        "ticket": item.ticket_number,
        "unit": item.unit_code,
        "level": item.level,
        "ref": item.ref_id,
        "detail": item.detail,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
