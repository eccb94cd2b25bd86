"""What screens are told of the catalogue: that something hangs on the board and who read it."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class NoticeHung(LiveEvent):
    """A broadcast was sent over the floor, or taken back; each page fetches what is for its person."""

    notice_id: int
    urgency: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.CALL_TAKE, Permission.FLOOR_READ))
        return LiveNote("notice", self.urgency, self.notice_id, 0, audience)


@dataclass(frozen=True)
class FloorNoticeRead(LiveEvent):
    """A broadcast was read; told to who reads it on other tabs, and to the leaders of the floor."""

    notice_id: int
    user_id: int

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.user_id,), permissions=(Permission.FLOOR_LEAD,))
        return LiveNote("notice_read", "read", self.notice_id, 0, audience)
