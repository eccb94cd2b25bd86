"""Dispatch without a person, where a person opened a category for it.

A ticket goes out by itself only when everything agrees: the category a person chose or stood by (never one
that a model filled in for a submission) is open, the active model named the very same and was sure enough
to act on, and a rule or the responsibility catalogue names the unit. What is urgent, secret, a report (举报)
or sensitive waits for a person, and so does whatever is in doubt. The action is an ordinary dispatch with
its history; its actor is the system.
"""

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from classifier import switches
from classifier.models import CategoryAdvice
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from routing.advice import AdviceService
from routing.submissions import category_unchosen
from routing.suggest import Candidate
from tickets.flags import flags_of
from tickets.inputs import Dispatch
from tickets.models import Category, Ticket, table_of
from tickets.service import TicketService
from tickets.states import Action, State
from tickets.terms import Confidentiality, TicketType, Urgency

logger = logging.getLogger(__name__)
_ticket, _advice, _category = table_of(Ticket), table_of(CategoryAdvice), table_of(Category)
SYSTEM = Actor.system("automatic")
FRESH = timedelta(hours=2)  # what waits longer is on somebody's desk already
BATCH = 20
OPEN = (Confidentiality.PUBLIC.value, Confidentiality.NORMAL.value)
NAMED_BY = ("rule", "catalogue")


class Automatic:
    """The leader's tick that dispatches what may go without a person."""

    def __init__(self, db: Database, tickets: TicketService, advice: AdviceService, lease: Lease) -> None:
        self._db = db
        self._tickets = tickets
        self._advice = advice
        self._lease = lease
        self._left: dict[int, datetime] = {}  # what was looked at, when, and waits for a person

    async def tick(self) -> None:
        """A batch."""
        await self.step()

    async def step(self) -> int:
        """Dispatch what may go; returns how many went."""
        since = self._db.clock.now() - FRESH  # what is older is asked for no more
        self._left = {ident: at for ident, at in self._left.items() if at > since}
        async with self._db.read() as session:
            open_ = await switches.automatic(session)
            waiting = await self._waiting(session, open_) if open_ else []
            sensitive = await flags_of(session, waiting) if waiting else {}
        gone = 0
        for ident in waiting:
            if sensitive.get(ident) or not await self._send(ident):
                self._left[ident] = self._db.clock.now()
            else:
                gone += 1
        return gone

    async def _waiting(self, session: AsyncSession, open_: frozenset[int]) -> list[int]:
        joined = _ticket.join(_advice, _advice.c.ticket_id == _ticket.c.id)
        joined = joined.join(_category, _category.c.id == _ticket.c.category_id)
        query = (
            sa.select(_ticket.c.id)
            .select_from(joined)
            .where(
                _ticket.c.state == State.WAITING_DISPATCH.value,
                _ticket.c.created_at > self._db.clock.now() - FRESH,
                _ticket.c.urgency == Urgency.NORMAL.value,
                _ticket.c.confidentiality.in_(OPEN),
                _ticket.c.type != TicketType.REPORT.value,
                _ticket.c.category_id.in_(open_),
                _ticket.c.dispatched_at.is_(None),
                _ticket.c.id.not_in(self._left),
                _advice.c.heard,
                _advice.c.gate == "automatic",
                _advice.c.label == _category.c.code,
                ~category_unchosen(),
            )
            .order_by(_ticket.c.id)
            .limit(BATCH)
        )
        return list((await session.execute(query)).scalars())

    async def _send(self, ident: int) -> bool:
        async with self._db.read() as session:
            found, version = await self._advice.of_ticket(session, ident)
        first = found.candidates[0] if found.candidates else None
        if first is None or not _named(first):
            return False
        data = Dispatch(
            unit_id=first.unit.id,
            co_unit_ids=[unit.id for unit in first.co],
            note=f"自动派单：{first.reasons[0].text}",
        )
        try:
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                await self._advice.keep(uow, ident, version, found)
                await self._tickets.act(uow, SYSTEM, ident, version, Action.DISPATCH, data)
        except HotlineError as error:
            if error.code == "lease_lost":
                raise
            logger.info("left to a person", extra={"ticket_id": ident, "why": error.code})
            return False
        return True


def _named(candidate: Candidate) -> bool:
    """Whether a rule or the catalogue names the unit, and not only what was done alike."""
    return candidate.reasons[0].source in NAMED_BY
