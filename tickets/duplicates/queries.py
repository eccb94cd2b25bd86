"""What the pages of clusters read. Tickets only as far as a person may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from tickets.duplicates.models import TicketCluster, TicketClusterMember
from tickets.models import Ticket, table_of
from tickets.states import State
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES, visible_tickets
from tickets.workflow import MERGEABLE

PAGE = 30
_cluster = table_of(TicketCluster)
_member = table_of(TicketClusterMember)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_user = table_of(User)


@dataclass(frozen=True)
class ClusterItem:
    """A cluster as a line; `tickets`: how many it holds."""

    id: int
    kind: str
    state: str
    version: int
    title: str
    place: str
    callers: int
    callers_24h: int
    callers_7d: int
    z: float | None
    words: list[str]
    first_at: datetime
    last_at: datetime
    found_at: datetime
    master_id: int | None
    decided_at: datetime | None
    decided_by: str | None
    note: str
    tickets: int


@dataclass(frozen=True)
class MemberItem:
    """A ticket of a cluster. `joins`: it would be merged by a confirmation."""

    id: int
    number: str
    title: str
    state: str
    created_at: datetime
    lead_unit: str | None
    address: str
    merged_into_id: int | None
    joins: bool


async def cluster_list(session: AsyncSession, state: str, before: int | None = None) -> Sequence[ClusterItem]:
    """The newest found first, one more than `PAGE` when there are further ones; `state` "" for all."""
    query = _items().order_by(_cluster.c.id.desc()).limit(PAGE + 1)
    if state:
        query = query.where(_cluster.c.state == state)
    if before is not None:
        query = query.where(_cluster.c.id < before)
    return [ClusterItem(**row._mapping) for row in await session.execute(query)]


async def cluster_counts(session: AsyncSession) -> dict[str, int]:
    """How many there are by state."""
    query = sa.select(_cluster.c.state, sa.func.count()).group_by(_cluster.c.state)
    return {str(state): int(count) for state, count in await session.execute(query)}


async def cluster_page(
    session: AsyncSession, actor: Actor, cluster_id: int
) -> tuple[ClusterItem, list[MemberItem]]:
    """A cluster with those of its tickets this person may see, the earliest first; or `cluster_not_found`."""
    row = (await session.execute(_items().where(_cluster.c.id == cluster_id))).first()
    if row is None:
        raise HotlineError("cluster_not_found", cluster_id=cluster_id)
    return ClusterItem(**row._mapping), await _members(session, actor, cluster_id)


def _items() -> sa.Select[Any]:
    names = [name for name in ClusterItem.__dataclass_fields__ if name not in ("decided_by", "tickets")]
    held = (
        sa.select(sa.func.count()).where(_member.c.cluster_id == _cluster.c.id).correlate(_cluster)
    ).scalar_subquery()
    return sa.select(
        *(_cluster.c[name] for name in names), _user.c.name.label("decided_by"), held.label("tickets")
    ).select_from(_cluster.outerjoin(_user, _user.c.id == _cluster.c.decided_by))


async def _members(session: AsyncSession, actor: Actor, cluster_id: int) -> list[MemberItem]:
    names = ("id", "number", "title", "state", "created_at", "address", "merged_into_id")
    query = (
        sa.select(*(_ticket.c[name] for name in names), _unit.c.short_name.label("lead_unit"))
        .select_from(
            _member.join(_ticket, _ticket.c.id == _member.c.ticket_id).outerjoin(
                _unit, _unit.c.id == _ticket.c.lead_unit_id
            )
        )
        .where(
            _member.c.cluster_id == cluster_id,
            visible_tickets(actor),
            _ticket.c.type != TicketType.REPORT.value,
            _ticket.c.confidentiality.not_in(sorted(SEALED_DEGREES)),
        )
        .order_by(_ticket.c.created_at, _ticket.c.id)
    )
    return [
        MemberItem(**row._mapping, joins=State(row.state) in MERGEABLE)
        for row in await session.execute(query)
    ]


async def cluster_of(session: AsyncSession, ticket_id: int) -> int | None:
    """The newest cluster a ticket is in, unless it was dismissed."""
    query = (
        sa.select(_cluster.c.id)
        .join(_member, _member.c.cluster_id == _cluster.c.id)
        .where(_member.c.ticket_id == ticket_id, _cluster.c.state != "dismissed")
        .order_by(_cluster.c.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()
