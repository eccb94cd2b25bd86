"""Text snippets (常用语): the page that keeps them, and the list the seat puts them in from."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import snippets
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page
from web.routes import route
from web.views._admin import DONE, NoFields, back

WRITE = Permission.DRAFT_WRITE
HERE = "/snippets"
SHOWN = frozenset(
    {"snippet_code", "snippet_incomplete", "snippet_too_long", "snippet_code_taken", "too_many_snippets"}
    | {"version_conflict"}
)


class ListQuery(Fields):
    edit: int | None = Field(None, gt=0, lt=2**63)
    new: bool = False
    done: str = Field("", max_length=20)


class SnippetForm(Fields):
    snippet_id: int | None = Field(None, gt=0, lt=2**63)
    version: int = Field(0, ge=0, lt=2**31)
    code: str = Field("", max_length=400)
    title: str = Field("", max_length=400)
    body: str = Field("", max_length=20_000)
    shared: bool = False


@route("GET", HERE, permission=WRITE)
async def snippet_list(request: web.Request) -> web.StreamResponse:
    """One's own snippets and the shared ones, and a form for those one may change."""
    query = read_query(request, ListQuery)
    return await _page(request, edit=query.edit, fresh=query.new, done=DONE.get(query.done, ""))


@route("GET", "/agent/snippets", permission=WRITE)
async def picker(request: web.Request) -> web.StreamResponse:
    """The snippets this person may put in, for the list of the seat."""
    async with context(request).db.read() as session:
        items = await snippets.usable(session, actor(request))
    return fragment(request, "agent/_snippets.html", items=items)


@route("POST", HERE, permission=WRITE)
async def save(request: web.Request) -> web.StreamResponse:
    """Keep a snippet; a refusal keeps what was typed."""
    form, ctx, person = await read_form(request, SnippetForm), context(request), actor(request)
    try:
        await ctx.db.retrying(lambda uow: snippets.save(uow, person, **form.model_dump()))
    except HotlineError as error:
        if error.code not in SHOWN:
            raise
        _, problem = problem_of(error)
        new, typed = form.snippet_id is None, form.model_dump()
        return await _page(
            request, edit=form.snippet_id, fresh=new, status=problem.status, problem=problem, typed=typed
        )
    return back(request, HERE, "saved")


@route("POST", "/snippets/{snippet_id:[0-9]+}/remove", permission=WRITE)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take a snippet away."""
    await read_form(request, NoFields)
    ident, person = path_id(request, "snippet_id"), actor(request)
    await context(request).db.retrying(lambda uow: snippets.remove(uow, person, ident))
    return back(request, HERE, "removed")


async def _page(
    request: web.Request, *, edit: int | None, fresh: bool, status: int = 200, **more: Any
) -> web.StreamResponse:
    person = actor(request)
    async with context(request).db.read() as session:
        items = await snippets.snippets(session, person)
    chosen = next((item for item in items if item.id == edit and item.editable), None)
    if edit is not None and chosen is None:
        raise HotlineError("snippet_not_found", snippet_id=edit)
    values: dict[str, Any] = {
        "items": items,
        "chosen": chosen,
        "fresh": fresh and chosen is None,
        "leads": snippets.leads(person),
        "most": snippets.MAX_BODY,
        "problem": None,
        "typed": {},
        "done": "",
    }
    return await page(request, "agent/snippets.html", status=status, **(values | more))
