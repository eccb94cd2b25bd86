"""queue_log: corrupt lines, rotation, and what it knows better than events."""

from pathlib import Path

import pytest

from telephony.calls import Leg, Session
from telephony.queue_log import Position, Tail, Truth, extension_of, parse, reconcile, session_of

ENTER = b"1795414396|1795414396.6|q12345|NONE|ENTERQUEUE||13800000003|1\n"
ABANDON = b"1795414399|1795414396.6|q12345|NONE|ABANDON|1|1|3\n"
CONNECT = b"1795414398|1795414396.6|q12345|Agent1001|CONNECT|2|1795414397.7|0\n"
COMPLETE = b"1795414408|1795414396.6|q12345|Agent1001|COMPLETECALLER|2|10|1\n"
MEMBERS = {"WebAgent": "web1"}


def truth_of(*lines: bytes) -> Truth:
    return Truth(parse(b"".join(lines))[0])


def session(outcome: str = "timeout", **more: object) -> Session:
    known: dict[str, object] = {
        "key": "1795414396.6",
        "direction": "inbound",
        "caller": "13800000003",
        "caller_name": None,
        "did": None,
        "state": "ended",
        "outcome": outcome,
        "queues": ("q12345",),
        "legs": (),
        "transfers": (),
        "wait_seconds": 3.0,
        "linkedids": ("1795414396.6",),
        "recording": None,
        "survey": None,
        "started": 1795414396.0,
        "queued": 1795414396.5,
        "answered": None,
        "ended": 1795414399.0,
        "citizen": "1795414396.6",
    }
    return Session(**(known | more))  # type: ignore[arg-type]  # the defaults above have the right types


@pytest.mark.parametrize(
    "bad",
    [
        b"garbage",
        b"|||||",
        b"12x|1.1|q|NONE|ABANDON|1",
        b"\xff\xfe\x00|a",
        b"1795414396|1.1|q",
        b"9|1.1|q|a|b c|d",
    ],
)
def test_a_corrupt_line_is_reported_and_the_rest_goes_on(bad: bytes) -> None:
    lines, faults = parse(ENTER + bad + b"\n" + ABANDON)
    assert [line.event for line in lines] == ["ENTERQUEUE", "ABANDON"]
    assert [fault.number for fault in faults] == [2]
    assert faults[0].reason


def test_a_half_written_line_waits_for_its_other_half(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_bytes(ENTER + ABANDON[:20])
    tail = Tail(file)
    assert [line.event for line in tail.read()[0]] == ["ENTERQUEUE"]
    file.write_bytes(ENTER + ABANDON)
    assert [line.event for line in tail.read()[0]] == ["ABANDON"]
    assert tail.read() == ([], [])


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_bytes(ENTER)
    tail = Tail(file)
    tail.read()
    with file.open("ab") as log:
        log.write(CONNECT)
    file.rename(tmp_path / "queue_log.1")
    file.write_bytes(COMPLETE)
    assert [line.event for line in tail.read()[0]] == ["CONNECT", "COMPLETECALLER"]


def test_a_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_bytes(ENTER + CONNECT + COMPLETE)
    tail = Tail(file)
    tail.read()
    file.write_bytes(ABANDON)
    assert [line.event for line in tail.read()[0]] == ["ABANDON"]


def test_reading_goes_on_where_another_node_stopped(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_bytes(ENTER)
    first = Tail(file)
    first.read()
    file.write_bytes(ENTER + ABANDON)
    second = Tail(file, Position(first.position.inode, first.position.offset))
    assert [line.event for line in second.read()[0]] == ["ABANDON"]


def test_a_position_in_the_middle_of_a_line_costs_only_that_line(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_bytes(ENTER + ABANDON)
    lines, faults = Tail(file, Position(file.stat().st_ino, 30)).read()
    assert [line.event for line in lines] == ["ABANDON"]
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (ABANDON, "abandoned"),
        (ABANDON.replace(b"ABANDON", b"EXITWITHTIMEOUT"), "timeout"),
        (ABANDON.replace(b"ABANDON", b"EXITEMPTY"), "empty"),
        (ABANDON.replace(b"ABANDON", b"WITHDRAW"), "withdrawn"),
        (b"1795414399|1795414396.6|q12345|NONE|EXITWITHKEY|0|1|1|3\n", "exit_key"),
        (CONNECT, "answered"),
    ],
)
def test_queue_log_overrules_what_events_suggested(line: bytes, outcome: str) -> None:
    assert reconcile(session("timeout"), truth_of(ENTER, line), MEMBERS).outcome == outcome


def test_an_answer_that_was_seen_is_not_taken_back() -> None:
    seen = session("answered", answered=1795414398.0)
    assert reconcile(seen, truth_of(ENTER, ABANDON), MEMBERS).outcome == "answered"


def test_a_call_still_going_on_is_left_alone() -> None:
    assert (
        reconcile(session("in_progress", ended=None), truth_of(ENTER, ABANDON), MEMBERS).outcome
        == "in_progress"
    )


def test_an_answer_nobody_saw_brings_its_agent_and_times() -> None:
    found = reconcile(session("ended_unknown", lost=True), truth_of(ENTER, CONNECT, COMPLETE), MEMBERS)
    assert (found.answered, found.wait_seconds) == (1795414398.0, 2.0)
    assert [(leg.agent, leg.talk_seconds, leg.ended_by) for leg in found.legs] == [("1001", 10.0, "citizen")]


def test_the_end_of_a_talk_nobody_saw_is_taken_from_queue_log() -> None:
    leg = Leg("1001", "ended", 0.8, 2.0, 0.0, None, 1.0, 1795414398.0, None)
    seen = session("answered", answered=1795414398.0, legs=(leg,), lost=True)
    found = reconcile(seen, truth_of(ENTER, CONNECT, COMPLETE), MEMBERS)
    assert (found.legs[0].talk_seconds, found.legs[0].ended_by) == (10.0, "citizen")


def test_a_call_only_queue_log_knows_becomes_a_session() -> None:
    found = session_of(truth_of(ENTER, ABANDON).calls["1795414396.6"], MEMBERS)
    assert found is not None
    assert (found.key, found.outcome, found.caller, found.wait_seconds) == (
        "1795414396.6",
        "abandoned",
        "13800000003",
        3.0,
    )


def test_a_call_whose_entry_is_unknown_becomes_none() -> None:
    assert session_of(truth_of(COMPLETE).calls["1795414396.6"], MEMBERS) is None


def test_an_agents_own_call_into_a_queue_is_internal() -> None:
    found = session_of(truth_of(ENTER.replace(b"13800000003", b"1001"), ABANDON).calls["1795414396.6"], {})
    assert found is not None
    assert found.direction == "internal"


@pytest.mark.parametrize(
    ("agent", "extension"),
    [
        ("Agent1001", "1001"),
        ("PJSIP/1001", "1001"),
        ("Local/1003@agents", "1003"),
        ("WebAgent", "web1"),
        ("Li", "Li"),
    ],
)
def test_a_member_is_known_by_its_telephone(agent: str, extension: str) -> None:
    assert extension_of(agent, MEMBERS) == extension


def test_old_calls_are_forgotten() -> None:
    truth = truth_of(ENTER, ABANDON)
    truth.forget_before(1795414400)
    assert truth.calls == {}
