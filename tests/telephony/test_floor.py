"""The floor: who sees whom, in which order callers wait, what stands out."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from telephony.agents.service import AgentService
from telephony.controls import abuse, orders
from telephony.controls.queries import open_reports
from telephony.controls.terms import LEADER_ACTS, Act
from telephony.floor.attention import Limits, Stand, concerns, waits_long, worst_first
from telephony.floor.languages import LANGUAGES, Hours, words_of
from telephony.floor.now import agents_now, talking_now, waiting_now
from tests.telephony.floor_rig import Hand, Houses, houses

LIMITS = Limits(wrap_up=120, pause=900, planned_pause=3600, talk=900, hold=90, wait=60, missed=2)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in the city


@pytest.fixture
async def house(database: Database, people: PeopleService) -> Houses:
    return await houses(database, people)


@pytest.fixture
def hand(database: Database, vault: Vault) -> Hand:
    return Hand(database, vault)


async def test_a_leader_sees_the_own_hotline_the_city_sees_all_and_an_agent_nobody(
    database: Database, house: Houses, hand: Hand
) -> None:
    for person in (house.agent, house.colleague, house.stranger):
        await hand.sign_in(person.user_id or 0, person.extension or "", NOW)
        await hand.state(person.user_id or 0, "ready", NOW)
    seen = {}
    async with database.read() as session:
        for name in ("leader", "other_leader", "inspector", "agent"):
            seen[name] = [one.extension for one in await agents_now(session, getattr(house, name))]
    assert seen == {
        "leader": ["1001", "1002"],
        "other_leader": ["2001"],
        "inspector": ["1001", "1002", "2001"],
        "agent": [],
    }


async def test_an_agent_stands_with_the_state_since_when_and_the_masked_caller(
    database: Database, house: Houses, hand: Hand
) -> None:
    agent, colleague = house.agent.user_id or 0, house.colleague.user_id or 0
    await hand.sign_in(agent, "1001", NOW, queues=("hotline", "expert"), missed=2)
    call = await hand.call("13812341234", NOW)
    await hand.state(agent, "ready", NOW)
    await hand.state(agent, "talking", NOW + timedelta(seconds=5), call_session_id=call, queue="hotline")
    await hand.sign_in(colleague, "1002", NOW)
    await hand.state(colleague, "not_ready", NOW, reason="break", set_by=house.leader.user_id)
    async with database.read() as session:
        first, second = await agents_now(session, house.leader)
        assert await agents_now(session, house.leader, only=colleague) == [second]
    assert (first.state, first.since, first.caller) == ("talking", NOW + timedelta(seconds=5), "138****1234")
    assert (first.queues, first.queue, first.missed) == (("hotline", "expert"), "hotline", 2)
    assert (second.state, second.reason, second.set_by) == ("not_ready", "break", "名leader")


async def test_who_signed_out_is_not_on_the_floor(database: Database, house: Houses, hand: Hand) -> None:
    agent = house.agent.user_id or 0
    await hand.sign_in(agent, "1001", NOW)
    await hand.state(agent, "ready", NOW)
    await hand.sign_out(agent, NOW + timedelta(minutes=1))
    async with database.read() as session:
        assert await agents_now(session, house.leader) == []


async def test_callers_have_their_place_in_their_own_queue(database: Database, hand: Hand) -> None:
    for seconds, queue in ((30, "hotline"), (20, "expert"), (10, "hotline")):
        await hand.call("13812341234", NOW - timedelta(seconds=seconds), queues=[queue])
    await hand.call(None, NOW, state="ended", ended_at=NOW, outcome="abandoned")
    async with database.read() as session:
        found = [(one.queue, one.place) for one in await waiting_now(session)]
    assert found == [("hotline", 1), ("expert", 1), ("hotline", 2)]


async def test_calls_that_go_on_are_those_of_ones_floor_with_everybody_who_talks(
    database: Database, house: Houses, hand: Hand
) -> None:
    ids = [person.user_id or 0 for person in (house.agent, house.colleague, house.stranger)]
    for ident, extension in zip(ids, ("1001", "1002", "2001"), strict=True):
        await hand.sign_in(ident, extension, NOW)
    three, foreign = await hand.call("13812341234", NOW), await hand.call("13900001111", NOW)
    await hand.leg(three, ids[0], NOW)
    await hand.leg(three, ids[1], NOW + timedelta(seconds=9))
    await hand.leg(foreign, ids[2], NOW)
    async with database.read() as session:
        own = await talking_now(session, house.leader)
        assert len(await talking_now(session, house.inspector)) == 2
        assert await talking_now(session, house.agent) == []
    assert [(one.id, one.names, one.since) for one in own] == [(three, ("名agent", "名colleague"), NOW)]


def test_what_lasts_too_long_stands_out_and_planned_pauses_may_last_longer() -> None:
    def kinds(state: str, seconds: float, reason: str | None = None, missed: int = 0) -> list[str]:
        stand = Stand(state, reason, NOW - timedelta(seconds=seconds), missed)
        return [one.kind for one in concerns(stand, LIMITS, NOW)]

    assert kinds("wrap_up", 119) == []
    assert kinds("wrap_up", 120) == ["wrap_up"]
    assert kinds("not_ready", 1000, "break") == ["not_ready"]
    assert kinds("not_ready", 1000, "training") == []
    assert kinds("not_ready", 3600, "training") == ["not_ready"]
    assert kinds("ready", 99999) == []
    assert kinds("ready", 1, missed=2) == ["missed"]
    assert kinds("unreachable", 0) == ["unreachable"]
    assert kinds("hold", 400, missed=2) == ["hold", "missed"]
    assert waits_long(NOW - timedelta(seconds=60), LIMITS, NOW)
    assert not waits_long(NOW - timedelta(seconds=59), LIMITS, NOW)


def test_the_worst_stands_first_whoever_it_is() -> None:
    little = concerns(Stand("wrap_up", None, NOW - timedelta(seconds=130)), LIMITS, NOW)[0]
    much = concerns(Stand("hold", None, NOW - timedelta(seconds=900)), LIMITS, NOW)[0]
    assert [ident for ident, _ in worst_first([(1, little), (2, much), (0, little)])] == [2, 0, 1]


@given(
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(0, 7 * 1440 - 1),
)
def test_hours_of_an_interpreter_are_half_open_and_wrap_over_midnight(
    days: set[int], begins: int, ends: int, minute: int
) -> None:
    def clock_time(minutes: int) -> time:
        return time(minutes // 60, minutes % 60)

    hours = Hours("".join(map(str, sorted(days))), clock_time(begins), clock_time(ends))
    monday_midnight = NOW - timedelta(hours=10)
    whole_day = begins == ends
    length = 1440 if whole_day else (ends - begins) % 1440
    first = [1440 * (day - 1) + (0 if whole_day else begins) for day in days]
    expected = any((minute - begin) % (7 * 1440) < length for begin in first)
    assert hours.open_at(monday_midnight + timedelta(minutes=minute)) == expected
    assert hours.words


def test_hours_past_midnight_belong_to_the_day_they_began() -> None:
    monday_night = Hours("1", time(20), time(2))
    ten = NOW.replace(hour=14)  # 22:00 on Monday
    assert monday_night.open_at(ten)
    assert monday_night.open_at(ten + timedelta(hours=3))  # 01:00 on Tuesday
    assert not monday_night.open_at(ten + timedelta(hours=4))
    assert not monday_night.open_at(ten + timedelta(hours=24))


def test_languages_are_written_in_the_order_of_the_table(clock: ManualClock) -> None:
    assert words_of(["english", "zhuang"]) == "壮语、英语"
    assert max(len(code) for code in LANGUAGES) <= 12


async def test_a_leader_of_another_hotline_changes_nobody_here(
    database: Database, house: Houses, hand: Hand
) -> None:
    agent = house.agent.user_id or 0
    await hand.sign_in(agent, "1001", NOW)
    await hand.state(agent, "ready", NOW)
    agents = AgentService(Settings())
    async with database.begin() as uow:
        for act in (agents.lead_ready, agents.lead_sign_out):
            with pytest.raises(HotlineError) as refused:
                await act(uow, house.other_leader, agent)
            assert refused.value.code == "not_found"
        await agents.lead_sign_out(uow, house.leader, agent)
    async with database.read() as session:
        assert await agents_now(session, house.leader) == []


@pytest.mark.parametrize("act", sorted(LEADER_ACTS))
async def test_a_leader_of_another_hotline_gets_into_no_call_here(
    database: Database, vault: Vault, house: Houses, hand: Hand, act: Act
) -> None:
    await hand.sign_in(house.agent.user_id or 0, "1001", NOW)
    call = await hand.call("13812341234", NOW)
    await hand.leg(call, house.agent.user_id or 0, NOW)
    async with database.begin() as uow:
        with pytest.raises(HotlineError) as refused:
            await orders.place(uow, vault, house.other_leader, act, call, "token1", None)
        assert refused.value.code == "call_not_found"
        await orders.place(uow, vault, house.leader, act, call, "token1", None)


async def test_a_report_of_abuse_is_for_the_leader_of_that_floor(
    database: Database, house: Houses, hand: Hand
) -> None:
    await hand.sign_in(house.agent.user_id or 0, "1001", NOW)
    call = await hand.call("13812341234", NOW)
    await hand.leg(call, house.agent.user_id or 0, NOW)
    async with database.begin() as uow:
        report = await abuse.report(uow, house.agent, call, "insult")
        with pytest.raises(HotlineError) as refused:
            await abuse.close(uow, house.other_leader, report)
        assert refused.value.code == "not_found"
    async with database.read() as session:
        assert await open_reports(session, house.other_leader) == []
        assert [one.id for one in await open_reports(session, house.leader)] == [report]
