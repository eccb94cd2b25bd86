"""Why a ticket's total is due when it is, for the page: one sentence, or none rather than a wrong one."""

from __future__ import annotations

from datetime import datetime

from core.clock import to_city
from tickets.limits import Limits, Matter
from tickets.queries import TicketPage
from tickets.states import Stage
from web.reads.process import Process


def why_due(ticket: TicketPage, process: Process, limits: Limits) -> str | None:
    """How the limits in force come to the ticket's due time, with the extensions that were granted.

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
    for days in _granted(process, start):
        due = limits.later(due, days)
        sentence += f"同意延期 {days} 个工作日，至 {to_city(due):%Y-%m-%d %H:%M}。"
    return sentence if due == ticket.due_at else None


def _start(ticket: TicketPage, process: Process) -> datetime | None:
    """The first dispatch, or the redo."""
    if ticket.round == 1 or ticket.dispatched_at is None:
        return ticket.dispatched_at
    return min((one.started_at for one in process.stages if one.round == ticket.round), default=None)


def _granted(process: Process, start: datetime) -> list[int]:
    """Days of the extensions of this round, in the order they were granted."""
    return [
        one.days
        for one in sorted(process.requests, key=lambda one: one.id)
        if one.kind == "extension" and one.state == "approved" and one.days and one.requested_at >= start
    ]
