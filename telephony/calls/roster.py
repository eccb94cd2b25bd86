"""Queue members: which telephone each is, and when a queue had nobody left who could answer."""

MEMBER_HISTORY = 8  # changes kept of one member in one queue


class Roster:
    """What events tell of queue members."""

    def __init__(self) -> None:
        self.members: dict[str, str] = {}  # MemberName → endpoint
        self.endpoints: set[str] = set()
        self._queues: dict[str, dict[str, list[tuple[float, bool]]]] = {}

    def learn(self, name: str, interface: str, state_interface: str = "") -> None:
        """Which telephone a member is; a Local/ member is resolved by its state interface."""
        best = state_interface if interface.startswith("Local/") and state_interface else interface
        if "/" in best:
            endpoint = best.partition("/")[2].partition("@")[0]
            self.members[name] = endpoint
            self.endpoints.add(endpoint)

    def note(self, queue: str, interface: str, stamp: float, *, available: bool) -> None:
        """Whether a member could take calls of a queue from `stamp` on; the latest few are kept."""
        history = self._queues.setdefault(queue, {}).setdefault(interface, [])
        if (stamp, available) not in history:
            history.append((stamp, available))
            history.sort()
            del history[:-MEMBER_HISTORY]

    def emptied(self, queue: str, at: float) -> float | None:
        """When `queue` lost its last member who could answer; None when one could, or none is known."""
        latest = []
        for history in self._queues.get(queue, {}).values():
            before = [record for record in history if record[0] <= at]
            if before:
                latest.append(before[-1])
        if not latest or any(available for _, available in latest):
            return None
        return max(stamp for stamp, _ in latest)
