"""Every kind of call on a real Asterisk, recorded and fed to the product's own replay.

queue_log is the truth for outcomes and agents, the bridges (within 0.3 s) for times.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from telephony.replay import replay_file
from tests.e2e.conftest import QUEUE_SECONDS
from tests.e2e.rig import needs, scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.manager import manager
from tests.e2e.rig.phones import phones
from tests.e2e.rig.queue_log import QueuedCall, read_queue_log
from tests.e2e.rig.situations import Stage, number
from tests.e2e.rig.truth import talk_seconds

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]

Session = dict[str, Any]
CITIZEN, OTHER = "13900000099", "13900000016"
GREETING, ABANDONED, FORGED, PATIENT, KEYED = (number(index) for index in range(1, 6))
ANSWERED, LEFT, HELD, MISSED, REFERRED = (number(index) for index in range(6, 11))
BLIND, TO_QUEUE, REDIRECTED, ATTENDED, CONFERENCE = (number(index) for index in range(11, 16))
# Line separators that a careless reader takes for new headers, and the headers they would forge.
FORGED_NAME = '"王\u2028Channel: PJSIP/9999-1\u0085CallerIDNum: 110\u2029Uniqueid: 1"'.encode()


@dataclass(frozen=True)
class Day:
    """All calls of the recording: the product's sessions and the truth."""

    sessions: list[Session]
    logged: dict[str, QueuedCall]
    talked: dict[str, dict[str, float]]  # citizen's number -> extension -> seconds
    channels: dict[str, str]  # citizen's number -> Uniqueid of his leg

    def of(self, caller: str) -> Session:
        """The one session of this citizen."""
        (session,) = [one for one in self.sessions if one["caller"] == caller]
        return session

    def called(self, session: str) -> Session:
        """The session of a call that we placed."""
        (found,) = [one for one in self.sessions if one["session"] == session]
        return found


def _play(stage: Stage) -> None:
    stage.hang_up_in_greeting(GREETING)
    stage.unanswered({ABANDONED: "李娜".encode(), FORGED: FORGED_NAME}, [PATIENT], [KEYED], QUEUE_SECONDS)
    stage.answered(ANSWERED, 1001, 2, '"张三"'.encode())
    stage.citizen_hangs_up(LEFT, 1001, 4)
    stage.held(HELD, 1001)
    stage.missed_then_answered(MISSED, 1002, 1001)
    stage.blind_by_phone(REFERRED, 1001, 1003)
    stage.blind_by_manager(BLIND, 1001, "1003", 1003)
    stage.blind_by_manager(TO_QUEUE, 1001, "8002", 1031)
    stage.redirected(REDIRECTED, 1001, 1031)
    stage.attended(ATTENDED, 1001, 1003)
    stage.conference(CONFERENCE, 1001, CITIZEN, "700001")
    answers, silent = scenarios.citizen_phone(), scenarios.citizen_phone(answer=False)
    stage.call_back(OTHER, 1001, "back-1", scenarios.answering_then_leaving(3), answers)
    stage.call_back(OTHER, 1001, "back-2", scenarios.busy(), answers)
    stage.call_back(OTHER, 1001, "back-3", scenarios.not_answering(), answers)
    stage.call_back(OTHER, 1001, "back-4", scenarios.answering(), scenarios.busy())
    stage.call_back(OTHER, 1001, "back-5", scenarios.answering(), scenarios.ringing_out(2))
    stage.call_back(OTHER, 1001, "back-6", scenarios.answering_then_leaving(3), silent)
    stage.colleagues(1001, 1003)


