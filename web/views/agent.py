"""The agent's seat (坐席台): telephone, caller and form side by side, and its share of the frame."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.permissions import Permission
from tickets import queries
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads import duties, seat
from web.reads.seat_parts import Tab, phone, ringing, tabs_of
from web.render import page
from web.routes import route
from web.views._panel import FORM_TERMS, options_for, panel_of

SEAT = (Permission.CALL_TAKE, Permission.DRAFT_WRITE)


class SeatQuery(Fields):
    draft: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/agent", permission=SEAT)
async def console(request: web.Request) -> web.StreamResponse:
    """The whole seat, with the draft that was asked for or, failing that, the one of the live call."""
    wanted = read_query(request, SeatQuery).draft
    person, ctx = actor(request), context(request)
    async with ctx.db.read() as session:
        shown = _chosen(await _tabs(session, person), wanted)
        panel = await panel_of(request, session, shown) if shown is not None else None
        column, figures = await _phone(request, session), await _figures(request, session)
        options = await options_for(session, person) if panel else {}
    return await page(
        request,
        "agent/console.html",
        panel=panel,
        phone=column,
        figures=figures,
        options=options,
        terms=FORM_TERMS,
    )


def _chosen(tabs: list[Tab], wanted: int | None) -> int | None:
    """The draft to open; one that is not among one's own tabs does not exist here."""
    if any(tab.id == wanted for tab in tabs):
        return wanted
    return next((tab.id for tab in tabs if tab.hotkey), None)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """Banner and tabs for the frame of every page, for those who take calls or write drafts."""
    person = actor(request)
    takes, writes = person.may(Permission.CALL_TAKE), person.may(Permission.DRAFT_WRITE)
    if not (takes or writes):
        return {}
    async with context(request).db.read() as session:
        found = await _tabs(session, person) if writes else []
        ringing = await _ringing(request, session) if takes else []
    return {
        "frame_tabs": "agent/_tabs.html",
        "frame_footer": "agent/_keys.html",
        "takes_calls": takes,
        "writes_drafts": writes,
        "draft_tabs": found,
        "ringing_calls": ringing,
    }


async def _tabs(session: AsyncSession, person: Actor) -> list[Tab]:
    return await tabs_of(session, await queries.my_drafts(session, person))


async def _ringing(request: web.Request, session: AsyncSession) -> list[dict[str, Any]]:
    person = actor(request)
    return await ringing(
        session, person, await seat.seat_calls(session, person), context(request).clock.now()
    )


async def _phone(request: web.Request, session: AsyncSession) -> dict[str, Any]:
    calls, queue = await seat.seat_calls(session, actor(request)), await seat.queue_now(session)
    return phone(calls, queue, context(request).clock.now())


async def _figures(request: web.Request, session: AsyncSession) -> dict[str, int | None]:
    person, now = actor(request), context(request).clock.now()
    return {
        "answered_today": await seat.answered_since(session, person, seat.city_midnight(now)),
        "open_drafts": len(await queries.my_drafts(session, person)),
        **await duties.waiting(session, person, now),
    }
