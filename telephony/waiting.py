"""Orders that wait as rows with an `id` and a `state`: how the node that leads telephony takes them."""

from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.leadership import Lease


async def oldest(uow: UnitOfWork, lease: Lease, order: sa.Table) -> Any:
    """The oldest waiting row of `order`, locked; None when there is none that nobody else has in hand.

    Raises what the lease says of a node that does not lead any more.
    """
    await lease.fence(uow)
    # The value stands in the statement itself: only so does it match the index of what waits.
    waiting = order.c.state == sa.bindparam("waiting", "waiting", literal_execute=True)
    query = sa.select(order).where(waiting).order_by(order.c.id).limit(1).with_for_update(skip_locked=True)
    return (await uow.session.execute(query)).first()
