"""A small city: a hotline with agents, two bureaus, a district with a street, one category."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from core.db import Database
from core.people.actor import Actor
from core.people.models import Unit
from core.people.org import create_unit
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from sla.measures.counters import Counters
from sla.plain import CityLimits
from telephony.models import CallSession
from tickets.callbacks import CallbackService
from tickets.drafts import DraftService
from tickets.limits import Limits
from tickets.models import Category, table_of
from tickets.service import NewTicket, TicketService

SYSTEM = Actor.system("test")
PASSWORD = "a-long-password"


@dataclass
class City:
    """Who and what there is; every service, ready to use."""

    db: Database
    vault: Vault
    tickets: TicketService
    drafts: DraftService
    callbacks: CallbackService
    people: PeopleService
    settings: Settings
    limits: Limits
    units: dict[str, Unit] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    category_id: int = 0

    def form(self, **over: Any) -> dict[str, Any]:
        """A complete form."""
        return {
            "type": "help",
            "category_id": self.category_id,
            "title": "中山路路灯不亮",
            "narrative": "市民来电反映中山路与三里店大道交叉口一带路灯连续三晚不亮。",
            "phone": "13800000001",
            "citizen_name": "王小明",
        } | over

    def unit(self, key: str) -> int:
        """The id of a unit."""
        return self.units[key].id or 0

    def user(self, key: str) -> int:
        """The id of a user."""
        return self.actors[key].user_id or 0

    async def ticket(self, **over: Any) -> NewTicket:
        """A ticket made the ordinary way, from a draft of its own."""
        actor = self.actors["agent"]
        async with self.db.begin() as uow:
            draft = await self.drafts.open_manual(uow, actor)
            return await self.tickets.create_from_draft(uow, actor, draft, self.form(**over), 1)

    async def dispatched(self, unit: str, **over: Any) -> NewTicket:
        """A ticket that lies with `unit`."""
        made = await self.ticket(**over)
        async with self.db.begin() as uow:
            await self.tickets.dispatch(uow, self.actors["dispatcher"], made.id, 1, self.unit(unit))
        return made

    async def call(self, number: str = "13800000001", *, at: datetime | None = None, key: str = "k") -> Any:
        """A stored inbound call; returns (session id, caller ref)."""
        async with self.db.begin() as uow:
            caller = await self.vault.put(uow, "phone", number)
            values = {
                "pbx": "pbx1",
                "session_key": f"{key}-{number}",
                "direction": "inbound",
                "caller_ref": caller.id,
                "caller_kind": "mobile",
                "state": "ended",
                "queues": [],
                "transfers": [],
                "linkedids": [],
                "started_at": at or uow.now,
                "ended_at": at,
                "version": 1,
            }
            statement = sa.insert(table_of(CallSession)).values(**values)
            made = await uow.session.execute(statement.returning(table_of(CallSession).c.id))
            return made.scalar_one(), caller.id

    async def scalar(self, statement: str, **values: Any) -> Any:
        async with self.db.read() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one()


UNITS = (
    ("city", "city", "桂林市", None),
    ("hotline", "hotline", "12345热线中心", "city"),
    ("lights", "bureau", "市城市管理委员会", "city"),
    ("water", "bureau", "供水公司", "city"),
    ("qixing", "district", "七星区", "city"),
    ("sanlidian", "town", "三里店街道", "qixing"),
    ("xiangshan", "district", "象山区", "city"),
)
USERS = (
    ("agent", Role.AGENT, "hotline", "1001"),
    ("agent2", Role.AGENT, "hotline", "1002"),
    ("leader", Role.SHIFT_LEADER, "hotline", None),
    ("dispatcher", Role.DISPATCHER, "hotline", None),
    ("callback", Role.CALLBACK_OFFICER, "hotline", None),
    ("supervision", Role.SUPERVISION_OFFICER, "hotline", None),
    ("lights", Role.DEPT_OFFICER, "lights", None),
    ("lights_head", Role.DEPT_HEAD, "lights", None),
    ("water", Role.DEPT_OFFICER, "water", None),
    ("district", Role.DEPT_OFFICER, "qixing", None),
    ("street", Role.DEPT_OFFICER, "sanlidian", None),
    ("admin", Role.SYSTEM_ADMIN, "hotline", None),
    ("security", Role.SECURITY_ADMIN, "hotline", None),
    ("audit", Role.AUDIT_ADMIN, "hotline", None),
    ("inspector", Role.INSPECTOR, "city", None),
    ("editor", Role.KNOWLEDGE_EDITOR, "hotline", None),
)


@pytest.fixture
async def city(database: Database, vault: Vault, settings: Settings, people: PeopleService) -> City:
    clock = database.clock
    limits = CityLimits()
    tickets = TicketService(database, clock, vault, settings, limits, Counters())
    made = City(
        database,
        vault,
        tickets,
        DraftService(database, clock, vault, settings, tickets),
        CallbackService(settings),
        people,
        settings,
        limits,
    )
    async with database.begin() as uow:
        for key, kind, name, parent in UNITS:
            above = made.units.get(parent or "")
            made.units[key] = await create_unit(uow, SYSTEM, kind=kind, name=name, code=key, parent=above)
        category = Category(
            level=1, code="01", name="市政", full_name="市政", initials="sz", path=".1.", active=True
        )
        uow.session.add(category)
        await uow.session.flush()
        category.path = f".{category.id}."
        made.category_id = category.id or 0
        ids = {}
        for login, role, unit, extension in USERS:
            ids[login] = await people.create_user(
                uow,
                SYSTEM,
                login=login,
                name=login,
                password=PASSWORD,
                unit_id=made.unit(unit),
                roles=frozenset({role}),
                extension=extension,
            )
    async with database.read() as session:
        for login, user_id in ids.items():
            actor = await people.actor_for_user(session, user_id)
            assert actor is not None
            made.actors[login] = actor
    return made


Refused = Callable[[str, Awaitable[Any]], Awaitable[dict[str, Any]]]


@pytest.fixture
def refused() -> Refused:
    """`await refused(code, coroutine)`: it must raise that HotlineError; returns its params."""
    from core.errors import HotlineError

    async def check(code: str, work: Awaitable[Any]) -> dict[str, Any]:
        with pytest.raises(HotlineError) as caught:
            await work
        assert caught.value.code == code, caught.value
        return caught.value.params

    return check
