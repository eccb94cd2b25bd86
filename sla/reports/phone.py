"""Phone reports (话务报表): the telephone's figures by span of time, by agent or by queue.

What a column is and how it is reckoned stands in `telephony.measures`; each line knows its span, its queue
and its agent, so that a page can lead to the calls it counted. Nothing is kept: it is read when asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.errors import HotlineError
from sla.reports.document import Cell, Format
from sla.reports.periods import LONGEST as LONGEST_ELSE
from sla.reports.periods import check, length
from sla.reports.phone_sheets import (
    AGENT,
    CALLS,
    OCCUPANCY,
    OUTGOING,
    SPAN_HEAD,
    TAKEN,
    WORKED,
    Asked,
    By,
    Line,
    Measure,
    PhoneReport,
    Sheet,
)
from telephony.agent_figures import AgentFigures, by_agent, time_by
from telephony.figures import Figures, figures_by, queue_figures
from telephony.grains import Grain, begin_of, city_midnight, end_of
from telephony.measures import NOBODY, Outgoing, Worked
from telephony.outgoing import OutgoingOf, outgoing_by, outgoing_of_each

SPAN = Format.SPAN
WEEKDAYS = "一二三四五六日"
LONGEST = {By.QUARTER: 7, By.HOUR: 31}  # days: a table of some hundred lines
Words = Mapping[str, str]
SPAN_CHARTS = (
    ("进线与接通（个）", ("offered", "answered")),
    ("接通率与15秒应答率", ("answer_rate", "prompt_rate")),
)


async def read(
    session: AsyncSession, asked: Asked, now: datetime, queues: Words, reasons: Words
) -> PhoneReport:
    """The report; `queues` and `reasons` (of not ready) in words, by code.

    Raises HotlineError report_days_reversed, phone_report_too_long, report_in_future.
    """
    if length(asked.period) > LONGEST.get(asked.by, LONGEST_ELSE):
        raise HotlineError("phone_report_too_long")
    check(asked.period, to_city(now).date())
    begin = city_midnight(asked.period.first)
    end = city_midnight(asked.period.last + timedelta(days=1))
    if asked.by is By.QUEUE:
        sheets = await _by_queue(session, asked, (begin, end), now, queues)
    elif asked.by is By.AGENT:
        sheets = await _by_agent(session, asked, (begin, end), now, reasons)
    else:
        sheets = await _by_span(session, asked, (begin, end), now, reasons)
    return PhoneReport(asked, tuple(sheets), now)


async def _by_span(
    session: AsyncSession, asked: Asked, days: tuple[datetime, datetime], now: datetime, reasons: Words
) -> list[Sheet]:
    begin, end = days
    grain = Grain(asked.by.value)
    worked = await time_by(session, begin, end, grain, now) if asked.queue is None else {}
    figures = await figures_by(session, begin, end, grain, queue=asked.queue, now=now, worked=worked)
    made = await outgoing_by(session, begin, end, grain) if asked.queue is None else {}
    told = [end_of(at, grain) for at in (*figures, *made, *worked)]  # a PBX's clock may be ahead of ours
    upto = min(end, max(now, begin + timedelta(seconds=1), *told))
    spans = list(_spans(begin, upto, grain))
    total = reduce(lambda sums, one: sums.plus(vars(one)), figures.values(), Figures())
    calls = Sheet(
        "来电",
        SPAN_HEAD,
        CALLS,
        tuple(_line(at, grain, days, _cells(CALLS, figures.get(at, Figures())), asked.queue) for at in spans),
        Line("合计", begin, end, _cells(CALLS, total), asked.queue),
        SPAN_CHARTS,
    )
    if asked.queue is not None:
        return [calls]
    lines = [_line(at, grain, days, _cells(OUTGOING, made.get(at, Outgoing()))) for at in spans]
    out = _out_sheet(SPAN_HEAD, lines, made.values(), days)
    rows = [_Row(_label(at, grain), *_within(at, grain, days), worked[at]) for at in spans if at in worked]
    return [calls, *out, _time_sheet("坐席工时", SPAN_HEAD, rows, days, reasons)]


def _within(at: datetime, grain: Grain, days: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """What of the span beginning at `at` lies in the period."""
    begin, end = days
    return max(at, begin), min(end_of(at, grain), end)


def _line(
    at: datetime,
    grain: Grain,
    days: tuple[datetime, datetime],
    cells: tuple[Cell, ...],
    queue: str | None = None,
) -> Line:
    return Line(_label(at, grain), *_within(at, grain, days), cells, queue)


async def _by_queue(
    session: AsyncSession, asked: Asked, days: tuple[datetime, datetime], now: datetime, queues: Words
) -> list[Sheet]:
    begin, end = days
    found = await queue_figures(session, begin, end, now)
    if asked.queue is not None:
        found = {name: one for name, one in found.items() if name == asked.queue}
    total = reduce(lambda sums, one: sums.plus(vars(one)), found.values(), Figures())
    lines = tuple(
        Line(queues.get(name, name), begin, end, _cells(CALLS, found[name]), name) for name in sorted(found)
    )
    return [
        Sheet(
            "来电", "队列", CALLS, lines, Line("合计", begin, end, _cells(CALLS, total), asked.queue),
            (("进线与接通（个）", ("offered", "answered")),),
            "来电计入其最先进入的队列；坐席可在多个队列，工时和利用率不分队列。",
        )
    ]  # fmt: skip


async def _by_agent(
    session: AsyncSession, asked: Asked, days: tuple[datetime, datetime], now: datetime, reasons: Words
) -> list[Sheet]:
    begin, end = days
    found = await by_agent(session, begin, end, now, queue=asked.queue)
    lines = tuple(
        Line(
            _person(one), begin, end, _cells(TAKEN, one), asked.queue, one.user_id,
            one.name if one.user_id is None else "",
        )
        for one in found
    )  # fmt: skip
    # A call that rang at two telephones is behind both lines, so that a sum of lines has no list.
    measures = tuple(TAKEN)
    taken = Sheet(
        "接听",
        AGENT,
        measures,
        lines,
        Line("合计", begin, end, _cells(measures, _together(found)), asked.queue),
        (("接听最多的坐席（个）", ("taken",)),),
        "同一来电由多人接听的，各计一次。",
    )
    at_work = [one for one in found if one.worked.signed_ms]
    rows = [_Row(_person(one), begin, end, one.worked, one.user_id) for one in at_work]
    out = [] if asked.queue is not None else await _made_by_agent(session, days)
    return [taken, *out, _time_sheet("坐席工时", AGENT, rows, days, reasons)]


async def _made_by_agent(session: AsyncSession, days: tuple[datetime, datetime]) -> list[Sheet]:
    found = await outgoing_of_each(session, *days)
    lines = [
        Line(
            _person(one), *days, _cells(OUTGOING, one.figures), None, one.user_id,
            one.name if one.user_id is None else "",
        )
        for one in found
    ]  # fmt: skip
    return _out_sheet(AGENT, lines, [one.figures for one in found], days)


def _out_sheet(
    head: str, lines: Sequence[Line], made: Iterable[Outgoing], days: tuple[datetime, datetime]
) -> list[Sheet]:
    """Calls we made; no table when there were none."""
    total = reduce(Outgoing.plus, made, Outgoing())
    if total == Outgoing():
        return []
    note = "回拨和点击呼叫，不进队列，不入接通率。"
    if head == AGENT:
        note += "同一电话由多人通话的，各计一次。"
    return [
        Sheet(
            "呼出", head, OUTGOING, tuple(lines), Line("合计", *days, _cells(OUTGOING, total)),
            (("呼出与呼通（个）", ("out_calls", "out_reached")),), note,
        )
    ]  # fmt: skip


@dataclass(frozen=True)
class _Row:
    label: str
    since: datetime
    until: datetime
    worked: Worked
    user_id: int | None = None


def _time_sheet(
    title: str, head: str, rows: Sequence[_Row], days: tuple[datetime, datetime], reasons: Words
) -> Sheet:
    """Agents' time: the states, then not ready by each reason that was given."""
    total = NOBODY
    for row in rows:
        for state, ms in row.worked.states.items():
            total = total.plus(state, "", ms) if state != "not_ready" else total
        for reason, ms in row.worked.reasons.items():
            total = total.plus("not_ready", reason, ms)
    order = [*reasons, *sorted(set(total.reasons) - {*reasons})]
    named = [
        Measure(f"reason:{code}", SPAN, title=f"示忙·{reasons.get(code, code) or '未说明'}")
        for code in order
        if code in total.reasons
    ]
    measures = (*WORKED, *named, OCCUPANCY)
    lines = tuple(
        Line(row.label, row.since, row.until, _cells(measures, row.worked), user_id=row.user_id)
        for row in rows
    )
    return Sheet(
        title, head, measures, lines, Line("合计", *days, _cells(measures, total)),
        (("利用率", ("occupancy",)),) if head != AGENT else (),
        "时长按状态在各 15 分钟内的部分计；通话含保持。",
    )  # fmt: skip


