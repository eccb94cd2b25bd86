"""The search of those who see the tickets of a few units: their newest tickets are read one by one.

A unit that holds one ticket in a thousand would find a common phrase everywhere but in its own tickets.
So what it holds is looked at first, in growing steps until a page is full, unless the phrase is rare
everywhere. Windows of time decide behind the last step, and sooner for a unit that holds more of the
city's tickets than the phrase is in the unit's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.flow import TicketUnit
from tickets.models import Ticket, table_of
from tickets.queries.lists import each_unit
from tickets.search.models import TicketText

Mark = tuple[datetime, int]
_ticket = table_of(Ticket)
_held = table_of(TicketUnit)
_text = table_of(TicketText)
STEPS = (150, 450, 1350, 4050)  # tickets
RARE = 300  # tickets of the whole city with the phrase: fewer are looked at one by one


def held_by(scope: Sequence[int]) -> sa.ColumnElement[bool]:
    """The condition on `ticket` rows that one of these units holds now."""
    return sa.exists().where(
        _held.c.ticket_id == _ticket.c.id, _held.c.until.is_(None), _held.c.unit_id == _any(scope)
    )


async def newest(session: AsyncSession, scope: Sequence[int], before: Mark | None, most: int) -> list[Mark]:
    """The newest `most` tickets these units hold, older than `before`."""
    units = each_unit(scope)
    held = sa.select(_held.c.created_at, _held.c.ticket_id).where(
        _held.c.unit_id == units.c.id, _held.c.until.is_(None)
    )
    if before is not None:
        mark = sa.tuple_(sa.literal(before[0], _held.c.created_at.type), sa.literal(before[1], sa.BigInteger))
        held = held.where(sa.tuple_(_held.c.created_at, _held.c.ticket_id) < mark)
    order = (_held.c.created_at.desc(), _held.c.ticket_id.desc())
    each = held.order_by(*order).limit(most).lateral("each")
    query = sa.select(each.c.created_at, each.c.ticket_id).select_from(units.join(each, sa.true())).distinct()
    query = query.order_by(each.c.created_at.desc(), each.c.ticket_id.desc()).limit(most)
    return [(row.created_at, row.ticket_id) for row in await session.execute(query)]


async def among(
    session: AsyncSession,
    ids: Sequence[int],
    contains: sa.ColumnElement[bool],
    wanted: Sequence[sa.ColumnElement[bool]],
) -> list[Mark]:
    """Those of `ids` that have a text with the phrase and meet the other conditions."""
    # Grouped, so that only what has the phrase is looked at further.
    texts = sa.select(_text.c.ticket_id).where(_text.c.ticket_id == _any(ids), contains)
    having = texts.group_by(_text.c.ticket_id).subquery("having")
    query = sa.select(_ticket.c.created_at, _ticket.c.id).join(having, having.c.ticket_id == _ticket.c.id)
    rows = await session.execute(query.where(*wanted))
    return [(row.created_at, row.id) for row in rows]


def is_large(looked: int, span: int, found: int) -> bool:
    """Whether a unit's share of the city's tickets is larger than the phrase's share of the unit's.

    `looked`: how many of the unit's newest tickets were looked at, `found`: how many have the phrase, `span`:
    how many tickets the city made meanwhile (ids are given in turn). Then fewer tickets with the phrase
    are somebody else's than tickets of the unit are without it, and the city's index is the shorter way.
    """
    return looked / max(span, looked) > max(found, 0.5) / looked


def _any(ids: Sequence[int]) -> Any:
    return sa.any_(sa.literal(list(ids), ARRAY(sa.BigInteger)))
