"""The rota (排班表): a week filled with the keyboard, kinds of shift, versions, swaps to decide."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import Field, create_model
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import queues as catalog
from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.shifts import grid, queries, service, swaps
from telephony.shifts.hours import clashes, monday_of, shown, shown_breaks, today
from web import sheets
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, back

HOME = "/rota"
READ, EDIT = Permission.ROTA_READ, Permission.ROTA_EDIT
SAID = DONE | {
    "copied": "已复制上周排班，只填补了本周没有班次的人员。",
    "restored": "已恢复，并记为新的一版。",
    "approved": "已批准换班，排班表已更新。",
    "refused": "已答复不批准。",
}
MOST_FIELDS = 6000  # seven days of as many people as a large hotline has
NO_MORE_THAN = 512 * 1024
Seen = Literal["csv", "xlsx"]


class WeekQuery(Fields):
    week: date | None = None
    done: str = Field("", max_length=20)


class VersionForm(Fields):
    week: date
    version: int = Field(ge=0, lt=2**31)


class RestoreForm(VersionForm):
    wanted: int = Field(ge=1, lt=2**31)


class ExportQuery(Fields):
    week: date
    form: Seen = "xlsx"


class KindForm(Fields):
    code: str = Field(max_length=10)
    name: str = Field(max_length=40)
    hours: str = Field(max_length=40)
    breaks: str = Field("", max_length=120)
    active: bool = False


class DecideForm(Fields):
    approve: bool
    note: str = Field("", max_length=300)


# ---- the week -------------------------------------------------------------------------------


@route("GET", HOME, permission=READ)
async def week_page(request: web.Request) -> web.StreamResponse:
    """A week: people down, days across."""
    query = read_query(request, WeekQuery)
    async with context(request).db.read() as session:
        values = await _values(request, session, _monday(request, query.week))
    return await page(request, "rota/week.html", done=SAID.get(query.done, ""), problem=None, **values)


def _monday(request: web.Request, day: date | None) -> date:
    return monday_of(day or today(context(request).clock.now()))


async def _values(
    request: web.Request,
    session: AsyncSession,
    monday: date,
    typed: dict[str, Any] | None = None,
    bad: frozenset[tuple[int, str]] = frozenset(),
) -> dict[str, Any]:
    sunday = monday + timedelta(days=6)
    kinds = await queries.kinds(session)
    people = await queries.people(session, monday, sunday)
    rows = await queries.rows(session, monday, sunday)
    queues = [(one.name, one.label) for one in await catalog.queues(session) if one.active]
    open_swaps = await queries.swaps(session, actor(request), open_only=True)
    days = grid.week(monday)
    rest = context(request).settings.shifts.rest_hours * 60
    near = clashes(((who, day, one.hours) for (who, day), one in rows.items()), rest)
    return {
        "monday": monday,
        "days": list(zip(grid.DAYS, days, strict=True)),
        "today": today(context(request).clock.now()),
        "kinds": [(kind, kind_words(kind)) for kind in kinds.every],
        "lines": [_line(person, days, rows, typed, bad) for person in people],
        "counts": [_counts(kinds, rows, day) for day in days],
        "queues": queues,
        "version": (typed or {}).get("version") or await queries.version_of(session, monday),
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "short_rests": {(who, second) for who, _, second in near},
        "rest_hours": rest // 60,
        "waiting_swaps": len([one for one in open_swaps if one.state == "agreed"]),
        "may_edit": actor(request).may(EDIT),
    }


def kind_words(kind: grid.Kind) -> str:
    """A kind's hours and breaks as people read them."""
    breaks = shown_breaks(kind.hours.breaks)
    return shown(kind.hours.starts, kind.hours.ends) + (f"，休息 {breaks}" if breaks else "")


def _line(
    person: grid.Person,
    days: tuple[date, ...],
    rows: grid.Rows,
    typed: dict[str, Any] | None,
    bad: frozenset[tuple[int, str]],
) -> dict[str, Any]:
    ident, login, name = person
    mine = [rows.get((ident, day)) for day in days]
    codes = [one.code if one else "" for one in mine]
    chosen = next((one.queues for one in mine if one), ())
    if typed is not None:
        codes = [str(typed.get(f"c{ident}_{n}", codes[n])) for n in range(7)]
        chosen = tuple(typed.get(f"q{ident}", chosen))
    hours = sum(one.hours.due for one in mine if one)
    wrong = [(ident, day.isoformat()) in bad for day in days]
    return {
        "id": ident,
        "login": login,
        "name": name,
        "cells": list(zip(range(7), days, codes, wrong, strict=True)),
        "queues": chosen,
        "hours": hours / 60,
    }


def _counts(kinds: grid.Kinds, rows: grid.Rows, day: date) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for (_, on), one in rows.items():
        if on == day:
            found[one.code] = found.get(one.code, 0) + 1
    order = [kind.code for kind in kinds.every]
    return sorted(found.items(), key=lambda item: order.index(item[0]))


@route("POST", HOME, permission=EDIT, max_body=NO_MORE_THAN)
async def save(request: web.Request) -> web.StreamResponse:
    """Save the week; what is wrong is marked where it was typed, and everything typed stays."""
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        everybody = [ident for ident, _, _ in await queries.people(session, date.min, date.max)]
    fields: dict[str, Any] = {f"c{who}_{n}": (str | None, None) for who in everybody for n in range(7)}
    fields |= {f"q{who}": (list[str], Field(default_factory=list)) for who in everybody}
    model: type[VersionForm] = create_model("RotaForm", __base__=VersionForm, **fields)
    form = await read_form(request, model, most=MOST_FIELDS)
    monday, given = monday_of(form.week), form.model_dump(exclude_none=True)
    days = grid.week(monday)
    named = [who for who in everybody if f"c{who}_0" in given]
    cells = {(who, days[n]): given.get(f"c{who}_{n}", "") for who in named for n in range(7)}
    queues = {who: tuple(given[f"q{who}"]) for who in named}
    try:
        async with ctx.db.begin() as uow:
            await service.save_week(uow, person, monday, form.version, cells, queues)
    except HotlineError as error:
        if error.code not in ("rota_cells", "rota_clash", "rota_queue", "rota_person", "version_conflict"):
            raise
        return await _again(request, monday, given, error)
    return back(request, HOME, "saved", week=monday)


