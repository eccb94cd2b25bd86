"""kill -9 of the node while calls come in and people save: nothing that was answered is missing."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import audit
from core.clock import SystemClock
from core.db import Database
from core.events import EventBus
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from telephony import queue_log
from telephony.simulator import Simulator
from tests.helpers import eventually
from tests.ops.node_process import Kept, NodeProcess, Person
from tickets import queries
from tickets.models import Category

KILLS = int(os.environ.get("HOTLINE_TEST_KILLS", "20"))
AGENTS = 6
PASSWORD = "a-long-password"
SYSTEM = Actor.system("test")
pytestmark = pytest.mark.slow


@dataclass
class Scene:
    """A database with a small city, a PBX that outlives the node, and the node."""

    db: Database
    simulator: Simulator
    node: NodeProcess
    vault: Vault
    people: list[Person]
    actors: list[Actor]
    queue_log: Path

    async def rows(self, statement: str, **values: object) -> list[sa.Row[tuple[object, ...]]]:
        async with self.db.read() as session:
            return list((await session.execute(sa.text(statement), values)).all())

    async def number(self, statement: str) -> int:
        return int(str((await self.rows(statement))[0][0]))


@pytest.fixture
async def scene(
    database_url: str, settings: Settings, passwords: Passwords, tmp_path: Path
) -> AsyncIterator[Scene]:
    clock = SystemClock()
    db = Database(database_url, clock=clock, bus=EventBus())
    log = tmp_path / "queue_log"
    simulator = Simulator(agents=AGENTS, speed=12, seed=7, queue_log=log)
    port = await simulator.start()
    pbx = {"name": "pbx1", "port": port, "username": simulator.username, "queue_log": str(log)}
    environment = {
        "HOTLINE_DATABASE__URL": database_url,
        "HOTLINE_PATHS__VAR": str(tmp_path / "var"),
        "HOTLINE_TELEPHONY__SOURCE": "asterisk",
        "HOTLINE_TELEPHONY__PBX": json.dumps([pbx]),
        "HOTLINE_SECRETS__PBX_PASSWORDS": json.dumps({"pbx1": simulator.secret}),
    }
    node = NodeProcess(environment, tmp_path / "node.log")
    staff = PeopleService(db, clock, settings, passwords)
    made = Scene(db, simulator, node, Vault(settings), [], [], log)
    category = await _small_city(made, staff)
    made.people = [Person(node, str(1001 + n), PASSWORD, category) for n in range(AGENTS)]
    yield made
    if node.process is not None and node.process.poll() is None:
        node.kill()
    await simulator.stop()
    await db.close()


async def _small_city(scene: Scene, staff: PeopleService) -> int:
    """A hotline whose agents sit at the simulator's desks, and one category; returns its id."""
    async with scene.db.begin() as uow:
        city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
        hotline = await create_unit(uow, SYSTEM, kind="hotline", name="热线中心", code="01", parent=city)
        users = [
            await staff.create_user(
                uow,
                SYSTEM,
                login=str(1001 + n),
                name=f"话务员{n}",
                password=PASSWORD,
                unit_id=hotline.id,
                roles=frozenset({Role.AGENT}),
                extension=str(1001 + n),
            )
            for n in range(AGENTS)
        ]
        category = Category(
            level=1, code="01", name="路灯不亮", full_name="市容环境 / 路灯不亮", initials="ldbl", path="."
        )
        uow.session.add(category)
        await uow.session.flush()
        scene.actors = [found for user in users if (found := await staff.actor_for_user(uow.session, user))]
        return int(category.id or 0)


async def test_nothing_that_was_answered_is_missing_after_twenty_kills(scene: Scene) -> None:
    moments, kept = random.Random(20), Kept()
    for life in range(KILLS):
        await scene.node.start()
        if life == 0:
            await _calls_begin(scene)
        work = [asyncio.create_task(person.work(kept)) for person in scene.people]
        before = len(kept.saves)
        await eventually(partial(_more_saves, kept, before), within=30, what="people can work")
        await asyncio.wait(work, timeout=moments.uniform(0.0, 1.5))  # the random point
        scene.node.kill()
        await asyncio.gather(*work)
    await _quiet(scene)

    assert len(kept.tickets) > KILLS
    await _tickets_are_there(scene, kept)
    await _drafts_are_there(scene, kept)
    await _calls_are_right(scene)
    async with scene.db.read() as session:
        report = await audit.verify(session)
    assert report.ok, f"row {report.broken_at}"
    assert report.unlinked == 0
    assert report.linked >= KILLS * AGENTS  # each life began with a login of everybody


