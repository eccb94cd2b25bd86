"""The default pack as plain due times: weekdays are working days, office hours 9–12 and 13–18.

Source: domain rules, default policy pack (Guilin). A working-day limit excludes the day of the start;
a start at or after 18:00 or on a rest day counts as made on the next working day; due at 18:00 of day
N. Holidays and make-up days come with the calendar; the interface stays (`tickets.limits.Limits`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.clock import CITY_ZONE
from tickets.limits import Matter
from tickets.states import Stage
from tickets.terms import TicketType, Urgency

SPANS = ((time(9), time(12)), (time(13), time(18)))
END = time(18)
SUSPENSION_DAYS = 30


@dataclass(frozen=True)
class Limit:
    """A stretch of time: working days, working hours or natural hours."""

    days: int = 0
    working_hours: float = 0.0
    hours: float = 0.0


T, U, G = TicketType, Urgency, Stage
TOTAL_DAYS = {T.CONSULT: 2, T.HELP: 3, T.COMPLAINT: 10, T.REPORT: 15, T.APPEAL: 10}
OTHER_DAYS = 5
# Stage → urgency → limit; stages that ask nothing of the urgency have NORMAL only.
STAGES: dict[Stage, dict[Urgency, Limit]] = {
    G.ACCEPT: {U.NORMAL: Limit(days=1), U.URGENT: Limit(hours=1), U.CRITICAL: Limit(hours=0.25)},
    G.DISPATCH: {U.NORMAL: Limit(hours=24), U.URGENT: Limit(hours=2), U.CRITICAL: Limit(hours=1)},
    G.SIGN: {U.NORMAL: Limit(days=1), U.URGENT: Limit(hours=1), U.CRITICAL: Limit(hours=0.25)},
    G.CONTACT: {U.NORMAL: Limit(days=1), U.URGENT: Limit(hours=2), U.CRITICAL: Limit(hours=0.5)},
    G.RETURN_WINDOW: {U.NORMAL: Limit(days=1)},
    G.RETURN_RULING: {U.NORMAL: Limit(working_hours=4)},
    G.DECISION: {U.NORMAL: Limit(days=1)},
    G.CHECK: {U.NORMAL: Limit(days=1)},
    G.CALL_BACK: {U.NORMAL: Limit(days=2)},
    G.EXCLUSION: {U.NORMAL: Limit(days=2)},
}
URGENT_TOTAL = Limit(hours=24)


def rest_day(day: date) -> bool:
    """Whether nobody works that day."""
    return day.weekday() >= 5


def _next_working(day: date) -> date:
    day += timedelta(days=1)
    while rest_day(day):
        day += timedelta(days=1)
    return day


def add_days(start: datetime, days: int) -> datetime:
    """18:00 of the N-th working day after the day `start` counts for (UTC in and out)."""
    local = start.astimezone(CITY_ZONE)
    day = local.date()
    if rest_day(day) or local.time() >= END:
        day = _next_working(day)
    for _ in range(days):
        day = _next_working(day)
    return datetime.combine(day, END, CITY_ZONE).astimezone(UTC)


def add_working_hours(start: datetime, hours: float) -> datetime:
    """The earliest instant at which `hours` of office time are used up (UTC in and out)."""
    left = timedelta(hours=hours)
    now = start.astimezone(CITY_ZONE)
    day = now.date()
    while True:
        if not rest_day(day):
            for begin, end in SPANS:
                opens = max(now, datetime.combine(day, begin, CITY_ZONE))
                closes = datetime.combine(day, end, CITY_ZONE)
                if opens < closes:
                    if left <= closes - opens:
                        return (opens + left).astimezone(UTC)
                    left -= closes - opens
        day += timedelta(days=1)


def apply(limit: Limit, start: datetime) -> datetime:
    """When `limit` from `start` is over (UTC)."""
    if limit.days:
        return add_days(start, limit.days)
    if limit.working_hours:
        return add_working_hours(start, limit.working_hours)
    return start + timedelta(hours=limit.hours)


class PlainLimits:
    """`tickets.limits.Limits` by the default pack."""

    def due(self, stage: Stage, matter: Matter, start: datetime) -> datetime | None:
        """When `stage` is due; None for stages without a limit of their own (handle: the total's)."""
        if stage is Stage.TOTAL:
            return apply(self._total(matter), start)
        if stage is Stage.REDO:
            return apply(self._redo(matter), start)
        if stage is Stage.CO_OPINION:
            total = self._total(matter)
            return apply(Limit(days=max(1, total.days // 2)) if total.days else Limit(hours=12), start)
        if stage is Stage.SUSPENSION:
            return start + timedelta(days=SUSPENSION_DAYS)
        limits = STAGES.get(stage)
        if limits is None:
            return None
        return apply(limits.get(Urgency(matter.urgency), limits[Urgency.NORMAL]), start)

    def later(self, at: datetime, working_days: int) -> datetime:
        """A due time moved on by working days; one at 18:00 belongs to the day it ends."""
        return add_days(at - timedelta(seconds=1), working_days) if working_days else at

    def longest_extension(self, matter: Matter) -> int:
        """At most the original limit, and ten working days."""
        return min(10, TOTAL_DAYS.get(TicketType(matter.type), OTHER_DAYS))

    @staticmethod
    def _total(matter: Matter) -> Limit:
        if matter.urgency != Urgency.NORMAL.value:
            return URGENT_TOTAL
        return Limit(days=TOTAL_DAYS.get(TicketType(matter.type), OTHER_DAYS))

    @staticmethod
    def _redo(matter: Matter) -> Limit:
        if matter.urgency != Urgency.NORMAL.value:
            return URGENT_TOTAL
        return Limit(days=5 if matter.type == TicketType.REPORT.value else 3)
