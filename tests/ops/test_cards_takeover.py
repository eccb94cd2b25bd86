"""Two nodes in the middle of a thousand due cards: the leader is killed, or frozen and awake again.

Each card is issued once, the other node goes on within five seconds (by the database's time), and the one
that was frozen writes nothing when it wakes. Cards are made to take their time, so that there is a middle.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.db import Database
from core.events import EventBus
from core.people.org import create_unit
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from sla.plain import CityLimits
from tests.helpers import eventually
from tests.ops.node_process import NodeProcess
from tests.ops.test_bulk_kill import PASSWORD, SYSTEM
from tickets.forms import parse_form
from tickets.models import Category
from tickets.service import TicketService

CLOCKS = 1_000
TAKE_OVER = timedelta(seconds=5)
pytestmark = pytest.mark.slow

# Clocks of the ticket that have one step to issue: half of an hour is used up, the due time is far away.
CLOCKS_OF = """
    INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at, due_at, "limit", policy)
    SELECT $1, 'co_opinion', 1, $2, now() - interval '31 hours', now() + interval '29 hours', '60h', 'test'
    FROM generate_series(1, $3)
"""
FALL_DUE = "UPDATE ticket_stage SET alarm_at = now() WHERE policy = 'test'"
SLOWLY = (
    "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_sleep(0.004); RETURN NEW; END $$",
    "CREATE TRIGGER card_takes_time BEFORE INSERT ON card FOR EACH ROW EXECUTE FUNCTION take_time()",
)


@dataclass
class Scene:
    """A database with a thousand clocks, and two nodes of which one leads."""

    db: Database
    nodes: dict[str, NodeProcess]

    async def number(self, statement: str) -> int:
        return int((await self.db.fetch(statement))[0][0])

    async def cards(self) -> int:
        return await self.number("SELECT count(*) FROM card")

    async def leader(self) -> NodeProcess:
        """The node that holds the lease."""
        (row,) = await self.db.fetch("SELECT owner FROM lease WHERE role = 'scheduler' AND until > now()")
        return self.nodes[row["owner"].partition(":")[0]]

    async def in_the_middle(self) -> bool:
        return 0 < await self.cards() < CLOCKS

    async def all_issued(self) -> bool:
        return await self.cards() >= CLOCKS


@pytest.fixture
async def scene(
    database_url: str, settings: Settings, passwords: Passwords, tmp_path: Path
) -> AsyncIterator[Scene]:
    clock = SystemClock()
    db = Database(database_url, clock=clock, bus=EventBus())
    nodes = {}
    for name in ("one", "two"):
        environment = {
            "HOTLINE_DATABASE__URL": database_url,
            "HOTLINE_PATHS__VAR": str(tmp_path / name),
            "HOTLINE_NODE__NAME": name,
            "HOTLINE_NODE__ROLES": '["web", "scheduler"]',
        }
        nodes[name] = NodeProcess(environment, tmp_path / f"{name}.log")
    await _clocks(db, PeopleService(db, clock, settings, passwords), settings)
    await asyncio.gather(*(node.start() for node in nodes.values()))
    yield Scene(db, nodes)
    for node in nodes.values():
        if node.process is not None and node.process.poll() is None:
            node.kill()
    await db.close()


async def _clocks(db: Database, staff: PeopleService, settings: Settings) -> None:
    tickets = TicketService(db, db.clock, Vault(settings), settings, CityLimits())
    people: dict[str, Any] = {}
    async with db.begin() as uow:
        city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
        hotline = await create_unit(uow, SYSTEM, kind="hotline", name="热线中心", code="01", parent=city)
        lights = await create_unit(uow, SYSTEM, kind="bureau", name="城市管理局", code="02", parent=city)
        posts = (("agent", Role.AGENT), ("dispatcher", Role.DISPATCHER), ("lights", Role.DEPT_OFFICER))
        for login, role in posts:
            unit = lights if login == "lights" else hotline
            made = {"login": login, "name": login, "password": PASSWORD, "unit_id": unit.id}
            user = await staff.create_user(uow, SYSTEM, **made, roles=frozenset({role}))  # type: ignore[arg-type]  # a mapping
            people[login] = await staff.actor_for_user(uow.session, user)
        category = Category(level=1, code="01", name="路灯", full_name="路灯", initials="ld", path=".")
        uow.session.add(category)
        await uow.session.flush()
        typed = {"type": "help", "category_id": category.id, "title": "路灯不亮", "phone": "13800000001"}
        form = parse_form({**typed, "narrative": "路灯连续三晚不亮。"}, now=uow.now, phone_area="0773")
        one = await tickets.create(uow, people["agent"], form)
        await tickets.dispatch(uow, people["dispatcher"], one.id, one.version, lights.id or 0)
    await db.fetch(CLOCKS_OF, one.id, lights.id, CLOCKS)
    for statement in SLOWLY:
        await db.fetch(statement)


async def _begin(scene: Scene) -> NodeProcess:
    """The clocks fall due; returns the leader once it is in the middle of them."""
    leader = await scene.leader()
    await scene.db.fetch(FALL_DUE)
    await eventually(scene.in_the_middle, within=20, what="the first cards are issued")
    return leader


async def _check(scene: Scene) -> None:
    """Everything once."""
    for table in ("card", "monitor_event", "card_receipt"):
        assert await scene.number(f"SELECT count(*) FROM {table}") == CLOCKS, table
    assert await scene.number("SELECT count(*) FROM ticket_history WHERE action = 'card'") == CLOCKS
    assert await scene.number("SELECT count(DISTINCT stage_id) FROM card") == CLOCKS
    assert await scene.number("SELECT count(*) FROM event_log WHERE topic = 'card'") == CLOCKS


async def _check_take_over(scene: Scene, signalled: datetime) -> None:
    """The other node's first card comes soon; what the first had committed by then is older."""
    (row,) = await scene.db.fetch(
        "SELECT min(issued_at) - $1 AS took FROM card WHERE issued_at > $1 + interval '1 second'", signalled
    )
    assert row["took"] <= TAKE_OVER, row["took"]


async def test_a_killed_leader_is_followed_by_the_other_and_each_card_is_issued_once(scene: Scene) -> None:
    leader = await _begin(scene)
    signalled = await scene.db.ping()
    leader.kill()
    assert await scene.in_the_middle()
    await eventually(scene.all_issued, within=25, what="the other node issues the rest")
    await _check(scene)
    await _check_take_over(scene, signalled)


async def test_a_frozen_leader_writes_nothing_when_it_wakes(scene: Scene) -> None:
    leader = await _begin(scene)
    assert leader.process is not None
    signalled = await scene.db.ping()
    leader.process.send_signal(signal.SIGSTOP)
    assert await scene.in_the_middle()
    try:
        await eventually(scene.all_issued, within=25, what="the other node issues the rest")
        await _check(scene)
        await _check_take_over(scene, signalled)
    finally:
        leader.process.send_signal(signal.SIGCONT)
    await eventually(partial(_noticed, leader), within=15, what="the frozen node sees that it lost the lease")
    assert await scene.leader() is not leader
    await _check(scene)


def _noticed(leader: NodeProcess) -> bool:
    return "lost the lease" in leader.log.read_text(encoding="utf-8", errors="replace")