async def _calls_begin(scene: Scene) -> None:
    """What happened before the node ever met this PBX is not its business; from now on it is."""
    met = partial(scene.rows, "SELECT 1 FROM pbx_state WHERE connected AND gap_since IS NULL")
    await eventually(met, within=30, what="the node meets the PBX")
    # Nobody talks for half an hour here: the last life waits for the last call to end.
    scene.simulator.shape = replace(scene.simulator.shape, calls_per_hour=4000.0, longest_talk=300.0)
    scene.simulator.begin_day()


def _more_saves(kept: Kept, before: int) -> bool:
    return len(kept.saves) > before


async def _quiet(scene: Scene) -> None:
    """A last life without calls and without a kill: everything open is found out about."""
    scene.simulator.shape = replace(scene.simulator.shape, calls_per_hour=0.0)
    await scene.node.start()
    await eventually(lambda: not scene.simulator.calls, within=120, what="the last call ends")
    try:
        await eventually(partial(_nothing_open, scene), within=60)
    except AssertionError:
        raise AssertionError(f"still open: {await _open_ends(scene)}") from None
    assert await scene.node.stop() == 0


async def _nothing_open(scene: Scene) -> bool:
    return not await _open_ends(scene)


OPEN_ENDS = {
    "open calls": "SELECT id, state, started_at, session_key FROM call_session WHERE state <> 'ended'",
    "gaps": "SELECT * FROM pbx_state WHERE gap_since IS NOT NULL OR NOT connected",
    "unlinked audit rows": "SELECT id FROM audit_log WHERE link_no IS NULL",
    "unnumbered events": "SELECT id FROM event_log WHERE seq IS NULL",
}


async def _open_ends(scene: Scene) -> dict[str, list[sa.Row[tuple[object, ...]]]]:
    found = {name: await scene.rows(statement) for name, statement in OPEN_ENDS.items()}
    return {name: rows for name, rows in found.items() if rows}


async def _tickets_are_there(scene: Scene, kept: Kept) -> None:
    rows = await scene.rows(
        "SELECT number, title, (SELECT array_agg(action ORDER BY id) FROM ticket_history "
        "WHERE ticket_id = ticket.id) FROM ticket"
    )
    stored = {number: (title, tuple(history or ())) for number, title, history in rows}
    assert {number: stored.get(number, ("missing",))[0] for number in kept.tickets} == kept.tickets
    assert {history for _, history in stored.values()} == {("create",)}
    twice = await scene.number("SELECT count(*) - count(DISTINCT number) FROM ticket")
    assert twice == 0


async def _drafts_are_there(scene: Scene, kept: Kept) -> None:
    rows = await scene.rows("SELECT id, version, ended_as FROM ticket_draft")
    stored = {draft: (version, ended) for draft, version, ended in rows}
    assert kept.opened - set(stored) == set()
    for draft, (version, title) in kept.saves.items():
        found, ended = stored[draft]
        assert int(str(found)) >= version
        if ended is None:
            assert await _title_of(scene, draft) == title


async def _title_of(scene: Scene, draft: int) -> object:
    async with scene.db.read() as session:
        for actor in scene.actors:
            found = await queries.my_drafts(session, actor)
            if any(one.id == draft for one in found):
                return (await queries.draft_form(session, actor, scene.vault, draft)).form["title"]
    return None


async def _calls_are_right(scene: Scene) -> None:
    """Each answered inbound call has one draft, each abandoned one is in the tasks, as queue_log says."""
    lines, faults = queue_log.parse(scene.queue_log.read_bytes())
    assert faults == []
    answered = {line.call for line in lines if line.event == "CONNECT"}
    assert len(answered) > KILLS
    rows = await scene.rows(
        "SELECT session_key, (SELECT count(*) FROM ticket_draft WHERE call_session_id = call_session.id) "
        "FROM call_session WHERE direction = 'inbound' AND outcome = 'answered'"
    )
    drafts = {str(key): number for key, number in rows}
    missing = {call: [line.event for line in lines if line.call == call] for call in answered - set(drafts)}
    stored = "SELECT session_key, outcome FROM call_session WHERE session_key = ANY(:keys)"
    known = await scene.rows(stored, keys=sorted(missing))
    assert not missing, f"{len(missing)} of {len(answered)}: {missing} stored as {known}"
    assert set(drafts.values()) == {1}
    doubled = await scene.rows(
        "SELECT session_key FROM call_session GROUP BY pbx, session_key HAVING count(*) > 1"
    )
    assert doubled == []
