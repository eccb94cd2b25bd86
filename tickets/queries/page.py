"""One ticket with everything its page shows, and its timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from core.privacy import PersonalValue
from tickets.models import Category, Ticket, TicketHistory, table_of
from tickets.points.datum import Point
from tickets.points.queries import Withdrawal, place_of
from tickets.queries.veils import veil_over
from tickets.ticket_rows import relation_columns, relations_of
from tickets.veil import Veil, covered_in
from tickets.visibility import is_sealed, visible_tickets
from tickets.workflow import RULES, Action, Relation, legal_actions, permits

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_category = table_of(Category)
_unit = table_of(Unit)
_user = table_of(User)
_value = table_of(PersonalValue)
PERSONAL = {"citizen": "name_ref", "phone": "phone_ref", "phone2": "phone2_ref", "id_number": "id_number_ref"}


@dataclass(frozen=True)
class TicketPage:
    """A ticket as this person may see it; personal values are masked, or None where sealed."""

    id: int
    number: str
    version: int
    state: str
    channel: str
    type: str
    urgency: str
    confidentiality: str
    category_id: int
    category: str
    title: str
    narrative: str
    expected: str
    occurred_at: datetime | None
    address: str
    point: Point | None  # None also where the reporter is sealed: it may be where he stood
    point_id: int | None  # of the one that was given last
    point_withdrawn: Withdrawal | None
    district: str | None
    street: str | None
    subject_name: str
    subject_uscc: str | None
    citizen: str | None
    phone: str | None
    phone2: str | None
    id_number: str | None
    sealed: bool
    wants_reply: bool
    wants_public: bool
    urges: int
    lead_unit_id: int | None
    lead_unit: str | None
    call_session_id: int | None
    created_by: str | None
    created_at: datetime
    dispatched_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    updated_at: datetime
    desk_unit_id: int | None
    desk_unit: str | None
    subject_unit_id: int | None
    subject_unit: str | None
    stage: str | None
    stage_due_at: datetime | None
    round: int
    returns: int
    extensions: int
    supervised: bool
    ruled: bool
    excluded: bool
    contacted_at: datetime | None
    reply_id: int | None
    closed_as: str | None
    archived_at: datetime | None
    responded: bool | None
    solved: bool | None
    satisfied: int | None
    merged_into_id: int | None
    appeal_of_id: int | None
    relations: frozenset[Relation]
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class HistoryItem:
    """One line of the timeline."""

    id: int
    at: datetime
    actor: str
    role: str
    unit: str | None
    action: str
    reason_code: str | None
    note: str
    from_state: str | None
    to_state: str
    version: int
    target_unit: str | None
    call_session_id: int | None
    sealed: bool  # the reporter is hidden from the reader: notes are masked


_JOINED = {
    "category",
    "district",
    "street",
    "lead_unit",
    "created_by",
    "sealed",
    "desk_unit",
    "subject_unit",
    "relations",
    "actions",
    "point",
    "point_id",
    "point_withdrawn",
    *PERSONAL,
}
_WRITTEN = ("title", "narrative", "expected", "address", "subject_name")
_PLAIN = [key for key in TicketPage.__dataclass_fields__ if key not in _JOINED]


async def ticket_page(session: AsyncSession, actor: Actor, ticket_id: int) -> TicketPage:
    """The ticket; raises `ticket_not_found` when there is none this person may see."""
    row = (await session.execute(_page_query(actor, ticket_id))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    values = dict(row._mapping)
    co, above = values.pop("_co", False), values.pop("_above", False)
    relations = relations_of(actor, row.lead_unit_id, row.desk_unit_id, co=co, above=above)
    sealed = is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality)
    if sealed:
        values |= dict.fromkeys(PERSONAL, None)
        # What was typed may name the reporter as well as any column does.
        values = covered_in(await veil_over(session, actor, ticket_id), values, _WRITTEN)
    actions = actions_of(actor, row.state, relations)
    place = None if sealed else await place_of(session, ticket_id)
    return TicketPage(
        sealed=sealed,
        relations=relations,
        actions=actions,
        point=None if place is None else place.point,
        point_id=None if place is None else place.id,
        point_withdrawn=None if place is None else place.withdrawn,
        **values,
    )


def _page_query(actor: Actor, ticket_id: int) -> sa.Select[Any]:
    names = ("district", "street", "lead", "desk", "subject")
    district, street, lead, desk, subject = (_unit.alias(name) for name in names)
    values = {label: _value.alias(f"{label}_value") for label in PERSONAL}
    query = (
        sa.select(
            *(_ticket.c[key] for key in _PLAIN),
            _category.c.full_name.label("category"),
            district.c.name.label("district"),
            street.c.name.label("street"),
            lead.c.name.label("lead_unit"),
            desk.c.name.label("desk_unit"),
            subject.c.name.label("subject_unit"),
            _user.c.name.label("created_by"),
            *relation_columns(actor),
            *(values[label].c.masked.label(label) for label in PERSONAL),
        )
        .select_from(_ticket)
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(district, district.c.id == _ticket.c.district_id)
        .outerjoin(street, street.c.id == _ticket.c.street_id)
        .outerjoin(lead, lead.c.id == _ticket.c.lead_unit_id)
        .outerjoin(desk, desk.c.id == _ticket.c.desk_unit_id)
        .outerjoin(subject, subject.c.id == _ticket.c.subject_unit_id)
        .outerjoin(_user, _user.c.id == _ticket.c.created_by)
    )
    for label, column in PERSONAL.items():
        query = query.outerjoin(values[label], values[label].c.id == _ticket.c[column])
    return query.where(_ticket.c.id == ticket_id, visible_tickets(actor))


def actions_of(actor: Actor, state: str, relations: frozenset[Relation]) -> tuple[Action, ...]:
    """What the table lets this person do to a ticket in `state`, in the order of the table."""
    return tuple(
        action for action in legal_actions(state) if permits(RULES[action], actor.permissions, relations)
    )


async def timeline(session: AsyncSession, actor: Actor, ticket_id: int) -> list[HistoryItem]:
    """What happened to the ticket, oldest first; empty when this person may not see it."""
    target = _unit.alias("target")
    moved_to = _history.c.changes["lead_unit_id"][1].as_integer()
    query = (
        sa.select(
            _history.c.id,
            _history.c.at,
            _history.c.actor_name.label("actor"),
            _history.c.role,
            _unit.c.short_name.label("unit"),
            *(_history.c[key] for key in _HISTORY),
            _ticket.c.type.label("_type"),
            _ticket.c.confidentiality.label("_degree"),
            target.c.name.label("target_unit"),
        )
        .join(_ticket, _ticket.c.id == _history.c.ticket_id)
        .outerjoin(_unit, _unit.c.id == _history.c.unit_id)
        .outerjoin(target, target.c.id == moved_to)
        .where(_history.c.ticket_id == ticket_id, visible_tickets(actor))
        .order_by(_history.c.id)
    )
    rows = (await session.execute(query)).all()
    sealed = bool(rows) and is_sealed(actor, ticket_type=rows[0]._type, confidentiality=rows[0]._degree)
    veil = await veil_over(session, actor, ticket_id) if sealed else None
    return [_history_item(dict(row._mapping), veil, sealed=sealed) for row in rows]


def _history_item(values: dict[str, Any], veil: Veil | None, *, sealed: bool) -> HistoryItem:
    plain = {name: value for name, value in values.items() if name not in ("_type", "_degree")}
    return HistoryItem(sealed=sealed, **covered_in(veil, plain, ("note",)))


_HISTORY = ("action", "reason_code", "note", "from_state", "to_state", "version", "call_session_id")
