"""Figures of quality (质检统计): by agent and by item, with files."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.quality import figures
from telephony.shifts.hours import monday_of, today
from web import sheets
from web.context import actor, context
from web.inputs import Fields, read_query
from web.render import page
from web.routes import route

HOME = "/quality/figures"
READ = Permission.QUALITY_READ
WEEKS = 8
FORMULAS = {
    "mean": "平均分 = 已评分通话的得分之和 ÷ 通话数；得分 = 所给分数 ÷ 适用项目分值 × 100，一票否决为 0",
    "share": "得分率 = 该项所给分数之和 ÷ 该项适用时的分值之和",
    "changed": "申诉后改评的通话数",
}
AGENT_HEADS = ("工号", "姓名", "抽取", "已评分", "平均分", "一票否决", "申诉", "改评")
ITEM_HEADS = ("分组", "项目", "评分次数", "得分率（%）", "扣分次数", "一票否决次数")


class FiguresQuery(Fields):
    first: date | None = None
    last: date | None = None
    file: sheets.Form | None = None
    by: str = ""


@route("GET", HOME, permission=READ)
async def figures_page(request: web.Request) -> web.StreamResponse:
    """Agents and items over some weeks; as a table or as a file."""
    query, person = read_query(request, FiguresQuery), actor(request)
    first, last = _span(request, query)
    async with context(request).db.read() as session:
        agents = await figures.by_agent(session, person, first, last)
        items = await figures.by_item(session, person, first, last)
    if query.file is not None:
        if query.by == "item":
            return await sheets.table_file(f"质检项目{first}", query.file, ITEM_HEADS, _item_rows(items))
        return await sheets.table_file(f"质检人员{first}", query.file, AGENT_HEADS, _agent_rows(agents))
    scored = sum(one.scored for one in agents)
    return await page(
        request,
        "quality/figures.html",
        agents=agents,
        items=items,
        first=first,
        last=last,
        formulas=FORMULAS,
        scored=scored,
        drawn=sum(one.drawn for one in agents),
        mean=sum((one.mean or 0) * one.scored for one in agents) / scored if scored else None,
        fatal=sum(one.fatal for one in agents),
        appeals=sum(one.appeals for one in agents),
        changed=sum(one.changed for one in agents),
    )


def _span(request: web.Request, query: FiguresQuery) -> tuple[date, date]:
    """The Mondays asked for; by default the last eight. Raises `quality_span`."""
    last = monday_of(query.last or today(context(request).clock.now()))
    first = monday_of(query.first) if query.first else last - timedelta(weeks=WEEKS - 1)
    if first > last or (last - first).days > 7 * figures.LONGEST:
        raise HotlineError("quality_span")
    return first, last


def _agent_rows(found: list[figures.AgentFigure]) -> list[tuple[sheets.Cell, ...]]:
    return [
        (one.login, one.name, one.drawn, one.scored, one.mean, one.fatal, one.appeals, one.changed)
        for one in found
    ]


def _item_rows(found: list[figures.ItemFigure]) -> list[tuple[sheets.Cell, ...]]:
    return [
        (
            one.group,
            one.name,
            one.marked,
            None if one.share is None else round(100 * one.share, 1),
            None if one.fatal else one.lost,
            one.found if one.fatal else None,
        )
        for one in found
    ]
