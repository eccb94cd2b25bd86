"""On the ticket's page: that it is about a registered intermediary, and what was done about that."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets import queries as ticket_queries
from tickets.intermediaries import cases, queries
from tickets.workflow import Relation
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, redirect
from web.routes import route
from web.views.admin_calendar import today
from web.views.market import DECIDE, EDIT, words

TICKETS = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_UNIT, Permission.TICKET_READ_ALL)
HOME = "/tickets/{ticket_id:[0-9]+}/intermediary"
VERSION = Field(ge=0, lt=2**31)


class ServeForm(Fields):
    version: int = VERSION
    summary: str = Field("", max_length=6000)


class JudgeForm(Fields):
    version: int = VERSION
    verdict: str = Field("", max_length=10)
    finding: str = Field("", max_length=20)
    text: str = Field("", max_length=1500)


class CancelForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    why: str = Field("", max_length=1500)


@route("GET", HOME, permission=TICKETS)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """The house a ticket is about, with its case; nothing when it is about none."""
    read_query(request, Fields)
    ident, person = path_id(request, "ticket_id"), actor(request)
    async with context(request).db.read() as session:
        ticket = await ticket_queries.ticket_page(session, person, ident)
        known = await queries.of_subject(session, ticket.subject_name, ticket.subject_uscc)
        item = await queries.item(session, known.id, today(request)) if known else None
        case = await queries.case_of(session, ident) if known else None
    leads = bool(ticket.relations & {Relation.LEAD, Relation.LENT}) and person.may(Permission.TICKET_HANDLE)
    values: dict[str, Any] = {
        "ticket": ticket,
        "item": item,
        "case": case,
        "may_work": (leads or person.may(Permission.TICKET_SUPERVISE)) and person.may(EDIT),
        "may_cancel": person.may(DECIDE),
        "me": person.user_id,
        "reads_market": person.may(Permission.INTERMEDIARY_READ),
    }
    return fragment(request, "market/_ticket.html", **values, **words())


@route("POST", HOME + "/serve", permission=EDIT)
async def serve(request: web.Request) -> web.StreamResponse:
    """Put the complaint to the intermediary in words that name nobody."""
    form, ident = await read_form(request, ServeForm), path_id(request, "ticket_id")
    async with context(request).db.begin() as uow:
        await cases.serve(uow, actor(request), ident, form.version, form.summary)
    return redirect(request, f"/tickets/{ident}")


@route("POST", HOME + "/judge", permission=EDIT)
async def judge(request: web.Request) -> web.StreamResponse:
    """Verified or unfounded; verified ones go into the credit feed."""
    form, ident = await read_form(request, JudgeForm), path_id(request, "ticket_id")
    async with context(request).db.begin() as uow:
        await cases.judge(
            uow, actor(request), ident, form.version, form.verdict, finding=form.finding, text=form.text
        )
    return redirect(request, f"/tickets/{ident}")


@route("POST", HOME + "/cancel", permission=DECIDE)
async def cancel(request: web.Request) -> web.StreamResponse:
    """A verdict was wrong."""
    form, ident = await read_form(request, CancelForm), path_id(request, "ticket_id")
    async with context(request).db.begin() as uow:
        await cases.cancel(uow, actor(request), ident, form.version, form.why)
    return redirect(request, f"/tickets/{ident}")
