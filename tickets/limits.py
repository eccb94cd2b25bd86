"""What the ticket room asks of the clocks: when is a stage due. The answer lives in `sla`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tickets.states import Stage


@dataclass(frozen=True)
class Matter:
    """What a limit may depend on."""

    type: str
    urgency: str
    category_id: int
    round: int = 1


@dataclass(frozen=True)
class Reason:
    """When a stage is due, and why, for people."""

    due: datetime
    sentence: str


@dataclass(frozen=True)
class Clock:
    """A clock as it begins: what was promised, by which policy, and when its first alarm is.

    `limit` is text such as `10wd`. `alarm`: when the ladder has something to issue; None: never.
    """

    due: datetime
    limit: str
    policy: str
    alarm: datetime | None


@dataclass(frozen=True)
class NextAlarm:
    """The ladder's next step, and when it is due; None: there is none."""

    step: int
    at: datetime | None


class Limits(Protocol):
    """The limits in force."""

    def clock(self, stage: Stage, matter: Matter, start: datetime) -> Clock | None:
        """The clock of `stage` that starts at `start` (UTC); None: it has no limit."""
        ...

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
        """The step of the ladder at `step` or behind it, of a clock that runs with `limit`.

        `since`: a round that begins then warns of nothing whose moment was before.
        """
        ...

    def promise(self, stage: Stage, matter: Matter, start: datetime) -> str | None:
        """The limit of a `stage` that started then, as text; None: it has none of its own."""
        ...

    def reached(self, limit: str | None, start: datetime, due: datetime | None, now: datetime) -> str | None:
        """The level of the ladder a clock that runs with `limit` has come to; None: nothing is due yet."""
        ...

    def moved(self, limit: str | None, due: datetime, begin: datetime, end: datetime) -> datetime:
        """`due` of a clock that stood still from `begin` until `end`."""
        ...

    def due(self, stage: Stage, matter: Matter, start: datetime) -> datetime | None:
        """When `stage` is due that starts at `start` (both UTC); None: it has no limit."""
        ...

    def reason(self, stage: Stage, matter: Matter, start: datetime) -> Reason | None:
        """`due` with the sentence that says why; it knows nothing of extensions and corrections."""
        ...

    def later(self, at: datetime, working_days: int) -> datetime:
        """`at` moved on by working days (UTC)."""
        ...

    def longest_extension(self, matter: Matter) -> int:
        """The most working days an extension may ask for."""
        ...

    def is_known(self, at: datetime) -> bool:
        """Whether the days off of the year of `at` are published; if not, due times there are a forecast."""
        ...

    def days_left(self, now: datetime, due: datetime) -> int:
        """Working days after the day of `now` up to and with the day of `due` (both UTC)."""
        ...
