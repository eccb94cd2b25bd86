"""My work (我的工作): one's own figures beside the team's medians, one's own calls, tickets and scores."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web
from pydantic import Field

from core.clock import CITY_ZONE
from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.agents.choices import reason_words
from telephony.floor import own
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads import calls, own_work
from web.reads.own_work import PERIODS, Period
from web.render import page
from web.routes import ROUTES, route

HOME = "/me/figures"
MAY = Permission.CALL_TAKE
SCORES = "/me/quality"  # the page of one's own quality scores, where there is one
_EPOCH = datetime(1970, 1, 1, tzinfo=CITY_ZONE)


class Query(Fields):
    period: Period = "day"
    before: str | None = Field(None, max_length=60, pattern=r"^\d{1,20}-\d{1,18}$")


@route("GET", HOME, permission=MAY)
async def figures(request: web.Request) -> web.StreamResponse:
    """The figures of today, this week or this month, and the calls behind them."""
    query, ctx, person = read_query(request, Query), context(request), actor(request)
    span = own_work.span_of(query.period, ctx.clock.now())
    async with ctx.db.read() as session:
        mine = await own.own_figures(session, person, span.begin, span.end, ctx.clock.now())
        parts = await own.parts(session, person, span.begin, span.end, span.grain)
        keys = await own.surveys(session, person, span.begin, span.end)
        wrote = await own_work.written(session, person, span)
        words = await reason_words(session)
        rows, more = await calls.call_list(
            session,
            person,
            since=span.begin,
            until=span.end,
            counted=(own.took_part(person), calls.between(span.begin, span.end)),
            before=_mark(query.before),
        )
    worked = mine.figures.worked
    return await page(
        request,
        "me/figures.html",
        period=query.period,
        periods=list(PERIODS.items()),
        lines=[own_work.line_of(one) for one in mine.compared],
        parts=[(span.label(one.at), one) for one in parts],
        pauses=sorted(
            ((words.get(code, code or "未填原因"), ms / 1000) for code, ms in worked.reasons.items()),
            key=lambda pair: -pair[1],
        ),
        keys=keys,
        wrote=wrote,
        rows=rows,
        more=f"{(more[0] - _EPOCH) // timedelta(microseconds=1)}-{more[1]}" if more else None,
        scores=SCORES if any(one.path == SCORES for one in request.app[ROUTES]) else None,
    )


def _mark(text: str | None) -> tuple[datetime, int] | None:
    """Where the page before ended: microseconds and id. Raises HotlineError `bad_request`."""
    if text is None:
        return None
    moment, _, ident = text.partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(moment)), int(ident)
    except OverflowError:
        raise HotlineError("bad_request", field="before") from None
