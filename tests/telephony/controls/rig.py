"""A telephony service on a simulated PBX in real time, agents with accounts, and orders about their calls."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa

from core.clock import Clock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.leadership import Lease
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Leadership, Pbx, Settings
from core.tables import table_of
from telephony.controls import orders
from telephony.controls.models import CallMark, CallOrder
from telephony.controls.terms import Act, target_of
from telephony.models import CallLeg, CallSession
from telephony.service import TelephonyService
from telephony.simulator import Simulator
from telephony.simulator.floor import Manner
from telephony.simulator.inbound import InboundCall
from telephony.simulator.simulator import city_pbx
from tests.helpers import eventually

SYSTEM = Actor.system("test")
CALL, LEG, MARK, ORDER = (table_of(one) for one in (CallSession, CallLeg, CallMark, CallOrder))
CITIZEN = "13800000001"


class Floor:
    """Agents 1001 to 1003, the leader at 1004, and a simulated PBX whose telephones are picked up at once."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        bus: EventBus,
        vault: Vault,
        people: PeopleService,
        settings: Settings,
    ) -> None:
        self.db, self.vault, self.people = db, vault, people
        self.service = TelephonyService(db, clock, vault, people, settings)
        self.service.wire(bus)
        self.lease = Lease(db, "telephony", "node-1", Leadership(lease_seconds=3600), clock)
        self.simulator = Simulator(
            config=city_pbx(agents=4), manner=Manner(pick_up=0.05, spread=0.01, miss=0.0)
        )
        self.actors: dict[str, Actor] = {}
        self.session_id = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Floor"]:
        """Everything runs within the block."""
        await self._people()
        assert await self.lease.try_take()
        port = await self.simulator.start()
        self.service.use([Pbx(name="sim", port=port)], {"sim": self.simulator.secret})
        task = asyncio.create_task(self.service.run(self.lease))
        try:
            await eventually(lambda: "sim" in self.service.lines and self.service.lines["sim"].connected)
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.simulator.stop()

    async def _people(self) -> None:
        async with self.db.begin() as uow:
            city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
            for number in range(1001, 1005):
                role = Role.SHIFT_LEADER if number == 1004 else Role.AGENT
                user = await self.people.create_user(
                    uow, SYSTEM, login=str(number), name=f"坐席{number}", password="a-long-password",
                    unit_id=city.id, roles=frozenset({role}), extension=str(number),
                )  # fmt: skip
                actor = await self.people.actor_for_user(uow.session, user)
                assert actor is not None
                self.actors[str(number)] = actor

    async def talk(self, agent: str = "1001", talk: float = 600.0) -> InboundCall:
        """A citizen talks with `agent`, and the database knows."""
        call = self.simulator.place_call(CITIZEN, "王小明", agent=agent, answer_after=0.02, talk=talk)
        row = await eventually(lambda: self._session_of(agent), what="the talk is known")
        self.session_id = row["id"]
        return call

    async def _session_of(self, agent: str) -> dict[str, Any] | None:
        query = sa.select(CALL).join(LEG, LEG.c.session_id == CALL.c.id)
        query = query.where(LEG.c.extension == agent, LEG.c.state == "talking", CALL.c.ended_at.is_(None))
        async with self.db.read() as session:
            row = (await session.execute(query)).mappings().first()
        return dict(row) if row is not None else None

    async def order(
        self, act: str, kind: str = "", value: str = "", *, by: str = "1001", token: str = ""
    ) -> int:
        """Order an act; returns the order's id."""
        wanted = Act(act)
        target = target_of(wanted, kind, value) if kind else None

        async def work(uow: UnitOfWork) -> int:
            return await orders.place(
                uow,
                self.vault,
                self.actors[by],
                wanted,
                self.session_id,
                token or secrets.token_hex(8),
                target,
            )

        async with self.db.begin() as uow:
            return await work(uow)

    async def outcome(self, ident: int) -> tuple[str, str | None]:
        """How the order ended."""

        async def over() -> tuple[str, str | None] | None:
            async with self.db.read() as session:
                query = sa.select(ORDER.c.state, ORDER.c.why).where(ORDER.c.id == ident)
                state, why = (await session.execute(query)).one()
            return (state, why) if state in ("done", "failed", "late") else None

        found: tuple[str, str | None] = await eventually(over, within=15, what="the order ends")
        return found

    async def done(self, act: str, kind: str = "", value: str = "", *, by: str = "1001") -> int:
        ident = await self.order(act, kind, value, by=by)
        assert await self.outcome(ident) == ("done", None)
        return ident

    async def marks(self) -> list[str]:
        async with self.db.read() as session:
            query = sa.select(MARK.c.kind).where(MARK.c.session_id == self.session_id).order_by(MARK.c.id)
            return list((await session.execute(query)).scalars())

    async def row(self) -> dict[str, Any]:
        """The session, once it has ended."""

        async def ended() -> dict[str, Any] | None:
            async with self.db.read() as session:
                query = sa.select(CALL).where(CALL.c.id == self.session_id, CALL.c.ended_at.is_not(None))
                row = (await session.execute(query)).mappings().first()
            return dict(row) if row is not None else None

        found: dict[str, Any] = await eventually(ended, what="the session ends")
        return found

    async def legs(self) -> dict[str, dict[str, Any]]:
        async with self.db.read() as session:
            rows = (
                await session.execute(sa.select(LEG).where(LEG.c.session_id == self.session_id))
            ).mappings()
            return {row["extension"]: dict(row) for row in rows}
