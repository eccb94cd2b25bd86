"""Recorded streams of real Asterisks become the sessions that were."""

from pathlib import Path
from typing import Any

import pytest

from telephony.ami.messages import AmiEvent
from telephony.ami.messages import parse as parse_ami
from telephony.queue_log import Truth, extension_of, parse
from telephony.replay import read_events, replay_events, replay_file
from tests.telephony.recordings import (
    FIXTURES,
    every_event,
    fixtures,
    queue_log_of,
    recordings,
    shared_bridge_seconds,
)

KEYS = [
    "session", "direction", "caller", "caller_name", "queues", "outcome", "legs", "wait_seconds",
    "transfers", "linkedids", "recording", "survey", "drafts",
]  # fmt: skip
LEG_KEYS = ["agent", "ring_seconds", "talk_seconds", "hold_seconds", "ended_by"]
MISSING = pytest.param(None, marks=pytest.mark.skip("HOTLINE_RECORDINGS names no folder of recordings"))
MORE: list[Any] = [*recordings()]
MORE = MORE or [MISSING]


def only(name: str, queue_log: bool = False) -> dict[str, Any]:
    path = FIXTURES / f"{name}.ami"
    (session,) = replay_file(path, queue_log_of(path) if queue_log else None)
    return session


def talks(session: dict[str, Any]) -> dict[str, float]:
    return {leg["agent"]: leg["talk_seconds"] for leg in session["legs"]}


def enders(session: dict[str, Any]) -> dict[str, str | None]:
    return {leg["agent"]: leg["ended_by"] for leg in session["legs"]}


def test_an_attended_transfer_by_replaces_is_one_session_of_two_linkedids() -> None:
    for version in ("16", "22"):
        session = only(f"{version}_replaces")
        assert session["transfers"] == [{"kind": "attended", "from": "1001", "to": "1002"}]
        assert len(session["linkedids"]) == 2
        assert session["session"] == session["linkedids"][0]
        assert talks(session) == pytest.approx({"1001": 5.9, "1002": 8.55}, abs=0.3)
        assert enders(session) == {"1001": "transfer", "1002": "citizen"}
        assert session["legs"][0]["hold_seconds"] == pytest.approx(3.9, abs=0.3)
        assert (session["outcome"], session["drafts"]) == ("answered", 1)


def test_a_call_in_the_consoles_hand_is_one_talk_of_each_and_listening_is_none() -> None:
    session = only("22_console")
    assert session["transfers"] == [{"kind": "attended", "from": "1001", "to": "1003"}]
    assert talks(session) == pytest.approx({"1001": 10.9, "1003": 2.0}, abs=0.3)
    assert enders(session)["1001"] == "transfer"
    assert session["legs"][0]["hold_seconds"] == pytest.approx(6.35, abs=0.3)
    assert (session["outcome"], session["queues"], session["drafts"]) == ("answered", ["hotline"], 1)
    assert "spy-1" not in session["linkedids"]


def test_an_agent_who_consults_a_queue_waits_there_for_himself() -> None:
    session = only("22_replaces_queue")
    assert session["queues"] == ["q12345"]
    assert session["transfers"] == [{"kind": "attended", "from": "1001", "to": "1002"}]
    assert talks(session) == pytest.approx({"1001": 6.4, "1002": 8.1}, abs=0.3)


def test_a_call_we_place_is_known_by_our_channel_id() -> None:
    session = only("22_click_to_call")
    assert (session["session"], session["direction"], session["caller"]) == (
        "cb-9",
        "outbound",
        "13900000088",
    )
    assert (session["outcome"], session["drafts"], session["wait_seconds"]) == ("answered", 0, None)
    assert talks(session) == pytest.approx({"1001": 2.4}, abs=0.3)
    assert enders(session) == {"1001": "system"}  # a manager hung up


