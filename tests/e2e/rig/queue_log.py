"""The queue_log as truth: what became of each call that entered a queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

OUTCOMES = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "WITHDRAW": "withdrawn",
    "EXITEMPTY": "empty",
    "EXITWITHKEY": "exit_key",
}


@dataclass
class QueuedCall:
    """One Uniqueid of queue_log; `agents` are extensions, in the order they talked or missed."""

    caller: str = ""
    queues: list[str] = field(default_factory=list)
    answered_by: list[str] = field(default_factory=list)
    missed_by: list[str] = field(default_factory=list)
    outcome: str | None = None  # None: neither answered nor ended in the file


def read_queue_log(path: Path) -> dict[str, QueuedCall]:
    """Uniqueid -> call. A call once answered stays answered, whatever queue it visits later."""
    calls: dict[str, QueuedCall] = {}
    for line in path.read_text("utf-8", "replace").splitlines():
        fields = line.split("|")
        if len(fields) < 5 or fields[1] == "NONE":
            continue
        _, unique, queue, agent, event, *data = fields
        call = calls.setdefault(unique, QueuedCall())
        extension = agent.rpartition("/")[2]
        if event == "ENTERQUEUE":
            call.queues.append(queue)
            call.caller = call.caller or data[1]
        elif event == "CONNECT":
            call.answered_by.append(extension)
            call.outcome = "answered"
        elif event == "RINGNOANSWER":
            call.missed_by.append(extension)
        elif event in OUTCOMES and call.outcome is None:
            call.outcome = OUTCOMES[event]
    return calls
