"""What is to be put right in knowledge: reports with their clock, what was missed, synonyms."""

from __future__ import annotations

import re
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets.knowledge import gaps, synonyms, tasks, worklists
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, NoFields, back
from web.views.knowledge import WORDS

HOME = "/knowledge/tasks"
GAPS, SYNONYMS = "/knowledge/gaps", "/knowledge/synonyms"
WORK = (Permission.KNOWLEDGE_EDIT, Permission.KNOWLEDGE_REVIEW, Permission.KNOWLEDGE_PUBLISH)
EDIT, EVERYTHING = Permission.KNOWLEDGE_EDIT, Permission.KNOWLEDGE_EDIT_ALL


class TaskQuery(Fields):
    closed: Literal["1"] | None = None
    done: str = Field("", max_length=20)


class RejectForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    reason: str = Field("", max_length=2000)


class WordsForm(Fields):
    words: str = Field("", max_length=1000)


class DoneQuery(Fields):
    done: str = Field("", max_length=20)


@route("GET", HOME, permission=WORK)
async def task_page(request: web.Request) -> web.StreamResponse:
    """One's own tasks, the most pressing first, or the last that were closed."""
    query, ctx, person = read_query(request, TaskQuery), context(request), actor(request)
    closed = query.closed is not None
    async with ctx.db.read() as session:
        rows = await worklists.task_list(session, person, closed=closed)
    now, limits = ctx.clock.now(), ctx.tickets.limits
    values: dict[str, Any] = {
        "rows": [(row, row.due_at <= now, limits.days_left(now, row.due_at)) for row in rows],
        "closed": closed,
        "words": WORDS,
        "may_write": person.may(EDIT),
        "may_reject": person.may(EDIT) or person.may(Permission.KNOWLEDGE_REVIEW),
        "sees_gaps": person.may(EDIT),
        "done": DONE.get(query.done, ""),
    }
    return await page(request, "knowledge/tasks.html", **values)


@route("POST", HOME + r"/{task_id:\d+}/reject", permission=(EDIT, Permission.KNOWLEDGE_REVIEW))
async def reject(request: web.Request) -> web.StreamResponse:
    """Nothing is changed, and why."""
    form, person, ident = await read_form(request, RejectForm), actor(request), path_id(request, "task_id")
    await context(request).db.retrying(
        lambda uow: tasks.reject(uow, person, ident, form.version, form.reason)
    )
    return back(request, HOME, "rejected")


@route("GET", GAPS, permission=EDIT)
async def gap_page(request: web.Request) -> web.StreamResponse:
    """What people looked for in vain, most asked first."""
    query, person = read_query(request, DoneQuery), actor(request)
    async with context(request).db.read() as session:
        rows = await gaps.listed(session, person)
    values: dict[str, Any] = {
        "rows": rows,
        "may_close": person.may(EVERYTHING),
        "done": DONE.get(query.done, ""),
        "days": context(request).settings.knowledge.gap_days,
    }
    return await page(request, "knowledge/gaps.html", **values)


@route("POST", GAPS + r"/{gap_id:\d+}/close", permission=EVERYTHING)
async def close_gap(request: web.Request) -> web.StreamResponse:
    """It is dealt with, or none of the hotline's."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await gaps.close(uow, actor(request), path_id(request, "gap_id"))
    return back(request, GAPS, "dealt")


@route("GET", SYNONYMS, permission=EDIT)
async def synonym_page(request: web.Request) -> web.StreamResponse:
    """Words that mean the same when something is looked for."""
    query = read_query(request, DoneQuery)
    async with context(request).db.read() as session:
        rows = await synonyms.listed(session)
    may = actor(request).may(EVERYTHING)
    done = DONE.get(query.done, "")
    return await page(request, "knowledge/synonyms.html", rows=rows, may_edit=may, done=done)


@route("POST", SYNONYMS, permission=EVERYTHING)
async def add_synonyms(request: web.Request) -> web.StreamResponse:
    """Keep a group of words."""
    form = await read_form(request, WordsForm)
    words = [word for word in re.split(r"[\s,，、;；/=]+", form.words) if word]
    async with context(request).db.begin() as uow:
        await synonyms.add(uow, actor(request), words)
    return back(request, SYNONYMS, "added")


@route("POST", SYNONYMS + r"/{group_id:\d+}/remove", permission=EVERYTHING)
async def remove_synonyms(request: web.Request) -> web.StreamResponse:
    """Take a group off the list."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await synonyms.remove(uow, actor(request), path_id(request, "group_id"))
    return back(request, SYNONYMS, "removed")
