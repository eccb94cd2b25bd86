"""kill -9 of the node in the middle of a bulk signing of 500: each ticket is wholly signed or untouched."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from core.clock import SystemClock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from sla.plain import CityLimits
from tests.helpers import eventually
from tests.ops.node_process import NodeProcess
from tickets.forms import parse_form
from tickets.models import Category
from tickets.service import TicketService

TICKETS = 500
KILLS = 2
PASSWORD = "a-long-password"
SYSTEM = Actor.system("test")
pytestmark = pytest.mark.slow

# What a ticket is made of, as far as a signing touches it.
PARTS = """
    SELECT t.id, t.state, t.version, t.stage,
        (SELECT array_agg(h.action || h.version ORDER BY h.id) FROM ticket_history h
            WHERE h.ticket_id = t.id) AS history,
        (SELECT array_agg(e.kind || e.version ORDER BY e.id) FROM event_log e
            WHERE e.topic = 'ticket' AND e.ref = t.id) AS events,
        (SELECT array_agg(s.stage ORDER BY s.stage) FROM ticket_stage s
            WHERE s.ticket_id = t.id AND s.ended_at IS NULL) AS running,
        (SELECT bool_and(u.signed_at IS NOT NULL) FROM ticket_unit u
            WHERE u.ticket_id = t.id AND u.until IS NULL) AS signed
    FROM ticket t ORDER BY t.id
"""
UNTOUCHED = (
    *("waiting_sign", 2, "sign", ["create1", "dispatch2"], ["created1", "dispatched2"]),
    *(["contact", "sign", "total"], False),
)
SIGNED = (
    *("handling", 3, "handle", ["create1", "dispatch2", "sign3"]),
    *(["created1", "dispatched2", "changed3"], ["contact", "handle", "total"], True),
)


@dataclass
class Scene:
    """A database with 500 tickets that wait for one bureau's signature, and the node."""

    db: Database
    node: NodeProcess
    ids: list[int] = field(default_factory=list)

    async def parts(self) -> list[tuple[Any, ...]]:
        """Every ticket with all its parts, the oldest first."""
        async with self.db.read() as session:
            return [tuple(row)[1:] for row in await session.execute(sa.text(PARTS))]

    async def signed(self) -> int:
        async with self.db.read() as session:
            query = sa.text("SELECT count(*) FROM ticket WHERE state = 'handling'")
            return int((await session.execute(query)).scalar_one())


@pytest.fixture
async def scene(
    database_url: str, settings: Settings, passwords: Passwords, tmp_path: Path
) -> AsyncIterator[Scene]:
    clock = SystemClock()
    db = Database(database_url, clock=clock, bus=EventBus())
    environment = {
        "HOTLINE_DATABASE__URL": database_url,
        "HOTLINE_PATHS__VAR": str(tmp_path / "var"),
        "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "0",
    }
    node = NodeProcess(environment, tmp_path / "node.log")
    made = Scene(db, node)
    tickets = TicketService(db, clock, Vault(settings), settings, CityLimits())
    staff = PeopleService(db, clock, settings, passwords)
    async with db.begin() as uow:
        made.ids = await _dispatched(uow, staff, tickets)
    yield made
    if node.process is not None and node.process.poll() is None:
        node.kill()
    await db.close()


async def _dispatched(uow: UnitOfWork, staff: PeopleService, tickets: TicketService) -> list[int]:
    """A hotline and a bureau, and the tickets that lie with it."""
    city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
    hotline = await create_unit(uow, SYSTEM, kind="hotline", name="热线中心", code="01", parent=city)
    lights = await create_unit(uow, SYSTEM, kind="bureau", name="城市管理局", code="02", parent=city)
    actors = {}
    for login, role, unit in (
        ("agent", Role.AGENT, hotline),
        ("dispatcher", Role.DISPATCHER, hotline),
        ("lights", Role.DEPT_OFFICER, lights),
    ):
        user = await staff.create_user(
            uow, SYSTEM, login=login, name=login, password=PASSWORD, unit_id=unit.id, roles=frozenset({role})
        )
        actors[login] = await staff.actor_for_user(uow.session, user)
    category = Category(level=1, code="01", name="路灯", full_name="路灯", initials="ld", path=".")
    uow.session.add(category)
    await uow.session.flush()
    agent, dispatcher = actors["agent"], actors["dispatcher"]
    assert agent is not None
    assert dispatcher is not None
    typed = {"type": "help", "category_id": category.id, "title": "路灯不亮", "phone": "13800000001"}
    form = parse_form({**typed, "narrative": "路灯连续三晚不亮。"}, now=uow.now, phone_area="0773")
    ids = []
    for _ in range(TICKETS):
        one = await tickets.create(uow, agent, form)
        await tickets.dispatch(uow, dispatcher, one.id, one.version, lights.id or 0)
        ids.append(one.id)
    return ids


async def _sign_all(scene: Scene) -> list[dict[str, Any]]:
    """What the workbench sends; the report per ticket, nothing when the node was killed meanwhile."""
    headers = {"Origin": scene.node.url, "Accept": "application/json"}
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as http:
            login = {"login": "lights", "password": PASSWORD}
            async with http.post(scene.node.url + "/login", data=login, allow_redirects=False) as answer:
                assert answer.status in (200, 204, 302, 303), await answer.text()
            data = [("ticket", f"{ident}:2") for ident in scene.ids]
            async with http.post(scene.node.url + "/tickets/bulk/sign", data=data) as answer:
                assert answer.status == 200, await answer.text()
                rows: list[dict[str, Any]] = (await answer.json())["rows"]
                return rows
    except (aiohttp.ClientError, OSError):
        return []


async def _at_least(scene: Scene, number: int) -> bool:
    return await scene.signed() >= number


async def test_each_ticket_of_a_killed_bulk_signing_is_wholly_signed_or_untouched(scene: Scene) -> None:
    moments = random.Random(500)
    assert await scene.parts() == [UNTOUCHED] * TICKETS
    for kill in range(1, KILLS + 1):
        await scene.node.start()
        work = asyncio.create_task(_sign_all(scene))
        # Somewhere in the middle: behind what the lives before had signed, and before the end.
        moment = moments.randrange(*(TICKETS * part // 8 for part in (3 * kill - 2, 3 * kill)))
        await eventually(partial(_at_least, scene, moment), within=60, what=f"{moment} are signed")
        scene.node.kill()
        assert await work == []
        parts = await scene.parts()
        done = parts.count(SIGNED)
        assert moment <= done < TICKETS
        assert [part for part in parts if part not in (UNTOUCHED, SIGNED)] == []

    await scene.node.start()  # sent again, as a person would: nothing is signed twice
    report = await _sign_all(scene)
    assert [row["id"] for row in report if not row["done"]] == []
    assert await scene.parts() == [SIGNED] * TICKETS
    assert await scene.node.stop() == 0
