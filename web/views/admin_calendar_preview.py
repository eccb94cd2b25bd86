"""What a change of the calendar would do, before it is saved; and how far the recomputation is after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from core.errors import HotlineError
from core.people.permissions import Permission
from sla import calendar_service as days
from sla import preview as previews
from sla import preview_effect, recompute
from sla.sources import days_calendar
from tickets.states import STAGE_LABELS, Stage
from web.context import actor, context
from web.inputs import path_id, read_form
from web.render import fragment, page
from web.routes import route
from web.views import _year
from web.views._admin import NoFields, back
from web.views.admin_calendar import HOME, calendar_of, day_changes

ONE = HOME + r"/previews/{preview_id:\d+}"
EDIT = Permission.POLICY_EDIT
READS_TICKETS = (Permission.TICKET_READ_ALL, Permission.TICKET_READ_HOTLINE)


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
        **_effect(request, seen),
    }


@route("GET", ONE, permission=EDIT)
async def preview_page(request: web.Request) -> web.StreamResponse:
    """The days that change, and the clocks that would move."""
    return await page(request, "admin/calendar_preview.html", **await _values(request))


@route("POST", ONE + "/step", permission=EDIT)
async def step(request: web.Request) -> web.StreamResponse:
    """Count the next clocks; the page asks until all are counted."""
    await read_form(request, NoFields)
    ctx = context(request)
    ident = path_id(request, "preview_id")
    seen = await preview_effect.step(ctx.db, actor(request), ident, ctx.settings.city)
    return fragment(request, "admin/_calendar_effect.html", **_effect(request, seen))


def _effect(request: web.Request, seen: previews.Preview) -> dict[str, Any]:
    effect = preview_effect.Effect.of(seen.result)
    return {
        "seen": seen,
        "effect": effect,
        "kept_why": "到期时间不是按日历算出，保持原承诺。",
        "lists": [
            ("保存后即超期", effect.overdue, _shifts(effect.late)),
            ("到期时间变化", effect.moved, _shifts(effect.rows)),
        ],
        "first_due": _instant(effect.first_due),
        "last_due": _instant(effect.last_due),
        "most_later": days_and_hours(effect.most_later),
        "most_earlier": days_and_hours(effect.most_earlier),
        "may_open": any(actor(request).may(one) for one in READS_TICKETS),
    }


def _shifts(found: Sequence[preview_effect.Shift]) -> list[tuple[preview_effect.Shift, str, Any, Any]]:
    return [(one, STAGE_LABELS[Stage(one.stage)], _instant(one.before), _instant(one.after)) for one in found]


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def days_and_hours(seconds: float) -> str:
    """How far a due time moves, as it is said: `3 天`, `1 天 6 小时`."""
    days, rest = divmod(round(seconds / 3600), 24)
    parts = [f"{days} 天"] if days else []
    if rest or not days:
        parts.append(f"{rest} 小时")
    return " ".join(parts)


@route("GET", HOME + r"/recomputations/{job_id:\d+}", permission=Permission.POLICY_READ)
async def recomputation(request: web.Request) -> web.StreamResponse:
    """How far the open clocks are counted anew."""
    ident = path_id(request, "job_id")
    async with context(request).db.read() as session:
        job = await recompute.one(session, ident)
    if job is None:
        raise HotlineError("not_found")
    return fragment(request, "admin/_recomputation.html", job=job)


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
