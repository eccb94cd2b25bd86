"""queue_log: the file in which Asterisk says how each queue call really ended.

Events lie (a timeout is announced as an abandon), this file does not. It is read whole by `parse`,
followed by `Tail` (inode and offset, so that a rotation loses nothing), and understood by `Truth`,
which overrules what events suggested and knows of calls whose events nobody received.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from telephony.calls import Leg, Session
from telephony.calls.handlers import SCORES, SOLVED

OUTCOMES = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITEMPTY": "empty",
    "EXITWITHKEY": "exit_key",
    "WITHDRAW": "withdrawn",
}
ENDS = {"COMPLETECALLER": "citizen", "COMPLETEAGENT": "agent"}
TRANSFERS = {"BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER"}
WAITED = {"EXITWITHKEY": 3}  # where the seconds waited stand; 2 elsewhere


@dataclass(frozen=True)
class Line:
    """One line: when (seconds since 1970 UTC), whose call, which queue and agent, what, and details."""

    at: float
    call: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """A line that could not be understood; `number` counts from 1 within what was read."""

    number: int
    reason: str


def parse(text: bytes, *, first: int = 1) -> tuple[list[Line], list[Fault]]:
    """Every line that makes sense, and where those are that do not; the rest goes on."""
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, raw in enumerate(text.split(b"\n"), start=first):
        if raw.strip():
            found = _line(raw)
            if isinstance(found, Line):
                lines.append(found)
            else:
                faults.append(Fault(number, found))
    return lines, faults


def _line(raw: bytes) -> Line | str:
    parts = raw.decode("utf-8", "replace").rstrip("\r").split("|")
    if len(parts) < 5:
        return "fewer than five fields"
    at, call, queue, agent, event, *data = parts
    try:
        stamp = float(at)
    except ValueError:
        return "no time at its beginning"
    if not 0 < stamp < 1e11 or not event.isupper() or not event.replace("_", "").isalnum():
        return "no queue event"
    # The same few names on every line, and what they say is kept for hours: each name once.
    return Line(stamp, call, sys.intern(queue), sys.intern(agent), event, tuple(data))


@dataclass(frozen=True)
class Position:
    """How far a file was read: its inode and the byte after the last whole line."""

    inode: int | None = None
    offset: int = 0


class Tail:
    """Follows a queue_log that grows and is rotated by renaming."""

    def __init__(self, path: Path, position: Position | None = None) -> None:
        self.path = path
        self.position = position or Position()

    def read(self) -> tuple[list[Line], list[Fault]]:
        """The whole lines written since the last call; an unfinished last line waits. Raises OSError.

        After a rotation what was left in the old file (same folder, by inode) is read first. A file that
        became shorter was truncated: it is read from its beginning.
        """
        lines: list[Line] = []
        faults: list[Fault] = []
        stat = self.path.stat()
        if self.position.inode not in (None, stat.st_ino):
            old = self._rotated(self.position.inode)
            if old is not None:
                self._read_from(old, self.position.offset, lines, faults)
            self.position = Position(stat.st_ino, 0)
        offset = self.position.offset if self.position.offset <= stat.st_size else 0
        end = self._read_from(self.path, offset, lines, faults)
        self.position = Position(stat.st_ino, end)
        return lines, faults

    def skip_to_end(self) -> None:
        """Start behind what is there already."""
        stat = self.path.stat()
        self.position = Position(stat.st_ino, stat.st_size)

    def _rotated(self, inode: int | None) -> Path | None:
        with os.scandir(self.path.parent) as entries:
            return next((Path(entry.path) for entry in entries if entry.inode() == inode), None)

    @staticmethod
    def _read_from(path: Path, offset: int, lines: list[Line], faults: list[Fault]) -> int:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
        whole = data.rpartition(b"\n")[0]
        new, bad = parse(whole)
        lines += new
        faults += bad
        return offset + len(whole) + 1 if whole else offset


@dataclass(slots=True)
class Part:
    """What queue_log says of one agent's part in a call; seconds."""

    agent: str
    talk: float = 0.0
    ended_by: str | None = None
    rang: float = 0.0  # of missed rings
    missed: int = 0  # how many of them


