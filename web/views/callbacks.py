"""The call-back desk (漏接回拨): one task per number, called by a click, one key to the next."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.permissions import Permission
from tickets import reveal
from tickets.terms import NOTED_BY_HAND, AttemptResult, label
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form, read_query
from web.reads import callbacks as reads
from web.render import fragment, page, redirect
from web.routes import route

READ, WORK = Permission.CALLBACK_READ, Permission.CALLBACK_WORK
TASK = "/callbacks/{task_id:[0-9]+}"


class ListQuery(Fields):
    task: int | None = Field(None, gt=0, lt=2**63)
    closed: bool = False
    age: Literal["fresh", "half", "hour", "old", "overdue"] | None = None
    done: Literal["none"] | None = None


class VersionForm(Fields):
    version: int = Field(ge=1, lt=2**31)


class AttemptForm(VersionForm):
    result: str = Field("", max_length=40)
    note: str = Field("", max_length=500)


class RevealForm(Fields):
    reason: str = Field("", max_length=200)


@route("GET", "/callbacks", permission=READ)
async def task_list(request: web.Request) -> web.StreamResponse:
    """The list, with the chosen task beside it."""
    query = read_query(request, ListQuery)
    async with context(request).db.read() as session:
        rows = await _rows(request, session, query)
        task = await _task(request, session, query.task) if query.task else None
    values = {"task": task, "nothing_left": query.done == "none", **rows}
    return await page(request, "callbacks/list.html", **values, **_terms(request))


@route("GET", "/callbacks/rows", permission=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone, when a task was opened, claimed or closed."""
    query = read_query(request, ListQuery)
    async with context(request).db.read() as session:
        found = await _rows(request, session, query)
    return fragment(request, "callbacks/_rows.html", **found, **_terms(request))


@route("GET", TASK + "/detail", permission=READ)
async def detail(request: web.Request) -> web.StreamResponse:
    """The chosen task alone, as its call goes on."""
    async with context(request).db.read() as session:
        task = await _task(request, session, path_id(request, "task_id"))
    return fragment(request, "callbacks/_detail.html", task=task, **_terms(request))


@route("POST", "/callbacks/next", permission=WORK)
async def take_next(request: web.Request) -> web.StreamResponse:
    """Take the most urgent task nobody is at; the list says so when there is none."""
    await read_form(request, Fields)
    ctx = context(request)
    async with ctx.db.begin() as uow:
        task_id = await ctx.callbacks.claim_next(uow, actor(request))
    return redirect(request, f"/callbacks?task={task_id}" if task_id else "/callbacks?done=none")


@route("POST", TASK + "/dial", permission=WORK)
async def dial(request: web.Request) -> web.StreamResponse:
    """Take the task and call: my telephone rings first. The number itself is not shown."""
    await read_form(request, Fields)
    ctx, task_id = context(request), path_id(request, "task_id")
    async with ctx.db.begin() as uow:
        await ctx.callback_desk.dial(uow, actor(request), task_id)
    return redirect(request, f"/callbacks?task={task_id}")


@route("POST", TASK + "/claim", permission=WORK)
async def claim(request: web.Request) -> web.StreamResponse:
    """Take the task, so that no colleague calls at the same time."""
    form = await read_form(request, VersionForm)
    ctx, task_id = context(request), path_id(request, "task_id")
    async with ctx.db.begin() as uow:
        await ctx.callbacks.claim(uow, actor(request), task_id, form.version)
    return redirect(request, f"/callbacks?task={task_id}")


@route("POST", TASK + "/release", permission=WORK)
async def release(request: web.Request) -> web.StreamResponse:
    """Give the task back to everybody."""
    form = await read_form(request, VersionForm)
    ctx, task_id = context(request), path_id(request, "task_id")
    async with ctx.db.begin() as uow:
        await ctx.callbacks.release(uow, actor(request), task_id, form.version)
    return redirect(request, f"/callbacks?task={task_id}")


@route("POST", TASK + "/attempt", permission=WORK)
async def attempt(request: web.Request) -> web.StreamResponse:
    """Note one try; reaching the citizen, or the last try allowed, closes the task."""
    form = await read_form(request, AttemptForm)
    ctx, task_id = context(request), path_id(request, "task_id")
    async with ctx.db.begin() as uow:
        await ctx.callbacks.log_attempt(uow, actor(request), task_id, form.version, form.result, form.note)
    return redirect(request, f"/callbacks?task={task_id}")


@route("POST", TASK + "/reveal", permission=Permission.PERSON_REVEAL)
async def show_number(request: web.Request) -> web.StreamResponse:
    """The whole number, for a reason, once; it is not in the address and not in any later page."""
    form = await read_form(request, RevealForm)
    ctx, person, task_id = context(request), actor(request), path_id(request, "task_id")
    async with ctx.db.begin() as uow:
        number = await reveal.of_callback(uow, person, ctx.vault, task_id, form.reason)
    async with ctx.db.read() as session:
        task = await _task(request, session, task_id)
        found = await _rows(request, session, ListQuery(task=task_id))
    task["revealed"] = number
    values = {"task": task, "nothing_left": False, **found, **_terms(request)}
    if wants_fragment(request):
        response = fragment(request, "callbacks/_detail.html", **values)
    else:
        response = await page(request, "callbacks/list.html", **values)
    response.headers["Cache-Control"] = "no-store"
    return response


def _terms(request: web.Request) -> dict[str, Any]:
    person = actor(request)
    return {
        "results": [(result.value, label(AttemptResult, result.value)) for result in NOTED_BY_HAND],
        "most_attempts": context(request).settings.telephony.callback_tries,
        "may_work": person.may(WORK),
        "may_reveal": person.may(Permission.PERSON_REVEAL),
    }


async def _rows(request: web.Request, session: AsyncSession, query: ListQuery) -> dict[str, Any]:
    now = context(request).clock.now()
    found = await reads.rows_of(session, actor(request), now, closed=query.closed, age=query.age)
    parts = {"task": query.task, "closed": int(query.closed) or None, "age": query.age}
    text = "&".join(f"{key}={value}" for key, value in parts.items() if value)
    return {
        **found,
        "selected": query.task,
        "shown_closed": query.closed,
        "query": f"?{text}" if text else "",
    }


async def _task(request: web.Request, session: AsyncSession, task_id: int) -> dict[str, Any]:
    return await reads.task_of(session, actor(request), task_id, context(request).clock.now())
