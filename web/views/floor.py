"""The live floor (现场监控): agents by state, queue, calls in progress, what needs a shift leader first."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from markupsafe import Markup
from pydantic import Field

from core.catalog import reasons
from core.ids import new_token
from core.people.permissions import Permission
from telephony.agents import choices
from telephony.controls import abuse, queries
from telephony.floor.now import agents_now
from web.context import actor, context
from web.floor_board import FLOOR, Board
from web.inputs import Fields, path_id, read_query
from web.reads import live_floor
from web.reads.agent_words import STATE_WORDS, tone_of
from web.render import JINJA, fragment, page
from web.routes import route

HOME = "/floor"
SEE = Permission.FLOOR_READ
PARTS = ("figures", "states", "queues", "concerns", "helps", "talks", "waits")
LISTS = ("agents", "waiting", "talking")


class FloorQuery(Fields):
    agent: int | None = Field(None, gt=0, lt=2**63)
    state: str = Field("", max_length=12)
    queue: str = Field("", max_length=40)
    done: str = Field("", max_length=20)


class SinceQuery(Fields):
    mark: str = Field("", max_length=40)


@route("GET", HOME, permission=SEE)
async def floor_page(request: web.Request) -> web.StreamResponse:
    """The whole floor, and the agent that was chosen."""
    query = read_query(request, FloorQuery)
    board = await _board(request, at_once=True)
    chosen = await _chosen(request, query.agent) if query.agent else None
    async with context(request).db.read() as session:
        leads = actor(request).may(Permission.FLOOR_LEAD)
        reports = await queries.open_reports(session, actor(request)) if leads else []
    return await page(
        request,
        "floor/page.html",
        mark=board.mark,
        parts={key: Markup(board.html(key)) for key in PARTS},  # noqa: S704 - rendered by our own templates
        lists={name: [Markup(row) for row in live_floor.rows_of(board, name)] for name in LISTS},  # noqa: S704 - as above
        query=query,
        chosen=chosen,
        reports=reports,
        reasons=abuse.REASONS,
    )


@route("GET", HOME + "/changes", permission=SEE)
async def changes(request: web.Request) -> web.StreamResponse:
    """What changed on the floor since a mark, as JSON: pieces of HTML by key, and the order of lists."""
    query = read_query(request, SinceQuery)
    board = await _board(request)
    now = context(request).clock.now().isoformat()
    text = f'{{"now":"{now}",{board.since(query.mark)}}}'
    return web.Response(text=text, content_type="application/json", charset="utf-8")


@route("GET", HOME + r"/agents/{user_id:\d+}", permission=SEE)
async def agent_panel(request: web.Request) -> web.StreamResponse:
    """One agent, with what may be done about him."""
    chosen = await _chosen(request, path_id(request, "user_id"))
    return fragment(request, "floor/_chosen.html", chosen=chosen)


@route("GET", HOME + r"/agents/{user_id:\d+}/now", permission=SEE)
async def agent_now(request: web.Request) -> web.StreamResponse:
    """How he stands, and the buttons that follow from it; without what is filled in."""
    chosen = await _chosen(request, path_id(request, "user_id"))
    return fragment(request, "floor/_chosen_now.html", chosen=chosen)


async def _board(request: web.Request, *, at_once: bool = False) -> Board:
    ctx, person = context(request), actor(request)
    env, limits = request.app[JINJA], live_floor.limits_of(ctx.settings.floor)

    def render(template: str, **values: Any) -> str:
        return env.get_template(template).render(values)

    async def build(board: Board) -> None:
        async with ctx.db.read() as session:
            seen = await live_floor.snapshot(session, person, ctx.clock.now())
        live_floor.fill(board, seen, limits, render)

    return await request.app[FLOOR].board(f"unit {person.unit_id}", build, at_once=at_once)


async def _chosen(request: web.Request, user_id: int) -> dict[str, Any]:
    """The agent with his queues; one who is not signed in, or not of this floor, stands as gone."""
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        found = await agents_now(session, person, only=user_id)
        if not found:
            return {"gone": True, "user_id": user_id}
        words = await live_floor.words(session)
        options = await reasons.choices(session, "not_ready")
        allowed = await choices.queues_of(session, user_id)
    one = found[0]
    return {
        "gone": False,
        "user_id": user_id,
        "one": one,
        "state": STATE_WORDS[one.state],
        "tone": tone_of(one.state),
        "detail": live_floor.detail_of(one, words),
        "reasons": options,
        "queues": [(name, label, name in one.queues) for name, label in allowed],
        "own": one.user_id == person.user_id,
        "token": new_token(9),  # the same click is the same order, however often it arrives
    }
