"""Reading for screens: what may be done in one's own call, whom it may go to, what a leader has to decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog.models import CallQueue
from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession
from telephony.controls import marks
from telephony.controls.models import AbuseReport, CallMark, CallOrder, NumberListing
from telephony.controls.terms import Standing
from telephony.floor.scope import on_floor_of
from telephony.models import OPEN_LEG, CallLeg, CallSession

_order, _mark = table_of(CallOrder), table_of(CallMark)
_report, _listing = table_of(AbuseReport), table_of(NumberListing)
_call, _leg = table_of(CallSession), table_of(CallLeg)
_user, _person, _queue = table_of(User), table_of(PersonalValue), table_of(CallQueue)
_agent, _interval = table_of(AgentSession), table_of(AgentInterval)
SHOWN_FOR = timedelta(seconds=30)  # so long the last order's end stands on the page


@dataclass(frozen=True)
class LastOrder:
    """What was ordered last, and what became of it."""

    id: int
    kind: str
    state: str
    why: str | None
    target: str | None


@dataclass(frozen=True)
class OwnCall:
    """The call this person talks in."""

    session_id: int
    direction: str
    masked: str | None
    has_number: bool
    recorded: bool
    standing: Standing
    abuse_open: bool
    lists: tuple[str, ...]  # proposed or in force for the number


async def own_call(session: AsyncSession, actor: Actor, now: datetime) -> OwnCall | None:
    """The call at this person's telephone; None when there is none that is answered."""
    if actor.extension is None:
        return None
    query = (
        sa.select(_call.c.id, _call.c.direction, _call.c.caller_ref, _call.c.recording, _person.c.masked)
        .select_from(
            _leg.join(_call, _call.c.id == _leg.c.session_id).outerjoin(
                _person, _person.c.id == _call.c.caller_ref
            )
        )
        .where(_leg.c.extension == actor.extension, OPEN_LEG, _leg.c.state == "talking")
        .where(_call.c.ended_at.is_(None))
        .order_by(_leg.c.answered_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    open_report = sa.exists().where(_report.c.session_id == row.id, _report.c.state == "open")
    return OwnCall(
        row.id,
        row.direction,
        row.masked,
        row.caller_ref is not None,
        row.recording is not None,
        await marks.standing(session, row.id),
        bool((await session.execute(sa.select(open_report))).scalar_one()),
        tuple(await lists_of(session, row.caller_ref, now)) if row.caller_ref else (),
    )


async def lists_of(session: AsyncSession, number_ref: int, now: datetime) -> list[str]:
    """`silent`, `harassment` for a number in force, with `?` behind for a proposal."""
    live = sa.or_(
        _listing.c.state == "proposed", sa.and_(_listing.c.state == "listed", _listing.c.expires_at > now)
    )
    query = sa.select(_listing.c.kind, _listing.c.state).where(_listing.c.number_ref == number_ref, live)
    rows = await session.execute(query.order_by(_listing.c.kind))
    return [row.kind + ("?" if row.state == "proposed" else "") for row in rows]


async def last_order(
    session: AsyncSession, actor: Actor, now: datetime, call: int | None = None
) -> LastOrder | None:
    """This person's last order, while it is open or has just ended; one of another `call` only if open."""
    recent = sa.or_(_order.c.ended_at.is_(None), _order.c.ended_at > now - SHOWN_FOR)
    query = sa.select(_order.c.id, _order.c.kind, _order.c.state, _order.c.why, _order.c.target)
    query = query.where(_order.c.user_id == actor.user_id, _order.c.ordered_at > now - timedelta(minutes=5))
    if call is not None:
        query = query.where(sa.or_(_order.c.session_id == call, _order.c.ended_at.is_(None)))
    latest = query.where(recent).order_by(_order.c.ordered_at.desc(), _order.c.id.desc()).limit(1)
    row = (await session.execute(latest)).first()
    return LastOrder(*row) if row is not None else None


async def one_order(session: AsyncSession, actor: Actor, order_id: int) -> LastOrder | None:
    """An order of one's own."""
    query = sa.select(_order.c.id, _order.c.kind, _order.c.state, _order.c.why, _order.c.target)
    row = (
        await session.execute(query.where(_order.c.id == order_id, _order.c.user_id == actor.user_id))
    ).first()
    return LastOrder(*row) if row is not None else None


@dataclass(frozen=True)
class Colleague:
    """Somebody who is signed in at a telephone."""

    name: str
    login: str
    extension: str
    state: str

    @property
    def free(self) -> bool:
        return self.state in ("ready", "not_ready", "wrap_up")


async def colleagues(session: AsyncSession, actor: Actor) -> list[Colleague]:
    """Everybody else who is signed in, free ones first."""
    query = (
        sa.select(_user.c.name, _user.c.login, _agent.c.extension, _interval.c.state)
        .select_from(
            _agent.join(_user, _user.c.id == _agent.c.user_id).join(
                _interval,
                sa.and_(_interval.c.agent_session_id == _agent.c.id, _interval.c.ended_at.is_(None)),
            )
        )
        .where(_agent.c.signed_out_at.is_(None), _agent.c.user_id != actor.user_id)
        .order_by(_agent.c.extension)
    )
    found = [Colleague(*row) for row in await session.execute(query)]
    return sorted(found, key=lambda one: not one.free)


async def queues(session: AsyncSession) -> list[tuple[str, str]]:
    """Name and label of the queues a call may be sent to."""
    query = sa.select(_queue.c.name, _queue.c.label).where(_queue.c.active, _queue.c.kind == "queue")
    rows = await session.execute(query.order_by(_queue.c.sort, _queue.c.id))
    return [(row.name, row.label) for row in rows]


@dataclass(frozen=True)
class MarkLine:
    """One mark of a call: when, what, by whom, and whom it concerned."""

    at: datetime
    kind: str
    by: str | None
    data: dict[str, Any]


async def marks_of(session: AsyncSession, session_id: int) -> list[MarkLine]:
    """What was done to a call, oldest first. Whoever asks has checked that the call may be seen."""
    query = (
        sa.select(_mark.c.at, _mark.c.kind, _user.c.name, _mark.c.data)
        .select_from(_mark.outerjoin(_user, _user.c.id == _mark.c.user_id))
        .where(_mark.c.session_id == session_id)
        .order_by(_mark.c.id)
    )
    return [MarkLine(*row) for row in await session.execute(query)]


@dataclass(frozen=True)
class Report:
    """An agent who asks for help against a caller."""

    id: int
    session_id: int
    extension: str
    name: str
    reason: str
    reported_at: datetime
    live: bool


async def open_reports(session: AsyncSession, leader: Actor) -> list[Report]:
    """Reports of this leader's floor nobody has decided on, oldest first; also of calls that are over."""
    query = (
        sa.select(
            _report.c.id, _report.c.session_id, _report.c.extension, _user.c.name, _report.c.reason,
            _report.c.reported_at, _call.c.ended_at.is_(None),
        )
        .select_from(
            _report.join(_user, _user.c.id == _report.c.user_id).join(
                _call, _call.c.id == _report.c.session_id
            )
        )
        .where(_report.c.state == "open", on_floor_of(leader))
        .order_by(_report.c.id)
    )  # fmt: skip
    return [Report(*row) for row in await session.execute(query)]


@dataclass(frozen=True)
class Listing:
    """A number on a list, or proposed for one, as everybody may see it."""

    id: int
    kind: str
    masked: str
    reason: str
    state: str
    session_id: int | None
    proposed_by: int
    name: str
    proposed_at: datetime
    expires_at: datetime | None
    version: int


async def listings(session: AsyncSession, now: datetime, *, state: str, limit: int = 200) -> list[Listing]:
    """Proposals, or the listings in force; newest first."""
    query = (
        sa.select(
            _listing.c.id, _listing.c.kind, _person.c.masked, _listing.c.reason, _listing.c.state,
            _listing.c.session_id, _listing.c.proposed_by, _user.c.name, _listing.c.proposed_at,
            _listing.c.expires_at, _listing.c.version,
        )
        .select_from(
            _listing.join(_person, _person.c.id == _listing.c.number_ref).join(
                _user, _user.c.id == _listing.c.proposed_by
            )
        )
        .where(_listing.c.state == state)
        .order_by(_listing.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if state == "listed":
        query = query.where(_listing.c.expires_at > now)
    return [Listing(*row) for row in await session.execute(query)]
