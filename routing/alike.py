"""What was done with tickets of the same category of late, and how much the units have to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from routing.suggest import Taken
from tickets.models import Ticket, table_of
from tickets.states import TODO_STATES

_ticket = table_of(Ticket)
LOOKED_AT = 2000  # the newest tickets; the cost stays the same however many there are
# As text: with parameters in its place the index of what lies on desks would not be recognised.
_TODO = sa.text("ticket.state IN (" + ", ".join(f"'{state}'" for state in TODO_STATES) + ")")
LOAD_CAP = 1000
MOST = 12  # units: those of other places fall out behind


async def taken_alike(session: AsyncSession, category_id: int, most: int = MOST) -> list[Taken]:
    """The units that took tickets of the same category among the newest, the most taken first."""
    newest = (
        sa.select(_ticket.c.lead_unit_id, _ticket.c.category_id)
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    alike = (newest.c.category_id == category_id, newest.c.lead_unit_id.is_not(None))
    taken = sa.func.count().label("taken")
    whole = sa.func.sum(sa.func.count()).over().label("whole")
    query = (
        sa.select(newest.c.lead_unit_id, taken, whole)
        .where(*alike)
        .group_by(newest.c.lead_unit_id)
        .order_by(taken.desc(), newest.c.lead_unit_id)
        .limit(most)
    )
    return [Taken(row[0], row.taken, int(row.whole)) for row in await session.execute(query)]


@dataclass(frozen=True)
class Load:
    """What lies on a unit's desk now, counted no further than `LOAD_CAP`, and how much of it is overdue."""

    open: int = 0
    overdue: int = 0


async def loads(session: AsyncSession, unit_ids: Sequence[int], now: datetime) -> dict[int, Load]:
    """The load of each of these few units."""
    found = {}
    for unit_id in unit_ids:
        desk = sa.select(_ticket.c.due_at).where(_ticket.c.desk_unit_id == unit_id, _TODO)
        some = desk.order_by(_ticket.c.due_at).limit(LOAD_CAP).subquery()
        late = sa.func.count().filter(some.c.due_at < now)
        row = (await session.execute(sa.select(sa.func.count(), late).select_from(some))).one()
        found[unit_id] = Load(int(row[0]), int(row[1]))
    return found
