"""Points on the map at a ticket's page: one that was set wrongly is taken back."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets.points import service as points
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import redirect
from web.routes import route


class WithdrawForm(Fields):
    point_id: int = Field(gt=0, lt=2**63)
    reason: str = Field(min_length=1, max_length=200)


@route(
    "POST",
    "/tickets/{ticket_id}/point/withdraw",
    permission=Permission.TICKET_READ_HOTLINE,
    also=Permission.TICKET_NOTE,
    max_body=4096,
)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take the point back, with a reason that stays."""
    form, ident = await read_form(request, WithdrawForm), path_id(request, "ticket_id")
    ctx, person = context(request), actor(request)
    await ctx.db.retrying(lambda uow: points.withdraw(uow, person, ident, form.point_id, form.reason))
    return redirect(request, f"/tickets/{ident}")
