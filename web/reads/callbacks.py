"""What the call-back desk shows of a task: where its call is now, what each try came to, who may dial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.people.actor import Actor
from core.people.permissions import Permission
from routing.callback_desk import OBJECT
from telephony import dialling
from tickets import queries
from tickets.queries.callbacks import OVERDUE
from tickets.terms import AttemptResult, CallbackEnd, label
from web.reads.callback_time import tone, words
from web.reads.numbers import origin

AGE_WORDS = {
    OVERDUE: "已超时",
    "old": "4 小时以上",
    "hour": "1–4 小时",
    "half": "30–60 分",
    "fresh": "30 分内",
}
# What to do about a try that never reached for the citizen. It does not count as one of the tries.
SAID = {
    AttemptResult.AGENT_UNREACHABLE: "话机没有注册，没有拨打市民。请检查话机是否在线，再点“拨打”。",
    AttemptResult.AGENT_NO_ANSWER: "话机振铃没有接起，没有拨打市民。请再点“拨打”并接起话机。",
    AttemptResult.AGENT_BUSY: "话机正忙或拒接，没有拨打市民。请挂好话机后再点“拨打”。",
    AttemptResult.TRUNK_DOWN: "外线不通，没有拨到市民。请稍后再拨；多次如此请告知班长。",
    AttemptResult.CANCELLED: "市民接听前坐席先挂断，不计次数。",
    AttemptResult.NOT_DIALLED: "电话系统没有拨出，不计次数。请稍后再拨。",
    AttemptResult.REJECTED: "市民拒接。",
    AttemptResult.INVALID_NUMBER: "运营商提示号码无效，任务结束。",
    AttemptResult.BUSY: "市民电话占线。",
    AttemptResult.NO_ANSWER: "市民无人接听。",
}
_RINGING = {
    "waiting": "正在接通电话系统…",
    "taken": "正在接通电话系统…",
    "ringing": "请接起您的话机；接起后自动拨打市民。",
}
_IN_CALL = {"ringing": "话机振铃中，请接起。", "ivr": "正在拨打市民…", "talking": "通话中。"}


@dataclass(frozen=True)
class Line:
    """The call about a task that goes on now."""

    words: str
    talking: bool
    mine: bool


@dataclass(frozen=True)
class TryLine:
    """One try in words."""

    at: datetime
    actor: str
    result: str
    note: str
    tone: str


async def line_now(session: AsyncSession, actor: Actor, task_id: int, now: datetime) -> Line | None:
    """The call that is being made about a task; None when there is none."""
    found = await dialling.progress(session, OBJECT, task_id)
    if found is None or found.state not in _RINGING or found.call_state == "ended":
        return None
    if found.call_state is None:
        if now - found.ordered_at > dialling.SILENCE:
            return None
        text = _RINGING[found.state]
    else:
        talking = found.call_state == "talking" and found.answered
        text = "通话中。" if talking else _IN_CALL.get(found.call_state, _IN_CALL["ivr"])
        if found.call_state == "talking" and not found.answered:
            text = _IN_CALL["ivr"]
    return Line(text, found.answered, found.user_id == actor.user_id)


async def task_of(session: AsyncSession, actor: Actor, task_id: int, now: datetime) -> dict[str, Any]:
    """A task with everything its page shows. Raises `callback_not_found`."""
    found = await queries.callback_page(session, actor, task_id)
    item = found.task
    tries = [_try(each) for each in found.attempts]
    line = await line_now(session, actor, task_id, now) if item.closed_at is None else None
    return {
        "item": item,
        "origin": origin(item.caller),
        "words": words(item, now),
        "tone": tone(item, now),
        "closed_word": label(CallbackEnd, item.closed_as),
        "mine": item.claimed_by is not None and item.claimed_by == actor.user_id,
        "later": _later(item, now),
        "line": line,
        "tries": tries,
        "last": tries[-1] if tries else None,
        "revealed": None,
    }


def _later(item: queries.CallbackItem, now: datetime) -> str:
    """When it may be called again; empty: now."""
    if item.not_before is None or item.not_before <= now:
        return ""
    return to_city(item.not_before).strftime("%m-%d %H:%M")


def _try(each: queries.AttemptItem) -> TryLine:
    said = SAID.get(AttemptResult(each.result), "") if each.by_click else ""
    tone = "good" if each.result == AttemptResult.REACHED.value else "quiet"
    return TryLine(each.at, each.actor, label(AttemptResult, each.result), each.note or said, tone)


async def rows_of(
    session: AsyncSession, actor: Actor, now: datetime, *, closed: bool, age: str | None
) -> dict[str, Any]:
    """The list, and for the shift leader how old what is open is."""
    items = await queries.callback_list(session, actor, closed=closed, now=now, age=age)
    shown = [
        {"item": item, "words": words(item, now), "tone": tone(item, now), "later": _later(item, now)}
        for item in items
    ]
    ages = None
    if actor.may(Permission.FLOOR_READ) and not closed:
        ages = await queries.callback_ages(session, actor, now)
    return {"rows": shown, "ages": ages, "age": age, "age_words": AGE_WORDS}
