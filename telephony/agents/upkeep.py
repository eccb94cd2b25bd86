"""What ends by itself: work after calls at its deadline, and sessions whose account or call is gone.

The deadline is a row, so it holds whether or not a page is open and whichever node leads; it is told
as of its own time, however late somebody comes to it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

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
from telephony.agents.store import OPEN, SESSION, Held
from telephony.models import CallSession

logger = logging.getLogger(__name__)
USER, CALL = table_of(User), table_of(CallSession)
POLL_SECONDS = 0.5
SHORTEST = 0.05  # seconds between two looks, however many deadlines are near
SWEEP_SECONDS = 10.0
_NEAR = (
    "SELECT agent_session_id, ends_at FROM wrap_up WHERE ended_at IS NULL AND ends_at <= $1 ORDER BY ends_at"
)
Act = Callable[[UnitOfWork, Held], Awaitable[None]]


class Upkeep:
    """Runs on the node that leads telephony."""

    def __init__(self, db: Database, lease: Lease, agents: AgentService) -> None:
        self._db = db
        self._lease = lease
        self._agents = agents

    async def run(self) -> None:
        """Until cancelled."""
        swept, rest = float("-inf"), POLL_SECONDS
        while True:
            try:
                rest = await self.deadlines()
                if self._db.clock.monotonic() - swept >= SWEEP_SECONDS:
                    await self.sweep()
                    swept = self._db.clock.monotonic()
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning("agents' deadlines not kept yet", extra={"error": type(error).__name__})
                rest = POLL_SECONDS
            await asyncio.sleep(rest)

    async def deadlines(self) -> float:
        """End the work after calls whose time is over; returns the seconds until it is worth a look again."""
        now = self._db.clock.now()
        near = await self._db.fetch(_NEAR, now + timedelta(seconds=POLL_SECONDS))
        for row in near:
            if row["ends_at"] <= now:
                await self._with(row["agent_session_id"], _end_wrap_up)
        left = (row["ends_at"] - self._db.clock.now() for row in near if row["ends_at"] > now)
        rest = min((one.total_seconds() for one in left), default=POLL_SECONDS)
        return max(rest, SHORTEST)

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
