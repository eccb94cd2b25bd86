"""What the product makes of the simulator's streams: the sessions that were planned."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from telephony.replay import replay_file
from telephony.simulator import CallPlan, Simulator, Transfer
from telephony.simulator.callers import HOSTILE
from telephony.simulator.day import DayShape
from telephony.simulator.floor import Manner
from telephony.simulator.wire import encode
from tests.telephony.simulator_rig import Rig

PEAK = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in the city


def sessions(stream: bytes, queue_log: list[str], folder: Path) -> list[dict[str, Any]]:
    (folder / "stream.ami").write_bytes(stream)
    (folder / "queue_log").write_text("\n".join(queue_log) + "\n", encoding="utf-8")
    return replay_file(folder / "stream.ami", folder / "queue_log")


def one(folder: Path, **plan: Any) -> dict[str, Any]:
    rig = Rig()
    rig.call(**plan)
    rig.simulator.advance(120)
    (session,) = sessions(rig.stream, rig.simulator.queue_log.lines, folder)
    return session


@pytest.mark.parametrize(
    ("plan", "outcome", "drafts"),
    [
        ({"agent": "1001", "answer_after": 1}, "answered", 1),
        ({"did": "12303", "outcome": "abandoned", "patience": 4.0}, "abandoned", 0),
        ({"did": "12303", "outcome": "timeout"}, "timeout", 0),
        ({"did": "12303", "outcome": "withdrawn"}, "withdrawn", 0),
        ({"did": "12345", "outcome": "ivr_ended", "menu": 5}, "ivr_ended", 0),
    ],
)
def test_planned_outcome_is_the_session_s_outcome(
    tmp_path: Path, plan: dict[str, Any], outcome: str, drafts: int
) -> None:
    session = one(tmp_path, **plan)
    assert (session["outcome"], session["drafts"]) == (outcome, drafts)


def test_talk_ring_and_hold_are_as_long_as_planned(tmp_path: Path) -> None:
    session = one(tmp_path, agent="1001", answer_after=2, talk=30, hold=(5, 8), ended_by="agent")
    (leg,) = session["legs"]
    assert leg["ring_seconds"] == pytest.approx(2, abs=0.05)
    assert leg["talk_seconds"] == pytest.approx(30, abs=0.05)
    assert leg["hold_seconds"] == pytest.approx(8, abs=0.05)
    assert leg["ended_by"] == "agent"


def test_missed_ring_and_transfer_leave_a_leg_for_each_agent(tmp_path: Path) -> None:
    session = one(tmp_path, misses=1, answer_after=1, transfer=Transfer(4, "1003", 9))
    legs = {leg["agent"]: leg for leg in session["legs"]}
    assert legs["1001"]["talk_seconds"] == 0
    assert legs["1002"]["ended_by"] == "transfer"
    assert legs["1003"]["talk_seconds"] == pytest.approx(9, abs=0.05)
    assert session["transfers"] == [{"kind": "blind", "from": "1002", "to": "1003"}]
    assert session["drafts"] == 1


def test_survey_and_recording_belong_to_their_call(tmp_path: Path) -> None:
    session = one(tmp_path, did="12345", agent="1001", answer_after=1, talk=5, ended_by="agent", score="4")
    assert session["survey"] == "4"
    assert session["recording"] == f"rec-{session['session']}.wav"


@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        (CallPlan("1", answer_after=1, citizen_after=2, talk=9), "answered"),
        (CallPlan("1", agent_busy=True), "agent_busy"),
        (CallPlan("1", answer_after=1, citizen_busy=True), "citizen_busy"),
        (CallPlan("1", answer_after=1, citizen_answers=False), "citizen_no_answer"),
        (CallPlan("1", answer_after=1, line="rejected"), "citizen_rejected"),
        (CallPlan("1", answer_after=1, line="invalid"), "number_invalid"),
        (CallPlan("1", answer_after=1, line="congested"), "trunk_down"),
        (CallPlan("1", answer_after=1, line="off"), "citizen_no_answer"),
        (CallPlan("1", answer_after=99), "agent_no_answer"),
    ],
)
def test_click_to_call_ends_as_planned_and_makes_no_draft(
    tmp_path: Path, plan: CallPlan, outcome: str
) -> None:
    rig = Rig()
    rig.simulator.plan_outbound(plan)
    order = {"Channel": "PJSIP/1001", "Exten": "13807730009", "Context": "internal", "Timeout": "15000"}
    rig.act("Originate", ChannelId="cb-1", CallerID="12345 <12345>", **order)
    rig.simulator.advance(60)
    (session,) = sessions(rig.stream, rig.simulator.queue_log.lines, tmp_path)
    assert session["session"] == "cb-1"
    assert (session["direction"], session["outcome"]) == ("outbound", outcome)
    assert session["drafts"] == 0


def test_a_call_from_a_telephone_that_is_not_registered_is_no_call(tmp_path: Path) -> None:
    rig = Rig()
    rig.simulator.plan_outbound(CallPlan("1", agent_away=True))
    order = {"Channel": "PJSIP/1001", "Exten": "13807730009", "Context": "internal", "Timeout": "15000"}
    rig.act("Originate", ChannelId="cb-1", **order)
    rig.simulator.advance(60)
    assert sessions(rig.stream, rig.simulator.queue_log.lines, tmp_path) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_forges_nothing(tmp_path: Path, name: str) -> None:
    session = one(tmp_path, name=name, agent="1001", answer_after=1, talk=5)
    assert session["session"].endswith(".0")
    assert session["queues"] == ["q12345"]
    assert session["linkedids"] == [session["session"]]


def test_a_whole_day_s_sessions_agree_with_queue_log(tmp_path: Path) -> None:
    simulator = Simulator(
        clock=ManualClock(PEAK), agents=14, calls_per_hour=150, seed=3, manner=Manner(miss=0.05)
    )
    sent: list[bytes] = []
    simulator.tap(lambda _, headers: sent.append(encode(headers)))
    simulator.begin_day()
    simulator.advance(2 * 3600)
    simulator.shape = DayShape(calls_per_hour=0)
    simulator.advance(3 * 3600)

    found = {s["session"]: s for s in sessions(b"".join(sent), simulator.queue_log.lines, tmp_path)}
    lines = [line.split("|") for line in simulator.queue_log.lines]
    connected = {line[1] for line in lines if line[4] == "CONNECT"}
    abandoned = {line[1] for line in lines if line[4] == "ABANDON"} - connected
    assert len(connected) > 150
    assert {key for key, s in found.items() if s["outcome"] == "answered"} == connected
    assert {key for key, s in found.items() if s["outcome"] == "abandoned"} == abandoned
    assert {s["outcome"] for s in found.values()} <= {"answered", "abandoned", "timeout", "ivr_ended"}
