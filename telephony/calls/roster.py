"""Queue members: which telephone each is, how it stands in its queues, when a queue had nobody left."""

from typing import NamedTuple

TOLD_KEPT = 1000
MEMBER_HISTORY = 8  # changes kept of one member in one queue
WRAP_UP = {"wrapup", "wrap-up", "wrap_up", "acw", "话后整理"}  # reasons of a pause that is after-call work


class Standing(NamedTuple):
    """How a telephone stands: ready paused wrap_up unreachable out; in which queues; why it is paused."""

    state: str
    reason: str | None = None
    queues: tuple[str, ...] = ()


class Place(NamedTuple):
    """What was last said of a member in one queue."""

    stamp: float
    here: bool
    paused: bool = False
    reason: str = ""
    reachable: bool = True
    listed: int = 0  # number of the last whole list that named it


class Told(NamedTuple):
    """Something happened to a member, at our order or at the telephone: paused unpaused added removed."""

    stamp: float
    what: str
    queue: str
    extension: str
    reason: str = ""


class Roster:
    """What events tell of queue members."""

    def __init__(self) -> None:
        self.members: dict[str, str] = {}  # MemberName → endpoint
        self.endpoints: set[str] = set()
        self.moved = False  # somebody may stand differently than when this was last set to False
        self.told: list[Told] = []  # in the order of arrival, until somebody takes it
        self._queues: dict[str, dict[str, list[tuple[float, bool]]]] = {}
        self._places: dict[str, dict[str, Place]] = {}  # endpoint → queue → place
        self._list = 0

    def learn(self, name: str, interface: str, state_interface: str = "") -> None:
        """Which telephone a member is; a Local/ member is resolved by its state interface."""
        best = state_interface if interface.startswith("Local/") and state_interface else interface
        if "/" in best:
            endpoint = endpoint_of(best)
            self.members[name] = endpoint
            self.endpoints.add(endpoint)

    def place(self, queue: str, interface: str, place: Place) -> None:
        """Note how a member stands in `queue`; what was said later wins."""
        places = self._places.setdefault(endpoint_of(interface), {})
        known = places.get(queue)
        if known is not None and known.stamp > place.stamp:
            place = known
        places[queue] = place._replace(listed=self._list)
        self.moved = self.moved or known is None or known[1:5] != place[1:5]

    def begin_list(self) -> None:
        """The PBX is asked for all members: who is not named until `end_list` is none."""
        self._list += 1

    def end_list(self) -> None:
        """The list is complete."""
        for places in self._places.values():
            for queue, place in places.items():
                if place.here and place.listed < self._list:
                    places[queue], self.moved = place._replace(here=False), True

    def tell(self, told: Told) -> None:
        """Keep what happened for who reacts to it; without anybody who does, the latest only."""
        self.told.append(told)
        del self.told[:-TOLD_KEPT]

    def places_of(self, extension: str) -> dict[str, Place]:
        """By queue, how a telephone stands in those it is a member of."""
        return {queue: place for queue, place in self._places.get(extension, {}).items() if place.here}

    def extensions(self) -> list[str]:
        """Every telephone that is a member of a queue."""
        return [one for one, places in self._places.items() if any(place.here for place in places.values())]

    def standings(self) -> dict[str, Standing]:
        """Each telephone that was ever a member, by extension."""
        return {endpoint: _standing(places) for endpoint, places in self._places.items()}

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


def endpoint_of(interface: str) -> str:
    """`PJSIP/1001` → 1001."""
    return interface.partition("/")[2].partition("@")[0]


def _standing(places: dict[str, Place]) -> Standing:
    """Ready where any queue may ring it; paused only when it is in all of its queues."""
    here = {queue: place for queue, place in sorted(places.items()) if place.here}
    queues = tuple(here)
    if not here:
        return Standing("out")
    if any(place.reachable and not place.paused for place in here.values()):
        return Standing("ready", None, queues)
    paused = [place for place in here.values() if place.paused]
    if not paused:
        return Standing("unreachable", None, queues)
    reason = max(paused).reason.strip()[:60]
    return Standing("wrap_up" if reason.lower() in WRAP_UP else "paused", reason or None, queues)
