"""The department workbench (工作台): what is to be done, the most urgent first, many at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.supervision.queries import open_orders
from tickets import saved_views
from tickets.limits import Limits
from tickets.queries.todo import TodoFilters, TodoItem, Urgency, parse_todo_filters, todo_counts, todo_list
from tickets.saved_views import SURFACES, View
from tickets.states import TODO_STATES
from tickets.terms import TicketType, choices
from tickets.terms import Urgency as Degree
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form
from web.reads.left import opinion_span, stage_span, total_span
from web.render import fragment, page, redirect
from web.routes import route
from web.words import TICKET_WORDS

WORK = Permission.TICKET_HANDLE
SURFACE = "workbench"
URGENCIES = (
    (Urgency.OVERDUE, "超期"),
    (Urgency.TODAY, "今日到期"),
    (Urgency.WARNED, "两日内到期"),
    (Urgency.NEW, "新到"),
)
OWN_KEYS = frozenset({"cursor", "view", "columns"})


class ViewForm(Fields):
    """What is kept: a name, the filters of the page, the columns ticked."""

    name: str = Field("", max_length=60)
    query: str = Field("", max_length=1000)
    columns: list[str] = Field(default_factory=list)
    shared: bool = False
    view_id: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/workbench", permission=WORK)
async def workbench(request: web.Request) -> web.StreamResponse:
    """The list with its counters; `view` opens a saved one, `columns` shows others for now."""
    asked = _asked(request)
    ctx, person = context(request), actor(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        view = await _view(request, session)
        given = dict(view.query) if view and not asked else asked
        filters = parse_todo_filters(given)
        values = await _list(request, session, filters, given, _columns(request, view), view)
        if wants_fragment(request):
            return fragment(request, "workbench/_rows.html", **values)
        counts = await todo_counts(session, person, now=now)
        views = await saved_views.views(session, person, SURFACE)
        values["orders"] = await open_orders(session, person)
    values |= {"counts": counts, "views": views, "view": view, "all_columns": SURFACES[SURFACE].columns}
    return await page(request, "workbench/page.html", choices=_choices(), urgencies=URGENCIES, **values)


def _asked(request: web.Request) -> dict[str, str]:
    """The filters of the address; a repeated one is refused."""
    single = [key for key in request.query if key != "columns"]
    if len(single) != len(set(single)):
        raise HotlineError("bad_request")
    return {key: value for key, value in request.query.items() if key not in OWN_KEYS and value}


async def _view(request: web.Request, session: AsyncSession) -> View | None:
    text = request.query.get("view", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HotlineError("view_not_found", view_id=0)
    return await saved_views.opened(session, actor(request), int(text))


def _columns(request: web.Request, view: View | None) -> tuple[str, ...]:
    known = SURFACES[SURFACE].columns
    ticked = [name for name in request.query.getall("columns", []) if name in known]
    if ticked:
        return tuple(name for name in known if name in ticked)
    return view.columns if view else SURFACES[SURFACE].usual


async def _list(
    request: web.Request,
    session: AsyncSession,
    filters: TodoFilters,
    given: Mapping[str, str],
    columns: tuple[str, ...],
    view: View | None,
) -> dict[str, Any]:
    now = context(request).clock.now()
    cursor = request.query.get("cursor") or None
    found = await todo_list(session, actor(request), filters, cursor, now=now)
    kept: list[tuple[str, str]] = [*given.items()]
    kept += [("columns", name) for name in request.query.getall("columns", [])]
    if view is not None:
        kept.append(("view", str(view.id)))
    here = f"/workbench?{urlencode(kept)}" if kept else "/workbench"
    following = f"/workbench?{urlencode([*kept, ('cursor', found.next_cursor)])}" if found.next_cursor else ""
    return {
        "items": [(item, _left(item, now, context(request).tickets.limits)) for item in found.items],
        "filters": dict(given),
        "columns": columns,
        "titles": SURFACES[SURFACE].columns,
        "here": here,
        "following": following,
        "first_page": cursor is None,
        "words": TICKET_WORDS,
    }


def _left(item: TodoItem, now: datetime, limits: Limits) -> tuple[str, str] | None:
    """The time left in the role in which it lies here."""
    if item.role == "co":
        return opinion_span(item.ticket, item.due_at, now, limits) if item.due_at else None
    if item.due_at != item.ticket.due_at:  # what is not signed yet is listed by that
        return stage_span(item.ticket, now, limits)
    return total_span(item.ticket, now, limits)


def _choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "state": [(state.value, TICKET_WORDS["state"](state.value)) for state in TODO_STATES],
        "type": choices(TicketType),
        "degree": choices(Degree),
    }


@route("POST", "/workbench/views", permission=WORK)
async def keep(request: web.Request) -> web.StreamResponse:
    """Keep the page as it stands under a name, for oneself or for the unit."""
    form = await read_form(request, ViewForm)
    query = _parsed(form.query)
    async with context(request).db.begin() as uow:
        ident = await saved_views.save(
            uow,
            actor(request),
            SURFACE,
            form.name,
            query,
            form.columns,
            shared=form.shared,
            view_id=form.view_id,
        )
    return redirect(request, f"/workbench?view={ident}")


def _parsed(text: str) -> dict[str, str]:
    """The filters a form carries in one field, `name=value&…`."""
    return dict(parse_qsl(text))


@route("POST", "/workbench/views/{view_id:[0-9]+}/remove", permission=WORK)
async def remove(request: web.Request) -> web.StreamResponse:
    """Forget one of one's own views."""
    await read_form(request, Fields)
    async with context(request).db.begin() as uow:
        await saved_views.remove(uow, actor(request), path_id(request, "view_id"))
    return redirect(request, "/workbench")
