"""What running clocks are due by another calendar, from their rows alone; pure.

A clock is due when its limit is used up from its start, moved on by what happened to it, in order: a
suspension that is over, an extension that was granted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from core.errors import HotlineError
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add, moved, parse_limit
from tickets.states import Stage

parsed = lru_cache(maxsize=1000)(parse_limit)
STANDING = frozenset({Stage.TOTAL.value, Stage.CONTACT.value, Stage.CO_OPINION.value})
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Granted:
    """An extension: when it was asked for and decided, and the working days it added."""

    asked: datetime
    decided: datetime
    days: int


@dataclass(frozen=True)
class Past:
    """What happened to a ticket that moved its clocks: suspensions that are over, extensions granted."""

    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extensions: tuple[Granted, ...] = ()


NOTHING = Past()
Caps = tuple[datetime, datetime] | None


def past_of(stages: Iterable[Any], requests: Iterable[Any]) -> Past:
    """From rows of suspensions (with their end, or running) and of extensions that were approved."""
    rows = list(stages)
    running = {row["started_at"] for row in rows if row["ended_at"] is None}
    ended: dict[datetime, datetime] = {}
    for row in rows:  # one that was broken off and went on has two rows with one start
        begin, end = row["started_at"], row["ended_at"]
        if end is not None and begin not in running:
            ended[begin] = max(end, ended.get(begin, end))
    extensions = (Granted(row["requested_at"], row["decided_at"], row["days"] or 0) for row in requests)
    return Past(tuple(sorted(ended.items())), tuple(sorted(extensions, key=lambda one: one.decided)))


def renewed(
    calendar: Calendar, formers: Sequence[Calendar], row: Any, past: Past, *, was: datetime, most: Caps = None
) -> datetime | None:
    """The due time of a clock that was due at `was`, by the new calendar; None: nobody knows why it was.

    Only what a former calendar explains is counted anew: a time that was promised in another way stays.
    `most`: a time it was capped by, and the one that caps it now.
    """
    told = row["stage"], row["limit"], row["started_at"], past
    try:
        due = due_of(calendar, *told)
        due = due if most is None else min(due, most[1])
        if due == was:
            return due
        for former in formers:
            old = due_of(former, *told)
            if was == (old if most is None else min(old, most[0])):
                return due
    except HotlineError as error:
        if error.code != "calendar_range":  # too far away for a calendar: it stays
            raise
    return None


def later(calendar: Calendar, due: datetime, working_days: int) -> datetime:
    """A due time moved on by working days; one at the end of work belongs to the day it ends."""
    if not working_days:
        return due
    return add(calendar, due - SECOND, Limit(working_days, Unit.WORKING_DAY))


def due_of(calendar: Calendar, stage: str, limit: str, start: datetime, past: Past = NOTHING) -> datetime:
    """When a clock with this row is due. Errors: those of `add`."""
    told = parsed(limit)
    due = add(calendar, start, told)
    if past is NOTHING or stage not in STANDING:
        return due
    changes: list[tuple[datetime, datetime | int]] = [
        (max(begin, start), end) for begin, end in past.pauses if end > start
    ]
    if stage == Stage.TOTAL.value:
        changes += [(one.decided, one.days) for one in past.extensions if one.asked >= start]
    for at, what in sorted(changes, key=lambda one: one[0]):
        if isinstance(what, int):
            due = later(calendar, due, what)
        else:
            due = moved(calendar, due, at, what, told.unit)
    return due
