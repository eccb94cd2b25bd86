"""What happens to citizen records: ids and codes, no personal values."""

from dataclasses import dataclass

from core.events import Audience, Event, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class CitizenChanged(LiveEvent):
    """A record was written: noted about, marked, merged, split."""

    citizen_id: int
    version: int
    action: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.CITIZEN_READ,))
        return LiveNote(
            "citizen", "changed", self.citizen_id, self.version, audience, {"action": self.action}
        )


@dataclass(frozen=True)
class CitizenForgotten(Event):
    """The values of a citizen were destroyed: whatever else was derived from them must go too."""

    citizen_id: int
    value_refs: tuple[int, ...]
    ticket_ids: tuple[int, ...]
    chat_ids: tuple[int, ...] = ()  # conversations in writing, which belong to another room
