"""What happens by itself: signing at the limit, resuming at the review date, archiving after a while.

Run by the node that leads the scheduler. Each ticket is moved by the ordinary service in a transaction
of its own, in the version that was read: a person who was quicker wins.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.settings import Settings
from tickets.models import Ticket, table_of
from tickets.service import TicketService
from tickets.states import Action, State

logger = logging.getLogger(__name__)
_ticket = table_of(Ticket)
SYSTEM = Actor.system("sweep")
BATCH = 200
TO_ARCHIVE = (State.CLOSED, State.ANSWERED, State.INFORMED, State.EMERGENCY, State.WITHDRAWN)
RESUMED = "挂起复核期已到，自动恢复办理"


class Sweep:
    """One round looks for what is due and does it."""

    def __init__(self, db: Database, tickets: TicketService, settings: Settings, lease: Lease) -> None:
        self._db = db
        self._tickets = tickets
        self._archive_after = timedelta(days=settings.tickets.archive_days)
        self._lease = lease

    async def run(self) -> int:
        """A round; returns how many tickets were moved."""
        now = self._db.clock.now()
        signed = await self._each(Action.SIGN, _overdue(State.WAITING_SIGN, now), {})
        resumed = await self._each(Action.RESUME, _overdue(State.SUSPENDED, now), {"note": RESUMED})
        states: sa.BindParameter[list[str]] = sa.bindparam(
            "states", [state.value for state in TO_ARCHIVE], expanding=True, literal_execute=True
        )
        old = (_ticket.c.state.in_(states), _ticket.c.closed_at < now - self._archive_after)
        return signed + resumed + await self._each(Action.ARCHIVE, old, {})

    async def _each(
        self, action: Action, due: tuple[sa.ColumnElement[bool], ...], data: dict[str, str]
    ) -> int:
        """Up to a batch of tickets; those that cannot be moved are passed by and keep nobody waiting."""
        done, after = 0, None
        while done < BATCH:
            rows = await self._due(action, due, after)
            for row in rows:
                done += await self._move(action, row, data)
            if len(rows) < BATCH:
                break
            after = rows[-1]
        return done

    async def _due(
        self, action: Action, due: tuple[sa.ColumnElement[bool], ...], after: Any
    ) -> Sequence[Any]:
        """The longest due first, behind `after`."""
        since = _ticket.c.closed_at if action is Action.ARCHIVE else _ticket.c.stage_due_at
        query = sa.select(_ticket.c.id, _ticket.c.version, since.label("since")).where(*due)
        if after is not None:
            mark = sa.tuple_(sa.literal(after.since, since.type), sa.literal(after.id, _ticket.c.id.type))
            query = query.where(sa.tuple_(since, _ticket.c.id) > mark)
        async with self._db.read() as session:
            return (await session.execute(query.order_by(since, _ticket.c.id).limit(BATCH))).all()

    async def _move(self, action: Action, row: Any, data: dict[str, str]) -> bool:
        try:
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                await self._tickets.act(uow, SYSTEM, row.id, row.version, action, data)
        except HotlineError as error:
            if error.code == "lease_lost":
                raise
            logger.info("not moved", extra={"action": action.value, "why": error.code})
            return False
        except DBAPIError:
            logger.exception("not moved", extra={"action": action.value, "ticket_id": row.id})
            return False
        return True


def _overdue(state: State, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    literal: sa.BindParameter[str] = sa.bindparam(f"is_{state.value}", state.value, literal_execute=True)
    return _ticket.c.state == literal, _ticket.c.stage.is_not(None), _ticket.c.stage_due_at < now
