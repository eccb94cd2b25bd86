"""What screens that show figures are told."""

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


class Folded(LiveEvent):
    """Figures moved: whoever shows some fetches them anew."""

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.DASHBOARD_READ,))
        return LiveNote("measure", "folded", 0, 0, audience)
