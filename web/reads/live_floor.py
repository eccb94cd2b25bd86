"""What the live floor shows: each agent, caller and call as a piece, what stands out, today's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import queues
from core.people.actor import Actor
from core.settings import FloorSettings
from telephony.agents.choices import reason_words
from telephony.figures import FloorNow, floor_now
from telephony.floor import help as help_calls
from telephony.floor.attention import Concern, Limits, Stand, concerns, waits_long, worst_first
from telephony.floor.help import Help
from telephony.floor.languages import LANGUAGES, words_of
from telephony.floor.now import AgentNow, TalkNow, WaitingNow, agents_now, talking_now, waiting_now
from telephony.measures import FORMULAS
from web.floor_board import Board
from web.reads.agent_words import STATE_WORDS, tone_of
from web.reads.calls import DIRECTIONS, queue_words

SHOWN_STATES = ("ready", "ringing", "talking", "hold", "wrap_up", "not_ready", "call_back", "unreachable")
CONCERNS = {
    "wrap_up": "话后整理过长", "not_ready": "示忙过长", "talking": "通话过长", "hold": "保持过长",
    "unreachable": "话机不通", "missed": "连续漏接",
}  # fmt: skip
MOST_CONCERNS = 12
Render = Callable[..., str]


@dataclass(frozen=True)
class Words:
    """What codes are called today."""

    queues: Mapping[str, str]
    reasons: Mapping[str, str]

    def queue(self, name: str | None) -> str:
        """A queue in words; a site's own name stands for itself."""
        return self.queues.get(name or "", queue_words([name]) if name else "")


async def words(session: AsyncSession) -> Words:
    """Labels of queues and of the reasons for not being ready, closed ones too."""
    return Words(await queues.labels(session), await reason_words(session))


def limits_of(settings: FloorSettings) -> Limits:
    """The city's limits, in seconds."""
    return Limits(
        settings.wrap_up_seconds, 60 * settings.pause_minutes, 60 * settings.planned_pause_minutes,
        60 * settings.talk_minutes, settings.hold_seconds, settings.wait_seconds, settings.missed_rings,
    )  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """The floor as one who oversees it sees it at `at`."""

    at: datetime
    agents: list[AgentNow]
    waiting: list[WaitingNow]
    talking: list[TalkNow]
    helps: list[Help]
    figures: FloorNow
    words: Words


async def snapshot(session: AsyncSession, actor: Actor, now: datetime) -> Snapshot:
    """Everything the page shows, in a handful of short questions."""
    return Snapshot(
        now,
        await agents_now(session, actor),
        await waiting_now(session),
        await talking_now(session, actor),
        await help_calls.open_helps(session, replace(actor, user_id=None)),  # of the floor, not of one person
        await floor_now(session, now),
        await words(session),
    )


def fill(board: Board, seen: Snapshot, limits: Limits, render: Render) -> None:
    """Put a snapshot on the board."""
    _agents(board, seen, limits, render)
    _waiting(board, seen, limits, render)
    _talking(board, seen, render)
    _counts(board, seen, render)
    _concerns(board, seen, limits, render)
    _figures(board, seen.figures, render)
    helps = tuple(seen.helps)
    board.put("helps", helps, lambda: render("floor/_helps.html", helps=helps))


def _agents(board: Board, seen: Snapshot, limits: Limits, render: Render) -> None:
    helped = {one.user_id: one.answered_at is not None for one in seen.helps}
    for one in seen.agents:
        flagged = tuple(found.kind for found in concerns(_stand(one), limits, seen.at))
        source = (one, flagged, helped.get(one.user_id))
        row = {
            "one": one,
            "state": STATE_WORDS[one.state],
            "tone": tone_of(one.state),
            "flagged": flagged,
            "help": helped.get(one.user_id),
            "detail": detail_of(one, seen.words),
            "queues": "、".join(seen.words.queue(name) for name in one.queues),
            "languages": words_of(one.languages),
        }
        board.put(f"a{one.user_id}", source, partial(render, "floor/_agent.html", **row))
    board.order("agents", [f"a{one.user_id}" for one in seen.agents])


def detail_of(one: AgentNow, words: Words) -> str:
    """What goes with the state: the reason, or the caller and the queue."""
    if one.state == "not_ready":
        reason = words.reasons.get(one.reason or "", one.reason or "未填原因")
        return f"{reason} · {one.set_by} 设置" if one.set_by else reason
    if one.call_id is None:
        return ""
    return " · ".join(part for part in (one.caller or "未显示号码", words.queue(one.queue)) if part)


