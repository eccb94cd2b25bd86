"""Calls as the seat, the call list and the call page show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import PersonalValue
from telephony.models import CallLeg, CallSession, PhoneEnquiry
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets

_call = table_of(CallSession)
_leg = table_of(CallLeg)
_enquiry = table_of(PhoneEnquiry)
_user = table_of(User)
_person = table_of(PersonalValue)
_ticket = table_of(Ticket)

OUTCOMES = {
    "answered": "已接听",
    "abandoned": "等待中挂断",
    "timeout": "排队超时",
    "withdrawn": "已移出队列",
    "empty": "无坐席在线",
    "exit_key": "按键离开",
    "ivr_ended": "未进队列",
    "agent_busy": "坐席忙",
    "agent_no_answer": "坐席未接",
    "citizen_busy": "对方占线",
    "citizen_no_answer": "对方未接",
    "citizen_rejected": "对方拒接",
    "number_invalid": "号码无效",
    "trunk_down": "外线不通",
    "cancelled": "坐席中途挂断",
    "ended_unknown": "结果不明",
    "in_progress": "进行中",
}
COUNTED = {
    "waiting": "排队中",
    "offered": "进线",
    "answered": "接通",
    "abandoned": "放弃",
    "short": "短时放弃",
}
_TONES = {"answered": "good", "abandoned": "warn", "timeout": "warn", "in_progress": "info", "empty": "bad"}
STATES = {"ivr": "语音导航", "waiting": "等待中", "ringing": "振铃中", "talking": "通话中", "ended": "已结束"}
DIRECTIONS = {"inbound": "呼入", "outbound": "呼出", "internal": "内部"}
ENDED_BY = {"citizen": "来电人挂断", "agent": "坐席挂断", "transfer": "转出", "system": "系统结束"}
TRANSFERS = {"blind": "盲转", "attended": "协商转接", "redirect": "改接", "conference": "三方通话"}
QUEUES = {"hotline": "综合", "expert": "专家"}  # the names of the configuration we ship
ANSWERS = {"wrong": "编号或查询码不符", "locked": "错误次数过多，已锁定"}
DEGREES = {"5": "非常满意", "4": "满意", "3": "基本满意", "2": "不满意", "1": "非常不满意"}
PAGE_ROWS = 50


def queue_words(names: list[str] | None) -> str:
    """The queues a call went through, in words; a site's own names stand for themselves."""
    return " → ".join(QUEUES.get(name, name) for name in names or [])


def survey_words(row: Any) -> str:
    """What the citizen said by keys after a call; empty when nothing was asked."""
    if row.survey_asked_at is None and row.survey is None:
        return ""
    words = [DEGREES.get(row.survey, row.survey)] if row.survey is not None else ["未作评价"]
    if row.survey_solved is not None:
        words.append("已解决或受理" if row.survey_solved else "未解决")
    return "，".join(words)


@dataclass(frozen=True)
class CallRow:
    """One line of the call list. Seconds are seconds; instants are UTC."""

    id: int
    started_at: datetime
    direction: str
    state: str
    outcome: str
    queues: list[str]
    wait_seconds: float | None
    talk_seconds: float
    masked: str | None
    agent: str | None

    @property
    def direction_label(self) -> str:
        return DIRECTIONS.get(self.direction, self.direction)

    @property
    def outcome_label(self) -> str:
        if self.outcome == "in_progress":
            return STATES.get(self.state, self.state)
        return OUTCOMES.get(self.outcome, self.outcome)

    @property
    def tone(self) -> str:
        return _TONES.get(self.outcome, "quiet")

    @property
    def queue(self) -> str:
        return queue_words(self.queues)


def visible_calls(actor: Actor) -> sa.ColumnElement[bool]:
    """The floor sees all calls, an agent those that rang at or were taken by him."""
    if actor.may(Permission.CALL_READ_ALL) or actor.may(Permission.FLOOR_READ):
        return sa.true()
    if actor.user_id is None:
        return sa.false()
    mine = sa.select(_leg.c.id).where(_leg.c.session_id == _call.c.id, _leg.c.user_id == actor.user_id)
    return mine.exists()


def between(since: datetime, until: datetime) -> sa.ColumnElement[bool]:
    """The calls that started in [since, until)."""
    return sa.and_(_call.c.started_at >= since, _call.c.started_at < until)


@dataclass(frozen=True)
class LegRow:
    """One agent's telephone in a call."""

    session_id: int
    user_name: str | None
    extension: str
    state: str
    ring_seconds: float
    talk_seconds: float
    hold_seconds: float
    ended_by: str | None
    rang_at: datetime | None
    answered_at: datetime | None

    @property
    def agent(self) -> str:
        return f"{self.user_name}({self.extension})" if self.user_name else self.extension

    @property
    def ended_label(self) -> str:
        return ENDED_BY.get(self.ended_by or "", "—")


