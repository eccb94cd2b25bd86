"""Drawn calls as reviewers, leaders and the agents themselves see them.

Whose cases a person sees is a condition of each query: who reads quality sees all but those of himself as
a reviewer would, an agent sees his own once they are scored, and never who scored them.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import Permission, Role, permissions_of
from core.privacy import PersonalValue
from core.tables import table_of
from sla.quality.models import (
    QualityAppeal,
    QualityCalibration,
    QualityCase,
    QualityDraw,
    QualityMember,
    QualityScore,
    QualityStep,
)
from sla.quality.sampling import RULE_WORDS, Rule
from telephony.models import CallLeg, CallSession
from tickets.models import Category, Ticket
from tickets.queries.veils import confidential

_case, _score, _step = table_of(QualityCase), table_of(QualityScore), table_of(QualityStep)
_appeal, _draw = table_of(QualityAppeal), table_of(QualityDraw)
_calibration, _member = table_of(QualityCalibration), table_of(QualityMember)
_call, _leg, _person = table_of(CallSession), table_of(CallLeg), table_of(PersonalValue)
_user, _role, _ticket, _category = table_of(User), table_of(UserRole), table_of(Ticket), table_of(Category)
STATE_WORDS = {"drawn": "待评分", "scored": "已评分", "appealed": "申诉中", "final": "已定案"}
STEP_WORDS = {
    "draw": "抽取",
    "score": "评分",
    "appeal": "提出申诉",
    "upheld": "维持原评分",
    "changed": "改评",
    "calibrate": "发起校准",
    "calibrated": "校准结束",
}
PAGE = 50


@dataclass(frozen=True)
class CaseItem:
    """A line of the list of drawn calls."""

    id: int
    monday: date
    call_id: int
    agent_id: int
    agent: str
    rule: str
    state: str
    version: int
    total: Decimal | None
    fatal: bool
    reviewer: str | None
    reviewer_id: int | None
    scored_at: datetime | None
    appeal_until: datetime | None
    started_at: datetime
    talk_seconds: float

    @property
    def rule_word(self) -> str:
        return RULE_WORDS[Rule(self.rule)]

    @property
    def state_word(self) -> str:
        return STATE_WORDS[self.state]


@dataclass(frozen=True)
class Filters:
    """What narrows the list; None narrows nothing."""

    monday: date | None = None
    state: str | None = None
    agent_id: int | None = None


def visible_cases(actor: Actor) -> sa.ColumnElement[bool]:
    """Readers of quality see every case but their own unscored; an agent his own that are scored."""
    scored_own = sa.and_(_case.c.user_id == actor.user_id, _case.c.state != "drawn")
    if actor.may(Permission.QUALITY_READ):
        return sa.or_(_case.c.user_id != actor.user_id, scored_own)
    if actor.may(Permission.SHIFT_OWN):
        return scored_own
    return sa.false()


def blinded(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on a case that this person is to score it blind, so that others' scores are kept back."""
    asked = sa.exists().where(
        _calibration.c.case_id == _case.c.id,
        _calibration.c.closed_at.is_(None),
        _member.c.calibration_id == _calibration.c.id,
        _member.c.user_id == actor.user_id,
    )
    return sa.and_(asked, _case.c.reviewer_id.is_distinct_from(actor.user_id))


def _cases(actor: Actor) -> sa.Select[Any]:
    agent, reviewer = _user.alias("agent"), _user.alias("reviewer")
    talk = (
        sa.select(sa.func.coalesce(sa.func.sum(_leg.c.talk_seconds), 0))
        .where(_leg.c.session_id == _case.c.call_session_id)
        .scalar_subquery()
    )
    plain = ("id", "monday", "rule", "state", "version", "reviewer_id", "scored_at", "appeal_until")
    blind = blinded(actor)
    return sa.select(
        *(_case.c[name] for name in plain),
        sa.case((blind, None), else_=_case.c.total).label("total"),
        sa.case((blind, False), else_=_case.c.fatal).label("fatal"),
        _case.c.call_session_id.label("call_id"),
        _case.c.user_id.label("agent_id"),
        agent.c.name.label("agent"),
        reviewer.c.name.label("reviewer"),
        _call.c.started_at,
        talk.label("talk_seconds"),
    ).select_from(
        _case.join(agent, agent.c.id == _case.c.user_id)
        .join(_call, _call.c.id == _case.c.call_session_id)
        .outerjoin(reviewer, reviewer.c.id == _case.c.reviewer_id)
    )


