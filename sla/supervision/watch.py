"""What supervision does by the clock: says once that a report is late, or that a look is due.

Run by the node that leads the scheduler, each document in a transaction of its own.
"""

import logging

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from sla.supervision.models import SupervisionOrder
from sla.supervision.service import SupervisionService
from tickets.models import table_of

logger = logging.getLogger(__name__)
_order = table_of(SupervisionOrder)
BATCH = 200
_LATE = "state IN ('issued', 'acknowledged') AND reminded_at IS NULL AND report_by IS NOT NULL"


class SupervisionWatch:
    """One round looks for what has become due and says so."""

    def __init__(self, db: Database, service: SupervisionService, lease: Lease) -> None:
        self._db = db
        self._service = service
        self._lease = lease
        self._passed_by: set[int] = set()  # what nothing could be said about, while others wait

    async def run(self) -> int:
        """A round; returns how many documents something was said about."""
        now, others = self._db.clock.now(), _order.c.id.not_in(self._passed_by)
        late = sa.select(_order.c.id).where(sa.text(_LATE), _order.c.report_by < now, others)
        looks = sa.select(_order.c.id).where(_order.c.next_look_at <= now, others)
        async with self._db.read() as session:
            reminded = list((await session.execute(late.order_by(_order.c.report_by).limit(BATCH))).scalars())
            looked = list(
                (await session.execute(looks.order_by(_order.c.next_look_at).limit(BATCH))).scalars()
            )
        failed = {ident for ident in reminded if not await self._one(ident, "remind")}
        failed |= {ident for ident in looked if not await self._one(ident, "look")}
        # Nobody waits behind what fails; once nobody waits, it is tried again.
        full = BATCH in (len(reminded), len(looked))
        self._passed_by = self._passed_by | failed if full else set()
        return len(reminded) + len(looked) - len(failed)

    async def _one(self, ident: int, step: str) -> bool:
        try:
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                if step == "remind":
                    return await self._service.remind(uow, ident)
                return await self._service.look_due(uow, ident)
        except HotlineError as error:
            if error.code == "lease_lost":
                raise
            logger.info("not reminded", extra={"order_id": ident, "why": error.code})
        except DBAPIError:
            logger.exception("not reminded", extra={"order_id": ident})
        return False
