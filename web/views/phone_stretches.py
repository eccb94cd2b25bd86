"""Behind an agent's time in a phone report: the stretches it is made of, on a page and as files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from sla.reports.document import Format, written
from sla.reports.excel import excel
from sla.reports.periods import LONGEST
from sla.reports.stretch_files import Behind, csv_text, document
from telephony import stretches
from telephony.agents.choices import reason_words
from telephony.measures import FORMULAS
from telephony.stretches import REASON, Asked
from web.context import actor, context
from web.inputs import Fields, Ident, read_query
from web.reads import calls as reads
from web.reads.agent_words import STATE_WORDS
from web.render import page
from web.routes import route
from web.views.calls import mark_of, mark_text

HOME = "/reports/phone/stretches"
READ = Permission.REPORT_READ
ROWS = 50
MOST = 50_000  # lines of a file
YEARS = range(2000, 2200)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class StretchQuery(Fields):
    spent: str = Field(max_length=40)
    since: datetime
    until: datetime
    at: datetime | None = None
    user: Ident | None = None
    before: str | None = Field(None, max_length=60, pattern=r"^\d{1,20}-\d{1,18}$")


def address(spent: str, since: datetime, until: datetime, at: datetime, user: int | None) -> str:
    """Where the stretches behind a figure read at `at` are."""
    pairs: dict[str, Any] = {"spent": spent, "since": _local(since), "until": _local(until)}
    if at < until:  # later it is the same whenever it is read
        pairs["at"] = f"{to_city(at):%Y-%m-%dT%H:%M:%S.%f}"
    if user is not None:
        pairs["user"] = user
    return f"{HOME}?{urlencode(pairs)}"


@route("GET", HOME, permission=READ)
async def phone_stretches(request: web.Request) -> web.StreamResponse:
    """The stretches of a figure, the latest first, and their sum."""
    query = read_query(request, StretchQuery)
    asked = _asked(request, query)
    async with context(request).db.read() as session:
        number, ms = await stretches.together(session, asked)
        rows, more = await stretches.listed(session, asked, most=ROWS, before=mark_of(query.before))
        calls = await reads.visible_ids(session, actor(request), [row.call_session_id for row in rows])
        behind, reasons = await _behind(session, asked)
    here = address(asked.spent, asked.since, asked.until, asked.at, asked.user_id)
    files = here.partition("?")[2]
    return await page(
        request,
        "reports/phone_stretches.html",
        behind=behind,
        rows=rows,
        number=number,
        total=written(ms / 1000, Format.SPAN),
        length=lambda row: written(row.ms / 1000, Format.SPAN),
        calls=calls,
        states=STATE_WORDS,
        reasons=reasons,
        cut=lambda row: row.started_at < asked.since or (row.ended_at is None or row.ended_at > asked.until),
        files=files,
        too_many=number > MOST,
        following=f"{here}&{urlencode({'before': mark_text(more)})}" if more else None,
    )


@route("GET", HOME + "/{form}", permission=READ)
async def phone_stretches_file(request: web.Request) -> web.StreamResponse:
    """All of them as a file. Raises HotlineError `phone_stretches_too_many`."""
    form = request.match_info["form"]
    if form not in ("xlsx", "csv"):
        raise HotlineError("not_found")
    asked, ctx = _asked(request, read_query(request, StretchQuery)), context(request)
    async with ctx.db.read() as session:
        number, _ = await stretches.together(session, asked)
        if number > MOST:
            raise HotlineError("phone_stretches_too_many")
        rows, _ = await stretches.listed(session, asked, most=MOST)
        behind, reasons = await _behind(session, asked)
    office = f"{ctx.settings.city.name}12345政务服务便民热线"
    make: Callable[[], bytes] = lambda: (  # noqa: E731 - given to a thread
        excel(document(behind, rows, STATE_WORDS, reasons, office))
        if form == "xlsx"
        else csv_text(behind, rows, STATE_WORDS, reasons).encode()
    )
    body = await asyncio.to_thread(make)
    detail = {"form": form, "spent": asked.spent, "rows": number, "user": asked.user_id}
    detail |= {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
    async with ctx.db.begin() as uow:
        await audit.record(
            uow, actor=actor(request), action="report.fetch", object_type="phone_stretches", detail=detail
        )
    name = quote(f"坐席工时明细-{behind.name}.{form}")
    headers = {
        "Content-Type": XLSX if form == "xlsx" else "text/csv; charset=utf-8",
        "Content-Disposition": f"attachment; filename=\"stretches.{form}\"; filename*=UTF-8''{name}",
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, headers=headers)


def _asked(request: web.Request, query: StretchQuery) -> Asked:
    now = context(request).clock.now()
    since, until = _here(query.since), _here(query.until)
    at = min(now, _here(query.at)) if query.at else now
    near = all(one.year in YEARS for one in (since, until, at))
    long = not timedelta(0) <= until - since <= timedelta(days=LONGEST + 1)
    if not near or long or not stretches.known(query.spent):
        raise HotlineError("bad_request", field="spent")
    return Asked(query.spent, since, until, at, query.user)


async def _behind(session: AsyncSession, asked: Asked) -> tuple[Behind, dict[str, str]]:
    reasons = await reason_words(session)
    if asked.spent.startswith(REASON):
        code = asked.spent.removeprefix(REASON)
        told = (f"示忙·{reasons.get(code, code) or '未说明'}", "以此原因示忙的时长")
    else:
        told = FORMULAS[asked.spent]
    person = await reads.person_name(session, asked.user_id) if asked.user_id else ""
    return Behind(*told, asked.since, asked.until, person, asked.at), reasons


def _here(typed: datetime) -> datetime:
    """What is written without a zone is the city's time."""
    return typed.replace(tzinfo=CITY_ZONE) if typed.tzinfo is None else typed


def _local(moment: datetime) -> str:
    return f"{to_city(moment):%Y-%m-%dT%H:%M}"
