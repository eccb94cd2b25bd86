"""What screens are told of knowledge: ids and versions, the text is fetched by who may read it."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission


@dataclass(frozen=True)
class BannerChanged(LiveEvent):
    """An emergency wording was issued, changed or withdrawn: every agent's page shows it, or no more."""

    banner_id: int
    edition: int
    kind: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.DRAFT_WRITE, Permission.KNOWLEDGE_PUBLISH))
        return LiveNote("banner", self.kind, self.banner_id, self.edition, audience)


@dataclass(frozen=True)
class BannerRead(LiveEvent):
    """An agent said that an emergency wording was read; told to those who issued it, and to the reader."""

    banner_id: int
    edition: int
    user_id: int

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.user_id,), permissions=(Permission.KNOWLEDGE_PUBLISH,))
        return LiveNote("banner", "read", self.banner_id, self.edition, audience)
