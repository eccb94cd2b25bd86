"""What a change of the calendar would do, before it is saved; and how far the recomputation is after it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.people.permissions import Permission
from sla import calendar_service as days
from sla import preview as previews
from sla.sources import days_calendar
from web.context import actor, context
from web.inputs import path_id, read_form
from web.render import page
from web.routes import route
from web.views import _year
from web.views._admin import NoFields, back
from web.views.admin_calendar import HOME, calendar_of, day_changes

ONE = HOME + r"/previews/{preview_id:\d+}"
EDIT = Permission.POLICY_EDIT


async def _values(request: web.Request) -> dict[str, Any]:
    ctx = context(request)
    async with ctx.db.read() as session:
        seen = await previews.get(session, actor(request), path_id(request, "preview_id"))
        held = await days.present(session)
    change = days.Change.of(seen.payload)
    before = await calendar_of(request, held)
    known = held.known | change.known
    after = days_calendar(ctx.settings.city, change.applied(held), known)
    changed = before.changed(after)
    years = sorted({day.year for day in changed})
    return {
        "seen": seen,
        "change": change,
        "stale": held.number != seen.base and seen.state != "saved",
        "changes": day_changes(before, after),
        "working": changed,
        "years": [(year, _year.year_of(after, year, changed)) for year in years[:2]],
        "weekdays": _year.WEEKDAYS,
    }


@route("GET", ONE, permission=EDIT)
async def preview_page(request: web.Request) -> web.StreamResponse:
    """The days that change, and the clocks that would move."""
    return await page(request, "admin/calendar_preview.html", **await _values(request))


@route("POST", ONE + "/save", permission=EDIT)
async def save(request: web.Request) -> web.StreamResponse:
    """Make the version; open clocks are counted anew by the leader."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        seen = await previews.save(uow, actor(request), path_id(request, "preview_id"))
        change = days.Change.of(seen.payload)
        await days.save(uow, actor(request), context(request).settings.city, seen.base, change)
    year = min((day.year for day in change.days), default=min(change.known, default=0))
    return back(request, HOME, "saved", year=year)
