"""The rows behind tickets: locked with visibility, with what the actor's unit has to do with them.

Every write of an existing ticket goes through `lock` and `change`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.flow import TicketUnit
from tickets.limits import Matter
from tickets.models import Ticket, table_of
from tickets.visibility import is_system, sees_every_ticket, visible_tickets
from tickets.workflow import Relation

_ticket = table_of(Ticket)
_held = table_of(TicketUnit)
_unit = table_of(Unit)


@dataclass(frozen=True)
class TicketRow:
    """A ticket as the workflow knows it, locked until the transaction ends."""

    id: int
    number: str
    version: int
    state: str
    lead_unit_id: int | None
    desk_unit_id: int | None
    subject_unit_id: int | None
    category_id: int
    channel: str
    type: str
    urgency: str
    confidentiality: str
    title: str
    narrative: str
    expected: str
    address: str
    subject_name: str
    district_id: int | None
    street_id: int | None
    subject_uscc: str | None
    name_ref: int | None
    phone_ref: int | None
    phone2_ref: int | None
    id_number_ref: int | None
    wants_reply: bool
    wants_public: bool
    created_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None
    stage: str | None
    stage_since: datetime | None
    stage_due_at: datetime | None
    round: int
    returns: int
    extensions: int
    urges: int
    supervised: bool
    ruled: bool
    excluded: bool
    contacted_at: datetime | None
    reply_id: int | None
    closed_as: str | None
    closed_at: datetime | None
    archived_at: datetime | None
    responded: bool | None
    solved: bool | None
    satisfied: int | None
    merged_into_id: int | None
    appeal_of_id: int | None
    avoid_unit_id: int | None
    avoid_user_id: int | None

    @property
    def matter(self) -> Matter:
        """What limits may depend on."""
        return Matter(self.type, self.urgency, self.category_id, self.round)


COLUMNS = tuple(_ticket.c[name] for name in TicketRow.__dataclass_fields__)
# The way of whoever sees every ticket, which dispatching takes all day.
_LOOK = f"SELECT {', '.join(TicketRow.__dataclass_fields__)} FROM ticket WHERE id = $1"  # noqa: S608 - names of columns
_LOCK = _LOOK + " FOR UPDATE"


@dataclass(frozen=True)
class Locked:
    """A locked ticket and the relations of the actor's unit to it."""

    row: TicketRow
    relations: frozenset[Relation]


async def lock(uow: UnitOfWork, actor: Actor, ticket_id: int) -> Locked:
    """The ticket, locked; raises `ticket_not_found` if the actor may not see it.

    A hopeful transaction looks at it without a lock, if the actor sees every ticket.
    """
    if _of_a_unit(actor) or not (sees_every_ticket(actor) or is_system(actor)):
        return await find(uow.session, actor, ticket_id, locked=True)
    found = await (uow.look(_LOOK, ticket_id) if uow.hopeful else uow.fetch(_LOCK, ticket_id))
    if not found:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    if uow.hopeful:
        uow.looked_at(_ticket, ticket_id)
    row = TicketRow(**found[0])
    return Locked(row, relations_of(actor, row.lead_unit_id, row.desk_unit_id, co=False, above=False))


async def find(session: Any, actor: Actor, ticket_id: int, *, locked: bool = False) -> Locked:
    """The ticket with relations, without a lock unless asked for. Raises `ticket_not_found`."""
    extra = relation_columns(actor)
    query = sa.select(*COLUMNS, *extra).where(_ticket.c.id == ticket_id, visible_tickets(actor))
    if locked:
        query = query.with_for_update(of=_ticket)
    found = (await session.execute(query)).first()
    if found is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    values = dict(found._mapping)
    co, above = values.pop("_co", False), values.pop("_above", False)
    row = TicketRow(**values)
    return Locked(row, relations_of(actor, row.lead_unit_id, row.desk_unit_id, co=co, above=above))


def relation_columns(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    """`_co` and `_above` of a row of `ticket`, for people of units; nothing for the hotline."""
    if not _of_a_unit(actor):
        return ()
    held = sa.exists().where(
        _held.c.ticket_id == _ticket.c.id,
        _held.c.unit_id == actor.unit_id,
        _held.c.role == "co",
        _held.c.until.is_(None),
    )
    below = sa.exists().where(
        _unit.c.id == _ticket.c.desk_unit_id,
        _unit.c.id != actor.unit_id,
        _unit.c.path.like(actor.unit_path + "%"),
    )
    return held.label("_co"), below.label("_above")


def relations_of(
    actor: Actor, lead: int | None, desk: int | None, *, co: bool, above: bool
) -> frozenset[Relation]:
    """What the actor's unit has to do with a ticket led by `lead` and lying with `desk`."""
    found = {Relation.HOTLINE} if sees_every_ticket(actor) else set()
    if _of_a_unit(actor):
        if actor.unit_id == lead:
            found.add(Relation.LEAD if desk == lead else Relation.LENT)
        elif actor.unit_id == desk:
            found.add(Relation.SUB)
        if co:
            found.add(Relation.CO)
        if above:
            found.add(Relation.ABOVE)
    return frozenset(found)


def _of_a_unit(actor: Actor) -> bool:
    return actor.unit_id is not None and actor.may(Permission.TICKET_READ_UNIT) and not is_system(actor)


def check_version(row: TicketRow, version: int) -> None:
    """Raise `version_conflict` when another write came first."""
    if row.version != version:
        raise conflict("ticket", row.id, ours=version, theirs=row.version)


async def change(uow: UnitOfWork, row: TicketRow, **values: Any) -> int:
    """Write `values` into a locked ticket; returns its new version."""
    version = row.version + 1
    await uow.change_seen(_ticket, row.id, row.version, version=version, updated_at=uow.now, **values)
    return version