async def legs_of(session: AsyncSession, ids: list[int]) -> dict[int, list[LegRow]]:
    """The agent legs of these calls, in the order they rang. The caller has checked visibility."""
    if not ids:
        return {}
    names = [name for name in LegRow.__dataclass_fields__ if name != "user_name"]
    query = (
        sa.select(_user.c.name.label("user_name"), *(_leg.c[name] for name in names))
        .select_from(_leg.outerjoin(_user, _user.c.id == _leg.c.user_id))
        .where(_leg.c.session_id.in_(ids))
        .order_by(_leg.c.session_id, sa.nulls_last(_leg.c.rang_at), _leg.c.id)
    )
    found: dict[int, list[LegRow]] = {}
    for row in await session.execute(query):
        found.setdefault(row.session_id, []).append(LegRow(**row._mapping))
    return found


def _rows() -> sa.Select[Any]:
    columns = (
        _call.c.id,
        _call.c.started_at,
        _call.c.direction,
        _call.c.state,
        sa.func.coalesce(_call.c.outcome, "in_progress").label("outcome"),
        _call.c.queues,
        _call.c.wait_seconds,
        _person.c.masked,
    )
    joined = _call.outerjoin(_person, _person.c.id == _call.c.caller_ref)
    return sa.select(*columns).select_from(joined)


async def _filled(session: AsyncSession, rows: list[Any]) -> list[CallRow]:
    legs = await legs_of(session, [row.id for row in rows])
    return [_call_row(row, legs.get(row.id, [])) for row in rows]


def _call_row(row: Any, legs: list[LegRow]) -> CallRow:
    talked = [leg for leg in legs if leg.answered_at is not None]
    return CallRow(
        **row._mapping,
        talk_seconds=sum(leg.talk_seconds for leg in talked),
        agent="、".join(leg.agent for leg in talked) or None,
    )


async def rows_of(session: AsyncSession, ids: list[int]) -> list[CallRow]:
    """These calls as lines, in no order. The caller has checked that they may be seen."""
    rows = await session.execute(_rows().where(_call.c.id.in_(ids))) if ids else ()
    return await _filled(session, list(rows))


