"""The shape of a recorded AMI stream: which events, with which headers, in which order per channel.

`python -m tests.telephony.simulator_shapes FOLDER` derives the fixture from a folder of recordings
(one sub-folder per Asterisk version). A shape holds names of events and headers, nothing that was said.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parent / "fixtures" / "simulator_shapes.json"
# Events of classes the product does not read, and of Debian's test build.
LEFT_OUT = {
    "CEL",
    "HangupHandlerPush",
    "HangupHandlerRun",
    "Newexten",
    "RTCPReceived",
    "RTCPSent",
    "SuccessfulAuth",
    "TestEvent",
    "VarSet",
}
SCENARIOS = {
    "asterisk-22.10.1": (
        "s01_answer_caller_hangup",
        "s03_abandon",
        "s04_rna_then_second",
        "s05_ringall",
        "s06_queue_timeout",
        "s07_hold_unhold",
        "s08_refer_blind",
        "s10_ami_blindtransfer",
        "s12_click_to_call",
        "s12b_originate_agent_busy",
        "s12c_originate_agent_noanswer",
        "s12d_originate_customer_noanswer",
        "s14_survey",
        "s20_withdraw",
    ),
    "asterisk-16.28.0": ("s02_answer_agent_hangup",),
}
CHANNELS = ("", "Dest", "Transferer", "Transferee")
# A channel's headers as they stand in almost every event; written as [channel] to keep the fixture small.
SNAPSHOT = str.split(
    "Channel ChannelState ChannelStateDesc CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName "
    "Language AccountCode Context Exten Priority Uniqueid Linkedid ChanVariable ChanVariable"
)
Event = tuple[str, list[str], dict[str, str]]


def events_of(stream: bytes) -> list[Event]:
    """The events of a stream that count, from the first Newchannel on."""
    found: list[Event] = []
    for frame in stream.split(b"\r\n\r\n"):
        lines = [line for line in frame.decode("utf-8", "replace").split("\r\n") if line]
        if not lines or not lines[0].startswith("Event: "):
            continue
        pairs = [(line.partition(":")[0], line.partition(":")[2].strip()) for line in lines]
        name, values = pairs[0][1], dict(pairs)
        started = bool(found) or name == "Newchannel"
        if started and name not in LEFT_OUT and not _of_other_queues(values):
            found.append((name, [re.sub(r"\(.*\)", "()", key) for key, _ in pairs], values))
    return found


def _of_other_queues(values: dict[str, str]) -> bool:
    """What depends on earlier calls or on queues only the recordings' rig has."""
    return values.get("Device", "").endswith("_avail") or values.get("Queue") in ("qlocal", "qload")


def _short(headers: list[str]) -> str:
    text = " ".join(headers)
    for prefix in reversed(CHANNELS):
        text = text.replace(" ".join(prefix + key for key in SNAPSHOT), f"[{prefix}channel]")
    return text


def shape(stream: bytes) -> dict[str, Any]:
    """Counts of events with their ordered headers, and the events of each channel in order."""
    events = events_of(stream)
    counts = Counter(f"{name}: {_short(headers[1:])}" for name, headers, _ in events)
    orders: dict[str, list[str]] = {}
    for name, _, values in events:
        # The phone's own thread reports Ringing, before or after the queue's events.
        if name == "Newstate" and values["ChannelState"] == "5":
            continue
        for prefix in CHANNELS:
            if f"{prefix}ChannelState" in values:
                orders.setdefault(values[f"{prefix}Channel"], []).append(prefix + name)
    return {"counts": dict(sorted(counts.items())), "orders": sorted(" ".join(o) for o in orders.values())}


def derive(recordings: Path) -> dict[str, Any]:
    """The shapes of all scenarios the simulator plays."""
    return {
        scenario: shape((recordings / version / f"{scenario}.ami").read_bytes())
        for version, scenarios in SCENARIOS.items()
        for scenario in scenarios
    }


if __name__ == "__main__":
    text = json.dumps(derive(Path(sys.argv[1])), indent=1, sort_keys=True)
    FIXTURE.write_text(text + "\n", encoding="utf-8")
