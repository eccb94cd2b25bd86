"""Calls of the simulated PBX: what queue_log says of them, what agents and actions do to them."""

import itertools

import pytest

from telephony.simulator import CallPlan, PbxConfig, Transfer, city_pbx
from telephony.simulator.day import DayShape
from telephony.simulator.wire import Headers, cut_name, first
from tests.telephony.simulator_rig import Rig, rig_config


def named(rig: Rig, name: str) -> list[Headers]:
    return [headers for event, headers in rig.events if event == name]


def test_answered_call_is_written_to_queue_log_with_wait_and_talk() -> None:
    rig = Rig()
    rig.call(agent="1001", answer_after=3, talk=20)
    rig.simulator.advance(60)
    assert rig.queue_log == [
        ["ENTERQUEUE", "", "13800000001", "1"],
        ["CONNECT", "3", "1795413600.1", "3"],
        ["COMPLETECALLER", "3", "20", "1"],
    ]


def test_ring_time_is_milliseconds_when_missed_and_seconds_when_answered() -> None:
    rig = Rig()
    rig.call(misses=1, answer_after=2, talk=5)
    rig.simulator.advance(30)
    assert first(named(rig, "AgentRingNoAnswer")[0], "RingTime") == "4000"
    assert first(named(rig, "AgentConnect")[0], "RingTime") == "2"
    assert [line[0] for line in rig.queue_log] == ["ENTERQUEUE", "RINGNOANSWER", "CONNECT", "COMPLETECALLER"]


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("abandoned", "ABANDON"), ("timeout", "EXITWITHTIMEOUT"), ("withdrawn", "WITHDRAW")],
)
def test_every_end_of_a_wait_looks_like_an_abandon_and_only_queue_log_tells(outcome: str, word: str) -> None:
    rig = Rig()
    rig.call(did="12303", outcome=outcome, patience=5.5 if outcome == "abandoned" else None)
    rig.simulator.advance(60)
    assert len(named(rig, "QueueCallerAbandon")) == 1
    assert rig.queue_log[-1][0] == word


def test_lost_race_of_a_ringall_queue_ends_with_cause_26_and_two_dial_ends() -> None:
    rig = Rig()
    rig.call(did="12301", answer_after=1, talk=3)
    rig.simulator.advance(30)
    causes = [first(headers, "Cause") for headers in named(rig, "Hangup")]
    assert sorted(causes) == ["16", "16", "26", "26"]
    assert len(named(rig, "DialEnd")) == 1 + 2 * 2


def test_redirect_makes_the_first_queue_count_the_talk_of_the_second() -> None:
    rig = Rig()
    rig.simulator.floor.queue_extensions["8001"] = "qexpert"
    call = rig.call(agent="1001", answer_after=1, talk=10)
    rig.simulator.advance(3)
    reply = rig.act("Redirect", Channel=call.citizen.name, Context="internal", Exten="8001", Priority="1")
    assert first(reply, "Response") == "Success"
    call.plan = CallPlan("13800000001", talk=6, answer_after=1)
    rig.simulator.advance(60)
    completes = [line for line in rig.simulator.queue_log.lines if "COMPLETE" in line]
    assert [line.split("|")[2] for line in completes] == ["qexpert", "q12345"]
    assert int(completes[1].split("|")[6]) >= 7


def test_transfer_to_a_busy_phone_returns_to_who_sent_it_and_then_to_the_queue() -> None:
    rig = Rig(config=city_pbx(agents=3))
    rig.simulator.place_call("13800000001", "甲", agent="1002", answer_after=1, talk=500)
    call = rig.simulator.place_call("13800000002", "乙", agent="1001", answer_after=1, talk=500)
    rig.simulator.advance(5)
    assert call.agent is not None
    reply = rig.act(
        "BlindTransfer", Channel=call.agent.channel.name, Context="hotline-transfer", Exten="1002"
    )
    assert first(reply, "Message") == "Transfer succeeded"
    assert first(named(rig, "DialEnd")[-1], "DialStatus") == "BUSY"
    assert call.history[-2:] == ["dialling:1002", "dialling:1001"]
    assert call.agent is not None
    rig.act("Hangup", Channel=call.agent.channel.name)  # refused there as well
    assert call.stage == "waiting"


def test_hangup_action_on_a_waiting_citizen_is_an_abandon() -> None:
    rig = Rig()
    call = rig.call(did="12303", outcome="timeout")
    rig.simulator.advance(2)
    reply = rig.act("Hangup", Channel=call.citizen.name)
    assert first(reply, "Message") == "Channel Hungup"
    assert rig.queue_log[-1][0] == "ABANDON"
    assert rig.simulator.calls == []


def test_reserved_desk_is_rung_only_by_a_call_that_names_it() -> None:
    rig = Rig()
    rig.simulator.reserve("1001")
    rig.call(answer_after=1, talk=30)
    rig.call(number="13800000002", agent="1001", answer_after=1, talk=30)
    rig.simulator.advance(5)
    assert [call.agent.channel.endpoint for call in rig.simulator.calls if call.agent] == ["1002", "1001"]