@pytest.fixture(scope="module")
def day(real_asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Play everything once."""
    real_asterisk.hang_up_all()
    folder: Path = tmp_path_factory.mktemp("recorded")
    with manager(real_asterisk) as ami, phones(needs.sipp_program(), real_asterisk) as sip:
        _play(Stage(real_asterisk, sip, ami))
        recording = ami.save(folder / "day.ami")
        channels = {
            event["CallerIDNum"]: event["Uniqueid"]
            for event in ami.events("Newchannel", Context="hotline-inbound")
            if event["Exten"] == "12345"
        }
        talked = {caller: talk_seconds(ami, unique) for caller, unique in channels.items()}
    logged = read_queue_log(real_asterisk.queue_log)
    return Day(replay_file(recording, real_asterisk.queue_log), logged, talked, channels)


def test_outcomes_and_queues_are_those_of_queue_log(day: Day) -> None:
    for caller, unique in day.channels.items():
        session = day.of(caller)
        assert session["session"] == unique
        assert session["direction"] == "inbound"
        if unique in day.logged:
            assert (session["outcome"], session["queues"]) == (
                day.logged[unique].outcome,
                day.logged[unique].queues,
            ), caller


def test_each_way_of_not_being_answered_has_its_name(day: Day) -> None:
    named = {caller: day.of(caller)["outcome"] for caller in (GREETING, ABANDONED, FORGED, PATIENT, KEYED)}
    assert list(named.values()) == ["ivr_ended", "abandoned", "abandoned", "timeout", "exit_key"]


def test_talk_is_the_time_in_a_bridge_with_the_citizen(day: Day) -> None:
    for caller, talked in day.talked.items():
        legs: dict[str, float] = {}
        for leg in day.of(caller)["legs"]:
            legs[leg["agent"]] = legs.get(leg["agent"], 0.0) + leg["talk_seconds"]
        spoke = {agent: seconds for agent, seconds in legs.items() if seconds > 0}
        assert spoke == pytest.approx(talked, abs=0.3), caller


def test_an_answered_call_makes_one_draft_whatever_happens_to_it_later(day: Day) -> None:
    for caller in day.channels:
        session = day.of(caller)
        assert session["drafts"] == (1 if session["outcome"] == "answered" else 0), caller
    assert all(session["drafts"] == 0 for session in day.sessions if session["direction"] != "inbound")


def test_recordings_are_named_by_the_call(day: Day) -> None:
    for caller in (ANSWERED, REFERRED, ATTENDED, CONFERENCE):
        assert day.of(caller)["recording"] == f"rec-{day.channels[caller]}.wav"


def test_who_hung_up_is_told(day: Day) -> None:
    ended = {
        caller: [leg["ended_by"] for leg in day.of(caller)["legs"]] for caller in (ANSWERED, LEFT, REFERRED)
    }
    assert ended == {ANSWERED: ["agent"], LEFT: ["citizen"], REFERRED: ["transfer", "citizen"]}


def test_hold_is_counted_within_the_talk(day: Day) -> None:
    (leg,) = day.of(HELD)["legs"]
    assert leg["hold_seconds"] == pytest.approx(2.0, abs=0.3)


def test_a_missed_ring_is_a_leg_of_its_own(day: Day) -> None:
    session = day.of(MISSED)
    missed = [leg for leg in session["legs"] if leg["talk_seconds"] == 0]
    assert {leg["agent"] for leg in missed} == {"1002"}
    assert all(leg["ring_seconds"] >= 2.4 for leg in missed)


@pytest.mark.parametrize(
    ("caller", "kind", "agents"),
    [
        (REFERRED, "blind", ["1001", "1003"]),
        (BLIND, "blind", ["1001", "1003"]),
        (TO_QUEUE, "blind", ["1001", "1031"]),
        (REDIRECTED, "redirect", ["1001", "1031"]),
        (ATTENDED, "attended", ["1001", "1003"]),
        (CONFERENCE, "conference", ["1001"]),
    ],
)
def test_each_transfer_has_its_kind_and_stays_one_session(
    day: Day, caller: str, kind: str, agents: list[str]
) -> None:
    session = day.of(caller)
    assert [transfer["kind"] for transfer in session["transfers"]] == [kind]
    assert [leg["agent"] for leg in session["legs"] if leg["talk_seconds"] > 0] == agents
    assert session["transfers"][0]["from"] == "1001"


def test_an_attended_transfer_joins_two_linkedids(day: Day) -> None:
    assert len(day.of(ATTENDED)["linkedids"]) == 2


def test_a_third_party_belongs_to_the_call_it_was_called_into(day: Day) -> None:
    assert "third-700001" in day.of(CONFERENCE)["linkedids"]
    assert all(session["session"] != "third-700001" for session in day.sessions)


def test_call_backs_end_in_six_ways(day: Day) -> None:
    outcomes = {name: day.called(name)["outcome"] for name in (f"back-{index}" for index in range(1, 7))}
    assert list(outcomes.values()) == [
        "answered",
        "agent_busy",
        "agent_no_answer",
        "citizen_busy",
        "citizen_no_answer",
        "cancelled",
    ]
    assert all(day.called(name)["direction"] == "outbound" for name in outcomes)


def test_colleagues_are_internal(day: Day) -> None:
    internal = [session for session in day.sessions if session["direction"] == "internal"]
    assert [{leg["agent"] for leg in session["legs"]} for session in internal] == [{"1001", "1003"}]


def test_a_name_cannot_forge_headers(day: Day) -> None:
    session = day.of(FORGED)
    assert session["caller"] == FORGED
    assert session["session"] == day.channels[FORGED]
    assert not set(session["caller_name"]) & set("\u2028\u2029\u0085\n\r")
    assert day.of(ANSWERED)["caller_name"] == "张三"


def test_nothing_is_doubled_or_left_open(day: Day) -> None:
    assert len({session["session"] for session in day.sessions}) == len(day.sessions)
    assert [session for session in day.sessions if session["outcome"] == "in_progress"] == []
    assert len(day.sessions) == len(day.channels) + 6 + 1
