"""The time left on a ticket in words, with why it is so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import to_city
from tickets.limits import Limits
from tickets.queries import TicketPage
from tickets.states import FINAL, STAGE_LABELS, Stage, State

FORECAST = "节假日安排未公布，暂按法定节日推算"


@dataclass(frozen=True)
class Left:
    """`tone` is a state colour: good, info, warn, bad."""

    words: str
    why: str
    tone: str


def left_of(ticket: TicketPage, now: datetime, limits: Limits) -> Left | None:
    """What is left of the total, else of the present stage; None for what is over or has no limit."""
    if State(ticket.state) in FINAL:
        return None
    stage = ticket.stage
    word = STAGE_LABELS[Stage(stage)] if stage in set(Stage) else ""
    there = f"当前环节{word}应于 {to_city(ticket.stage_due_at):%m-%d %H:%M}" if ticket.stage_due_at else ""
    due = ticket.due_at
    if due is None:
        if ticket.stage_due_at is None:
            return None
        words, tone = span(ticket.stage_due_at, now, limits)
        return Left(f"{word}{words}", f"应于 {to_city(ticket.stage_due_at):%m-%d %H:%M}", tone)
    words, tone = span(due, now, limits)
    moved = f"，已延期 {ticket.extensions} 次" if ticket.extensions else ""
    again = f"，第 {ticket.round - 1} 次重办" if ticket.round > 1 else ""
    unsure = "" if limits.is_known(due) else f"（{to_city(due).year} 年{FORECAST}）"
    why = f"总时限至 {to_city(due):%m-%d %H:%M}{unsure}{moved}{again}"
    return Left(words, f"{why}；{there}" if there else why, tone)


def left_until(due: datetime | None, now: datetime, limits: Limits) -> Left | None:
    """What is left until `due`, for a line of a list; None without a due time."""
    if due is None:
        return None
    words, tone = span(due, now, limits)
    return Left(words, f"应于 {to_city(due):%m-%d %H:%M}", tone)


def span(due: datetime, now: datetime, limits: Limits) -> tuple[str, str]:
    """How far `due` is, in words, and the tone; working days are those the limits count."""
    if now > due:
        return f"超期 {_long(now - due)}", "bad"
    days = limits.days_left(now, due)
    if days >= 1:
        return f"剩 {days} 个工作日", "info" if days > 1 else "warn"
    return f"剩 {_long(due - now)}", "warn"


def _long(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    hours = minutes // 60
    return f"{hours} 小时" if hours < 48 else f"{hours // 24} 天"
