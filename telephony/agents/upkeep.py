"""What ends by itself: work after calls at its deadline, and sessions whose account or call is gone.

The deadline is a row, so it holds whether or not a page is open and whichever node leads; it is told
as of its own time, however late somebody comes to it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Select, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.models import User
from core.tables import table_of
from telephony.agents import machine, store
from telephony.agents.machine import Leg, SignOut
from telephony.agents.service import AgentService
from telephony.agents.store import OPEN, SESSION, WRAP, Held
from telephony.models import CallSession

logger = logging.getLogger(__name__)
USER, CALL = table_of(User), table_of(CallSession)
POLL_SECONDS = 0.5
SWEEP_EVERY = 20  # polls
Act = Callable[[UnitOfWork, Held], Awaitable[None]]


class Upkeep:
    """Runs on the node that leads telephony."""

    def __init__(self, db: Database, lease: Lease, agents: AgentService) -> None:
        self._db = db
        self._lease = lease
        self._agents = agents

    async def run(self) -> None:
        """Until cancelled."""
        polls = 0
        while True:
            try:
                await self.deadlines()
                if polls % SWEEP_EVERY == 0:
                    await self.sweep()
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning("agents' deadlines not kept yet", extra={"error": type(error).__name__})
            polls += 1
            await asyncio.sleep(POLL_SECONDS)

    async def deadlines(self) -> None:
        """End the work after calls whose time is over."""
        now = self._db.clock.now()
        ids = await self._ids(
            select(WRAP.c.agent_session_id).where(WRAP.c.ended_at.is_(None), WRAP.c.ends_at <= now)
        )
        for ident in ids:
            await self._with(ident, _end_wrap_up)

    async def sweep(self) -> None:
        """Sign out whose account or telephone is no longer theirs; end calls that were over unheard."""
        query = select(SESSION.c.id).join(USER, USER.c.id == SESSION.c.user_id)
        moved = USER.c.extension.is_distinct_from(SESSION.c.extension)
        for ident in await self._ids(query.where(OPEN, ~USER.c.active | moved)):
            await self._with(ident, self._account_gone)
        for ident in await self._unheard():
            await self._with(ident, self._calls_over)

    async def _unheard(self) -> list[int]:
        """Sessions that hold a call that has ended."""
        goes_on = func.jsonb_path_exists(SESSION.c.calls, text("'$.* ? (@.phase != \"gone\")'"))
        async with self._db.read() as session:
            rows = (await session.execute(select(SESSION.c.id, SESSION.c.calls).where(OPEN, goes_on))).all()
            held = {row.id: {int(call) for call in row.calls} for row in rows}
            calls = set().union(*held.values())
            query = select(CALL.c.id).where(CALL.c.id.in_(calls), CALL.c.ended_at.is_not(None))
            over = set((await session.execute(query)).scalars()) if calls else set[int]()
        return [ident for ident, its in held.items() if its & over]

    async def _ids(self, query: Select[tuple[int]]) -> list[int]:
        async with self._db.read() as session:
            return list((await session.execute(query)).scalars())

    async def _with(self, ident: int, act: Act) -> None:
        async def work(uow: UnitOfWork) -> None:
            await self._lease.fence(uow)
            for held in await store.lock(uow, SESSION.c.id == ident):
                await act(uow, held)

        await self._db.retrying(work)

    async def _account_gone(self, uow: UnitOfWork, held: Held) -> None:
        await store.apply(uow, held, [(uow.now, SignOut("account"))], self._agents.rules)

    async def _calls_over(self, uow: UnitOfWork, held: Held) -> None:
        live = held.agent.live
        if not live:
            return
        query = select(CALL.c.id, CALL.c.version, CALL.c.ended_at)
        query = query.where(CALL.c.id.in_(live), CALL.c.ended_at.is_not(None))
        for row in (await uow.session.execute(query)).all():
            leg = Leg(row.id, row.version, outbound=live[row.id].outbound, over=min(row.ended_at, uow.now))
            await store.apply(uow, held, [(uow.now, leg)], self._agents.rules)


async def _end_wrap_up(uow: UnitOfWork, held: Held) -> None:
    await store.write(uow, held, machine.deadline(held.agent, uow.now, held.row["changed_at"]))
