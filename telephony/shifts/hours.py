"""Hours of a shift on a day of the city, over midnight too, and shifts that clash; pure.

Minutes count from 00:00 of the day a shift begins on: 22:00 to 06:00 is (1320, 1800). Instants are UTC.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError

MIDNIGHT = 24 * 60
LONGEST = 16 * 60  # minutes of one shift
MOST_BREAKS = 6
_SPAN = re.compile(r"([0-9]{1,2})[:：]([0-5][0-9])\s*[-–—~～至]\s*([0-9]{1,2})[:：]([0-5][0-9])")


@dataclass(frozen=True, order=True)
class Span:
    """From `begin` up to but without `end`; both aware."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return max(self.end - self.begin, timedelta())


@dataclass(frozen=True)
class Hours:
    """Begin, end and breaks in minutes from 00:00 of the shift's day."""

    starts: int
    ends: int
    breaks: tuple[tuple[int, int], ...] = ()

    @property
    def over_midnight(self) -> bool:
        return self.ends > MIDNIGHT

    @property
    def due(self) -> int:
        """Minutes without the breaks."""
        return self.ends - self.starts - sum(end - begin for begin, end in self.breaks)

    def span(self, day: date) -> Span:
        """When a shift of that day is."""
        return Span(instant(day, self.starts), instant(day, self.ends))

    def pauses(self, day: date) -> tuple[Span, ...]:
        """When its breaks are."""
        return tuple(Span(instant(day, begin), instant(day, end)) for begin, end in self.breaks)


def instant(day: date, minute: int) -> datetime:
    """A minute of a day of the city as UTC; minutes may run past midnight."""
    return (datetime.combine(day, time(), CITY_ZONE) + timedelta(minutes=minute)).astimezone(UTC)


def parse_hours(text: str, breaks: str = "") -> Hours:
    """`22:00-06:00` with breaks such as `02:00-02:30 04:00-04:15`; an end not behind the begin is tomorrow's.

    Raises `shift_hours` (unreadable, or longer than 16 hours), `shift_breaks` (unreadable, outside the
    shift, overlapping, more than six).
    """
    spans = _spans(text)
    if spans is None or len(spans) != 1:
        raise HotlineError("shift_hours")
    starts, ends = spans[0]
    if starts >= MIDNIGHT or ends - starts > LONGEST:
        raise HotlineError("shift_hours")
    found = _spans(breaks) if breaks.strip() else []
    if found is None or len(found) > MOST_BREAKS:
        raise HotlineError("shift_breaks")
    pauses = sorted(_within(span, starts) for span in found)
    inside = all(starts <= begin < end <= ends for begin, end in pauses)
    if not inside or any(after[0] < before[1] for before, after in pairwise(pauses)):
        raise HotlineError("shift_breaks")
    hours = Hours(starts, ends, tuple(pauses))
    if hours.due <= 0:
        raise HotlineError("shift_breaks")
    return hours


def _spans(text: str) -> list[tuple[int, int]] | None:
    found, rest = [], _SPAN.sub(" ", text)
    if re.sub(r"[\s,，;；、]", "", rest):
        return None
    for match in _SPAN.finditer(text):
        hour, minute, end_hour, end_minute = map(int, match.groups())
        begin, end = hour * 60 + minute, end_hour * 60 + end_minute
        if max(begin, end) > MIDNIGHT:
            return None
        found.append((begin, end if end > begin else end + MIDNIGHT))
    return found


def _within(span: tuple[int, int], starts: int) -> tuple[int, int]:
    """A break as minutes of the shift's own day: 02:00 in a night shift is tomorrow's."""
    begin, end = span
    return (begin + MIDNIGHT, end + MIDNIGHT) if begin < starts else span


def shown(begin: int, end: int) -> str:
    """`22:00-06:00`, as it is read back; tomorrow's end says so by itself."""
    return f"{begin // 60 % 24:02}:{begin % 60:02}-{_end(end)}"


def _end(minute: int) -> str:
    return "24:00" if minute == MIDNIGHT else f"{minute // 60 % 24:02}:{minute % 60:02}"


def shown_breaks(breaks: Iterable[Sequence[int]]) -> str:
    """Breaks as they are read back."""
    return " ".join(shown(begin, end) for begin, end in breaks)


def monday_of(day: date) -> date:
    """The first day of the week a day lies in."""
    return day - timedelta(days=day.weekday())


def today(now: datetime) -> date:
    """The day it is in the city."""
    return to_city(now).date()


def clashes(shifts: Iterable[tuple[int, date, Hours]], rest: int = 0) -> list[tuple[int, date, date]]:
    """Of whom which shift begins before the one before has ended (`rest`: minutes later): person, days."""
    by_person: dict[int, list[tuple[date, Span]]] = {}
    for person, day, hours in shifts:
        by_person.setdefault(person, []).append((day, hours.span(day)))
    found = []
    for person, spans in by_person.items():
        for (day, span), (next_day, following) in pairwise(sorted(spans, key=lambda one: one[1].begin)):
            if following.begin < span.end + timedelta(minutes=rest):
                found.append((person, day, next_day))
    return found
