"""The whole inbound call: queue and talk, and the extensions it may be transferred to."""

from telephony.simulator.call import Leg
from telephony.simulator.model import Channel
from telephony.simulator.queue_call import QueueCall
from telephony.simulator.talk import DIAL_SECONDS

TRANSFER_CONTEXT = "hotline-transfer"  # of the configuration we ship
BUSY = [("Cause", "17"), ("TechCause", "486")]


class InboundCall(QueueCall):
    """What the simulator places when a citizen calls."""

    def asks_score(self) -> bool:
        return self.did.greeting

    def go_to(self, exten: str) -> None:
        queue = self.floor.queue_extensions.get(exten)
        if queue is not None:
            self.enter_queue(queue, self.did.max_wait)
        elif self.floor.is_phone(exten):
            self._dial(exten)
        else:
            self.hang_up_citizen()

    # --- a phone called by Dial()

    def _dial(self, extension: str) -> None:
        pbx, citizen = self.pbx, self.citizen
        busy = pbx.device_state(extension) != "NOT_INUSE"
        self.enter_stage("dialling", extension)
        citizen.application, citizen.application_data = "Dial", f"PJSIP/{extension},20,tT"
        channel = pbx.new_channel(
            extension, extension, f"Agent {extension}", "internal", linkedid=citizen.linkedid
        )
        self.floor.know(channel, self)
        leg = self.agent = Leg(channel, None, pbx.now())
        channel.exten = extension
        channel.application, channel.application_data = "AppDial", "(Outgoing Line)"
        pbx.connect_line(channel, citizen.number, citizen.display)
        pbx.dial("DialBegin", citizen, channel, ("DialString", extension))
        if busy:
            pbx.about("HangupRequest", channel, BUSY)
            self._dial_failed("BUSY", cause=17, tech=486)
            return
        pbx.connect_line(citizen, extension, f"Agent {extension}")
        pbx.set_state(channel, 5)
        pbx.refresh(extension)
        pbx.dial("DialState", citizen, channel, ("DialStatus", "RINGING"))
        wait = self.floor.answer_after(self, extension)
        if wait is None or wait >= DIAL_SECONDS:
            self.after(DIAL_SECONDS, lambda: self._dial_failed("NOANSWER", cause=0))
        else:
            self.after(wait, lambda: self._dial_answered(leg))

    def _dial_answered(self, leg: Leg) -> None:
        pbx, plan = self.pbx, self.plan
        self.forget_timers()
        self.answered_at = pbx.now()
        pbx.set_state(leg.channel, 6)
        leg.channel.exten = ""
        pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", "ANSWER"))
        self.record_leg(leg, answered=True)
        bridge = pbx.create_bridge()
        pbx.refresh(leg.channel.endpoint)
        pbx.enter(bridge, leg.channel)
        pbx.enter(bridge, self.citizen)
        self.enter_stage("talking", leg.channel.endpoint)
        self.after(plan.transfer.talk if plan.transfer else plan.talk / 2, self.citizen_hangs_up)

    def _dial_failed(self, status: str, cause: int, tech: int | None = None) -> None:
        """Nobody there: back to the queue where the transfer context says so, else the call is over."""
        leg = self.agent
        if leg is None:
            return
        self.forget_timers()
        self._stop_dialling(leg, status, cause, tech)
        if self.citizen.context == TRANSFER_CONTEXT:
            self.enter_queue(self.did.queue, self.did.max_wait)
        else:
            self.hang_up_citizen()

    def _stop_dialling(self, leg: Leg, status: str, cause: int, tech: int | None = None) -> None:
        self.pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", status))
        self.record_leg(leg, answered=False)
        self.pbx.hangup(leg.channel, cause, tech)
        self.pbx.refresh(leg.channel.endpoint)
        self.agent = None

    def citizen_hangs_up_dialling(self) -> None:
        self.forget_timers()
        self.pbx.about("HangupRequest", self.citizen, [("Cause", "16")])
        if self.agent is not None:
            self._stop_dialling(self.agent, "CANCEL", cause=0)
        self.hang_up_citizen(cause=0)

    # --- what actions ask

    def hang_up(self, channel: Channel) -> None:
        ringing = self.ringing_leg(channel)
        if channel is self.trunk:
            self.citizen_hangs_up()
        elif ringing is not None:
            self.reject(ringing)
        elif self.stage == "dialling":
            self._dial_failed("BUSY", cause=17, tech=486)
        else:
            self.agent_hangs_up()