async def cases(
    session: AsyncSession, actor: Actor, filters: Filters, after: int = 0, limit: int = PAGE
) -> list[CaseItem]:
    """Lines from `after` on, newest week and what waits first; one more than a page when there are more."""
    query = _cases(actor).where(visible_cases(actor))
    if filters.monday is not None:
        query = query.where(_case.c.monday == filters.monday)
    if filters.state is not None:
        query = query.where(_case.c.state == filters.state)
    if filters.agent_id is not None:
        query = query.where(_case.c.user_id == filters.agent_id)
    order = sa.case((_case.c.state == "appealed", 0), (_case.c.state == "drawn", 1), else_=2)
    query = query.order_by(_case.c.monday.desc(), order, _case.c.user_id, _case.c.id)
    rows = await session.execute(query.offset(after).limit(limit + 1))
    return [CaseItem(**row._mapping) for row in rows]


async def own(session: AsyncSession, actor: Actor, limit: int = PAGE) -> list[CaseItem]:
    """An agent's own scored calls, newest first; who scored them is not told."""
    actor.require(Permission.SHIFT_OWN)
    query = _cases(actor).where(_case.c.user_id == actor.user_id, _case.c.state != "drawn")
    rows = await session.execute(query.order_by(_case.c.id.desc()).limit(limit))
    return [CaseItem(**{**row._mapping, "reviewer": None, "reviewer_id": None}) for row in rows]


@dataclass(frozen=True)
class ScoreItem:
    """A score with the version of its sheet."""

    kind: str
    reviewer_id: int
    reviewer: str
    sheet_id: int
    marks: dict[str, int | None]
    fatal: list[str]
    total: Decimal
    comment: str
    at: datetime


@dataclass(frozen=True)
class AppealItem:
    """An appeal and its decision."""

    reason: str
    asked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    outcome: str | None
    answer: str


@dataclass(frozen=True)
class CaseTicket:
    """What the scoring page shows of the ticket beside the call; nothing that names the citizen."""

    number: str
    type: str
    state: str
    category: str
    title: str
    narrative: str
    address: str


@dataclass(frozen=True)
class CasePage:
    """A drawn call with everything that was said of it."""

    item: CaseItem
    masked: str | None
    survey: str | None
    ticket: CaseTicket | None
    scores: tuple[ScoreItem, ...]
    appeal: AppealItem | None
    course: tuple[tuple[datetime, str, str], ...]
    calibration: int | None

    @property
    def in_force(self) -> ScoreItem | None:
        """The score that counts: the appeal's, else the first."""
        return self.scores[-1] if self.scores else None


async def case_page(session: AsyncSession, actor: Actor, case_id: int) -> CasePage:
    """One case a reader of quality may see. Raises `forbidden`, `quality_not_found`."""
    actor.require(Permission.QUALITY_READ)
    return await _page(session, actor, case_id, visible_cases(actor))


async def own_page(session: AsyncSession, actor: Actor, case_id: int) -> CasePage:
    """One's own scored call; who scored it and who decided is not told. Raises `quality_not_found`."""
    actor.require(Permission.SHIFT_OWN)
    mine = sa.and_(_case.c.user_id == actor.user_id, _case.c.state != "drawn")
    found = await _page(session, actor, case_id, mine)
    return replace(
        found,
        item=replace(found.item, reviewer=None, reviewer_id=None),
        scores=tuple(replace(one, reviewer_id=0, reviewer="质检员") for one in found.scores),
        appeal=replace(found.appeal, decided_by=None) if found.appeal else None,
        course=tuple((at, word, "") for at, word, _ in found.course),
    )


async def _page(session: AsyncSession, actor: Actor, case_id: int, whose: sa.ColumnElement[bool]) -> CasePage:
    row = (await session.execute(_cases(actor).where(_case.c.id == case_id, whose))).first()
    if row is None:
        raise HotlineError("quality_not_found", case_id=case_id)
    seen = (
        sa.select(_person.c.masked, _call.c.survey, _case.c.ticket_id, _calibration.c.id.label("calibration"))
        .select_from(
            _case.join(_call, _call.c.id == _case.c.call_session_id)
            .outerjoin(_person, _person.c.id == _call.c.caller_ref)
            .outerjoin(_calibration, _calibration.c.case_id == _case.c.id)
        )
        .where(_case.c.id == case_id)
    )
    more = (await session.execute(seen)).one()
    return CasePage(
        CaseItem(**row._mapping),
        more.masked,
        more.survey,
        await _ticket_of(session, more.ticket_id),
        tuple(await _scores(session, actor, case_id)),
        await _appeal_of(session, case_id),
        tuple(await _course(session, case_id)),
        more.calibration,
    )


