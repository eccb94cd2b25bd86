"""What happens to the documents of supervision: ids and codes, no personal values."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission

EVERYTHING = (Permission.TICKET_READ_ALL,)
HOTLINE = (Permission.TICKET_READ_ALL, Permission.TICKET_READ_HOTLINE)


@dataclass(frozen=True)
class OrderMoved(LiveEvent):
    """A document of supervision was issued, or a step was taken on it; `units` may see it."""

    order_id: int
    version: int
    kind: str
    step: str
    state: str
    unit_id: int
    ticket_id: int | None
    units: tuple[int, ...] = ()
    actor_id: int | None = None
    number: str = ""

    @property
    def live(self) -> LiveNote:
        of_hotline = self.ticket_id is not None and bool(self.units)
        audience = Audience(units=self.units, permissions=HOTLINE if of_hotline else EVERYTHING)
        data = {"kind": self.kind, "state": self.state, "ticket_id": self.ticket_id}
        return LiveNote("order", self.step, self.order_id, self.version, audience, data)
