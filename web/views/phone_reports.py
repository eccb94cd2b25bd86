"""Phone reports (话务报表): figures by span, agent or queue; the calls behind each; Excel and CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog import queues as call_queues
from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from sla.measures.periods import Period
from sla.reports import phone
from sla.reports.document import Format, written
from sla.reports.excel import excel
from sla.reports.phone_files import csv_text, document
from sla.reports.phone_sheets import AGENT, BY_LABELS, Asked, By, Line, PhoneReport, Sheet
from telephony.agents.choices import reason_words
from telephony.behind import MADE, behind, of_agent
from telephony.measures import FORMULAS
from telephony.stretches import known
from web.context import actor, context
from web.inputs import Fields, Ident, read_query
from web.reads import calls as reads
from web.render import page
from web.routes import route
from web.sentences.problem import Problem
from web.sentences.reports import PROBLEMS
from web.views.calls import mark_of, mark_text
from web.views.phone_stretches import address as stretches

HOME = "/reports/phone"
READ = Permission.REPORT_READ
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Counted = Literal[
    "offered", "answered", "prompt", "abandoned", "short", "timeout", "withdrawn", "empty", "others",
    "missed", "transferred", "surveyed", "scored", "rung", "taken", "passed_on", "out", "reached",
]  # fmt: skip
_CODES = {
    "prompt": "answered_in_15",
    "short": "short_abandoned",
    "out": "out_calls",
    "reached": "out_reached",
}  # fmt: skip - where a list is named otherwise


class PhoneQuery(Fields):
    by: By = By.HOUR
    first: date | None = None
    last: date | None = None
    queue: str = Field("", max_length=40)


class CallsQuery(Fields):
    counted: Counted = "offered"
    since: datetime
    until: datetime
    queue: str = Field("", max_length=40)
    user: Ident | None = None
    extension: str = Field("", max_length=20)
    before: str | None = Field(None, max_length=60, pattern=r"^\d{1,20}-\d{1,18}$")


@route("GET", HOME, permission=READ)
async def phone_report(request: web.Request) -> web.StreamResponse:
    """The report of the days asked for, today unless others are; wrong days are said above the form."""
    query = read_query(request, PhoneQuery)
    today = to_city(context(request).clock.now()).date()
    asked = _asked(query, today)
    problem: Problem | None = None
    found: PhoneReport | None = None
    async with context(request).db.read() as session:
        names = await _queue_names(session)
        try:
            found = await _read(request, session, asked, names)
        except HotlineError as error:
            if error.code not in PROBLEMS:
                raise
            problem = PROBLEMS[error.code]
    kept = {"by": asked.by.value, "first": asked.period.first, "last": asked.period.last}
    address = urlencode({**kept, **({"queue": asked.queue} if asked.queue else {})})
    return await page(
        request,
        "reports/phone.html",
        status=problem.status if problem else 200,
        problem=problem,
        found=found,
        asked=asked,
        kinds=[(by.value, word) for by, word in BY_LABELS.items()],
        queues=names,
        today=today,
        quick=_quick(asked, today),
        address=address,
        cell=_cell,
        opens=partial(_opens, found.now if found else None),
        points=_points,
    )


@route("GET", HOME + "/calls", permission=READ)
async def phone_calls(request: web.Request) -> web.StreamResponse:
    """The calls a number counted, newest first."""
    query = read_query(request, CallsQuery)
    since, until = _here(query.since), _here(query.until)
    conditions = _counted(query, context(request).settings.telephony.short_abandon_seconds)
    async with context(request).db.read() as session:
        who = actor(request)
        rows, more = await reads.call_list(
            session, who, since=since, until=until, counted=conditions, before=mark_of(query.before)
        )
        number = await reads.call_count(session, who, conditions)
        names = await _queue_names(session)
        person = await reads.person_name(session, query.user) if query.user else ""
    who_took = person or (f"话机 {query.extension}" if query.extension else "")
    kept = query.model_dump(mode="json", exclude={"before"}, exclude_defaults=True)
    kept |= {"counted": query.counted, "since": _local(since), "until": _local(until)}
    following = urlencode({**kept, "before": mark_text(more)}) if more else None
    return await page(
        request,
        "reports/phone_calls.html",
        rows=rows,
        number=number,
        title=FORMULAS[_CODES.get(query.counted, query.counted)],
        period=f"{to_city(since):%Y-%m-%d %H:%M} 至 {to_city(until):%Y-%m-%d %H:%M}",
        narrowed=[word for word in (names.get(query.queue, query.queue), who_took) if word],
        next_query=f"?{following}" if following else None,
        pages=f"{HOME}/calls",
        filtered=True,
    )


def _counted(query: CallsQuery, short: int) -> list[Any]:
    """The conditions of the calls behind the number; of one agent, those he had part in."""
    of_one = query.user is not None or bool(query.extension)
    counted = "offered" if of_one and query.counted not in MADE else query.counted
    conditions = behind(counted, _here(query.since), _here(query.until), short, queue=query.queue or None)
    if of_one:
        conditions.append(of_agent(query.counted, query.user, query.extension))
    return conditions


@route("GET", HOME + "/{form}", permission=READ)
async def phone_file(request: web.Request) -> web.StreamResponse:
    """The same report as a file."""
    form = request.match_info["form"]
    if form not in ("xlsx", "csv"):
        raise HotlineError("not_found")
    query, ctx = read_query(request, PhoneQuery), context(request)
    asked = _asked(query, to_city(ctx.clock.now()).date())
    async with ctx.db.read() as session:
        names = await _queue_names(session)
        found = await _read(request, session, asked, names)
    office = f"{ctx.settings.city.name}12345政务服务便民热线"
    queue = names.get(asked.queue or "", asked.queue or "")
    make: Callable[[], bytes] = lambda: (  # noqa: E731 - given to a thread
        excel(document(found, office, queue)) if form == "xlsx" else csv_text(found, office, queue).encode()
    )
    body = await asyncio.to_thread(make)
    detail = {"form": form, "by": asked.by.value, "first": asked.period.first.isoformat()}
    detail |= {"last": asked.period.last.isoformat(), "queue": asked.queue or ""}
    async with ctx.db.begin() as uow:
        await audit.record(
            uow, actor=actor(request), action="report.fetch", object_type="phone_report", detail=detail
        )
    days = f"{asked.period.first}至{asked.period.last}"
    name = quote(f"话务报表-按{BY_LABELS[asked.by]}（{days}）.{form}")
    headers = {
        "Content-Type": XLSX if form == "xlsx" else "text/csv; charset=utf-8",
        "Content-Disposition": f"attachment; filename=\"phone-report.{form}\"; filename*=UTF-8''{name}",
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, headers=headers)


def _asked(query: PhoneQuery, today: date) -> Asked:
    last = query.last or query.first or today
    return Asked(query.by, Period(query.first or last, last), query.queue or None)


async def _read(
    request: web.Request, session: AsyncSession, asked: Asked, names: dict[str, str]
) -> PhoneReport:
    words = await reason_words(session)
    return await phone.read(session, asked, context(request).clock.now(), names, words)


async def _queue_names(session: AsyncSession) -> dict[str, str]:
    """Queues of the telephone, closed ones too: their calls were counted."""
    return {one.name: one.label for one in await call_queues.queues(session) if one.kind == "queue"}


def _quick(asked: Asked, today: date) -> list[tuple[str, str, bool]]:
    """Periods people ask for most: word, address, whether it is the one shown."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    yesterday, end = today - timedelta(days=1), first - timedelta(days=1)
    periods = (
        ("今天", By.HOUR, Period(today, today)),
        ("昨天", By.HOUR, Period(yesterday, yesterday)),
        ("本周", By.DAY, Period(monday, today)),
        ("上周", By.DAY, Period(monday - timedelta(days=7), monday - timedelta(days=1))),
        ("本月", By.DAY, Period(first, today)),
        ("上月", By.DAY, Period(end.replace(day=1), end)),
    )
    found = []
    for word, by, period in periods:
        by = asked.by if asked.by in (By.AGENT, By.QUEUE) else by
        pairs = {"by": by.value, "first": period.first, "last": period.last}
        pairs |= {"queue": asked.queue} if asked.queue else {}
        found.append((word, f"{HOME}?{urlencode(pairs)}", period == asked.period))
    return found


