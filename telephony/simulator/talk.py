"""An inbound call once somebody talks: hold, transfers, the survey, and the ways it ends."""

from collections.abc import Callable

from telephony.simulator.call import Leg
from telephony.simulator.events import agent_part, bridge_part
from telephony.simulator.model import Channel, Member, Queue
from telephony.simulator.rooms import HandledCall
from telephony.simulator.wire import Headers

DIAL_SECONDS = 20.0  # Dial() of the internal context
SURVEY_SECONDS = 5.0  # Read() of the survey


class TalkingCall(HandledCall):
    """The second half of an inbound call; the queue is the first."""

    queue: Queue
    member: Member | None = None
    entered = 0.0
    position = 1
    sender = ""  # who sent the citizen by a blind transfer
    _wait = 0
    _late: Callable[[], None] | None = None

    def start_talking(self, who: str, wait: int) -> None:
        """Plan what happens in the talk."""
        plan = self.plan
        self._wait = wait
        self.enter_stage("talking", who)
        if plan.hold:
            self.after(plan.hold[0], self.hold)
            self.after(sum(plan.hold), self.unhold)
        if plan.transfer:
            to = plan.transfer.to
            self.after(plan.transfer.after, lambda: self._transfer(to, "internal", by_phone=True))
        else:
            ends = self.citizen_hangs_up if plan.ended_by == "citizen" else self.agent_hangs_up
            self.after(plan.talk, ends)

    # --- the ends

    def citizen_hangs_up(self) -> None:
        """Whatever stage the call is in, the citizen has had enough."""
        if self.stage == "ended":
            return
        if self.stage in ("dialling", "room"):
            self.citizen_hangs_up_dialling() if self.stage == "dialling" else self.leave_for_good()
            return
        dialled = self.stage == "talking" and self.member is None
        self.pbx.about("HangupRequest", self.citizen, self._request_cause(dialled))
        if self.stage == "waiting":
            self.citizen_hangs_up_waiting()
        elif self.stage == "talking":
            self._end_talk()
        else:
            self.hang_up_citizen(cause=0)

    def _request_cause(self, dialled: bool) -> Headers:
        """Asterisk 22 names a cause only for calls of Dial()."""
        return [("Cause", "16")] if dialled or self.pbx.config.version == "16" else []

    def _end_talk(self) -> None:
        """The citizen left the talk; once in a while the agent's leg is gone before AgentComplete."""
        pbx, leg = self.pbx, self.agent
        assert leg is not None
        self.forget_timers()
        bridge = self.citizen.bridge
        odd = self.member is not None and pbx.odd()
        if not odd:
            self._complete("caller")
        pbx.leave(self.citizen)
        if not odd:
            pbx.soft_hangup(self.citizen)
        pbx.leave(leg.channel)
        if odd:
            pbx.hangup(leg.channel, 16)
        if bridge is not None:
            pbx.destroy(bridge)
        if odd:
            self._complete("caller", with_agent=False)
            pbx.soft_hangup(self.citizen)
        self._finish_late()
        self.write_records(self.citizen)
        pbx.hangup(self.citizen, 16)
        if not odd:
            pbx.hangup(leg.channel, 16)
        pbx.refresh(self.citizen.endpoint)
        pbx.refresh(leg.channel.endpoint)
        self.enter_stage("ended")

    def agent_hangs_up(self) -> None:
        """The agent ends the talk; the dialplan may still ask for a score."""
        pbx, leg = self.pbx, self.agent
        if self.stage != "talking" or leg is None:
            return
        self.forget_timers()
        queued = self.member is not None
        pbx.about("HangupRequest", leg.channel, self._request_cause(not queued))
        self._complete("agent")
        self.part(leg.channel, self.citizen)
        self._drop_agent(leg)
        if queued and self.asks_score():
            self.ask_score()
        else:
            self.hang_up_citizen()

    def _drop_agent(self, leg: Leg, cause: int = 16) -> None:
        self.pbx.hangup(leg.channel, cause)
        self.pbx.refresh(leg.channel.endpoint)
        self.agent = None

    def _complete(self, reason: str, *, with_agent: bool = True) -> None:
        """AgentComplete and its queue_log line, if the agent came from a queue."""
        member, leg = self.member, self.agent
        if member is None or leg is None:
            return
        agent = leg.channel if with_agent else None
        self._tell_complete(reason, member, agent, self.answered_at, self._wait, self.position)

    def _tell_complete(
        self, reason: str, member: Member, agent: Channel | None, answered_at: float, wait: int, position: int
    ) -> None:
        pbx, talk = self.pbx, int(self.pbx.now()) - int(answered_at)
        times = [("HoldTime", str(wait)), ("TalkTime", str(talk)), ("Reason", reason)]
        pbx.about("AgentComplete", self.citizen, pbx.snap(agent, "Dest"), agent_part(member), times)
        pbx.queues[member.queue].talked(talk)
        if reason != "transfer":
            event = "COMPLETECALLER" if reason == "caller" else "COMPLETEAGENT"
            line = (wait, talk, position)
            pbx.log.write(pbx.now(), self.citizen.uniqueid, member.queue, member.name, event, *line)
        self.floor.released(member)
        if self.member is member:
            self.member = None

    def hang_up_citizen(self, cause: int = 16, *, records_last: bool = False) -> None:
        """The dialplan's Hangup(), or what is left to do after a hangup."""
        pbx = self.pbx
        self.forget_timers()
        self._finish_late()
        pbx.soft_hangup(self.citizen)
        if not records_last:
            self.write_records(self.citizen)
        pbx.hangup(self.citizen, cause)
        if records_last:
            self.write_records(self.citizen)
        pbx.refresh(self.citizen.endpoint)
        self.enter_stage("ended")

    # --- the survey

    def asks_score(self) -> bool:
        """Only the hotline's own number has a survey."""
        return False

    def ask_score(self) -> None:
        self.enter_stage("survey")
        self.citizen.exten, self.citizen.priority = "survey", 2
        self.citizen.application, self.citizen.application_data = "Read", "SCORE,,1,,1,5"
        score = self.plan.score
        self.record_dialplan()
        self.after(SURVEY_SECONDS if score is None else SURVEY_SECONDS / 4, lambda: self._score(score or ""))

    def _score(self, digit: str) -> None:
        if digit:
            press = [("Digit", digit), ("DurationMs", "0"), ("Direction", "Received")]
            self.pbx.about("DTMFEnd", self.citizen, press)
            self.citizen.priority = 3
            self.user_event("Survey", ("Linkedid", self.citizen.linkedid), ("Score", digit))
        self.citizen.priority = 4
        self.hang_up_citizen(records_last=True)

    def user_event(self, name: str, *pairs: tuple[str, str]) -> None:
        own = [("UserEvent", name), ("Uniqueid", self.citizen.uniqueid), *pairs]
        self.pbx.about("UserEvent", self.citizen, own)

    # --- transfers

    def blind_transfer(self, channel: Channel, exten: str, context: str) -> bool:
        if self.stage != "talking" or self.agent is None or channel is not self.agent.channel:
            return False
        self._transfer(exten, context, by_phone=False)
        return True

    def _transfer(self, exten: str, context: str, *, by_phone: bool) -> None:
        """REFER from the phone and AMI BlindTransfer differ only in who leaves the bridge first."""
        pbx, leg, citizen = self.pbx, self.agent, self.citizen
        if self.stage != "talking" or leg is None:
            return
        self.forget_timers()
        self.sender = leg.channel.endpoint
        bridge = citizen.bridge
        assert bridge is not None
        pbx.about("Unhold", leg.channel)
        citizen.held = False
        self._tell_transfer(leg.channel, exten, context)
        self._log_transfer(exten, context)
        if not by_phone:
            pbx.leave(leg.channel)
        self._complete("transfer")
        citizen.context, citizen.exten, citizen.priority = context, exten, 1
        pbx.leave(citizen)
        pbx.leave(leg.channel)
        pbx.destroy(bridge)
        self._drop_agent(leg)
        self.go_to(exten)

    def _tell_transfer(self, agent: Channel, exten: str, context: str) -> None:
        pbx, bridge = self.pbx, agent.bridge
        assert bridge is not None
        head = [("Result", "Success")]
        tail = [("IsExternal", "Yes"), ("Context", context), ("Extension", exten)]
        who = [*pbx.snap(agent, "Transferer"), *pbx.snap(self.citizen, "Transferee")]
        pbx.emit("BlindTransfer", head, who, bridge_part(bridge), tail)

    def _log_transfer(self, exten: str, context: str) -> None:
        if self.member is None:
            return
        talk = int(self.pbx.now()) - int(self.answered_at)
        data = (exten, context, self._wait, talk, self.position)
        member = self.member
        self.pbx.log.write(
            self.pbx.now(), self.citizen.uniqueid, member.queue, member.name, "BLINDTRANSFER", *data
        )

    def redirect(self, channel: Channel, exten: str, context: str) -> bool:
        """The first queue learns of the end of its talk only when the citizen is gone, and counts it all."""
        leg, member = self.agent, self.member
        if channel is not self.citizen or self.stage != "talking" or leg is None:
            return False
        self.forget_timers()
        self.citizen.held = False
        if member is not None:
            agent, answered, wait, position = leg.channel, self.answered_at, self._wait, self.position
            self._late = lambda: self._tell_complete("caller", member, agent, answered, wait, position)
            self.member = None
        self.part(self.citizen, leg.channel)
        self._drop_agent(leg)
        self.citizen.context, self.citizen.exten, self.citizen.priority = context, exten, 1
        self.go_to(exten)
        return True

    # --- in the console's hand

    def agent_done(self, reason: str) -> None:
        self._complete(reason)
        self._finish_late()

    def talked_out(self) -> None:
        if self.asks_score():
            self.ask_score()
        else:
            self.hang_up_citizen()

    def go_on(self, exten: str) -> None:
        self.go_to(exten)

    def _finish_late(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late()

    def go_to(self, exten: str) -> None:
        """Where the dialplan's `internal` context leads: a phone, or a queue."""
        raise NotImplementedError

    def citizen_hangs_up_waiting(self) -> None:
        raise NotImplementedError

    def citizen_hangs_up_dialling(self) -> None:
        raise NotImplementedError
