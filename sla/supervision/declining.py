"""暂不督办: a person looked at a proposal and decided against a document; the reason is kept.

It holds for the ticket's present round: sent back and done anew, the ticket may be proposed again. The
ladder's cards are not touched by it.
"""

from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.supervision.models import SupervisionDecline
from sla.supervision.terms import Ground
from tickets.forms import clean
from tickets.models import table_of
from tickets.queries import ticket_page

MAX_REASON = 200
_decline = table_of(SupervisionDecline)


async def decline(uow: UnitOfWork, actor: Actor, ticket_id: int, ground: Ground, reason: str) -> None:
    """Take a ticket off what `ground` proposes; the same twice is done once.

    Raises `forbidden`, `ticket_not_found`, `form_invalid` (reason).
    """
    actor.require(Permission.TICKET_SUPERVISE)
    text = clean(reason)
    if not 2 <= len(text) <= MAX_REASON:
        raise HotlineError("form_invalid", fields={"reason": "required" if len(text) < 2 else "too_long"})
    ticket = await ticket_page(uow.session, actor, ticket_id)
    values = {
        "ticket_id": ticket_id,
        "round": ticket.round,
        "ground": ground.value,
        "reason": text,
        "declined_at": uow.now,
        "declined_by": actor.user_id,
    }
    made = insert(_decline).values(**values).on_conflict_do_nothing().returning(_decline.c.ticket_id)
    if (await uow.session.execute(made)).first() is None:
        return
    await audit.record(
        uow, actor=actor, action="supervision.decline", object_type="ticket", object_id=ticket_id,
        reason=text, detail={"ground": ground.value},
    )  # fmt: skip
