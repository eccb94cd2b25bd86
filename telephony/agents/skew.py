"""How far a PBX's clock is from ours: told from when its events arrive, so that times can be ours.

An event arrives after it happened; the smallest difference of the last minutes is the clocks' own.
Clocks that agree to within AGREE seconds are taken to agree: then stamps stay exactly the PBX's.
"""

from datetime import UTC, datetime

AGREE = 2.0
WINDOW = 60.0  # seconds of one bucket; two are looked at


class Skew:
    """Seconds to add to a stamp of one PBX for our time."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._least = self._before = float("inf")

    def note(self, stamp: float, now: float) -> None:
        """An event of `stamp` arrived at `now`, both in seconds since 1970."""
        if abs(now - self._since) > WINDOW:  # also after our own clock was set back
            self._before = self._least if now - self._since < 2 * WINDOW else float("inf")
            self._since, self._least = now, float("inf")
        self._least = min(self._least, now - stamp)

    @property
    def seconds(self) -> float:
        """What lies between the clocks; 0 while nothing is known."""
        least = min(self._least, self._before)
        return 0.0 if abs(least) < AGREE or least == float("inf") else least

    def instant(self, stamp: float) -> datetime:
        """A stamp of the PBX in our time."""
        return datetime.fromtimestamp(stamp + self.seconds, UTC)


class Skews:
    """One per PBX; followers note, and who writes agents' intervals asks."""

    def __init__(self) -> None:
        self._of: dict[str, Skew] = {}

    def of(self, pbx: str) -> Skew:
        """The one of this PBX."""
        return self._of.setdefault(pbx, Skew())
