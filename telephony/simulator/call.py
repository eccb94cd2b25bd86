"""What every simulated call has: a citizen's channel, perhaps an agent's, and what is to happen next."""

from typing import TYPE_CHECKING, Literal

from telephony.simulator.model import Bridge, Channel, Member
from telephony.simulator.plan import CallPlan
from telephony.simulator.timeline import Action, Timer

if TYPE_CHECKING:  # the floor keeps the calls, the calls ask the floor
    from telephony.simulator.floor import Floor

Stage = Literal["menu", "waiting", "talking", "survey", "dialling", "room", "mailbox", "keys", "ended"]


class Leg:
    """An agent's phone that was called for this call."""

    __slots__ = ("began", "channel", "member", "timer")

    def __init__(self, channel: Channel, member: Member | None, began: float) -> None:
        self.channel = channel
        self.member = member
        self.began = began
        self.timer: Timer | None = None


class Call:
    """Base of the call flows: timers that die with the stage they belong to, and the last rites."""

    def __init__(self, floor: "Floor", plan: CallPlan) -> None:
        self.floor = floor
        self.pbx = floor.pbx
        self.plan = plan
        self.stage: Stage = "menu"
        self.trunk: Channel | None = None
        self.agent: Leg | None = None
        self.answered_at = 0.0
        self.history: list[str] = []  # stages with the agent, for tests and the curious
        self._timers: list[Timer] = []
        self._records: list[tuple[str, float, bool, str, str]] = []

    @property
    def citizen(self) -> Channel:
        """The citizen's channel; it exists from the first moment of an inbound call."""
        assert self.trunk is not None
        return self.trunk

    def after(self, seconds: float, action: Action) -> Timer:
        timer = self.pbx.timeline.after(seconds, action)
        if len(self._timers) > 50:  # a long wait looks for an agent every second
            now = self.pbx.clock.monotonic()
            self._timers = [t for t in self._timers if not t.cancelled and t.at >= now]
        self._timers.append(timer)
        return timer

    def forget_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def enter_stage(self, stage: Stage, note: str = "") -> None:
        self.stage = stage
        self.history.append(f"{stage}:{note}" if note else stage)
        if stage == "ended":
            self.forget_timers()
            self.floor.ended(self)

    def channels(self) -> list[Channel]:
        """Every channel of this call that still exists."""
        legs = [self.agent.channel] if self.agent else []
        own = [*([self.trunk] if self.trunk else []), *legs]
        return [channel for channel in own if not channel.gone]

    def record_leg(self, leg: Leg, answered: bool) -> None:
        """Keep a detail record for the end: one per leg, as cdr.conf `unanswered=yes` gives."""
        caller = self.trunk
        application = (
            (caller.application, caller.application_data) if caller else ("AppDial2", "(Outgoing Line)")
        )
        self._records.append((leg.channel.name, leg.began, answered, *application))

    def record_dialplan(self) -> None:
        """The record of what the dialplan does after the queue, with nobody called."""
        self._records.append(("", self.pbx.now(), True, "Hangup", ""))

    def write_records(self, channel: Channel) -> None:
        for called, began, answered, application, data in self._records:
            self.pbx.cdr(channel, called, began, answered, application, data)
        self._records.clear()

    def join(self, agent: Channel, other: Channel) -> Bridge:
        """A bridge with both in it; the answering side enters first."""
        bridge = self.pbx.create_bridge()
        self.pbx.enter(bridge, agent)
        self.pbx.enter(bridge, other)
        return bridge

    def part(self, first: Channel, second: Channel) -> None:
        """Both leave, the bridge is destroyed."""
        bridge = first.bridge
        self.pbx.leave(first)
        self.pbx.leave(second)
        if bridge is not None:
            self.pbx.destroy(bridge)

    def hold(self) -> None:
        """The agent's phone puts the citizen on hold: the citizen's device shows it."""
        if self.stage == "talking" and self.agent and not self.citizen.held:
            self.pbx.about("Hold", self.agent.channel, [("MusicClass", "default")])
            self.citizen.held = True
            self.pbx.refresh(self.citizen.endpoint)

    def unhold(self) -> None:
        if self.agent and self.citizen.held:
            self.pbx.about("Unhold", self.agent.channel)
            self.citizen.held = False
            self.pbx.refresh(self.citizen.endpoint)

    # what the manager's actions may ask of any call

    def hang_up(self, channel: Channel) -> None:
        """Hangup of one of the call's channels by an action."""
        raise NotImplementedError

    def blind_transfer(self, channel: Channel, exten: str, context: str) -> bool:
        """BlindTransfer on the agent's leg; False when the call is not in a state for it."""
        del channel, exten, context
        return False

    def redirect(self, channel: Channel, exten: str, context: str) -> bool:
        """Redirect of the citizen's channel; False when nothing is there."""
        del channel, exten, context
        return False
