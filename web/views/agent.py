"""The agent's seat (坐席台): telephone, caller and form side by side, and its share of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets import queries
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads import citizens, duties, seat
from web.reads.calls import CallState, repeat_count, states_of
from web.reads.numbers import origin
from web.render import fragment, page
from web.routes import route
from web.views._panel import FORM_TERMS, draft_label, options_for, panel_of
from web.views.stale_drafts import STALE_AFTER

SEAT = (Permission.CALL_TAKE, Permission.DRAFT_WRITE)


@dataclass(frozen=True)
class Tab:
    """One open draft in the tab bar."""

    id: int
    label: str
    live: bool
    hotkey: bool

    @property
    def kind(self) -> str:
        return "通话中" if self.live else "草稿"


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
        phone, shown_figures = await _phone(request, session), await _figures(request, session)
        options = await options_for(session, person) if panel else {}
    return await page(
        request,
        "agent/console.html",
        panel=panel,
        phone=phone,
        figures=shown_figures,
        options=options,
        terms=FORM_TERMS,
    )


def _chosen(tabs: list[Tab], wanted: int | None) -> int | None:
    """The draft to open; one that is not among one's own tabs does not exist here."""
    if any(tab.id == wanted for tab in tabs):
        return wanted
    return next((tab.id for tab in tabs if tab.hotkey), None)


@route("GET", "/agent/phone", permission=SEAT)
async def phone_column(request: web.Request) -> web.StreamResponse:
    """The head of the left column: the queue and my telephone now."""
    async with context(request).db.read() as session:
        phone = await _phone(request, session)
    return fragment(request, "agent/_phone.html", phone=phone)


@route("GET", "/agent/figures", permission=SEAT)
async def figures(request: web.Request) -> web.StreamResponse:
    """The foot of the left column: my day so far, and what else waits for me."""
    async with context(request).db.read() as session:
        shown = await _figures(request, session)
    return fragment(request, "agent/_figures.html", figures=shown)


@route("GET", "/agent/banner", permission=Permission.CALL_TAKE)
async def banner(request: web.Request) -> web.StreamResponse:
    """The calls ringing at my own telephone now; empty when there is none."""
    async with context(request).db.read() as session:
        ringing = await _ringing(request, session)
    return fragment(request, "agent/_banner.html", ringing_calls=ringing)


@route("GET", "/agent/tabs", permission=Permission.DRAFT_WRITE)
async def tabs(request: web.Request) -> web.StreamResponse:
    """My open drafts as tabs."""
    async with context(request).db.read() as session:
        found = await _tabs(session, actor(request))
    return fragment(request, "agent/_tab_list.html", draft_tabs=found)


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
    """My open drafts. F2 goes to the one whose call goes on, else to the last one opened."""
    items = await queries.my_drafts(session, person)
    calls = await states_of(session, [item.call_session_id for item in items if item.call_session_id])
    live = [item.id for item in items if _is_live(item, calls)]
    target = live[0] if live else (items[-1].id if items else None)
    return [Tab(item.id, draft_label(item), item.id in live, item.id == target) for item in items]


def _is_live(item: queries.DraftItem, calls: dict[int, CallState]) -> bool:
    call = calls.get(item.call_session_id or 0)
    return call is not None and call.state != "ended"


async def _ringing(request: web.Request, session: AsyncSession) -> list[dict[str, Any]]:
    person, now = actor(request), context(request).clock.now()
    found = []
    for call in await seat.seat_calls(session, person):
        if call.leg_state != "ringing":
            continue
        opened = []
        if call.caller_ref is not None:
            opened = await citizens.open_tickets(session, person, call.caller_ref)
        found.append(
            {
                "session_id": call.session_id,
                "masked": call.masked,
                "origin": origin(call.masked),
                "queue": call.queue,
                "repeat": await repeat_count(session, call.caller_ref, now) if call.caller_ref else 0,
                "open_count": len(opened),
                "open_title": opened[0].title if opened else "",
                "since": call.since.isoformat(),
                "now": now.isoformat(),
            }
        )
    return found


async def _phone(request: web.Request, session: AsyncSession) -> dict[str, Any]:
    now, queue = context(request).clock.now(), await seat.queue_now(session)
    return {
        **_state(await seat.seat_calls(session, actor(request))),
        "now": now.isoformat(),
        "waiting": queue.waiting,
        "longest_since": queue.longest_since.isoformat() if queue.longest_since else None,
    }


async def _figures(request: web.Request, session: AsyncSession) -> dict[str, Any]:
    person, now = actor(request), context(request).clock.now()
    return {
        "answered_today": await seat.answered_since(session, person, city_midnight(now)),
        "open_drafts": len(await queries.my_drafts(session, person)),
        **await _duties(session, person, now),
    }


async def _duties(session: AsyncSession, person: Actor, now: datetime) -> dict[str, int | None]:
    """What else waits for this person; None where it is not his business."""
    counts: dict[str, int | None] = {"callbacks_open": None, "stale_drafts": None}
    if person.may(Permission.CALLBACK_READ):
        counts["callbacks_open"] = await duties.open_callbacks(session, person)
    if person.may(Permission.FLOOR_READ):
        counts["stale_drafts"] = await duties.stale_drafts(session, person, now - STALE_AFTER)
    return counts


def _state(calls: list[seat.SeatCall]) -> dict[str, Any]:
    if not calls:
        return {"state": "idle", "word": "无通话", "since": None, "peer": ""}
    call = calls[0]
    word = "通话中" if call.leg_state == "talking" else "振铃中"
    peer = call.masked or "未显示号码"
    return {"state": call.leg_state, "word": word, "since": call.since.isoformat(), "peer": peer}


def city_midnight(now: datetime) -> datetime:
    """The instant at which the city's present day began."""
    return datetime.combine(to_city(now).date(), datetime.min.time(), CITY_ZONE)
