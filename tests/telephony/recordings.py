"""Recorded streams for tests: the few that live here, and a folder of more where HOTLINE_RECORDINGS says."""

import os
import random
from collections.abc import Iterable
from pathlib import Path

from telephony.ami.frames import FrameReader
from telephony.ami.messages import AmiEvent, parse

FIXTURES = Path(__file__).parent / "fixtures"
WINDOW = 0.2  # seconds within which the order of events means nothing


def fixtures() -> list[Path]:
    return sorted(FIXTURES.glob("*.ami"))


def recordings() -> list[Path]:
    """Every recording of the folder named by HOTLINE_RECORDINGS; none when it is unset."""
    folder = os.environ.get("HOTLINE_RECORDINGS", "")
    return sorted(Path(folder).glob("**/*.ami")) if folder else []


def queue_log_of(path: Path) -> Path | None:
    """The queue_log of the same run."""
    beside = [path.with_suffix(".queue_log"), path.parent / "queue_log.txt"]
    return next((candidate for candidate in beside if candidate.exists()), None)


def every_event(path: Path) -> list[AmiEvent]:
    """All events of a stream, wanted or not."""
    frames = FrameReader().feed(path.read_bytes() + b"\r\n\r\n")
    return [message for message in map(parse, frames) if isinstance(message, AmiEvent)]


def disturbed(events: list[AmiEvent], dice: random.Random) -> list[AmiEvent]:
    """The same events, some twice, each out of order by at most the window of the PBX's own stamps.

    List replies carry no stamp and stay where they are; nothing passes them, as nothing passes the
    beginning of a new connection.
    """
    found: list[AmiEvent] = []
    keyed: list[tuple[float, AmiEvent]] = []
    for event in [*events, None]:
        if event is not None and event.stamp is not None:
            for _ in range(1 + (dice.random() < 0.5)):
                keyed.append((event.stamp + dice.uniform(0, WINDOW), event))
            continue
        found += [late for _, late in sorted(keyed, key=lambda pair: pair[0])]
        keyed = []
        found += [] if event is None else [event]
    return found


def neighbours_swapped(events: list[AmiEvent], dice: random.Random) -> list[AmiEvent]:
    """Pairs of neighbours at most the window apart, exchanged in one pass."""
    found = list(events)
    for i in range(len(found) - 1):
        one, two = found[i].stamp, found[i + 1].stamp
        if one is not None and two is not None and abs(two - one) <= WINDOW and dice.random() < 0.5:
            found[i], found[i + 1] = found[i + 1], found[i]
    return found


def shared_bridge_seconds(events: list[AmiEvent], trunk: str, endpoint: str) -> float:
    """Seconds a trunk's and an agent's channels were in one bridge, counted in order of the stream.

    Deliberately simple and not the product's way of counting.
    """
    inside: dict[str, dict[str, str]] = {}
    total, since = 0.0, 0.0
    for event in (e for e in events if e.name in ("BridgeEnter", "BridgeLeave")):
        stamp, bridge, channel = event.stamp or 0.0, event.get("BridgeUniqueid"), event.get("Channel")
        members = inside.setdefault(bridge, {})
        was = _both(members.values(), trunk, endpoint)
        if event.name == "BridgeEnter":
            members[event.get("Uniqueid")] = channel
        else:
            members.pop(event.get("Uniqueid"), None)
        now = _both(members.values(), trunk, endpoint)
        if now and not was:
            since = stamp
        elif was and not now:
            total += stamp - since
    return total


def _both(channels: Iterable[str], trunk: str, endpoint: str) -> bool:
    names = list(channels)
    return any(n.startswith(f"PJSIP/{trunk}-") for n in names) and any(
        n.startswith(f"PJSIP/{endpoint}-") for n in names
    )
