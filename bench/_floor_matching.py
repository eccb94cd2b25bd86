"""What left the PBX of `bench.floor`, and what its browsers saw: which belongs to which. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from bench._floor_node import WRAP_UP
from bench._report import median

LEADERS = 10
OVERTAKEN = 1.0  # seconds: a state that did not last so long is not waited for


def pops(found: dict[str, Any]) -> tuple[list[float], int]:
    """Milliseconds from each ring to its banner, and how many rings had none."""
    banners = defaultdict(list)
    for extension, shown in found["pops"]:
        banners[extension].append(shown)
    taken: list[float] = []
    lost = 0
    for extension, marks in _by_extension(found["marks"]).items():
        for place, (at, what) in enumerate(marks):
            if what != "ringing":
                continue
            until = next((later for later, word in marks[place + 1 :] if word == "ringing"), at + 60)
            shown = next((one for one in sorted(banners[extension]) if at <= one < until), None)
            lost += shown is None
            taken += [] if shown is None else [(shown - at) * 1000]
    return taken, lost


def _by_extension(marks: Sequence[Sequence[Any]]) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for at, what, extension in marks:
        found[extension].append((at, what))
        if what == "wrap_up":
            found[extension].append((at + WRAP_UP, "ready"))
    return {extension: sorted(rows) for extension, rows in found.items()}


def delays(found: dict[str, Any], key: str, users: dict[str, int]) -> tuple[list[float], int]:
    """Milliseconds from each change to each leader who saw it, and how many nobody saw."""
    looked: dict[tuple[int, int], list[tuple[float, str]]] = defaultdict(list)
    for leader, at, person, state in found[key]:
        looked[leader, person].append((at, state))
    taken: list[float] = []
    lost = 0
    for extension, marks in _by_extension(found["marks"]).items():
        changes = [one for one in marks if not (one[1] == "ready" and _rang_before(marks, one[0]))]
        for place, (at, what) in enumerate(changes):
            after = changes[place + 1][0] if place + 1 < len(changes) else at + 30
            if after - at < OVERTAKEN:
                continue
            for leader in range(LEADERS):
                rows = looked[leader, users[extension]]
                start = bisect_right(rows, (at - 0.001, ""))
                shown = next((one for one, state in rows[start:] if state == what and one < after + 5), None)
                lost += shown is None
                taken += [] if shown is None else [(shown - at) * 1000]
    return taken, lost


def _rang_before(marks: Sequence[tuple[float, str]], at: float) -> bool:
    """Whether the work after a call was not what ended at `at`: another call had come."""
    return any(what == "ringing" and at - WRAP_UP < when <= at + 0.5 for when, what in marks)


def memory(series: list[float]) -> dict[str, float]:
    """The median of the second tenth and of the last one, and how much it grew between."""
    tenth = max(1, len(series) // 10)
    early, late = median(series[tenth : 2 * tenth] or series), median(series[-tenth:])
    return {"early_mb": early, "late_mb": late, "growth": late / early - 1 if early else 0.0}
