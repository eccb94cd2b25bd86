"""Two citizen records become one and come apart again, each with a look at what it does."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from tickets.citizens import queries, records, service
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, Ident, path_id, read_form
from web.render import page, redirect
from web.routes import route
from web.views.citizens import EDIT, ONE, SHOWN, SMALL, Id, Reason, SearchForm, Version, search_for, write


class MergeForm(Fields):
    version: int = Version
    other_id: int = Id
    other_version: int = Version
    reason: str = Reason


class UnmergeForm(Fields):
    version: int = Version
    other_id: int = Id
    reason: str = Reason


class SplitForm(Fields):
    version: int = Version
    phones: list[Ident] = Field(default_factory=list, max_length=50)
    names: list[Ident] = Field(default_factory=list, max_length=100)
    reason: str = Reason


@route("POST", ONE + "/merge/find", permission=EDIT, max_body=4096)
async def find_other(request: web.Request) -> web.StreamResponse:
    """The record to be merged, found like any other; a single hit is compared at once."""
    ident, typed = path_id(request, "citizen_id"), (await read_form(request, SearchForm)).q
    async with context(request).db.read() as session:
        await records.head(session, ident)
    found = await search_for(request, typed)
    others = [hit for hit in found.hits if hit.citizen_id != ident]
    if len(others) == 1 and not found.more:
        return redirect(request, f"/citizens/{ident}/merge/{others[0].citizen_id}")
    return await page(request, "citizens/search.html", typed=typed, found=found, lead=ident, others=others)


@route("GET", ONE + "/merge/{other_id:[0-9]+}", permission=EDIT)
async def compare(request: web.Request) -> web.StreamResponse:
    """Both records side by side, and what the merge would do."""
    return await _compare(request, path_id(request, "citizen_id"), path_id(request, "other_id"))


async def _compare(
    request: web.Request, ident: int, other_id: int, *, status: int = 200, **more: Any
) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        sides = [await _side(request, session, each) for each in (ident, other_id)]
    if ident == other_id:
        raise HotlineError("merge_with_itself")
    values = {"sides": sides, "problem": None, "reason": "", "person": person, **more}
    return await page(request, "citizens/merge.html", status=status, **values)


async def _side(request: web.Request, session: AsyncSession, ident: int) -> dict[str, Any]:
    ctx, person = context(request), actor(request)
    found = await queries.citizen_page(session, person, ctx.vault, ident)
    newest = await queries.tickets_of(session, person, found.refs, limit=5)
    return {"citizen": found, "tickets": newest.items}


@route("POST", ONE + "/merge", permission=EDIT, max_body=SMALL)
async def merge(request: web.Request) -> web.StreamResponse:
    """Let the other record belong to this one."""
    ident, form = path_id(request, "citizen_id"), await read_form(request, MergeForm)
    ctx, person = context(request), actor(request)
    try:
        await ctx.db.retrying(
            lambda uow: service.merge(
                uow, person, ident, form.version, form.other_id, form.other_version, form.reason
            )
        )
    except HotlineError as error:
        if error.code not in SHOWN or error.code == "merge_with_itself":
            raise
        _, problem = problem_of(error)
        return await _compare(
            request, ident, form.other_id, status=problem.status, problem=problem, reason=form.reason
        )
    return redirect(request, f"/citizens/{ident}")


@route("POST", ONE + "/unmerge", permission=EDIT, max_body=SMALL)
async def unmerge(request: web.Request) -> web.StreamResponse:
    """Undo a merge."""
    form, person = await read_form(request, UnmergeForm), actor(request)
    return await write(
        request,
        form,
        "merged",
        lambda uow, ident: service.unmerge(uow, person, ident, form.version, form.other_id, form.reason),
    )


@route("GET", ONE + "/split", permission=EDIT)
async def split_page(request: web.Request) -> web.StreamResponse:
    """Which numbers and names go, with what hangs on each."""
    return await _split_page(request, path_id(request, "citizen_id"))


async def _split_page(
    request: web.Request, ident: int, *, status: int = 200, **more: Any
) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        found = await queries.citizen_page(session, person, ctx.vault, ident)
        counts = await queries.ticket_counts(session, person, found.refs)
    values = {"citizen": found, "counts": counts, "problem": None, "typed": {}, **more}
    return await page(request, "citizens/split.html", status=status, **values)


@route("POST", ONE + "/split", permission=EDIT, max_body=SMALL)
async def split(request: web.Request) -> web.StreamResponse:
    """Move the chosen numbers and names into a new record, which is shown."""
    ident, form = path_id(request, "citizen_id"), await read_form(request, SplitForm)
    ctx, person = context(request), actor(request)
    try:
        new = await ctx.db.retrying(
            lambda uow: service.split(uow, person, ident, form.version, form.phones, form.names, form.reason)
        )
    except HotlineError as error:
        if not (error.code in SHOWN or "split" in error.code):
            raise
        _, problem = problem_of(error)
        return await _split_page(
            request, ident, status=problem.status, problem=problem, typed=form.model_dump()
        )
    return redirect(request, f"/citizens/{new}")
