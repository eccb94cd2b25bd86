"""An inbound call on its way through the menu, the queue and the ringing phones."""

from typing import TYPE_CHECKING

from telephony.simulator.call import Leg
from telephony.simulator.events import agent_part
from telephony.simulator.model import Channel, Did, Member, Queue
from telephony.simulator.plan import CallPlan
from telephony.simulator.talk import TalkingCall

if TYPE_CHECKING:
    from telephony.simulator.floor import Floor

# Why a caller left the queue without an agent: queue_log event, what QUEUESTATUS says.
REFUSED = "hotline-refused"  # the context that tells a listed number why
REFUSAL_SECONDS = 2.0
REASONS = {
    "timeout": ("EXITWITHTIMEOUT", "TIMEOUT"),
    "withdrawn": ("WITHDRAW", "WITHDRAW"),
    "empty": ("EXITEMPTY", "LEAVEEMPTY"),
    "exit_key": ("EXITWITHKEY", "CONTINUE"),
}


class QueueCall(TalkingCall):
    """From the trunk to an agent, or to whatever else ends the wait."""

    def __init__(self, floor: "Floor", plan: CallPlan, did: Did) -> None:
        super().__init__(floor, plan)
        self.did = did
        self.ringing: list[Leg] = []
        self.rings = 0
        self.withdrawn = ""

    def begin(self) -> None:
        """The call comes in on the trunk and the dialplan answers it."""
        pbx, plan = self.pbx, self.plan
        self.trunk = pbx.new_channel(
            pbx.config.trunk, plan.number, plan.name, "from-trunk", self.did.exten, state=4
        )
        self.floor.know(self.trunk, self)
        self.enter_stage("menu")
        self.trunk.application = "Answer"
        if self.did.greeting:
            self.trunk.variables["HOTLINE"] = self.did.exten
            self.trunk.priority = 4
        pbx.set_state(self.trunk, 6)
        pbx.refresh(self.trunk.endpoint)
        if self.did.greeting:
            self.trunk.priority = 5
            self.user_event("IVRPath", ("Menu", "root"), ("Choice", "1"))
        self.after(plan.menu, self._leave_menu)

    def _leave_menu(self) -> None:
        if self.plan.leaves_in_menu:
            self.citizen_hangs_up()
            return
        if self.begun():
            return
        if self.did.greeting:
            self.citizen.priority = 6
            self.pbx.about("MixMonitorStart", self.citizen)
        self.citizen.priority = 7 if self.did.greeting else 2
        self.enter_queue(self.did.queue, self.did.max_wait)
        if self.plan.withdraw_after is not None:
            self.after(self.plan.withdraw_after, self._withdraw_as_planned)
        if self.plan.patience is not None:
            self.after(self.plan.patience, self.citizen_hangs_up)
        if self.plan.key_0_after is not None:
            self.after(self.plan.key_0_after, self.press_0)

    def begun(self) -> bool:
        """Whether the menu led elsewhere."""
        return False

    def press_0(self) -> None:
        """Where there is no mailbox the key does nothing."""

    # --- the queue

    def enter_queue(self, name: str, max_wait: float) -> None:
        pbx = self.pbx
        self.queue: Queue = pbx.queues[name]
        self.citizen.application = "Queue"
        self.citizen.application_data = f"{name},tT,,,{max_wait:g}"
        waiting = self.floor.waiting[name]
        waiting.append(self)
        self.entered, self.position = pbx.now(), len(waiting)
        self.leave_by = pbx.clock.monotonic() + max_wait
        self.enter_stage("waiting", name)
        pbx.set_device(f"Queue:{name}", "RINGING")
        part = [("Queue", name), ("Position", str(self.position)), ("Count", str(len(waiting)))]
        pbx.about("QueueCallerJoin", self.citizen, part)
        self._log("NONE", "ENTERQUEUE", "", self.citizen.number, self.position)
        self._look_for_agent()

    def _look_for_agent(self) -> None:
        """One turn of the queue's loop: leave it, ring somebody, or wait for the next turn."""
        if self.stage != "waiting" or self.ringing:
            return
        if self.withdrawn:
            self.leave_queue("withdrawn")
        elif self.pbx.clock.monotonic() >= self.leave_by - 1e-6:
            self.leave_queue("timeout")
        elif members := self.floor.choose(self, self.queue):
            self._ring(members)
        else:
            rest = min(self.queue.config.retry, self.leave_by - self.pbx.clock.monotonic())
            self.after(rest, self._look_for_agent)

    def _ring(self, members: list[Member]) -> None:
        for member in members:
            self._call_agent(member, alone=len(members) == 1)
        for leg in self.ringing:
            self.pbx.dial("DialState", self.citizen, leg.channel, ("DialStatus", "RINGING"))
        self.rings += 1
        timeout = min(self.queue.config.timeout, self.leave_by - self.pbx.clock.monotonic())
        rings = self.rings
        self.after(timeout, lambda: self._nobody_answers(rings, timeout))

    def _call_agent(self, member: Member, *, alone: bool) -> None:
        pbx, citizen, extension = self.pbx, self.citizen, member.extension
        channel = pbx.new_channel(
            extension, extension, f"Agent {extension}", "internal", linkedid=citizen.linkedid
        )
        self.floor.know(channel, self)
        leg = Leg(channel, member, pbx.now())
        self.ringing.append(leg)
        channel.exten = citizen.exten
        channel.application, channel.application_data = "AppQueue", "(Outgoing Line)"
        channel.variables.update({k: v for k, v in citizen.variables.items() if k == "HOTLINE"})
        pbx.connect_line(channel, citizen.number, citizen.display)
        rings_early = pbx.odd()
        if rings_early:
            pbx.set_state(channel, 5)
        pbx.about("AgentCalled", citizen, pbx.snap(channel, "Dest"), agent_part(member))
        pbx.dial("DialBegin", citizen, channel, ("DialString", member.interface))
        if alone:
            pbx.connect_line(citizen, extension, f"Agent {extension}")
        if not rings_early:
            pbx.set_state(channel, 5)
        pbx.refresh(extension)
        wait = self.floor.answer_after(self, extension)
        if wait is not None:
            leg.timer = self.after(wait, lambda: self._answered(leg))

    def _nobody_answers(self, rings: int, timeout: float) -> None:
        """The ring timeout: AgentRingNoAnswer counts it in milliseconds, both DialEnds follow."""
        if self.stage != "waiting" or rings != self.rings or not self.ringing:
            return
        for leg in list(self.ringing):
            self._miss(leg, round(timeout * 1000))
        self.after(self.queue.config.retry, self._look_for_agent)

    def _miss(self, leg: Leg, milliseconds: int) -> None:
        pbx, member = self.pbx, leg.member
        assert member is not None
        dest = pbx.snap(leg.channel, "Dest")
        ring = [*agent_part(member), ("RingTime", str(milliseconds))]
        pbx.about("AgentRingNoAnswer", self.citizen, dest, ring)
        self._log(member.name, "RINGNOANSWER", milliseconds)
        self._stop_ringing(leg, "NOANSWER", cause=0)
        self.floor.missed(member)

    def _stop_ringing(self, leg: Leg, status: str, cause: int) -> None:
        """Queue legs tell their end twice; the second time it is always CANCEL."""
        self.pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", status))
        self.pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", "CANCEL"))
        self._release(leg, cause)

    def _release(self, leg: Leg, cause: int) -> None:
        if leg.timer:
            leg.timer.cancel()
        self.ringing.remove(leg)
        self.record_leg(leg, answered=False)
        self.pbx.hangup(leg.channel, cause)
        self.pbx.refresh(leg.channel.endpoint)

    # --- answered

    def _answered(self, leg: Leg) -> None:
        if self.stage != "waiting" or leg not in self.ringing:
            return
        pbx, citizen, member = self.pbx, self.citizen, leg.member
        assert member is not None
        self.forget_timers()
        self.ringing.remove(leg)
        pbx.set_state(leg.channel, 6)
        pbx.refresh(leg.channel.endpoint)
        losers = self._tell_who_won(leg)
        self._out_of_line()
        self.agent, self.member = leg, member
        self.answered_at = pbx.now()
        wait, rang = int(self.answered_at) - int(self.entered), int(self.answered_at - leg.began)
        self.queue.answered_after(wait)
        times = [("HoldTime", str(wait)), ("RingTime", str(rang))]
        pbx.about("AgentConnect", citizen, pbx.snap(leg.channel, "Dest"), agent_part(member), times)
        self._log(member.name, "CONNECT", wait, leg.channel.uniqueid, rang)
        for loser in losers:
            self._release(loser, cause=26)
        self.record_leg(leg, answered=True)
        member.in_call = True
        self.join(leg.channel, citizen)
        self.start_talking(f"{member.extension}", wait)

    def _tell_who_won(self, leg: Leg) -> list[Leg]:
        """DialEnds of the answer; the phones that lost the race hear CANCEL twice each."""
        pbx, losers = self.pbx, list(self.ringing)
        pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", "ANSWER"))
        for round_ in range(2):
            for loser in losers:
                pbx.dial("DialEnd", self.citizen, loser.channel, ("DialStatus", "CANCEL"))
            if losers and round_ == 0:
                pbx.connect_line(self.citizen, leg.channel.number, f"Agent {leg.channel.endpoint}")
        return losers

    # --- leaving without an agent

    def _out_of_line(self) -> int:
        """QueueCallerLeave; returns the position the caller had in the end."""
        name = self.queue.name
        waiting = self.floor.waiting[name]
        position = waiting.index(self) + 1
        waiting.remove(self)
        if not waiting:
            self.pbx.set_device(f"Queue:{name}", "NOT_INUSE")
        part = [("Queue", name), ("Position", str(position)), ("Count", str(len(waiting)))]
        self.pbx.about("QueueCallerLeave", self.citizen, part)
        return position

    def _tell_abandon(self) -> tuple[int, int]:
        """QueueCallerAbandon, sent for every end of the wait but an answer and a key."""
        position = self.floor.waiting[self.queue.name].index(self) + 1
        waited = int(self.pbx.now()) - int(self.entered)
        self.queue.abandoned += 1
        part = [
            ("Queue", self.queue.name),
            ("Position", str(position)),
            ("OriginalPosition", str(self.position)),
            ("HoldTime", str(waited)),
        ]
        self.pbx.about("QueueCallerAbandon", self.citizen, part)
        return position, waited

    def leave_queue(self, reason: str) -> None:
        """The queue lets the caller go."""
        event, status = REASONS[reason]
        data: tuple[object, ...]
        if reason == "exit_key":
            waited = int(self.pbx.now()) - int(self.entered)
            data = ("0", self.floor.waiting[self.queue.name].index(self) + 1, self.position, waited)
        else:
            position, waited = self._tell_abandon()
            data = (position, self.position, waited, *([self.withdrawn] if reason == "withdrawn" else []))
        self._log("NONE", event, *data)
        self._out_of_line()
        self.citizen.priority += 1
        if self.did.reports_result:
            self.user_event("QueueResult", ("Status", status))
        self.after_queue()

    def after_queue(self) -> None:
        """The dialplan goes on and hangs up."""
        self.citizen.application, self.citizen.application_data = "Hangup", ""
        self.record_dialplan()
        self.hang_up_citizen(records_last=True)

    def withdraw(self, info: str = "callback") -> bool:
        """QueueWithdrawCaller: takes effect at the queue's next turn, after the present ring."""
        if self.stage != "waiting" or self.withdrawn:
            return False
        self.withdrawn = info
        return True

    def _withdraw_as_planned(self) -> None:
        self.withdraw()

    def refuse(self) -> None:
        """A redirect out of the queue looks like an abandon; the dialplan then says why and hangs up."""
        self._give_up_waiting()
        self.enter_stage("menu")
        self.tell("CallRefused")
        self.after(REFUSAL_SECONDS, self.hang_up_citizen)

    def citizen_hangs_up_waiting(self) -> None:
        """The real abandon: ringing phones are cancelled, then the caller is gone."""
        self._give_up_waiting()
        self.hang_up_citizen(cause=0)

    def _give_up_waiting(self) -> None:
        self.forget_timers()
        legs = list(self.ringing)
        for leg in legs:
            self.pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", "CANCEL"))
            self.pbx.dial("DialEnd", self.citizen, leg.channel, ("DialStatus", "CANCEL"))
            assert leg.member is not None
            self._log(leg.member.name, "RINGCANCELED", int((self.pbx.now() - leg.began) * 1000))
        position, waited = self._tell_abandon()
        self._log("NONE", "ABANDON", position, self.position, waited)
        for leg in legs:
            self._release(leg, cause=0)
        self._out_of_line()

    def ringing_leg(self, channel: Channel) -> Leg | None:
        return next((leg for leg in self.ringing if leg.channel is channel), None)

    def reject(self, leg: Leg) -> None:
        """A phone that refuses while it rings: no answer, only sooner."""
        self._miss(leg, int((self.pbx.now() - leg.began) * 1000))
        if not self.ringing:
            self.after(self.queue.config.retry, self._look_for_agent)

    def channels(self) -> list[Channel]:
        return [*super().channels(), *(leg.channel for leg in self.ringing)]

    def _log(self, agent: str, event: str, *data: object) -> None:
        self.pbx.log.write(self.pbx.now(), self.citizen.uniqueid, self.queue.name, agent, event, *data)
