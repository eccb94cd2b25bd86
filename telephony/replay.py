"""A recorded AMI stream → the sessions in it, through the same code that follows a live PBX."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.privacy import normalise_phone
from telephony.ami.frames import FrameReader
from telephony.ami.messages import AmiEvent, clean_name, parse
from telephony.calls import Leg, Session, Tracker, interest, read_session
from telephony.queue_log import Truth, reconcile, session_of
from telephony.queue_log import parse as parse_queue_log

CHUNK = 1 << 16


def replay_file(
    path: Path, queue_log: Path | None = None, trunks: Iterable[str] = ("trunk",)
) -> list[dict[str, Any]]:
    """The call sessions of a recording, oldest first, as objects ready for JSON.

    `queue_log` is the PBX's file of the same time: it overrules what events only suggest. `trunks` are
    the endpoints that lead to citizens; an unknown one is guessed by the public numbers it brings.
    Raises OSError when a file cannot be read.
    """
    truth = Truth(parse_queue_log(queue_log.read_bytes())[0]) if queue_log else Truth()
    return [as_json(session) for session in replay_events(read_events(path), truth, trunks)]


def read_events(path: Path) -> Iterator[AmiEvent]:
    """The events of a recording that say something about calls."""
    wanted, reader = interest(), FrameReader()
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield from _events(reader.feed(data), wanted)
    yield from _events(reader.feed(b"\r\n\r\n"), wanted)  # a last frame that was cut off


def _events(frames: list[bytes], wanted: Any) -> Iterator[AmiEvent]:
    for frame in frames:
        if wanted(frame):
            message = parse(frame)
            if isinstance(message, AmiEvent):
                yield message


def replay_events(
    events: Iterable[AmiEvent], truth: Truth, trunks: Iterable[str] = ("trunk",)
) -> list[Session]:
    """The sessions of `events`, corrected by queue_log, and those only queue_log knows of a gap."""
    tracker = Tracker(trunks, infer_trunks=True)
    gaps: list[tuple[float, float]] = []
    for event in events:
        if event.name == "FullyBooted" and tracker.now:
            gaps.append((tracker.now, tracker.now))
        before = tracker.now
        tracker.apply(event)
        if gaps and gaps[-1][1] == before and tracker.now > before:
            gaps[-1] = (gaps[-1][0], tracker.now)
    found = (read_session(tracker, call) for call in tracker.calls())
    sessions = [reconcile(session, truth, tracker.roster.members) for session in found if session is not None]
    seen = {uniqueid for call in tracker.calls() for uniqueid in call.channels}
    for call in truth.calls.values():
        inside = call.entered is not None and any(a - 1 <= call.entered <= b + 1 for a, b in gaps)
        if (
            inside
            and call.call not in seen
            and (session := session_of(call, tracker.roster.members)) is not None
        ):
            sessions.append(session)
    return sorted(sessions, key=lambda session: (session.started, session.key))


def as_json(session: Session) -> dict[str, Any]:
    """One session with exactly the keys of the command line's contract."""
    inbound_answer = session.direction == "inbound" and session.answered is not None
    return {
        "session": session.key,
        "direction": session.direction,
        "caller": normalise_phone(session.caller or "").number,
        "caller_name": clean_name(session.caller_name),
        "queues": list(session.queues),
        "outcome": session.outcome,
        "legs": [_leg(leg) for leg in session.legs],
        "wait_seconds": None if session.wait_seconds is None else round(session.wait_seconds, 3),
        "transfers": [{"kind": t.kind, "from": t.source, "to": t.target} for t in session.transfers],
        "linkedids": list(session.linkedids),
        "recording": session.recording,
        "survey": session.survey,
        "drafts": 1 if inbound_answer else 0,
    }


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "agent": leg.agent,
        "ring_seconds": round(leg.ring_seconds, 3),
        "talk_seconds": round(leg.talk_seconds, 3),
        "hold_seconds": round(leg.hold_seconds, 3),
        "ended_by": leg.ended_by,
    }
