"""What happens to tickets, drafts and call-back tasks: ids and codes, no personal values.

Each is a `LiveEvent`: written to the event log with the change itself, heard by handlers within the
transaction (stage clocks, counters) and shown on the screens of its audience.
"""

from dataclasses import dataclass

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission

HOTLINE = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL)
CALLBACKS = (Permission.CALLBACK_READ,)


@dataclass(frozen=True)
class TicketCreated(LiveEvent):
    """A matter got its number."""

    ticket_id: int
    number: str
    version: int
    type: str
    urgency: str
    channel: str
    created_by: int | None
    state: str = "waiting_dispatch"

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=HOTLINE)
        return LiveNote("ticket", "created", self.ticket_id, self.version, audience, {"number": self.number})


@dataclass(frozen=True)
class TicketDispatched(LiveEvent):
    """A ticket went to a unit, which is to sign it: by dispatch, re-dispatch, sub-dispatch, ruling, redo."""

    ticket_id: int
    number: str
    version: int
    unit_id: int
    action: str = "dispatch"
    other_units: tuple[int, ...] = ()
    state: str = "waiting_sign"
    actor_id: int | None = None

    @property
    def live(self) -> LiveNote:
        audience = Audience(units=(self.unit_id, *self.other_units), permissions=HOTLINE)
        data = {"number": self.number, "unit_id": self.unit_id, "action": self.action}
        return LiveNote("ticket", "dispatched", self.ticket_id, self.version, audience, data)


@dataclass(frozen=True)
class TicketChanged(LiveEvent):
    """Anything else was done to a ticket; `unit_id` is where the work lies, `state` where it stands now."""

    ticket_id: int
    number: str
    version: int
    action: str
    unit_id: int | None
    other_units: tuple[int, ...] = ()
    state: str = ""
    actor_id: int | None = None

    @property
    def live(self) -> LiveNote:
        units = self.other_units if self.unit_id is None else (self.unit_id, *self.other_units)
        audience = Audience(units=units, permissions=HOTLINE)
        data = {"number": self.number, "action": self.action}
        return LiveNote("ticket", "changed", self.ticket_id, self.version, audience, data)


def _draft_audience(*owners: int | None) -> Audience:
    """The owners; a draft nobody owns is shown to the shift leader only."""
    users = tuple(owner for owner in owners if owner is not None)
    return Audience(users=users, permissions=(Permission.DRAFT_READ_ALL,))


@dataclass(frozen=True)
class DraftOpened(LiveEvent):
    """A call was answered (or an agent asked for an empty form): there is a draft to write in."""

    draft_id: int
    version: int
    owner_id: int | None
    call_session_id: int | None

    @property
    def live(self) -> LiveNote:
        data = {"call_session_id": self.call_session_id}
        return LiveNote("draft", "opened", self.draft_id, self.version, _draft_audience(self.owner_id), data)


@dataclass(frozen=True)
class DraftChanged(LiveEvent):
    """A draft went from one agent to another."""

    draft_id: int
    version: int
    from_owner_id: int | None
    owner_id: int | None

    @property
    def live(self) -> LiveNote:
        audience = _draft_audience(self.from_owner_id, self.owner_id)
        return LiveNote(
            "draft", "changed", self.draft_id, self.version, audience, {"owner_id": self.owner_id}
        )


@dataclass(frozen=True)
class DraftWritten(LiveEvent):
    """A page began to write in a draft: other pages that show it stop, for one place writes at a time."""

    draft_id: int
    version: int
    owner_id: int | None
    page: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.owner_id,) if self.owner_id is not None else ())
        return LiveNote("draft", "written", self.draft_id, self.version, audience, {"page": self.page})


@dataclass(frozen=True)
class DraftEnded(LiveEvent):
    """A draft became what it became."""

    draft_id: int
    version: int
    owner_id: int | None
    ended_as: str

    @property
    def live(self) -> LiveNote:
        audience = _draft_audience(self.owner_id)
        return LiveNote("draft", "ended", self.draft_id, self.version, audience, {"ended_as": self.ended_as})


@dataclass(frozen=True)
class CallbackOpened(LiveEvent):
    """A caller hung up while waiting and is to be called."""

    task_id: int
    version: int

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=CALLBACKS)
        return LiveNote("callback", "opened", self.task_id, self.version, audience)


@dataclass(frozen=True)
class CallbackChanged(LiveEvent):
    """A call-back task was claimed, tried, called again about or closed (`closed_as` is set)."""

    task_id: int
    version: int
    closed_as: str | None = None

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=CALLBACKS)
        return LiveNote(
            "callback", "changed", self.task_id, self.version, audience, {"closed_as": self.closed_as}
        )
