"""Why a ticket's total is due when it is, for the page: one sentence, or none rather than a wrong one."""

from __future__ import annotations

from datetime import datetime

from core.clock import to_city
from tickets.limits import Limits, Matter
from tickets.queries import TicketPage
from tickets.states import Stage
from web.reads.process import Process


def why_due(ticket: TicketPage, process: Process, limits: Limits) -> str | None:
    """How the limits in force come to the ticket's due time, with extensions granted and suspensions.

    None when they come to another one: what was promised under other limits stays, and is not explained
    by these.
    """
    start = _start(ticket, process)
    if start is None or ticket.due_at is None:
        return None
    matter = Matter(ticket.type, ticket.urgency, ticket.category_id, ticket.round)
    stage = Stage.TOTAL if ticket.round == 1 else Stage.REDO
    reason = limits.reason(stage, matter, start)
    if reason is None:
        return None
    due, sentence = reason.due, reason.sentence
    clock = limits.clock(stage, matter, start)
    for begin, end, days in sorted((*_granted(process, start), *_pauses(process, start)), key=_begin):
        if end is None:
            due = limits.later(due, days)
            sentence += f"同意延期 {days} 个工作日，至 {_shown(due)}。"
            continue
        moved = limits.moved(clock.limit if clock else None, due, begin, end)
        if moved != due:
            due = moved
            sentence += f"{_shown(begin)} 至 {_shown(end)} 挂起，顺延至 {_shown(due)}。"
    return sentence if due == ticket.due_at else None


Change = tuple[datetime, datetime | None, int]
"""When it began; when a pause ended, or the days an extension added."""


def _begin(change: Change) -> datetime:
    return change[0]


def _shown(instant: datetime) -> str:
    return f"{to_city(instant):%Y-%m-%d %H:%M}"


def _start(ticket: TicketPage, process: Process) -> datetime | None:
    """The first dispatch, or the redo."""
    if ticket.round == 1 or ticket.dispatched_at is None:
        return ticket.dispatched_at
    return min((one.started_at for one in process.stages if one.round == ticket.round), default=None)


def _granted(process: Process, start: datetime) -> list[Change]:
    """The extensions of this round."""
    return [
        (one.decided_at or one.requested_at, None, one.days)
        for one in process.requests
        if one.kind == "extension" and one.state == "approved" and one.days and one.requested_at >= start
    ]


def _pauses(process: Process, start: datetime) -> list[Change]:
    """The suspensions of this round that are over."""
    return [
        (one.started_at, one.ended_at, 0)
        for one in process.stages
        if one.stage == Stage.SUSPENSION.value and one.ended_at is not None and one.started_at >= start
    ]
