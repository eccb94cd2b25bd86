"""The working calendar (日历): a year at a glance, days changed, imported, confirmed, and the versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from sla import calendar_service as days
from sla import preview as previews
from sla import recompute
from sla.calendar import Calendar, shown
from sla.city_days import write_days
from sla.national import FIRST, LAST, NOTICES
from sla.sources import year_to_come
from web.context import actor, context, optional_actor
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.sentences import limits as words
from web.views import _year
from web.views._admin import DONE, MEGABYTE, csv_file

HOME = "/admin/calendar"
READ, EDIT = Permission.POLICY_READ, Permission.POLICY_EDIT
Note = Field("", max_length=200)
KIND_WORDS = {"seed": "初始", "import": "导入", "edit": "修改", "confirm": "确认"}
FILE = "所选文件"


class CalendarQuery(Fields):
    year: int = Field(0, ge=0, le=9999)
    day: date | None = None
    done: str = Field("", max_length=20)


class DayForm(Fields):
    day: date
    kind: Literal["national", "rest", "work"]
    hours: str = Field("", max_length=120)
    reason: str = Field("", max_length=200)
    note: str = Note


class YearForm(Fields):
    year: int = Field(ge=1, le=9999)
    note: str = Note


class ImportForm(Fields):
    text: str = Field(max_length=900_000)
    year: int | Literal[""] = ""
    note: str = Note


async def calendar_of(request: web.Request, held: days.Held) -> Calendar:
    """The calendar of a version; it is laid out beside the loop."""
    return await asyncio.to_thread(held.calendar, context(request).settings.city)


def today(request: web.Request) -> date:
    """The city's date."""
    return to_city(context(request).clock.now()).date()


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The year whose days off are to be confirmed, above every page of who can do it."""
    person = optional_actor(request)
    if person is None or not person.may(EDIT) or request.path == HOME:
        return {"year_missing": None}
    async with context(request).db.read() as session:
        return {"year_missing": await days.year_missing(session, today(request))}


@route("GET", HOME, permission=READ)
async def calendar_page(request: web.Request) -> web.StreamResponse:
    """Twelve months; beside them the day that was chosen, or the days of the city."""
    return await _year_page(request, read_query(request, CalendarQuery))


async def _year_page(
    request: web.Request, query: CalendarQuery, error: HotlineError | None = None, form: Any = None
) -> web.Response:
    ctx = context(request)
    year = min(max(query.year or (query.day.year if query.day else today(request).year), FIRST), LAST)
    async with ctx.db.read() as session:
        held = await days.present(session)
        jobs = await recompute.latest(session)
    calendar = await calendar_of(request, held)
    day = query.day if query.day and query.day.year == year else None
    own = [(one, calendar.day(one), held.days[one]) for one in held.days if one.year == year]
    return await page(
        request,
        "admin/calendar.html",
        status=422 if error else 200,
        held=held,
        job=next(iter(jobs), None),
        year=year,
        first=FIRST,
        last=LAST,
        months=_year.year_of(calendar, year),
        weekdays=_year.WEEKDAYS,
        legend=_year.KINDS.values(),
        own=own,
        short=_year.short,
        day=day,
        chosen=_chosen(calendar, held, day, form) if day else None,
        known=days.is_known(held, year),
        by_product=year in NOTICES,
        missing=year_to_come(calendar, today(request)),
        today=today(request),
        told=words.told(error) if error else None,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
    )


def _chosen(calendar: Calendar, held: days.Held, day: date, form: DayForm | None) -> dict[str, str]:
    """What the form of a day shows: what was typed, else what is in force."""
    own = held.days.get(day)
    values = {"text": _year.in_words(calendar.day(day)), "kind": "national", "hours": "", "reason": ""}
    if own is not None:
        values["kind"] = "work" if own.what.kind.value == "city_work" else "rest"
        values["hours"], values["reason"] = shown(own.what.spans or ()), own.what.reason
    if form is not None:
        values.update(kind=form.kind, hours=form.hours, reason=form.reason)
    return values


# ---- changes: each is previewed before it is saved ----------------------------------------------


async def _put(request: web.Request, make: Callable[[days.Held], days.Change]) -> web.StreamResponse:
    """Keep a change as a preview and go there. Errors: those of the change, calendar_unchanged."""
    async with context(request).db.begin() as uow:
        held = await days.present(uow.session)
        change = make(held)
        if not change.differs(held):
            raise HotlineError("calendar_unchanged")
        ident = await previews.put(uow, actor(request), held.number, change.as_json())
    return redirect(request, f"{HOME}/previews/{ident}")


@route("POST", HOME + "/day", permission=EDIT)
async def change_day(request: web.Request) -> web.StreamResponse:
    """Another kind of day."""
    form = await read_form(request, DayForm)

    def make(_held: days.Held) -> days.Change:
        return days.edited(form.day, form.kind, form.hours, form.reason, note=form.note)

    try:
        return await _put(request, make)
    except HotlineError as error:
        if words.told(error) is None:
            raise
        return await _year_page(request, CalendarQuery(day=form.day), error, form)


@route("POST", HOME + "/confirm", permission=EDIT)
async def confirm(request: web.Request) -> web.StreamResponse:
    """The notice of a year is out and its days are in."""
    form = await read_form(request, YearForm)
    if not FIRST <= form.year <= LAST:
        raise HotlineError("calendar_year_outside")
    return await _put(request, lambda held: days.confirmed(held, form.year, note=form.note))


@route("GET", HOME + "/import", permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a file of days."""
    return await _import_page(request, "", "", "", None)


