"""Help calls: one open per agent, the first leader has it, nobody's call is left unanswered unseen."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.event_log import EventLogRow
from core.leadership import Lease
from core.people.actor import Actor
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from core.tables import table_of
from telephony.floor import help as help_calls
from telephony.floor.help import HelpWatch
from tests.telephony.floor_rig import Hand, Houses, houses


@pytest.fixture
async def house(database: Database, people: PeopleService) -> Houses:
    return await houses(database, people)


async def ask(database: Database, actor: Actor, text: str = "") -> int:
    async with database.begin() as uow:
        return await help_calls.ask(uow, actor, text)


async def answer(database: Database, actor: Actor, ident: int, text: str = "马上到") -> None:
    async with database.begin() as uow:
        await help_calls.answer(uow, actor, ident, text)


async def kinds(database: Database, ident: int) -> list[str]:
    async with database.read() as session:
        return [step.kind for step in (await help_calls.steps(session, [ident]))[ident]]


async def test_the_key_pressed_twice_even_at_once_is_one_help_call(database: Database, house: Houses) -> None:
    first, second = await asyncio.gather(ask(database, house.agent), ask(database, house.agent))
    assert first == second
    assert await ask(database, house.agent, "来电人情绪激动") == first
    assert await kinds(database, first) == ["asked", "said"]


async def test_it_is_about_the_call_the_agent_talks_in(
    database: Database, house: Houses, clock: ManualClock, vault: Vault
) -> None:
    hand, agent = Hand(database, vault), house.agent.user_id or 0
    await hand.sign_in(agent, "1001", clock.now())
    call = await hand.call("13812341234", clock.now())
    await hand.leg(call, agent, clock.now())
    await ask(database, house.agent)
    async with database.read() as session:
        (found,) = await help_calls.open_helps(session, house.leader)
    assert (found.call_session_id, found.caller, found.call_open) == (call, "138****1234", True)


async def test_who_sees_a_help_call(database: Database, house: Houses) -> None:
    ident = await ask(database, house.agent)
    async with database.read() as session:
        assert len(await help_calls.open_helps(session, house.leader)) == 1
        assert len(await help_calls.open_helps(session, house.inspector)) == 1
        assert await help_calls.open_helps(session, house.other_leader) == []
        assert await help_calls.open_helps(session, house.colleague) == []
        assert (await help_calls.one(session, house.agent, ident)).id == ident
        for actor in (house.other_leader, house.colleague):
            with pytest.raises(HotlineError, match="help_not_found"):
                await help_calls.one(session, actor, ident)


async def test_the_first_leader_has_it_and_the_second_is_told(
    database: Database, house: Houses, people: PeopleService
) -> None:
    ident = await ask(database, house.agent)
    await answer(database, house.leader, ident)
    await answer(database, house.leader, ident, "")  # a double click says nothing new
    async with database.begin() as uow:
        second = await help_calls.one(uow.session, house.leader, ident)
    assert second.answered_by == house.leader.user_id
    assert await kinds(database, ident) == ["asked", "answered"]
    with pytest.raises(HotlineError, match="forbidden"):
        await answer(database, house.colleague, ident)
    async with database.begin() as uow:
        await help_calls.end(uow, house.agent, ident)
    with pytest.raises(HotlineError, match="help_over"):
        await answer(database, house.leader, ident)
    async with database.read() as session:
        assert (await help_calls.one(session, house.agent, ident)).ended_as == "helped"
        assert await help_calls.mine(session, house.agent) is None


async def test_a_leader_can_not_answer_the_own_call_nor_end_one_nobody_answered(
    database: Database, house: Houses
) -> None:
    own = await ask(database, house.leader)
    with pytest.raises(HotlineError, match="help_own"):
        await answer(database, house.leader, own)
    ident = await ask(database, house.agent)
    with pytest.raises(HotlineError, match="help_unanswered"):
        async with database.begin() as uow:
            await help_calls.end(uow, house.leader, ident)


async def test_withdrawn_before_anybody_came(database: Database, house: Houses) -> None:
    ident = await ask(database, house.agent)
    async with database.begin() as uow:
        await help_calls.end(uow, house.agent, ident)
    async with database.read() as session:
        (found,) = await help_calls.history(session, house.leader)
    assert (found.ended_as, found.answered_at) == ("withdrawn", None)
    assert await ask(database, house.agent) != ident


@pytest.mark.parametrize("text", ["", " \n ", "长" * 301])
async def test_a_line_without_words_or_with_too_many_is_refused(
    database: Database, house: Houses, text: str
) -> None:
    ident = await ask(database, house.agent)
    with pytest.raises(HotlineError, match="help_text"):
        async with database.begin() as uow:
            await help_calls.say(uow, house.agent, ident, text)


async def test_what_was_said_can_not_be_changed(database: Database, house: Houses) -> None:
    await ask(database, house.agent)
    with pytest.raises(sa.exc.DBAPIError):
        async with database.begin() as uow:
            await uow.session.execute(sa.text("UPDATE help_step SET text = 'x'"))


async def test_unanswered_it_is_raised_once_to_everybody_and_forgotten_ones_are_closed(
    database: Database, house: Houses, clock: ManualClock, settings: Settings
) -> None:
    watch = HelpWatch(database, Lease(database, "scheduler", "me", settings.leadership, clock), 30)
    ident, answered = await ask(database, house.agent), await ask(database, house.colleague)
    await answer(database, house.leader, answered)

    async def round_() -> int:
        async with database.begin() as uow:
            return await watch.run(uow)

    clock.advance(29)
    assert await round_() == 0
    clock.advance(1)
    assert (await round_(), await round_()) == (1, 0)
    assert await kinds(database, ident) == ["asked", "escalated"]
    async with database.read() as session:
        assert [one.id for one in await help_calls.open_helps(session, house.other_leader)] == [ident]
        log = table_of(EventLogRow)
        told = (await session.execute(sa.select(log.c.kind, log.c.audience).order_by(log.c.id))).all()
    assert told[-1].kind == "escalated"
    assert "floor.read" in told[-1].audience["permissions"]
    await answer(database, house.other_leader, ident)
    clock.advance(timedelta(hours=2).total_seconds())
    assert await round_() == 2
    async with database.read() as session:
        assert {one.ended_as for one in await help_calls.history(session, house.leader)} == {"left"}


async def test_only_the_node_that_leads_watches(
    database: Database, house: Houses, clock: ManualClock, settings: Settings
) -> None:
    lease = Lease(database, "scheduler", "me", settings.leadership, clock)
    watch = HelpWatch(database, lease, 30)
    ident = await ask(database, house.agent)
    clock.advance(60)
    await watch.tick()
    assert await kinds(database, ident) == ["asked"]
    assert await lease.try_take()
    await watch.tick()
    assert await kinds(database, ident) == ["asked", "escalated"]