def _points(sheet: Sheet, codes: tuple[str, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The lines of a chart: label, then value and text of each series."""
    rows = []
    for line in sheet.charted(codes):
        cells = []
        for code in codes:
            value, how = line.cells[sheet.place(code)], sheet.measure(code).format
            scale = 100 if how is Format.RATE else 1
            shown = f"{value * scale:g}" if isinstance(value, int | float) else ""
            cells.append((shown, written(value, how)))
        rows.append((line.label, cells))
    return rows


def _cell(sheet: Sheet, line: Line, place: int) -> str:
    """A number as it is read; a stretch of time nobody spent so is left out."""
    value, how = line.cells[place], sheet.measures[place].format
    return written(None if how is Format.SPAN and not value else value, how)


def _opens(now: datetime | None, sheet: Sheet, line: Line, place: int) -> str | None:
    """Where the calls, or the stretches of states, behind a number are."""
    measure = sheet.measures[place]
    value = line.cells[place]
    if value and now is not None and measure.counted is None and known(measure.code):
        return stretches(measure.code, line.since, line.until, now, line.user_id)
    if measure.counted is None or not value or (sheet.head == AGENT and line is sheet.total):
        return None
    pairs: dict[str, Any] = {
        "counted": measure.counted,
        "since": _local(line.since),
        "until": _local(line.until),
    }
    if line.queue:
        pairs["queue"] = line.queue
    if line.user_id is not None:
        pairs["user"] = line.user_id
    if line.extension:
        pairs["extension"] = line.extension
    return f"{HOME}/calls?{urlencode(pairs)}"


def _here(typed: datetime) -> datetime:
    """What is written without a zone is the city's time."""
    return typed.replace(tzinfo=CITY_ZONE) if typed.tzinfo is None else typed


def _local(moment: datetime) -> str:
    return f"{to_city(moment):%Y-%m-%dT%H:%M}"
