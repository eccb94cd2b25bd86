"""The agent's own state: signing in and out, ready and not ready, work after a call; in every page's head.

Without a script every form goes on to the seat; with it, the piece of the page fetches itself again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.people.permissions import Permission
from web.context import actor, agents_of, context
from web.inputs import Fields, read_form
from web.reads.seat_state import SeatState, seat_state
from web.routes import route

SEAT = (Permission.CALL_TAKE, Permission.REVISIT_WORK)  # who answers citizens, and who calls them


class SignInForm(Fields):
    queues: list[str] = Field([], max_length=50)
    reason: str = Field("", max_length=30)
    take_over: bool = False


class NoFields(Fields):
    pass


class NotReadyForm(Fields):
    reason: str = Field(min_length=1, max_length=30)


class WrapUpForm(Fields):
    act: Literal["end", "keep", "extend"] = "end"
    code: str = Field("", max_length=30)
    note: str = Field("", max_length=200)


@route("POST", "/seat/sign-in", permission=SEAT)
async def sign_in(request: web.Request) -> web.StreamResponse:
    """Sit down at one's telephone, in all queues one may take or in those that are named."""
    form = await read_form(request, SignInForm)
    person, agents = actor(request), agents_of(request)

    async def work(uow: UnitOfWork) -> None:
        await agents.sign_in(
            uow, person, queues=form.queues, reason=form.reason or None, take_over=form.take_over
        )

    return await _done(request, work)


@route("POST", "/seat/sign-out", permission=SEAT)
async def sign_out(request: web.Request) -> web.StreamResponse:
    """Leave; in a call, when it and the work after it are over."""
    await read_form(request, NoFields)
    person, agents = actor(request), agents_of(request)
    return await _done(request, lambda uow: agents.sign_out(uow, person))


@route("POST", "/seat/ready", permission=SEAT)
async def ready(request: web.Request) -> web.StreamResponse:
    """Take calls again."""
    await read_form(request, NoFields)
    person, agents = actor(request), agents_of(request)
    return await _done(request, lambda uow: agents.ready(uow, person))


@route("POST", "/seat/not-ready", permission=SEAT)
async def not_ready(request: web.Request) -> web.StreamResponse:
    """Take no calls, for a reason."""
    form = await read_form(request, NotReadyForm)
    person, agents = actor(request), agents_of(request)
    return await _done(request, lambda uow: agents.not_ready(uow, person, form.reason))


@route("POST", "/seat/wrap-up", permission=SEAT)
async def wrap_up(request: web.Request) -> web.StreamResponse:
    """Extend the work after a call, give its code, or end it with or without one."""
    form = await read_form(request, WrapUpForm)
    person, agents = actor(request), agents_of(request)

    async def work(uow: UnitOfWork) -> None:
        if form.act == "extend":
            await agents.extend_wrap_up(uow, person)
        else:
            await agents.finish_wrap_up(
                uow, person, code=form.code or None, note=form.note, stay=form.act == "keep"
            )

    return await _done(request, work)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The state in the head, for those who take calls and have a telephone or are signed in at one."""
    person = actor(request)
    if person.extension is None or not any(person.may(one) for one in SEAT):
        return {}
    return {"frame_agent_state": "seat/_head.html", "seat": await _seat(request)}


async def _seat(request: web.Request) -> SeatState:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        return await seat_state(session, person, ctx.clock.now(), ctx.settings.agents.wrap_up_extensions)


async def _done(request: web.Request, work: Callable[[UnitOfWork], Awaitable[None]]) -> web.StreamResponse:
    """Do it; a script fetches what it shows anew, a form without one goes on to the seat."""
    await context(request).db.retrying(work)
    if "HX-Request" in request.headers:
        return web.Response(status=204)
    return web.Response(status=303, headers={"Location": "/agent"})