async def call_list(
    session: AsyncSession,
    actor: Actor,
    *,
    since: datetime,
    until: datetime,
    outcome: str | None = None,
    counted: Sequence[sa.ColumnElement[bool]] | None = None,
    before: tuple[datetime, int] | None = None,
) -> tuple[list[CallRow], tuple[datetime, int] | None]:
    """Calls that started in [since, until), newest first, and the mark of the next page (None: last).

    `counted`: those behind a figure instead (`telephony.behind`), which belong to when they were queued.
    """
    days = (_call.c.started_at >= since, _call.c.started_at < until) if counted is None else counted
    query = _rows().where(visible_calls(actor), *days)
    if outcome is not None:
        query = query.where(sa.func.coalesce(_call.c.outcome, "in_progress") == outcome)
    if before is not None:
        query = query.where(sa.tuple_(_call.c.started_at, _call.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(_call.c.started_at.desc(), _call.c.id.desc()).limit(PAGE_ROWS + 1)
    rows = (await session.execute(query)).all()
    shown = list(rows[:PAGE_ROWS])
    more = (shown[-1].started_at, shown[-1].id) if len(rows) > PAGE_ROWS else None
    return await _filled(session, shown), more


async def call_count(session: AsyncSession, actor: Actor, counted: Sequence[sa.ColumnElement[bool]]) -> int:
    """How many calls are behind a figure."""
    query = sa.select(sa.func.count()).select_from(_call).where(visible_calls(actor), *counted)
    return int((await session.execute(query)).scalar_one())


async def visible_ids(session: AsyncSession, actor: Actor, ids: Sequence[int | None]) -> set[int]:
    """Which of these calls this person sees."""
    wanted = {ident for ident in ids if ident is not None}
    if not wanted:
        return set()
    query = sa.select(_call.c.id).where(_call.c.id.in_(wanted), visible_calls(actor))
    return set((await session.execute(query)).scalars())


async def person_name(session: AsyncSession, user_id: int) -> str:
    """Who a figure is of; raises HotlineError `not_found`."""
    name: str | None = await session.scalar(sa.select(_user.c.name).where(_user.c.id == user_id))
    if name is None:
        raise HotlineError("not_found")
    return name


@dataclass(frozen=True)
class TransferRow:
    """One transfer: from whom to whom, and how."""

    kind_label: str
    source: str
    target: str


@dataclass(frozen=True)
class Enquired:
    """One question by keys about a ticket; `ticket_id` None for one that was not found, or not to be seen."""

    at: datetime
    answer: str
    ticket_id: int | None
    number: str | None

    @property
    def words(self) -> str:
        return ANSWERS.get(self.answer, "工单进度")


@dataclass(frozen=True)
class CallDetail:
    """One call with its legs, transfers and what became of it."""

    row: CallRow
    legs: list[LegRow]
    transfers: list[TransferRow]
    answered_at: datetime | None
    ended_at: datetime | None
    recording: str | None
    message: bool  # it left one
    said: str  # by keys, in words
    asked: list[Enquired]
    ticket_id: int | None
    ticket_number: str | None


async def call_detail(session: AsyncSession, actor: Actor, call_id: int) -> CallDetail:
    """One call; raises HotlineError `not_found` for one this person may not see."""
    found = (await session.execute(_rows().where(_call.c.id == call_id, visible_calls(actor)))).first()
    if found is None:
        raise HotlineError("not_found")
    more = (await session.execute(sa.select(_call).where(_call.c.id == call_id))).one()
    legs = (await legs_of(session, [call_id])).get(call_id, [])
    query = sa.select(_ticket.c.id, _ticket.c.number)
    ticket = (
        await session.execute(
            query.where(_ticket.c.call_session_id == call_id, visible_tickets(actor)).limit(1)
        )
    ).first()
    return CallDetail(
        row=_call_row(found, legs),
        legs=legs,
        transfers=[_transfer(item) for item in more.transfers or []],
        answered_at=more.answered_at,
        ended_at=more.ended_at,
        recording=more.recording,
        message=more.voicemail is not None,
        said=survey_words(more),
        asked=await _enquiries(session, actor, more),
        ticket_id=ticket.id if ticket else None,
        ticket_number=ticket.number if ticket else None,
    )


async def _enquiries(session: AsyncSession, actor: Actor, call: Any) -> list[Enquired]:
    """What was asked by keys in this call, and of which ticket if this person may see it."""
    query = (
        sa.select(_enquiry.c.at, _enquiry.c.answer, _ticket.c.id, _ticket.c.number)
        .select_from(
            _enquiry.outerjoin(_ticket, sa.and_(_ticket.c.id == _enquiry.c.ticket_id, visible_tickets(actor)))
        )
        .where(_enquiry.c.pbx == call.pbx, _enquiry.c.session_key == call.session_key)
        .order_by(_enquiry.c.attempt)
    )
    return [Enquired(*row) for row in await session.execute(query)]


async def enquiries_about(session: AsyncSession, ticket_id: int) -> list[Enquired]:
    """When this ticket was asked about by keys, newest first. The caller has checked that it may be seen."""
    query = sa.select(_enquiry.c.at, _enquiry.c.answer).where(_enquiry.c.ticket_id == ticket_id)
    rows = await session.execute(query.order_by(_enquiry.c.id.desc()).limit(5))
    return [Enquired(row.at, row.answer, ticket_id, None) for row in rows]


def _transfer(item: dict[str, Any]) -> TransferRow:
    kind = str(item.get("kind", ""))
    return TransferRow(TRANSFERS.get(kind, kind), str(item.get("from") or "—"), str(item.get("to") or "—"))


async def calls_of(session: AsyncSession, caller_ref: int, limit: int = 5) -> list[CallRow]:
    """The last calls of a number, newest first, whoever took them: part of knowing a caller."""
    query = _rows().where(_call.c.caller_ref == caller_ref).order_by(_call.c.started_at.desc()).limit(limit)
    return await _filled(session, list((await session.execute(query)).all()))


async def calls_of_numbers(
    session: AsyncSession, refs: Sequence[int], before: tuple[datetime, int] | None = None, limit: int = 10
) -> tuple[list[CallRow], tuple[datetime, int] | None]:
    """A page of the calls of these numbers, newest first, and the mark of the next (None: last).

    Whoever took them: part of knowing a citizen. The caller has checked that records may be read.
    """
    query = _rows().where(_call.c.caller_ref.in_(refs))
    if before is not None:
        query = query.where(sa.tuple_(_call.c.started_at, _call.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(_call.c.started_at.desc(), _call.c.id.desc()).limit(limit + 1)
    rows = (await session.execute(query)).all() if refs else []
    shown = list(rows[:limit])
    more = (shown[-1].started_at, shown[-1].id) if len(rows) > limit else None
    return await _filled(session, shown), more


async def repeat_count(session: AsyncSession, caller_ref: int, now: datetime) -> int:
    """How often this number has called in the last 24 hours, the present call included."""
    query = sa.select(sa.func.count()).where(
        _call.c.caller_ref == caller_ref,
        _call.c.direction == "inbound",
        _call.c.started_at > now - timedelta(hours=24),
    )
    return int((await session.execute(query)).scalar_one())


@dataclass(frozen=True)
class CallState:
    """How a call stands and which queues it went through."""

    state: str
    queues: list[str]


async def states_of(session: AsyncSession, ids: list[int]) -> dict[int, CallState]:
    """The state of these calls, for drafts whose visibility was checked already."""
    if not ids:
        return {}
    query = sa.select(_call.c.id, _call.c.state, _call.c.queues).where(_call.c.id.in_(ids))
    return {row.id: CallState(row.state, row.queues) for row in await session.execute(query)}
