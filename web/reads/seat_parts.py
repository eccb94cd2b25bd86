"""What the pieces of a seat show: the banner, the telephone, my day, my drafts. Read from the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chats import queries as chats
from core.people.actor import Actor
from tickets import queries
from web.reads import citizens
from web.reads.calls import CallState, repeat_count, states_of
from web.reads.numbers import origin
from web.reads.seat import QueueNow, SeatCall


@dataclass(frozen=True)
class Tab:
    """One open draft in the tab bar."""

    id: int
    label: str
    live: bool
    hotkey: bool
    written: bool = False  # live in writing, not on the telephone

    @property
    def kind(self) -> str:
        if not self.live:
            return "草稿"
        return "对话中" if self.written else "通话中"


def draft_label(item: queries.DraftItem) -> str:
    """What stands on the tab of a draft."""
    unnamed = "未显示号码" if item.call_session_id else "文字来访" if item.chat_session_id else "新建"
    return item.caller or unnamed


async def tabs_of(session: AsyncSession, items: list[queries.DraftItem]) -> list[Tab]:
    """Open drafts as tabs. F2 goes to the one whose call goes on, else to the last one opened."""
    calls = await states_of(session, [item.call_session_id for item in items if item.call_session_id])
    writing = await chats.state_of(session, [item.chat_session_id for item in items if item.chat_session_id])
    live = [
        item.id
        for item in items
        if _is_live(item, calls) or writing.get(item.chat_session_id or 0) == "active"
    ]
    target = live[0] if live else (items[-1].id if items else None)
    return [
        Tab(item.id, draft_label(item), item.id in live, item.id == target, item.chat_session_id is not None)
        for item in items
    ]


def _is_live(item: queries.DraftItem, calls: dict[int, CallState]) -> bool:
    call = calls.get(item.call_session_id or 0)
    return call is not None and call.state != "ended"


async def ringing(
    session: AsyncSession, person: Actor, calls: list[SeatCall], now: datetime
) -> list[dict[str, Any]]:
    """The calls of the banner: those among `calls` that ring."""
    found = []
    for call in calls:
        if call.leg_state != "ringing":
            continue
        opened = []
        if call.caller_ref is not None:
            opened = await citizens.open_tickets(session, person, call.caller_ref)
        found.append(
            {
                "session_id": call.session_id,
                "masked": call.masked,
                "origin": origin(call.masked),
                "queue": call.queue,
                "repeat": await repeat_count(session, call.caller_ref, now) if call.caller_ref else 0,
                "open_count": len(opened),
                "open_title": opened[0].title if opened else "",
                "since": call.since.isoformat(),
                "now": now.isoformat(),
            }
        )
    return found


def phone(calls: list[SeatCall], queue: QueueNow, now: datetime) -> dict[str, Any]:
    """The queue and the telephone now."""
    return {
        **_standing(calls),
        "now": now.isoformat(),
        "waiting": queue.waiting,
        "longest_since": queue.longest_since.isoformat() if queue.longest_since else None,
    }


def _standing(calls: list[SeatCall]) -> dict[str, Any]:
    if not calls:
        return {"state": "idle", "word": "无通话", "since": None, "peer": ""}
    call = calls[0]
    word = "通话中" if call.leg_state == "talking" else "振铃中"
    peer = call.masked or "未显示号码"
    return {"state": call.leg_state, "word": word, "since": call.since.isoformat(), "peer": peer}
