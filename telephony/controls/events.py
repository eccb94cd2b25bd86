"""What call control tells: ids and codes only."""

from dataclasses import dataclass

from core.events import Audience, Event, LiveEvent, LiveNote

LEADERS = ("floor.lead",)


@dataclass(frozen=True)
class OrderPlaced(Event):
    """An order waits: whoever leads telephony on this node looks at once."""


@dataclass(frozen=True)
class OrderMoved(LiveEvent):
    """An order was carried out, failed, or rings: for the one who ordered, nobody else."""

    order_id: int
    session_id: int
    kind: str
    state: str
    why: str | None
    user_id: int | None

    @property
    def live(self) -> LiveNote:
        users = (self.user_id,) if self.user_id is not None else ()
        data = {"order": self.order_id, "act": self.kind, "state": self.state, "why": self.why}
        return LiveNote("control", "order", self.session_id, 0, Audience(users=users), data)


@dataclass(frozen=True)
class CallMarked(LiveEvent):
    """Something was done to a call: for those who are in it, and the floor."""

    session_id: int
    kind: str
    user_ids: tuple[int, ...]

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=self.user_ids, permissions=LEADERS)
        return LiveNote("control", "mark", self.session_id, 0, audience, {"mark": self.kind})


@dataclass(frozen=True)
class AbuseReported(LiveEvent):
    """An agent asks for help against a caller, or a shift leader has decided."""

    report_id: int
    session_id: int
    extension: str
    state: str
    user_id: int

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.user_id,), permissions=LEADERS)
        data = {"session": self.session_id, "extension": self.extension, "state": self.state}
        return LiveNote("control", "abuse", self.report_id, 0, audience, data)


@dataclass(frozen=True)
class ListingMoved(LiveEvent):
    """A number was proposed for a list, or decided upon."""

    listing_id: int
    state: str
    proposed_by: int

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.proposed_by,), permissions=LEADERS)
        return LiveNote("control", "listing", self.listing_id, 0, audience, {"state": self.state})
