"""A whole node of the product beside a real Asterisk, with a small city in its database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.event_log import EventLogRow
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.permissions import Role
from core.settings import load_settings
from node import Node
from telephony.models import CallLeg, CallSession, PbxState
from tests.e2e.rig.asterisk import Asterisk
from tickets.models import CallbackTask, Category, TicketDraft, table_of
from web.health import phone_lights

PASSWORD = "Correct-Horse-9"
SYSTEM = Actor.system("tests")
AGENT_EXTENSIONS = range(1001, 1041)
OFFICE = (
    ("dispatcher", "周敏", Role.DISPATCHER, "hotline"),
    ("leader", "蒋志远", Role.SHIFT_LEADER, "hotline"),
    ("lights", "唐国强", Role.DEPT_OFFICER, "lights"),
    ("water", "秦岭", Role.DEPT_OFFICER, "water"),
)


def environment_for(pbx: Asterisk, var: Path) -> dict[str, str]:
    """The variables that connect a node to this PBX; everything written goes below `var`."""
    host, port, user, secret = pbx.ami
    name = str(pbx.site["system_name"])
    block = {
        "name": name,
        "host": host,
        "port": port,
        "username": user,
        "trunks": ["trunk"],
        "queue_log": str(pbx.queue_log),
        "recordings": str(pbx.recordings),
        "voicemails": str(pbx.voicemails),
    }
    return {
        "HOTLINE_PATHS__VAR": str(var),
        "HOTLINE_CLASSIFIER__STARTER": "false",
        "HOTLINE_HTTP__PORT": "0",
        "HOTLINE_TELEPHONY__SOURCE": "asterisk",
        "HOTLINE_TELEPHONY__PBX": json.dumps([block]),
        "HOTLINE_SECRETS__PBX_PASSWORDS": json.dumps({name: secret}),
    }


class Product:
    """A running node and the questions the tests ask of its database."""

    def __init__(self, node: Node, users: dict[str, int]) -> None:
        self.node = node
        self.users = users  # login -> id; agents' logins are their extensions

    @property
    def address(self) -> str:
        """Where the console is."""
        return f"http://{self.node.settings.http.host}:{self.node.port}"

    async def sessions(self) -> list[dict[str, Any]]:
        """Every call session, oldest first."""
        return await self._rows(sa.select(table_of(CallSession)).order_by(table_of(CallSession).c.id))

    async def session_of(self, caller: str) -> dict[str, Any] | None:
        """The newest session of this number."""
        async with self.node.db.read() as session:
            ref = await self.node.vault.find(session, "phone", caller)
        found = [row for row in await self.sessions() if ref is not None and row["caller_ref"] == ref]
        return found[-1] if found else None

    async def legs(self, session_id: int) -> list[dict[str, Any]]:
        """The agents' legs of one session."""
        leg = table_of(CallLeg)
        return await self._rows(sa.select(leg).where(leg.c.session_id == session_id).order_by(leg.c.id))

    async def drafts(self) -> list[dict[str, Any]]:
        """Every ticket draft."""
        return await self._rows(sa.select(table_of(TicketDraft)))

    async def callbacks(self) -> list[dict[str, Any]]:
        """Every call-back task."""
        return await self._rows(sa.select(table_of(CallbackTask)))

    async def pbx_state(self) -> dict[str, Any]:
        """What the product knows of the one PBX."""
        (state,) = await self._rows(sa.select(table_of(PbxState)))
        return state

    async def connected(self) -> bool:
        """Whether the product is in touch with the PBX and knows its state."""
        states = await self._rows(sa.select(table_of(PbxState)))
        return bool(states and states[0]["connected"])

    async def told(self, topic: str) -> list[dict[str, Any]]:
        """The live events of this topic that were sent to the screens, oldest first."""
        log = table_of(EventLogRow)
        return await self._rows(sa.select(log).where(log.c.topic == topic).order_by(log.c.id))

    async def lights(self) -> list[str]:
        """What the status line of every screen says of the telephones."""
        return [light.words for light in await phone_lights(self.node.context)]

    async def all_ended(self) -> bool:
        """No session is open."""
        return all(row["ended_at"] is not None for row in await self.sessions())

    async def _rows(self, query: Any) -> list[dict[str, Any]]:
        async with self.node.db.read() as session:
            return [dict(row._mapping) for row in await session.execute(query)]


@asynccontextmanager
async def running_product(
    pbx: Asterisk, database_url: str, var: Path, *, again: bool = False
) -> AsyncIterator[Product]:
    """A node in touch with the PBX; ended cleanly at the end of the block. `again`: its city is there."""
    node = Node(load_settings(environ=environment_for(pbx, var)), database_url)
    users = {} if again else await _people(node)
    await node.start()
    try:
        yield Product(node, users)
    finally:
        await node.stop()


async def _people(node: Node) -> dict[str, int]:
    """A hotline with an agent for every extension, its office, and two bureaus."""
    async with node.db.begin() as uow:
        city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="city")
        places = {
            "hotline": await create_unit(
                uow, SYSTEM, kind="hotline", name="12345热线中心", code="h", parent=city
            ),
            "lights": await create_unit(
                uow, SYSTEM, kind="bureau", name="市城市管理委员会", code="l", parent=city
            ),
            "water": await create_unit(uow, SYSTEM, kind="bureau", name="市水利局", code="w", parent=city),
        }
        people = [(str(one), f"话务员{one}", Role.AGENT, "hotline") for one in AGENT_EXTENSIONS]
        users = {}
        for login, name, role, unit in [*people, *OFFICE]:
            users[login] = await node.people.create_user(
                uow,
                SYSTEM,
                login=login,
                name=name,
                password=PASSWORD,
                unit_id=places[unit].id or 0,
                roles=frozenset({role}),
                extension=login if role is Role.AGENT else None,
            )
        await _categories(uow)
    return users


async def _categories(uow: UnitOfWork) -> None:
    parent: Category | None = None
    for level, (name, initials) in enumerate(
        (("城乡建设", "cxjs"), ("市政设施", "szss"), ("路灯照明", "ldzm")), 1
    ):
        full_name = f"{parent.full_name} / {name}" if parent else name
        made = Category(
            parent_id=parent.id if parent else None,
            level=level,
            code="01" * level,
            name=name,
            full_name=full_name,
            initials=initials,
            path="",
        )
        uow.session.add(made)
        await uow.session.flush()
        made.path = f"{parent.path if parent else '.'}{made.id}."
        await uow.session.flush()
        parent = made
