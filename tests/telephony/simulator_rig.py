"""A simulated PBX configured like the one the recordings were made on, and streams from it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from core.clock import ManualClock
from telephony.simulator import CallPlan, Did, PbxConfig, QueueConfig, Simulator, Transfer
from telephony.simulator.actions import answer
from telephony.simulator.floor import Manner
from telephony.simulator.inbound import InboundCall
from telephony.simulator.wire import Headers, encode

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def rig_config(version: str = "22", odd_share: float = 0.0) -> PbxConfig:
    """Queues and numbers of the recordings' PBX."""
    return PbxConfig(
        queues=(
            QueueConfig("qall", ("1001", "1002", "1003"), "ringall", 5),
            QueueConfig("q12345", ("1001", "1002"), "linear", 4),
            QueueConfig("qexpert", ("1002",), "linear", 5),
            QueueConfig("qnobody", ("1009",), "linear", 3, ring_in_use=True),
        ),
        dids=(
            Did("12304", "q12345", 30),
            Did("12345", "q12345", 30, greeting=True),
            Did("12301", "qall", 30),
            Did("12303", "qnobody", 8, reports_result=True),
        ),
        version=version,
        odd_share=odd_share,
    )


class Rig:
    """A simulator on a clock that moves when told, and everything it sent."""

    def __init__(self, version: str = "22", odd_share: float = 0.0, config: PbxConfig | None = None) -> None:
        self.clock = ManualClock(START)
        self.simulator = Simulator(
            clock=self.clock, config=config or rig_config(version, odd_share), manner=Manner(miss=0.0)
        )
        self.sent: list[bytes] = []
        self.events: list[tuple[str, Headers]] = []
        self.simulator.tap(lambda name, headers: self.sent.append(encode(headers)))
        self.simulator.tap(lambda name, headers: self.events.append((name, headers)))

    @property
    def stream(self) -> bytes:
        return b"".join(self.sent)

    @property
    def queue_log(self) -> list[list[str]]:
        """Lines of queue_log as lists, from the event's name on, without the start-up line."""
        lines = [line.split("|")[4:] for line in self.simulator.queue_log.lines]
        return [line for line in lines if line[0] != "QUEUESTART"]

    def call(self, **plan: Any) -> InboundCall:
        plan = {"number": "13800000001", "name": "王小明", "did": "12304", "menu": 0.5, **plan}
        return self.simulator.place_call(**plan)

    def act(self, name: str, **headers: str) -> Headers:
        """Carry out an action; returns the first message of its reply."""
        reply = answer(self.simulator.floor, [("Action", name), ("ActionID", "rig-1"), *headers.items()])
        if reply.then:
            reply.then()
        return reply.messages[0]


def _inbound(seconds: float = 60, odd: float = 0.0, version: str = "22", **plan: Any) -> Callable[[], bytes]:
    def play() -> bytes:
        rig = Rig(version, odd)
        rig.call(**plan)
        rig.simulator.advance(seconds)
        return rig.stream

    return play


def _ami_blind_transfer() -> bytes:
    rig = Rig()
    call = rig.call(answer_after=0.8, talk=100)
    rig.simulator.advance(2.3)
    assert call.agent is not None
    rig.act("BlindTransfer", Channel=call.agent.channel.name, Exten="1002", Context="internal")
    rig.simulator.advance(100)
    return rig.stream


def _click(plan: CallPlan, answers: bool = True, **headers: str) -> Callable[[], bytes]:
    def play() -> bytes:
        rig = Rig()
        if not answers:
            rig.simulator.floor.manner = Manner(miss=1.0)
        rig.simulator.plan_outbound(plan)
        order = {"Channel": "PJSIP/1001", "Exten": "13900000001", "Context": "internal", "Timeout": "3000"}
        rig.act("Originate", **order, **headers)
        rig.simulator.advance(100)
        return rig.stream

    return play


PLAYED: dict[str, Callable[[], bytes]] = {
    "s01_answer_caller_hangup": _inbound(agent="1001", answer_after=0.8, talk=3.7),
    "s02_answer_agent_hangup": _inbound(
        version="16", agent="1001", answer_after=0.8, talk=2.5, ended_by="agent"
    ),
    "s03_abandon": _inbound(agent="1001", outcome="abandoned", patience=2.5),
    "s04_rna_then_second": _inbound(misses=1, answer_after=0.8, talk=3.7),
    "s05_ringall": _inbound(did="12301", answer_after=0.8, talk=3.7),
    "s06_queue_timeout": _inbound(did="12303", outcome="timeout"),
    "s07_hold_unhold": _inbound(odd=1.0, agent="1001", answer_after=0.5, talk=7, hold=(1, 2)),
    "s08_refer_blind": _inbound(agent="1001", answer_after=0.5, transfer=Transfer(1.5, "1002", 4.7)),
    "s10_ami_blindtransfer": _ami_blind_transfer,
    "s12_click_to_call": _click(
        CallPlan("13900000001", talk=2.5, answer_after=0.1, citizen_after=0.8),
        ChannelId="cb-0001",
        CallerID="12345 <12345>",
        Variable="TICKETREF=T20260001",
    ),
    "s12b_originate_agent_busy": _click(CallPlan("13900000001", agent_busy=True)),
    "s12c_originate_agent_noanswer": _click(CallPlan("13900000001"), answers=False),
    "s12d_originate_customer_noanswer": _click(CallPlan("13900000001", answer_after=0.1, citizen_busy=True)),
    "s14_survey": _inbound(
        did="12345", agent="1001", answer_after=0.5, talk=2.5, ended_by="agent", score="5"
    ),
    "s20_withdraw": _inbound(did="12303", outcome="withdrawn"),
}
