"""The demo city with its simulated colleagues, calls told by the test, time moved by the test."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from core.clock import ManualClock, SystemClock
from core.db import Database
from core.leadership import Lease
from core.people.passwords import Passwords
from core.people.service import NewSession, PeopleService
from core.privacy import Vault
from core.settings import Leadership, Settings
from routing.demo.colleagues import Colleagues
from sla.plain import CityLimits
from telephony.events import CallAnswered, CallEnded
from telephony.models import CallSession
from tests.conftest import _execute as execute
from tickets.callbacks import CallbackService
from tickets.drafts import DraftService
from tickets.models import table_of
from tickets.service import TicketService

_call = table_of(CallSession)


@asynccontextmanager
async def cloned(admin_url: str, template: str) -> AsyncIterator[str]:
    """The name of a copy of a database, dropped at the end."""
    name = f"demo_{uuid4().hex[:12]}"
    await execute(admin_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        await execute(admin_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def held_lease(db: Database) -> Lease:
    """The lease of the scheduler, for the length of a test."""
    lease = Lease(db, "scheduler", "test", Leadership(lease_seconds=3600), SystemClock())
    assert await lease.try_take()
    return lease


@dataclass
class Demo:
    """The part of a node that the demo needs."""

    db: Database
    vault: Vault
    people: PeopleService
    settings: Settings
    tickets: TicketService
    drafts: DraftService
    callbacks: CallbackService
    clock: ManualClock
    colleagues: Colleagues = field(init=False)

    async def sign_in(self, login: str) -> NewSession:
        """Somebody really sits down at a browser."""
        password = self.settings.secrets.demo_password
        return await self.people.authenticate(login, password, source="127.0.0.1")

    async def pass_time(self, seconds: float, step: float = 20.0) -> None:
        """Let time go by, the colleagues looking into the tables every `step` seconds."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await self.colleagues.work()

    async def answered(self, login: str | None, number: str | None = "13807730001") -> int:
        """A citizen's call is answered at somebody's desk; returns the session.

        Without a login: at a telephone that belongs to nobody; without a number: by somebody unknown.
        """
        found = await self.rows("SELECT id, extension FROM user_account WHERE login = :l", l=login)
        user, extension = found[0] if found else (None, "1099")
        async with self.db.begin() as uow:
            caller = (await self.vault.put(uow, "phone", number)).id if number else None
            values = {
                "pbx": "simulator",
                "session_key": f"{random.random()}",
                "direction": "inbound",
                "caller_ref": caller,
                "caller_kind": "mobile" if number else "anonymous",
                "state": "talking",
                "queues": ["hotline"],
                "transfers": [],
                "linkedids": [],
                "started_at": uow.now - timedelta(seconds=20),
                "queued_at": uow.now - timedelta(seconds=15),
                "answered_at": uow.now,
                "version": 3,
            }
            made = await uow.session.execute(sa.insert(_call).values(**values).returning(_call.c.id))
            session_id = int(made.scalar_one())
            await uow.emit(CallAnswered(session_id, "simulator", extension, user, caller, 3))
        return session_id

    async def hung_up(self, session_id: int) -> None:
        """The call is over."""
        async with self.db.begin() as uow:
            values = {"state": "ended", "outcome": "answered", "ended_at": uow.now, "version": 4}
            await uow.session.execute(sa.update(_call).where(_call.c.id == session_id).values(**values))
            await uow.emit(CallEnded(session_id, "answered", (), 4))

    async def call(
        self, login: str | None, number: str | None = "13807730001", *, talk: float = 120.0
    ) -> int:
        """A whole call of `talk` seconds; returns the id of its draft."""
        session_id = await self.answered(login, number)
        self.clock.advance(talk)
        await self.hung_up(session_id)
        return int(await self.one("SELECT id FROM ticket_draft WHERE call_session_id = :i", i=session_id))

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.db.read() as session:
            return list((await session.execute(sa.text(statement), values)).all())

    async def one(self, statement: str, **values: Any) -> Any:
        return (await self.rows(statement, **values))[0][0]


def demo_of(db: Database, settings: Settings, passwords: Passwords) -> Demo:
    """Services as a node builds them."""
    clock, vault = db.clock, Vault(settings)
    assert isinstance(clock, ManualClock)
    vault.lend(db)
    args = (db, clock, vault, settings)
    tickets = TicketService(*args, CityLimits())
    return Demo(
        db,
        vault,
        PeopleService(db, clock, settings, passwords),
        settings,
        tickets,
        DraftService(*args, tickets),
        CallbackService(settings),
        clock,
    )