@dataclass(slots=True)
class QueueCall:
    """What queue_log says of one call. Small: a busy floor has tens of thousands of them at hand."""

    call: str
    caller: str | None = None
    entered: float | None = None
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()  # who answered, in order
    answered: float | None = None
    hold: float | None = None  # seconds waited before the first answer
    parts: tuple[Part, ...] = ()
    began: float | None = None  # first line, for calls that entered no queue
    message: tuple[str, int] | None = None  # the mailbox: file and bytes; 0 while, or if, nobody told them
    asked: float | None = None  # when it was asked for a score
    score: str | None = None
    solved: bool | None = None
    exit: str | None = None  # how the last queue was left without an answer
    last: float = 0.0

    @property
    def outcome(self) -> str | None:
        """answered, or how waiting ended; None while it goes on."""
        return "answered" if self.agents else self.exit

    @property
    def over(self) -> float | None:
        """When waiting or the last talk ended; None when no line says so (a transferred call goes on)."""
        if self.agents:
            last = self.part(self.agents[-1])
            told = last is not None and last.ended_by in ENDS.values()
        else:
            told = self.exit is not None
        return self.last if told else None

    def part(self, agent: str) -> Part | None:
        """That agent's part; None when no line tells more than that they answered."""
        return next((one for one in self.parts if one.agent == agent), None)

    def part_of(self, agent: str) -> Part:
        """The same, made if there is none."""
        found = self.part(agent)
        if found is None:
            found = Part(agent)
            self.parts += (found,)
        return found


