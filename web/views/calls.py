"""The calls of a day and one call with its legs. The floor sees all, an agent his own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.ids import new_token
from core.people.permissions import Permission
from telephony.behind import behind
from web.context import actor, context
from web.inputs import Fields, path_id, read_query
from web.reads import calls as reads
from web.reads import recordings as sounds
from web.reads.controls import mark_lines
from web.reads.numbers import origin
from web.render import fragment, page
from web.routes import route

READ = (Permission.CALL_TAKE, Permission.CALL_READ_ALL, Permission.FLOOR_READ)


class DayQuery(Fields):
    day: date | None = None
    outcome: str | None = Field(None, max_length=30)
    counted: Literal["waiting", "offered", "answered", "abandoned", "short", ""] = ""
    before: str | None = Field(None, max_length=60, pattern=r"^\d{1,20}-\d{1,18}$")


@route("GET", "/calls", permission=READ)
async def call_list(request: web.Request) -> web.StreamResponse:
    """The calls of a day, today unless another is asked for."""
    return await page(request, "calls/list.html", **await _day(request))


@route("GET", "/calls/rows", permission=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone, when a call changed."""
    return fragment(request, "calls/_rows.html", **await _day(request))


@route("GET", "/calls/{call_id:[0-9]+}", permission=READ)
async def call(request: web.Request) -> web.StreamResponse:
    """One call: who rang, who talked, how it was passed on."""
    async with context(request).db.read() as session:
        person, call_id = actor(request), path_id(request, "call_id")
        found = await reads.call_detail(session, person, call_id)
        done = await mark_lines(session, call_id)
        how = await _sound(request, session, call_id)
        message = await _sound(request, session, call_id, message=True) if found.message else None
    leads = found.ended_at is None and person.may(Permission.FLOOR_LEAD)
    return await page(
        request, "calls/detail.html", call=found, origin=origin(found.row.masked), marks=done, how=how,
        message=message, place=f"/calls/{call_id}", session_id=call_id, leads=leads, token=new_token(9),
    )  # fmt: skip


async def _sound(request: web.Request, session: AsyncSession, call_id: int, *, message: bool = False) -> str:
    """What stands where a player may be; nothing for who sees calls but no people's matters."""
    person, ctx = actor(request), context(request)
    try:
        now = ctx.clock.now()
        return await sounds.of_call(session, person, ctx.recordings, call_id, now, message=message)
    except HotlineError:
        return "sealed"


async def _day(request: web.Request) -> dict[str, Any]:
    query = read_query(request, DayQuery)
    if query.outcome is not None and query.outcome not in reads.OUTCOMES:
        raise HotlineError("bad_request", field="outcome")
    today = to_city(context(request).clock.now()).date()
    day = query.day or today
    start = datetime.combine(day, datetime.min.time(), CITY_ZONE)
    short = context(request).settings.telephony.short_abandon_seconds
    async with context(request).db.read() as session:
        found, more = await reads.call_list(
            session,
            actor(request),
            since=start,
            until=start + timedelta(days=1),
            outcome=query.outcome,
            counted=behind(query.counted, start, start + timedelta(days=1), short) if query.counted else None,
            before=mark_of(query.before),
        )
    return {
        "rows": found,
        "today": today.isoformat(),
        "day": day.isoformat(),
        "outcome": query.outcome or "",
        "outcomes": list(reads.OUTCOMES.items()),
        "counted": query.counted,
        "kinds": list(reads.COUNTED.items()),
        "is_today": day == today,
        "first_page": query.before is None,
        "filtered": bool(query.outcome or query.counted) or day != today,
        "query": _address(query, query.before),
        "next_query": _address(query, mark_text(more)) if more else None,
    }


def _address(query: DayQuery, before: str | None) -> str:
    pairs = {
        "day": query.day.isoformat() if query.day else None,
        "outcome": query.outcome,
        "counted": query.counted,
        "before": before,
    }
    given = {key: value for key, value in pairs.items() if value}
    return f"?{URL.build(query=given).query_string}" if given else ""


_EPOCH = datetime(1970, 1, 1, tzinfo=CITY_ZONE)


def mark_text(mark: tuple[datetime, int]) -> str:
    """Where a page ended, for an address."""
    return f"{(mark[0] - _EPOCH) // timedelta(microseconds=1)}-{mark[1]}"


def mark_of(text: str | None) -> tuple[datetime, int] | None:
    """Where the page before ended: microseconds and id. Raises HotlineError `bad_request`."""
    if text is None:
        return None
    moment, _, ident = text.partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(moment)), int(ident)
    except OverflowError:
        raise HotlineError("bad_request", field="before") from None
