"""When the clocks of a ticket stood still, read from its history and from nothing else; pure.

The citizen's clocks stand during an approved suspension, and while the hotline waits for the citizen to
add something. Both are states of the ticket, so that what was suspended twice, merged meanwhile, or
corrected later is right without anybody counting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.clock import to_city
from sla.clocks import Pause
from tickets.states import State

STANDING: dict[str, tuple[str, str]] = {
    State.SUSPENDED.value: ("挂起", "suspended"),
    State.WAITING_SUPPLEMENT.value: ("等待市民补充", "waiting for the citizen"),
}


class Row(Protocol):
    """What is read of a history row."""

    @property
    def at(self) -> datetime:
        """When it happened."""

    @property
    def to_state(self) -> str:
        """The state after."""


@dataclass(frozen=True)
class Standstill:
    """The clocks stood from `begin` until `end`; None: they still do."""

    begin: datetime
    end: datetime | None
    state: str

    @property
    def word(self) -> str:
        """Why, for people."""
        return STANDING[self.state][0]

    def pause(self, until: datetime) -> Pause:
        """As what clocks are counted with; one that goes on lasts until `until`."""
        end = max(self.begin, self.end or until)
        span = f"{_when(self.begin)} 起" if self.end is None else f"{_when(self.begin)} 至 {_when(end)} "
        return Pause(self.begin, end, f"{span}{self.word}", STANDING[self.state][1])


def standstills(rows: Iterable[Row]) -> tuple[Standstill, ...]:
    """Every stretch in which the clocks stood, in order; `rows` in the order they were written."""
    found: list[Standstill] = []
    state, since = "", None
    for row in rows:
        if row.to_state == state:
            continue
        if since is not None:
            found.append(Standstill(since, row.at, state))
        state, since = row.to_state, row.at if row.to_state in STANDING else None
    if since is not None:
        found.append(Standstill(since, None, state))
    return tuple(found)


def _when(instant: datetime) -> str:
    local = to_city(instant)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"
