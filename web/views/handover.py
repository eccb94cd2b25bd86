"""Handover between shifts (交接班): what is open, which tickets and calls, who took it over."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.ids import new_token
from core.people.actor import Actor
from core.people.permissions import Permission
from telephony.shifts import notes, queries
from telephony.shifts.hours import today
from telephony.shifts.notes import Matter
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import NoFields, back

HOME = "/handover"
READ, EDIT = Permission.ROTA_READ, Permission.ROTA_EDIT
LINES = 5
SAID = {"written": "交接记录已保存。", "taken": "已确认接收。", "done": "已标记办结。"}
_ticket = table_of(Ticket)


class HandoverQuery(Fields):
    before: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class WriteForm(Fields):
    day: date
    kind: str = Field("", max_length=18)
    summary: str = Field("", max_length=4000)
    matter: list[str] = Field(default_factory=list, max_length=notes.MOST_ITEMS)
    ticket: list[str] = Field(default_factory=list, max_length=notes.MOST_ITEMS)
    call: list[str] = Field(default_factory=list, max_length=notes.MOST_ITEMS)
    key: str = Field(min_length=8, max_length=40)


@route("GET", HOME, permission=READ)
async def note_list(request: web.Request) -> web.StreamResponse:
    """The notes, newest first; who opens the page has read what it shows."""
    query = read_query(request, HandoverQuery)
    return await _shown(request, query, None, None)


async def _shown(
    request: web.Request, query: HandoverQuery, typed: WriteForm | None, error: HotlineError | None
) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    _, problem = problem_of(error) if error else ("", None)
    async with ctx.db.begin() as uow:
        found = await notes.notes(uow.session, person, query.before)
        page_of = found[: notes.PAGE]
        await notes.mark_read(uow, person, [one.id for one in page_of if one.unread])
        numbers = await _numbers(
            uow.session, person, [item.ticket_id for one in page_of for item in one.items]
        )
        kinds = await queries.kinds(uow.session)
    return await page(
        request,
        "handover/list.html",
        status=problem.status if problem else 200,
        notes=page_of,
        following=f"{HOME}?before={page_of[-1].id}" if len(found) > notes.PAGE else "",
        numbers=numbers,
        kinds=[kind for kind in kinds.every if kind.active],
        day=today(ctx.clock.now()),
        typed=typed,
        lines=_lines(typed),
        key=typed.key if typed else new_token(12),
        problem=problem,
        wrong=error.params.get("number", "") if error else "",
        may_edit=person.may(EDIT),
        me=person.user_id,
        done=SAID.get(query.done, ""),
    )


def _lines(typed: WriteForm | None) -> list[tuple[str, str, str]]:
    given = list(zip(typed.matter, typed.ticket, typed.call, strict=False)) if typed else []
    return given + [("", "", "")] * max(1, LINES - len(given))


async def _numbers(session: AsyncSession, person: Actor, ids: list[int | None]) -> dict[int, str]:
    """The numbers of those tickets this person may see."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    query = sa.select(_ticket.c.id, _ticket.c.number).where(_ticket.c.id.in_(wanted), visible_tickets(person))
    return {row.id: row.number for row in await session.execute(query)}


@route("POST", HOME, permission=EDIT)
async def write(request: web.Request) -> web.StreamResponse:
    """Write a note; a ticket number that is wrong is said where it stands."""
    form = await read_form(request, WriteForm)
    ctx, person = context(request), actor(request)
    try:
        async with ctx.db.begin() as uow:
            await notes.hand_over(
                uow,
                person,
                day=form.day,
                kind_id=int(form.kind) if form.kind.isascii() and form.kind.isdigit() else None,
                summary=form.summary,
                matters=await _matters(uow.session, person, form),
                key=form.key,
            )
    except HotlineError as error:
        if not error.code.startswith(("handover_", "shift_kind")):
            raise
        return await _shown(request, HandoverQuery(), form, error)
    return back(request, HOME, "written")


async def _matters(session: AsyncSession, person: Actor, form: WriteForm) -> list[Matter]:
    if not len(form.matter) == len(form.ticket) == len(form.call):
        raise HotlineError("bad_request")
    numbers = {one for one in form.ticket if one}
    query = sa.select(_ticket.c.number, _ticket.c.id).where(
        _ticket.c.number.in_(numbers), visible_tickets(person)
    )
    known = {row.number: row.id for row in await session.execute(query)} if numbers else {}
    found: list[Matter] = []
    for text, number, call in zip(form.matter, form.ticket, form.call, strict=True):
        if number and number not in known:
            raise HotlineError("handover_ticket", number=number[:40])
        if call and not (call.isascii() and call.isdigit() and len(call) <= 18):
            raise HotlineError("handover_call", number=call[:40])
        found.append(Matter(text, known.get(number), int(call) if call else None))
    return found


@route("POST", HOME + r"/{note_id:\d+}/take", permission=EDIT)
async def take(request: web.Request) -> web.StreamResponse:
    """The next leader takes over."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await notes.take_over(uow, actor(request), path_id(request, "note_id"))
    return back(request, HOME, "taken")


@route("POST", HOME + r"/items/{item_id:\d+}/done", permission=EDIT)
async def tick_off(request: web.Request) -> web.StreamResponse:
    """An open matter is done."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await notes.tick_off(uow, actor(request), path_id(request, "item_id"))
    return back(request, HOME, "done")
