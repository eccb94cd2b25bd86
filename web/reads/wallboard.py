"""What a wallboard shows: six panels of figures, without any person's name and any ticket's text.

The figures are those of the dashboard and of the lists, by the same definitions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.measures.definitions import MIN_N, PEERS
from sla.measures.periods import Period, days_back
from sla.measures.queries import UnitRow, by_unit, stage_ages, sums, waiting_since
from telephony.figures import FloorNow, floor_now
from tickets.queries.lists import COUNT_CAP
from tickets.queries.todo import todo_counts
from tickets.states import STAGE_LABELS, Stage

# Sees what is counted city-wide; it reads counts and nothing else.
VIEWER = replace(Actor.system("wallboard"), permissions=frozenset({Permission.TICKET_READ_ALL}))
AGENT_WORDS = (
    ("talking", "通话"),
    ("ringing", "振铃"),
    ("ready", "示闲"),
    ("wrap_up", "话后"),
    ("paused", "示忙"),
)
UNIT_DAYS = 30
MOST_UNITS = 5
LATE_SUMS = timedelta(minutes=2)  # after so long without folding, the panel says how far it is


async def wallboard(session: AsyncSession, now: datetime) -> dict[str, Any]:
    """All panels, as text and numbers for JSON."""
    today = to_city(now).date()
    floor = await floor_now(session, now)
    units = await by_unit(session, today, ["on_time_rate"], days_back(today, UNIT_DAYS))
    stages = await stage_ages(session, today)
    due = await todo_counts(session, VIEWER, now=now)
    behind = await waiting_since(session)
    return {
        "at": f"{to_city(now):%H:%M:%S}",
        "day": f"{today.month} 月 {today.day} 日",
        "behind": f"{to_city(behind):%H:%M}" if behind and now - behind > LATE_SUMS else "",
        "calls": _calls(floor),
        "rates": _rates(floor),
        "tickets": await _tickets(session, Period(today, today)),
        "stages": [
            {"word": STAGE_LABELS[Stage(stage)], "n": total}
            for stage, cells in stages.items()
            if (total := sum(cell.n for cell in cells))
        ],
        "due": {"overdue": _capped(due.overdue), "today": _capped(due.today), "warned": _capped(due.warned)},
        "units": [_peers(PEERS[kind], rows) for kind, rows in units.items() if rows],
    }


def _calls(floor: FloorNow) -> dict[str, Any]:
    agents = floor.agents or {}
    trouble = "" if floor.connected else "电话系统未连接，数字可能不全"
    if floor.connected and floor.gap:
        trouble = "通话记录有缺口，正在核对"
    return {
        "waiting": floor.waiting,
        "longest": int(floor.longest_wait_seconds),
        "agents": [{"word": word, "n": agents.get(state, 0)} for state, word in AGENT_WORDS]
        if agents
        else [],
        "trouble": trouble,
    }


def _rates(floor: FloorNow) -> dict[str, Any]:
    today = floor.today
    return {
        "answered": _percent(today.answer_rate),
        "prompt": _percent(today.prompt_rate),
        "offered": today.offered,
        "taken": today.answered,
        "abandoned": today.abandoned,
        "short": today.short_abandoned,
        "aht": _clock(today.aht_seconds),
        "occupancy": _percent(today.occupancy),
    }


async def _tickets(session: AsyncSession, day: Period) -> dict[str, int]:
    found = (await sums(session, "all", {"accepted", "direct", "passed"}, day)).get("", {})
    total = {
        code: sum(n for (name, _), n in found.items() if name == code)
        for code in ("accepted", "direct", "passed")
    }
    return {"in": total["accepted"], "direct": total["direct"], "out": total["passed"]}


def _peers(group: str, rows: list[UnitRow]) -> dict[str, Any]:
    """The units of one group that have enough to be compared; the others are counted, not named."""
    shown = [row for row in rows if row.shares["on_time_rate"].ranked]
    return {
        "group": group,
        "units": [
            {"name": row.name, "rate": _percent((share.percent or 0) / 100), "n": share.of}
            for row in shown[:MOST_UNITS]
            for share in (row.shares["on_time_rate"],)
        ],
        "unnamed": len(rows) - len(shown),
        "least": MIN_N,
    }


def _percent(share: float | None) -> str:
    if share is None:
        return "—"
    return "100" if share == 1 else f"{min(100 * share, 99.9):.1f}"  # nothing but all is shown as all


def _clock(seconds: float | None) -> str:
    return "—" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _capped(count: int) -> str:
    return str(count) if count < COUNT_CAP else f"{COUNT_CAP}+"