def test_attended_desk_is_rung_before_all_others() -> None:
    rig = Rig(config=city_pbx(agents=10))
    rig.simulator.attend("1007")
    rig.simulator.place_call("13800000001", "甲", answer_after=1)
    rig.simulator.advance(3)
    (call,) = rig.simulator.calls
    assert call.agent is not None
    assert call.agent.channel.endpoint == "1007"


def test_desk_with_somebody_at_it_is_called_even_at_night_and_none_when_left() -> None:
    rig = Rig(config=city_pbx(agents=10))
    rig.simulator.shape = DayShape(calls_per_hour=0.001)
    rig.simulator.attend("1003")
    rig.simulator.advance(1800)
    talks = [first(headers, "Interface") for headers in named(rig, "AgentConnect")]
    assert len(talks) > 3
    assert set(talks) == {"PJSIP/1003"}
    rig.simulator.attend("1003", present=False)
    rig.simulator.advance(3600)
    assert len(named(rig, "AgentConnect")) <= len(talks) + 1


def test_paused_agent_is_not_rung_and_the_unpause_event_has_no_reason() -> None:
    rig = Rig()
    rig.act("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="ACW")
    rig.call(answer_after=1, talk=5)
    rig.simulator.advance(3)
    assert first(named(rig, "AgentConnect")[0], "Interface") == "PJSIP/1002"
    rig.act("QueuePause", Interface="PJSIP/1001", Paused="false", Reason="ACW")
    assert {first(headers, "PausedReason") for headers in named(rig, "QueueMemberPause")} == {"ACW", ""}


def test_errors_of_queue_actions_are_worded_as_asterisk_words_them() -> None:
    rig = Rig()
    add = {"Queue": "qexpert", "Interface": "PJSIP/1003", "MemberName": "Agent1003", "Paused": "true"}
    assert first(rig.act("QueueAdd", **add), "Message") == "Added interface to queue"
    assert first(rig.act("QueueAdd", **add), "Message") == "Unable to add interface: Already there"
    assert first(rig.act("QueuePause", Interface="PJSIP/9", Paused="1"), "Message") == "Interface not found"
    fixed = rig.act("QueueRemove", Queue="qexpert", Interface="PJSIP/1002")
    assert first(fixed, "Message") == "Member not dynamic"
    gone = rig.act("QueueRemove", Queue="qexpert", Interface="PJSIP/1003")
    assert first(gone, "Message") == "Removed interface from queue"
    again = rig.act("QueueRemove", Queue="qexpert", Interface="PJSIP/1003")
    assert first(again, "Message") == "Unable to remove interface: Not there"
    assert first(rig.act("Nonsense"), "Message").startswith("Invalid/unknown command: Nonsense.")


def test_caller_names_are_cut_at_79_bytes_even_inside_a_character() -> None:
    rig = Rig()
    rig.call(name="超" * 40)
    frame = next(sent for sent in rig.sent if b"Newchannel" in sent)
    line = next(part for part in frame.split(b"\r\n") if part.startswith(b"CallerIDName"))
    assert line == b"CallerIDName: " + ("超" * 40).encode()[:79]
    assert cut_name("短") == "短"


def test_after_a_restart_no_call_is_left_and_numbering_begins_anew() -> None:
    rig = Rig()
    rig.call(answer_after=1, talk=100)
    rig.simulator.advance(5)
    rig.simulator.restart()
    assert rig.simulator.calls == []
    assert not rig.simulator.pbx.channels
    sent = len(rig.events)
    rig.simulator.advance(200)
    assert len(rig.events) == sent
    assert rig.call().citizen.uniqueid.endswith(".0")


def test_frozen_pbx_does_nothing_and_catches_up_when_thawed() -> None:
    rig = Rig()
    rig.call(answer_after=1, talk=10)
    rig.simulator.advance(5)
    rig.simulator.freeze()
    sent = len(rig.events)
    rig.simulator.advance(15)
    assert len(rig.events) == sent
    rig.simulator.thaw()
    rig.simulator.advance(0)
    assert rig.simulator.calls == []


def test_transferred_call_talks_on_with_the_second_agent() -> None:
    rig = Rig()
    call = rig.call(agent="1001", answer_after=1, transfer=Transfer(5, "1002", 30))
    rig.simulator.advance(60)
    assert call.history == [
        "menu",
        "waiting:q12345",
        "talking:1001",
        "dialling:1002",
        "talking:1002",
        "ended",
    ]
    assert rig.queue_log[-1] == ["BLINDTRANSFER", "1002", "internal", "1", "5", "1"]


def test_events_are_stamped_close_together_and_once_in_a_while_out_of_order() -> None:
    config: PbxConfig = rig_config(odd_share=0.02)
    rig = Rig(config=config)
    for number in range(120):
        rig.call(number=f"1380773{number:04d}", answer_after=2, talk=5)
        rig.simulator.advance(20)
    stamps = [float(first(headers, "Timestamp")) for _, headers in rig.events]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(stamps))
    assert 0 < backwards < len(stamps) / 100
