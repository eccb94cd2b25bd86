"""Which tries to reach the citizen count (先行联系): those that lie apart. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH_TRIES = 3  # at different times: not to be reached (domain: 先行联系)


@dataclass(frozen=True)
class Tries:
    """How many tries counted, and from when on another one does (None: at once)."""

    counted: int = 0
    next_at: datetime | None = None

    @property
    def left(self) -> int:
        """How many more it takes."""
        return max(0, ENOUGH_TRIES - self.counted)

    @property
    def enough(self) -> bool:
        """Whether the citizen counts as not to be reached."""
        return self.left == 0


def tries(times: Iterable[datetime], gap: timedelta) -> Tries:
    """A try counts when it lies at least `gap` behind the last one that counted."""
    counted, next_at = 0, None
    for at in sorted(times):
        if next_at is None or at >= next_at:
            counted, next_at = counted + 1, at + gap
    return Tries(counted, next_at)
