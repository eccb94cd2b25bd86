"""The responsibility catalogue (责任清单): searched, put right row by row or as a list, with its versions."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Permission
from routing import catalogue_service, lists, queries
from routing.catalogue import faults
from routing.catalogue_service import Said
from routing.known import directory, entry_of
from routing.matter import LOCAL, Directory
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import page
from web.routes import route
from web.views._admin import DONE, MEGABYTE, back, csv_file
from web.views._list_import import ListImport
from web.views.admin_calendar import today

HOME = "/routing/catalogue"
ONE = HOME + r"/{row_id:\d+}"
READ, EDIT = Permission.ROUTING_READ, Permission.ROUTING_EDIT
FIELD_WORDS = {**lists.WRONG}


class ListQuery(Fields):
    q: str = Field("", max_length=60)
    category: str = Field("", max_length=20)
    area: str = Field("", max_length=40)
    lead: str = Field("", max_length=40)
    past: bool = False
    after: int = Field(0, ge=0, lt=10_000_000)
    done: str = Field("", max_length=20)


class RowForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    category: str = Field(max_length=20)
    area: str = Field("", max_length=40)
    subject: str = Field("", max_length=200)
    lead: str = Field(max_length=40)
    co: list[str] = Field([], max_length=10)
    basis: str = Field("", max_length=900)
    clock: str = Field("", max_length=200)
    script: str = Field("", max_length=1500)
    valid_from: date
    valid_to: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    note: str = Field("", max_length=200)


class EndForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    note: str = Field("", max_length=200)


@route("GET", HOME, permission=READ)
async def catalogue(request: web.Request) -> web.StreamResponse:
    """The rows in force that match, by category and area; what is wrong with one stands beside it."""
    query, ctx = read_query(request, ListQuery), context(request)
    async with ctx.db.read() as session:
        known = await directory(session)
        wanted = _wanted(query, known, today(request))
        rows, total = await queries.rows(session, wanted, query.after)
        choices = await _choices(session, known)
    kept = query.model_dump(mode="json", exclude={"after", "done"}, exclude_defaults=True)
    following = query.after + queries.PAGE
    return await page(
        request,
        "routing/catalogue.html",
        rows=[(row, faults(entry_of(row), known)) for row in rows],
        total=total,
        query=query,
        known=known,
        today=today(request),
        next_page=f"{HOME}?{urlencode({**kept, 'after': following})}" if following < total else None,
        first_page=f"{HOME}?{urlencode(kept)}" if query.after else None,
        export=f"{HOME}/list.csv?{urlencode(kept)}",
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
        **choices,
    )


def _wanted(query: ListQuery, known: Directory, day: date) -> queries.Wanted:
    below: tuple[str, ...] = ()
    if query.category:
        below = tuple(chain[0] for chain in known.chains.values() if query.category in chain)
    return queries.Wanted(
        query.q, below or ((query.category,) if query.category else ()), query.area, query.lead,
        None if query.past else day,
    )  # fmt: skip


async def _choices(session: AsyncSession, known: Directory) -> dict[str, Any]:
    """What the pickers offer: categories, areas, units with the two local ones."""
    areas = [
        (unit.code, unit.name)
        for unit in sorted(known.units.values(), key=lambda unit: unit.path)
        if unit.active and unit.kind in ("district", "town")
    ]
    groups = [
        (group.label, [(known.by_id[one.id].code, one.label, one.keywords) for one in group.choices])
        for group in await unit_groups(session)
    ]
    return {
        "categories": sorted(known.categories.items()),
        "areas": areas,
        "groups": groups,
        "local": list(LOCAL.items()),
    }


@route("GET", HOME + "/list.csv", permission=READ)
async def export(request: web.Request) -> web.StreamResponse:
    """The rows that match, as a list."""
    query = read_query(request, ListQuery)
    async with context(request).db.read() as session:
        wanted = _wanted(query, await directory(session), today(request))
        rows = await queries.every(session, wanted)
    return csv_file("responsibilities.csv", lists.as_list(rows))


# ---- one row --------------------------------------------------------------------------------------


@route("GET", HOME + "/new", permission=EDIT)
async def new_page(request: web.Request) -> web.StreamResponse:
    """An empty row."""
    empty = dict.fromkeys(RowForm.model_fields, "") | {"co": [], "valid_from": today(request).isoformat()}
    return await _row_page(request, None, empty)


@route("POST", HOME, permission=EDIT)
async def add(request: web.Request) -> web.StreamResponse:
    """A new row; what is wrong comes back with everything that was typed."""
    form = await read_form(request, RowForm)
    try:
        async with context(request).db.begin() as uow:
            await catalogue_service.add(uow, actor(request), _said(form), form.note)
    except HotlineError as error:
        if error.code != "responsibility_invalid":
            raise
        return await _row_page(request, None, form.model_dump(mode="json"), error)
    return back(request, HOME, "added", category=form.category)


@route("GET", ONE, permission=READ)
async def row_page(request: web.Request) -> web.StreamResponse:
    """A row with what it said before."""
    async with context(request).db.read() as session:
        row = await queries.row(session, path_id(request, "row_id"))
    values = {name: getattr(row, name, "") for name in RowForm.model_fields if name != "note"}
    values |= {"note": "", "valid_to": row.valid_to or ""}
    return await _row_page(request, row.id, {key: _shown(value) for key, value in values.items()})


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@route("POST", ONE, permission=EDIT)
async def change(request: web.Request) -> web.StreamResponse:
    """Put a row right as it was seen."""
    ident, form = path_id(request, "row_id"), await read_form(request, RowForm)
    try:
        async with context(request).db.begin() as uow:
            said, person = _said(form), actor(request)
            version = await catalogue_service.change(uow, person, ident, form.version, said, form.note)
    except HotlineError as error:
        if error.code not in ("responsibility_invalid", "responsibility_changed"):
            raise
        return await _row_page(request, ident, form.model_dump(mode="json"), error)
    return back(request, f"{HOME}/{ident}", "saved" if version != form.version else "unchanged")


@route("POST", ONE + "/end", permission=EDIT)
async def end(request: web.Request) -> web.StreamResponse:
    """Let a row count no longer."""
    ident, form = path_id(request, "row_id"), await read_form(request, EndForm)
    async with context(request).db.begin() as uow:
        await catalogue_service.end(uow, actor(request), ident, form.version, form.note)
    return back(request, f"{HOME}/{ident}", "closed")


def _said(form: RowForm) -> Said:
    try:
        last = date.fromisoformat(form.valid_to) if form.valid_to else None
    except ValueError:
        raise HotlineError("responsibility_invalid", fields={"valid_to": "days"}) from None
    return Said(
        form.category,
        form.lead,
        form.valid_from,
        form.area,
        form.subject,
        tuple(dict.fromkeys(name for name in form.co if name)),
        form.basis,
        form.clock,
        form.script,
        last,
    )


async def _row_page(
    request: web.Request, ident: int | None, values: dict[str, Any], error: HotlineError | None = None
) -> web.StreamResponse:
    wrong = error.params.get("fields", {}) if error else {}
    twice = wrong.get("category") == "twice"
    async with context(request).db.read() as session:
        known = await directory(session)
        choices = await _choices(session, known)
        changes = await queries.changes(session, ident) if ident else []
    told = {name: FIELD_WORDS[name] for name in wrong}
    if twice:
        told["category"] = "同一分类、区域、对象和生效日期已有一条，请直接修改那一条"
    return await page(
        request,
        "routing/row.html",
        status=422 if wrong else 409 if error else 200,
        row_id=ident,
        values=values,
        wrong=told,
        overtaken=error.params.get("version") if error and error.code == "responsibility_changed" else None,
        changes=changes,
        columns=lists.COLUMNS,
        known=known,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(request.query.get("done", ""), ""),
        **choices,
    )


# ---- a list ---------------------------------------------------------------------------------------


@route("GET", HOME + "/import", permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _LIST.show(request)


@route("POST", HOME + "/import", permission=EDIT, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what every line would do, then the change itself: all of it or nothing."""
    return await _LIST.posted(request)


async def _plan(request: web.Request, uow: UnitOfWork, text: str) -> list[lists.Step]:
    known = await directory(uow.session)
    return lists.steps(text, known, await catalogue_service.by_key(uow.session), today(request))


async def _take(request: web.Request, uow: UnitOfWork, steps: list[lists.Step]) -> None:
    said = [step.said for step in steps if step.said is not None and step.effect != "same"]
    await catalogue_service.take_list(uow, actor(request), said, "导入")


_LIST = ListImport("routing/catalogue_import.html", HOME, list(lists.COLUMNS.values()), _plan, _take)
