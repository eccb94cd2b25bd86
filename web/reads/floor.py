"""The telephone floor at this moment, for the dashboard."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

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
    agents: Mapping[str, int] | None  # None: no PBX tells of any
    connected: bool
    gap: bool  # calls of today may be missing


async def floor(session: AsyncSession, now: datetime) -> Floor | None:
    """The figures of `telephony.figures`; None where this node's telephony keeps none."""
    try:
        figures = importlib.import_module("telephony.figures")
    except ModuleNotFoundError:
        return None
    found: Any = await figures.floor_now(session, now)
    today, since = found.today, found.longest_since
    return Floor(
        found.waiting,
        (now - since).total_seconds() if since is not None else None,
        today.offered,
        today.answered,
        today.abandoned,
        today.short_abandoned,
        _percent(today.answer_rate),
        _percent(today.prompt_rate),
        None
        if found.agents is None
        else {AGENT_WORDS.get(state, state): n for state, n in found.agents.items() if n},
        bool(found.connected),
        bool(found.gap),
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
