"""Surveys, messages and questions by keys: what events prove, and what the simulator makes of a plan."""

import io
import shutil
import subprocess
import wave
from collections.abc import Mapping
from typing import Any

import pytest

from core.clock import ManualClock
from core.errors import HotlineError
from telephony.ami.actions import build
from telephony.ami.frames import FrameReader
from telephony.ami.messages import AmiEvent, parse
from telephony.asterisk import prompts
from telephony.calls import Session, Tracker, read_session
from telephony.calls.counts import Agents, so_far
from telephony.enquiries import PATIENCE, Answer, Enquiries, Enquiry, read
from telephony.queue_log import Truth, reconcile, session_of
from telephony.queue_log import parse as parse_log
from telephony.simulator.simulator import city_pbx
from tests.telephony.simulator_rig import START, Rig


def events(rig: Rig) -> list[AmiEvent]:
    frames = FrameReader()
    found = [parse(frame) for frame in frames.feed(rig.stream)]
    return [one for one in found if isinstance(one, AmiEvent)]


def sessions(told: list[AmiEvent]) -> list[Session]:
    tracker = Tracker(("trunk",))
    for event in told:
        tracker.apply(event)
    return [one for call in tracker.calls() if (one := read_session(tracker, call)) is not None]


def played(seconds: float = 300, **plan: Any) -> tuple[Rig, Session]:
    """The session of one call to the demo city's number."""
    rig = Rig(config=city_pbx(2))
    rig.call(did="12345", **plan)
    rig.simulator.advance(seconds)
    (session,) = sessions(events(rig))
    return rig, session


@pytest.mark.parametrize(
    ("score", "solved", "said"),
    [("4", "1", ("4", True)), ("2", "2", ("2", False)), ("5", None, ("5", None)), (None, None, (None, None))],
)
def test_the_answers_by_keys_belong_to_the_call(score: str | None, solved: str | None, said: Any) -> None:
    _, session = played(answer_after=1, talk=5, ended_by="agent", score=score, solved=solved)
    assert session.survey_asked is not None
    assert (session.survey, session.survey_solved) == said


def test_who_hangs_up_himself_was_asked_nothing() -> None:
    _, session = played(answer_after=1, talk=5, ended_by="citizen", score="5")
    assert (session.survey_asked, session.survey, session.survey_solved) == (None, None, None)


def test_order_and_repetition_change_no_answer() -> None:
    rig, session = played(answer_after=1, talk=5, ended_by="agent", score="3", solved="1")
    told = events(rig)
    assert sessions([*told, *told])[0] == session
    again = sessions(sorted(told, key=lambda one: one.name))[0]
    assert (again.survey, again.survey_solved, again.survey_asked) == ("3", True, session.survey_asked)


@pytest.mark.parametrize("key", ["0", "6", "9", "", "55", "x", "５"])
def test_a_wrong_key_is_no_answer(key: str) -> None:
    rig, _ = played(answer_after=1, talk=5, ended_by="agent", score=key, solved=key)
    (session,) = sessions(events(rig))
    assert (session.survey, session.survey_solved) == (None, None)


@pytest.mark.parametrize(
    ("survey", "solved", "counts"),
    [
        ("3", True, (1, 1, 1, 1, 1)),
        ("2", False, (1, 1, 0, 1, 0)),
        (None, None, (1, 0, 0, 0, 0)),
    ],
)
def test_no_answer_is_counted_apart_from_a_bad_one(survey: Any, solved: Any, counts: Any) -> None:
    call = {
        "direction": "inbound", "queued_at": START, "queues": ["hotline"], "answered_at": START,
        "ended_at": START, "outcome": "answered", "wait_seconds": 1.0, "survey": survey,
        "survey_solved": solved, "survey_asked_at": START,
    }  # fmt: skip
    found = so_far(call, Agents(), 5)
    assert found is not None
    names = ("surveyed", "scored", "satisfied", "solved_told", "solved")
    assert tuple(found[1][name] for name in names) == counts
    unasked = so_far({**call, "survey_asked_at": None}, Agents(), 5)
    assert unasked is not None
    assert "surveyed" not in unasked[1]


# ---- messages -----------------------------------------------------------------------------------


def test_a_message_at_night_is_told_with_its_length() -> None:
    rig, session = played(closed=True, message=20)
    assert (session.outcome, session.queues) == ("ivr_ended", ())
    assert session.voicemail == f"vm-{session.key}.wav"
    assert session.voicemail_bytes == pytest.approx(44 + 20 * 16_000, abs=1000)
    begun, line = [line for line in rig.queue_log if line[0] == "VOICEMAIL"]
    assert begun[1] == line[1] == session.voicemail  # told before a word is said, and at the end


def test_who_waited_in_vain_leaves_one_too_and_who_hangs_up_there_leaves_none() -> None:
    _, waited = played(outcome="timeout", message=8)
    assert (waited.outcome, waited.voicemail_bytes > 44) == ("timeout", True)
    _, gone = played(closed=True, message=None)
    assert (gone.voicemail is not None, gone.voicemail_bytes) == (True, 0)
    _, abandoned = played(outcome="abandoned", patience=5.0)
    assert abandoned.voicemail is None


