"""Conversations in writing on the agent's side: offered, taken, answered, ended; the list, and what was said.

Who has a conversation reads it; everybody else gives a reason, which is audited, and reads it once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from chats import queries
from core import audit
from core.errors import HotlineError
from core.ids import new_token
from core.people.permissions import Permission
from tickets.reveal import checked_reason
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form, read_query
from web.reads import ticket_chats
from web.reads.seat import city_midnight
from web.render import fragment, page, redirect
from web.routes import route
from web.views.tickets import READ as TICKETS

TAKE = Permission.TEXT_TAKE
READ = (Permission.TEXT_TAKE, Permission.CALL_READ_ALL)
CHAT = "/chats/{chat_id:[0-9]+}"
OF_TICKET = "/tickets/{ticket_id}/chats/{chat_id:[0-9]+}"
ENDED_AS = {"ticket": "登记成工单", "urge": "催办", "addition": "补充", "record": "不立单结束"}
CHANNELS = ticket_chats.CHAT_WORDS
STATES = {
    "waiting": "等待中",
    "offered": "提示坐席中",
    "active": "对话中",
    "missed": "待回复",
    "ended": "已结束",
}
OUTCOMES = {"answered": "已接待", "abandoned": "市民离开", "unanswered": "未能接待"}
TONES = {"waiting": "warn", "offered": "warn", "active": "good", "missed": "bad", "ended": "quiet"}
WORDS: dict[str, Any] = {
    "channels": CHANNELS,
    "states": STATES,
    "outcomes": OUTCOMES,
    "tones": TONES,
    "ended_as": ENDED_AS,
}


class ListQuery(Fields):
    ended: bool = False


class SayForm(Fields):
    text: str = Field("", max_length=8000)
    key: str = Field("", max_length=40, pattern=r"^[A-Za-z0-9_-]*$")


class ReadForm(Fields):
    reason: str = Field("", max_length=200)


class LinesQuery(Fields):
    after: int = Field(0, ge=0, lt=2**63)


@route("GET", "/chats", permission=READ)
async def chat_list(request: web.Request) -> web.StreamResponse:
    """What waits, what was missed, what goes on; and for who leads, the day in figures."""
    query = read_query(request, ListQuery)
    return await page(request, "chats/list.html", **await _rows(request, query))


@route("GET", "/chats/rows", permission=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone."""
    return fragment(request, "chats/_rows.html", **await _rows(request, read_query(request, ListQuery)))