async def _again(
    request: web.Request, monday: date, given: dict[str, Any], error: HotlineError
) -> web.StreamResponse:
    _, problem = problem_of(error)
    bad = {(who, day) for who, day in error.params.get("cells", ())}
    bad |= {(who, day) for who, *days in error.params.get("clashes", ()) for day in days}
    async with context(request).db.read() as session:
        typed = dict(given)
        if error.code == "version_conflict":  # saving again is meant, over what is there now
            typed["version"] = await queries.version_of(session, monday)
        values = await _values(request, session, monday, typed, frozenset(bad))
    return await page(request, "rota/week.html", status=problem.status, done="", problem=problem, **values)


@route("POST", HOME + "/copy", permission=EDIT)
async def copy(request: web.Request) -> web.StreamResponse:
    """Give everybody without a shift this week what they had last week."""
    form = await read_form(request, VersionForm)
    async with context(request).db.begin() as uow:
        await service.copy_week(uow, actor(request), monday_of(form.week), form.version)
    return back(request, HOME, "copied", week=monday_of(form.week))


@route("GET", HOME + "/export", permission=READ)
async def export(request: web.Request) -> web.StreamResponse:
    """The week as a file that can be read back."""
    query = read_query(request, ExportQuery)
    monday = monday_of(query.week)
    async with context(request).db.read() as session:
        people = await queries.people(session, monday, monday + timedelta(days=6))
        rows = await queries.rows(session, monday, monday + timedelta(days=6))
        words = dict(await catalog.labels(session))
    heads, lines = grid.as_list(people, monday, rows, words)
    return await sheets.table_file(f"排班表{monday}", query.form, heads, lines)


# ---- versions -------------------------------------------------------------------------------


@route("GET", HOME + "/history", permission=READ)
async def history(request: web.Request) -> web.StreamResponse:
    """Who changed the week when, and what."""
    query = read_query(request, WeekQuery)
    monday = _monday(request, query.week)
    async with context(request).db.read() as session:
        versions = await queries.versions(session, actor(request), monday)
    return await page(
        request,
        "rota/history.html",
        monday=monday,
        versions=versions,
        causes=service.CAUSES,
        may_edit=actor(request).may(EDIT),
    )


@route("POST", HOME + "/restore", permission=EDIT)
async def restore(request: web.Request) -> web.StreamResponse:
    """Make the week as one of its versions was."""
    form = await read_form(request, RestoreForm)
    async with context(request).db.begin() as uow:
        await service.restore(uow, actor(request), monday_of(form.week), form.version, form.wanted)
    return back(request, HOME, "restored", week=monday_of(form.week))


# ---- kinds ----------------------------------------------------------------------------------


@route("GET", HOME + "/kinds", permission=READ)
async def kinds_page(request: web.Request) -> web.StreamResponse:
    """The kinds of shift with their hours."""
    query = read_query(request, WeekQuery)
    return await _kinds(request, None, None, SAID.get(query.done, ""))


async def _kinds(
    request: web.Request, typed: KindForm | None, problem: Any, done: str = ""
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        kinds = await queries.kinds(session)
    lines = [
        (kind, shown(kind.hours.starts, kind.hours.ends), shown_breaks(kind.hours.breaks))
        for kind in kinds.every
    ]
    return await page(
        request,
        "rota/kinds.html",
        status=problem.status if problem else 200,
        lines=lines,
        typed=typed,
        problem=problem,
        may_edit=actor(request).may(EDIT),
        done=done,
    )


@route("POST", HOME + "/kinds", permission=EDIT)
async def save_kind(request: web.Request) -> web.StreamResponse:
    """Add a kind, or change one; shifts that are rostered keep their hours."""
    form = await read_form(request, KindForm)
    try:
        async with context(request).db.begin() as uow:
            await service.save_kind(uow, actor(request), **form.model_dump())
    except HotlineError as error:
        code, problem = problem_of(error)
        if not code.startswith("shift_"):
            raise
        return await _kinds(request, form, problem)
    return back(request, HOME + "/kinds", "saved")


# ---- swaps ----------------------------------------------------------------------------------


@route("GET", HOME + "/swaps", permission=READ)
async def swap_list(request: web.Request) -> web.StreamResponse:
    """What agents ask to swap; those both agree to wait for a leader."""
    query = read_query(request, WeekQuery)
    async with context(request).db.read() as session:
        found = await queries.swaps(session, actor(request))
    return await page(
        request,
        "rota/swaps.html",
        waiting=[one for one in found if one.state == "agreed"],
        others=[one for one in found if one.state != "agreed"],
        may_edit=actor(request).may(EDIT),
        done=SAID.get(query.done, ""),
    )


@route("POST", HOME + r"/swaps/{swap_id:\d+}", permission=EDIT)
async def decide(request: web.Request) -> web.StreamResponse:
    """Approve a swap, or refuse it with a reason."""
    form = await read_form(request, DecideForm)
    async with context(request).db.begin() as uow:
        await swaps.decide(
            uow, actor(request), path_id(request, "swap_id"), approve=form.approve, note=form.note
        )
    return back(request, HOME + "/swaps", "approved" if form.approve else "refused")
