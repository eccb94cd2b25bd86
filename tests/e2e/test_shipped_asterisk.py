"""What the shipped configuration makes a real Asterisk do, seen from outside the product."""

from __future__ import annotations

import socket

import pytest

from telephony.ami.actions import ACTIONS
from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.queue_log import QueuedCall, read_queue_log
from tests.e2e.rig.situations import Stage, number

pytestmark = pytest.mark.asterisk

SCORED, RETURNED, AFTER_HOURS = number(701), number(702), number(703)
# Files a small Asterisk may do without; every other complaint at start is a fault of ours.
_ABSENT = ("ccss.conf", "acl.conf", "udptl", "pjproject.conf", "queuerules.conf", "codec_opus_open_source")


def call_of(pbx: Asterisk, caller: str) -> QueuedCall:
    """What queue_log says about the call of this citizen."""
    (call,) = [call for call in read_queue_log(pbx.queue_log).values() if call.caller == caller]
    return call


def test_it_starts_without_a_complaint(pbx: Asterisk) -> None:
    complaints = [
        line
        for line in (pbx.home / "log/messages").read_text("utf-8").splitlines()
        if ("ERROR" in line or "WARNING" in line) and not any(name in line for name in _ABSENT)
    ]
    started = [line for line in complaints if "loader.c" in line or "config" in line]
    assert started == []


def test_an_answered_call_is_recorded_asked_for_a_score_and_not_chatty(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage
) -> None:
    sip.agents([1001], scenarios.answering_then_leaving(1.5))
    sip.call([Citizen(SCORED)], scenarios.caller(20, keys="4", keys_after=4.5, media=True))
    channel = stage.citizen(SCORED)
    score = ami.wait_for("UserEvent", UserEvent="Survey", Linkedid=channel["Uniqueid"])
    stage.ended(SCORED)
    assert score["Score"] == "4"
    assert channel["Exten"] == "12345"
    recording = pbx.recordings / f"rec-{channel['Uniqueid']}.wav"
    assert recording.stat().st_size > 44 + 8000
    assert call_of(pbx, SCORED).answered_by == ["1001"]
    assert channel["Uniqueid"].startswith("pbx1-")
    for name in ("VarSet", "Newexten", "RTCPSent", "RTCPReceived", "DeviceStateChange", "TestEvent"):
        assert ami.events(name) == [], name


def test_a_transfer_nobody_takes_comes_back_to_who_sent_it_and_then_to_the_queue(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage
) -> None:
    leaving = sip.agents([1001], scenarios.answering())
    sip.call([Citizen(RETURNED)], scenarios.caller(12))
    connected = stage.talking(RETURNED)
    answer = ami.action(
        "BlindTransfer", Channel=connected["DestChannel"], Context="hotline-transfer", Exten="1010"
    )
    assert answer["Response"] == "Success"
    back = ami.wait_for("DialBegin", Uniqueid=connected["Uniqueid"], DialString="1001")
    ami.wait_for("BridgeEnter", Uniqueid=back["DestUniqueid"])
    sip.agents_leave(leaving)  # his telephone is gone; the PBX has not noticed and he cannot be rung again
    ami.action("BlindTransfer", Channel=back["DestChannel"], Context="hotline-transfer", Exten="1010")
    stage.ended(RETURNED)
    assert call_of(pbx, RETURNED).queues == ["hotline", "hotline"]


def test_outside_office_hours_the_mailbox_answers(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage
) -> None:
    pbx.set_global("OPEN_HOURS", "00:00-00:00,mon,1,jan")
    try:
        sip.call([Citizen(AFTER_HOURS)], scenarios.caller(5, media=True))
        channel = stage.citizen(AFTER_HOURS)
        stage.ended(AFTER_HOURS)
    finally:
        pbx.set_global("OPEN_HOURS", str(pbx.site["open_hours"]))
    told = ami.wait_for("UserEvent", UserEvent="Voicemail", Linkedid=channel["Uniqueid"])
    assert (pbx.voicemails / told["File"]).stat().st_size > 44
    assert all(call.caller != AFTER_HOURS for call in read_queue_log(pbx.queue_log).values())


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Command", {"Command": "core show version"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("MixMonitor", {"Channel": "PJSIP/trunk-1", "File": "x.wav", "Command": "id"}),
        ("Filter", {"Operation": "Add", "Filter": "Event: VarSet"}),
        ("ModuleLoad", {"Module": "app_system.so", "LoadType": "load"}),
        ("DBPut", {"Family": "registrar", "Key": "contact", "Val": "x"}),
    ],
)
def test_the_manager_user_cannot_leave_the_telephones(
    ami: Manager, action: str, headers: dict[str, str]
) -> None:
    answer = ami.action(action, **headers)
    assert answer["Response"] == "Error"
    assert "denied" in answer["Message"].lower() or "invalid" in answer["Message"].lower()


@pytest.mark.parametrize("application", ["System", "TrySystem", "AGI", "EAGI", "ExternalIVR"])
def test_an_originate_finds_no_shell(pbx: Asterisk, ami: Manager, application: str) -> None:
    assert "not registered" in pbx.cli(f"core show application {application}")
    answer = ami.action("Originate", Channel="PJSIP/1001", Application=application, Data="id", Async="true")
    assert answer["Response"] == "Error"


def test_a_stranger_cannot_call_through_the_trunk(pbx: Asterisk, sip: Phones, ami: Manager) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.3", 0))
        stranger.settimeout(5)
        host, port = stranger.getsockname()
        request = (
            "INVITE sip:12345@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKstranger\r\n"
            "From: <sip:13800000000@127.0.0.3>;tag=s\r\nTo: <sip:12345@127.0.0.1>\r\n"
            f"Call-ID: stranger\r\nCSeq: 1 INVITE\r\nContact: <sip:s@{host}:{port}>\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        stranger.sendto(request.encode(), pbx.sip)
        assert stranger.recv(4096).split(b" ")[1] == b"401"
    assert ami.events("Newchannel", Exten="12345") == []


def test_the_manager_user_may_do_all_that_the_console_does(ami: Manager) -> None:
    # The dialplan starts and ends recordings; from outside they would need the right that opens a shell.
    for action in sorted(set(ACTIONS) - {"Login", "Logoff", "MixMonitor", "StopMixMonitor"}):
        answer = ami.action(action)
        assert "ermission" not in answer.get("Message", ""), action
