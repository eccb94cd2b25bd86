"""What happens to clusters."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class ClusterChanged(LiveEvent):
    """A cluster was found, grew or was decided on; `state`: proposed, confirmed, dismissed."""

    cluster_id: int
    version: int
    state: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.TICKET_DISPATCH, Permission.TICKET_SUPERVISE))
        return LiveNote("cluster", self.state, self.cluster_id, self.version, audience)
