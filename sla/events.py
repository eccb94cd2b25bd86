"""What the clocks tell screens: ids and codes, no personal values."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission

WATCHING = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL)


@dataclass(frozen=True)
class CardsIssued(LiveEvent):
    """Cards were issued for a ticket; the ticket itself is as it was, in the same version."""

    ticket_id: int
    number: str
    version: int
    levels: tuple[str, ...]
    units: tuple[int, ...] = ()

    @property
    def live(self) -> LiveNote:
        audience = Audience(units=self.units, permissions=WATCHING)
        data = {"number": self.number, "levels": list(self.levels)}
        return LiveNote("card", "issued", self.ticket_id, self.version, audience, data)


@dataclass(frozen=True)
class CardAcknowledged(LiveEvent):
    """A post acknowledged a card of a ticket."""

    ticket_id: int
    version: int
    card_id: int
    level: str
    units: tuple[int, ...] = ()

    @property
    def live(self) -> LiveNote:
        audience = Audience(units=self.units, permissions=WATCHING)
        data = {"card_id": self.card_id, "level": self.level}
        return LiveNote("card", "acknowledged", self.ticket_id, self.version, audience, data)
