"""What to tell a PBX so that its queues stand as the rows want it: pure comparison, no sending.

Order: first who shall not be rung, then who shall; a telephone is added to a queue paused if it is to be
paused, so that there is no moment in which it rings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from telephony.agents.machine import Wanted
from telephony.calls.roster import Place, Told

OUT = "out"  # the reason of a pause of who has signed out of a queue that is fixed in the PBX's configuration


@dataclass(frozen=True)
class Order:
    """One action on one telephone in one queue: add remove pause unpause."""

    what: str
    queue: str
    extension: str
    reason: str = ""

    @property
    def told_as(self) -> str:
        """What the PBX says when it has done it (`Told.what`)."""
        return {"add": "added", "remove": "removed", "pause": "paused", "unpause": "unpaused"}[self.what]

    def comes_back_as(self, told: Told) -> bool:
        return (self.told_as, self.queue, self.extension) == (told.what, told.queue, told.extension)


def orders(
    extension: str, wanted: Wanted, places: Mapping[str, Place], fixed: Iterable[str] = ()
) -> list[Order]:
    """From how a telephone stands in its queues to what is wanted; from those `fixed` none can be taken."""
    found: list[Order] = []
    for queue, place in places.items():
        if queue in wanted.queues:
            found += _pause(extension, queue, place, wanted.paused, wanted.reason)
        elif queue in fixed:
            found += _pause(extension, queue, place, True, OUT)
        else:
            found.append(Order("remove", queue, extension))
    for queue in wanted.queues:
        if queue not in places:
            found.append(Order("add", queue, extension, wanted.reason if wanted.paused else ""))
    rank = {"pause": 0, "remove": 1, "add": 2, "unpause": 3}
    return sorted(found, key=lambda order: rank[order.what])


def _pause(extension: str, queue: str, place: Place, paused: bool, reason: str) -> list[Order]:
    if paused and not (place.paused and place.reason == reason):
        return [Order("pause", queue, extension, reason)]
    if not paused and place.paused:
        return [Order("unpause", queue, extension)]
    return []


class Echoes:
    """Orders whose event has not come back: what comes back is ours, what else comes somebody did there."""

    def __init__(self, patience: float = 10.0) -> None:
        self._patience = patience
        self._sent: list[tuple[float, Order]] = []
        self._refused: dict[Order, float] = {}

    def expect(self, order: Order, now: float) -> None:
        """`order` goes out at `now` (monotonic seconds)."""
        self._sent.append((now, order))

    def refused(self, order: Order, now: float) -> None:
        """The PBX would not do it: nothing comes back, and it is not asked again at once."""
        self._sent = [(at, sent) for at, sent in self._sent if sent != order]
        self._refused[order] = now

    def waits(self, order: Order, now: float, rest: float = 2.0, long_rest: float = 10.0) -> bool:
        """Whether the answer of this place may be under way still, or the PBX refused this lately."""
        if now - self._refused.get(order, float("-inf")) < long_rest:
            return True
        place = (order.extension, order.queue)
        return any((sent.extension, sent.queue) == place and now - at < rest for at, sent in self._sent)

    def is_ours(self, told: Told, now: float) -> bool:
        """True for the answer to an order, which is then no longer expected."""
        self._sent = [(at, sent) for at, sent in self._sent if now - at < self._patience]
        for place, (_, sent) in enumerate(self._sent):
            if sent.comes_back_as(told):
                del self._sent[place]
                return True
        return False

    def expects(self, told: Told) -> bool:
        """Whether `told` is the answer to an order; it stays expected."""
        return any(sent.comes_back_as(told) for _, sent in self._sent)

    def clear(self) -> None:
        """A new connection: nothing of the old one comes back."""
        self._sent.clear()
        self._refused.clear()
