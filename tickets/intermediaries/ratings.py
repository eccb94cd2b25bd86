"""Ratings in five levels, by clients alone: who holds a service number, or number and code of a ticket.

One per service and one per ticket. What is kept is the proof and the level: no name, no address it came from,
and no screen or file tells which rating came by which proof.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from core.errors import HotlineError
from tickets.intermediaries.models import Intermediary, Rating, ServiceRecord
from tickets.intermediaries.queries import of_subject
from tickets.intermediaries.terms import STARS
from tickets.models import Ticket, table_of

_one = table_of(Intermediary)
_rating = table_of(Rating)
_service = table_of(ServiceRecord)
_ticket = table_of(Ticket)
# A matter is rated once it was dealt with.
RATED = ("closed", "archived", "waiting_callback")


async def by_service(uow: UnitOfWork, number: str, stars: int) -> int:
    """Rate the service of this number; returns the intermediary.

    Raises `rating_unproven` (no such service), `rating_given`, `form_invalid` (stars).
    """
    query = sa.select(_service.c.id, _service.c.intermediary_id).where(
        _service.c.number == number.strip().upper()[:20]
    )
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("rating_unproven")
    return await _give(uow, int(row.intermediary_id), stars, service_id=int(row.id))


async def by_ticket(uow: UnitOfWork, ticket_id: int, stars: int) -> int:
    """Rate the intermediary a ticket was about, by who has proved number and code; returns it.

    Raises `rating_unproven` (about none, or not dealt with yet), `rating_given`, `form_invalid` (stars).
    """
    query = sa.select(_ticket.c.subject_name, _ticket.c.subject_uscc, _ticket.c.state)
    row = (await uow.session.execute(query.where(_ticket.c.id == ticket_id))).first()
    if row is None or row.state not in RATED:
        raise HotlineError("rating_unproven")
    found = await of_subject(uow.session, row.subject_name, row.subject_uscc)
    if found is None:
        raise HotlineError("rating_unproven")
    return await _give(uow, found.id, stars, ticket_id=ticket_id)


async def _give(
    uow: UnitOfWork,
    intermediary_id: int,
    stars: int,
    *,
    service_id: int | None = None,
    ticket_id: int | None = None,
) -> int:
    if stars not in STARS:
        raise HotlineError("form_invalid", fields={"stars": "unknown_choice"})
    values = {
        "intermediary_id": intermediary_id,
        "service_id": service_id,
        "ticket_id": ticket_id,
        "stars": stars,
        "at": uow.now,
    }
    statement = insert(_rating).values(**values).on_conflict_do_nothing().returning(_rating.c.id)
    if (await uow.session.execute(statement)).first() is None:
        raise HotlineError("rating_given")
    counted = {"ratings": _one.c.ratings + 1, "stars": _one.c.stars + stars}
    await uow.session.execute(sa.update(_one).where(_one.c.id == intermediary_id).values(**counted))
    return intermediary_id
