"""Who is called into a room by Originate, and leaders' telephones that listen in."""

from typing import TYPE_CHECKING

from telephony.simulator.call import Leg
from telephony.simulator.model import UNKNOWN, Channel
from telephony.simulator.outbound import Order, OutboundCall
from telephony.simulator.plan import CallPlan
from telephony.simulator.rooms import LISTEN, HandledCall

if TYPE_CHECKING:
    from telephony.simulator.floor import Floor

SPY_LOOKS = 0.5  # seconds
OUTSIDE_AFTER = 3.0  # seconds until somebody outside picks up


class PartyCall(OutboundCall):
    """Somebody called into a room, or a leader's telephone that listens in."""

    def __init__(self, floor: "Floor", plan: CallPlan, order: Order) -> None:
        super().__init__(floor, plan, order)
        self._spied: Channel | None = None

    def begin(self) -> None:
        number, _, outside = self.order.extension.partition("@")
        if not outside:
            super().begin()
            return
        pbx = self.pbx
        channel = pbx.new_channel(
            pbx.config.trunk, UNKNOWN, UNKNOWN, "from-trunk", uniqueid=self.order.channel_id
        )
        self.floor.know(channel, self)
        leg = self.agent = Leg(channel, None, pbx.now())
        self.enter_stage("dialling", number)
        pbx.dial("DialBegin", None, channel, ("DialString", self.order.extension))
        pbx.set_state(channel, 5)
        pbx.dial("DialState", None, channel, ("DialStatus", "RINGING"))
        self.after(OUTSIDE_AFTER, lambda: self._agent_answered(leg))

    def _call_citizen(self, agent: Channel) -> None:
        if self.order.context == LISTEN:
            self._listen(agent)
            return
        room = self.floor.room(self.order.exten)
        room.join(agent)
        self.enter_stage("room", room.name)

    def _listen(self, leader: Channel) -> None:
        """ChanSpy with E and S: ends with the spied call, at once when there is none."""
        pbx, extension = self.pbx, self.order.exten[1:]
        leader.application, leader.application_data = "ChanSpy", f"PJSIP/{extension}-"
        self._spied = next((c for c in pbx.of_endpoint(extension) if c.state == 6), None)
        if self._spied is None:
            self._gone(leader)
            return
        pbx.emit("ChanSpyStart", pbx.snap(leader, "Spyer"), pbx.snap(self._spied, "Spyee"))
        self.enter_stage("room", extension)
        self.after(SPY_LOOKS, self._look)

    def _look(self) -> None:
        if self._spied is not None and self._spied.gone and self.agent is not None:
            self._stop_listening(self.agent.channel)
        else:
            self.after(SPY_LOOKS, self._look)

    def _stop_listening(self, leader: Channel) -> None:
        if self._spied is not None:
            self.pbx.emit("ChanSpyStop", self.pbx.snap(leader, "Spyer"), self.pbx.snap(self._spied, "Spyee"))
        self._gone(leader)

    def _gone(self, channel: Channel) -> None:
        self.pbx.hangup(channel, 16)
        self.pbx.refresh(channel.endpoint)
        self.enter_stage("ended")

    def hang_up(self, channel: Channel) -> None:
        room = self.floor.room_with(channel)
        if room is not None:
            room.drop(channel)
            self.enter_stage("ended")
            if isinstance(room.owner, HandledCall):
                room.owner.somebody_left()
        elif self.stage == "room":
            self._stop_listening(channel)
        elif self.agent is not None:
            self._failed(self.agent, reason=0, cause=16, tech=487)
