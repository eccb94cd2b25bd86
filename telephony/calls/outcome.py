"""How a call ended, and who ended an agent's part in it.

`QueueCallerAbandon` is sent on timeout, withdraw and leave-empty too, so by itself it proves nothing:
QUEUESTATUS (a VarSet or a UserEvent of the dialplan) tells; without it, whether the citizen had hung
up before the queue gave up. queue_log, where there is one, overrules (`telephony.queue_log`).
"""

from typing import TYPE_CHECKING

from telephony.calls.facts import Channel
from telephony.calls.spans import Span

if TYPE_CHECKING:
    from telephony.calls.session import Reading
    from telephony.calls.transfers import Move

REASONS = {
    "TIMEOUT": "timeout",
    "LEAVEEMPTY": "empty",
    "LEAVEUNAVAIL": "empty",
    "JOINEMPTY": "empty",
    "JOINUNAVAIL": "empty",
    "WITHDRAW": "withdrawn",
}
BUSY_CAUSE = "17"
PROMPT = 10.0  # seconds within which a queue that became empty sends its callers away
NEAR = 1.0  # seconds within which two events are about the same thing


def read(reading: "Reading") -> str:
    """One of the outcomes; `in_progress` until the call is over."""
    if reading.ended is None:
        return "in_progress"
    if reading.answered is not None:
        return "answered"
    if reading.call.refused:
        return "withdrawn"
    if reading.queue_entries:
        return _left_queue(reading)
    if reading.direction == "outbound":
        return _unanswered(reading)
    if any(channel.called for channel in reading.phones):
        return _phones(reading.phones)
    lost = any(channel.lost for channel in reading.citizens)
    return "ended_unknown" if lost else "ivr_ended"


def _left_queue(reading: "Reading") -> str:
    """Why the last queue was left without an answer."""
    join, name, citizen = reading.queue_entries[-1]
    facts = citizen.queues[name]
    told = [value for stamp, value in sorted(citizen.statuses) if stamp >= join and value in REASONS]
    if told:
        return REASONS[told[0]]
    gave_up = min((stamp for stamp in facts.abandons if stamp >= join), default=None)
    if gave_up is not None:
        if _gone_by(citizen, gave_up):
            return "abandoned"
        emptied = reading.tracker.roster.emptied(name, gave_up)
        return "empty" if emptied is not None and gave_up - emptied < PROMPT else "timeout"
    left = min((stamp for stamp in facts.leaves if stamp >= join), default=None)
    if left is not None and not citizen.lost:
        return "exit_key"
    if citizen.lost:
        return "ended_unknown"
    return "abandoned" if citizen.asked is not None else "ended_unknown"


def _gone_by(citizen: Channel, stamp: float) -> bool:
    """True when the citizen hung up, or was hung up, before the queue noticed.

    The dialplan's own Hangup() after a timeout comes within a millisecond after the abandon event,
    therefore no tolerance for the PBX's own hangup, and a little for the citizen's.
    """
    asked, soft, ended = citizen.asked, citizen.soft, citizen.ended
    if asked is not None and asked <= stamp + 0.05:
        return True
    if soft is not None and soft < stamp:
        return True
    # A manager's Hangup has no request of its own; the dialplan's gives cause 16, this one none.
    return ended is not None and ended <= stamp + 0.05 and citizen.causes <= {"0", ""}


def _unanswered(reading: "Reading") -> str:
    """An outbound call that did not come to a talk: whose telephone was it?"""
    there = (channel.up is not None or not channel.called for channel in reading.phones)
    if any(there) or not reading.phones:  # a telephone that dials is there before it is "up"
        busy = any(_busy(channel) for channel in reading.trunks)
        return "citizen_busy" if busy else "citizen_no_answer"
    return _phones(reading.phones)


def _phones(phones: list[Channel]) -> str:
    return "agent_busy" if any(_busy(channel) for channel in phones) else "agent_no_answer"


def _busy(channel: Channel) -> bool:
    return "BUSY" in channel.dial_statuses or BUSY_CAUSE in channel.causes


def ended_by(reading: "Reading", agent: str, talk: list[Span], moves: list["Move"]) -> str | None:
    """Who ended this agent's last talk: citizen, agent, transfer or system; None without a talk."""
    if not talk:
        return None
    end = talk[-1][1]
    if any(kind != "conference" and who == agent and at > end - NEAR for at, kind, who, _ in moves):
        return "transfer"
    channels = reading.agents[agent]
    asked = [(c.asked, "agent") for c in channels if c.asked is not None and abs(c.asked - end) < NEAR]
    others = reading.citizens if reading.direction != "internal" else []
    asked += [(c.asked, "citizen") for c in others if c.asked is not None and abs(c.asked - end) < NEAR]
    if asked:
        return min(asked)[1]
    if reading.direction == "internal":
        return "agent" if any(c.asked is not None for c in reading.phones) else "system"
    if reading.tracker.tells_requests:
        return "system"  # nobody asked for it: the PBX or a manager ended it
    names = {channel.uniqueid for channel in channels}
    told = [why for at, uid, why in sorted(reading.call.completes) if uid in names and abs(at - end) < NEAR]
    return {"caller": "citizen", "agent": "agent", "transfer": "transfer"}.get(
        told[-1] if told else "", "system"
    )
