"""Orders about calls on the simulator: what the PBX does, what the rows say, and every race."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.events import EventBus
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from telephony.controls import abuse, lists, marks, queries
from tests.helpers import eventually
from tests.telephony.controls.rig import CITIZEN, Floor


@pytest.fixture
async def floor(
    database: Database,
    clock: ManualClock,
    bus: EventBus,
    vault: Vault,
    people: PeopleService,
    settings: Settings,
) -> AsyncIterator[Floor]:
    async with Floor(database, clock, bus, vault, people, settings).open() as made:
        yield made


async def test_hold_and_resume_stay_one_talk_of_one_agent(floor: Floor) -> None:
    call = await floor.talk()
    await floor.done("hold")
    assert call.held
    await floor.done("resume")
    assert not call.held
    call.citizen_hangs_up()
    row = await floor.row()
    assert (row["outcome"], row["transfers"]) == ("answered", [])
    assert await floor.marks() == ["hold", "resume"]
    legs = await floor.legs()
    assert set(legs) == {"1001"}
    assert 0 < legs["1001"]["hold_seconds"] <= legs["1001"]["talk_seconds"]
    assert floor.simulator.pbx.channels == {}  # nobody is left in an empty room


@pytest.mark.parametrize("held", [False, True])
async def test_a_blind_transfer_reaches_the_colleague(floor: Floor, held: bool) -> None:
    call = await floor.talk()
    if held:
        await floor.done("hold")
    await floor.done("transfer", "colleague", "1002")
    await eventually(lambda: call.history[-1] == "talking:1002")
    call.citizen_hangs_up()
    row = await floor.row()
    assert row["transfers"] == [{"kind": "blind", "from": "1001", "to": "1002"}]
    legs = await floor.legs()
    assert legs["1001"]["ended_by"] == "transfer"
    assert legs["1002"]["answered_at"] is not None


async def test_a_transfer_leads_to_a_queue_by_its_name_or_to_a_number_outside(floor: Floor) -> None:
    call = await floor.talk()
    await floor.done("transfer", "queue", "expert")
    assert "waiting:expert" in call.history
    call.citizen_hangs_up()
    await floor.row()
    await floor.talk("1002")
    ident = await floor.done("transfer", "outside", "13977778888", by="1002")
    async with floor.db.read() as session:
        text = sa.text("SELECT target || '/' || kind FROM call_order WHERE id = :id")
        shown = (await session.execute(text, {"id": ident})).scalar_one()
    assert "13977778888" not in shown


async def test_a_transfer_nobody_takes_comes_back_and_the_order_says_so(floor: Floor) -> None:
    call = await floor.talk()
    ident = await floor.order("transfer", "colleague", "1777")  # a telephone this PBX does not have
    assert await floor.outcome(ident) in (("done", None), ("failed", "transfer_returned"))
    call.citizen_hangs_up()
    await floor.row()


@pytest.mark.parametrize("end", ["complete", "hang_up"])
async def test_a_consultation_hands_the_citizen_over(floor: Floor, end: str) -> None:
    call = await floor.talk()
    agent = call.agent
    assert agent is not None
    await floor.done("consult", "colleague", "1002")
    assert call.held
    async with floor.db.read() as session:
        standing = await marks.standing(session, floor.session_id)
    assert [party.target for party in standing.there] == ["1002"]
    if end == "complete":
        await floor.done("complete")
    else:
        call.hang_up(agent.channel)
    await eventually(lambda: not call.held, what="the citizen talks with the colleague")
    await eventually(lambda: agent.channel.gone, what="the agent is free")
    call.citizen_hangs_up()
    row = await floor.row()
    assert row["transfers"] == [{"kind": "attended", "from": "1001", "to": "1002"}]
    assert (await floor.legs())["1002"]["answered_at"] is not None


async def test_a_consultation_is_taken_back_or_becomes_three_way(floor: Floor) -> None:
    call = await floor.talk()
    await floor.done("consult", "colleague", "1002")
    await floor.done("back")
    assert not call.held
    await eventually(lambda: floor.simulator.pbx.device_state("1002") == "NOT_INUSE")
    await floor.done("consult", "colleague", "1003")
    await floor.done("conference")
    call.citizen_hangs_up()
    await floor.row()
    legs = await floor.legs()
    assert legs["1003"]["answered_at"] is not None
    assert legs.get("1002", {"answered_at": None})["answered_at"] is None


async def test_110_is_called_in_and_keeps_the_citizen_when_the_agent_leaves(floor: Floor) -> None:
    call = await floor.talk()
    await floor.done("emergency", "emergency", "110")
    await floor.done("complete")
    assert not call.citizen.gone
    assert "emergency" in await floor.marks()
    call.citizen_hangs_up()
    row = await floor.row()
    assert [one["to"] for one in row["transfers"]] == ["110"]


@pytest.mark.parametrize("act", ["listen", "whisper", "barge"])
async def test_listening_leaves_a_trace_in_the_audit_log_only(floor: Floor, act: str) -> None:
    call = await floor.talk()
    await floor.done(act, by="1004")
    call.citizen_hangs_up()
    await floor.row()
    assert await floor.marks() == []
    assert set(await floor.legs()) == {"1001"}

    async def audited() -> list[str]:
        async with floor.db.read() as session:
            rows = await session.execute(
                sa.text("SELECT action FROM audit_log WHERE object_type = 'call' ORDER BY id")
            )
            return list(rows.scalars())

    async def complete() -> bool:
        return await audited() == [f"call.{act}", "call.spy_started", "call.spy_stopped"]

    await eventually(complete, what="start and end of listening are audited")
    async with floor.db.read() as session:
        told = await session.execute(sa.text("SELECT audience::text FROM event_log WHERE topic = 'control'"))
        assert {text for (text,) in told} == {
            f'{{"units": [], "users": [{floor.actors["1004"].user_id}], "permissions": []}}'
        }


async def test_barging_into_a_call_that_just_ended_is_said_so(floor: Floor) -> None:
    call = await floor.talk()
    session_id = floor.session_id
    call.citizen_hangs_up()
    await floor.row()
    floor.session_id = session_id
    with pytest.raises(HotlineError, match="call_over"):
        await floor.order("barge", by="1004")


@pytest.mark.parametrize("held", [False, True])
async def test_a_leader_takes_over(floor: Floor, held: bool) -> None:
    call = await floor.talk()
    agent = call.agent
    assert agent is not None
    if held:
        await floor.done("hold")
    await floor.done("take-over", by="1004")
    await eventually(lambda: agent.channel.gone, what="the agent is free")
    call.citizen_hangs_up()
    row = await floor.row()
    assert [one["to"] for one in row["transfers"]] == ["1004"]
    assert (await floor.legs())["1004"]["answered_at"] is not None


async def test_a_leader_ends_a_call_that_was_reported(floor: Floor) -> None:
    await floor.talk()
    async with floor.db.begin() as uow:
        first = await abuse.report(uow, floor.actors["1001"], floor.session_id, "insult")
        assert await abuse.report(uow, floor.actors["1001"], floor.session_id, "threat") == first
    async with floor.db.read() as session:
        (report,) = await queries.open_reports(session, floor.actors["1004"])
    assert (report.extension, report.live) == ("1001", True)
    await floor.done("end", by="1004")
    await floor.row()
    async with floor.db.read() as session:
        assert await queries.open_reports(session, floor.actors["1004"]) == []


async def test_an_agent_cannot_do_what_only_leaders_may_nor_touch_the_calls_of_others(floor: Floor) -> None:
    await floor.talk()
    for act in ("listen", "end", "take-over"):
        with pytest.raises(HotlineError, match="forbidden"):
            await floor.order(act, by="1002")
    with pytest.raises(HotlineError, match="not_your_call"):
        await floor.order("hold", by="1002")


async def test_a_double_click_is_one_order(floor: Floor) -> None:
    call = await floor.talk()
    first = await floor.order("hold", token="same")
    assert await floor.order("hold", token="same") == first
    assert await floor.outcome(first) == ("done", None)
    with pytest.raises(HotlineError, match="held_already"):
        await floor.order("hold", token="another")
    assert await floor.marks() == ["hold"]
    call.citizen_hangs_up()


async def test_a_citizen_who_hangs_up_before_the_order_arrives_is_no_mystery(floor: Floor) -> None:
    call = await floor.talk()
    call.citizen_hangs_up()
    try:
        state, why = await floor.outcome(await floor.order("transfer", "colleague", "1002"))
    except HotlineError as error:  # the row has heard of it already
        state, why = "failed", error.code
    assert state == "failed"
    assert why in ("call_over", "call_moved", "not_your_call")


async def test_a_busy_colleague_is_not_called(floor: Floor) -> None:
    await floor.talk("1002")
    await floor.talk("1001")
    assert await floor.outcome(await floor.order("consult", "colleague", "1002")) == (
        "failed",
        "colleague_busy",
    )
    async with floor.db.read() as session:
        assert not (await marks.standing(session, floor.session_id)).held


async def test_a_muted_recording_is_heard_again_for_whoever_gets_the_call(floor: Floor) -> None:
    await floor.talk()
    await floor.done("mute")
    await floor.done("transfer", "colleague", "1002")
    assert await floor.marks() == ["mute", "unmute", "transfer"]


async def test_an_agent_who_hangs_up_on_hold_sends_the_citizen_back_to_the_queue(floor: Floor) -> None:
    call = await floor.talk()
    agent = call.agent
    assert agent is not None
    await floor.done("hold")
    call.hang_up(agent.channel)

    async def returned() -> bool:
        return "returned" in await floor.marks()

    await eventually(returned, what="the citizen is back in the queue")
    assert call.history[-1].startswith("waiting")


async def test_a_listed_number_of_harassment_is_taken_out_of_the_queue(floor: Floor) -> None:
    call = await floor.talk()
    async with floor.db.begin() as uow:
        ident = await lists.propose(uow, floor.actors["1001"], floor.session_id, "harassment", "多次辱骂")
    call.citizen_hangs_up()
    await floor.row()
    async with floor.db.begin() as uow:
        await lists.decide(uow, floor.actors["1004"], ident, 1, approve=True, days=30)
    again = floor.simulator.place_call(CITIZEN, "王小明", outcome="timeout")
    await eventually(lambda: "ended" in again.history, what="he is sent away")
    floor.session_id += 1
    row = await floor.row()
    assert row["outcome"] == "withdrawn"
    assert await floor.marks() == ["refused"]


async def test_nobody_decides_on_his_own_proposal_and_a_listing_ends(
    floor: Floor, clock: ManualClock
) -> None:
    await floor.talk("1004")
    async with floor.db.begin() as uow:
        ident = await lists.propose(uow, floor.actors["1004"], floor.session_id, "silent", "无人说话")
        assert await lists.propose(uow, floor.actors["1004"], floor.session_id, "silent", "又来") == ident
    with pytest.raises(HotlineError, match="own_proposal"):
        async with floor.db.begin() as uow:
            await lists.decide(uow, floor.actors["1004"], ident, 1, approve=True)
    with pytest.raises(HotlineError, match="forbidden"):
        async with floor.db.begin() as uow:
            await lists.decide(uow, floor.actors["1001"], ident, 1, approve=True)
