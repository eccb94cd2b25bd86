"""The default pack as plain due times, counted by the calendar of the city.

Source: domain rules, default policy pack (Guilin). How limits are counted: `sla/clocks.py`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.clock import to_city
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add
from sla.sources import shipped_calendar
from tickets.limits import Matter
from tickets.states import Stage
from tickets.terms import TicketType, Urgency


def _days(amount: int) -> Limit:
    return Limit(amount, Unit.WORKING_DAY)


def _hours(amount: int) -> Limit:
    return Limit(amount, Unit.HOUR)


def _minutes(amount: int) -> Limit:
    return Limit(amount, Unit.MINUTE)


T, U, G = TicketType, Urgency, Stage
TOTAL_DAYS = {T.CONSULT: 2, T.HELP: 3, T.COMPLAINT: 10, T.REPORT: 15, T.APPEAL: 10}
OTHER_DAYS = 5
# Stage → urgency → limit; stages that ask nothing of the urgency have NORMAL only.
STAGES: Mapping[Stage, Mapping[Urgency, Limit]] = {
    G.ACCEPT: {U.NORMAL: _days(1), U.URGENT: _hours(1), U.CRITICAL: _minutes(15)},
    G.DISPATCH: {U.NORMAL: _hours(24), U.URGENT: _hours(2), U.CRITICAL: _hours(1)},
    G.SIGN: {U.NORMAL: _days(1), U.URGENT: _hours(1), U.CRITICAL: _minutes(15)},
    G.CONTACT: {U.NORMAL: _days(1), U.URGENT: _hours(2), U.CRITICAL: _minutes(30)},
    G.RETURN_WINDOW: {U.NORMAL: _days(1)},
    G.RETURN_RULING: {U.NORMAL: Limit(4, Unit.WORKING_HOUR)},
    G.DECISION: {U.NORMAL: _days(1)},
    G.CHECK: {U.NORMAL: _days(1)},
    G.CALL_BACK: {U.NORMAL: _days(2)},
    G.EXCLUSION: {U.NORMAL: _days(2)},
    G.SUSPENSION: {U.NORMAL: _hours(30 * 24)},
}
URGENT_TOTAL = _hours(24)


class PlainLimits:
    """`tickets.limits.Limits` by the default pack; without a calendar, by the one that is shipped."""

    def __init__(self, calendar: Calendar | None = None) -> None:
        self.calendar = calendar or shipped_calendar()

    def due(self, stage: Stage, matter: Matter, start: datetime) -> datetime | None:
        """When `stage` is due; None for stages without a limit of their own (handle: the total's)."""
        limit = self._limit(stage, matter)
        return None if limit is None else add(self.calendar, start, limit)

    def later(self, at: datetime, working_days: int) -> datetime:
        """A due time moved on by working days; one at the end of work belongs to the day it ends."""
        if not working_days:
            return at
        return add(self.calendar, at - timedelta(seconds=1), _days(working_days))

    def longest_extension(self, matter: Matter) -> int:
        """At most the original limit, and ten working days."""
        return min(10, TOTAL_DAYS.get(TicketType(matter.type), OTHER_DAYS))

    def days_left(self, now: datetime, due: datetime) -> int:
        """Working days after the day of `now` up to and with the day of `due`."""
        return self.calendar.days_between(to_city(now).date(), to_city(due).date())

    def _limit(self, stage: Stage, matter: Matter) -> Limit | None:
        if stage is Stage.TOTAL:
            return self._total(matter)
        if stage is Stage.REDO:
            return self._redo(matter)
        if stage is Stage.CO_OPINION:
            return self._co_opinion(self._total(matter))
        limits = STAGES.get(stage)
        return limits.get(Urgency(matter.urgency), limits[Urgency.NORMAL]) if limits else None

    @staticmethod
    def _total(matter: Matter) -> Limit:
        if matter.urgency != Urgency.NORMAL.value:
            return URGENT_TOTAL
        return _days(TOTAL_DAYS.get(TicketType(matter.type), OTHER_DAYS))

    @staticmethod
    def _redo(matter: Matter) -> Limit:
        if matter.urgency != Urgency.NORMAL.value:
            return URGENT_TOTAL
        return _days(5 if matter.type == TicketType.REPORT.value else 3)

    @staticmethod
    def _co_opinion(total: Limit) -> Limit:
        """Half of the lead's limit, at least one working day."""
        return Limit(max(1, total.amount // 2), total.unit)
