"""The approvals inbox (审批事项): closings for heads, extensions, suspensions, exclusions for supervision.

Who stands in for an absent head sees and decides what waits for him; the record names both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.errors import HotlineError
from core.people import delegation, org
from core.people.actor import Actor
from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from tickets import queries
from tickets.queries.queues import RequestItem, request_counts, request_list
from tickets.states import Action
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.said import contacts, replies
from web.render import fragment, page, redirect
from web.routes import route
from web.words import REQUEST_WORDS, TICKET_WORDS

# A deputy holds no permission of his own for this: what he finds here is what he stands in for.
READ = (
    Permission.TICKET_SUPERVISE,
    Permission.TICKET_APPROVE,
    Permission.TICKET_HANDLE,
    Permission.TICKET_RULE,
)
DECISIONS: dict[str, tuple[Action, Action]] = {
    "extension": (Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION),
    "suspension": (Action.APPROVE_SUSPENSION, Action.REFUSE_SUSPENSION),
    "exclusion": (Action.APPROVE_EXCLUSION, Action.REFUSE_EXCLUSION),
    "closing": (Action.APPROVE_CLOSING, Action.REFUSE_CLOSING),
}
Kind = Literal["extension", "suspension", "exclusion", "closing"]
TOLD = {
    "yes": ("已同意", "承办单位已收到通知。", "good"),
    "no": ("已退回", "承办单位已收到您的意见。", "good"),
}


class InboxQuery(Fields):
    ticket: int | None = Field(None, gt=0, lt=2**63)
    kind: Kind | None = None
    after: str | None = Field(None, max_length=200)
    done: Literal["yes", "no"] | None = None


class DecisionForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    decision: Literal["yes", "no"]
    note: str = Field("", max_length=2000)


@route("GET", "/approvals", permission=READ)
async def inbox(request: web.Request) -> web.StreamResponse:
    """What waits for this person's decision, and the chosen application beside it."""
    return await _inbox(request, read_query(request, InboxQuery), {})


@route("GET", "/approvals/rows", permission=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone."""
    query = read_query(request, InboxQuery)
    async with context(request).db.read() as session:
        found = await _rows(request, session, query)
    return fragment(request, "approvals/_rows.html", words=TICKET_WORDS, query=query, **found)


@route("POST", "/approvals/{ticket_id:[0-9]+}/{kind:[a-z0-9]+}", permission=READ)
async def decide(request: web.Request) -> web.StreamResponse:
    """Grant or refuse; refusing needs a word of explanation."""
    form = await read_form(request, DecisionForm)
    ident, kind = path_id(request, "ticket_id"), request.match_info["kind"]
    if kind not in DECISIONS:
        raise HotlineError("not_found")
    action = DECISIONS[kind][0 if form.decision == "yes" else 1]
    if form.decision == "no" and not form.note.strip():
        query = InboxQuery(ticket=ident, kind=kind)
        return await _inbox(request, query, form.model_dump(), HotlineError("note_required", action=action))
    ctx = context(request)
    async with ctx.db.begin() as uow:
        await ctx.tickets.act(uow, actor(request), ident, form.version, action, {"note": form.note})
    return redirect(request, f"/approvals?done={form.decision}")


async def _inbox(
    request: web.Request, query: InboxQuery, typed: dict[str, Any], problem: HotlineError | None = None
) -> web.StreamResponse:
    person = actor(request)
    async with context(request).db.read() as session:
        found = await _rows(request, session, query)
        one = await _chosen(session, person, found["rows"], query)
    return await page(
        request,
        "approvals/inbox.html",
        status=422 if problem else 200,
        words=TICKET_WORDS,
        kinds=REQUEST_WORDS,
        query=query,
        typed=typed,
        problem_code=problem.code if problem else None,
        told=TOLD.get(query.done or ""),
        **found,
        **one,
    )


async def _rows(request: web.Request, session: AsyncSession, query: InboxQuery) -> dict[str, Any]:
    """Own decisions first, then those of people this person stands in for."""
    now = context(request).clock.now()
    kinds = (query.kind,) if query.kind else tuple(DECISIONS)
    own = await request_list(session, actor(request), kinds, query.after)
    counts = dict(await request_counts(session, actor(request)))
    rows: list[tuple[RequestItem, str | None]] = [(item, None) for item in own.items]
    for behalf in await delegation.units_approved_for(session, actor(request), now):
        absent = await _as(session, actor(request), behalf)
        page_of = await request_list(session, absent, kinds)
        known = {item.id for item, _ in rows}
        rows += [(item, behalf.of_name) for item in page_of.items if item.id not in known]
        for kind, count in (await request_counts(session, absent)).items():
            counts[kind] = counts.get(kind, 0) + count
    shown = {kind: counts[kind] for kind in DECISIONS if kind in counts}
    return {"rows": rows, "next_page": own.next_cursor, "counts": shown, "now": now}


async def _as(session: AsyncSession, person: Actor, behalf: delegation.Behalf) -> Actor:
    """What the absent person would see: his post and his unit, nothing else of the deputy's."""
    seen = replace(person, roles=frozenset({behalf.post}), permissions=ROLE_PERMISSIONS[behalf.post])
    if behalf.post is not Role.DEPT_HEAD:
        return seen
    unit = await org.unit(session, behalf.unit_id)
    return replace(seen, unit_id=unit.id, unit_path=unit.path, unit_name=unit.name)


async def _chosen(
    session: AsyncSession, person: Actor, rows: list[tuple[RequestItem, str | None]], query: InboxQuery
) -> dict[str, Any]:
    found = [
        (item, absent)
        for item, absent in rows
        if query.ticket is None or (item.ticket.id == query.ticket and query.kind in (None, item.kind))
    ]
    if not found:
        return {"item": None, "ticket": None}
    item, absent = found[0]
    reason = await reasons.label(session, item.kind, item.reason_code) if item.reason_code else ""
    return {
        "item": item,
        "absent": absent,
        "reason": reason,
        "ticket": await queries.ticket_page(session, person, item.ticket.id),
        "replies": await replies(session, person, item.ticket.id),
        "contacts": await contacts(session, person, item.ticket.id),
    }