@route("POST", HOME + "/import", permission=EDIT, max_body=3 * MEGABYTE)
async def import_days(request: web.Request) -> web.StreamResponse:
    """All of it is checked; what is right is previewed, what is wrong is named with its line."""
    form = await read_form(request, ImportForm)
    year = form.year if isinstance(form.year, int) else None

    def make(held: days.Held) -> days.Change:
        return days.imported(held, FILE, form.text, year=year, note=form.note)

    try:
        return await _put(request, make)
    except HotlineError as error:
        if words.told(error) is None:
            raise
        return await _import_page(request, form.text, str(form.year), form.note, error)


async def _import_page(
    request: web.Request, text: str, year: str, note: str, error: HotlineError | None
) -> web.Response:
    return await page(
        request,
        "admin/calendar_import.html",
        status=422 if error else 200,
        text=text,
        year=year,
        note=note,
        told=words.told(error) if error else None,
    )


@route("GET", HOME + "/days.csv", permission=READ)
async def export(request: web.Request) -> web.StreamResponse:
    """The city's days of the version in force, as the import reads them."""
    async with context(request).db.read() as session:
        held = await days.present(session)
    return csv_file("calendar.csv", "\ufeff" + write_days(held.plain, ()))


# ---- versions -----------------------------------------------------------------------------------


@route("GET", HOME + "/versions", permission=READ)
async def versions_page(request: web.Request) -> web.StreamResponse:
    """Every version with its author."""
    async with context(request).db.read() as session:
        lines = await days.versions(session)
    return await page(request, "admin/calendar_versions.html", lines=lines, kinds=KIND_WORDS)


@route("GET", HOME + r"/versions/{version_id:\d+}", permission=READ)
async def version_page(request: web.Request) -> web.StreamResponse:
    """What a version changed, and all its days."""
    async with context(request).db.read() as session:
        held = await days.version(session, path_id(request, "version_id"))
        earlier = [line for line in await days.versions(session, 10_000) if line.number == held.number - 1]
        before = await days.version(session, earlier[0].id) if earlier else None
    calendar = await calendar_of(request, held)
    changes = day_changes(await calendar_of(request, before), calendar) if before else []
    own = [(one, calendar.day(one), held.days[one]) for one in held.days]
    return await page(
        request, "admin/calendar_version.html", held=held, before=before, changes=changes, own=own,
        kinds=KIND_WORDS, short=_year.short,
        known=sorted(held.known - (before.known if before else frozenset())),
    )  # fmt: skip


def day_changes(before: Calendar, after: Calendar) -> list[tuple[date, str, str]]:
    """Every day that is called otherwise in `after`: the date, before, after."""
    dates = sorted(before.exceptions.keys() | after.exceptions.keys())
    pairs = ((day, _year.short(before.day(day)), _year.short(after.day(day))) for day in dates)
    return [found for found in pairs if found[1] != found[2]]
