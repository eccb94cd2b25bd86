"""How well clusters match events that people labelled, all at once and message by message.

    HOTLINE_TEXTS=FOLDER python -m bench.clusters

The folder holds `hot_messages.csv` (title, detail, user, time) and `hot_events.json` (event → rows, from
0). Reported: per event precision, recall and F1 of the cluster that matches it best; the clusters first by
people; and for the stream the minutes between an event's fifth caller and the alarm, which rings when
five people wrote into one group. An alarm is an event's when half of the group were the event's own.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench._report import console, finish, machine
from tickets.duplicates import table
from tickets.duplicates.clustering import clusters
from tickets.duplicates.features import Features, features, load
from tickets.duplicates.ranking import ranked
from tickets.duplicates.stream import Stream
from tickets.duplicates.table import Message

CALLERS = 5
WINDOW = timedelta(days=90)
TARGET = 0.90


@dataclass(frozen=True)
class Match:
    """How the best cluster matches an event."""

    f1: float
    precision: float
    recall: float
    size: int


@dataclass(frozen=True)
class Alarm:
    """Five people in one group: who was in it then."""

    at: datetime
    rows: frozenset[int]


def best(labels: Mapping[int, int], event: set[int]) -> Match:
    """The cluster with the best F1 for an event."""
    found = Match(0, 0, 0, 0)
    for label in {labels[row] for row in event if row in labels}:
        members = {row for row, one in labels.items() if one == label}
        shared = len(members & event)
        precision, recall = shared / len(members), shared / len(event)
        f1 = 2 * precision * recall / (precision + recall)
        if f1 > found.f1:
            found = Match(f1, precision, recall, len(members))
    return found


def played(messages: Sequence[Message], texts: Sequence[Features]) -> tuple[dict[int, int], list[Alarm]]:
    """One by one in the order of time: the group of each when it was last looked at, and the alarms."""
    stream, alarms, rung = Stream(WINDOW), [], set[int]()
    of_row, labels = {one.row: one for one in messages}, dict[int, int]()
    dated = [(one.at, one.row, text) for one, text in zip(messages, texts, strict=True) if one.at]
    for at, row, text in sorted(dated, key=lambda one: one[:2]):
        group = stream.add(row, text, at)
        members = [int(str(key)) for key in stream.members(group)]
        if len({of_row[one].user for one in members}) >= CALLERS:
            if not rung & set(members):
                alarms.append(Alarm(at, frozenset(members)))
            rung.update(members)
        labels |= dict.fromkeys(members, group)
    return labels, alarms


def waited(event: set[int], messages: Sequence[Message], alarms: Sequence[Alarm]) -> float | str:
    """Minutes from the event's fifth caller within the window to its first alarm from then on or before.

    Negative: it had rung before. "no five": fewer than five called within the window. "never".
    """
    mine = sorted((one.at, one.row, one.user) for one in messages if one.row in event and one.at)
    fifth = next(
        (
            at
            for at, _, _ in mine
            if len({user for time, _, user in mine if at - WINDOW <= time <= at}) >= CALLERS
        ),
        None,
    )
    if fifth is None:
        return "no five"
    rang = [alarm.at for alarm in alarms if len(alarm.rows & event) * 2 >= len(alarm.rows)]
    return min(((at - fifth).total_seconds() / 60 for at in rang), default="never")


def main() -> None:
    folder = Path(os.environ.get("HOTLINE_TEXTS", ""))
    if not (folder / "hot_messages.csv").is_file():
        sys.exit("HOTLINE_TEXTS must name a folder with hot_messages.csv and hot_events.json")
    sheet = table.read(folder / "hot_messages.csv")
    events = {
        name: set(rows) for name, rows in json.loads((folder / "hot_events.json").read_text("utf-8")).items()
    }
    load()
    started = time.perf_counter()
    texts = [features(one.title, one.detail) for one in sheet.messages]
    worded = time.perf_counter()
    labels = clusters(texts)
    grouped = time.perf_counter()
    streamed, alarms = played(sheet.messages, texts)
    ended = time.perf_counter()
    at_once = {one.row: label for one, label in zip(sheet.messages, labels, strict=True)}
    order = ranked(sheet.messages, labels)
    seconds = {"words": worded - started, "groups": grouped - worded, "stream": ended - grouped}
    rows, figures = report(events, at_once, streamed, alarms, sheet.messages)
    figures |= {"machine": machine(), "seconds": {name: round(value, 2) for name, value in seconds.items()}}
    for place, one in enumerate(order[:5], 1):
        rows.append(
            (f"rank {place}", f"{one.users} people, {one.messages}: {one.place} {one.example[:24]}", "")
        )
    rows.append(("seconds", ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()), ""))
    console.print(f"{len(sheet.messages)} messages, {len(order)} clusters")
    finish("clusters", "clusters against labelled events", rows, figures)


def report(
    events: Mapping[str, set[int]],
    at_once: Mapping[int, int],
    streamed: Mapping[int, int],
    alarms: Sequence[Alarm],
    messages: Sequence[Message],
) -> tuple[list[tuple[str, str, str]], dict[str, Any]]:
    """The lines of the table, and the figures to keep."""
    rows: list[tuple[str, str, str]] = []
    kept: dict[str, Any] = {}
    for kind, labels in (("at once", at_once), ("stream", streamed)):
        found = {name: best(labels, event) for name, event in events.items()}
        for name, one in found.items():
            words = f"F1 {one.f1:.3f} (P {one.precision:.2f}, R {one.recall:.2f}, {one.size} messages)"
            rows.append((f"{kind}: {name}", words, ""))
        mean = sum(one.f1 for one in found.values()) / len(found)
        rows.append((f"{kind}: mean F1", f"{mean:.3f}", f"≥ {TARGET}" if kind == "at once" else ""))
        kept[kind] = {"mean": mean, "events": {name: vars(one) for name, one in found.items()}}
    kept["alarms"] = len(alarms)
    kept["minutes"] = {name: waited(event, messages, alarms) for name, event in events.items()}
    for name, minutes in kept["minutes"].items():
        words = minutes if isinstance(minutes, str) else f"{minutes:.0f} min"
        rows.append((f"alarm after the fifth caller: {name}", words, "≤ 0"))
    rows.append(("alarms in all", str(len(alarms)), ""))
    return rows, kept


if __name__ == "__main__":
    main()
