"""Draws a week's calls by the plan in force, once: sheets and plans are written here too, by version."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import CITY_ZONE
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from sla.quality import sampling, sheet
from sla.quality.models import QualityCase, QualityDraw, QualityPlan, QualitySheet, QualityStep
from sla.quality.sampling import Candidate, Drawn, Rule
from sla.quality.sheet import Item, Sheet
from telephony.models import CallLeg, CallSession
from tickets.flow import Revisit
from tickets.models import Ticket
from tickets.queries.veils import confidential
from tickets.terms import TicketType

_sheet, _plan, _draw = table_of(QualitySheet), table_of(QualityPlan), table_of(QualityDraw)
_case, _step = table_of(QualityCase), table_of(QualityStep)
_call, _leg, _user = table_of(CallSession), table_of(CallLeg), table_of(User)
_ticket, _revisit = table_of(Ticket), table_of(Revisit)
LOW_KEYS = ("1", "2")  # of the five keys of the survey
LEAST_TALK = 20  # seconds: less is no conversation to be judged
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class DrawRules:
    """What counts as new staff (days) and as a long call (minutes)."""

    new_days: int = 90
    long_minutes: int = 6


# ---- sheets and plans -----------------------------------------------------------------------


async def sheet_in_force(session: AsyncSession) -> tuple[int, Sheet]:
    """The newest sheet and its version."""
    query = sa.select(_sheet.c.id, _sheet.c["items"]).order_by(_sheet.c.id.desc()).limit(1)
    row = (await session.execute(query)).one()
    return row.id, sheet.sheet_of(row[1])


async def sheet_by_id(session: AsyncSession, ident: int) -> Sheet:
    """A version of the sheet."""
    query = sa.select(_sheet.c["items"]).where(_sheet.c.id == ident)
    return sheet.sheet_of((await session.execute(query)).scalar_one())


async def plan_in_force(session: AsyncSession) -> tuple[int, dict[Rule, int]]:
    """The newest plan and its version."""
    query = sa.select(_plan.c.id, _plan.c.rules).order_by(_plan.c.id.desc()).limit(1)
    row = (await session.execute(query)).one()
    return row.id, sampling.checked(row.rules)


async def save_sheet(uow: UnitOfWork, actor: Actor, seen: int, items: Sequence[Item], note: str = "") -> int:
    """Put a new version into force; what was scored stays scored by the version it was.

    Raises `forbidden`, `version_conflict` (`seen` is not the newest any more), `quality_sheet`.
    """
    actor.require(Permission.QUALITY_MANAGE)
    checked = sheet.checked(items)
    await _newest(uow, _sheet, seen)
    values = {
        "items": [item.as_json() for item in checked.items], "note": note[:200],
        "made_at": uow.now, "made_by": actor.user_id,
    }  # fmt: skip
    return await _version(uow, actor, _sheet, values)


async def save_plan(uow: UnitOfWork, actor: Actor, seen: int, rules: Mapping[str, int]) -> int:
    """Put a new plan into force for the weeks not drawn yet. Raises as `save_sheet`, `quality_plan`."""
    actor.require(Permission.QUALITY_MANAGE)
    checked = sampling.checked(rules)
    await _newest(uow, _plan, seen)
    kept = {rule.value: number for rule, number in checked.items()}
    return await _version(uow, actor, _plan, {"rules": kept, "made_at": uow.now, "made_by": actor.user_id})


async def _newest(uow: UnitOfWork, table: sa.Table, seen: int) -> None:
    """One writer at a time, who has seen the newest."""
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtext(table.name))
    await uow.session.execute(sa.select(lock))
    now = (await uow.session.execute(sa.select(sa.func.max(table.c.id)))).scalar_one()
    if now != seen:
        raise HotlineError("version_conflict", object_type=table.name, version=now)


async def _version(uow: UnitOfWork, actor: Actor, table: sa.Table, values: dict[str, Any]) -> int:
    made = await uow.session.execute(sa.insert(table).values(**values).returning(table.c.id))
    ident = int(made.scalar_one())
    await audit.record(
        uow,
        actor=actor,
        action=f"{table.name.replace('_', '.')}.save",
        object_type=table.name,
        object_id=ident,
    )
    return ident


# ---- the draw -------------------------------------------------------------------------------


async def draw_week(
    uow: UnitOfWork, actor: Actor, monday: date, rules: DrawRules, seed: int | None = None
) -> int:
    """Draw the calls of a week that is over; returns how many.

    A week is drawn once: the second who asks gets `quality_drawn`. Raises also `forbidden`,
    `quality_week` (no Monday, or not over), `quality_no_calls` (nothing is kept then).
    """
    actor.require(Permission.QUALITY_MANAGE)
    end = _instant(monday + timedelta(days=7))
    if monday.weekday() != 0 or end > uow.now:
        raise HotlineError("quality_week")
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtext("quality_draw"))
    await uow.session.execute(sa.select(lock))  # who draws at the same time waits, and finds it drawn
    there = sa.select(_draw.c.id).where(_draw.c.monday == monday)
    if (await uow.session.execute(there)).first() is not None:
        raise HotlineError("quality_drawn")
    plan_id, plan = await plan_in_force(uow.session)
    number = secrets.randbelow(MOST_SEED) if seed is None else seed
    found = await candidates(uow.session, monday, rules)
    drawn = sampling.draw(found, plan, number)
    if not drawn:
        raise HotlineError("quality_no_calls")
    values = {
        "monday": monday, "plan_id": plan_id, "seed": number, "candidates": len(found), "drawn": len(drawn),
        "drawn_at": uow.now, "drawn_by": actor.user_id,
    }  # fmt: skip
    made = await uow.session.execute(sa.insert(_draw).values(**values).returning(_draw.c.id))
    ident = int(made.scalar_one())
    await _keep(uow, actor, ident, monday, drawn)
    told = {"monday": monday.isoformat(), "seed": number, "candidates": len(found), "drawn": len(drawn)}
    await audit.record(
        uow, actor=actor, action="quality.draw", object_type="quality_draw", object_id=ident, detail=told
    )
    return len(drawn)


async def _keep(uow: UnitOfWork, actor: Actor, ident: int, monday: date, drawn: Sequence[Drawn]) -> None:
    tickets = await _tickets(uow.session, [one.call_id for one in drawn])
    rows = [
        {
            "draw_id": ident, "monday": monday, "call_session_id": one.call_id, "user_id": one.agent_id,
            "ticket_id": tickets.get(one.call_id), "rule": one.rule.value, "state": "drawn", "version": 1,
            "fatal": False,
        }
        for one in drawn
    ]  # fmt: skip
    made = await uow.session.execute(sa.insert(_case).returning(_case.c.id, _case.c.rule), rows)
    steps = [
        {"case_id": row.id, "at": uow.now, "step": "draw", "actor_id": actor.user_id, "note": row.rule}
        for row in made
    ]
    await uow.session.execute(sa.insert(_step), steps)


async def _tickets(session: AsyncSession, calls: Sequence[int]) -> dict[int, int]:
    """By call, the first ticket that was made of it."""
    query = sa.select(_ticket.c.call_session_id, sa.func.min(_ticket.c.id)).where(
        _ticket.c.call_session_id.in_(calls)
    )
    return {row[0]: row[1] for row in await session.execute(query.group_by(_ticket.c.call_session_id))}


async def candidates(session: AsyncSession, monday: date, rules: DrawRules) -> list[Candidate]:
    """The answered and recorded calls of a week that nobody drew yet, by who talked in them longest.

    Calls about a sealed matter are never among them.
    """
    end = _instant(monday + timedelta(days=7))
    talked = _talked(_instant(monday), end)
    unhappy = sa.exists().where(
        _revisit.c.ticket_id == _ticket.c.id,
        sa.or_(_revisit.c.satisfied < 3, _revisit.c.solved.is_(False)),
    )
    of_call = _ticket.c.call_session_id == talked.c.session_id
    query = (
        sa.select(
            talked.c.session_id,
            talked.c.user_id,
            sa.or_(
                sa.func.coalesce(_call.c.survey.in_(LOW_KEYS), False), sa.exists().where(of_call, unhappy)
            ).label("low"),
            sa.exists().where(of_call, _ticket.c.type == TicketType.COMPLAINT.value).label("complaint"),
            (talked.c.talk_seconds > rules.long_minutes * 60).label("long"),
            (_user.c.created_at > end - timedelta(days=rules.new_days)).label("new_staff"),
        )
        .select_from(
            talked.join(_call, _call.c.id == talked.c.session_id).join(_user, _user.c.id == talked.c.user_id)
        )
        .where(_user.c.active)
    )
    return [Candidate(*row) for row in await session.execute(query)]


def _talked(begin: datetime, end: datetime) -> sa.Subquery:
    """Of each call that may be drawn, the longest leg."""
    sealed = sa.exists().where(_ticket.c.call_session_id == _call.c.id, confidential())
    drawn = sa.exists().where(_case.c.call_session_id == _call.c.id)
    return (
        sa.select(_leg.c.session_id, _leg.c.user_id, _leg.c.talk_seconds)
        .distinct(_leg.c.session_id)
        .join(_call, _call.c.id == _leg.c.session_id)
        .where(
            _call.c.started_at >= begin, _call.c.started_at < end, _call.c.direction == "inbound",
            _call.c.outcome == "answered", _call.c.state == "ended", _call.c.recording.is_not(None),
            _leg.c.user_id.is_not(None), _leg.c.talk_seconds >= LEAST_TALK, ~sealed, ~drawn,
        )
        .order_by(_leg.c.session_id, _leg.c.talk_seconds.desc(), _leg.c.id)
        .subquery("talked")
    )  # fmt: skip


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)
