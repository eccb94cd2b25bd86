"""What waits for a decision is void once the ticket goes another way."""

import sqlalchemy as sa

from tickets.actions.job import Job
from tickets.flow import Revisit, TicketRequest
from tickets.models import table_of
from tickets.states import State

_request = table_of(TicketRequest)
_revisit = table_of(Revisit)
PENDING_STATES = frozenset(
    {
        *(State.RETURN_REVIEW.value, State.RULING.value, State.EXTENSION_REVIEW.value),
        *(State.SUSPENSION_REVIEW.value, State.CLOSING_REVIEW.value),
    }
)


async def withdraw_pending(job: Job, *, exclusions: bool = False) -> None:
    """Withdraw the application of the present state; an exclusion waits on unless all is over."""
    if job.row.state not in PENDING_STATES and not exclusions:
        return
    pending = [_request.c.ticket_id == job.row.id, _request.c.state == "pending"]
    if not exclusions:
        pending.append(_request.c.kind != "exclusion")
    await job.execute(sa.update(_request).where(*pending).values(state="withdrawn", decided_at=job.now))


async def end_revisit(job: Job) -> None:
    """Nobody is to be called back about a ticket that was voided or withdrawn."""
    if job.row.state != State.WAITING_CALLBACK.value:
        return
    open_one = (_revisit.c.ticket_id == job.row.id, _revisit.c.closed_at.is_(None))
    statement = sa.update(_revisit).where(*open_one)
    await job.execute(
        statement.values(closed_at=job.now, closed_by=job.actor.user_id, result=job.action.value)
    )
