"""What the classifier said of a ticket when it was new, for who dispatches and watches."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from classifier.models import CategoryAdvice
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.models import Category, Ticket, table_of

_advice, _category, _ticket = table_of(CategoryAdvice), table_of(Category), table_of(Ticket)
MOST_WORDS = 4
SEEN_BY = (Permission.TICKET_DISPATCH, Permission.TICKET_SUPERVISE, Permission.TICKET_READ_ALL)


@dataclass(frozen=True)
class Said:
    """The advice, and whether the ticket still has the category it named."""

    category: str
    percent: int
    version: str
    words: tuple[str, ...]
    agrees: bool
    changed: bool  # since the ticket was made


async def advice_on(session: AsyncSession, actor: Actor, ticket_id: int) -> Said | None:
    """The advice that was heard, on a ticket this person sees; None without any, or for others."""
    if not any(actor.may(permission) for permission in SEEN_BY):
        return None
    query = (
        sa.select(
            _category.c.full_name,
            _category.c.id.label("named_id"),
            _advice.c.probability,
            _advice.c.model_id,
            _advice.c.words,
            _advice.c.chosen_id,
            _ticket.c.category_id,
        )
        .select_from(
            _advice.join(_ticket, _ticket.c.id == _advice.c.ticket_id).join(
                _category, _category.c.code == _advice.c.label
            )
        )
        .where(_advice.c.ticket_id == ticket_id, _advice.c.heard)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    return Said(
        row.full_name,
        round(row.probability * 100),
        f"M{row.model_id}",
        tuple(word for word, _ in row.words[:MOST_WORDS]),
        row.named_id == row.category_id,
        row.chosen_id != row.category_id,
    )
