"""What really happened in a call, computed from raw events without any code of the product."""

from __future__ import annotations

from collections import defaultdict

from tests.e2e.rig.manager import Manager


def talk_seconds(ami: Manager, citizen: str) -> dict[str, float]:
    """Extension -> seconds its phone shared a bridge with this citizen's channel (its Uniqueid)."""
    moves = [*ami.events("BridgeEnter"), *ami.events("BridgeLeave")]
    moves.sort(key=lambda event: float(event["Timestamp"]))
    inside: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    since: dict[str, float] = {}
    total: dict[str, float] = defaultdict(float)
    for event in moves:
        members, at = inside[event["BridgeUniqueid"]], float(event["Timestamp"])
        names[event["Uniqueid"]] = event["Channel"]
        before = members - {citizen} if citizen in members else set()
        members.symmetric_difference_update({event["Uniqueid"]})
        after = members - {citizen} if citizen in members else set()
        for phone in before - after:
            total[names[phone]] += at - since.pop(phone)
        since.update(dict.fromkeys(after - before, at))
    by_extension: dict[str, float] = defaultdict(float)
    for channel, seconds in total.items():
        endpoint = channel.removeprefix("PJSIP/").rpartition("-")[0]
        if endpoint.isdigit():
            by_extension[endpoint] += seconds
    return dict(by_extension)
