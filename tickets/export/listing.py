"""The list a person sees, page after page, as lines of a table. No phones: they do not leave in bulk."""

import re
from collections.abc import AsyncIterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database
from core.people.actor import Actor
from core.people.models import Unit
from tickets import queries
from tickets.export.cells import free_text, instant, row
from tickets.flow import TicketUnit
from tickets.models import Ticket, table_of
from tickets.queries.filters import MAX_PAGE, conditions
from tickets.queries.lists import EXCERPT
from tickets.search import query as search
from tickets.terms import Channel, Confidentiality, TicketType, Urgency, label
from tickets.visibility import visible_tickets
from tickets.workflow import STATE_LABELS

_ticket = table_of(Ticket)
_held = table_of(TicketUnit)
_unit = table_of(Unit)
_STATES = {state.value: word for state, word in STATE_LABELS.items()}
_CUT_NUMBER = re.compile(r"[\d\- +]+$")
# (head of the column, width in characters)
COLUMNS = (
    ("工单号", 20.0),
    ("状态", 10.0),
    ("类型", 8.0),
    ("紧急程度", 9.0),
    ("来源", 10.0),
    ("标题", 36.0),
    ("诉求摘要", 60.0),
    ("分类", 30.0),
    ("区县", 12.0),
    ("承办单位", 20.0),
    ("保密程度", 9.0),
    ("来电人", 10.0),
    ("登记时间", 17.0),
    ("派发时间", 17.0),
    ("办理期限", 17.0),
    ("催办次数", 9.0),
)
HEADS = tuple(name for name, _ in COLUMNS)
WIDTHS = tuple(width for _, width in COLUMNS)


def line(item: queries.TicketItem) -> list[str]:
    """One ticket as guarded cells, in the order of COLUMNS."""
    return [
        *row(
            (
                item.number,
                _STATES.get(item.state, item.state),
                label(TicketType, item.type),
                label(Urgency, item.urgency),
                label(Channel, item.channel),
            )
        ),
        free_text(item.title),
        free_text(_whole(item.excerpt)),
        *row((item.category, item.district, item.lead_unit, label(Confidentiality, item.confidentiality))),
        *row(("保密" if item.sealed else item.citizen, instant(item.created_at))),
        *row((instant(item.dispatched_at), instant(item.due_at), item.urges)),
    ]


def _whole(excerpt: str) -> str:
    """The excerpt without a number that was cut in the middle: half of a phone is not found by anybody."""
    return _CUT_NUMBER.sub("…", excerpt) if len(excerpt) > EXCERPT - 20 else excerpt


async def pages(
    db: Database, actor: Actor, filters: queries.TicketFilters, limit: int
) -> AsyncIterator[list[list[str]]]:
    """The lines of at most `limit` tickets, newest first, a page at a time: memory stays what it is.

    It asks the very question the screen asks, so it can never show more than the screen; words are
    looked up in the index as there.
    """
    look = search.items if filters.text else queries.ticket_list
    cursor: str | None = None
    left = limit
    while left > 0:
        async with db.read() as session:
            page = await look(session, actor, filters, cursor, min(MAX_PAGE, left))
        if page.items:
            yield [line(item) for item in page.items]
        left -= len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


async def count(session: AsyncSession, actor: Actor, filters: queries.TicketFilters, cap: int) -> int:
    """How many tickets the list has, counted to `cap` and no further."""
    if filters.text:
        return (await search.count(session, actor, filters.text, filters, cap)).number
    wanted = [*conditions(filters, actor), visible_tickets(actor)]
    if filters.unit_id is not None:
        root = sa.select(_unit.c.path).where(_unit.c.id == filters.unit_id).scalar_subquery()
        below = sa.select(_unit.c.id).where(_unit.c.path.like(root + "%"))
        held = sa.and_(_held.c.ticket_id == _ticket.c.id, _held.c.until.is_(None), _held.c.unit_id.in_(below))
        wanted.append(sa.exists().where(held))
    some = sa.select(sa.literal(1)).select_from(_ticket).where(*wanted).limit(cap).subquery()
    return int(await session.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
