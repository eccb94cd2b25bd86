"""Tickets: numbered without waiting for one another, dispatched by hand, told in an honest history."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock
from core.events import EventBus
from tests.tickets.conftest import City, Refused
from tickets import queries, reveal
from tickets.events import DraftEnded, TicketCreated, TicketDispatched


async def test_a_ticket_gets_area_day_and_six_digits_and_a_code_of_six_digits(city: City) -> None:
    made = await city.ticket()
    assert made.number == "450320261123000001"
    assert made.query_code.isdecimal()
    assert len(made.query_code) == 6
    assert (await city.ticket()).number == "450320261123000002"


async def test_the_count_begins_anew_at_midnight_in_the_city(city: City, clock: ManualClock) -> None:
    await city.ticket()
    clock.step((datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC) - clock.now()).total_seconds())
    assert (await city.ticket()).number == "450320261123000002"
    clock.step(1)
    assert (await city.ticket()).number == "450320261124000001"


async def test_fifty_creators_at_once_get_fifty_numbers(city: City) -> None:
    made = await asyncio.gather(*(city.ticket() for _ in range(50)))
    numbers = sorted(ticket.number for ticket in made)
    assert len(set(numbers)) == 50
    assert numbers[-1] == "450320261123000050"


async def test_a_failed_creation_leaves_a_gap_and_no_double(city: City) -> None:
    with pytest.raises(RuntimeError):
        async with city.db.begin() as uow:
            actor = city.actors["agent"]
            draft = await city.drafts.open_manual(uow, actor)
            await city.tickets.create_from_draft(uow, actor, draft, city.form(), 1)
            raise RuntimeError("the client went away")
    first, second = (await city.ticket()).number, (await city.ticket()).number
    assert first < second


async def test_the_millionth_number_of_a_day_is_refused(city: City, refused: Refused) -> None:
    await city.ticket()
    async with city.db.begin() as uow:
        await uow.session.execute(text("SELECT setval('ticket_number_seq', 1000000)"))
    params = await refused("numbers_exhausted", city.ticket())
    assert params == {"area": "4503", "day": "2026-11-23"}


async def test_the_same_request_twice_gives_the_same_number_and_code(city: City) -> None:
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
    made = []
    for _ in range(2):
        async with city.db.begin() as uow:
            made.append(await city.tickets.create_from_draft(uow, agent, draft, city.form(), 1))
    assert made[0] == made[1]


async def test_without_a_typed_phone_the_caller_is_the_contact(city: City) -> None:
    session_id, caller = await city.call("13711112222")
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        draft = await city.drafts.open_for_call(uow, session_id, agent.user_id, caller)
        made = await city.tickets.create_from_draft(uow, agent, draft, city.form(phone=""), 1)
    async with city.db.read() as session:
        assert (await queries.ticket_page(session, agent, made.id)).phone == "137****2222"
        (found,) = await queries.last_tickets_of(session, agent, caller)
    assert found.id == made.id


async def test_somebody_nobody_can_reach_is_refused_unless_anonymous(city: City, refused: Refused) -> None:
    params = await refused("form_invalid", city.ticket(phone=""))
    assert params == {"fields": {"phone": "required"}}
    await city.ticket(phone="", confidentiality="anonymous")


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"category_id": 999_999}, "category_unknown"),
        ({"district_id": 999_999}, "place_unknown"),
        ({"title": ""}, "form_invalid"),
        ({"lead_unit_id": 1}, "unknown_field"),
    ],
)
async def test_a_bad_reference_or_key_makes_no_ticket(
    city: City, refused: Refused, over: dict[str, object], code: str
) -> None:
    await refused(code, city.ticket(**over))
    assert await city.scalar("SELECT count(*) FROM ticket") == 0


async def test_a_street_of_another_district_is_refused(city: City, refused: Refused) -> None:
    right = {"district_id": city.unit("qixing"), "street_id": city.unit("sanlidian")}
    await city.ticket(**right)
    await refused("place_unknown", city.ticket(**right | {"district_id": city.unit("xiangshan")}))


async def test_dispatch_moves_the_ticket_to_the_unit_and_says_so(city: City, bus: EventBus) -> None:
    told: list[object] = []
    for kind in (TicketCreated, TicketDispatched, DraftEnded):

        async def note(event: object) -> None:
            told.append(type(event))

        bus.after(kind, note)
    made = await city.dispatched("lights")
    async with city.db.read() as session:
        page = await queries.ticket_page(session, city.actors["lights"], made.id)
        lines = await queries.timeline(session, city.actors["lights"], made.id)
    assert (page.state, page.lead_unit, page.version) == ("waiting_sign", "市城市管理委员会", 2)
    assert page.dispatched_at == city.db.clock.now()
    assert [(line.action, line.to_state, line.target_unit) for line in lines] == [
        ("create", "waiting_dispatch", None),
        ("dispatch", "waiting_sign", "市城市管理委员会"),
    ]
    assert told == [TicketCreated, DraftEnded, TicketDispatched]


async def test_dispatching_twice_at_once_sends_it_to_one_unit_only(city: City) -> None:
    made = await city.ticket()

    async def send(unit: str) -> object:
        async with city.db.begin() as uow:
            unit_id = city.unit(unit)
            return await city.tickets.dispatch(uow, city.actors["dispatcher"], made.id, 1, unit_id)

    results = await asyncio.gather(send("lights"), send("water"), return_exceptions=True)
    assert sorted(str(result).split(" ")[0] for result in results) == ["2", "version_conflict"]


async def test_the_same_dispatch_twice_is_one_dispatch(city: City) -> None:
    made = await city.dispatched("lights")
    async with city.db.begin() as uow:
        unit_id = city.unit("lights")
        assert await city.tickets.dispatch(uow, city.actors["dispatcher"], made.id, 1, unit_id) == 2
    assert await city.scalar("SELECT count(*) FROM ticket_history WHERE action = 'dispatch'") == 1


async def test_a_dispatched_ticket_is_not_dispatched_again(city: City, refused: Refused) -> None:
    made = await city.dispatched("lights")
    async with city.db.begin() as uow:
        work = city.tickets.dispatch(uow, city.actors["dispatcher"], made.id, 2, city.unit("water"))
        await refused("action_not_allowed", work)


@pytest.mark.parametrize("unit", ["city", "hotline"])
async def test_units_that_handle_nothing_get_no_tickets(city: City, refused: Refused, unit: str) -> None:
    made = await city.ticket()
    async with city.db.begin() as uow:
        work = city.tickets.dispatch(uow, city.actors["dispatcher"], made.id, 1, city.unit(unit))
        await refused("unit_cannot_take", work)


async def test_an_agent_does_not_dispatch(city: City, refused: Refused) -> None:
    made = await city.ticket()
    async with city.db.begin() as uow:
        work = city.tickets.dispatch(uow, city.actors["agent"], made.id, 1, city.unit("lights"))
        await refused("forbidden", work)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ticket_history SET note = 'x'",
        "DELETE FROM ticket_history",
        "TRUNCATE ticket_history",
        "UPDATE intake_record SET note = 'x'",
        "DELETE FROM intake_record",
    ],
)
async def test_history_and_records_are_append_only_in_the_database_itself(city: City, statement: str) -> None:
    agent = city.actors["agent"]
    await city.ticket()
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
        await city.drafts.end_as_record(uow, agent, draft, 1, "silent")
    with pytest.raises(DBAPIError, match=r"append-only|cannot truncate"):
        async with city.db.begin() as uow:
            await uow.session.execute(text(statement))


async def test_no_table_of_the_room_holds_the_phone_or_the_name(city: City) -> None:
    await city.dispatched("lights", phone="13987654321", citizen_name="欧阳晓静")
    for table in ("ticket", "ticket_history", "ticket_draft", "event_log", "audit_log", "personal_value"):
        found = (
            f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%13987654321%' OR t::text LIKE '%欧阳晓静%'"
        )
        assert await city.scalar(found) == 0, table


async def test_a_reveal_needs_a_reason_and_is_audited(city: City, refused: Refused) -> None:
    made = await city.dispatched("lights")
    officer = city.actors["lights"]
    async with city.db.begin() as uow:
        await refused("reason_required", reveal.of_ticket(uow, officer, city.vault, made.id, "phone", ""))
        shown = await reveal.of_ticket(uow, officer, city.vault, made.id, "phone", "联系市民")
    assert shown == "13800000001"
    assert await city.scalar("SELECT reason FROM audit_log WHERE action = 'person.reveal'") == "联系市民"


async def test_the_reporter_is_sealed_from_the_handling_unit(city: City, refused: Refused) -> None:
    made = await city.dispatched("lights", type="report")
    officer = city.actors["lights"]
    async with city.db.read() as session:
        page = await queries.ticket_page(session, officer, made.id)
        (item,) = (await queries.ticket_list(session, officer)).items
        assert page.sealed
        assert (page.citizen, page.phone, item.citizen, item.phone) == (None, None, None, None)
        assert await queries.find_by_phone(session, officer, city.vault, "13800000001") == []
        assert (await queries.ticket_page(session, city.actors["agent"], made.id)).phone == "138****0001"
    async with city.db.begin() as uow:
        work = reveal.of_ticket(uow, officer, city.vault, made.id, "phone", "联系")
        await refused("identity_sealed", work)
