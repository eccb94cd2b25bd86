"""What the rules of supervision propose: taken up with one press, or declined with a reason."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from sla.supervision import declining, proposals
from sla.supervision.inputs import NewOrder
from sla.supervision.proposals import GROUNDS
from sla.supervision.terms import CALLS_FOR, GROUND_LABELS, Ground
from tickets import queries as tickets
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.supervision import WORDS, tabs
from web.render import page, redirect
from web.routes import route
from web.views._supervision import SUPERVISE, USUAL_DAYS, begun
from web.words import TICKET_WORDS


class ProposalQuery(Fields):
    ground: Literal["overdue", "dissatisfied", "redos", "units"] | None = None
    cursor: str | None = Field(None, max_length=200)


@route("GET", "/supervision/proposals", permission=SUPERVISE)
async def proposed(request: web.Request) -> web.StreamResponse:
    """What the rules propose, by ground."""
    query, ctx, person = read_query(request, ProposalQuery), context(request), actor(request)
    now, rules = ctx.clock.now(), ctx.supervision.rules
    async with ctx.db.read() as session:
        counts = await tabs(session, person, rules, now)
        usual = next((one.value for one in GROUNDS if counts["proposed"][one.value]), GROUNDS[0].value)
        ground = Ground(query.ground or usual)
        found = await proposals.proposals(session, person, rules, ground, query.cursor, now=now)
    following = urlencode({"ground": ground.value, "cursor": found.next_cursor}) if found.next_cursor else ""
    return await page(
        request,
        "supervision/proposals.html",
        tab="proposals",
        tabs=counts,
        ground=ground.value,
        grounds=[(one.value, GROUND_LABELS[one]) for one in GROUNDS],
        items=found.items,
        following=following,
        words=TICKET_WORDS,
        order_words=WORDS,
    )


class ProposedForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    ground: Literal["overdue", "dissatisfied", "redos", "units"]


@route("POST", "/supervision/proposals/{ticket_id:[0-9]+}", permission=SUPERVISE)
async def take_up(request: web.Request) -> web.StreamResponse:
    """Issue what is proposed, in the words of its template, with one press."""
    form = await read_form(request, ProposedForm)
    ident, ground = path_id(request, "ticket_id"), Ground(form.ground)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        key = f"p{ident}.{form.version}.{ground.value}"
        ticket = await tickets.ticket_page(uow.session, person, ident)
        asked = await begun(request, uow.session, ticket, CALLS_FOR[ground], ground)
        if not asked["unit_id"]:
            raise HotlineError("unit_is_missing", ticket_id=ident)
        order = await ctx.supervision.issue(
            uow,
            person,
            NewOrder(
                kind=CALLS_FOR[ground],
                unit_id=int(asked["unit_id"]),
                subject=asked["subject"],
                requirement=asked["requirement"],
                ground=ground,
                ticket_id=ident,
                version=form.version,
                copies=tuple(int(one) for one in asked["copies"]),
                days=USUAL_DAYS,
                key=key,
            ),
        )
    return redirect(request, f"/orders/{order}?done=issue")


class DeclineForm(Fields):
    ground: Literal["overdue", "dissatisfied", "redos", "units"]
    reason: str = Field("", max_length=500)


@route("POST", "/supervision/proposals/{ticket_id:[0-9]+}/decline", permission=SUPERVISE)
async def not_now(request: web.Request) -> web.StreamResponse:
    """暂不督办: the proposal goes, its reason stays in the audit log."""
    form = await read_form(request, DeclineForm)
    ctx, ident, ground = context(request), path_id(request, "ticket_id"), Ground(form.ground)
    async with ctx.db.begin() as uow:
        await declining.decline(uow, actor(request), ident, ground, form.reason)
    return redirect(request, f"/supervision/proposals?ground={ground.value}")
