"""What a shift leader should look at first: too long in a state, rings missed, callers who wait. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

PLANNED = frozenset({"meal", "training", "meeting", "coaching"})  # not ready by arrangement: may take longer


@dataclass(frozen=True)
class Limits:
    """From when on something stands out, in seconds; `missed` rings in a row."""

    wrap_up: float
    pause: float
    planned_pause: float
    talk: float
    hold: float
    wait: float
    missed: int


@dataclass(frozen=True)
class Stand:
    """How an agent stands: state and reason since `since`, rings missed in a row."""

    state: str
    reason: str | None
    since: datetime
    missed: int = 0


@dataclass(frozen=True)
class Concern:
    """Something that stands out; `over` how many times the limit has passed, to put the worst first."""

    kind: str
    since: datetime | None
    over: float


def concerns(stand: Stand, limits: Limits, now: datetime) -> list[Concern]:
    """What stands out about an agent, the worst first."""
    found: list[Concern] = []
    limit = _limit(stand, limits)
    spent = (now - stand.since).total_seconds()
    if limit is not None and spent >= limit:
        found.append(Concern(stand.state, stand.since, spent / limit))
    if stand.state == "unreachable":
        found.append(Concern("unreachable", stand.since, 3))
    if limits.missed and stand.missed >= limits.missed:
        found.append(Concern("missed", None, stand.missed / limits.missed))
    return sorted(found, key=lambda one: -one.over)


def waits_long(since: datetime, limits: Limits, now: datetime) -> bool:
    """Whether a caller has waited too long."""
    return (now - since).total_seconds() >= limits.wait


def worst_first(found: Sequence[tuple[int, Concern]]) -> list[tuple[int, Concern]]:
    """Concerns of many agents by how far they are over; equal ones by the id."""
    return sorted(found, key=lambda one: (-round(one[1].over, 1), one[0]))


def _limit(stand: Stand, limits: Limits) -> float | None:
    if stand.state == "not_ready":
        return limits.planned_pause if stand.reason in PLANNED else limits.pause
    return {"wrap_up": limits.wrap_up, "talking": limits.talk, "hold": limits.hold}.get(stand.state)
