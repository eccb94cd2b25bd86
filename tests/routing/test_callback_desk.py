"""Calling back by a click: who may call whom when, and what each end of the call makes of the task."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.events import EventBus
from core.people.actor import Actor
from routing.callback_desk import OBJECT, RESULTS, CallbackDesk
from telephony import dialling
from telephony.controls.models import NumberListing
from telephony.events import CallAbandoned, CallAnswered, CallEnded, DialFailed
from telephony.models import CallSession, DialOrder
from tests.tickets.conftest import City, Refused
from tickets.citizens import records
from tickets.models import table_of
from tickets.terms import AttemptResult

pytestmark = pytest.mark.usefixtures("intake")
_call = table_of(CallSession)
_order = table_of(DialOrder)
NUMBER = "13800000001"


@pytest.fixture
async def desk(city: City, bus: EventBus) -> CallbackDesk:
    made = CallbackDesk(city.callbacks, city.drafts)
    made.wire(bus)
    for who, extension in (("agent", "1001"), ("agent2", "1002")):
        city.actors[who] = replace(city.actors[who], extension=extension)
    return made


async def _missed(city: City, number: str = NUMBER, key: str = "a") -> int:
    session_id, caller = await city.call(number, key=key)
    async with city.db.begin() as uow:
        task = await city.callbacks.open_for_abandoned(uow, session_id, caller, uow.now)
        assert caller is not None
        await records.ensure(uow, caller)
        over = sa.update(_call).where(_call.c.id == session_id).values(state="ended", ended_at=uow.now)
        await uow.session.execute(over)
    assert task is not None
    return task


async def _dial(city: City, desk: CallbackDesk, task: int, who: str = "agent") -> int:
    async with city.db.begin() as uow:
        return await desk.dial(uow, city.actors[who], task)


async def _made(city: City, order: int, outcome: str) -> int:
    """The call of an order, over."""
    async with city.db.begin() as uow:
        key = await uow.session.scalar(sa.select(_order.c.channel_id).where(_order.c.id == order))
        values: dict[str, Any] = {
            "pbx": "pbx1", "session_key": key, "direction": "outbound", "caller_kind": "mobile",
            "state": "ended", "outcome": outcome, "queues": [], "transfers": [], "linkedids": [],
            "started_at": uow.now, "ended_at": uow.now, "version": 1,
        }  # fmt: skip
        made = await uow.session.execute(sa.insert(_call).values(**values).returning(_call.c.id))
        await uow.session.execute(sa.update(_order).where(_order.c.id == order).values(state="ringing"))
        return int(made.scalar_one())


async def _tell(city: City, *events: Any) -> None:
    for event in events:
        async with city.db.begin() as uow:
            await uow.emit(event)


async def _over(city: City, order: int, outcome: str) -> None:
    call = await _made(city, order, outcome)
    await _tell(city, CallEnded(call, outcome, (), 1, "outbound"))


async def _task(city: City) -> Any:
    async with city.db.read() as session:
        return (await session.execute(sa.text("SELECT * FROM callback_task ORDER BY id"))).first()


async def _results(city: City) -> list[str]:
    async with city.db.read() as session:
        rows = await session.execute(sa.text("SELECT result FROM callback_attempt ORDER BY id"))
        return list(rows.scalars())


def _answered(city: City, call: int) -> CallAnswered:
    return CallAnswered(call, "pbx1", "1001", city.user("agent"), None, 1, "outbound")


async def test_a_click_takes_the_task_and_orders_one_call(city: City, desk: CallbackDesk) -> None:
    task = await _missed(city)
    first = await _dial(city, desk, task)
    assert await _dial(city, desk, task) == first
    assert (await _task(city)).claimed_by == city.user("agent")
    assert await city.scalar("SELECT count(*) FROM dial_order") == 1


@pytest.mark.parametrize("outcome", [one for one in RESULTS if one != "answered"])
async def test_each_failure_is_noted_by_the_call_itself_and_only_tries_of_the_citizen_count(
    city: City, desk: CallbackDesk, outcome: str
) -> None:
    task = await _missed(city)
    await _over(city, await _dial(city, desk, task), outcome)
    result = RESULTS[outcome]
    assert await _results(city) == [result.value]
    row = await _task(city)
    counted = outcome in {"citizen_no_answer", "citizen_busy", "citizen_rejected", "number_invalid"}
    assert row.attempts == (1 if counted else 0)
    assert row.closed_as == ("unreachable" if result is AttemptResult.INVALID_NUMBER else None)
    if row.closed_as is None:
        assert row.claimed_by is None
        assert (row.not_before is not None) == counted


async def test_the_same_end_told_twice_is_one_try(city: City, desk: CallbackDesk) -> None:
    task = await _missed(city)
    call = await _made(city, await _dial(city, desk, task), "citizen_busy")
    ended = CallEnded(call, "citizen_busy", (), 1, "outbound")
    await _tell(city, ended, ended)
    assert await _results(city) == ["busy"]


@pytest.mark.parametrize(
    ("why", "result"),
    [
        (dialling.AGENT_GONE, "agent_unreachable"),
        ("late", "not_dialled"),
        ("ami_not_connected", "not_dialled"),
        (dialling.NOTHING_HEARD, "not_dialled"),
    ],
)
async def test_a_call_that_never_came_to_be_leaves_the_task_free_for_the_next(
    city: City, desk: CallbackDesk, why: str, result: str
) -> None:
    task = await _missed(city)
    order = await _dial(city, desk, task)
    await _tell(city, DialFailed(order, OBJECT, task, city.user("agent"), why))
    assert await _results(city) == [result]
    row = await _task(city)
    assert (row.attempts, row.claimed_by, row.not_before, row.closed_as) == (0, None, None, None)


async def test_a_failed_call_about_a_ticket_is_no_business_of_the_desk(
    city: City, desk: CallbackDesk
) -> None:
    task = await _missed(city)
    order = await _dial(city, desk, task)
    await _tell(city, DialFailed(order, "ticket", task, city.user("agent"), "late"))
    assert await _results(city) == []


async def test_reaching_the_citizen_closes_the_task_and_opens_a_draft_for_what_he_says(
    city: City, desk: CallbackDesk
) -> None:
    task = await _missed(city)
    call = await _made(city, await _dial(city, desk, task), "answered")
    event = _answered(city, call)
    await _tell(city, event, event, CallEnded(call, "answered", (), 2, "outbound"))
    assert await _results(city) == ["reached"]
    row = await _task(city)
    assert (row.closed_as, row.closed_by, row.closing_session_id) == (
        "called_back", city.user("agent"), call,
    )  # fmt: skip
    assert await city.scalar("SELECT owner_id FROM ticket_draft") == city.user("agent")


async def test_three_calls_in_vain_with_a_pause_between_them_end_it_as_unreachable(
    city: City, desk: CallbackDesk, clock: ManualClock, refused: Refused
) -> None:
    task = await _missed(city)
    for tried in range(3):
        await _over(city, await _dial(city, desk, task), "citizen_no_answer")
        if tried == 0:
            await refused("callback_too_early", _dial(city, desk, task))
        clock.advance(15 * 60)
    assert (await _task(city)).closed_as == "unreachable"
    await refused("callback_closed", _dial(city, desk, task))


async def test_who_calls_again_himself_may_be_called_at_once(
    city: City, desk: CallbackDesk, refused: Refused
) -> None:
    task = await _missed(city)
    await _over(city, await _dial(city, desk, task), "citizen_no_answer")
    await refused("callback_too_early", _dial(city, desk, task))
    await _missed(city, key="b")
    await _dial(city, desk, task)


async def test_two_people_never_dial_one_number_at_once(
    city: City, desk: CallbackDesk, refused: Refused
) -> None:
    task = await _missed(city)
    results = await asyncio.gather(
        _dial(city, desk, task), _dial(city, desk, task, "agent2"), return_exceptions=True
    )
    assert sum(isinstance(one, int) for one in results) == 1
    assert await city.scalar("SELECT count(*) FROM dial_order") == 1


async def test_a_number_a_colleague_calls_about_a_ticket_is_not_dialled(
    city: City, desk: CallbackDesk, refused: Refused
) -> None:
    task = await _missed(city)
    async with city.db.begin() as uow:
        ref = (await city.vault.put(uow, "phone", NUMBER)).id
        await dialling.order(uow, city.actors["agent2"], number_ref=ref, object_type="ticket", object_id=1)
    await refused("number_dialled", _dial(city, desk, task))
    assert (await _task(city)).claimed_by is None


async def test_who_is_on_the_line_already_is_not_called(
    city: City, desk: CallbackDesk, refused: Refused
) -> None:
    task = await _missed(city)
    session_id, _ = await city.call(NUMBER, key="again")
    async with city.db.begin() as uow:
        waiting = sa.update(_call).where(_call.c.id == session_id).values(ended_at=None, state="waiting")
        await uow.session.execute(waiting)
    await refused("caller_on_line", _dial(city, desk, task))


async def test_a_claim_without_a_call_lapses_after_a_while(
    city: City, desk: CallbackDesk, clock: ManualClock, refused: Refused
) -> None:
    task = await _missed(city)
    async with city.db.begin() as uow:
        await city.callbacks.claim(uow, city.actors["agent2"], task, 1)
    await refused("callback_claimed", _dial(city, desk, task))
    clock.advance(15 * 60 + 1)
    await _dial(city, desk, task)


async def _next(city: City, who: str = "agent") -> int | None:
    async with city.db.begin() as uow:
        return await city.callbacks.claim_next(uow, city.actors[who])


async def test_the_next_task_is_the_first_due_that_nobody_is_at(
    city: City, desk: CallbackDesk, clock: ManualClock
) -> None:
    first = await _missed(city)
    clock.advance(60)
    second = await _missed(city, "13800000002", "b")
    assert await _next(city) == first
    assert await _next(city) == first  # the same key twice
    assert await _next(city, "agent2") == second
    await _over(city, await _dial(city, desk, first), "citizen_busy")
    assert await _next(city) is None  # not yet, and the other one is a colleague's
    clock.advance(15 * 60)
    assert await _next(city) == first


async def test_two_who_ask_for_the_next_at_once_get_two(city: City, desk: CallbackDesk) -> None:
    tasks = {await _missed(city), await _missed(city, "13800000002", "b")}
    assert set(await asyncio.gather(_next(city), _next(city, "agent2"))) == tasks


async def test_a_citizen_who_gets_through_from_his_second_number_closes_both(city: City) -> None:
    await _missed(city)
    await _missed(city, "13800000002", "b")
    await _missed(city, "13800000003", "c")
    async with city.db.begin() as uow:
        refs = [(await city.vault.put(uow, "phone", f"1380000000{n}")).id for n in (1, 2)]
        one, two = [(await records.find(uow.session, [ref]))[ref] for ref in refs]
        merged = "UPDATE citizen SET merged_into_id = :one WHERE id = :two"
        await uow.session.execute(sa.text(merged), {"one": one, "two": two})
    later, caller = await city.call("13800000002", key="later")
    await _tell(city, CallAnswered(later, "pbx1", "1001", city.user("agent"), caller, 1))
    assert await city.scalar("SELECT count(*) FROM callback_task WHERE closed_as = 'called_again'") == 2
    assert await city.scalar("SELECT count(*) FROM callback_task WHERE closed_at IS NULL") == 1


async def test_who_gives_up_a_second_time_is_still_to_be_called(city: City) -> None:
    task = await _missed(city)
    assert await _missed(city, key="b") == task
    assert (await _task(city)).closed_as is None
    assert (await _task(city)).calls == 2


def _ended(session_id: int, outcome: str) -> CallEnded:
    return CallEnded(session_id, outcome, (), 1)


@pytest.mark.parametrize("outcome", ["timeout", "empty", "withdrawn", "exit_key"])
async def test_who_waited_in_vain_is_called_back_though_he_did_not_give_up(city: City, outcome: str) -> None:
    session_id, _ = await city.call(NUMBER, at=city.db.clock.now())
    await _tell(city, _ended(session_id, outcome), _ended(session_id, outcome))
    assert await city.scalar("SELECT calls FROM callback_task") == 1


@pytest.mark.parametrize("outcome", ["withdrawn", "abandoned"])
async def test_a_listed_number_of_harassment_is_not_called_back(city: City, outcome: str) -> None:
    session_id, caller = await city.call(NUMBER, at=city.db.clock.now())
    async with city.db.begin() as uow:
        values = {
            "kind": "harassment", "number_ref": caller, "session_id": session_id, "reason": "多次辱骂",
            "state": "listed", "proposed_by": city.user("agent"), "proposed_at": uow.now, "version": 1,
            "expires_at": uow.now + timedelta(days=7),
        }  # fmt: skip
        await uow.session.execute(sa.insert(table_of(NumberListing)).values(**values))
    gone = CallAbandoned(session_id, caller, "2026-11-23T02:00:00+00:00", 1)
    await _tell(city, gone if outcome == "abandoned" else _ended(session_id, outcome))
    assert await _task(city) is None


async def test_a_call_at_night_is_called_back_and_one_left_in_the_greeting_by_day_is_not(
    city: City, clock: ManualClock
) -> None:
    day, _ = await city.call(NUMBER, at=clock.now(), key="day")
    await _tell(city, _ended(day, "ivr_ended"))
    assert await _task(city) is None
    clock.advance(12 * 3600)  # 22:00 in the city
    night, _ = await city.call(NUMBER, at=clock.now(), key="night")
    await _tell(city, _ended(night, "ivr_ended"))
    row = await _task(city)
    assert row.due_at.isoformat() == "2026-11-24T02:00:00+00:00"  # ten in the morning


async def test_the_desk_needs_its_permission(city: City, desk: CallbackDesk, refused: Refused) -> None:
    task = await _missed(city)
    stranger: Actor = city.actors["lights"]
    async with city.db.begin() as uow:
        await refused("forbidden", desk.dial(uow, stranger, task))
        await refused("forbidden", city.callbacks.claim_next(uow, stranger))
