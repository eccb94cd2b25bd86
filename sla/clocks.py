"""Clocks: working time added, and counted between two instants; pure.

The rules (docs/adr/0011): a limit of working days excludes the day of the start, and a start at or after
the end of a working day, or on a rest day, counts as made on the next. So the limit of N working days is
over with the (N+1)-th end of a working day after the start. While a clock pauses, ends of days do not
count for it. Every other unit is a stretch of time, over at the earliest instant at which it is used up.
For every start, limit and pauses: `between(start, add(start, limit), unit) == limit.amount`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from core.clock import CITY_ZONE
from core.errors import HotlineError
from sla.calendar import MINUTE, Calendar


class Unit(StrEnum):
    """What a limit is measured in."""

    WORKING_DAY = "wd"
    WORKING_HOUR = "wh"
    WORKING_MINUTE = "wm"
    HOUR = "h"
    MINUTE = "m"


LENGTH = {
    Unit.WORKING_HOUR: 60 * MINUTE,
    Unit.WORKING_MINUTE: MINUTE,
    Unit.HOUR: 60 * MINUTE,
    Unit.MINUTE: MINUTE,
}
NATURAL = frozenset({Unit.HOUR, Unit.MINUTE})
# Some four years each: nothing a law promises is longer, and a slip of the finger is.
LONGEST = {
    Unit.WORKING_DAY: 1_000,
    Unit.WORKING_HOUR: 8_000,
    Unit.WORKING_MINUTE: 480_000,
    Unit.HOUR: 35_000,
    Unit.MINUTE: 2_100_000,
}
_TEXT = re.compile(r"\s*([+-]?[0-9]{1,18})\s*([A-Za-z]{1,12})\s*")


@dataclass(frozen=True)
class Limit:
    """So much of a unit; natural hours and minutes run day and night.

    Errors: limit_not_positive, limit_too_long.
    """

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise HotlineError("limit_not_positive", limit=str(self))
        if self.amount > LONGEST[self.unit]:
            raise HotlineError(
                "limit_too_long", limit=str(self), longest=LONGEST[self.unit], unit=self.unit.value
            )

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


def parse_limit(text: str) -> Limit:
    """`10wd`, `4wh`, `30wm`, `24h`, `15m`.

    Errors: limit_unreadable, limit_unit_unknown, limit_not_positive, limit_too_long.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise HotlineError("limit_unreadable", limit=text)
    unit = match[2].lower()
    if unit not in set(Unit):
        raise HotlineError("limit_unit_unknown", limit=text, unit=match[2], known=", ".join(Unit))
    return Limit(int(match[1]), Unit(unit))


def parse_start(text: str) -> datetime:
    """An ISO instant; without a zone it is the city's time. Errors: start_unreadable."""
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=CITY_ZONE)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise HotlineError("start_unreadable", start=text) from None


@dataclass(frozen=True)
class Pause:
    """The clock stands from `begin` until `end` (aware, half-open)."""

    begin: datetime
    end: datetime
    reason: str = ""
    reason_en: str = ""


def add(calendar: Calendar, start: datetime, limit: Limit, pauses: Iterable[Pause] = ()) -> datetime:
    """When `limit` from `start` is used up (UTC).

    Errors: calendar_range, pause_reversed.
    """
    at = calendar.position(start)
    stretches = _merged(calendar, pauses)
    if limit.unit is Unit.WORKING_DAY:
        marks = _marks(stretches, calendar.closed_by)
        ends = _onward(calendar.closed_by(at), limit.amount + 1, marks)  # how many days have ended by then
        return calendar.instant(calendar.close(ends - 1))
    length = limit.amount * LENGTH[limit.unit]
    if limit.unit in NATURAL:
        return calendar.instant(_onward(at, length, stretches))
    marks = _marks(stretches, calendar.worked)
    return calendar.instant(calendar.when_worked(_onward(calendar.worked(at), length, marks)))


def moved(calendar: Calendar, due: datetime, begin: datetime, end: datetime, unit: Unit) -> datetime:
    """The due time of a clock that stood still from `begin` until `end`, as `add` with that pause has it.

    A pause after the time was over changes nothing. Errors: calendar_range, pause_reversed.
    """
    stretches = _merged(calendar, [Pause(begin, end)])
    at = calendar.position(due)
    if not stretches or stretches[0][0] >= at:
        return due
    if unit is Unit.WORKING_DAY:
        ((first, last),) = _marks(stretches, calendar.closed_by)
        return calendar.instant(calendar.close(calendar.closed_by(at) - 1 + last - first))
    if unit in NATURAL:
        return due + (end - begin)
    ((first, last),) = _marks(stretches, calendar.worked)
    return calendar.instant(calendar.when_worked(calendar.worked(at) + last - first))


def between(
    calendar: Calendar, start: datetime, end: datetime, unit: Unit, pauses: Iterable[Pause] = ()
) -> int:
    """How many whole units are used up at `end` of a clock started at `start`; 0 when it ends before.

    Errors: calendar_range, pause_reversed.
    """
    used = used_up(calendar, start, end, unit, pauses)
    return max(0, used - 1) if unit is Unit.WORKING_DAY else used // LENGTH[unit]


def used_up(
    calendar: Calendar, start: datetime, end: datetime, unit: Unit, pauses: Iterable[Pause] = ()
) -> int:
    """Ends of working days (for wd), else microseconds of the unit's time, without the pauses."""
    first, last = calendar.position(start), calendar.position(end)
    stretches = _merged(calendar, pauses)
    if unit is Unit.WORKING_DAY:
        first, last = calendar.closed_by(first), calendar.closed_by(last)
        stretches = _marks(stretches, calendar.closed_by)
    elif unit not in NATURAL:
        first, last = calendar.worked(first), calendar.worked(last)
        stretches = _marks(stretches, calendar.worked)
    stood = sum(max(0, min(stop, last) - max(begin, first)) for begin, stop in stretches)
    return max(0, last - first - stood)


Stretch = tuple[int, int]


def _onward(start: int, amount: int, stretches: Sequence[Stretch]) -> int:
    """`amount` after `start`, in a measure in which the pauses are these stretches, in order."""
    goal = start + amount
    for begin, stop in stretches:
        if stop <= start:
            continue
        if goal <= begin:
            break
        goal += stop - max(begin, start)
    return goal


def _marks(stretches: Sequence[Stretch], measure: Callable[[int], int]) -> list[Stretch]:
    return [(measure(begin), measure(stop)) for begin, stop in stretches]


def _merged(calendar: Calendar, pauses: Iterable[Pause]) -> list[Stretch]:
    """The pauses as positions, in order, those that touch or overlap made one."""
    found: list[Stretch] = []
    for pause in sorted(pauses, key=lambda one: one.begin):
        if pause.end < pause.begin:
            raise HotlineError("pause_reversed", begin=pause.begin.isoformat(), end=pause.end.isoformat())
        begin, stop = calendar.position(pause.begin), calendar.position(pause.end)
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((begin, stop))
    return found
