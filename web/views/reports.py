"""Reports (报表): made by the calendar or when asked, read on a page, fetched as Word or Excel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any, Literal
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import Field

from core import audit
from core.clock import to_city
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.reports import lookups, service
from sla.reports.document import Behind, Report, Table, numeric, written
from sla.reports.excel import excel
from sla.reports.periods import KIND_LABELS, Kind, period_of
from sla.reports.service import Kept, Order
from sla.reports.word import word
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.sentences.problem import Problem
from web.sentences.reports import PROBLEMS

READ, MAKE = Permission.REPORT_READ, Permission.REPORT_MAKE
KINDS = {kind.value: label for kind, label in KIND_LABELS.items()}
RENDER = {"docx": word, "xlsx": excel}
MIME = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ListQuery(Fields):
    kind: Kind | None = None
    before: int | None = Field(None, gt=0, lt=2**63)


class MakeForm(Fields):
    kind: Kind
    day: date
    last: date | Literal[""] = ""
    subject_id: Ident | Literal[""] = ""


@route("GET", "/reports", permission=READ)
async def reports(request: web.Request) -> web.StreamResponse:
    """What was made, newest first, and the form for another."""
    query = read_query(request, ListQuery)
    return await _list(request, query)


async def _list(
    request: web.Request, query: ListQuery, typed: MakeForm | None = None, problem: Problem | None = None
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        found = list(await service.listed(session, actor(request), query.kind, query.before))
        subjects = await lookups.subjects(session)
    more = len(found) > service.PAGE
    today = to_city(context(request).clock.now()).date()
    return await page(
        request,
        "reports/list.html",
        status=problem.status if problem else 200,
        reports=found[: service.PAGE],
        next_before=found[service.PAGE - 1].id if more else None,
        kinds=KINDS,
        chosen=query.kind.value if query.kind else "",
        subjects=subjects,
        may_make=actor(request).may(MAKE),
        today=today,
        typed=typed or MakeForm(kind=Kind.DAILY, day=today),
        problem=problem,
    )


@route("POST", "/reports", permission=MAKE)
async def make(request: web.Request) -> web.StreamResponse:
    """Make one now; days that make no sense are said where they were typed."""
    form = await read_form(request, MakeForm)
    special = form.kind is Kind.SPECIAL
    period = period_of(form.kind, form.day, (form.last or None) if special else None)
    subject = (form.subject_id or None) if special else None
    ctx = context(request)
    try:
        async with ctx.db.begin() as uow:
            ident = await ctx.reports.make(uow, actor(request), Order(form.kind, period, subject))
    except HotlineError as error:
        if error.code not in PROBLEMS:
            raise
        return await _list(request, ListQuery(), form, PROBLEMS[error.code])
    return redirect(request, f"/reports/{ident}")


@route("GET", "/reports/{report_id}", permission=READ)
async def one(request: web.Request) -> web.StreamResponse:
    """A report as it was made; its figures lead to the lists as they are now, for who may see them."""
    kept, report = await _one(request)
    may_open = actor(request).may(Permission.DASHBOARD_READ)
    return await page(
        request,
        "reports/one.html",
        kept=kept,
        report=report,
        kinds=KINDS,
        blocks=[(type(block).__name__.lower(), block) for block in report.blocks],
        written=written,
        numeric=numeric,
        opens=opener(actor(request)),
        leads=may_open and any(isinstance(block, Table) and block.behind for block in report.blocks),
    )


def opener(person: Actor) -> Callable[[Table, int, int], str | None]:
    """Where a cell of a report leads this person: the tickets it counted, if they may be seen."""
    may_open = person.may(Permission.DASHBOARD_READ)

    def opens(table: Table, row: int, place: int) -> str | None:
        behind = table.behind[row][place] if table.behind and may_open else None
        return _list_of(behind) if behind and table.rows[row][place] is not None else None

    return opens


def _list_of(behind: Behind) -> str:
    """Where the tickets behind a cell are."""
    narrow = {} if behind.scope == "all" else {behind.scope: behind.key}
    asked = {"first": behind.first, "last": behind.last, **narrow, "apart": behind.apart}
    return f"/measures/{behind.counter}/tickets?{urlencode(asked)}"


@route("GET", "/reports/{report_id}/{form}", permission=READ)
async def fetch(request: web.Request) -> web.StreamResponse:
    """The report as a file; the same report is the same file."""
    form = request.match_info["form"]
    if form not in RENDER:
        raise HotlineError("not_found")
    kept, report = await _one(request)
    body = await asyncio.get_running_loop().run_in_executor(None, RENDER[form], report)
    async with context(request).db.begin() as uow:
        await audit.record(
            uow,
            actor=actor(request),
            action="report.fetch",
            object_type="report",
            object_id=kept.id,
            detail={"form": form},
        )
    name = quote(f"{kept.title}（{report.period}）.{form}")
    disposition = f"attachment; filename=\"report-{kept.id}.{form}\"; filename*=UTF-8''{name}"
    headers: dict[str, Any] = {"Content-Type": MIME[form], "Content-Disposition": disposition}
    return web.Response(body=body, headers=headers)


async def _one(request: web.Request) -> tuple[Kept, Report]:
    async with context(request).db.read() as session:
        return await service.one(session, actor(request), path_id(request, "report_id"))
