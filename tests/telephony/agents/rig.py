"""A hotline with three agents and a leader, the rows of their states, and a node beside a simulated PBX."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.catalog.models import CallQueue, CallQueueMember
from core.clock import Clock, SystemClock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.leadership import Lease
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Leadership, Pbx, Settings
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession, WrapUp
from telephony.agents.service import AgentService
from telephony.models import AgentState
from telephony.service import TelephonyService
from telephony.simulator import Did, PbxConfig, QueueConfig, Simulator
from telephony.simulator.actions import answer
from telephony.simulator.floor import Manner
from tests.helpers import eventually

SYSTEM = Actor.system("test")
EXTENSIONS = ("1001", "1002", "1003")
QUEUES = ("hotline", "expert", "business", "dialect", "callback")
TABLES: dict[str, sa.Table] = {
    "session": table_of(AgentSession),
    "interval": table_of(AgentInterval),
    "wrap_up": table_of(WrapUp),
    "pbx": table_of(AgentState),
}


async def people_of(uow: UnitOfWork, people: PeopleService) -> dict[str, Actor]:
    """By login: agents 1001 to 1003, who may take every queue, and their leader."""
    city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
    found: dict[str, Actor] = {}
    for login in (*EXTENSIONS, "leader"):
        user = await people.create_user(
            uow, SYSTEM, login=login, name=f"员{login}", password="a-long-password", unit_id=city.id,
            roles=frozenset({Role.SHIFT_LEADER if login == "leader" else Role.AGENT}),
            extension=None if login == "leader" else login,
        )  # fmt: skip
        actor = await people.actor_for_user(uow.session, user)
        assert actor is not None
        found[login] = actor
    await members(uow, [actor for login, actor in found.items() if login != "leader"])
    return found


async def members(uow: UnitOfWork, actors: Sequence[Actor], queues: Sequence[str] = QUEUES) -> None:
    """Put these people into the hotline's plan of these queues."""
    queue, member = table_of(CallQueue), table_of(CallQueueMember)
    rows = await uow.session.execute(sa.select(queue.c.id).where(queue.c.name.in_(queues)))
    values = [
        {"queue_id": ident, "user_id": actor.user_id, "penalty": 0}
        for ident in rows.scalars()
        for actor in actors
    ]
    await uow.session.execute(sa.insert(member), values)


async def rows_of(db: Database, name: str, **where: Any) -> list[dict[str, Any]]:
    """The rows of one of TABLES, in order."""
    table = TABLES[name]
    query = sa.select(table).where(*(table.c[key] == value for key, value in where.items()))
    order = table.c.id if "id" in table.c else table.c.extension
    async with db.read() as session:
        return [dict(row) for row in (await session.execute(query.order_by(order))).mappings()]


async def line_of(db: Database, user_id: int | None) -> list[str]:
    """The states of a person's intervals in order; fails where they leave a gap or overlap."""
    found = await rows_of(db, "interval", user_id=user_id)
    for before, after in itertools.pairwise(found):
        if before["agent_session_id"] == after["agent_session_id"]:
            assert before["ended_at"] == after["started_at"], (before, after)
    return [row["state"] if row["reason"] is None else f"{row['state']}:{row['reason']}" for row in found]


@dataclass
class Floor:
    """A running service beside a simulator, and the people at its telephones."""

    db: Database
    simulator: Simulator
    service: TelephonyService
    actors: dict[str, Actor]
    settings: Settings
    lease: Lease
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let the node work, until its queues are being kept."""
        self.service.followers.clear()
        self._task = asyncio.create_task(self.service.run(self.lease))
        await eventually(self._keeps, what="the queues are kept")

    async def stop(self) -> None:
        """The node's death."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _keeps(self) -> bool:
        follower = self.service.followers.get("pbx1")
        return follower is not None and follower.steward is not None and follower.steward.generation > 0

    @property
    def agents(self) -> AgentService:
        return self.service.agents

    async def act(self, name: str, login: str, *args: Any, **kwargs: Any) -> None:
        """One act of one person, in a transaction of its own."""

        async def work(uow: UnitOfWork) -> None:
            await getattr(self.agents, name)(uow, self.actors[login], *args, **kwargs)

        await self.db.retrying(work)

    async def state(self, login: str) -> str:
        """The state of the interval under way."""
        found = await rows_of(self.db, "interval", user_id=self.actors[login].user_id, ended_at=None)
        return found[-1]["state"] if found else "signed_out"

    def places(self, extension: str) -> dict[str, tuple[bool, str]]:
        """How the simulated PBX has a telephone: by queue, whether paused and why."""
        found = self.simulator.pbx.places(f"PJSIP/{extension}")
        return {member.queue: (member.paused, member.reason) for member in found}

    def order(self, name: str, **headers: str) -> None:
        """An action somebody else gives the PBX."""
        reply = answer(self.simulator.floor, [("Action", name), *headers.items()])
        assert dict(reply.messages[0])["Response"] == "Success", reply.messages
        if reply.then:
            reply.then()


def floor_config(fixed: Sequence[str] = ()) -> PbxConfig:
    """The five queues; `fixed` telephones are members of the first by configuration."""
    return PbxConfig(
        queues=tuple(
            QueueConfig(name, tuple(fixed) if name == "hotline" else (), timeout=0.5) for name in QUEUES
        ),
        dids=(Did("12345", "hotline", 60.0),),
    )


@contextlib.asynccontextmanager
async def floor(
    url: str, settings: Settings, *, fixed: Sequence[str] = (), clock: Clock | None = None
) -> AsyncIterator[Floor]:
    """A floor for the length of the block, on the machine's own clock."""
    bus, clock = EventBus(), clock or SystemClock()
    db = Database(url, clock=clock, bus=bus, pool_size=5)
    vault = Vault(settings)
    vault.lend(db)
    passwords = Passwords(cheap=True)
    people = PeopleService(db, clock, settings, passwords)
    simulator = Simulator(clock=SystemClock(), config=floor_config(fixed), manner=Manner(miss=0.0))
    port = await simulator.start()
    async with db.begin() as uow:
        actors = await people_of(uow, people)
    service = TelephonyService(db, clock, vault, people, settings)
    service.wire(bus)
    service.use([Pbx(name="pbx1", port=port)], {"pbx1": simulator.secret})
    lease = Lease(db, "telephony", "node-1", Leadership(lease_seconds=3600, self_fence_seconds=1800), clock)
    assert await lease.try_take()
    made = Floor(db, simulator, service, actors, settings, lease)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        await simulator.stop()
        passwords.close()
        await db.close()
