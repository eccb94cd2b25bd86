"""The limits in force: a policy pack, counted by the calendar of the city.

What a pack says: `sla/pack.py`. How limits are counted: `sla/clocks.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from core.clock import to_city
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add
from sla.explain import explain, in_chinese
from sla.pack import Pack
from sla.packs import shipped_pack
from sla.sources import shipped_calendar
from tickets.limits import Matter, Reason
from tickets.states import Stage
from tickets.terms import TicketType, Urgency

Codes = Callable[[int], Sequence[str]]


def _no_codes(_category_id: int) -> Sequence[str]:
    return ()


class CityLimits:
    """`tickets.limits.Limits` by a pack and a calendar; without them, by those that are shipped.

    `codes`: a category's code and those above it, nearest first; without it none has clocks of its own.
    """

    def __init__(
        self, calendar: Calendar | None = None, pack: Pack | None = None, codes: Codes = _no_codes
    ) -> None:
        self.calendar = calendar or shipped_calendar()
        self.pack = pack or shipped_pack()
        self._codes = codes

    def due(self, stage: Stage, matter: Matter, start: datetime) -> datetime | None:
        """When `stage` is due; None for stages without a limit of their own (handle: the total's)."""
        limit = self.limit(stage, matter)
        return None if limit is None else add(self.calendar, start, limit)

    def reason(self, stage: Stage, matter: Matter, start: datetime) -> Reason | None:
        """`due` with the sentence that says why."""
        limit = self.limit(stage, matter)
        if limit is None:
            return None
        told = explain(self.calendar, start, limit)
        return Reason(told.due, in_chinese(told))

    def later(self, at: datetime, working_days: int) -> datetime:
        """A due time moved on by working days; one at the end of work belongs to the day it ends."""
        if not working_days:
            return at
        return add(self.calendar, at - timedelta(seconds=1), Limit(working_days, Unit.WORKING_DAY))

    def longest_extension(self, matter: Matter) -> int:
        """As the pack says; of a total's normal limit, whatever the urgency."""
        return self.pack.longest_extension(TicketType(matter.type), self._codes(matter.category_id))

    def days_left(self, now: datetime, due: datetime) -> int:
        """Working days after the day of `now` up to and with the day of `due`."""
        return self.calendar.days_between(to_city(now).date(), to_city(due).date())

    def limit(self, stage: Stage, matter: Matter) -> Limit | None:
        """The limit of `stage` as the pack writes it."""
        codes = self._codes(matter.category_id)
        return self.pack.limit(stage, TicketType(matter.type), Urgency(matter.urgency), codes)
