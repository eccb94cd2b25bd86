"""Clusters and early warnings (群诉与预警): the list, one with its tickets, a person's decision."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets import queries as ticket_queries
from tickets.duplicates import clusters, queries
from tickets.duplicates.alike import callers
from tickets.duplicates.queries import PAGE, ClusterItem, MemberItem
from tickets.duplicates.warning import Judged, brief
from tickets.workflow import MERGEABLE, State
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.similar import similar
from web.render import fragment, page, redirect
from web.routes import route
from web.words import TICKET_WORDS

READ = (Permission.TICKET_DISPATCH, Permission.TICKET_SUPERVISE)
KINDS = {"many": ("群诉", "bad"), "words": ("敏感", "warn"), "surge": ("激增", "info")}
STATES = {"proposed": "待确认", "confirmed": "已确认", "dismissed": "已排除"}
TONES = {"proposed": "warn", "confirmed": "good", "dismissed": "quiet"}


class ClusterQuery(Fields):
    state: Literal["proposed", "confirmed", "dismissed", "all"] = "proposed"
    before: int | None = Field(None, gt=0, lt=2**63)


class DecideForm(Fields):
    """`seen`: the tickets that were shown, which alone are merged."""

    master_id: str = Field("", pattern=r"^[0-9]{0,18}$")
    seen: str = Field("", max_length=40_000, pattern=r"^[0-9,]*$")


class DismissForm(Fields):
    note: str = Field("", max_length=500)


@route("GET", "/clusters", permission=READ)
async def listed(request: web.Request) -> web.StreamResponse:
    """What waits for a decision, newest first; the piece alone when it fetches itself again."""
    query = read_query(request, ClusterQuery)
    state = "" if query.state == "all" else query.state
    async with context(request).db.read() as session:
        found = await queries.cluster_list(session, state, query.before)
        counts = await queries.cluster_counts(session)
    kept = {"state": query.state}
    following = urlencode(kept | {"before": str(found[PAGE - 1].id)}) if len(found) > PAGE else ""
    values: dict[str, Any] = {
        "items": found[:PAGE],
        "state": query.state,
        "counts": counts,
        "following": f"/clusters?{following}" if following else "",
        "first_page": query.before is None,
        **_words(),
    }
    if wants_fragment(request):
        return fragment(request, "clusters/_rows.html", **values)
    return await page(request, "clusters/list.html", **values)


@route("GET", "/clusters/{cluster_id:[0-9]+}", permission=READ)
async def one(request: web.Request) -> web.StreamResponse:
    """One with its brief, its tickets and the decision."""
    read_query(request, Fields)
    async with context(request).db.read() as session:
        item, members = await queries.cluster_page(session, actor(request), path_id(request, "cluster_id"))
    may = actor(request).may(Permission.TICKET_MERGE) and actor(request).may(Permission.TICKET_DISPATCH)
    return await page(
        request,
        "clusters/one.html",
        item=item,
        members=members,
        joining=[one for one in members if one.joins and one.id != item.master_id],
        brief=_brief(item, members),
        may=may,
        words=TICKET_WORDS,
        **_words(),
    )


@route(
    "POST",
    "/clusters/{cluster_id:[0-9]+}/confirm",
    permission=Permission.TICKET_DISPATCH,
    also=Permission.TICKET_MERGE,
)
async def confirm(request: web.Request) -> web.StreamResponse:
    """One matter: its tickets are merged into one."""
    form = await read_form(request, DecideForm)
    ctx, person, ident = context(request), actor(request), path_id(request, "cluster_id")
    async with ctx.db.read() as session:
        item, members = await queries.cluster_page(session, person, ident)
    async with ctx.db.begin() as uow:
        seen = {int(one) for one in form.seen.split(",") if one}
        master = int(form.master_id) if form.master_id else None
        told = _brief(item, members)
        await clusters.confirm(uow, ctx.tickets, person, ident, told, master, seen)
    return redirect(request, f"/clusters/{ident}")


@route(
    "POST",
    "/clusters/{cluster_id:[0-9]+}/dismiss",
    permission=Permission.TICKET_DISPATCH,
    also=Permission.TICKET_MERGE,
)
async def dismiss(request: web.Request) -> web.StreamResponse:
    """No matter of its own, with the reason."""
    form = await read_form(request, DismissForm)
    ident = path_id(request, "cluster_id")
    async with context(request).db.begin() as uow:
        await clusters.dismiss(uow, actor(request), ident, form.note)
    return redirect(request, f"/clusters/{ident}")


@route(
    "GET",
    "/tickets/{ticket_id}/alike",
    permission=(
        Permission.TICKET_READ_HOTLINE,
        Permission.TICKET_READ_ALL,
        Permission.TICKET_READ_UNIT,
    ),
)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """How many people called about a ticket one may see, its cluster, and what may be the same matter."""
    read_query(request, Fields)
    ident, person = path_id(request, "ticket_id"), actor(request)
    async with context(request).db.read() as session:
        ticket = await ticket_queries.ticket_page(session, person, ident)
        count = (await callers(session, [ident])).get(ident, 1)
        reads = any(person.may(permission) for permission in READ)
        cluster = await queries.cluster_of(session, ident) if reads else None
        merges = person.may(Permission.TICKET_MERGE) and State(ticket.state) in MERGEABLE
        found = await similar(session, person, ticket, context(request).clock.now()) if merges else []
    values: dict[str, Any] = {
        "ticket": ticket,
        "callers": count,
        "cluster": cluster,
        "alike": found,
        "words": TICKET_WORDS,
    }
    return fragment(request, "clusters/_ticket.html", **values)


def _brief(item: ClusterItem, members: list[MemberItem]) -> str:
    figures = (item.callers, item.callers_24h, item.callers_7d, tuple(item.words))
    judged = Judged(item.kind, *figures, item.first_at, item.last_at)
    units = list(dict.fromkeys(one.lead_unit for one in members if one.lead_unit))
    return brief(judged, item.tickets, item.place, units, item.z)


def _words() -> dict[str, Any]:
    return {"kinds": KINDS, "states": STATES, "tones": TONES}
