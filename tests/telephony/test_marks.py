"""Marks on a recording: in seconds of the file, which stands still while nobody is connected."""

from collections.abc import Iterable

from telephony.ami.messages import AmiEvent
from telephony.ami.messages import parse as parse_ami
from telephony.calls.marks import Mark
from telephony.queue_log import Truth
from telephony.replay import replay_events

CITIZEN = "Channel: PJSIP/trunk-1|Uniqueid: 1795414300.1|Linkedid: 1795414300.1"
FIRST = "Channel: PJSIP/1001-2|Uniqueid: 1795414302.2|Linkedid: 1795414300.1"
SECOND = "Channel: PJSIP/1002-3|Uniqueid: 1795414320.3|Linkedid: 1795414300.1"
T0 = 1795414300.0


def events(lines: Iterable[tuple[float, str]]) -> list[AmiEvent]:
    frames = []
    for at, line in lines:
        name, _, rest = line.partition("|")
        frames.append(f"Event: {name}\r\nTimestamp: {T0 + at}\r\n{rest}".replace("|", "\r\n").encode())
    return [event for event in map(parse_ami, frames) if isinstance(event, AmiEvent)]


def dest(phone: str) -> str:
    return "|".join(f"Dest{part}" for part in phone.split("|"))


def bridge(action: str, name: str, channel: str) -> str:
    return f"{action}|BridgeUniqueid: {name}|BridgeType: basic|{channel}"


# Ten seconds in the queue, ten with 1001 (two of them on hold, three muted), a transfer, five seconds of
# ringing, then six with 1002.
CALL = [
    (0.1, f"Newchannel|ChannelStateDesc: Ring|CallerIDNum: 13800000001|Exten: 12345|{CITIZEN}"),
    (0.5, f"MixMonitorStart|{CITIZEN}"),
    (0.6, f"QueueCallerJoin|Queue: hotline|{CITIZEN}"),
    (2.0, f"Newchannel|ChannelStateDesc: Down|{FIRST}"),
    (2.1, f"DialBegin|{CITIZEN}|{dest(FIRST)}"),
    (9.9, f"Newstate|ChannelStateDesc: Up|{FIRST}"),
    (10.0, bridge("BridgeEnter", "b1", CITIZEN)),
    (10.0, bridge("BridgeEnter", "b1", FIRST)),
    (12.0, f"Hold|{FIRST}"),
    (14.0, f"Unhold|{FIRST}"),
    (15.0, f"MixMonitorMute|Direction: both|State: 1|{CITIZEN}"),
    (18.0, f"MixMonitorMute|Direction: both|State: 0|{CITIZEN}"),
    (20.0, "BlindTransfer|Result: Success|Extension: 1002|"
     + "|".join(f"Transferer{part}" for part in FIRST.split("|"))),
    (20.0, bridge("BridgeLeave", "b1", FIRST)),
    (20.0, bridge("BridgeLeave", "b1", CITIZEN)),
    (20.1, f"Hangup|Cause: 16|{FIRST}"),
    (20.2, f"Newchannel|ChannelStateDesc: Down|{SECOND}"),
    (20.3, f"DialBegin|{CITIZEN}|{dest(SECOND)}"),
    (25.0, f"Newstate|ChannelStateDesc: Up|{SECOND}"),
    (25.0, bridge("BridgeEnter", "b2", CITIZEN)),
    (25.0, bridge("BridgeEnter", "b2", SECOND)),
    (31.0, bridge("BridgeLeave", "b2", CITIZEN)),
    (31.0, bridge("BridgeLeave", "b2", SECOND)),
    (31.1, f"Hangup|Cause: 16|{SECOND}"),
    (31.1, f"Hangup|Cause: 16|{CITIZEN}"),
]  # fmt: skip
MARKS = (
    Mark("agent", 0.0, 10.0, "1001"),
    Mark("hold", 2.0, 4.0, "1001"),
    Mark("mute", 5.0, 8.0, ""),
    Mark("agent", 10.0, 16.0, "1002"),
    Mark("blind", 10.0, None, "1001", "1002"),
)


def test_the_file_stands_still_while_nobody_is_connected() -> None:
    (session,) = replay_events(events(CALL), Truth())
    assert session.marks == MARKS


def test_marks_come_in_any_order_and_twice() -> None:
    (session,) = replay_events(events([*CALL, *reversed(CALL)]), Truth())
    assert session.marks == MARKS


def test_a_call_that_goes_on_has_no_marks_yet() -> None:
    assert [one.marks for one in replay_events(events(CALL[:-1]), Truth())] == [()]


def test_without_a_recording_there_are_none() -> None:
    silent = [line for line in CALL if "MixMonitorStart" not in line[1]]
    (session,) = replay_events(events(silent), Truth())
    assert session.marks == ()


def test_a_recorder_that_was_never_let_hear_again_is_mute_to_the_end() -> None:
    muted = [line for line in CALL if "State: 0" not in line[1]]
    (session,) = replay_events(events(muted), Truth())
    assert Mark("mute", 5.0, 16.0, "") in session.marks
