"""What the seat's buttons show: what is possible now, what is not and why, what became of the last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import new_token
from core.people.actor import Actor
from core.pinyin import initials
from telephony.controls import queries
from telephony.controls.abuse import REASONS
from telephony.controls.terms import EMERGENCIES, SPYING, Act, Standing, why_not
from web.reads.agent_words import COLLEAGUE_WORDS
from web.sentences import PROBLEMS

ACT_WORDS: Mapping[str, str] = {
    "hold": "保持", "resume": "恢复通话", "transfer": "转接", "consult": "咨询", "complete": "转交第三方",
    "back": "结束咨询", "conference": "三方通话", "emergency": "转紧急", "mute": "录音静音",
    "unmute": "恢复录音", "listen": "监听", "whisper": "耳语", "barge": "插话", "take-over": "接管",
    "end": "结束通话",
}  # fmt: skip
MARK_WORDS: Mapping[str, str] = {
    "hold": "保持", "resume": "恢复通话", "transfer": "转接", "called": "呼叫第三方", "joined": "第三方接听",
    "left": "第三方离开", "no_answer": "第三方未接", "conference": "三方通话", "emergency": "转紧急",
    "mute": "录音静音", "unmute": "恢复录音", "abuse": "标记辱骂骚扰", "returned": "转接退回",
    "refused": "按名单拒接", "take-over": "班长接管", "ended": "班长结束通话",
}  # fmt: skip
PASSED = frozenset({"emergency", "transfer", "conference", "take-over"})
KIND_WORDS: Mapping[str, str] = {"silent": "无声电话", "harassment": "骚扰电话"}
DOING: Mapping[str, str] = {
    "waiting": "正在处理",
    "taken": "正在处理",
    "ringing": "正在呼叫",
    "done": "已完成",
}
SIMPLE: tuple[tuple[Act, str], ...] = (
    (Act.HOLD, "Alt+B"), (Act.RESUME, "Alt+B"), (Act.MUTE, ""), (Act.UNMUTE, ""), (Act.CONFERENCE, ""),
    (Act.COMPLETE, ""), (Act.BACK, ""),
)  # fmt: skip


@dataclass(frozen=True)
class Button:
    """One act: `why` is empty when it is possible now."""

    act: str
    word: str
    why: str
    key: str = ""


@dataclass(frozen=True)
class Said:
    """The last order in words."""

    id: int
    text: str
    tone: str
    open: bool


def said(order: queries.LastOrder | None) -> Said | None:
    """What became of an order."""
    if order is None:
        return None
    word = ACT_WORDS.get(order.kind, order.kind) + (f" {order.target}" if order.target else "")
    if order.state in DOING:
        over = order.state == "done"
        doing = "已接入，挂机结束" if over and order.kind in SPYING else DOING[order.state]
        return Said(order.id, f"{word}：{doing}", "good" if over else "info", not over)
    problem = PROBLEMS.get(order.why or "")
    text = f"{problem.title}。{problem.sentence}" if problem else "没有做成。"
    return Said(order.id, f"{word}：{text}", "warn", open=False)


async def seat_controls(session: AsyncSession, actor: Actor, now: datetime) -> dict[str, Any]:
    """Everything the fragment shows."""
    call = await queries.own_call(session, actor, now)
    last = said(await queries.last_order(session, actor, now, call.session_id if call else None))
    if call is None:
        return {"call": None, "said": last}
    return {
        "call": call,
        "said": last,
        "token": new_token(9),
        "buttons": buttons(call.standing, recorded=call.recorded),
        "openers": {act.value: _why(act, call.standing) for act in (Act.TRANSFER, Act.EMERGENCY)},
        "parties": [_party(party) for party in call.standing.parties],
        "reasons": REASONS,
        "kinds": KIND_WORDS,
        "lists": [_list_word(name) for name in call.lists],
    }


def buttons(standing: Standing, *, recorded: bool) -> list[Button]:
    """Of a pair such as hold and resume the one that would change something."""
    hidden = {Act.RESUME if not standing.held else Act.HOLD, Act.UNMUTE if not standing.muted else Act.MUTE}
    if not standing.parties:
        hidden |= {Act.CONFERENCE, Act.COMPLETE, Act.BACK}
    found = []
    for act, key in SIMPLE:
        if act in hidden:
            continue
        why = _why(act, standing)
        if act is Act.MUTE and not recorded:
            why = PROBLEMS["not_recorded"].sentence
        found.append(Button(act.value, ACT_WORDS[act.value], why, key))
    return found


def _list_word(name: str) -> str:
    return KIND_WORDS[name.rstrip("?")] + ("（待批）" if name.endswith("?") else "")


def _why(act: Act, standing: Standing) -> str:
    code = why_not(act, standing)
    return PROBLEMS[code].sentence if code else ""


def _party(party: Any) -> str:
    name = EMERGENCIES.get(party.target)
    return f"{party.target}{f'（{name}）' if name else ''} {'在线' if party.there else '呼叫中'}"


@dataclass(frozen=True)
class Line:
    """One thing that was done to a call, in words."""

    at: datetime
    word: str
    by: str
    about: str


async def mark_lines(
    session: AsyncSession, session_id: int, *, only: Collection[str] | None = None
) -> list[Line]:
    """What was done to a call, for those who may see it; that somebody listened in is not among it."""
    found = await queries.marks_of(session, session_id)
    return [
        Line(mark.at, MARK_WORDS.get(mark.kind, mark.kind), mark.by or "", _about(mark.data))
        for mark in found
        if only is None or mark.kind in only
    ]


def _about(data: Mapping[str, Any]) -> str:
    target = str(data.get("target") or data.get("extension") or "")
    name = EMERGENCIES.get(target)
    reason = REASONS.get(str(data.get("reason", "")), "")
    return (f"{target}（{name}）" if name else target) or reason


@dataclass(frozen=True)
class Choice:
    """One line of the transfer dialog; `find` is what typing is compared with."""

    value: str
    name: str
    hint: str
    find: str
    free: bool = True


async def targets(session: AsyncSession, actor: Actor) -> list[Choice]:
    """Queues first, then colleagues: free ones before the others."""
    found = [
        Choice(f"queue:{name}", label, "队列，只能转接", f"{label} {initials(label)} {name}".lower())
        for name, label in await queries.queues(session)
    ]
    for one in await queries.colleagues(session, actor):
        find = f"{one.name} {initials(one.name)} {one.login} {one.extension}".lower()
        hint = f"分机 {one.extension} · {COLLEAGUE_WORDS.get(one.state, one.state)}"
        found.append(Choice(f"colleague:{one.extension}", one.name, hint, find, one.free))
    return found
