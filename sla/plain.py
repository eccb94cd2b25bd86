"""The limits in force: the policy pack of the day a clock starts, counted by the calendar of the city.

What a pack says: `sla/pack.py`. How limits are counted: `sla/clocks.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from core.clock import Clock, SystemClock, to_city
from core.errors import HotlineError
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add, moved, parse_limit
from sla.explain import explain, in_chinese
from sla.ladder import Ladder
from sla.pack import Book, Pack
from sla.packs import shipped_pack
from sla.sources import shipped_calendar
from tickets.limits import Clock as Promise
from tickets.limits import Matter, NextAlarm, Reason
from tickets.states import Stage
from tickets.terms import TicketType, Urgency

Codes = Callable[[int], Sequence[str]]
# Handling is the total's own time, the rest asks nobody for anything: nothing is issued for them.
WITHOUT_LADDER = frozenset({Stage.HANDLE, Stage.RETURN_WINDOW, Stage.SUPPLEMENT, Stage.SUSPENSION})
parsed = lru_cache(maxsize=1000)(parse_limit)


def _no_codes(_category_id: int) -> Sequence[str]:
    return ()


class CityLimits:
    """`tickets.limits.Limits` by packs and a calendar; without them, by those that are shipped.

    A node exchanges both while it runs (`sla/in_force.py`).
    `codes`: a category's code and those above it, nearest first; without it none has clocks of its own.
    """

    def __init__(
        self,
        calendar: Calendar | None = None,
        pack: Pack | None = None,
        codes: Codes = _no_codes,
        clock: Clock | None = None,
    ) -> None:
        self.calendar = calendar or shipped_calendar()
        self.packs = Book.of(pack or shipped_pack())
        self._codes = codes
        self._clock = clock or SystemClock()

    @property
    def pack(self) -> Pack:
        """The pack clocks that start now are promised by."""
        return self.packs.on(self._clock.now())

    def use_calendar(self, calendar: Calendar) -> None:
        """Count by another calendar from now on."""
        self.calendar = calendar

    def use_packs(self, packs: Book) -> None:
        """Promise by other packs from now on."""
        self.packs = packs

    def ladder(self, start: datetime) -> Ladder:
        """Of a clock that started then: its steps stay those of its own pack."""
        return self.packs.on(start).ladder

    def due(self, stage: Stage, matter: Matter, start: datetime) -> datetime | None:
        """When `stage` is due; None for stages without a limit of their own (handle: the total's)."""
        limit = self.limit(stage, matter, start)
        return None if limit is None else add(self.calendar, start, limit)

    def clock(self, stage: Stage, matter: Matter, start: datetime) -> Promise | None:
        """When `stage` is due, by which limit of which pack, and when the ladder begins."""
        pack, limit = self.packs.on(start), self.limit(stage, matter, start)
        if limit is None:
            return None
        due = add(self.calendar, start, limit)
        alarm = None
        if stage not in WITHOUT_LADDER:
            alarm = pack.ladder.alarm(self.calendar, limit, start, due, fresh=True).at
        return Promise(due, str(limit), pack.name, alarm)

    def next_alarm(
        self,
        stage: Stage,
        limit: str | None,
        start: datetime,
        due: datetime | None,
        *,
        step: int = 0,
        since: datetime | None = None,
    ) -> NextAlarm:
        """By the ladder of the pack that promised it."""
        if limit is None or due is None or stage in WITHOUT_LADDER:
            return NextAlarm(step, None)
        ladder = self.ladder(start)
        found = ladder.alarm(self.calendar, parsed(limit), start, due, step=step, since=since)
        return NextAlarm(found.step, found.at)

    def promise(self, stage: Stage, matter: Matter, start: datetime) -> str | None:
        """As the pack of that day writes it."""
        limit = self.limit(stage, matter, start)
        return None if limit is None else str(limit)

    def reached(self, limit: str | None, start: datetime, due: datetime | None, now: datetime) -> str | None:
        """By the ladder of the pack that promised it; what cannot be counted has come to nothing."""
        if limit is None or due is None:
            return None
        try:
            return self.ladder(start).reached(self.calendar, parsed(limit), start, due, now)
        except HotlineError:
            return None

    def moved(self, limit: str | None, due: datetime, begin: datetime, end: datetime) -> datetime:
        """A clock without a limit of its own counts as one of working days."""
        unit = Unit.WORKING_DAY if limit is None else parsed(limit).unit
        return moved(self.calendar, due, begin, end, unit)

    def reason(self, stage: Stage, matter: Matter, start: datetime) -> Reason | None:
        """`due` with the sentence that says why."""
        limit = self.limit(stage, matter, start)
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

    def is_known(self, at: datetime) -> bool:
        """By the calendar in force."""
        return to_city(at).year in self.calendar.known

    def days_left(self, now: datetime, due: datetime) -> int:
        """Working days after the day of `now` up to and with the day of `due`."""
        return self.calendar.days_between(to_city(now).date(), to_city(due).date())

    def limit(self, stage: Stage, matter: Matter, start: datetime | None = None) -> Limit | None:
        """The limit of `stage` as the pack writes it, for a clock that starts then, or now."""
        codes = self._codes(matter.category_id)
        pack = self.pack if start is None else self.packs.on(start)
        return pack.limit(stage, TicketType(matter.type), Urgency(matter.urgency), codes)
