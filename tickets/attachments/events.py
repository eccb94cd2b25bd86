"""What happens to attachments: ids only."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from tickets.events import HOTLINE


@dataclass(frozen=True)
class AttachmentsChanged(LiveEvent):
    """A ticket got an attachment, or one was withdrawn or opened to others. `units` may see it."""

    ticket_id: int
    version: int
    attachment_id: int
    units: tuple[int, ...] = ()

    @property
    def live(self) -> LiveNote:
        audience = Audience(units=self.units, permissions=HOTLINE)
        data = {"attachment_id": self.attachment_id}
        return LiveNote("attachment", "changed", self.ticket_id, self.version, audience, data)
