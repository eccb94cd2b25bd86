"""What lies around a ticket: units, stages, applications, contacts, replies, call-backs, relatives.

Read for a ticket the person has been shown already (`queries.ticket_page` checks that); the
relatives are checked again, because they are other tickets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.people.actor import Actor
from core.people.models import Unit, User
from tickets.contacts import Tries, tries
from tickets.facts import counting_contacts
from tickets.flow import Revisit, TicketContact, TicketReply, TicketRequest, TicketStage, TicketUnit
from tickets.models import Ticket, table_of
from tickets.queries import TicketPage
from tickets.queries.veils import veil_over, veils
from tickets.terms import ContactMeans, ContactResult, label
from tickets.veil import Veil, covered_in
from tickets.visibility import visible_tickets
from tickets.workflow import RULES, STAGE_LABELS, Action, Stage

_ticket = table_of(Ticket)
_held = table_of(TicketUnit)
_stage = table_of(TicketStage)
_request = table_of(TicketRequest)
_contact = table_of(TicketContact)
_reply = table_of(TicketReply)
_revisit = table_of(Revisit)
_unit = table_of(Unit)
_user = table_of(User)
MOST_RELATIVES = 50
CONTACTING = RULES[Action.CONTACT].sources
REQUEST_WORDS = {
    "return": "退单",
    "extension": "延期",
    "suspension": "挂起",
    "exclusion": "剔除",
    "closing": "办结",
}
REQUEST_STATES = {"pending": "待审", "approved": "同意", "refused": "不同意", "withdrawn": "已失效"}
ROLE_WORDS = {"lead": "主办", "sub": "下级承办", "co": "协办"}


@dataclass(frozen=True)
class HeldBy:
    """A unit that works, or worked, on the ticket."""

    unit_id: int
    name: str
    role: str
    since: datetime
    until: datetime | None
    signed_at: datetime | None
    due_at: datetime | None
    asked: str
    answered_at: datetime | None
    opinion: str

    @property
    def role_word(self) -> str:
        return ROLE_WORDS[self.role]


@dataclass(frozen=True)
class StageRow:
    """A clock: a stretch of the process, as it was promised."""

    stage: str
    round: int
    unit: str | None
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    limit: str | None

    @property
    def word(self) -> str:
        return STAGE_LABELS[Stage(self.stage)] if self.stage in set(Stage) else self.stage


@dataclass(frozen=True)
class RequestRow:
    """An application and what became of it."""

    id: int
    kind: str
    state: str
    unit: str | None
    requested_by: str | None
    requested_at: datetime
    reason_code: str | None
    reason: str
    note: str
    basis: str
    suggested_unit_id: int | None
    suggested_unit: str | None
    days: int | None
    due_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str
    on_behalf: str | None

    @property
    def word(self) -> str:
        return REQUEST_WORDS[self.kind]

    @property
    def state_word(self) -> str:
        return REQUEST_STATES[self.state]


@dataclass(frozen=True)
class ContactRow:
    """One try to reach the citizen."""

    round: int
    at: datetime
    unit: str | None
    actor: str | None
    purpose: str
    means: str
    result: str
    note: str
    call_session_id: int | None
    counts: bool  # for the handling that runs

    @property
    def means_word(self) -> str:
        return label(ContactMeans, self.means)

    @property
    def result_word(self) -> str:
        return label(ContactResult, self.result)


@dataclass(frozen=True)
class ReplyRow:
    """What was done and what the citizen is told."""

    id: int
    round: int
    at: datetime
    unit: str | None
    actor: str | None
    handling: str
    public_reply: str
    solved: bool | None
    unsolved: str


@dataclass(frozen=True)
class RevisitRow:
    """A call-back."""

    round: int
    opened_at: datetime
    due_at: datetime | None
    mandatory: bool
    attempts: int
    closed_at: datetime | None
    closed_by: str | None
    result: str | None
    responded: bool | None
    solved: bool | None
    satisfied: int | None
    reason: str
    note: str


@dataclass(frozen=True)
class Relative:
    """Another ticket that has to do with this one."""

    id: int
    number: str
    title: str
    state: str
    how: str


@dataclass(frozen=True)
class Process:
    """All of it for one ticket."""

    units: tuple[HeldBy, ...]
    stages: tuple[StageRow, ...]
    requests: tuple[RequestRow, ...]
    contacts: tuple[ContactRow, ...]
    replies: tuple[ReplyRow, ...]
    revisits: tuple[RevisitRow, ...]
    relatives: tuple[Relative, ...]
    contact_done: bool
    tries: Tries  # of this round
    tries_again: bool  # not reached so far, and the unit is at it
    gap: timedelta

    @property
    def co_handlers(self) -> list[HeldBy]:
        """The co-handlers of now."""
        return [unit for unit in self.units if unit.role == "co" and unit.until is None]

    @property
    def present(self) -> list[HeldBy]:
        """Everybody who works on it now, the lead first."""
        rank = {"lead": 0, "sub": 1, "co": 2}
        return sorted((unit for unit in self.units if unit.until is None), key=lambda one: rank[one.role])

    @property
    def opinions(self) -> list[HeldBy]:
        """Opinions of co-handlers, past ones too."""
        return [unit for unit in self.units if unit.opinion]

    @property
    def reply(self) -> ReplyRow | None:
        """The latest reply."""
        return self.replies[-1] if self.replies else None

    def pending(self, kind: str) -> RequestRow | None:
        """The application of `kind` that waits for a decision."""
        return next((one for one in self.requests if (one.kind, one.state) == (kind, "pending")), None)


async def process_of(session: AsyncSession, actor: Actor, ticket: TicketPage, gap: timedelta) -> Process:
    """Everything around a ticket this person was shown; `gap` lies between tries that count."""
    veil = await veil_over(session, actor, ticket.id) if ticket.sealed else None
    contacts = await _all(session, _contacts(ticket.id, ticket.round), ContactRow, veil)
    mine = [one for one in contacts if one.counts]
    reached = any(one.result == ContactResult.REACHED.value for one in mine)
    tried = tries((one.at for one in mine), gap)
    return Process(
        units=await _all(session, _units(ticket.id), HeldBy, veil),
        stages=await _all(session, _stages(ticket.id), StageRow),
        requests=await _requests(session, ticket.id, veil),
        contacts=contacts,
        replies=await _replies(session, ticket.id, veil),
        revisits=await _revisits(session, ticket.id, veil),
        relatives=await _relatives(session, actor, ticket),
        contact_done=reached or tried.enough,
        tries=tried,
        tries_again=bool(tried.counted) and not (reached or tried.enough) and ticket.state in CONTACTING,
        gap=gap,
    )


# What people wrote, in whatever row it stands: a sealed reporter is taken out of it.
_WRITTEN = ("asked", "opinion", "note", "basis", "decision_note", "handling", "public_reply", "title")


def _seen(row: Any, veil: Veil | None) -> dict[str, Any]:
    values = dict(row._mapping)
    return covered_in(veil, values, [name for name in _WRITTEN if name in values])


async def _all(session: AsyncSession, query: sa.Select[Any], kind: Any, veil: Veil | None = None) -> Any:
    return tuple([kind(**_seen(row, veil)) for row in await session.execute(query)])


def _units(ticket_id: int) -> sa.Select[Any]:
    names = [name for name in HeldBy.__dataclass_fields__ if name != "name"]
    query = sa.select(*(_held.c[name] for name in names), _unit.c.name.label("name"))
    return (
        query.join(_unit, _unit.c.id == _held.c.unit_id)
        .where(_held.c.ticket_id == ticket_id)
        .order_by(_held.c.id)
    )


def _stages(ticket_id: int) -> sa.Select[Any]:
    names = [name for name in StageRow.__dataclass_fields__ if name != "unit"]
    query = sa.select(*(_stage.c[name] for name in names), _unit.c.short_name.label("unit"))
    query = query.outerjoin(_unit, _unit.c.id == _stage.c.unit_id)
    return query.where(_stage.c.ticket_id == ticket_id).order_by(_stage.c.id)


def _contacts(ticket_id: int, round_: int) -> sa.Select[Any]:
    made = ("unit", "actor", "counts")
    query = sa.select(
        *(_contact.c[name] for name in ContactRow.__dataclass_fields__ if name not in made),
        *(_unit.c.short_name.label("unit"), _user.c.name.label("actor")),
        counting_contacts(ticket_id, round_).label("counts"),
    )
    query = query.outerjoin(_unit, _unit.c.id == _contact.c.unit_id)
    query = query.outerjoin(_user, _user.c.id == _contact.c.actor_id)
    return query.where(_contact.c.ticket_id == ticket_id).order_by(_contact.c.id)


async def _requests(session: AsyncSession, ticket_id: int, veil: Veil | None) -> tuple[RequestRow, ...]:
    asked, suggested = _unit.alias("asked_unit"), _unit.alias("suggested")
    by, decided, behalf = _user.alias("asked_by"), _user.alias("decided"), _user.alias("behalf")
    made = ("unit", "requested_by", "reason", "suggested_unit", "decided_by", "on_behalf")
    names = [name for name in RequestRow.__dataclass_fields__ if name not in made]
    query = (
        sa.select(
            *(_request.c[name] for name in names),
            asked.c.short_name.label("unit"),
            suggested.c.name.label("suggested_unit"),
            by.c.name.label("requested_by"),
            decided.c.name.label("decided_by"),
            behalf.c.name.label("on_behalf"),
        )
        .outerjoin(asked, asked.c.id == _request.c.unit_id)
        .outerjoin(suggested, suggested.c.id == _request.c.suggested_unit_id)
        .outerjoin(by, by.c.id == _request.c.requested_by)
        .outerjoin(decided, decided.c.id == _request.c.decided_by)
        .outerjoin(behalf, behalf.c.id == _request.c.on_behalf_of)
        .where(_request.c.ticket_id == ticket_id)
        .order_by(_request.c.id)
    )
    found = []
    for row in (await session.execute(query)).all():
        reason = await _reason(session, row.kind, row.reason_code)
        found.append(RequestRow(**_seen(row, veil), reason=reason))
    return tuple(found)


async def _reason(session: AsyncSession, kind: str, code: str | None) -> str:
    return await reasons.label(session, kind, code) if code else ""


async def _replies(session: AsyncSession, ticket_id: int, veil: Veil | None) -> tuple[ReplyRow, ...]:
    names = ("id", "round", "at", "handling", "public_reply", "solved", "unsolved_code")
    query = (
        sa.select(
            *(_reply.c[name] for name in names), _unit.c.short_name.label("unit"), _user.c.name.label("actor")
        )
        .outerjoin(_unit, _unit.c.id == _reply.c.unit_id)
        .outerjoin(_user, _user.c.id == _reply.c.actor_id)
        .where(_reply.c.ticket_id == ticket_id)
        .order_by(_reply.c.id)
    )
    found = []
    for row in (await session.execute(query)).all():
        values = _seen(row, veil)
        code = values.pop("unsolved_code")
        found.append(ReplyRow(**values, unsolved=await _reason(session, "unsolved", code)))
    return tuple(found)


async def _revisits(session: AsyncSession, ticket_id: int, veil: Veil | None) -> tuple[RevisitRow, ...]:
    made = ("closed_by", "reason")
    names = [name for name in RevisitRow.__dataclass_fields__ if name not in made]
    query = (
        sa.select(*(_revisit.c[name] for name in (*names, "reason_code")), _user.c.name.label("closed_by"))
        .outerjoin(_user, _user.c.id == _revisit.c.closed_by)
        .where(_revisit.c.ticket_id == ticket_id)
        .order_by(_revisit.c.id)
    )
    found = []
    for row in (await session.execute(query)).all():
        values = _seen(row, veil)
        code = values.pop("reason_code")
        reason = await _reason(session, "dissatisfied", code)
        reason = await _reason(session, "redo", code) if reason == code else reason
        found.append(RevisitRow(**values, reason=reason))
    return tuple(found)


async def _relatives(session: AsyncSession, actor: Actor, ticket: TicketPage) -> tuple[Relative, ...]:
    """Its master, what was merged into it, what it appeals, what appeals it; only what may be seen."""
    parts: list[tuple[str, sa.ColumnElement[bool]]] = [
        ("并入的工单", _ticket.c.merged_into_id == ticket.id),
        ("对本件的申诉", _ticket.c.appeal_of_id == ticket.id),
    ]
    if ticket.merged_into_id is not None:
        parts.insert(0, ("主单", _ticket.c.id == ticket.merged_into_id))
    if ticket.appeal_of_id is not None:
        parts.insert(0, ("申诉所指的工单", _ticket.c.id == ticket.appeal_of_id))
    found: list[tuple[str, Any]] = []
    for how, which in parts:
        query = sa.select(_ticket.c.id, _ticket.c.number, _ticket.c.title, _ticket.c.state)
        query = query.where(which, visible_tickets(actor)).order_by(_ticket.c.id).limit(MOST_RELATIVES)
        found += [(how, row) for row in (await session.execute(query)).all()]
    veiled = await veils(session, actor, {row.id for _, row in found})
    return tuple(Relative(**_seen(row, veiled.get(row.id)), how=how) for how, row in found)


__all__: Sequence[str] = ("Process", "process_of")