@route("GET", "/chats/seat", permission=TAKE)
async def seat(request: web.Request) -> web.StreamResponse:
    """What is offered to me and what I have, for the strip of every page."""
    async with context(request).db.read() as session:
        mine = await queries.mine(session, actor(request))
    return fragment(request, "chats/_seat.html", my_chats=mine)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The same in the frame of every page, for who takes conversations."""
    if not actor(request).may(TAKE):
        return {}
    async with context(request).db.read() as session:
        return {"my_chats": await queries.mine(session, actor(request))}


@route("POST", CHAT + "/take", permission=TAKE)
async def take(request: web.Request) -> web.StreamResponse:
    """Take it: a draft is made with it, and the seat opens there."""
    await read_form(request, Fields)
    ctx, chat_id = context(request), path_id(request, "chat_id")
    async with ctx.db.begin() as uow:
        draft = await ctx.chat_desk.take(uow, actor(request), chat_id)
    return redirect(request, f"/agent?draft={draft}")


@route("GET", CHAT + "/lines", permission=TAKE)
async def lines(request: web.Request) -> web.StreamResponse:
    """What is new in a conversation of mine."""
    query = read_query(request, LinesQuery)
    async with context(request).db.read() as session:
        item = await queries.one(session, actor(request), path_id(request, "chat_id"))
        if item.agent_id != actor(request).user_id:
            raise HotlineError("chat_not_yours")
        said = await queries.transcript(session, context(request).vault, item.id, after=query.after)
    values: dict[str, Any] = {
        "said": said,
        "words": STATES[item.state],
        "over": item.state == "ended",
        "mine": "agent",
    }
    return fragment(request, "text/_lines.html", **values)


@route("POST", CHAT + "/say", permission=TAKE, max_body=64 * 1024)
async def say(request: web.Request) -> web.StreamResponse:
    """Write to the citizen."""
    form, ctx, chat_id = await read_form(request, SayForm), context(request), path_id(request, "chat_id")
    async with ctx.db.begin() as uow:
        await ctx.chats.say_agent(uow, actor(request), chat_id, form.text, form.key or new_token(9))
    return web.Response(status=204) if wants_fragment(request) else redirect(request, "/agent")


@route("POST", CHAT + "/end", permission=TAKE)
async def end(request: web.Request) -> web.StreamResponse:
    """End it; the draft stays to be finished."""
    await read_form(request, Fields)
    ctx = context(request)
    async with ctx.db.begin() as uow:
        await ctx.chats.end(uow, actor(request), path_id(request, "chat_id"))
    return web.Response(status=204) if wants_fragment(request) else redirect(request, "/agent")


@route("GET", CHAT, permission=READ)
async def one(request: web.Request) -> web.StreamResponse:
    """A conversation as a record: its course; what was said, for who had it."""
    return await _page(request, said=None)


@route("GET", OF_TICKET, permission=TICKETS, also=Permission.PERSON_REVEAL)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """A conversation of a ticket, for who sees the ticket and not the list of conversations."""
    return await _page(request, said=None)


@route("POST", OF_TICKET + "/read", permission=TICKETS, also=Permission.PERSON_REVEAL, max_body=4096)
@route("POST", CHAT + "/read", permission=READ, also=Permission.PERSON_REVEAL, max_body=4096)
async def read(request: web.Request) -> web.StreamResponse:
    """What was said, for a reason, once."""
    form = await read_form(request, ReadForm)
    ctx, person, chat_id = context(request), actor(request), path_id(request, "chat_id")
    reason = checked_reason(person, form.reason)
    async with ctx.db.begin() as uow:
        await _item(request, uow.session)
        await audit.record(
            uow, actor=person, action="chat.read", object_type="chat", object_id=chat_id, reason=reason
        )
        said = await queries.transcript(uow.session, ctx.vault, chat_id)
    response = await _page(request, said=said)
    response.headers["Cache-Control"] = "no-store"
    return response


def _ticket_of(request: web.Request) -> int | None:
    return path_id(request, "ticket_id") if "ticket_id" in request.match_info else None


async def _item(request: web.Request, session: AsyncSession) -> queries.ChatItem:
    """The conversation of the address, as one of a ticket or by itself. Raises `chat_not_found`."""
    ticket_id, chat_id = _ticket_of(request), path_id(request, "chat_id")
    if ticket_id is not None:
        return await ticket_chats.chat_of_ticket(session, actor(request), ticket_id, chat_id)
    return await queries.one(session, actor(request), chat_id)


async def _page(request: web.Request, said: list[queries.Said] | None) -> web.StreamResponse:
    ctx, person, ticket_id = context(request), actor(request), _ticket_of(request)
    async with ctx.db.read() as session:
        item = await _item(request, session)
        tickets = await ticket_chats.tickets_of_chat(session, person, item.id)
        if said is None and item.agent_id == person.user_id and not item.words_gone_at:
            said = await queries.transcript(session, ctx.vault, item.id)
    place = f"/tickets/{ticket_id}/chats/{item.id}" if ticket_id is not None else f"/chats/{item.id}"
    values: dict[str, Any] = {"item": item, "said": said, "mine": "agent", "tickets": tickets, "place": place}
    return await page(request, "chats/one.html", **values, of_ticket=ticket_id, **WORDS)


async def _rows(request: web.Request, query: ListQuery) -> dict[str, Any]:
    ctx, person, now = context(request), actor(request), context(request).clock.now()
    async with ctx.db.read() as session:
        items = await queries.listed(session, person, ended=query.ended)
        day = None
        if person.may(Permission.FLOOR_READ) and not query.ended:
            midnight = city_midnight(now)
            day = await queries.figures(session, midnight, midnight + timedelta(days=1))
    values = {"rows": items, "day": day, "shown_ended": query.ended, "may_take": person.may(TAKE), "now": now}
    return {**values, **WORDS}
