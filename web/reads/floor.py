"""The telephone floor at this moment, for the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from telephony.figures import floor_now

AGENT_WORDS = {
    "talking": "通话",
    "ringing": "振铃",
    "ready": "示闲",
    "wrap_up": "话后整理",
    "paused": "示忙",
    "unreachable": "话机不通",
    "out": "签出",
}


@dataclass(frozen=True)
class Floor:
    """Who waits, what today brought, how the agents stand. Percentages are None before the first call."""

    waiting: int
    longest: float | None  # seconds
    offered: int
    answered: int
    abandoned: int
    short: int
    answer_rate: float | None
    prompt_rate: float | None
    aht: float | None  # seconds
    occupancy: float | None
    agents: Mapping[str, int] | None  # None: no PBX tells of any
    connected: bool
    gap: bool  # calls of today may be missing


async def floor(session: AsyncSession, now: datetime) -> Floor:
    """The figures of `telephony.figures` in words of the page."""
    found = await floor_now(session, now)
    today, agents = found.today, found.agents
    return Floor(
        found.waiting,
        None if found.longest_since is None else found.longest_wait_seconds,
        today.offered,
        today.answered,
        today.abandoned,
        today.short_abandoned,
        _percent(today.answer_rate),
        _percent(today.prompt_rate),
        today.aht_seconds,
        _percent(today.occupancy),
        None if agents is None else {AGENT_WORDS[state]: n for state, n in agents.items() if n},
        found.connected,
        found.gap,
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