async def _scores(session: AsyncSession, actor: Actor, case_id: int) -> list[ScoreItem]:
    """The first score and the appeal's; those of a calibration are told on its own page only."""
    plain = [name for name in ScoreItem.__dataclass_fields__ if name != "reviewer"]
    query = (
        sa.select(*(_score.c[name] for name in plain), _user.c.name.label("reviewer"))
        .join(_user, _user.c.id == _score.c.reviewer_id)
        .join(_case, _case.c.id == _score.c.case_id)
        .where(_score.c.case_id == case_id, _score.c.kind.in_(["review", "appeal"]), ~blinded(actor))
        .order_by(_score.c.id)
    )
    return [ScoreItem(**row._mapping) for row in await session.execute(query)]


async def _ticket_of(session: AsyncSession, ticket_id: int | None) -> CaseTicket | None:
    """The ticket's words; none when its reporter is sealed by now."""
    if ticket_id is None:
        return None
    names = ("number", "type", "state", "title", "narrative", "address")
    query = (
        sa.select(*(_ticket.c[name] for name in names), _category.c.full_name.label("category"))
        .join(_category, _category.c.id == _ticket.c.category_id)
        .where(_ticket.c.id == ticket_id, ~confidential())
    )
    row = (await session.execute(query)).first()
    return CaseTicket(**row._mapping) if row else None


async def _appeal_of(session: AsyncSession, case_id: int) -> AppealItem | None:
    names = ("reason", "asked_at", "decided_at", "outcome", "answer")
    query = (
        sa.select(*(_appeal.c[name] for name in names), _user.c.name.label("decided_by"))
        .select_from(_appeal.outerjoin(_user, _user.c.id == _appeal.c.decided_by))
        .where(_appeal.c.case_id == case_id)
    )
    row = (await session.execute(query)).first()
    return AppealItem(**row._mapping) if row else None


async def _course(session: AsyncSession, case_id: int) -> list[tuple[datetime, str, str]]:
    query = (
        sa.select(_step.c.at, _step.c.step, _user.c.name)
        .select_from(_step.outerjoin(_user, _user.c.id == _step.c.actor_id))
        .where(_step.c.case_id == case_id)
        .order_by(_step.c.id)
    )
    return [(row.at, STEP_WORDS[row.step], row.name or "系统") for row in await session.execute(query)]


@dataclass(frozen=True)
class DrawItem:
    """A week's draw, for who wants to do it again."""

    monday: date
    seed: int
    plan_id: int
    candidates: int
    drawn: int
    waiting: int
    drawn_at: datetime


async def draws(session: AsyncSession, actor: Actor, limit: int = 12) -> list[DrawItem]:
    """The last draws with how many of their calls wait to be scored."""
    actor.require(Permission.QUALITY_READ)
    waiting = (
        sa.select(sa.func.count())
        .select_from(_case)
        .where(_case.c.draw_id == _draw.c.id, _case.c.state == "drawn")
        .scalar_subquery()
    )
    names = ("monday", "seed", "plan_id", "candidates", "drawn", "drawn_at")
    query = sa.select(*(_draw.c[name] for name in names), waiting.label("waiting"))
    rows = await session.execute(query.order_by(_draw.c.monday.desc()).limit(limit))
    return [DrawItem(**row._mapping) for row in rows]


async def reviewers(session: AsyncSession) -> list[tuple[int, str]]:
    """Who may score, by name."""
    posts = [role.value for role in Role if Permission.QUALITY_REVIEW in permissions_of(frozenset({role}))]
    query = (
        sa.select(_user.c.id, _user.c.name)
        .where(_user.c.active, _user.c.id.in_(sa.select(_role.c.user_id).where(_role.c.role.in_(posts))))
        .order_by(_user.c.login)
    )
    return [(row.id, row.name) for row in await session.execute(query)]
