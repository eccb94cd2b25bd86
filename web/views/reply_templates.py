"""Reply templates of one's own unit, and of everybody for who keeps the catalogue."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries, reply_templates
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, read_form, read_query
from web.render import page, redirect
from web.routes import route

WRITE = (Permission.TICKET_HANDLE, Permission.CATALOG_MANAGE)
HERE = "/unit/templates"
SHOWN = frozenset({"template_incomplete", "template_too_long", "category_unknown", "version_conflict"})


class ListQuery(Fields):
    edit: int | None = Field(None, gt=0, lt=2**63)
    new: bool = False


class TemplateForm(Fields):
    template_id: int | None = Field(None, gt=0, lt=2**63)
    version: int = Field(0, ge=0, lt=2**31)
    title: str = Field("", max_length=400)
    body: str = Field("", max_length=20_000)
    category_id: str = Field("", pattern=r"^\d{0,18}$")
    active: bool = False
    common: bool = False


@route("GET", HERE, permission=WRITE)
async def template_list(request: web.Request) -> web.StreamResponse:
    """The templates one may use, and a form for those one may change."""
    query = read_query(request, ListQuery)
    return await _page(request, edit=query.edit, fresh=query.new)


@route("POST", HERE, permission=WRITE, max_body=64 * 1024)
async def save(request: web.Request) -> web.StreamResponse:
    """Keep a template; a refusal keeps what was typed."""
    form, ctx, person = await read_form(request, TemplateForm), context(request), actor(request)
    values = form.model_dump(exclude={"category_id"})
    category_id = int(form.category_id) if form.category_id else None
    try:
        await ctx.db.retrying(
            lambda uow: reply_templates.save(uow, person, category_id=category_id, **values)
        )
    except HotlineError as error:
        if error.code not in SHOWN:
            raise
        _, problem = problem_of(error)
        return await _page(
            request,
            edit=form.template_id,
            fresh=form.template_id is None,
            status=problem.status,
            problem=problem,
            typed=form.model_dump(),
        )
    return redirect(request, HERE)


async def _page(
    request: web.Request, *, edit: int | None, fresh: bool, status: int = 200, **more: Any
) -> web.StreamResponse:
    person = actor(request)
    async with context(request).db.read() as session:
        items = await reply_templates.templates(session, person)
        tree = await queries.categories(session)
    chosen = next((item for item in items if item.id == edit and item.editable), None)
    if edit is not None and chosen is None:
        raise HotlineError("template_not_found", template_id=edit)
    values: dict[str, Any] = {
        "items": items,
        "chosen": chosen,
        "fresh": fresh and chosen is None,
        "categories": [(str(node.id), node.full_name) for node in tree],
        "of_unit": person.may(Permission.TICKET_HANDLE),
        "of_all": person.may(Permission.CATALOG_MANAGE),
        "problem": None,
        "typed": {},
    }
    return await page(request, "units/templates.html", status=status, **(values | more))
