"""What a shift leader does to an agent's state; each act is in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.people.permissions import Permission
from web.context import actor, agents_of, context
from web.inputs import Fields, path_id, read_form
from web.render import redirect
from web.routes import route

LEAD = Permission.FLOOR_LEAD
PATH = "/floor/agents/{user_id:[0-9]+}"


class NoFields(Fields):
    pass


class ReasonForm(Fields):
    reason: str = Field(min_length=1, max_length=30)


class QueuesForm(Fields):
    queues: list[str] = Field([], max_length=50)


@route("POST", PATH + "/ready", permission=LEAD)
async def ready(request: web.Request) -> web.StreamResponse:
    """Set an agent ready."""
    await read_form(request, NoFields)
    leader, agents, user_id = actor(request), agents_of(request), path_id(request, "user_id")
    return await _done(request, lambda uow: agents.lead_ready(uow, leader, user_id))


@route("POST", PATH + "/not-ready", permission=LEAD)
async def not_ready(request: web.Request) -> web.StreamResponse:
    """Set an agent not ready, for a reason."""
    form = await read_form(request, ReasonForm)
    leader, agents, user_id = actor(request), agents_of(request), path_id(request, "user_id")
    return await _done(request, lambda uow: agents.lead_not_ready(uow, leader, user_id, form.reason))


@route("POST", PATH + "/sign-out", permission=LEAD)
async def sign_out(request: web.Request) -> web.StreamResponse:
    """Sign an agent out, after the call."""
    await read_form(request, NoFields)
    leader, agents, user_id = actor(request), agents_of(request), path_id(request, "user_id")
    return await _done(request, lambda uow: agents.lead_sign_out(uow, leader, user_id))


@route("POST", PATH + "/queues", permission=LEAD)
async def queues(request: web.Request) -> web.StreamResponse:
    """Say which queues ring an agent."""
    form = await read_form(request, QueuesForm)
    leader, agents, user_id = actor(request), agents_of(request), path_id(request, "user_id")
    return await _done(request, lambda uow: agents.lead_queues(uow, leader, user_id, form.queues))


async def _done(request: web.Request, work: Callable[[UnitOfWork], Awaitable[None]]) -> web.StreamResponse:
    """Do it; the floor hears of it by the event, a form without a script goes back there."""
    await context(request).db.retrying(work)
    if "HX-Request" in request.headers:
        return web.Response(status=204)
    return redirect(request, "/floor")
