"""Which cards a clock that was claimed gets: every step of the ladder that is due, in order; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import HotlineError
from sla.calendar import Calendar
from sla.clocks import NATURAL, Limit
from sla.ladder import Ladder, Level, Post

LATE = timedelta(minutes=10)


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
    """From `step` on, as far as `now` reaches. What lies beyond the calendar's years never comes.

    What is late (the node slept, a merge was undone at night) waits for work to begin, unless the clock
    runs day and night.
    """
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
        if not found and now - at > LATE and limit.unit not in NATURAL:
            begins = _next_work(calendar, now)
            if begins > now:
                return Issue((), step, begins)
        found.append((steps[step].level, steps[step].posts))
        step += 1
    return Issue(tuple(found), step, None)


def _next_work(calendar: Calendar, now: datetime) -> datetime:
    """`now` within working time, else when work begins again."""
    place = calendar.position(now)
    return max(now, calendar.instant(calendar.when_worked(calendar.worked(place) + 1) - 1))


def highest(levels: Sequence[Level]) -> Level:
    """The last of them in the order of the ladder."""
    return max(levels, key=list(Level).index)
