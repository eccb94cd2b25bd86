"""A circuit breaker: after some failures in a row nobody is asked for a while, then one is let through. Pure.

Times are seconds of a monotonic clock that the caller reads.
"""

from dataclasses import dataclass

STATES = {"closed": "正常", "open": "暂停查询", "half_open": "试探中"}


@dataclass
class Breaker:
    """Of one receiver, on one node."""

    most: int  # failures in a row that open it
    rest: float  # seconds it stays open
    failures: int = 0
    opened_at: float | None = None
    probing: bool = False

    def state(self, now: float) -> str:
        """closed, open, or half_open: the rest is over and one may try."""
        if self.opened_at is None:
            return "closed"
        return "open" if now < self.opened_at + self.rest else "half_open"

    def let_in(self, now: float) -> bool:
        """Whether one may ask now; of those that come after the rest, the first alone."""
        state = self.state(now)
        if state == "half_open" and not self.probing:
            self.probing = True
            return True
        return state == "closed"

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking again, at least one."""
        return 1.0 if self.opened_at is None else max(1.0, self.opened_at + self.rest - now)

    def well(self) -> None:
        """It answered: closed."""
        self.failures, self.opened_at, self.probing = 0, None, False

    def failed(self, now: float) -> None:
        """It did not: opened after `most` in a row, and again when the one that was let in failed."""
        self.failures += 1
        if self.probing or self.failures >= self.most:
            self.opened_at = now
        self.probing = False

    def left(self) -> None:
        """Who was let in went away without an answer of either kind."""
        self.probing = False