def test_a_conference_is_one_session_with_the_third_party_in_it() -> None:
    session = only("22_conference")
    assert session["transfers"] == [{"kind": "conference", "from": "1001", "to": "1003"}]
    assert session["linkedids"][1:] == ["cf-1"]
    assert talks(session) == pytest.approx({"1001": 8.7, "1003": 5.4}, abs=0.3)
    assert enders(session) == {"1001": "citizen", "1003": "citizen"}


def test_a_third_party_outside_is_known_by_its_number_and_is_no_agent() -> None:
    session = only("22_conference_outside")
    assert session["transfers"] == [{"kind": "conference", "from": "1001", "to": "13900000077"}]
    assert list(talks(session)) == ["1001"]


def test_a_redirect_into_another_queue_ends_the_first_talk_at_once() -> None:
    session = only("22_redirect")
    assert session["queues"] == ["q12345", "qexpert"]
    assert session["transfers"] == [{"kind": "redirect", "from": "1001", "to": "qexpert"}]
    assert talks(session) == pytest.approx({"1001": 1.0, "1002": 4.9}, abs=0.3)
    assert enders(session)["1001"] == "transfer"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("22_exit_key", "exit_key"), ("22_leave_empty", "empty"), ("22_withdraw", "withdrawn")],
)
def test_leaving_a_queue_otherwise_is_no_abandon(name: str, outcome: str) -> None:
    session = only(name)
    assert (session["outcome"], session["drafts"]) == (outcome, 0)


def test_a_timeout_in_one_queue_and_an_answer_in_the_next_is_an_answer() -> None:
    session = only("16_overflow")
    assert (session["queues"], session["outcome"]) == (["qnobody", "qexpert"], "answered")
    assert session["wait_seconds"] == pytest.approx(4.8, abs=0.3)


def test_who_leaves_in_the_menu_never_waited() -> None:
    sessions = replay_file(FIXTURES / "16_ivr.ami")
    assert [s["outcome"] for s in sessions] == ["ivr_ended", "ivr_ended"]
    assert all(s["wait_seconds"] is None and not s["queues"] for s in sessions)


def test_calls_between_agents_are_internal_and_make_no_draft() -> None:
    sessions = replay_file(FIXTURES / "16_internal.ami")
    assert [s["direction"] for s in sessions] == ["internal"] * 3
    assert [s["outcome"] for s in sessions] == ["answered", "agent_busy", "agent_no_answer"]
    assert [s["drafts"] for s in sessions] == [0, 0, 0]
    assert talks(sessions[0]) == pytest.approx({"1001": 3.0, "1002": 3.0}, abs=0.3)


def test_after_an_outage_every_call_is_there_once_and_none_stays_open() -> None:
    path = FIXTURES / "22_outage.ami"
    sessions = {s["caller"]: s for s in replay_file(path, queue_log_of(path))}
    assert {caller: s["outcome"] for caller, s in sessions.items()} == {
        "13900000001": "answered",  # ended unseen
        "13900000002": "answered",  # went on through the gap
        "13900000003": "abandoned",  # began and ended unseen: only queue_log knows it
        "13900000004": "timeout",  # began unseen, waiting in the snapshot
        "13900000005": "answered",  # began unseen, talking in the snapshot
    }
    assert talks(sessions["13900000002"]) == pytest.approx({"1002": 19.2}, abs=0.3)
    assert talks(sessions["13900000001"]) == {"1001": 1.0}


def test_without_queue_log_a_gap_leaves_nothing_open_either() -> None:
    sessions = replay_file(FIXTURES / "22_outage.ami")
    assert len(sessions) == 4
    assert "in_progress" not in {s["outcome"] for s in sessions}


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: path.stem)
def test_every_session_has_exactly_the_promised_keys(path: Path) -> None:
    for session in replay_file(path):
        assert list(session) == KEYS
        assert all(list(leg) == LEG_KEYS for leg in session["legs"])


def test_unknown_trunks_are_guessed_by_the_public_numbers_they_bring() -> None:
    sessions = replay_file(FIXTURES / "22_redirect.ami", trunks=("another",))
    assert [s["direction"] for s in sessions] == ["inbound"]


