"""The gazetteer (地名库): names of places and the district, street or village they lie in."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.people.permissions import Permission
from routing import lists, places
from routing.gazetteer import KINDS, Place
from routing.known import directory
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, MEGABYTE, NoFields, back, csv_file
from web.views._list_import import ListImport

HOME = "/routing/places"
READ, EDIT = Permission.ROUTING_READ, Permission.ROUTING_EDIT


class ListQuery(Fields):
    q: str = Field("", max_length=60)
    after: int = Field(0, ge=0, lt=10_000_000)
    done: str = Field("", max_length=20)


class PlaceForm(Fields):
    name: str = Field(min_length=2, max_length=60)
    kind: str = Field(max_length=10)
    unit: str = Field(max_length=40)
    community: str = Field("", max_length=60)


@route("GET", HOME, permission=READ)
async def place_list(request: web.Request) -> web.StreamResponse:
    """The names that match, by where they lie."""
    query = read_query(request, ListQuery)
    async with context(request).db.read() as session:
        known = await directory(session)
        rows, total = await places.page(session, query.q, query.after)
    following = query.after + places.PAGE
    units = sorted(known.units.values(), key=lambda unit: unit.path)
    return await page(
        request,
        "routing/places.html",
        rows=rows,
        total=total,
        query=query,
        known=known,
        kinds=KINDS,
        units=[(unit.code, unit.name) for unit in units if unit.active and unit.kind in places.PLACED],
        next_page=f"{HOME}?{urlencode({'q': query.q, 'after': following})}" if following < total else None,
        first_page=f"{HOME}?{urlencode({'q': query.q})}" if query.after else None,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
    )


@route("POST", HOME, permission=EDIT)
async def add(request: web.Request) -> web.StreamResponse:
    """Add one name."""
    form = await read_form(request, PlaceForm)
    async with context(request).db.begin() as uow:
        await places.take(uow, actor(request), [Place(form.name, form.unit, form.kind, form.community)])
    return back(request, HOME, "added", q=form.name)


@route("POST", HOME + r"/{place_id:\d+}/remove", permission=EDIT)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take one name off."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await places.remove(uow, actor(request), path_id(request, "place_id"))
    return back(request, HOME, "removed")


@route("GET", HOME + "/list.csv", permission=READ)
async def export(request: web.Request) -> web.StreamResponse:
    """Every name as a list."""
    async with context(request).db.read() as session:
        rows = await places.every(session)
    return csv_file("places.csv", lists.places_as_list(rows))


@route("GET", HOME + "/import", permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _LIST.show(request)


@route("POST", HOME + "/import", permission=EDIT, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what every line would do, then the change itself."""
    return await _LIST.posted(request)


async def _plan(_request: web.Request, uow: UnitOfWork, text: str) -> list[lists.PlaceStep]:
    known = {(row.name, row.unit): row for row in await places.every(uow.session)}
    return lists.place_steps(text, await directory(uow.session), known)


async def _take(request: web.Request, uow: UnitOfWork, steps: list[lists.PlaceStep]) -> None:
    await places.take(uow, actor(request), [step.place for step in steps])


_LIST = ListImport(
    "routing/places_import.html", HOME, list(lists.PLACE_COLUMNS.values()), _plan, _take, {"kinds": KINDS}
)
