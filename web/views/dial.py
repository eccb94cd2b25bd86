"""Click-to-call about a ticket: the agent's telephone rings first, then the citizen's."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from aiohttp import web

from core.errors import HotlineError
from core.people.permissions import Permission
from telephony import dialling
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import redirect
from web.routes import route

_ticket = table_of(Ticket)
# Units use telephones of their own; through the hotline only its people call.
CALLERS = (Permission.TICKET_CREATE, Permission.TICKET_DISPATCH, Permission.REVISIT_WORK)


class DialForm(Fields):
    back: Literal["ticket", "revisits"] = "ticket"


@route("POST", "/tickets/{ticket_id:[0-9]+}/dial", permission=CALLERS)
async def dial(request: web.Request) -> web.StreamResponse:
    """Order the call; the number itself is not shown."""
    form = await read_form(request, DialForm)
    ctx, person, ident = context(request), actor(request), path_id(request, "ticket_id")
    async with ctx.db.begin() as uow:
        query = sa.select(_ticket.c.phone_ref).where(_ticket.c.id == ident, visible_tickets(person))
        row = (await uow.session.execute(query)).first()
        if row is None:
            raise HotlineError("ticket_not_found", ticket_id=ident)
        if row.phone_ref is None:
            raise HotlineError("nothing_to_reveal", field="phone")
        await dialling.order(uow, person, number_ref=row.phone_ref, object_type="ticket", object_id=ident)
    home = f"/revisits?ticket={ident}&done=dialled" if form.back == "revisits" else f"/tickets/{ident}"
    return redirect(request, home)
