"""Open311 (GeoReport v2): what may be reported, what was, how it stands; and reporting with a key.

Reading needs no key; whatever is shown may be seen by anybody (`tickets.exchange.open311`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.errors import HotlineError
from core.ids import new_token
from tickets.exchange import numbers, open311, requests
from tickets.exchange.open311 import Wanted
from web.context import SOURCE, context
from web.inputs import Fields, read_query
from web.open311 import items
from web.open311.description import description
from web.open311.form import Posted, read_posted
from web.open311.formats import REQUESTS, SERVICES, UPDATES, format_of, many, one
from web.routes import route
from web.security.rates import RATES

HOME = "/open311/v2"
WINDOW = timedelta(days=90)
MOST_IDS = 50
READS_PER_MINUTE = 600
POSTS_PER_MINUTE = 120
MEGABYTE = 1024 * 1024
Q = TypeVar("Q", bound=Fields)
_CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")


class CommonQuery(Fields):
    jurisdiction_id: str = Field("", max_length=100)
    api_key: str = Field("", max_length=100)
    extensions: str = Field("", max_length=10)


class RequestsQuery(CommonQuery):
    service_request_id: str = Field("", max_length=1200)
    service_code: str = Field("", max_length=1200)
    start_date: str = Field("", max_length=40)
    end_date: str = Field("", max_length=40)
    status: str = Field("", max_length=40, pattern=r"^(open|closed)?(,(open|closed))*$")
    page_size: int = Field(50, ge=1, le=200)
    after: str = Field("", max_length=200)


class UpdatesQuery(CommonQuery):
    service_request_id: str = Field("", max_length=1200)
    start_date: str = Field("", max_length=40)
    end_date: str = Field("", max_length=40)
    page_size: int = Field(200, ge=1, le=500)
    after: int = Field(0, ge=0, lt=2**63)


@route("GET", HOME + "/openapi.json", public=True)
async def described(request: web.Request) -> web.StreamResponse:
    """This interface in OpenAPI 3.1."""
    read_query(request, CommonQuery)
    return web.json_response(description(context(request).settings.city.name))


@route("GET", HOME + "/discovery.{format}", public=True)
async def discovery(request: web.Request) -> web.StreamResponse:
    """Where this interface is and what it speaks."""
    _begin(request, CommonQuery)
    base = context(request).settings.http.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": base + HOME,
        "changeset": "2026-11-30T00:00:00Z",
        "type": "production",
        "formats": ["application/json", "text/xml"],
    }
    found = {
        "changeset": endpoint["changeset"],
        "contact": "12345",
        "key_service": "令牌由热线的安全管理员发放。",
        "endpoints": [endpoint],
    }
    return one(request, "discovery", found)


@route("GET", HOME + "/services.{format}", public=True)
async def services(request: web.Request) -> web.StreamResponse:
    """Every matter that may be reported."""
    _begin(request, CommonQuery)
    async with context(request).db.read() as session:
        found = await open311.services(session)
    return many(request, SERVICES, [items.service(entry) for entry in found])


@route("GET", HOME + "/services/{service_code}.{format}", public=True)
async def definition(request: web.Request) -> web.StreamResponse:
    """What may be said besides about a matter."""
    _begin(request, CommonQuery)
    code = request.match_info["service_code"]
    async with context(request).db.read() as session:
        found = await open311.services(session, code) if _CODE.fullmatch(code) else []
    if not found:
        raise HotlineError("not_found")
    return one(request, "service_definition", items.definition(found[0]))


@route("GET", HOME + "/requests.{format}", public=True)
async def listed(request: web.Request) -> web.StreamResponse:
    """Requests, newest first, of 90 days at most; where a page ends, `Link` names the next one."""
    query = _begin(request, RequestsQuery)
    since, until = _window(query.start_date, query.end_date, context(request).clock.now())
    wanted = Wanted(
        numbers=_list(query.service_request_id),
        services=_list(query.service_code),
        statuses=frozenset(part for part in query.status.split(",") if part),
        since=since,
        until=until,
        after=query.after or None,
        limit=query.page_size,
    )
    async with context(request).db.read() as session:
        found, mark = await open311.requests(session, wanted)
    answer = many(request, REQUESTS, [items.request(entry) for entry in found])
    if mark is not None:
        _next(request, answer, mark)
    return answer


@route("GET", HOME + "/requests/{request_id}.{format}", public=True)
async def single(request: web.Request) -> web.StreamResponse:
    """One request; a list all the same."""
    _begin(request, CommonQuery)
    number = request.match_info["request_id"]
    async with context(request).db.read() as session:
        found, _ = await open311.requests(session, Wanted(numbers=(number[:40].replace("\x00", ""),)))
    if not found:
        raise HotlineError("not_found")
    return many(request, REQUESTS, [items.request(found[0])])


@route("GET", HOME + "/tokens/{token}.{format}", public=True)
async def token(request: web.Request) -> web.StreamResponse:
    """The number behind a token. Numbers are there at once, so that only repeated requests ask here."""
    _begin(request, CommonQuery)
    key = request.match_info["token"]
    async with context(request).db.read() as session:
        number = await open311.by_token(session, key) if requests.KEY.fullmatch(key) else None
    if number is None:
        raise HotlineError("not_found")
    return many(request, REQUESTS, [{"service_request_id": number, "token": key}])


@route("GET", HOME + "/servicerequestupdates.{format}", public=True)
async def updates(request: web.Request) -> web.StreamResponse:
    """The steps at which requests changed (extension), oldest first."""
    query = _begin(request, UpdatesQuery)
    since, until = _window(query.start_date, query.end_date, context(request).clock.now())
    wanted = Wanted(numbers=_list(query.service_request_id), since=since, until=until, limit=query.page_size)
    async with context(request).db.read() as session:
        found = await open311.updates(session, wanted, query.after)
    answer = many(request, UPDATES, [items.update(entry) for entry in found])
    if len(found) == query.page_size:
        _next(request, answer, str(found[-1].id))
    return answer


@route("POST", HOME + "/requests.{format}", signed=True, max_body=32 * MEGABYTE)
async def report(request: web.Request) -> web.StreamResponse:
    """Report something, with a key. The same `Idempotency-Key` again gives the same number."""
    ctx = context(request)
    format_of(request)
    request.app[RATES].count("open311.post", request[SOURCE], most=POSTS_PER_MINUTE, seconds=60)
    posted = await read_posted(request, ctx.attachments)
    key = request.headers.get("Idempotency-Key") or new_token(16)
    number = await ctx.db.retrying(lambda uow: _report(request, uow, posted, key))
    answer = many(
        request,
        REQUESTS,
        [{"service_request_id": number, "service_notice": items.NOTICE, "account_id": ""}],
    )
    answer.headers["HL-Token"] = key
    return answer


async def _report(request: web.Request, uow: UnitOfWork, posted: Posted, key: str) -> str:
    ctx, machine = context(request), posted.machine
    content = repr((sorted(posted.fields.items()), sorted(posted.attributes.items())))
    asked = await requests.begin(uow, machine, key, content)
    if asked.again and asked.answer is not None:
        return str(asked.answer["number"])
    code = posted.fields.get("service_code", "")
    category = await open311.category_of(uow.session, code[:20])
    if category is None:
        raise HotlineError("form_invalid", fields={"service_code": "unknown_choice"})
    made = await ctx.submissions.submit(uow, items.submission(posted, category, key))
    await numbers.link(uow, machine, made.ticket_id, "came", None)
    await requests.answered(uow, machine, key, {"number": made.number})
    return made.number


# ---- what was asked for ----------------------------------------------------------------------


def _begin(request: web.Request, model: type[Q]) -> Q:
    """The query of a reading, counted."""
    format_of(request)
    request.app[RATES].count("open311.read", request[SOURCE], most=READS_PER_MINUTE, seconds=60)
    return read_query(request, model)


def _list(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(found) > MOST_IDS:
        raise HotlineError("bad_request", field="service_request_id")
    return found


def _window(start: str, end: str, now: datetime) -> tuple[datetime, datetime]:
    """From when till when; 90 days at most. Raises `bad_request` (field)."""
    first, last = _instant(start, "start_date"), _instant(end, "end_date")
    try:
        if first is None:
            last = last or now
            first = last - WINDOW
        last = last or min(first + WINDOW, max(now, first))
        too_long = last - first > WINDOW
    except OverflowError:
        too_long = True
    if too_long or first is None or last is None or last < first:
        raise HotlineError("bad_request", field="end_date")
    return first, last


def _instant(text: str, name: str) -> datetime | None:
    """An instant of W3C's format; without a zone it is UTC. A plus may have become a blank on its way."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise HotlineError("bad_request", field=name) from None


def _next(request: web.Request, answer: web.Response, mark: str) -> None:
    target: Any = request.rel_url.update_query(after=mark)
    answer.headers["Link"] = f'<{quote(str(target), safe="/?&=%-._~:,+")}>; rel="next"'
