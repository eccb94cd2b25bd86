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


class Limits(Protocol):
    """The limits in force."""

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

    def days_left(self, now: datetime, due: datetime) -> int:
        """Working days after the day of `now` up to and with the day of `due` (both UTC)."""
        ...
