"""A rota from a file as people save them: read, shown line by line, taken over when one is sure."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import files
from core.catalog import queues as catalog
from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.shifts import grid, queries, service
from telephony.shifts.hours import monday_of, today
from web.context import actor, context
from web.errors import problem_of
from web.inputs import MALFORMED, Fields, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import MEGABYTE, back

HOME = "/rota/import"
EDIT = Permission.ROTA_EDIT
LINES = 600  # in the preview


class ImportQuery(Fields):
    week: date | None = None


class TextFields(Fields):
    week: date
    text: str = Field("", max_length=900_000)


class TakeFields(TextFields):
    version: int = Field(ge=0, lt=2**31)


@route("GET", HOME, permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Choose a file or paste a table."""
    query = read_query(request, ImportQuery)
    return await _shown(request, monday_of(query.week or today(context(request).clock.now())), "", None)


@route("POST", HOME, permission=EDIT, max_body=3 * MEGABYTE)
async def preview(request: web.Request) -> web.StreamResponse:
    """What every line would do; nothing is changed yet."""
    week, text = await _sent(request)
    monday = monday_of(week)
    try:
        text = files.text_of(text) if isinstance(text, bytes) else text
        async with context(request).db.read() as session:
            steps = await _steps(session, monday, text)
            version = await queries.version_of(session, monday)
    except HotlineError as error:
        return await _shown(request, monday, text if isinstance(text, str) else "", None, error)
    return await _shown(request, monday, text, steps, version=version)


async def _sent(request: web.Request) -> tuple[date, str | bytes]:
    """The week and what was pasted or the file that was chosen; a file goes before what was pasted."""
    if not request.content_type.startswith("multipart/form-data"):
        form = await read_form(request, TextFields)
        return form.week, form.text
    try:
        posted = await request.post()
        raw: bytes | None = None
        file = posted.get("file")
        if isinstance(file, FileField) and file.filename:
            raw = file.file.read()
    except MALFORMED:
        raise HotlineError("upload_broken") from None
    unknown = set(posted) - {"week", "text", "file"}
    if unknown:
        raise HotlineError("unknown_field", fields=sorted(name[:40] for name in unknown))
    try:
        form = TextFields.model_validate({"week": posted.get("week"), "text": posted.get("text", "")})
    except ValueError:
        raise HotlineError("bad_request") from None
    return form.week, form.text if raw is None else raw


async def _steps(session: AsyncSession, monday: date, text: str) -> list[grid.Step]:
    people = await queries.people(session, monday, monday + timedelta(days=6))
    rows = await queries.rows(session, monday, monday + timedelta(days=6))
    known = [(one.name, one.label) for one in await catalog.queues(session) if one.active]
    names = {name: name for name, _ in known} | {label: name for name, label in known}
    return grid.steps(text, monday, people, await queries.kinds(session), names, rows)


@route("POST", HOME + "/take", permission=EDIT, max_body=3 * MEGABYTE)
async def take(request: web.Request) -> web.StreamResponse:
    """Take the lines over that are right; the week must stand as it did when they were shown."""
    form = await read_form(request, TakeFields)
    monday = monday_of(form.week)
    try:
        async with context(request).db.begin() as uow:
            steps = await _steps(uow.session, monday, form.text)
            await service.take_list(uow, actor(request), monday, form.version, steps)
    except HotlineError as error:
        if error.code not in ("rota_clash", "version_conflict", "rota_person", "rota_queue"):
            raise
        async with context(request).db.read() as session:
            steps = await _steps(session, monday, form.text)
            version = await queries.version_of(session, monday)
        return await _shown(request, monday, form.text, steps, error, version=version)
    return back(request, "/rota", "imported", week=monday)


async def _shown(
    request: web.Request,
    monday: date,
    text: str,
    steps: list[grid.Step] | None,
    error: HotlineError | None = None,
    version: int = 0,
) -> web.StreamResponse:
    _, problem = problem_of(error) if error else ("", None)
    clashing = {who for who, *_ in error.params.get("clashes", ())} if error else set()
    return await page(
        request,
        "rota/import.html",
        status=problem.status if problem else 200,
        monday=monday,
        days=grid.DAYS,
        text=text,
        steps=sorted(steps, key=lambda step: (step.effect != "wrong", step.number))[:LINES]
        if steps
        else steps,
        counts=_counts(steps or []),
        version=version,
        problem=problem,
        missing=error.params.get("missing", "") if error else "",
        clashing=clashing,
    )


def _counts(steps: list[grid.Step]) -> dict[str, Any]:
    found = Counter(step.effect for step in steps)
    return {effect: found[effect] for effect in ("new", "changed", "same", "wrong")}