@pytest.mark.parametrize("path", MORE, ids=lambda path: f"{path.parent.name}-{path.stem}" if path else "none")
def test_recordings_agree_with_queue_log_and_bridges(path: Path) -> None:
    log = queue_log_of(path)
    truth = Truth(parse(log.read_bytes())[0]) if log else Truth()
    events = every_event(path)
    gaps = sum(event.name == "FullyBooted" for event in events[1:])
    for session in [] if gaps else replay_file(path):
        known = truth.calls.get(session["session"])
        if known is not None and session["outcome"] != "in_progress":
            members = {"WebAgent": "web1"}
            assert session["outcome"] == known.outcome
            assert session["queues"] == list(known.queues)
            answered = {extension_of(agent, members) for agent in known.agents}
            assert answered <= {leg["agent"] for leg in session["legs"] if leg["talk_seconds"] > 0}
    sessions = replay_file(path)
    trunk_channels = {e.get("Channel") for e in events if e.get("Channel").startswith("PJSIP/trunk-")}
    if len(sessions) == len(trunk_channels) == 1 and "local" not in path.stem:
        for agent, seconds in talks(sessions[0]).items():
            assert seconds == pytest.approx(shared_bridge_seconds(events, "trunk", agent), abs=0.3)


def test_ringing_ends_with_the_answer_though_states_are_filtered_out() -> None:
    path = FIXTURES / "22_redirect.ami"
    events = [event for event in read_events(path) if event.name != "Newstate"]
    (session,) = replay_events(events, Truth())
    assert {leg.agent: leg.ring_seconds for leg in session.legs} == pytest.approx(
        {"1001": 0.8, "1002": 0.8}, abs=0.1
    )


def dialled_from_the_phone(status: str, cause: str) -> list[AmiEvent]:
    """An agent dials a citizen by hand: no Originate, and the telephone is never "up"."""
    phone = "Channel: PJSIP/1001-1|Uniqueid: 1795414300.1|Linkedid: 1795414300.1|Exten: 13900000001"
    trunk = "Channel: PJSIP/trunk-2|Uniqueid: 1795414300.2|Linkedid: 1795414300.1"
    both = f"{phone}|DestChannel: PJSIP/trunk-2|DestUniqueid: 1795414300.2|DestLinkedid: 1795414300.1"
    told = [
        f"Newchannel|Timestamp: 1795414300.1|ChannelStateDesc: Ring|CallerIDNum: 1001|{phone}",
        f"Newchannel|Timestamp: 1795414300.2|ChannelStateDesc: Down|{trunk}",
        f"DialBegin|Timestamp: 1795414300.3|DialString: trunk/sip:13900000001@x|{both}",
        f"DialEnd|Timestamp: 1795414309.0|DialStatus: {status}|{both}",
        f"Hangup|Timestamp: 1795414309.1|Cause: {cause}|{trunk}",
        f"Hangup|Timestamp: 1795414309.2|Cause: {cause}|{phone}",
    ]
    frames = [("Event: " + line).replace("|", "\r\n").encode() for line in told]
    return [event for event in map(parse_ami, frames) if isinstance(event, AmiEvent)]


@pytest.mark.parametrize(
    ("status", "cause", "outcome"),
    [
        ("BUSY", "17", "citizen_busy"),
        ("NOANSWER", "16", "citizen_no_answer"),
        ("NOANSWER", "19", "citizen_no_answer"),
        ("NOANSWER", "21", "citizen_rejected"),
        ("NOANSWER", "1", "number_invalid"),
        ("NOANSWER", "28", "number_invalid"),
        ("CONGESTION", "34", "trunk_down"),
        ("CONGESTION", "38", "trunk_down"),
        ("CHANUNAVAIL", "20", "trunk_down"),
    ],
)
def test_a_citizen_called_by_hand_who_does_not_answer_is_not_taken_for_the_agent(
    status: str, cause: str, outcome: str
) -> None:
    (session,) = replay_events(dialled_from_the_phone(status, cause), Truth())
    assert (session.direction, session.outcome) == ("outbound", outcome)
    assert session.caller == "13900000001"
