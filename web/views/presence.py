"""Who else has a ticket open, and who is typing: told to the screens of those who may see it.

Nothing is kept: a page says that it is there when it opens, asks the others to answer, repeats it each
minute and takes back what it did not hear of for longer. It works across nodes through the event log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from aiohttp import web

from core.errors import HotlineError
from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission
from tickets.flow import TicketUnit
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.routes import route

READ = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL, Permission.TICKET_READ_UNIT)
ALL = (str(Permission.TICKET_READ_HOTLINE), str(Permission.TICKET_READ_ALL))
_ticket = table_of(Ticket)
_held = table_of(TicketUnit)


@dataclass(frozen=True)
class SomebodyThere(LiveEvent):
    """A person of the staff has a ticket open, types, or left; `ask`: the others are to say so too."""

    ticket_id: int
    units: tuple[int, ...]
    user_id: int
    name: str
    unit: str
    state: str
    ask: bool

    @property
    def live(self) -> LiveNote:
        data: dict[str, Any] = {"user": self.user_id, "name": self.name, "unit": self.unit}
        data |= {"state": self.state, "ask": self.ask}
        audience = Audience(units=self.units, permissions=ALL)
        return LiveNote("presence", self.state, self.ticket_id, 0, audience, data)


class PresenceForm(Fields):
    state: Literal["here", "typing", "gone"]
    ask: bool = False


@route("POST", "/tickets/{ticket_id}/presence", permission=READ, max_body=256)
async def present(request: web.Request) -> web.StreamResponse:
    """Say that this person is here; only for a ticket they may see."""
    form = await read_form(request, PresenceForm)
    person, ident = actor(request), path_id(request, "ticket_id")
    async with context(request).db.begin() as uow:
        seen = sa.select(_ticket.c.id).where(_ticket.c.id == ident, visible_tickets(person))
        if (await uow.session.execute(seen)).first() is None:
            raise HotlineError("ticket_not_found", ticket_id=ident)
        held = sa.select(_held.c.unit_id).where(_held.c.ticket_id == ident, _held.c.until.is_(None))
        units = tuple((await uow.session.execute(held)).scalars())
        name, unit = person.name, person.unit_name or ""
        event = SomebodyThere(ident, units, person.user_id or 0, name, unit, form.state, form.ask)
        await uow.emit(event)
    return web.Response(status=204)
