"""Agents' states on a real Asterisk: driven from the page and from the PBX, kept through every restart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.people.actor import Actor
from core.settings import load_settings
from node import Node
from tests.e2e.rig import needs, scenarios
from tests.e2e.rig.asterisk import Asterisk, running
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product, environment_for, running_product
from tests.e2e.rig.situations import Stage, number
from tests.helpers import eventually
from tests.telephony.agents.rig import line_of, members, rows_of

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]
QUEUES = {"hotline", "expert", "business", "dialect", "callback"}
WRAP_UP = 4


@pytest.fixture(scope="module")
def console_asterisk() -> Iterator[Asterisk]:
    """An Asterisk whose queues have no members but those who sign in."""
    needs.sipp_program()
    with running(needs.asterisk_root(), ring_seconds=3, queue_seconds=60, members="console") as pbx:
        yield pbx


@pytest.fixture
def pbx(console_asterisk: Asterisk) -> Asterisk:
    console_asterisk.hang_up_all()
    for queue in sorted(QUEUES):  # who signed in for an earlier test is nobody's business here
        for telephone in set(re.findall(r"PJSIP/\d+", console_asterisk.cli(f"queue show {queue}"))):
            console_asterisk.cli(f"queue remove member {telephone} from {queue}")
    return console_asterisk


async def blocking(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a step of the rig without holding up the node, which lives on the same loop."""
    return await asyncio.to_thread(work, *arguments, **named)


class Seats:
    """The agents of a product, acting as their pages would."""

    def __init__(self, product: Product, pbx: Asterisk) -> None:
        self.node, self.users, self.pbx = product.node, product.users, pbx

    async def act(self, name: str, extension: int, *args: Any, **kwargs: Any) -> None:
        async def work(uow: Any) -> None:
            actor = await self.node.people.actor_for_user(uow.session, self.users[str(extension)])
            await getattr(self.node.telephony.agents, name)(uow, actor, *args, **kwargs)

        await self.node.db.retrying(work)

    async def state(self, extension: int) -> str:
        user = self.users[str(extension)]
        found = await rows_of(self.node.db, "interval", user_id=user, ended_at=None)
        return found[-1]["state"] if found else "signed_out"

    async def stands(self, extension: int, state: str, within: float = 20) -> None:
        async def there() -> bool:
            return await self.state(extension) == state

        try:
            await eventually(there, within=within)
        except AssertionError:
            line = await line_of(self.node.db, self.users[str(extension)])
            said = await blocking(self.pbx.cli, "queue show")
            raise AssertionError(f"{extension} never became {state}: {line}\n{said}") from None

    async def has_met(self, extension: int) -> None:
        """The citizen has answered: a call-back shows from the agent's own ring on, without work after it."""

        async def there() -> bool:
            (row,) = await rows_of(self.node.db, "session", user_id=self.users[str(extension)])
            return any(call["met"] for call in row["calls"].values())

        await eventually(there, within=20, what=f"{extension} talks with the citizen")

    async def line(self, extension: int) -> list[str]:
        return await line_of(self.node.db, self.users[str(extension)])

    def places(self, ami: Manager, extension: int) -> dict[str, tuple[bool, str]]:
        """How the PBX itself says that a telephone stands, by queue."""
        listed = ami.listing("QueueStatus", "QueueMember", "QueueStatusComplete", Member=f"PJSIP/{extension}")
        return {one["Queue"]: (one["Paused"] == "1", one.get("PausedReason", "")) for one in listed}

    async def pbx_has(
        self, ami: Manager, extension: int, queues: set[str], paused: bool = False, reason: str = ""
    ) -> None:
        wanted = dict.fromkeys(queues, (paused, reason))

        async def there() -> bool:
            return bool(await blocking(self.places, ami, extension) == wanted)

        try:
            await eventually(there, within=20)
        except AssertionError:
            found = await blocking(self.places, ami, extension)
            raise AssertionError(f"{extension} stands at {found}, wanted {wanted}") from None


def seat_environment(pbx: Asterisk, var: Path) -> dict[str, str]:
    more = {"HOTLINE_AGENTS__WRAP_UP_SECONDS": str(WRAP_UP), "HOTLINE_AGENTS__MISSED_RINGS": "2"}
    return environment_for(pbx, var) | more


