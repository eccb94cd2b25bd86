"""The supervisor's dashboard (运行看板): one screen, every figure a link to the tickets behind it."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.measures.definitions import COUNTERS
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads.dashboard import PANELS, Asked
from web.render import fragment, page
from web.routes import route
from web.words import TICKET_WORDS


class DashboardQuery(Fields):
    peers: Literal["bureau", "district", "town"] = "bureau"
    ticket: int | None = Field(None, gt=0, lt=2**63)  # what was just urged


@route("GET", "/dashboard", permission=Permission.DASHBOARD_READ)
async def dashboard(request: web.Request) -> web.StreamResponse:
    """All panels at once."""
    query = read_query(request, DashboardQuery)
    return await page(request, "dashboard/page.html", **await _values(request, query, *PANELS))


@route("GET", "/dashboard/panels/{panel}", permission=Permission.DASHBOARD_READ)
async def panel(request: web.Request) -> web.StreamResponse:
    """One panel, fetched anew when its figures moved."""
    name = request.match_info["panel"]
    if name not in PANELS:
        raise HotlineError("not_found")
    values = await _values(request, read_query(request, DashboardQuery), name)
    return fragment(request, f"dashboard/_{name}.html", **values)


async def _values(request: web.Request, query: DashboardQuery, *names: str) -> dict[str, Any]:
    ctx = context(request)
    asked = Asked(actor(request), ctx.clock.now(), ctx.tickets.limits, query.peers)
    values: dict[str, Any] = {"words": TICKET_WORDS, "counters": COUNTERS, "urged": query.ticket}
    async with ctx.db.read() as session:
        for name in names:
            values |= await PANELS[name](session, asked)
    return values
