"""Attendance (考勤): who came, who was late, how the rostered time was kept to; by month and person."""

from __future__ import annotations

import calendar
import re
from datetime import date

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.shifts import figures, queries
from telephony.shifts.attendance import Presence, Rules, minutes, summary
from telephony.shifts.hours import shown, today
from web import sheets
from web.context import actor, context
from web.inputs import Fields, path_id, read_query
from web.render import page
from web.routes import route

HOME = "/attendance"
READ = Permission.ROTA_READ
PRESENCE = {
    Presence.PLANNED: ("未开始", "quiet"),
    Presence.AWAITED: ("未到", "warn"),
    Presence.RUNNING: ("在岗", "info"),
    Presence.PRESENT: ("出勤", "good"),
    Presence.ABSENT: ("缺勤", "bad"),
}
FORMULAS = {
    "late": "首次签入晚于上班时间且超过宽限分钟数；未签入的按缺勤，不计迟到",
    "early": "最后签出早于下班时间且超过宽限分钟数；班次结束后才计",
    "absent": "整个班次内没有签入",
    "overtime": "下班后继续签入的时间，满起算分钟数才计；至多算到与下一班的一半、4 小时",
    "present": "班次内（不含休息）签入的时间",
    "due": "班次内（不含休息）已过去的应到时间",
    "adherence": (
        "依从率 = 班次内处于应有状态的时间 ÷ 班次内已过去的时间，均不含休息。应有状态：示闲、振铃、通话、"
        "保持、话后整理、回拨，以及示忙中的培训、会议、辅导谈话、处理工单"
    ),
}
HEADS = (
    "工号", "姓名", "应出勤班次", "缺勤", "迟到次数", "迟到分钟", "早退次数", "早退分钟", "加班分钟",
    "应到分钟", "实到分钟", "依从率（%）",
)  # fmt: skip


class MonthQuery(Fields):
    month: str = Field("", max_length=7)
    form: sheets.Form | None = None


def rules(request: web.Request) -> Rules:
    """What counts as late and as overtime here."""
    given = context(request).settings.shifts
    return figures.rules_of(given.grace_minutes, given.overtime_minutes)


def month_of(request: web.Request, text: str) -> tuple[date, date]:
    """The first and the last day of `2026-11`; of this month by default. Raises `attendance_span`."""
    day = today(context(request).clock.now())
    if text:
        match = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text)
        if match is None:
            raise HotlineError("attendance_span")
        day = date(int(match[1]), int(match[2]), 1)
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def percent(share: float | None) -> str:
    """A share as people read it."""
    return "—" if share is None else f"{100 * share:.1f}%"


@route("GET", HOME, permission=READ)
async def month_page(request: web.Request) -> web.StreamResponse:
    """A month, a person a line; today's floor above it."""
    query, ctx = read_query(request, MonthQuery), context(request)
    first, last = month_of(request, query.month)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        found = await figures.shifts(session, actor(request), first, last, now, rules(request))
        people = await queries.people(session, first, last)
    lines = figures.by_person(found, people)
    if query.form is not None:
        rows = [_cells(line) for line in lines]
        return await sheets.table_file(f"考勤{first:%Y-%m}", query.form, HEADS, rows)
    day = today(now)
    names = {ident: name for ident, _, name in people}
    return await page(
        request,
        "attendance/month.html",
        month=f"{first:%Y-%m}",
        lines=lines,
        whole=summary(one.attendance for one in found),
        now_rows=[(one, names.get(one.user_id, "?")) for one in found if one.day == day],
        formulas=FORMULAS,
        presence=PRESENCE,
        percent=percent,
        minutes=minutes,
        shown=shown,
        rules=rules(request),
    )


def _cells(line: figures.PersonFigure) -> tuple[sheets.Cell, ...]:
    s = line.summary
    share = None if s.adherence is None else round(100 * s.adherence, 1)
    times = (minutes(s.overtime), minutes(s.due), minutes(s.present))
    late = (s.late, minutes(s.late_time), s.early, minutes(s.early_time))
    return (line.login, line.name, s.shifts, s.absent, *late, *times, share)


@route("GET", HOME + r"/people/{user_id:\d+}", permission=READ)
async def person_page(request: web.Request) -> web.StreamResponse:
    """A person's month, a shift a line."""
    query, ctx, ident = read_query(request, MonthQuery), context(request), path_id(request, "user_id")
    first, last = month_of(request, query.month)
    async with ctx.db.read() as session:
        people = [one for one in await queries.people(session, first, last) if one[0] == ident]
        if not people:
            raise HotlineError("not_found")
        now = ctx.clock.now()
        found = await figures.shifts(session, actor(request), first, last, now, rules(request), ident)
    return await page(
        request,
        "attendance/person.html",
        person=people[0],
        month=f"{first:%Y-%m}",
        rows=found,
        whole=summary(one.attendance for one in found),
        formulas=FORMULAS,
        presence=PRESENCE,
        percent=percent,
        minutes=minutes,
        shown=shown,
    )
