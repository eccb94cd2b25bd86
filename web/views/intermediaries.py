"""The market for everybody (no account): search, one house, the blacklist, rating; and the credit feed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from tickets import query_codes
from tickets.intermediaries import credit, queries, ratings
from tickets.intermediaries.terms import FINDINGS, STANDINGS, STARS
from web.context import SOURCE, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import bare_page
from web.routes import route
from web.security.rates import RATES
from web.views.admin_calendar import today
from web.views.market import judge

HOME = "/intermediaries"
READS_PER_MINUTE, RATINGS_PER_HOUR = 120, 20
FAILED = frozenset({"rating_unproven", "rating_given", "query_locked", "form_invalid", "too_many_requests"})


class ListQuery(Fields):
    q: str = Field("", max_length=60)
    trade: str = Field("", max_length=40)
    before: int = Field(0, ge=0, lt=1_000_000)


class RateForm(Fields):
    """The number of a service, or number and query code of a ticket."""

    service: str = Field("", max_length=40)
    number: str = Field("", max_length=40)
    code: str = Field("", max_length=20)
    stars: int = Field(0, ge=0, le=5)


class FeedQuery(Fields):
    after: int = Field(0, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=500)


def _brake(request: web.Request) -> None:
    request.app[RATES].count("market.read", request[SOURCE], most=READS_PER_MINUTE, seconds=60)


def _least(request: web.Request) -> int:
    return context(request).settings.intermediaries.least_ratings


@route("GET", HOME, public=True)
async def market(request: web.Request) -> web.StreamResponse:
    """The open houses, by trade and name."""
    query, day = read_query(request, ListQuery), today(request)
    _brake(request)
    async with context(request).db.read() as session:
        asked: dict[str, Any] = {"words": query.q, "trade": query.trade}
        rows, total = await queries.register(session, day, before=query.before, **asked)
        trades = await queries.trades(session)
    following = query.before + queries.PAGE
    kept = query.model_dump(exclude={"before"}, exclude_defaults=True)
    values: dict[str, Any] = {
        "rows": rows,
        "total": total,
        "query": query,
        "trades": trades,
        "day": day,
        "least": _least(request),
        "next_page": f"{HOME}?{urlencode({**kept, 'before': following})}" if following < total else "",
    }
    return await bare_page(request, "intermediaries/list.html", **values)


@route("GET", HOME + "/{intermediary_id:[0-9]+}", public=True)
async def one(request: web.Request) -> web.StreamResponse:
    """One house: trade, qualifications with their ends, ratings with n, credit events."""
    read_query(request, Fields)
    _brake(request)
    day, ident = today(request), path_id(request, "intermediary_id")
    async with context(request).db.read() as session:
        item = await queries.item(session, ident, day)
        if item.state != "active":
            raise HotlineError("intermediary_unknown")
        licences = [(row, judge(request, row, day)) for row in await queries.licences(session, ident)]
        levels = await queries.stars_of(session, ident)
        now = context(request).clock.now()
        events = await credit.feed(session, now, intermediary_id=ident, newest=True)
    return await bare_page(
        request,
        "intermediaries/one.html",
        item=item,
        licences=licences,
        levels=levels,
        events=[one.as_json() for one in events],
        stars=STARS,
        standings=STANDINGS,
        least=_least(request),
    )


@route("GET", HOME + "/blacklist", public=True)
async def blacklist(request: web.Request) -> web.StreamResponse:
    """Who is listed, since when, until when and for what."""
    read_query(request, Fields)
    _brake(request)
    async with context(request).db.read() as session:
        rows = await queries.public_list(session, today(request))
    return await bare_page(request, "intermediaries/blacklist.html", rows=rows, findings=FINDINGS)


@route("GET", HOME + "/rate", public=True)
async def rate_form(request: web.Request) -> web.StreamResponse:
    """The form to rate a service."""
    read_query(request, Fields)
    return await bare_page(
        request, "intermediaries/rate.html", typed={}, problem=None, stars=STARS, done=False
    )


@route("POST", HOME + "/rate", public=True, max_body=4096)
async def rate(request: web.Request) -> web.StreamResponse:
    """Rate once. A wrong number and an unknown one are answered alike."""
    form, ctx = await read_form(request, RateForm), context(request)
    try:
        request.app[RATES].count("market.rate", request[SOURCE], most=RATINGS_PER_HOUR, seconds=3600)
        if form.service:
            async with ctx.db.begin() as uow:
                await ratings.by_service(uow, form.service, form.stars)
        else:
            await _by_ticket(request, form)
    except HotlineError as error:
        if error.code not in FAILED:
            raise
        _, problem = problem_of(error)
        typed = {"service": form.service, "number": form.number, "stars": str(form.stars)}
        values = {"typed": typed, "problem": problem, "stars": STARS, "done": False}
        return await bare_page(request, "intermediaries/rate.html", status=problem.status, **values)
    return await bare_page(
        request, "intermediaries/rate.html", typed={}, problem=None, stars=STARS, done=True
    )


async def _by_ticket(request: web.Request, form: RateForm) -> None:
    """Number and code are proved first, and a wrong try is counted even though nothing comes of it."""
    ctx = context(request)
    async with ctx.db.begin() as uow:
        ticket_id = await query_codes.look_up(
            uow, ctx.vault, number=form.number, code=form.code, source=request[SOURCE]
        )
    if ticket_id is None:
        raise HotlineError("rating_unproven")
    async with ctx.db.begin() as uow:
        await ratings.by_ticket(uow, ticket_id, form.stars)


@route("GET", "/credit/events", public=True)
async def events(request: web.Request) -> web.StreamResponse:
    """Credit events behind `after`, the oldest first; `next` is where to go on, null at the end for now."""
    query = read_query(request, FeedQuery)
    _brake(request)
    async with context(request).db.read() as session:
        now = context(request).clock.now()
        found = await credit.feed(session, now, after=query.after, limit=query.limit)
    following = found[-1].id if len(found) == query.limit else None
    body = {
        "events": [one.as_json() for one in found],
        "next": f"/credit/events?{urlencode({'after': following, 'limit': query.limit})}"
        if following
        else None,
    }
    return web.json_response(body, dumps=lambda data: json.dumps(data, ensure_ascii=False))
