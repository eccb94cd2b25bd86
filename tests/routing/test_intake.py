"""From a call to the ticket room: exactly one draft, exactly one task, whatever is told twice."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from routing.intake import Intake
from telephony.events import CallAbandoned, CallAnswered, CallJoined
from telephony.models import CallLeg
from tests.tickets.conftest import City, Refused
from tickets.models import table_of

pytestmark = pytest.mark.usefixtures("intake")
_leg = table_of(CallLeg)


async def _tell(city: City, *events: Any) -> None:
    for event in events:
        async with city.db.begin() as uow:
            await uow.emit(event)


def _answered(session_id: int, user_id: int | None, caller: int | None, **over: Any) -> CallAnswered:
    values: dict[str, Any] = {"session_id": session_id, "pbx": "pbx1", "extension": "1001", "version": 1}
    return CallAnswered(user_id=user_id, caller_ref=caller, **values | over)


async def _leg_of(city: City, session_id: int, login: str, *, ended: bool = False) -> None:
    async with city.db.begin() as uow:
        values = {
            "session_id": session_id,
            "leg_key": login,
            "extension": login,
            "user_id": city.user(login),
            "state": "ended" if ended else "talking",
            "ring_seconds": 1,
            "talk_seconds": 1,
            "hold_seconds": 0,
            "answered_at": uow.now,
            "ended_at": uow.now if ended else None,
        }
        await uow.session.execute(sa.insert(_leg).values(**values))


async def _owner(city: City) -> int | None:
    found: int | None = await city.scalar("SELECT owner_id FROM ticket_draft")
    return found


async def test_an_answered_call_makes_one_draft_however_often_it_is_told(city: City) -> None:
    session_id, caller = await city.call()
    event = _answered(session_id, city.user("agent"), caller)
    await _tell(city, event, event, event)
    assert await city.scalar("SELECT count(*) FROM ticket_draft") == 1
    assert await city.scalar("SELECT count(*) FROM draft_history") == 1
    assert await city.scalar("SELECT count(*) FROM event_log WHERE topic = 'draft'") == 1
    assert await _owner(city) == city.user("agent")


async def test_an_ended_draft_is_not_opened_again_by_a_late_event(city: City) -> None:
    session_id, caller = await city.call()
    event = _answered(session_id, city.user("agent"), caller)
    await _tell(city, event)
    async with city.db.begin() as uow:
        draft = await city.scalar("SELECT id FROM ticket_draft")
        await city.drafts.end_as_record(uow, city.actors["agent"], draft, 1, "silent")
    await _tell(city, event, _answered(session_id, city.user("agent2"), caller))
    assert await city.scalar("SELECT count(*) FROM ticket_draft WHERE ended_at IS NOT NULL") == 1
    assert await _owner(city) == city.user("agent")


async def test_a_call_we_make_ourselves_makes_no_draft(city: City) -> None:
    session_id, caller = await city.call()
    await _tell(city, _answered(session_id, city.user("agent"), caller, direction="outbound"))
    assert await city.scalar("SELECT count(*) FROM ticket_draft") == 0


async def test_a_call_on_a_telephone_nobody_signed_in_at_still_makes_a_draft(city: City) -> None:
    session_id, caller = await city.call()
    await _tell(city, _answered(session_id, None, caller))
    assert await _owner(city) is None
    await _tell(city, _answered(session_id, city.user("agent"), caller))
    assert await _owner(city) == city.user("agent")


async def test_an_unwritten_draft_goes_along_with_a_transferred_call(city: City) -> None:
    session_id, caller = await city.call()
    await _tell(city, _answered(session_id, city.user("agent"), caller))
    await _leg_of(city, session_id, "agent", ended=True)
    await _tell(city, CallJoined(session_id, "1002", city.user("agent2"), 2))
    assert await _owner(city) == city.user("agent2")


async def test_a_written_draft_stays_with_its_writer_until_the_other_takes_it(
    city: City, refused: Refused, intake: Intake
) -> None:
    session_id, caller = await city.call()
    await _tell(city, _answered(session_id, city.user("agent"), caller))
    draft = await city.scalar("SELECT id FROM ticket_draft")
    async with city.db.begin() as uow:
        await city.drafts.save(uow, city.actors["agent"], draft, 1, {"title": "已经写了"})
    await _leg_of(city, session_id, "agent", ended=True)
    await _tell(city, CallJoined(session_id, "1002", city.user("agent2"), 2))
    assert await _owner(city) == city.user("agent")

    other = city.actors["agent2"]
    async with city.db.begin() as uow:
        await refused("draft_not_found", intake.take_over_passed_call(uow, other, draft, 2, "转接"))
    await _leg_of(city, session_id, "agent2")
    async with city.db.begin() as uow:
        assert await intake.take_over_passed_call(uow, other, draft, 2, "转接") == 3
    assert await _owner(city) == city.user("agent2")


async def test_a_third_party_does_not_take_the_draft_of_the_agent_who_still_talks(city: City) -> None:
    session_id, caller = await city.call()
    await _tell(city, _answered(session_id, city.user("agent"), caller))
    await _leg_of(city, session_id, "agent")
    await _tell(city, CallJoined(session_id, "1002", city.user("agent2"), 2))
    assert await _owner(city) == city.user("agent")


def _abandoned(session_id: int, caller: int | None) -> CallAbandoned:
    return CallAbandoned(session_id, caller, "2026-11-23T02:00:00+00:00")


async def test_an_abandoned_call_makes_one_task_however_often_it_is_told(city: City) -> None:
    session_id, caller = await city.call(at=city.db.clock.now())
    event = _abandoned(session_id, caller)
    await _tell(city, event, event)
    assert await city.scalar("SELECT count(*) FROM callback_task") == 1
    assert await city.scalar("SELECT calls FROM callback_task") == 1


async def test_an_anonymous_caller_who_gave_up_makes_no_task(city: City) -> None:
    session_id, _ = await city.call(at=city.db.clock.now())
    await _tell(city, _abandoned(session_id, None))
    assert await city.scalar("SELECT count(*) FROM callback_task") == 0


async def test_a_citizen_who_gets_through_needs_no_call_back_any_more(city: City) -> None:
    missed, caller = await city.call(at=city.db.clock.now(), key="a")
    await _tell(city, _abandoned(missed, caller))
    later, _ = await city.call(key="b")
    await _tell(city, _answered(later, city.user("agent"), caller))
    assert await city.scalar("SELECT closed_as FROM callback_task") == "called_again"
    assert await city.scalar("SELECT closing_session_id FROM callback_task") == later


async def test_an_abandon_found_after_an_outage_is_closed_if_the_citizen_got_through_since(
    city: City,
) -> None:
    now = city.db.clock.now()
    missed, caller = await city.call(at=now - timedelta(hours=1), key="a")
    later, _ = await city.call(key="b")
    async with city.db.begin() as uow:
        statement = "UPDATE call_session SET answered_at = :t WHERE id = :i"
        await uow.session.execute(sa.text(statement), {"t": now - timedelta(minutes=5), "i": later})
    await _tell(city, _abandoned(missed, caller))
    assert await city.scalar("SELECT closed_as FROM callback_task") == "called_again"


async def test_a_failing_draft_undoes_the_call_that_made_it(city: City) -> None:
    async with city.db.begin() as uow:
        before = await uow.session.execute(sa.text("SELECT count(*) FROM call_session"))
        assert before.scalar_one() == 0
    with pytest.raises(sa.exc.IntegrityError):
        await _tell(city, _answered(404, city.user("agent"), None))
    assert await city.scalar("SELECT count(*) FROM event_log WHERE topic = 'call'") == 0
