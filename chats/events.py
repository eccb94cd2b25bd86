"""What a conversation tells other rooms and screens: ids and codes, never what was written."""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote

TAKERS = ("text.take",)


def _note(kind: str, ref: int, version: int, users: tuple[int | None, ...], *, all_takers: bool) -> LiveNote:
    named = tuple(user for user in users if user is not None)
    audience = Audience(users=named, permissions=TAKERS if all_takers else ())
    return LiveNote("chat", kind, ref, version, audience)


@dataclass(frozen=True)
class ChatMoved(LiveEvent):
    """A conversation came, was offered, was missed or ended: lists change."""

    session_id: int
    kind: str
    user_id: int | None
    version: int

    @property
    def live(self) -> LiveNote:
        return _note(self.kind, self.session_id, self.version, (self.user_id,), all_takers=True)


@dataclass(frozen=True)
class ChatTaken(LiveEvent):
    """An agent takes a conversation: this is what makes a draft."""

    session_id: int
    user_id: int
    phone_ref: int | None
    version: int

    @property
    def live(self) -> LiveNote:
        return _note("taken", self.session_id, self.version, (self.user_id,), all_takers=True)


@dataclass(frozen=True)
class ChatSaid(LiveEvent):
    """Something was written in a conversation that an agent has."""

    session_id: int
    sender: str
    user_id: int | None
    version: int

    @property
    def live(self) -> LiveNote:
        return _note("said", self.session_id, self.version, (self.user_id,), all_takers=False)


@dataclass(frozen=True)
class ChatEnded(LiveEvent):
    """A conversation is over."""

    session_id: int
    user_id: int | None
    ended_by: str
    outcome: str
    version: int

    @property
    def live(self) -> LiveNote:
        return _note("ended", self.session_id, self.version, (self.user_id,), all_takers=True)