def test_queue_log_alone_knows_of_a_message_nobody_heard_of() -> None:
    lines, _ = parse_log(
        b"1700000100|pbx1-1700000000.7|NONE|NONE|VOICEMAIL|vm-pbx1-1700000000.7.wav|96044|13800000001\n"
    )
    truth = Truth(lines)
    session = session_of(truth.calls["pbx1-1700000000.7"], {})
    assert session is not None
    assert (session.outcome, session.caller, session.direction) == ("ivr_ended", "13800000001", "inbound")
    assert (session.voicemail, session.voicemail_bytes) == ("vm-pbx1-1700000000.7.wav", 96_044)


def test_queue_log_adds_the_message_whose_event_was_lost() -> None:
    rig, session = played(outcome="timeout", message=8)
    told = [one for one in events(rig) if one.get("UserEvent") != "Voicemail"]
    (deaf,) = sessions(told)
    assert deaf.voicemail is None
    lines, faults = parse_log("\n".join(rig.simulator.queue_log.lines).encode() + b"\n")
    assert faults == []
    found = reconcile(deaf, Truth(lines), {})
    assert (found.voicemail, found.voicemail_bytes) == (session.voicemail, session.voicemail_bytes)


# ---- questions by keys --------------------------------------------------------------------------


class Line:
    """A PBX that takes down what it is told; the simulator's if one is given."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, str]] = []

    async def ask(self, name: str, **fields: str) -> None:
        build(name, fields)
        self.told.append(fields)


def asked(number: str = "4503", code: str = "804213", attempt: str = "1") -> AmiEvent:
    fields = {
        "Event": "UserEvent", "UserEvent": "StatusAsked", "Channel": "PJSIP/trunk-00000001",
        "Uniqueid": "1.1", "Linkedid": "1.1", "CallerIDNum": "13800000001", "Attempt": attempt,
        "Number": number, "Code": code,
    }  # fmt: skip
    made = parse("".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode())
    assert isinstance(made, AmiEvent)
    return made


async def handling(_: Enquiry) -> Answer:
    return Answer("handling", "1203")


async def test_the_answer_is_a_variable_on_the_citizen_s_channel() -> None:
    line = Line()
    desk = Enquiries(ManualClock(START), {"pbx1": line}, handling)  # type: ignore[dict-item]  # a stand-in
    desk.hear("pbx1", asked())
    await desk.step()
    assert line.told == [
        {"Channel": "PJSIP/trunk-00000001", "Variable": "HOTLINE_STATUS", "Value": "1-handling-1203"}
    ]


async def test_nobody_waits_for_an_answer_that_comes_too_late_and_a_failure_ends_nothing() -> None:
    clock, line = ManualClock(START), Line()

    async def broken(_: Enquiry) -> Answer:
        raise HotlineError("value_destroyed")

    late = Enquiries(clock, {"pbx1": line}, handling)  # type: ignore[dict-item]  # a stand-in
    late.hear("pbx1", asked())
    clock.advance(PATIENCE)
    await late.step()
    failing = Enquiries(clock, {"pbx1": line}, broken)  # type: ignore[dict-item]  # a stand-in
    failing.hear("pbx1", asked())
    await failing.step()
    assert line.told == []


def test_a_flood_of_questions_holds_nothing_up() -> None:
    desk = Enquiries(ManualClock(START), {}, handling)
    for _ in range(1000):
        desk.hear("pbx1", asked())


@pytest.mark.parametrize("attempt", ["", "x", "-1", "123", "１"])
def test_a_question_without_a_sound_attempt_is_none(attempt: str) -> None:
    assert read("pbx1", asked(attempt=attempt)) is None


def test_a_simulated_citizen_hears_the_answer_and_goes_to_a_person_without_one() -> None:
    rig = Rig(config=city_pbx(2))
    call = rig.call(did="12345", asks=("450320261123000128", "804213"), answer_after=1)
    rig.simulator.advance(14)
    (question,) = [one for one in events(rig) if one.get("UserEvent") == "StatusAsked"]
    found = read("pbx1", question)
    assert found is not None
    rig.act("Setvar", Channel=found.channel, Variable="HOTLINE_STATUS", Value=Answer("closed").told(1))
    rig.simulator.advance(20)
    assert [one.get("Answer") for one in events(rig) if one.get("UserEvent") == "StatusSaid"] == ["closed"]
    assert call.stage == "ended"
    deaf = Rig(config=city_pbx(2))
    other = deaf.call(did="12345", asks=("450320261123000128", "804213"), answer_after=1)
    deaf.simulator.advance(30)
    assert [one.get("Answer") for one in events(deaf) if one.get("UserEvent") == "StatusSaid"] == ["away"]
    assert other.stage in ("waiting", "talking")


# ---- sentences ----------------------------------------------------------------------------------


def test_sentences_are_made_where_none_was_recorded(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoken(*_: Any, **__: Any) -> Any:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(22_050)
            file.writeframes(b"\x01\x10" * 22_050)
        return type("Done", (), {"stdout": out.getvalue()})()

    monkeypatch.setattr(subprocess, "run", spoken)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/espeak-ng")
    (tmp_path / "greeting.wav").write_bytes(b"the mayor's own voice")
    assert prompts.main([str(tmp_path)]) == 0
    assert prompts.missing(tmp_path) == []
    assert (tmp_path / "greeting.wav").read_bytes() == b"the mayor's own voice"
    with wave.open(str(tmp_path / "answer-handling.wav")) as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (8000, 8000, 1)