@pytest.fixture
async def product(
    pbx: Asterisk, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    monkeypatch.setattr("tests.e2e.rig.product.environment_for", seat_environment)
    async with running_product(pbx, database_url, tmp_path) as made:
        await eventually(lambda: _keeps(made.node), within=20, what="the node keeps the queues")
        await _plan(made)
        yield made


async def _plan(product: Product) -> None:
    """Everybody may take every queue."""
    async with product.node.db.begin() as uow:
        actors = []
        for extension in range(1001, 1011):
            actor = await product.node.people.actor_for_user(uow.session, product.users[str(extension)])
            assert isinstance(actor, Actor)
            actors.append(actor)
        await members(uow, actors)


@pytest.fixture
def seats(product: Product, pbx: Asterisk) -> Seats:
    return Seats(product, pbx)


async def test_from_the_page(seats: Seats, ami: Manager, sip: Phones) -> None:
    await blocking(sip.agents, [1001], scenarios.answering())
    await seats.act("sign_in", 1001)
    await seats.pbx_has(ami, 1001, QUEUES)
    await seats.act("not_ready", 1001, "break")
    await seats.pbx_has(ami, 1001, QUEUES, True, "break")
    await seats.act("not_ready", 1001, "training")
    await seats.pbx_has(ami, 1001, QUEUES, True, "training")
    await seats.act("ready", 1001)
    await seats.pbx_has(ami, 1001, QUEUES)
    await seats.act("sign_out", 1001)
    await seats.pbx_has(ami, 1001, set())
    await seats.act("sign_in", 1001, queues=["dialect"], reason="meeting")
    await seats.pbx_has(ami, 1001, {"dialect"}, True, "meeting")
    assert await seats.line(1001) == [
        "ready", "not_ready:break", "not_ready:training", "ready", "not_ready:meeting",
    ]  # fmt: skip
    await seats.act("sign_out", 1001)
    await seats.pbx_has(ami, 1001, set())


async def test_from_the_pbx(seats: Seats, ami: Manager, sip: Phones) -> None:
    await blocking(sip.agents, [1002], scenarios.answering())
    telephone = {"Interface": "PJSIP/1002"}
    await blocking(ami.action, "QueueAdd", Queue="hotline", **telephone)
    await seats.stands(1002, "ready")
    await blocking(ami.action, "QueuePause", Paused="true", Reason="小休", **telephone)
    await seats.stands(1002, "not_ready")
    await blocking(ami.action, "QueuePause", Paused="false", **telephone)
    await seats.stands(1002, "ready")
    await blocking(ami.action, "QueuePause", Paused="true", **telephone)
    await seats.stands(1002, "not_ready")
    await seats.pbx_has(ami, 1002, {"hotline"}, True, "phone")
    await blocking(ami.action, "QueueRemove", Queue="hotline", **telephone)
    await seats.stands(1002, "signed_out")
    assert await seats.line(1002) == ["ready", "not_ready:break", "ready", "not_ready:phone"]


async def test_a_call_with_its_hold_the_work_after_it_and_its_code(
    seats: Seats, ami: Manager, sip: Phones, pbx: Asterisk
) -> None:
    await blocking(sip.agents, [1001], scenarios.holding(1, 1.5))
    await seats.act("sign_in", 1001)
    await seats.pbx_has(ami, 1001, QUEUES)
    sip.call([Citizen(number(900))], scenarios.caller(6))
    await seats.stands(1001, "talking")
    await seats.stands(1001, "hold")
    await seats.stands(1001, "wrap_up")
    await seats.pbx_has(ami, 1001, QUEUES, True, "ACW")
    await seats.act("finish_wrap_up", 1001, code="registered", stay=True)
    await eventually(lambda: _coded(pbx), what="the code stands in queue_log")
    await seats.stands(1001, "ready")
    await seats.pbx_has(ami, 1001, QUEUES)
    states = ["ready", "ringing", "talking", "hold", "talking", "wrap_up", "ready"]
    assert await seats.line(1001) == states
    (wrap_up,) = await rows_of(seats.node.db, "wrap_up")
    assert (wrap_up["ended_by"], wrap_up["logged"]) == ("deadline", True)
    uniqueid = ami.events("Newchannel", CallerIDNum=number(900))[0]["Uniqueid"]
    assert _coded(pbx) == [f"{uniqueid}|hotline|PJSIP/1001|WRAPUPCODE|registered"]
    await seats.act("sign_out", 1001)


def _coded(pbx: Asterisk) -> list[str]:
    lines = pbx.queue_log.read_text("utf-8", "replace").splitlines()
    return [line.partition("|")[2] for line in lines if "|WRAPUPCODE|" in line]


async def test_missed_rings(seats: Seats, ami: Manager, sip: Phones) -> None:
    await blocking(sip.agents, [1003], scenarios.not_answering())
    await seats.act("sign_in", 1003)
    await seats.pbx_has(ami, 1003, QUEUES)
    line = sip.call([Citizen(number(901))], scenarios.caller(30))
    await seats.stands(1003, "not_ready", within=30)
    await seats.pbx_has(ami, 1003, QUEUES, True, "missed")
    assert await seats.line(1003) == ["ready", "ringing", "ready", "ringing", "not_ready:missed"]
    assert await rows_of(seats.node.db, "wrap_up") == []
    sip.hang_up(line)
    await seats.act("sign_out", 1003)


async def test_a_transfer_ends_the_call_of_who_transfers(seats: Seats, ami: Manager, sip: Phones) -> None:
    await blocking(sip.agents, [1001], scenarios.transferring(1.5, "1002"))
    await blocking(sip.agents, [1002], scenarios.answering())
    await seats.act("sign_in", 1001)
    await seats.act("sign_in", 1002, reason="paperwork")
    await seats.pbx_has(ami, 1001, QUEUES)
    sip.call([Citizen(number(902))], scenarios.caller(8))
    await seats.stands(1001, "wrap_up")
    await seats.stands(1002, "talking")
    await seats.act("sign_out", 1002)
    assert await seats.state(1002) == "talking", "asked for in a call, done after the work after it"
    await seats.stands(1001, "ready")
    await seats.stands(1002, "wrap_up")
    await seats.stands(1002, "signed_out")
    await seats.pbx_has(ami, 1002, set())
    first, second = await rows_of(seats.node.db, "wrap_up")
    assert first["call_session_id"] == second["call_session_id"], "one citizen, one call"
    assert await seats.line(1001) == ["ready", "ringing", "talking", "wrap_up", "ready"]
    await seats.act("sign_out", 1001)


async def test_a_telephone_out_of_reach(seats: Seats, ami: Manager, sip: Phones) -> None:
    phone = await blocking(sip.agents, [1004], scenarios.answering())
    await seats.act("sign_in", 1004)
    await seats.stands(1004, "ready")
    await seats.pbx_has(ami, 1004, QUEUES)
    await blocking(sip.agents_leave, phone)
    await seats.stands(1004, "unreachable")
    await blocking(sip.agents, [1004], scenarios.answering())
    await seats.stands(1004, "ready")
    await seats.act("sign_out", 1004)


async def _one_in_each_state(seats: Seats, ami: Manager, sip: Phones, stage: Stage) -> dict[int, str]:
    """1001 ready … 1007 calling back; the calls last longer than the restarts."""
    await blocking(sip.agents, [1001, 1002, 1004, 1007], scenarios.answering())
    await blocking(sip.agents, [1003], scenarios.answering())
    await blocking(sip.agents, [1005], scenarios.holding(1, 60))
    await blocking(sip.agents, [1006], scenarios.answering_then_leaving(1.5))
    sip.called_citizens(scenarios.citizen_phone())
    for extension, state in ((1003, "talking"), (1005, "hold"), (1006, "wrap_up")):
        await seats.act("sign_in", extension)
        await seats.pbx_has(ami, extension, QUEUES)
        sip.call([Citizen(number(910 + extension))], scenarios.caller(120))
        await seats.stands(extension, state)
    await seats.act("extend_wrap_up", 1006)
    await seats.act("sign_in", 1007)
    await blocking(
        ami.action, "Originate", Channel="PJSIP/1007", Context="hotline-outbound", Exten="13800099999",
        Priority="1", Async="true", Timeout="30000",
    )  # fmt: skip
    await seats.stands(1007, "call_back")
    await seats.has_met(1007)
    await seats.act("sign_in", 1001)
    await seats.act("sign_in", 1002, reason="training")
    await seats.act("sign_in", 1008)
    await seats.stands(1008, "unreachable")
    await seats.stands(1001, "ready")
    return {
        1001: "ready", 1002: "not_ready", 1003: "talking", 1005: "hold", 1006: "wrap_up",
        1007: "call_back", 1008: "unreachable",
    }  # fmt: skip


async def test_a_restart_of_the_node_in_each_state(
    seats: Seats, product: Product, ami: Manager, sip: Phones, stage: Stage, pbx: Asterisk, tmp_path: Path
) -> None:
    states = await _one_in_each_state(seats, ami, sip, stage)
    before = {extension: await seats.line(extension) for extension in states}
    url = product.node.db.url
    await product.node.stop()
    again = Node(load_settings(environ=seat_environment(pbx, tmp_path / "again")), url)
    await again.start()
    seats.node = again
    try:
        await eventually(lambda: _keeps(again), within=20, what="the new node keeps the queues")
        for extension, state in states.items():
            assert await seats.state(extension) == state
            assert await seats.line(extension) == before[extension]
        await seats.pbx_has(ami, 1001, QUEUES)
        await seats.pbx_has(ami, 1002, QUEUES, True, "training")
        await seats.pbx_has(ami, 1006, QUEUES, True, "ACW")
        await blocking(pbx.hang_up_all)
        for extension in (1003, 1005, 1007):
            await seats.stands(extension, "wrap_up")
        for extension in (1003, 1005, 1007):
            await seats.stands(extension, "ready")
        await seats.act("finish_wrap_up", 1006, code=None)
        await seats.pbx_has(ami, 1006, QUEUES)
    finally:
        await again.stop()


async def test_a_restart_of_the_pbx_in_each_state(
    seats: Seats, ami: Manager, sip: Phones, stage: Stage, pbx: Asterisk
) -> None:
    await _one_in_each_state(seats, ami, sip, stage)
    await blocking(pbx.restart_now)
    await blocking(pbx.wait_booted)
    fresh = await blocking(Manager, pbx)
    try:
        for extension in (1003, 1005, 1007):  # their calls are gone, and whoever knows says so
            await seats.stands(extension, "wrap_up", within=40)
        await seats.pbx_has(fresh, 1001, QUEUES)
        await seats.pbx_has(fresh, 1002, QUEUES, True, "training")
        await seats.pbx_has(fresh, 1006, QUEUES, True, "ACW")
        assert await seats.state(1002) == "not_ready"
        assert await seats.state(1006) == "wrap_up"
        assert await seats.state(1008) == "unreachable"
    finally:
        await blocking(fresh.close)


@pytest.mark.parametrize("what", ["node", "pbx"])
async def test_a_restart_while_a_telephone_rings(
    seats: Seats, product: Product, ami: Manager, sip: Phones, pbx: Asterisk, tmp_path: Path, what: str
) -> None:
    await blocking(sip.agents, [1001], scenarios.not_answering())
    await seats.act("sign_in", 1001)
    await seats.pbx_has(ami, 1001, QUEUES)
    sip.call([Citizen(number(960))], scenarios.caller(60))
    await seats.stands(1001, "ringing")
    if what == "pbx":
        await blocking(pbx.restart_now)
        await blocking(pbx.wait_booted)
        await seats.stands(1001, "ready", within=40)  # nobody had answered: no work after it
        return
    await product.node.stop()
    again = Node(load_settings(environ=seat_environment(pbx, tmp_path / "again")), product.node.db.url)
    await again.start()
    seats.node = again
    try:
        await eventually(lambda: _keeps(again), within=20, what="the new node keeps the queues")
        assert await seats.state(1001) == "ringing"
        await blocking(pbx.hang_up_all)
        await seats.stands(1001, "ready")
    finally:
        await again.stop()


def _keeps(node: Node) -> bool:
    followers = list(node.telephony.followers.values())
    return bool(followers) and all(one.steward and one.steward.generation for one in followers)
