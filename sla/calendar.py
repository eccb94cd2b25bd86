"""Working time of a city: a week of intervals and dated exceptions in both directions; pure.

Instants in and out are aware; results are UTC. Days and hours are those of Asia/Shanghai, whatever the
zone of the machine. Intervals are half-open, minutes of the day, 24:00 allowed. Everything is computed
from prefix sums made once, so that a deadline costs the same however far away it is.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise

from core.clock import CITY_ZONE
from core.errors import HotlineError

MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000  # microseconds
DAY = 24 * 60 * MINUTE
MIDNIGHT = 24 * 60  # 24:00 in minutes
_SPAN = re.compile(r"([0-9]{1,2}):([0-5][0-9])\s*-\s*([0-9]{1,2}):([0-5][0-9])")
FIRST_YEAR = 1992  # China kept summer time until 1991: from here on every day has 24 hours

Span = tuple[int, int]
Spans = tuple[Span, ...]


class DayKind(StrEnum):
    """Why people work on a day, or do not."""

    USUAL = "usual"  # a working day of the week
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"  # 调休: a weekend day that is worked
    CITY_REST = "city_rest"
    CITY_WORK = "city_work"


WORKED = frozenset({DayKind.USUAL, DayKind.MAKE_UP, DayKind.CITY_WORK})


@dataclass(frozen=True)
class Exceptional:
    """What a dated exception says: rest, or work at the usual hours (`spans` None) or at its own."""

    kind: DayKind
    reason: str
    reason_en: str
    spans: Spans | None = None


@dataclass(frozen=True)
class Day:
    """One day as the calendar has it; no spans: nobody works."""

    date: date
    kind: DayKind
    spans: Spans
    reason: str = ""
    reason_en: str = ""
    own_hours: bool = False  # not those of the week


def parse_spans(texts: Iterable[str], *, where: str) -> Spans:
    """`09:00-12:00` and so on, as minutes of the day.

    Errors: span_unreadable, spans_reversed, spans_overlap, each with `where` and the span.
    """
    return checked([_span(text, where) for text in texts], where=where)


def _span(text: str, where: str) -> Span:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise HotlineError("span_unreadable", where=where, span=text)
    hour, minute, end_hour, end_minute = map(int, match.groups())
    begin, end = hour * 60 + minute, end_hour * 60 + end_minute
    if max(begin, end) > MIDNIGHT:
        raise HotlineError("span_unreadable", where=where, span=text)
    return begin, end


def checked(spans: Iterable[Span], *, where: str) -> Spans:
    """The spans in order. Errors: spans_reversed, spans_overlap."""
    found = tuple(spans)
    for begin, end in found:
        if not 0 <= begin < end <= MIDNIGHT:
            raise HotlineError("spans_reversed", where=where, span=_shown(begin, end))
    ordered = tuple(sorted(found))
    for (begin, end), after in pairwise(ordered):
        if after[0] < end:
            raise HotlineError("spans_overlap", where=where, span=_shown(begin, end), other=_shown(*after))
    return ordered


def shown(spans: Iterable[Span]) -> str:
    """The spans as `parse_spans` reads them, with a blank between."""
    return " ".join(_shown(begin, end) for begin, end in spans)


def _shown(begin: int, end: int) -> str:
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def office_week(hours: Spans) -> tuple[Spans, ...]:
    """Monday to Friday at these hours."""
    return (hours,) * 5 + ((),) * 2


class Calendar:
    """Working time from 1 January of `first` to 31 December of `last`.

    `week`: seven days, Monday first. An exception without hours of its own is worked at the hours of the
    first day of the week that has any. `known`: the years whose notice is out; of the others only the
    statutory dates are known.
    """

    def __init__(
        self,
        week: Sequence[Spans],
        exceptions: Mapping[date, Exceptional],
        *,
        first: int,
        last: int,
        known: frozenset[int] = frozenset(),
    ) -> None:
        if not FIRST_YEAR <= first <= last <= 9998:
            raise HotlineError("calendar_years", first=first, last=last)
        self.week = tuple(checked(spans, where=f"weekday {number}") for number, spans in enumerate(week, 1))
        self.usual = next((spans for spans in self.week if spans), ())
        if len(self.week) != 7 or not self.usual:
            raise HotlineError("calendar_without_work")
        self.exceptions = dict(exceptions)
        self.first, self.last, self.known = first, last, known
        self._origin = date(first, 1, 1)
        self._zero = datetime(first, 1, 1, tzinfo=CITY_ZONE).astimezone(UTC)
        self._lay()

    def _lay(self) -> None:
        """The prefix sums: ends of working days, and every interval with the time worked before it."""
        self._end = (date(self.last + 1, 1, 1) - self._origin).days
        self._before = [0]  # working days before day i
        self.closes: list[int] = []  # microseconds from the origin
        self.begins: list[int] = []
        self._opens: list[int] = []
        self._stops: list[int] = []
        for number in range(self._end):
            spans = self.day(self._origin + timedelta(days=number)).spans
            self._opens += (number * DAY + begin * MINUTE for begin, _ in spans)
            self._stops += (number * DAY + end * MINUTE for _, end in spans)
            if spans:
                self.closes.append(self._stops[-1])
                self.begins.append(self._opens[-len(spans)])
            self._before.append(len(self.closes))
        lengths = (stop - start for start, stop in zip(self._opens, self._stops, strict=True))
        self._worked = list(accumulate(lengths, initial=0))

    # ---- days ------------------------------------------------------------------------------

    def day(self, day: date) -> Day:
        """What the calendar says of a day."""
        usual = self.week[day.weekday()]
        told = self.exceptions.get(day)
        if told is None:
            return Day(day, DayKind.USUAL if usual else DayKind.WEEKEND, usual)
        if told.kind not in WORKED:
            return Day(day, told.kind, (), told.reason, told.reason_en)
        spans = (usual or self.usual) if told.spans is None else checked(told.spans, where=day.isoformat())
        own = told.spans is not None and spans != (usual or self.usual)
        return Day(day, told.kind, spans, told.reason, told.reason_en, own)

    def works(self, day: date) -> bool:
        """Whether it is a working day. Errors: calendar_range."""
        number = self._number(day)
        return self._before[number + 1] > self._before[number]

    def days_between(self, first: date, last: date) -> int:
        """The working days after `first` up to and with `last`; 0 when there are none."""
        return max(0, self._before[self._number(last) + 1] - self._before[self._number(first) + 1])

    def counted_for(self, instant: datetime) -> date:
        """The working day an instant belongs to: its own before the end of work, else the next one.

        Errors: calendar_range.
        """
        return self.date_of(self.close(self.closed_by(self.position(instant))) - 1)

    def walk(self, first: date, last: date) -> Iterator[Day]:
        """Every day from `first` to `last`, both with."""
        for number in range(self._number(first), self._number(last) + 1):
            yield self.day(self._origin + timedelta(days=number))

    def _number(self, day: date) -> int:
        number = (day - self._origin).days
        if not 0 <= number < self._end:
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return number

    def changed(self, other: "Calendar") -> list[date]:
        """The days on which `other` has other working time, in order; years are those of both."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        days: Iterable[date] = self.exceptions.keys() | other.exceptions.keys()
        if self.week != other.week:
            days = (day.date for day in self.walk(date(first, 1, 1), date(last, 12, 31)))
        found = (day for day in days if first <= day.year <= last)
        return sorted(day for day in found if self.day(day).spans != other.day(day).spans)

    # ---- instants as microseconds from the origin -------------------------------------------

    def position(self, instant: datetime) -> int:
        """Where an aware instant lies. Errors: calendar_range."""
        found = (instant - self._zero) // MICROSECOND
        if not 0 <= found < self._end * DAY:
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return found

    def instant(self, position: int) -> datetime:
        """The instant at a position (UTC). Errors: calendar_range."""
        if position > self._end * DAY:
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return self._zero + timedelta(microseconds=position)

    def date_of(self, position: int) -> date:
        """The day of a position."""
        return self._origin + timedelta(days=position // DAY)

    def close(self, number: int) -> int:
        """The end of the working day with that index. Errors: calendar_range."""
        if number >= len(self.closes):
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return self.closes[number]

    def opening(self, number: int) -> int:
        """The begin of work on the working day with that index. Errors: calendar_range."""
        if not 0 <= number < len(self.begins):
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return self.begins[number]

    def closed_by(self, position: int) -> int:
        """How many working days have ended at `position`."""
        return bisect_right(self.closes, position)

    def worked(self, position: int) -> int:
        """Working time from the origin to `position`, in microseconds."""
        number = bisect_right(self._opens, position) - 1
        if number < 0:
            return 0
        return self._worked[number] + min(position, self._stops[number]) - self._opens[number]

    def when_worked(self, time: int) -> int:
        """The earliest position by which so much working time (more than none) is over."""
        number = bisect_left(self._worked, time) - 1
        if number >= len(self._opens):
            raise HotlineError("calendar_range", first=self.first, last=self.last)
        return self._opens[number] + time - self._worked[number]