def _stand(one: AgentNow) -> Stand:
    return Stand(one.state, one.reason, one.since, one.missed)


def _waiting(board: Board, seen: Snapshot, limits: Limits, render: Render) -> None:
    for one in seen.waiting:
        late = waits_long(one.since, limits, seen.at)
        row = {
            "one": one,
            "late": late,
            "queue": seen.words.queue(one.queue),
            "language": LANGUAGES.get(one.language or "", ""),
        }
        board.put(f"w{one.id}", (one, late), partial(render, "floor/_waiting.html", **row))
    board.order("waiting", [f"w{one.id}" for one in seen.waiting])


def _talking(board: Board, seen: Snapshot, render: Render) -> None:
    for one in seen.talking:
        row = {
            "one": one,
            "queue": seen.words.queue(one.queue),
            "direction": DIRECTIONS.get(one.direction, one.direction),
            "language": LANGUAGES.get(one.language or "", ""),
        }
        board.put(f"c{one.id}", one, partial(render, "floor/_talk.html", **row))
    board.order("talking", [f"c{one.id}" for one in seen.talking])


def _counts(board: Board, seen: Snapshot, render: Render) -> None:
    count = Counter(one.state for one in seen.agents)
    states = tuple((state, STATE_WORDS[state], count[state]) for state in SHOWN_STATES)
    by_queue = Counter(one.queue for one in seen.waiting)
    names = sorted({*by_queue, *(name for one in seen.agents for name in one.queues)} - {""})
    lines = tuple((name, seen.words.queue(name), by_queue[name]) for name in names)
    total = len(seen.agents)
    board.put("states", (states, total), lambda: render("floor/_states.html", states=states, total=total))
    board.put("queues", lines, lambda: render("floor/_queues.html", lines=lines))
    talks = len(seen.talking)
    board.put("talks", talks, lambda: str(talks))
    waits = len(seen.waiting)
    board.put("waits", waits, lambda: str(waits))


def _concerns(board: Board, seen: Snapshot, limits: Limits, render: Render) -> None:
    by_id = {one.user_id: one for one in seen.agents}
    found: list[tuple[int, Concern]] = [
        (one.user_id, concern) for one in seen.agents for concern in concerns(_stand(one), limits, seen.at)
    ]
    worst = worst_first(found)
    lines = tuple(
        (by_id[user_id].name, by_id[user_id].extension, user_id, CONCERNS[one.kind], one.kind, one.since,
         by_id[user_id].missed)
        for user_id, one in worst[:MOST_CONCERNS]
    )  # fmt: skip
    more = max(len(worst) - MOST_CONCERNS, 0)
    board.put("concerns", (lines, more), lambda: render("floor/_concerns.html", lines=lines, more=more))


def _figures(board: Board, floor: FloorNow, render: Render) -> None:
    lines = figure_lines(floor)
    trouble = "" if floor.connected else "电话系统未连接"
    if floor.connected and floor.gap:
        trouble = "今日数据可能不全"
    source = (lines, floor.longest_since, trouble)
    board.put(
        "figures",
        source,
        lambda: render("floor/_figures.html", lines=lines, longest=floor.longest_since, trouble=trouble),
    )


@dataclass(frozen=True)
class Figure:
    """A figure of today, how it is computed, and the calls behind it."""

    name: str
    text: str
    formula: str
    href: str = ""


def figure_lines(floor: FloorNow) -> tuple[Figure, ...]:
    """Today's figures by the definitions of `telephony.measures`, the only ones."""
    today = floor.today
    behind = {"offered", "answered", "abandoned"}
    shown = (
        ("offered", str(today.offered)),
        ("answered", str(today.answered)),
        ("answer_rate", _percent(today.answer_rate)),
        ("prompt_rate", _percent(today.prompt_rate)),
        ("abandoned", str(today.abandoned)),
        ("abandon_rate", _percent(today.abandon_rate)),
        ("asa_seconds", _seconds(today.asa_seconds)),
        ("talk_seconds", _seconds(today.talk_seconds)),
        ("aht_seconds", _seconds(today.aht_seconds)),
        ("occupancy", _percent(today.occupancy)),
    )
    return tuple(
        Figure(*_named(code, text), f"/calls?counted={code}" if code in behind else "")
        for code, text in shown
    )


def _named(code: str, text: str) -> tuple[str, str, str]:
    name, formula = FORMULAS[code]
    return name, text, formula


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}%"


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}:{rest:02}"


def rows_of(board: Board, name: str) -> Sequence[Any]:
    """The pieces of a list, in their order, for the first rendering of the page."""
    return [board.html(key) for key in board.lists[name][0]]