class Truth:
    """Lines sorted by call."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.calls: dict[str, QueueCall] = {}
        self.add(lines)

    def add(self, lines: Iterable[Line]) -> set[str]:
        """Take in more lines; returns the calls they speak of."""
        touched: set[str] = set()
        for line in lines:
            if "." in line.call:  # NONE, MANAGER, REALTIME are no calls
                self._note(self.calls.setdefault(line.call, QueueCall(line.call)), line)
                touched.add(line.call)
        return touched

    def forget_before(self, at: float) -> None:
        """Drop calls of which nothing was written since `at`."""
        for call in [known.call for known in self.calls.values() if known.last < at]:
            del self.calls[call]

    @staticmethod
    def _note(call: QueueCall, line: Line) -> None:
        call.last = max(call.last, line.at)
        call.began = line.at if call.began is None else min(call.began, line.at)
        if line.event == "ENTERQUEUE":
            call.entered = line.at if call.entered is None else call.entered
            call.caller = call.caller or (line.data[1] if len(line.data) > 1 else None)
            call.queues += (line.queue,)
            call.exit = None
        elif line.event == "CONNECT":
            call.agents += (line.agent,)
            if call.answered is None:
                call.answered = line.at
                call.hold = _number(line.data[:1])
        elif line.event in OUTCOMES:
            call.exit = OUTCOMES[line.event]
            if call.answered is None:
                call.hold = _number(line.data[WAITED.get(line.event, 2) :])
        elif line.event in ENDS:
            _note_talk(call, line, ENDS[line.event], line.data[1:2])
        elif line.event in TRANSFERS:
            _note_talk(call, line, "transfer", line.data[-2:-1])
        elif line.event == "VOICEMAIL":
            _note_message(call, line)
        elif line.event in ("SURVEYASKED", "SURVEY"):
            _note_survey(call, line)
        elif line.event == "RINGNOANSWER":
            part = call.part_of(line.agent)
            part.rang += (_number(line.data[:1]) or 0.0) / 1000
            part.missed += 1


def _note_talk(call: QueueCall, line: Line, ended_by: str, seconds: tuple[str, ...]) -> None:
    part = call.part_of(line.agent)
    part.ended_by, part.talk = ended_by, _number(seconds) or 0.0


def _note_message(call: QueueCall, line: Line) -> None:
    """Written by the dialplan: the file, its bytes, the caller."""
    name, size, caller = (*line.data, "", "", "")[:3]
    known = call.message[1] if call.message is not None and call.message[0] == name else 0
    call.message = (name, max(int(_number((size,)) or 0), known))
    call.caller = call.caller or caller or None


def _note_survey(call: QueueCall, line: Line) -> None:
    """Written by the dialplan with each key; whatever is no answer is none."""
    call.asked = line.at if call.asked is None else min(call.asked, line.at)
    question, key = (*line.data, "", "")[:2]
    if question == "satisfied" and key in SCORES:
        call.score = key
    elif question == "solved" and key in SOLVED:
        call.solved = SOLVED[key]


def _number(values: tuple[str, ...]) -> float | None:
    try:
        return float(values[0])
    except (IndexError, ValueError):
        return None


def extension_of(agent: str, members: Mapping[str, str]) -> str:
    """`Agent1001` or `PJSIP/1001` → 1001, by what events told of the member, else by its digits."""
    if agent in members:
        return members[agent]
    if "/" in agent:
        return agent.partition("/")[2].partition("@")[0]
    digits = "".join(character for character in agent if character.isdigit())
    return digits or agent


def reconcile(session: Session, truth: Truth, members: Mapping[str, str]) -> Session:
    """`session` as queue_log knows it: outcome, wait, and agents that events did not show."""
    found = truth.calls.get(session.citizen)
    if found is None:
        return session
    session = _with_keys(session, found)
    if session.wait_seconds is None and found.hold is not None and session.answered is not None:
        session = replace(session, wait_seconds=found.hold)
    if session.outcome == "in_progress":
        return session
    if session.outcome != "answered" and found.outcome is not None and not session.refused:
        session = replace(session, outcome=found.outcome)
    if session.lost and session.ended is not None and found.last > session.ended:
        session = replace(session, ended=found.last)
    if found.outcome == "answered" and session.answered is None:
        session = replace(session, answered=found.answered, wait_seconds=found.hold)
    logged = {leg.agent: leg for leg in _legs_of(found, members)}
    seen = tuple(_complete(leg, logged.get(leg.agent)) if session.lost else leg for leg in session.legs)
    seen = tuple(_with_missed(leg, logged.get(leg.agent)) for leg in seen)
    known = {leg.agent for leg in session.legs}
    missing = tuple(leg for agent, leg in logged.items() if agent not in known)
    return replace(session, legs=seen + missing, queues=session.queues or found.queues)


def _with_keys(session: Session, found: QueueCall) -> Session:
    """What the dialplan wrote down itself: the message, of which an event may only have told the beginning,
    and the answers by keys."""
    if found.message is not None and (
        session.voicemail is None or found.message[1] > session.voicemail_bytes
    ):
        session = replace(session, voicemail=found.message[0], voicemail_bytes=found.message[1])
    if found.asked is None:
        return session
    return replace(
        session,
        survey_asked=found.asked if session.survey_asked is None else session.survey_asked,
        survey=session.survey or found.score,
        survey_solved=found.solved if session.survey_solved is None else session.survey_solved,
    )


def _complete(seen: Leg, logged: Leg | None) -> Leg:
    """A leg whose end fell into a gap: what queue_log says of the talk, if it says more."""
    if logged is None or logged.talk_seconds <= seen.talk_seconds:
        return seen
    return replace(
        seen,
        talk_seconds=logged.talk_seconds,
        ended_by=logged.ended_by or seen.ended_by,
        ended_at=logged.ended_at,
    )


def _with_missed(seen: Leg, logged: Leg | None) -> Leg:
    """A ring that nobody answered may have fallen into a gap."""
    if logged is None or logged.missed <= seen.missed:
        return seen
    return replace(seen, missed=logged.missed)


def _legs_of(call: QueueCall, members: Mapping[str, str]) -> list[Leg]:
    """Everybody who answered or was rung in vain."""
    rung = [part.agent for part in call.parts if part.missed]
    return [leg_of(call, agent, members) for agent in dict.fromkeys([*call.agents, *rung])]


def leg_of(call: QueueCall, agent: str, members: Mapping[str, str]) -> Leg:
    """A leg nobody saw, in whole seconds."""
    part = call.part(agent) or Part(agent)
    answered = call.answered if agent in call.agents else None
    return Leg(
        agent=extension_of(agent, members),
        state="ended",
        ring_seconds=part.rang,
        talk_seconds=part.talk,
        hold_seconds=0.0,
        ended_by=part.ended_by,
        rang_at=None,
        answered_at=answered,
        ended_at=None if answered is None else answered + part.talk,
        missed=part.missed,
    )


def session_of(call: QueueCall, members: Mapping[str, str]) -> Session | None:
    """A whole session from queue_log alone: a call inside a gap; None when it did not enter a queue.

    One that went to the mailbox at once is known by its message.
    """
    begun = call.entered if call.entered is not None or call.message is None else call.began
    if begun is None:
        return None
    name, size = call.message or (None, 0)
    return Session(
        key=call.call,
        direction="internal" if (call.caller or "").isdigit() and len(call.caller or "") <= 6 else "inbound",
        caller=call.caller,
        caller_name=None,
        did=None,
        state="ended",
        outcome=call.outcome or ("ended_unknown" if call.message is None else "ivr_ended"),
        queues=call.queues,
        legs=tuple(_legs_of(call, members)),
        transfers=(),
        wait_seconds=call.hold,
        linkedids=(call.call,),
        recording=None,
        survey=call.score,
        started=begun,
        queued=call.entered,
        answered=call.answered,
        ended=call.last,
        citizen=call.call,
        voicemail=name,
        voicemail_bytes=size,
        survey_asked=call.asked,
        survey_solved=call.solved,
        partial=True,
    )
