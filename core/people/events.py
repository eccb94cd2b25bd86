"""What happens to accounts and sessions."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote


@dataclass(frozen=True)
class AccessRevoked(LiveEvent):
    """A session ended, or a user's rights changed: sockets that rely on them must close."""

    user_id: int
    session_id: int | None  # None: all sessions of the user

    @property
    def live(self) -> LiveNote:
        data = {"session_id": self.session_id}
        return LiveNote("access", "revoked", self.user_id, 0, Audience(users=(self.user_id,)), data)


@dataclass(frozen=True)
class TreeChanged(LiveEvent):
    """A unit with all below it, or the people of a unit, went elsewhere: who hears of what is asked anew."""

    unit_id: int

    @property
    def live(self) -> LiveNote:
        return LiveNote("access", "tree", self.unit_id, 0, Audience())
