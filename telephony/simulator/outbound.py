"""Click-to-call: Originate rings the agent first, then the citizen."""

from typing import TYPE_CHECKING

from telephony.simulator.call import Leg
from telephony.simulator.model import UNKNOWN, Channel
from telephony.simulator.plan import CallPlan
from telephony.simulator.rooms import HandledCall
from telephony.simulator.wire import Headers

if TYPE_CHECKING:
    from telephony.simulator.floor import Floor

PRESENTED = [("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")]
REFUSED = [("Cause", "17"), ("TechCause", "486")]
OWN_NUMBER = "12345"
CITIZEN_RINGS = 20.0


class Order:
    """What an Originate action asked for."""

    def __init__(self, headers: Headers, extension: str, exten: str, context: str, timeout: float) -> None:
        self.headers = headers  # those OriginateResponse repeats: ActionID
        self.extension = extension
        self.exten = exten
        self.context = context
        self.timeout = timeout
        self.channel_id: str | None = None
        self.caller_id = ""
        self.variables: dict[str, str] = {}


class OutboundCall(HandledCall):
    """From our agent to a citizen. `trunk` is None until the agent has answered."""

    def __init__(self, floor: "Floor", plan: CallPlan, order: Order) -> None:
        super().__init__(floor, plan)
        self.order = order

    def begin(self) -> None:
        pbx, order = self.pbx, self.order
        extension = order.extension
        refused = self.plan.agent_busy or pbx.device_state(extension) != "NOT_INUSE"
        channel = pbx.new_channel(
            extension, extension, f"Agent {extension}", "internal", uniqueid=order.channel_id
        )
        self.floor.know(channel, self)
        channel.variables.update(order.variables)
        leg = self.agent = Leg(channel, None, pbx.now())
        self.enter_stage("dialling", extension)
        if order.caller_id:
            channel.number = channel.display = order.caller_id
            pbx.about("NewCallerid", channel, PRESENTED)
            pbx.connect_line(channel, order.caller_id, order.caller_id)
        pbx.dial("DialBegin", None, channel, ("DialString", extension))
        if refused:
            pbx.about("HangupRequest", channel, REFUSED)
            pbx.dial("DialEnd", None, channel, ("DialStatus", "BUSY"))
            self._failed(leg, reason=0, cause=17, tech=486)
            return
        pbx.set_state(channel, 5)
        pbx.dial("DialState", None, channel, ("DialStatus", "RINGING"))
        pbx.refresh(extension)
        wait = self.floor.answer_after(self, extension)
        if wait is None or wait >= order.timeout:
            self.after(order.timeout, lambda: self._failed(leg, reason=3, cause=19, tech=480))
        else:
            self.after(wait, lambda: self._agent_answered(leg))

    def _failed(self, leg: Leg, reason: int, cause: int, tech: int) -> None:
        """The agent was never reached: OriginateResponse Failure knows neither channel nor caller."""
        pbx, order = self.pbx, self.order
        self.forget_timers()
        response = [
            *order.headers,
            ("Response", "Failure"),
            ("Channel", f"PJSIP/{order.extension}"),
            ("Context", order.context),
            ("Exten", order.exten),
            ("Reason", str(reason)),
            ("Uniqueid", order.channel_id or UNKNOWN),
            ("CallerIDNum", UNKNOWN),
            ("CallerIDName", UNKNOWN),
        ]
        pbx.emit("OriginateResponse", response)
        pbx.cdr(leg.channel, "", leg.began, False, "AppDial2", "(Outgoing Line)")
        pbx.hangup(leg.channel, cause, tech)
        pbx.refresh(leg.channel.endpoint)
        self.enter_stage("ended")

    def _agent_answered(self, leg: Leg) -> None:
        """Success says only that the agent picked up."""
        pbx, order, channel = self.pbx, self.order, leg.channel
        self.forget_timers()
        pbx.set_state(channel, 6)
        pbx.refresh(channel.endpoint)
        pbx.dial("DialEnd", None, channel, ("DialStatus", "ANSWER"))
        name = f"ChanVariable({channel.name})"
        response = [
            *order.headers,
            ("Response", "Success"),
            ("Channel", channel.name),
            ("Context", order.context),
            ("Exten", order.exten),
            ("Reason", "4"),
            ("Uniqueid", channel.uniqueid),
            ("CallerIDNum", order.caller_id or UNKNOWN),
            ("CallerIDName", order.caller_id or UNKNOWN),
            *((name, f"{key}={order.variables.get(key, '')}") for key in pbx.config.channel_variables),
        ]
        pbx.emit("OriginateResponse", response)
        channel.exten, channel.priority = order.exten, 1
        if channel.number != OWN_NUMBER:
            channel.number = OWN_NUMBER
            pbx.about("NewCallerid", channel, PRESENTED)
        self._call_citizen(channel)

    def _call_citizen(self, agent: Channel) -> None:
        pbx, order = self.pbx, self.order
        agent.priority = 2
        agent.application, agent.application_data = "Dial", f"PJSIP/{order.exten}@{pbx.config.trunk},20"
        name = agent.display if order.caller_id else UNKNOWN
        trunk = pbx.new_channel(pbx.config.trunk, UNKNOWN, UNKNOWN, "from-trunk", linkedid=agent.linkedid)
        self.trunk = trunk
        self.floor.know(trunk, self)
        trunk.number, trunk.display, trunk.exten = order.exten, name, order.exten
        pbx.about("NewCallerid", trunk, PRESENTED)
        pbx.connect_line(trunk, OWN_NUMBER, agent.display)
        pbx.dial("DialBegin", agent, trunk, ("DialString", f"{order.exten}@{pbx.config.trunk}"))
        pbx.connect_line(agent, order.exten, name)
        leg = Leg(trunk, None, pbx.now())
        if self.plan.citizen_busy:
            pbx.about("HangupRequest", trunk, REFUSED)
            self._citizen_failed(leg, "BUSY", cause=17, tech=486)
            return
        pbx.set_state(trunk, 5)
        pbx.dial("DialState", agent, trunk, ("DialStatus", "RINGING"))
        pbx.refresh(trunk.endpoint)
        if self.plan.citizen_answers:
            self.after(self.plan.citizen_after, lambda: self._citizen_answered(leg))
        else:
            self.after(CITIZEN_RINGS, lambda: self._citizen_failed(leg, "NOANSWER", cause=0))

    def _citizen_failed(self, leg: Leg, status: str, cause: int, tech: int | None = None) -> None:
        pbx, agent = self.pbx, self.agent
        if agent is None or leg.channel.gone:
            return
        self.forget_timers()
        pbx.dial("DialEnd", agent.channel, leg.channel, ("DialStatus", status))
        agent.channel.priority = 3
        pbx.soft_hangup(agent.channel)
        pbx.hangup(leg.channel, cause, tech)
        pbx.refresh(leg.channel.endpoint)
        self._close(agent.channel, leg, answered=False, cause=cause, tech=tech)

    def _citizen_answered(self, leg: Leg) -> None:
        pbx, agent, trunk = self.pbx, self.agent, leg.channel
        assert agent is not None
        self.answered_at = pbx.now()
        pbx.set_state(trunk, 6)
        trunk.exten = ""
        pbx.dial("DialEnd", agent.channel, trunk, ("DialStatus", "ANSWER"))
        bridge = pbx.create_bridge()
        pbx.refresh(trunk.endpoint)
        pbx.enter(bridge, trunk)
        pbx.enter(bridge, agent.channel)
        bridge.technology = "native_rtp"
        self.enter_stage("talking", agent.channel.endpoint)
        who = trunk if self.plan.ended_by == "citizen" else agent.channel
        self.after(self.plan.talk, lambda: self._ends(who))

    def _ends(self, who: Channel) -> None:
        """One side hangs up; the other's channel follows."""
        pbx, agent, trunk = self.pbx, self.agent, self.citizen
        if self.stage != "talking" or agent is None:
            return
        self.forget_timers()
        other = agent.channel if who is trunk else trunk
        bridge = trunk.bridge
        pbx.about("HangupRequest", who, [("Cause", "16")])
        pbx.leave(who)
        pbx.hangup(trunk, 16)
        pbx.leave(other)
        if bridge is not None:
            pbx.destroy(bridge)
        pbx.soft_hangup(agent.channel)
        pbx.refresh(trunk.endpoint)
        self._close(agent.channel, Leg(trunk, None, self.answered_at), answered=True, cause=16)

    def _close(
        self, agent: Channel, leg: Leg, *, answered: bool, cause: int, tech: int | None = None
    ) -> None:
        for _ in range(1 if answered else 2):
            data = (agent.application, agent.application_data)
            self.pbx.cdr(agent, leg.channel.name, leg.began, answered, *data)
        self.pbx.hangup(agent, cause, tech)
        self.pbx.refresh(agent.endpoint)
        self.enter_stage("ended")

    def back_to_queue(self) -> None:
        """A citizen we called is in no queue: the call is over."""
        self.talked_out()

    def talked_out(self) -> None:
        self.pbx.soft_hangup(self.citizen)
        self.pbx.hangup(self.citizen, 16)
        self.pbx.refresh(self.citizen.endpoint)
        self.enter_stage("ended")

    def go_on(self, exten: str) -> None:
        del exten
        self.talked_out()

    def hang_up(self, channel: Channel) -> None:
        if self.hang_up_in_room(channel):
            return
        leg = self.agent
        if leg is None:
            return
        if self.stage == "talking":
            self._ends(channel)
        elif self.trunk is not None:
            self._citizen_failed(Leg(self.trunk, None, self.pbx.now()), "CANCEL", cause=0)
        else:
            self._failed(leg, reason=3, cause=19, tech=480)
