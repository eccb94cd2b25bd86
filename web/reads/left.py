"""The time left on a ticket in words, with why it is so.

Its colour follows the ladder, never the time alone: what a clock has come to by the pack in force.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.clock import to_city
from tickets.limits import Limits, Matter
from tickets.queries import TicketItem, TicketPage
from tickets.states import FINAL, STAGE_LABELS, Stage, State

FORECAST = "节假日安排未公布，暂按法定节日推算"
_NATURAL = re.compile(r"\d+[hm]")  # runs day and night: working days would say something else
# What a clock has come to: its colour, and the word beside it. Below the ladder it has neither.
_REACHED = {"blue": ("info", "预警"), "yellow": ("warn", "临期")}


@dataclass(frozen=True)
class Left:
    """`tone` is a state colour: good, info, warn, bad, or quiet."""

    words: str
    why: str
    tone: str


@dataclass(frozen=True)
class Running:
    """What the ladder asks of a clock: its limit, and when it began."""

    limit: str | None
    start: datetime


class Staged(Protocol):
    """A line of a list with the stage that runs."""

    @property
    def type(self) -> str: ...
    @property
    def urgency(self) -> str: ...
    @property
    def category_id(self) -> int: ...
    @property
    def round(self) -> int: ...
    @property
    def stage(self) -> str | None: ...
    @property
    def stage_since(self) -> datetime | None: ...
    @property
    def stage_due_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...


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
        words, tone = _before_dispatch(ticket, ticket.stage_due_at, now, limits)
        return Left(f"{word}{words}", f"应于 {to_city(ticket.stage_due_at):%m-%d %H:%M}", tone)
    words, tone = total_span(ticket, now, limits) or ("", "quiet")
    moved = f"，已延期 {ticket.extensions} 次" if ticket.extensions else ""
    again = f"，第 {ticket.round - 1} 次重办" if ticket.round > 1 else ""
    unsure = "" if limits.is_known(due) else f"（{to_city(due).year} 年{FORECAST}）"
    why = f"总时限至 {to_city(due):%m-%d %H:%M}{unsure}{moved}{again}"
    return Left(words, f"{why}；{there}" if there else why, tone)


def _before_dispatch(ticket: TicketPage, due: datetime, now: datetime, limits: Limits) -> tuple[str, str]:
    start = ticket.created_at
    limit = (
        limits.promise(Stage(ticket.stage), _matter(ticket), start) if ticket.stage in set(Stage) else None
    )
    return span(due, now, limits, Running(limit, start))


def _matter(ticket: TicketPage | TicketItem | Staged) -> Matter:
    return Matter(ticket.type, ticket.urgency, ticket.category_id, ticket.round)


def total_span(ticket: TicketPage | TicketItem, now: datetime, limits: Limits) -> tuple[str, str] | None:
    """What is left of the citizen's total; None before the first dispatch."""
    if ticket.due_at is None:
        return None
    start = ticket.dispatched_at or ticket.created_at
    limit = limits.promise(Stage.REDO if ticket.round > 1 else Stage.TOTAL, _matter(ticket), start)
    words, tone = span(ticket.due_at, now, limits, Running(limit, start))
    if ticket.state == State.SUSPENDED.value and tone != "bad":
        return words, "quiet"  # the clock stands, and so does the ladder
    return words, tone


def opinion_span(ticket: TicketItem, due: datetime, now: datetime, limits: Limits) -> tuple[str, str]:
    """What is left for a co-handler's opinion."""
    start = ticket.dispatched_at or ticket.created_at
    limit = limits.promise(Stage.CO_OPINION, _matter(ticket), start)
    return span(due, now, limits, Running(limit, start))


def stage_span(row: Staged, now: datetime, limits: Limits) -> tuple[str, str] | None:
    """What is left of the stage that runs; None without a due time."""
    if row.stage_due_at is None or row.stage is None:
        return None
    start = row.stage_since or row.created_at
    limit = limits.promise(Stage(row.stage), _matter(row), start)
    return span(row.stage_due_at, now, limits, Running(limit, start))


def left_until(due: datetime | None, now: datetime, limits: Limits) -> Left | None:
    """What is left until `due`, for what no ladder watches; None without a due time."""
    if due is None:
        return None
    words, tone = span(due, now, limits)
    return Left(words, f"应于 {to_city(due):%m-%d %H:%M}", tone)


def span(due: datetime, now: datetime, limits: Limits, running: Running | None = None) -> tuple[str, str]:
    """How far `due` is, in words, and the tone of the ladder; working days are those the limits count."""
    if now > due:
        return f"超期 {_long(now - due)}", "bad"
    level = limits.reached(running.limit, running.start, due, now) if running is not None else None
    tone, word = _REACHED.get(level or "", ("quiet", ""))
    by_hours = running is not None and _NATURAL.fullmatch(running.limit or "")
    days = 0 if by_hours else limits.days_left(now, due)
    words = f"剩 {days} 个工作日" if days >= 1 else f"剩 {_long(due - now)}"
    return f"{words} · {word}" if word else words, tone


def _long(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    hours = minutes // 60
    return f"{hours} 小时" if hours < 48 else f"{hours // 24} 天"
