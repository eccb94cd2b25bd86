"""What screens are told of shifts: ids and days, no names."""

from dataclasses import dataclass
from datetime import date

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class RotaMoved(LiveEvent):
    """The rota of a week was changed; `users` are those whose shifts are others now."""

    monday: date
    version: int
    users: tuple[int, ...] = ()

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=self.users, permissions=(Permission.ROTA_READ,))
        data = {"monday": self.monday.isoformat()}
        return LiveNote("rota", "changed", self.monday.toordinal(), self.version, audience, data)
