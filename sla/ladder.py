"""The escalation ladder: what is issued, to whom and when, while a clock runs and nobody acts; pure.

A ladder belongs to a policy pack (`[ladder]`, read by `sla/ladders.py`). Its rungs are issued in the order
of `Level`, each once per round of a clock. When: by the kind of limit the clock has. Cards of limits in
working time come at working times, those of natural hours day and night.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sla.calendar import Calendar
from sla.clocks import LENGTH, NATURAL, Limit, Unit, add


class Level(StrEnum):
    """What is issued, in this order."""

    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"
    NOTICE = "notice"
    BULLETIN = "bulletin"
    PROPOSAL = "proposal"


LEVEL_LABELS: dict[Level, str] = {
    Level.BLUE: "蓝色预警",
    Level.YELLOW: "黄牌",
    Level.RED: "红牌",
    Level.NOTICE: "催办通知书",
    Level.BULLETIN: "通报",
    Level.PROPOSAL: "督办建议",
}


class Post(StrEnum):
    """Who has to acknowledge it."""

    OFFICER = "officer"
    HEAD = "head"
    ABOVE = "above"  # the head of the unit above
    SUPERVISION = "supervision"


class Kind(StrEnum):
    """How a moment is found."""

    SHARE = "share"  # so much per cent of the time is used up
    BEFORE = "before"  # work begins so many working days before the due day
    DUE = "due"
    LATER = "later"  # so many minutes after it was due
    AFTER = "after"  # work begins so many working days after it was due


@dataclass(frozen=True)
class Moment:
    """When a rung is due, seen from the due time."""

    kind: Kind
    amount: int = 0

    @property
    def warns(self) -> bool:
        """Whether it comes before the clock is due."""
        return self.kind in (Kind.SHARE, Kind.BEFORE)

    def at(
        self, calendar: Calendar, limit: Limit, start: datetime, due: datetime, *, fresh: bool = False
    ) -> datetime:
        """The instant, for a clock that runs from `start` to `due` (UTC); `fresh`: nothing moved it yet."""
        if self.kind is Kind.SHARE:
            return _share(calendar, self.amount, limit, start, due, fresh)
        if self.kind is Kind.DUE:
            return due
        if self.kind is Kind.LATER:
            return due + timedelta(minutes=self.amount)
        end = calendar.position(due)
        day = calendar.closed_by(end - 1)  # the working day it is due on, or the next one
        if self.kind is Kind.BEFORE:
            return calendar.instant(calendar.opening(day - self.amount))
        resting = end <= calendar.opening(day)
        return calendar.instant(calendar.opening(day + self.amount - resting))


def _share(
    calendar: Calendar, percent: int, limit: Limit, start: datetime, due: datetime, fresh: bool
) -> datetime:
    """Counted back from the due time by a part of the limit's own time, so that a pause moves it along."""
    if limit.unit in NATURAL:
        return due - timedelta(microseconds=limit.amount * LENGTH[limit.unit] * (100 - percent) // 100)
    end = calendar.worked(calendar.position(due))
    if limit.unit is Unit.WORKING_DAY:
        promised = end if fresh else calendar.worked(calendar.position(add(calendar, start, limit)))
        length = promised - calendar.worked(calendar.position(start))
    else:
        length = limit.amount * LENGTH[limit.unit]
    return calendar.instant(calendar.when_worked(max(1, end - length * (100 - percent) // 100)))


HOURS, DAY = "hours", "day"


@dataclass(frozen=True)
class Rung:
    """One level: to whom, and when by the kind of limit (`hours`, `day`, or working days from N on)."""

    level: Level
    posts: tuple[Post, ...]
    by_limit: Mapping[str | int, Moment]

    def moment(self, limit: Limit) -> Moment | None:
        """When, for a clock with this limit; None: not for such clocks."""
        if limit.unit in NATURAL:
            return self.by_limit.get(HOURS)
        if limit.unit is not Unit.WORKING_DAY or limit.amount == 1:
            return self.by_limit.get(DAY)
        reached = [days for days in self.by_limit if isinstance(days, int) and days <= limit.amount]
        return self.by_limit[max(reached)] if reached else None


@dataclass(frozen=True)
class Step:
    """A rung as it holds for one kind of limit."""

    level: Level
    posts: tuple[Post, ...]
    moment: Moment


@dataclass(frozen=True)
class Alarm:
    """The next step of a clock: its place among the steps of its limit, and when; None: no more."""

    step: int
    at: datetime | None


@dataclass(frozen=True)
class Ladder:
    """The rungs, in the order of their levels."""

    rungs: tuple[Rung, ...]
    _steps: dict[Limit, tuple[Step, ...]] = field(default_factory=dict, compare=False, repr=False)

    def steps(self, limit: Limit) -> tuple[Step, ...]:
        """What is issued for a clock with this limit."""
        found = self._steps.get(limit)
        if found is None:
            found = tuple(
                Step(rung.level, rung.posts, moment)
                for rung in self.rungs
                if (moment := rung.moment(limit)) is not None
            )
            self._steps[limit] = found
        return found

    def alarm(
        self,
        calendar: Calendar,
        limit: Limit,
        start: datetime,
        due: datetime,
        *,
        step: int = 0,
        since: datetime | None = None,
        late: datetime | None = None,
        fresh: bool = False,
    ) -> Alarm:
        """The step at `step` or after it, and its instant.

        `since`: a round that begins then warns of nothing whose moment was before. `late`: nothing at all
        is issued of what was due before then. `fresh`: as for a moment.
        """
        steps = self.steps(limit)
        for place in range(step, len(steps)):
            moment = steps[place].moment
            at = moment.at(calendar, limit, start, due, fresh=fresh)
            gone = (since is not None and moment.warns and at < since) or (late is not None and at < late)
            if not gone:
                return Alarm(place, at)
        return Alarm(len(steps), None)

    def reached(
        self, calendar: Calendar, limit: Limit, start: datetime, due: datetime, now: datetime
    ) -> Level | None:
        """The highest level whose moment has come. Errors: calendar_range."""
        found = None
        for step in self.steps(limit):
            if step.moment.at(calendar, limit, start, due) > now:
                break
            found = step.level
        return found
