"""Frames and messages: whatever a caller puts into a name, it stays inside its header."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ami.frames import FrameReader, Interest
from telephony.ami.messages import AmiEvent, AmiReply, clean_name, parse

LINE_ENDS = ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e", "\n", "\r", "\0", "\u200b"]


def event(*lines: bytes) -> AmiEvent:
    message = parse(b"\r\n".join((b"Event: Newchannel", *lines)))
    assert isinstance(message, AmiEvent)
    return message


@pytest.mark.parametrize("end", LINE_ENDS)
def test_a_line_end_in_a_name_makes_no_header(end: str) -> None:
    name = f"A{end}Uniqueid: FORGED{end}Channel: FORGED"
    found = event(b"CallerIDName: " + name.encode(), b"Uniqueid: 1.1", b"Channel: PJSIP/trunk-1")
    assert (found.get("Uniqueid"), found.get("Channel")) == ("1.1", "PJSIP/trunk-1")
    assert found.get("CallerIDName").isprintable()


@given(st.text(max_size=80))
def test_no_name_whatsoever_changes_another_header(name: str) -> None:
    raw = name.replace("\r\n", "").encode("utf-8", "surrogatepass")
    found = event(b"CallerIDName: " + raw, b"Uniqueid: 1.1")
    assert found.get("Uniqueid") == "1.1"
    assert [key for key, _ in found.lines] == ["Event", "CallerIDName", "Uniqueid"]


def test_gbk_bytes_are_read_beside_utf_8_in_the_same_event() -> None:
    found = event(b"CallerIDName: " + "王小明".encode("gbk"), b"ConnectedLineName: " + "李四".encode())
    assert (found.get("CallerIDName"), found.get("ConnectedLineName")) == ("王小明", "李四")


def test_bytes_of_no_encoding_damage_only_their_own_value() -> None:
    found = event(b"CallerIDName: \xff\xfe\x81", b"Uniqueid: 1.1")
    assert found.get("Uniqueid") == "1.1"


def test_repeated_headers_are_all_kept_and_the_first_one_counts() -> None:
    found = event(
        b"ChanVariable: TICKETREF=7", b"Uniqueid: 1.1", b"ChanVariable: HOTLINE=1", b"Uniqueid: 2.2"
    )
    assert found.all("ChanVariable") == ["TICKETREF=7", "HOTLINE=1"]
    assert (found.get("Uniqueid"), found.all("Uniqueid")) == ("1.1", ["1.1", "2.2"])


def test_the_banner_before_the_first_reply_is_not_part_of_it() -> None:
    reply = parse(b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nActionID: 1-1")
    assert isinstance(reply, AmiReply)
    assert (reply.status, reply.action_id, reply.is_error) == ("Success", "1-1", False)


def test_noise_is_no_message() -> None:
    assert parse(b"--END COMMAND--") is None
    assert parse(b"") is None


def test_messages_do_not_show_their_headers_in_logs() -> None:
    assert "138" not in repr(event(b"CallerIDNum: 13800000001"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_frames_are_the_same_however_the_bytes_arrive(size: int) -> None:
    frames = [f"Event: E{n}\r\nCallerIDName: 王小明{n}".encode() for n in range(20)]
    stream = b"".join(frame + b"\r\n\r\n" for frame in frames)
    reader = FrameReader()
    found = [frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])]
    assert found == frames
    assert [m.get("CallerIDName") for m in map(parse, found) if m] == [f"王小明{n}" for n in range(20)]


def test_an_empty_line_too_many_does_not_swallow_the_next_event() -> None:
    frames = FrameReader().feed(b"Event: ConfbridgeJoin\r\n\r\n\r\nEvent: BridgeEnter\r\n\r\n")
    assert frames == [b"Event: ConfbridgeJoin", b"Event: BridgeEnter"]


def test_random_cuts_lose_nothing() -> None:
    dice = random.Random(1)
    stream = b"".join(b"Event: X\r\nN: %d\r\n\r\n" % n for n in range(500))
    reader, found, at = FrameReader(), [], 0
    while at < len(stream):
        step = dice.randint(1, 90)
        found += reader.feed(stream[at : at + step])
        at += step
    assert len(found) == 500


def test_a_frame_without_end_is_refused_before_it_fills_the_memory() -> None:
    reader = FrameReader()
    with pytest.raises(ValueError, match="without an end"):
        for _ in range(100):
            reader.feed(b"x" * 65_536)


def test_only_wanted_events_and_variables_are_parsed() -> None:
    wanted = Interest({b"Hangup"}, {b"QUEUESTATUS"})
    assert wanted(b"Event: Hangup\r\nChannel: x")
    assert wanted(b"Response: Success")
    assert wanted(b"Event: VarSet\r\nVariable: QUEUESTATUS\r\nValue: TIMEOUT")
    assert not wanted(b"Event: VarSet\r\nVariable: RTPAUDIOQOS\r\nValue: 1")
    assert not wanted(b"Event: RTCPSent\r\nChannel: x")
    assert wanted(b"Event: QueueSummaryComplete\r\nActionID: 1-1")  # somebody asked for it


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("王小明", "王小明"),
        ("ＡＢＣ　公司", "ABC 公司"),
        ("A\u2028Uniqueid: 1", "A Uniqueid: 1"),
        ("\u202eevil\u202c", "evil"),
        ("<unknown>", None),
        ("", None),
        ("\u200b", None),
        ("\ufffd\ufffdС\ufffd", None),
    ],
)
def test_a_caller_name_is_fit_for_a_screen_or_unknown(raw: str, name: str | None) -> None:
    assert clean_name(raw) == name


def test_a_ten_kilobyte_name_is_cut() -> None:
    assert clean_name("王" * 5000) == "王" * 64
