"""Lists of numbers: silent calls and harassment, proposed by agents and decided by shift leaders."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.permissions import Permission
from telephony.controls import lists, queries
from telephony.controls.abuse import REASONS
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.reads.controls import KIND_WORDS
from web.render import fragment, page, redirect
from web.routes import route

LEAD = Permission.FLOOR_LEAD
NUMBER = "/numbers/{listing_id:[0-9]+}"


class DecisionForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    decision: Literal["approve", "decline"]
    days: int = Field(30, ge=1, le=366)


class LiftForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    reason: str = Field("", max_length=200)


@route("GET", "/numbers", permission=LEAD)
async def overview(request: web.Request) -> web.StreamResponse:
    """Calls for help, proposals to decide on, and the numbers in force."""
    async with context(request).db.read() as session:
        values = await _values(request, session)
    return await page(request, "numbers/list.html", **values)


@route("GET", "/numbers/rows", permission=LEAD)
async def rows(request: web.Request) -> web.StreamResponse:
    """The three lists alone."""
    async with context(request).db.read() as session:
        values = await _values(request, session)
    return fragment(request, "numbers/_rows.html", **values)


async def _values(request: web.Request, session: AsyncSession) -> dict[str, Any]:
    now = context(request).clock.now()
    return {
        "reports": await queries.open_reports(session, actor(request)),
        "reasons": REASONS,
        "proposed": await queries.listings(session, now, state="proposed"),
        "listed": await queries.listings(session, now, state="listed"),
        "kinds": KIND_WORDS,
        "days": lists.DAYS,
    }


@route("POST", NUMBER + "/decide", permission=LEAD)
async def decide(request: web.Request) -> web.StreamResponse:
    """List the number for some days, or decline."""
    form = await read_form(request, DecisionForm)
    approve = form.decision == "approve"
    async with context(request).db.begin() as uow:
        ident = path_id(request, "listing_id")
        await lists.decide(uow, actor(request), ident, form.version, approve=approve, days=form.days)
    return redirect(request, "/numbers")


@route("POST", NUMBER + "/lift", permission=LEAD)
async def lift(request: web.Request) -> web.StreamResponse:
    """Take it off the list before its time."""
    form = await read_form(request, LiftForm)
    async with context(request).db.begin() as uow:
        await lists.lift(uow, actor(request), path_id(request, "listing_id"), form.version, form.reason)
    return redirect(request, "/numbers")
