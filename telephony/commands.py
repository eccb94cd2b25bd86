"""`replay`: a recorded AMI stream, told as call sessions.

Imports stand inside the commands on purpose: `--help` must load nothing it does not need.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from core.commands import out, refusals
from core.errors import HotlineError


def replay(
    file: Annotated[Path, typer.Argument(help="A recorded AMI stream.")],
    queue_log: Annotated[Path | None, typer.Option(help="The queue_log of the same time.")] = None,
    trunk: Annotated[list[str] | None, typer.Option(help="Endpoint that leads to the citizens.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """Feed a recorded AMI stream through the same code as a live one and print its call sessions."""
    from telephony.replay import replay_file

    with refusals():
        for path in filter(None, (file, queue_log)):
            if not os.access(path, os.R_OK) or path.is_dir():
                raise HotlineError("recording_unreadable", file=str(path), why="no such file, or no right to")
        sessions = replay_file(file, queue_log, tuple(trunk or ("trunk",)))
        if not sessions and not _looks_like_ami(file):
            raise HotlineError("recording_unreadable", file=str(file), why="it is no AMI stream")
    if as_json:
        print(json.dumps(sessions, ensure_ascii=False, indent=1))
        return
    out.print(_table(sessions))


def _table(sessions: list[dict[str, Any]]) -> Table:
    """One row per call session."""
    table = Table(box=None, pad_edge=False)
    for name in ("session", "direction", "caller", "queues", "outcome", "agents", "wait", "talk"):
        table.add_column(name, overflow="fold")  # a shortened number helps nobody
    for call in sessions:
        agents = ", ".join(leg["agent"] for leg in call["legs"])
        talk = sum(leg["talk_seconds"] for leg in call["legs"])
        row = (
            call["session"],
            call["direction"],
            call["caller"],
            ", ".join(call["queues"]),
            call["outcome"],
            agents,
        )
        table.add_row(
            *(str(value or "-") for value in row), f"{call['wait_seconds'] or 0:.0f}", f"{talk:.0f}"
        )
    return table


def _looks_like_ami(file: Path) -> bool:
    """An empty recording is one; else it greets, tells or answers as a manager does near its beginning."""
    with file.open("rb") as stream:
        beginning = stream.read(1 << 20)
    return not beginning or any(
        mark in beginning for mark in (b"Asterisk Call Manager", b"Event:", b"Response:")
    )
