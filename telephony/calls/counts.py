"""What one queued call adds to the figures of its quarter of an hour (domain: the telephone's measures).

A call belongs to the moment and the queue it entered first. Sums are kept in whole milliseconds, so
that what is taken away again is exactly what was added.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

PROMPT = 15.0  # seconds within which a call should be answered (GB/T 33358)
SATISFIED_FROM = 3  # of five: 基本满意 and better, as after a call-back
QUARTER = timedelta(minutes=15)
OUTCOMES = {
    "answered": "answered",
    "timeout": "timeout",
    "withdrawn": "withdrawn",
    "empty": "empty",
    "exit_key": "left_by_key",
}
COUNTERS = (
    "offered",
    "answered",
    "answered_in_15",
    "waits",  # answered calls whose wait is known
    "wait_ms",
    "abandoned",
    "short_abandoned",
    "timeout",
    "withdrawn",
    "empty",
    "left_by_key",
    "unknown",
    "talk_ms",
    "hold_ms",
    "missed",  # rings that nobody answered in time
    "transferred",  # times a call was given on; a conference is none
    "surveyed",  # answered calls after which the citizen was asked by keys
    "scored",  # of these, who said how satisfied he was
    "satisfied",
    "solved_told",  # and who said whether his matter was solved
    "solved",
)


class Place(NamedTuple):
    """The row a call is counted in."""

    starts_at: datetime
    queue: str


class Agents(NamedTuple):
    """Milliseconds the agents of a call were busy with it, holding a part of talking; rings missed."""

    talk: int = 0
    hold: int = 0
    missed: int = 0

    def plus(self, talk_seconds: float, hold_seconds: float, missed: int = 0) -> "Agents":
        """With one more leg; each is rounded by itself, so that their order does not matter."""
        talk, hold = round(talk_seconds * 1000), round(hold_seconds * 1000)
        return Agents(self.talk + talk, self.hold + hold, self.missed + missed)


def quarter(moment: datetime) -> datetime:
    """The quarter of an hour `moment` lies in; every zone in use is whole quarters from UTC."""
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def counted(call: Mapping[str, Any], agents: Agents, short: float) -> tuple[Place, dict[str, int]] | None:
    """Where an ended call of a citizen is counted and as what; None: nowhere."""
    if call["ended_at"] is None:
        return None
    return so_far(call, agents, short)


def so_far(call: Mapping[str, Any], agents: Agents, short: float) -> tuple[Place, dict[str, int]] | None:
    """The same for a call that may go on: offered, and answered once it was."""
    if call["direction"] != "inbound" or call["queued_at"] is None or not call["queues"]:
        return None
    moves = sum(move["kind"] != "conference" for move in call.get("transfers") or ())
    counts = {"offered": 1, "missed": agents.missed, "transferred": moves}
    if call["answered_at"] is not None or call["outcome"] == "answered":
        counts |= _answered(call["wait_seconds"], agents) | _survey(call)
    elif call["outcome"] == "abandoned":
        wait = call["wait_seconds"]
        counts["short_abandoned" if wait is not None and wait < short else "abandoned"] = 1
    elif call["ended_at"] is not None:
        counts[OUTCOMES.get(call["outcome"], "unknown")] = 1
    return Place(quarter(call["queued_at"]), call["queues"][0]), counts


def _survey(call: Mapping[str, Any]) -> dict[str, int]:
    """A key that was not pressed, or a wrong one, is no answer; the question was asked all the same."""
    if call.get("survey_asked_at") is None:
        return {}
    score, solved = call["survey"], call["survey_solved"]
    return {
        "surveyed": 1,
        "scored": int(score is not None),
        "satisfied": int(score is not None and int(score) >= SATISFIED_FROM),
        "solved_told": int(solved is not None),
        "solved": int(solved is True),
    }


def _answered(wait: float | None, agents: Agents) -> dict[str, int]:
    counts = {"answered": 1, "talk_ms": agents.talk, "hold_ms": agents.hold}
    if wait is not None:
        counts |= {"waits": 1, "wait_ms": round(wait * 1000), "answered_in_15": int(wait <= PROMPT)}
    return counts