def _together(found: Iterable[AgentFigures]) -> AgentFigures:
    names = ("rung", "taken", "missed", "passed_on", "talk_ms", "hold_ms", "wraps", "wrap_ms")
    sums: dict[str, Any] = dict.fromkeys(names, 0)
    for one in found:
        for name in names:
            sums[name] += getattr(one, name)
    return AgentFigures(None, "", "", **sums)


def _cells(measures: Sequence[Measure], of: Figures | Worked | AgentFigures | Outgoing) -> tuple[Cell, ...]:
    """The columns of one line; spans of time in seconds."""
    found: list[Cell] = []
    for one in measures:
        if isinstance(of, Worked) and one.code.startswith("reason:"):
            found.append(of.reasons.get(one.code.removeprefix("reason:"), 0) / 1000)
        else:
            value = getattr(of, one.code)
            found.append(value / 1000 if one.format is SPAN else value)
    return tuple(found)


def _person(one: AgentFigures | OutgoingOf) -> str:
    return f"{one.name}（{one.login}）" if one.login else f"话机 {one.name}"


def _spans(begin: datetime, end: datetime, grain: Grain) -> Iterable[datetime]:
    at = begin_of(begin, grain)
    while at < end:
        yield at
        at = end_of(at, grain)


def _label(at: datetime, grain: Grain) -> str:
    here = to_city(at)
    return _LABELS[grain](here)


_LABELS: dict[Grain, Callable[[datetime], str]] = {
    Grain.QUARTER: lambda here: f"{here:%m-%d %H:%M}",
    Grain.HOUR: lambda here: f"{here:%m-%d %H} 时",
    Grain.DAY: lambda here: f"{here:%m-%d} 周{WEEKDAYS[here.weekday()]}",
    Grain.WEEK: lambda here: f"{here:%m-%d} 至 {here + timedelta(days=6):%m-%d}",
    Grain.MONTH: lambda here: f"{here:%Y-%m}",
}
