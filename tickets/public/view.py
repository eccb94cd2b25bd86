"""A ticket in the citizen's words: how it stands, until when an answer is promised, what happened.

Never in it: personal data, notes of the hotline and of units, names of officers. Who asks has proved
number and code; `public_view` itself asks for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import redact
from core.clock import to_city
from core.errors import HotlineError
from core.people.models import Unit
from tickets.flow import TicketReply
from tickets.models import Category, Ticket, TicketHistory, table_of
from tickets.public.terms import REPLIED, STATE_WORDS, STEP_WORDS, Act, acts_in
from tickets.states import Action, State

_ticket, _history, _unit = table_of(Ticket), table_of(TicketHistory), table_of(Unit)
_reply, _category = table_of(TicketReply), table_of(Category)
A = Action
# The citizen wrote these, or they are written to him.
_OWN = frozenset({A.ADD, A.SUPPLEMENT, A.URGE, A.WITHDRAW, A.APPEAL})


@dataclass(frozen=True)
class PublicStep:
    """One line of the timeline. `text`: what the citizen said himself, or was asked."""

    at: datetime
    action: str
    words: str
    text: str = ""


@dataclass(frozen=True)
class PublicView:
    """What a citizen sees of his ticket. Times in UTC; `promised` is None before a unit has it."""

    ticket_id: int
    number: str
    title: str
    type: str
    category: str
    state: str
    words: str
    is_open: bool
    created_at: datetime
    updated_at: datetime
    promised: datetime | None
    unit: str
    steps: tuple[PublicStep, ...]
    reply: str
    replied_at: datetime | None
    asked: str
    acts: frozenset[Act]
    rated: bool

    @property
    def headline(self) -> str:
        """The first line: how it stands, and until when an answer is promised."""
        if self.is_open and self.promised is not None and self.state not in REPLIED:
            here = to_city(self.promised)
            return f"{self.words}，承诺 {here.month}月{here.day}日 {here:%H:%M} 前答复"
        return self.words


_NAMES = ("id", "number", "title", "type", "state", "created_at", "updated_at", "due_at", "reply_id")
_MORE = ("merged_into_id", "responded", "lead_unit_id")


async def public_view(session: AsyncSession, ticket_id: int) -> PublicView:
    """The ticket for its citizen; of a merged one date, unit and reply are its master's.

    Raises `ticket_not_found`.
    """
    query = sa.select(*(_ticket.c[name] for name in (*_NAMES, *_MORE)), _category.c.full_name)
    query = query.join(_category, _category.c.id == _ticket.c.category_id).where(_ticket.c.id == ticket_id)
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    lead = await _lead(session, row)
    state = State(row.state)
    reply, replied_at = await _replied(session, row, lead)
    steps = await _steps(session, ticket_id)
    rated = row.responded is not None
    return PublicView(
        ticket_id=row.id,
        number=row.number,
        title=redact.masked(row.title),
        type=row.type,
        category=row.full_name,
        state=state.value,
        words=STATE_WORDS[state],
        is_open=lead.is_open,
        created_at=row.created_at,
        updated_at=row.updated_at,
        promised=lead.due_at,
        unit=lead.unit,
        steps=steps,
        reply=reply,
        replied_at=replied_at,
        asked=next((step.text for step in reversed(steps) if step.action == A.ASK_CITIZEN), "")
        if state is State.WAITING_SUPPLEMENT
        else "",
        acts=acts_in(state, rated=rated),
        rated=rated,
    )


@dataclass(frozen=True)
class _Lead:
    """The ticket that is worked on: this one, or the one it was merged into."""

    state: State
    is_open: bool
    due_at: datetime | None
    reply_id: int | None
    unit: str


async def _lead(session: AsyncSession, row: Any) -> _Lead:
    ident = row.merged_into_id or row.id
    names = (_ticket.c.state, _ticket.c.stage, _ticket.c.due_at, _ticket.c.reply_id, _unit.c.name)
    query = sa.select(*names).outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
    found = (await session.execute(query.where(_ticket.c.id == ident))).one()
    state = State(found.state)
    return _Lead(state, found.stage is not None, found.due_at, found.reply_id, found.name or "")


async def _replied(session: AsyncSession, row: Any, lead: _Lead) -> tuple[str, datetime | None]:
    """The public reply, once the hotline has cleared it."""
    ident = lead.reply_id or row.reply_id
    if ident is None or lead.state not in REPLIED:
        return "", None
    query = sa.select(_reply.c.public_reply, _reply.c.at).where(_reply.c.id == ident)
    found = (await session.execute(query)).first()
    return (found.public_reply, found.at) if found and found.public_reply else ("", None)


async def _steps(session: AsyncSession, ticket_id: int) -> tuple[PublicStep, ...]:
    names = ("at", "action", "note", "changes", "actor_id", "actor_name")
    query = sa.select(*(_history.c[name] for name in names)).where(_history.c.ticket_id == ticket_id)
    rows = (await session.execute(query.order_by(_history.c.id))).all()
    units = await _unit_names(session, [row.changes or {} for row in rows])
    found = [_step(row, units) for row in rows]
    return tuple(step for step in found if step is not None)


def _step(row: Any, units: Mapping[int, str]) -> PublicStep | None:
    action = Action(row.action) if row.action in set(Action) else None
    words = STEP_WORDS.get(action) if action else None
    if action is None or words is None:
        return None
    changes = row.changes or {}
    told = changes.get("told", {})
    if action in (A.CONTACT, A.REVISIT) and told.get("result") != "reached":
        words = {A.CONTACT: "承办单位联系您，未能接通", A.REVISIT: "热线回访，未能接通"}[action]
    if action is A.ACCEPT_RETURN and _sent_to(changes) is not None:
        words = "热线同意退回，改由{unit}办理"
    return PublicStep(row.at, action.value, _named(words, changes, units), _text(action, row))


def _text(action: Action, row: Any) -> str:
    """The citizen's own words, and questions to him; what anybody else wrote stays inside."""
    if action is A.ASK_CITIZEN:
        return redact.masked(row.note)
    own = action in _OWN and row.actor_id is None and row.actor_name == "市民"
    return redact.masked(row.note) if own else ""


def _named(words: str, changes: Mapping[str, Any], units: Mapping[int, str]) -> str:
    unit = units.get(_sent_to(changes) or 0, "承办单位")
    due = changes.get("due_at")
    if words == STEP_WORDS[A.APPROVE_EXTENSION] and isinstance(due, list) and due[1]:
        here = to_city(datetime.fromisoformat(due[1]))
        words = f"{words}至 {here.month}月{here.day}日 {here:%H:%M}"
    return words.replace("{unit}", unit)


def _sent_to(changes: Mapping[str, Any]) -> int | None:
    """The unit a step sent the ticket to."""
    for name in ("desk_unit_id", "lead_unit_id"):
        pair = changes.get(name)
        if isinstance(pair, list) and pair[1] is not None:
            return int(pair[1])
    return None


async def _unit_names(session: AsyncSession, all_changes: list[Mapping[str, Any]]) -> dict[int, str]:
    ids = {ident for changes in all_changes if (ident := _sent_to(changes)) is not None}
    if not ids:
        return {}
    query = sa.select(_unit.c.id, _unit.c.name).where(_unit.c.id.in_(ids))
    return {row.id: row.name for row in await session.execute(query)}
