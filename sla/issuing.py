"""Which cards a clock that was claimed gets: every step of the ladder that is due, in order; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import HotlineError
from sla.calendar import Calendar
from sla.clocks import Limit
from sla.ladder import Ladder, Level, Post


@dataclass(frozen=True)
class Issue:
    """What is issued for a clock now, and where its ladder stands afterwards."""

    cards: tuple[tuple[Level, tuple[Post, ...]], ...]
    step: int
    alarm: datetime | None


def issue(
    ladder: Ladder,
    calendar: Calendar,
    limit: Limit,
    start: datetime,
    due: datetime,
    step: int,
    now: datetime,
) -> Issue:
    """From `step` on, as far as `now` reaches. What lies beyond the calendar's years never comes."""
    steps = ladder.steps(limit)
    found: list[tuple[Level, tuple[Post, ...]]] = []
    while step < len(steps):
        try:
            at = steps[step].moment.at(calendar, limit, start, due)
        except HotlineError as error:
            if error.code != "calendar_range":
                raise
            return Issue(tuple(found), len(steps), None)
        if at > now:
            return Issue(tuple(found), step, at)
        found.append((steps[step].level, steps[step].posts))
        step += 1
    return Issue(tuple(found), step, None)


def highest(levels: Sequence[Level]) -> Level:
    """The last of them in the order of the ladder."""
    return max(levels, key=list(Level).index)
