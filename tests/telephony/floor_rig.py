"""A floor set by hand: people of two hotlines, signed in, in any state, with calls waiting and going on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.db import Database, UnitOfWork
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession, WrapUp
from telephony.models import CallLeg, CallSession

SYSTEM = Actor.system("tests")
_session, _interval, _wrap_up = table_of(AgentSession), table_of(AgentInterval), table_of(WrapUp)
_call, _leg = table_of(CallSession), table_of(CallLeg)


@dataclass
class Hand:
    """Writes what telephony would have written."""

    db: Database
    vault: Vault
    sessions: dict[int, int] = field(default_factory=dict)
    extensions: dict[int, str] = field(default_factory=dict)
    made: int = 0

    async def sign_in(
        self,
        user_id: int,
        extension: str,
        at: datetime,
        *,
        queues: tuple[str, ...] = ("hotline",),
        **more: Any,
    ) -> int:
        """Open the person's session; no state yet."""
        values = {
            "user_id": user_id, "extension": extension, "pbx": "pbx1", "queues": list(queues),
            "signed_in_at": at, "wish": "ready", "missed": 0, "reachable": True, "paused": False,
            "pause_reason": "", "calls": {}, "changed_at": at, "version": 1, **more,
        }  # fmt: skip
        async with self.db.begin() as uow:
            made = await uow.session.execute(sa.insert(_session).values(**values).returning(_session.c.id))
            self.sessions[user_id] = int(made.scalar_one())
        self.extensions[user_id] = extension
        return self.sessions[user_id]

    async def state(self, user_id: int, state: str, at: datetime, **more: Any) -> None:
        """From `at` on the person is in this state."""
        async with self.db.begin() as uow:
            mine = _interval.c.agent_session_id == self.sessions[user_id]
            await uow.session.execute(
                sa.update(_interval).where(mine, _interval.c.ended_at.is_(None)).values(ended_at=at)
            )
            values = {
                "agent_session_id": self.sessions[user_id], "user_id": user_id,
                "extension": self.extensions[user_id], "state": state, "started_at": at, **more,
            }  # fmt: skip
            await uow.session.execute(sa.insert(_interval).values(**values))

    async def sign_out(self, user_id: int, at: datetime) -> None:
        """The session ends."""
        async with self.db.begin() as uow:
            mine = _interval.c.agent_session_id == self.sessions[user_id]
            await uow.session.execute(
                sa.update(_interval).where(mine, _interval.c.ended_at.is_(None)).values(ended_at=at)
            )
            ended = {"signed_out_at": at, "ended_by": "self"}
            await uow.session.execute(
                sa.update(_session).where(_session.c.id == self.sessions[user_id]).values(**ended)
            )

    async def wrapped(self, user_id: int, at: datetime, seconds: float) -> None:
        """Work after a call that took so long."""
        end = at + timedelta(seconds=seconds)
        values = {
            "agent_session_id": self.sessions[user_id], "user_id": user_id, "ends_at": end, "ended_at": end,
            "extension": self.extensions[user_id], "started_at": at, "note": "", "extended": 0,
            "logged": False,
        }  # fmt: skip
        async with self.db.begin() as uow:
            await uow.session.execute(sa.insert(_wrap_up).values(**values))

    async def call(self, number: str | None, at: datetime, **more: Any) -> int:
        """A call of a citizen, waiting in the queue unless told otherwise."""
        self.made += 1
        async with self.db.begin() as uow:
            ref = (await self.vault.put(uow, "phone", number)).id if number else None
            values = {
                "pbx": "pbx1", "session_key": f"floor{self.made}", "direction": "inbound", "caller_ref": ref,
                "caller_kind": "mobile" if number else "anonymous", "queues": ["hotline"], "transfers": [],
                "linkedids": [], "started_at": at, "queued_at": at, "version": 1, "state": "waiting", **more,
            }  # fmt: skip
            made = await uow.session.execute(sa.insert(_call).values(**values).returning(_call.c.id))
            return int(made.scalar_one())

    async def leg(self, call_id: int, user_id: int, at: datetime, **more: Any) -> None:
        """This person's telephone in a call: talking since `at` unless told otherwise."""
        extension = self.extensions[user_id]
        values = {
            "session_id": call_id, "leg_key": extension, "extension": extension, "user_id": user_id,
            "state": "talking", "ring_seconds": 2, "talk_seconds": 0, "hold_seconds": 0, "rang_at": at,
            "answered_at": at, **more,
        }  # fmt: skip
        async with self.db.begin() as uow:
            await uow.session.execute(sa.insert(_leg).values(**values))
            if values["state"] == "talking":
                talks = {"state": "talking", "answered_at": at}
                await uow.session.execute(sa.update(_call).where(_call.c.id == call_id).values(**talks))


@dataclass
class Houses:
    """Two hotlines of a city and somebody above both."""

    leader: Actor
    agent: Actor
    colleague: Actor
    other_leader: Actor
    stranger: Actor
    inspector: Actor


async def houses(database: Database, people: PeopleService) -> Houses:
    """Accounts in two hotlines, an inspector of the city."""
    ids: dict[str, int] = {}
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        first = await org.create_unit(uow, SYSTEM, kind="hotline", name="市热线中心", code="h1", parent=city)
        second = await org.create_unit(uow, SYSTEM, kind="hotline", name="县热线中心", code="h2", parent=city)
        for login, role, unit, extension in (
            ("leader", Role.SHIFT_LEADER, first, "1901"),
            ("agent", Role.AGENT, first, "1001"),
            ("colleague", Role.AGENT, first, "1002"),
            ("other_leader", Role.SHIFT_LEADER, second, "2901"),
            ("stranger", Role.AGENT, second, "2001"),
            ("inspector", Role.INSPECTOR, city, None),
        ):
            ids[login] = await _account(people, uow, login, role, unit.id, extension)
    async with database.read() as session:
        found = {login: await people.actor_for_user(session, ident) for login, ident in ids.items()}
    return Houses(**{login: actor for login, actor in found.items() if actor is not None})


async def _account(
    people: PeopleService, uow: UnitOfWork, login: str, role: Role, unit_id: int, extension: str | None
) -> int:
    return await people.create_user(
        uow, SYSTEM, login=login, name=f"名{login}", password="Correct-Horse-9", unit_id=unit_id,
        roles=frozenset({role}), extension=extension,
    )  # fmt: skip
