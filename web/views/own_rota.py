"""An agent's own rota (我的排班): the coming shifts, what became of the last, swaps with colleagues."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web
from pydantic import Field

from core.catalog import queues as catalog
from core.people.permissions import Permission
from telephony.shifts import figures, grid, queries, swaps
from telephony.shifts.hours import monday_of, today
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import NoFields, back
from web.views.attendance import FORMULAS, PRESENCE, rules

HOME = "/me/rota"
OWN = Permission.SHIFT_OWN
AHEAD, BACK = 21, 14  # days
SAID = {
    "asked": "已提交换班申请，等待同事答复。",
    "agreed": "已同意，等待班长批准。",
    "declined": "已答复不同意。",
    "withdrawn": "已撤回，排班没有变化。",
}


class OwnQuery(Fields):
    done: str = Field("", max_length=20)


class AskForm(Fields):
    day: date
    taker_id: Ident
    other_day: date | None = None
    reason: str = Field("", max_length=300)


class AnswerForm(Fields):
    agree: bool


@route("GET", HOME, permission=OWN)
async def own_rota(request: web.Request) -> web.StreamResponse:
    """Three weeks from this Monday, the last two weeks' attendance, one's swaps."""
    query, ctx, person = read_query(request, OwnQuery), context(request), actor(request)
    now = ctx.clock.now()
    day = today(now)
    monday = monday_of(day)
    async with ctx.db.read() as session:
        mine = {one.day: one for one in await queries.own(session, person, monday, AHEAD)}
        past = await figures.shifts(
            session, person, day - timedelta(days=BACK), day, now, rules(request), person.user_id
        )
        found = await queries.swaps(session, person, mine=True, limit=20)
        people = await queries.people(session, day, day + timedelta(days=AHEAD))
        words = await catalog.labels(session)
    return await page(
        request,
        "rota/own.html",
        weeks=[[(one, mine.get(one)) for one in grid.week(monday + timedelta(days=7 * n))] for n in range(3)],
        names=grid.DAYS,
        today=day,
        coming=[one for one in mine.values() if one.begins > now],
        past=past[::-1],
        swaps=found,
        colleagues=[one for one in people if one[0] != person.user_id],
        queue_words=words,
        presence=PRESENCE,
        formulas=FORMULAS,
        done=SAID.get(query.done, ""),
        me=person.user_id,
    )


@route("POST", "/me/swaps", permission=OWN)
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask a colleague to take a shift."""
    form = await read_form(request, AskForm)
    asked = swaps.Asked(form.day, form.taker_id, form.other_day, form.reason)
    async with context(request).db.begin() as uow:
        await swaps.ask(uow, actor(request), asked)
    return back(request, HOME, "asked")


@route("POST", r"/me/swaps/{swap_id:\d+}/answer", permission=OWN)
async def answer(request: web.Request) -> web.StreamResponse:
    """Agree to a colleague's swap, or not."""
    form = await read_form(request, AnswerForm)
    async with context(request).db.begin() as uow:
        await swaps.answer(uow, actor(request), path_id(request, "swap_id"), agree=form.agree)
    return back(request, HOME, "agreed" if form.agree else "declined")


@route("POST", r"/me/swaps/{swap_id:\d+}/withdraw", permission=OWN)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take one's own swap back."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await swaps.withdraw(uow, actor(request), path_id(request, "swap_id"))
    return back(request, HOME, "withdrawn")
