"""What the floor tells: ids and codes, never what was said."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class HelpChanged(LiveEvent):
    """A help call was asked, answered, spoken in, escalated or ended; told to the agent and the floor."""

    help_id: int
    user_id: int
    kind: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.user_id,), permissions=(Permission.FLOOR_READ,))
        return LiveNote("help", self.kind, self.help_id, 0, audience)


@dataclass(frozen=True)
class LanguageMarked(LiveEvent):
    """It was noted, or no longer holds, that the caller of a call needs a language."""

    session_id: int
    user_id: int | None

    @property
    def live(self) -> LiveNote:
        users = (self.user_id,) if self.user_id is not None else ()
        audience = Audience(users=users, permissions=(Permission.FLOOR_READ,))
        return LiveNote("language", "marked", self.session_id, 0, audience)
