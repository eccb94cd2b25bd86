"""Failed logins by source: unknown networks are turned away for a while, staff networks are not."""

import ipaddress
from collections import defaultdict, deque

from core.clock import Clock
from core.settings import Settings


class SourceLimiter:
    """Failed logins per source in the last minute; staff networks are slowed, never locked out."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._limit = settings.security.source_failures_per_minute
        self._staff = [ipaddress.ip_network(net) for net in settings.security.staff_networks]
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def refused(self, source: str) -> bool:
        """True when an unknown source failed too often within the last minute."""
        return len(self._recent(source)) >= self._limit and not self._is_staff(source)

    def failed(self, source: str) -> None:
        """Count one failure."""
        self._recent(source).append(self._clock.monotonic())

    def _recent(self, source: str) -> deque[float]:
        seen = self._failures[source]
        while seen and self._clock.monotonic() - seen[0] > 60:
            seen.popleft()
        if not seen and len(self._failures) > 10_000:
            self._failures.clear()
        return self._failures[source]

    def _is_staff(self, source: str) -> bool:
        try:
            address = ipaddress.ip_address(source)
        except ValueError:
            return False
        return any(address in network for network in self._staff)
