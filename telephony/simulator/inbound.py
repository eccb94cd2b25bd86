"""The whole inbound call: queue and talk, and the extensions it may be transferred to."""

from telephony.simulator.call import Leg
from telephony.simulator.keys import KeysCall
from telephony.simulator.model import Channel
from telephony.simulator.talk import DIAL_SECONDS

# Of the configuration we ship: where transfers lead, and the way back when nobody takes one.
TRANSFER_CONTEXT, BACK_CONTEXT = "hotline-transfer", "hotline-back"
BUSY = [("Cause", "17"), ("TechCause", "486")]


class InboundCall(KeysCall):
    """What the simulator places when a citizen calls."""

    def asks_score(self) -> bool:
        return self.did.greeting

    def go_to(self, exten: str) -> None:
        queue = self.floor.queue_extensions.get(exten, exten if exten in self.pbx.queues else None)
        if queue is not None:
            self.enter_queue(queue, self.did.max_wait)
            return
        if self.citizen.context == TRANSFER_CONTEXT:
            self.tell("TransferTo", ("Target", exten))
        if self.floor.is_phone(exten):
            self._dial(exten)
        elif self.citizen.context == TRANSFER_CONTEXT and exten.isdigit():
            self._dial(self.pbx.config.trunk, exten)
        else:
            self.hang_up_citizen()

    # --- a phone called by Dial()

    def back_to_queue(self) -> None:
        self.enter_queue(self.did.queue, self.did.max_wait)

    def _dial(self, extension: str, number: str = "") -> None:
        pbx, citizen = self.pbx, self.citizen
        busy = not number and pbx.device_state(extension) != "NOT_INUSE"
        self.enter_stage("dialling", extension)
        citizen.application, citizen.application_data = "Dial", f"PJSIP/{extension},20,tT"
        channel = pbx.new_channel(
            extension, extension, f"Agent {extension}", "internal", linkedid=citizen.linkedid
        )
        self.floor.know(channel, self)
        leg = self.agent = Leg(channel, None, pbx.now())
        channel.exten = number or extension
        channel.application, channel.application_data = "AppDial", "(Outgoing Line)"
        pbx.connect_line(channel, citizen.number, citizen.display)
        dialled = f"{number}@{extension}" if number else extension
        pbx.dial("DialBegin", citizen, channel, ("DialString", dialled))
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
            self.tell("TransferBack", ("Target", self.citizen.exten), ("Why", status))
            self._back_to_sender()
        elif self.citizen.context == BACK_CONTEXT:
            self.back_to_queue()
        else:
            self.hang_up_citizen()

    def _back_to_sender(self) -> None:
        """Who sent the citizen by BlindTransfer is rung first; then the queue has him."""
        self.citizen.context = BACK_CONTEXT
        if self.sender and self.pbx.device_state(self.sender) == "NOT_INUSE":
            self._dial(self.sender)
        else:
            self.back_to_queue()

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
        if self.hang_up_in_room(channel):
            return
        ringing = self.ringing_leg(channel)
        if channel is self.trunk:
            self.citizen_hangs_up()
        elif ringing is not None:
            self.reject(ringing)
        elif self.stage == "dialling":
            self._dial_failed("BUSY", cause=17, tech=486)
        else:
            self.agent_hangs_up()
