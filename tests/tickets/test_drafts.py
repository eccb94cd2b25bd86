"""Drafts: one per call, nothing typed is lost, one writer, one end."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.tickets.conftest import City, Refused
from tickets import queries
from tickets.forms import FIELDS
from tickets.making import NewTicket
from tickets.states import Action


async def _open(city: City, agent: str = "agent") -> int:
    async with city.db.begin() as uow:
        return await city.drafts.open_manual(uow, city.actors[agent])


async def _save(city: City, agent: str, draft: int, version: int, **form: object) -> int:
    async with city.db.begin() as uow:
        return await city.drafts.save(uow, city.actors[agent], draft, version, form)


async def _form(city: City, agent: str, draft: int) -> dict[str, object]:
    async with city.db.read() as session:
        return (await queries.draft_form(session, city.actors[agent], city.vault, draft)).form


async def test_what_was_typed_is_kept_even_when_it_is_wrong(city: City) -> None:
    draft = await _open(city)
    assert await _save(city, "agent", draft, 1, phone="not a number", title="灯") == 2
    assert await _form(city, "agent", draft) == {"phone": "not a number", "title": "灯"}


async def test_the_typed_form_is_not_readable_in_the_database(city: City) -> None:
    draft = await _open(city)
    await _save(city, "agent", draft, 1, phone="13900001111")
    blob = bytes(await city.scalar("SELECT form_sealed FROM ticket_draft WHERE id = :d", d=draft))
    assert b"13900001111" not in blob


async def test_a_sealed_form_does_not_open_in_another_draft(city: City, refused: Refused) -> None:
    first, second = await _open(city), await _open(city)
    await _save(city, "agent", first, 1, title="一")
    async with city.db.begin() as uow:
        copy = "UPDATE ticket_draft SET form_sealed = (SELECT form_sealed FROM ticket_draft WHERE id = :a)"
        await uow.session.execute(text(copy + " WHERE id = :b"), {"a": first, "b": second})
    await refused("value_unreadable", _form(city, "agent", second))


async def test_an_unknown_key_is_refused(city: City, refused: Refused) -> None:
    draft = await _open(city)
    params = await refused("unknown_field", _save(city, "agent", draft, 1, owner_id=7))
    assert params == {"fields": ["owner_id"]}


async def test_a_form_of_a_hundred_kilobytes_is_refused(city: City, refused: Refused) -> None:
    draft = await _open(city)
    await refused("form_too_large", _save(city, "agent", draft, 1, narrative="长" * 40_000))


async def test_saving_over_another_save_is_a_conflict_with_both_versions(
    city: City, refused: Refused
) -> None:
    draft = await _open(city)
    await _save(city, "agent", draft, 1, title="一")
    await _save(city, "agent", draft, 2, title="二")
    params = await refused("version_conflict", _save(city, "agent", draft, 1, title="三"))
    assert (params["ours"], params["theirs"]) == (1, 3)


async def test_the_same_save_twice_is_one_save(city: City) -> None:
    draft = await _open(city)
    assert await _save(city, "agent", draft, 1, title="一") == 2
    assert await _save(city, "agent", draft, 1, title="一") == 2


async def test_a_colleague_neither_sees_nor_writes_the_draft(city: City, refused: Refused) -> None:
    draft = await _open(city)
    await refused("draft_not_found", _save(city, "agent2", draft, 1, title="x"))
    await refused("draft_not_found", _form(city, "agent2", draft))


async def test_the_shift_leader_reads_but_does_not_write_a_draft_of_others(
    city: City, refused: Refused
) -> None:
    draft = await _open(city)
    assert await _form(city, "leader", draft) == {}
    await refused("draft_not_yours", _save(city, "leader", draft, 1, title="x"))


async def test_a_draft_nobody_owns_belongs_to_whoever_writes_first(city: City, refused: Refused) -> None:
    session_id, caller = await city.call()
    async with city.db.begin() as uow:
        draft = await city.drafts.open_for_call(uow, session_id, None, caller)
    await _save(city, "agent2", draft, 1, title="一")
    await refused("draft_not_found", _save(city, "agent", draft, 2, title="二"))


async def test_a_draft_handed_over_is_written_by_the_colleague_only(city: City, refused: Refused) -> None:
    draft = await _open(city)
    await _save(city, "agent", draft, 1, title="一")
    async with city.db.begin() as uow:
        to = city.user("agent2")
        assert await city.drafts.hand_over(uow, city.actors["agent"], draft, 2, to) == 3
    assert await _save(city, "agent2", draft, 3, title="二") == 4
    await refused("draft_not_found", _save(city, "agent", draft, 4, title="三"))


async def test_a_draft_cannot_be_handed_to_someone_who_writes_none(city: City, refused: Refused) -> None:
    draft = await _open(city)
    async with city.db.begin() as uow:
        to = city.user("lights")
        work = city.drafts.hand_over(uow, city.actors["agent"], draft, 1, to)
        await refused("user_cannot_take", work)


async def test_the_shift_leader_takes_a_draft_over_with_a_reason_that_is_audited(
    city: City, refused: Refused
) -> None:
    draft = await _open(city)
    leader = city.actors["leader"]
    async with city.db.begin() as uow:
        await refused("reason_required", city.drafts.take_over(uow, leader, draft, 1, "  "))
        await city.drafts.take_over(uow, leader, draft, 1, "话务员身体不适")
    found = "SELECT reason FROM audit_log WHERE action = 'draft.take_over' AND object_id = :d"
    assert await city.scalar(found, d=draft) == "话务员身体不适"
    assert await _save(city, "leader", draft, 2, title="一") == 3


async def test_a_draft_ends_once_and_says_under_which_number(city: City, refused: Refused) -> None:
    draft = await _open(city)
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        number = await city.drafts.end_as_record(uow, agent, draft, 1, "wrong_number")
    async with city.db.begin() as uow:
        work = city.tickets.create_from_draft(uow, agent, draft, city.form(), 2)
        params = await refused("draft_already_ended", work)
    assert params["number"] == number
    assert params["ended_as"] == "record"
    await refused("draft_already_ended", _save(city, "agent", draft, 2, title="x"))


async def test_a_direct_answer_needs_what_was_answered(city: City, refused: Refused) -> None:
    draft = await _open(city)
    async with city.db.begin() as uow:
        agent = city.actors["agent"]
        await refused("note_required", city.drafts.end_as_record(uow, agent, draft, 1, "direct_answer"))
        await refused("unknown_disposition", city.drafts.end_as_record(uow, agent, draft, 1, "lunch"))


async def test_ending_twice_the_same_way_gives_the_same_record(city: City) -> None:
    draft = await _open(city)
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        first = await city.drafts.end_as_record(uow, agent, draft, 1, "silent")
    async with city.db.begin() as uow:
        assert await city.drafts.end_as_record(uow, agent, draft, 1, "silent") == first
    assert await city.scalar("SELECT count(*) FROM intake_record") == 1


async def test_a_record_keeps_what_the_draft_already_said(city: City) -> None:
    draft = await _open(city)
    await _save(city, "agent", draft, 1, type="consult", title="居住证怎么办", category_id=city.category_id)
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        await city.drafts.end_as_record(uow, agent, draft, 2, "direct_answer", "已告知办理材料")
    async with city.db.read() as session:
        (item,) = (await queries.record_list(session, agent)).items
    assert (item.title, item.type, item.category) == ("居住证怎么办", "consult", "市政")


async def test_a_repeat_call_is_an_urge_on_the_open_ticket(city: City) -> None:
    made = await city.ticket()
    draft = await _open(city)
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        await city.drafts.end_as_urge(uow, agent, draft, 1, made.id, "催问进度")
    async with city.db.begin() as uow:  # a double click
        await city.drafts.end_as_urge(uow, agent, draft, 1, made.id, "催问进度")
    async with city.db.read() as session:
        page = await queries.ticket_page(session, agent, made.id)
        lines = await queries.timeline(session, agent, made.id)
    assert (page.urges, page.version) == (1, 2)
    assert [line.action for line in lines] == ["create", "urge"]


async def test_an_addition_without_text_leaves_the_draft_open(city: City, refused: Refused) -> None:
    made = await city.ticket()
    draft = await _open(city)
    with pytest.raises(Exception, match="note_required"):
        async with city.db.begin() as uow:
            await city.drafts.end_as_addition(uow, city.actors["agent"], draft, 1, made.id, " ")
    assert await _save(city, "agent", draft, 1, title="还在") == 2


async def test_drafts_open_too_long_stand_on_the_shift_leaders_list(city: City, clock: object) -> None:
    draft = await _open(city)
    async with city.db.read() as session:
        leader = city.actors["leader"]
        before = city.db.clock.now()
        assert await queries.stale_drafts(session, leader, before) == []
        clock.advance(1801)  # type: ignore[attr-defined]  # a ManualClock
        found = await queries.stale_drafts(session, leader, city.db.clock.now())
    assert [item.id for item in found] == [draft]


async def test_two_tabs_ending_one_draft_at_once_make_one_ticket(city: City) -> None:
    draft = await _open(city)
    agent = city.actors["agent"]

    async def end() -> int:
        async with city.db.begin() as uow:
            return (await city.tickets.create_from_draft(uow, agent, draft, city.form(), 1)).id

    first, second = await asyncio.gather(end(), end())
    assert first == second
    assert await city.scalar("SELECT count(*) FROM ticket") == 1


async def test_a_draft_cannot_be_deleted_from_its_history(city: City) -> None:
    await _open(city)
    with pytest.raises(DBAPIError, match="append-only"):
        async with city.db.begin() as uow:
            await uow.session.execute(text("DELETE FROM draft_history"))


def test_no_field_of_the_form_names_a_column_of_the_workflow() -> None:
    assert not FIELDS & {"id", "number", "state", "version", "lead_unit_id", "created_by", "owner_id"}


async def test_an_appeal_taken_down_is_linked_to_the_ticket_it_objects_to(
    city: City, refused: Refused
) -> None:
    first = await city.ticket(phone="13800000009")
    async with city.db.begin() as uow:
        done = {"public_reply": "已依法告知。"}
        await city.tickets.act(uow, city.actors["agent"], first.id, 1, Action.ANSWER, done)
    draft = await _open(city)
    told = city.form(type="appeal", title="对路灯答复不服", narrative="答复与事实不符。", phone=None)

    async def end(**more: object) -> NewTicket:
        async with city.db.begin() as uow:
            form = told | more
            return await city.tickets.create_from_draft(uow, city.actors["agent"], draft, form, 1)

    assert await refused("form_invalid", end()) == {"fields": {"appeal_of": "required"}}
    wrong = await refused("form_invalid", end(appeal_of="450320260101000009"))
    assert wrong == {"fields": {"appeal_of": "unknown_ticket"}}
    made = await end(appeal_of=first.number)
    assert await end(appeal_of=first.number) == made  # a double click
    query = "SELECT {} FROM ticket WHERE id = :t"
    assert await city.scalar(query.format("appeal_of_id"), t=made.id) == first.id
    assert await city.scalar(query.format("title"), t=made.id) == "对路灯答复不服"
    same = "SELECT a.phone_ref = b.phone_ref FROM ticket a, ticket b WHERE a.id = :a AND b.id = :b"
    assert await city.scalar(same, a=made.id, b=first.id)
    assert await city.scalar("SELECT ended_as FROM ticket_draft WHERE id = :d", d=draft) == "ticket"


async def test_a_page_that_begins_to_write_is_told_to_its_owner_alone(city: City) -> None:
    draft = await _open(city)
    async with city.db.begin() as uow:
        await city.drafts.save(uow, city.actors["agent"], draft, 1, {"title": "灯"}, page="page0001")
    await _save(city, "agent", draft, 2, title="路灯")
    told = "SELECT {} FROM event_log WHERE topic = 'draft' AND kind = 'written' AND ref = :d"
    assert await city.scalar(told.format("count(*)"), d=draft) == 1
    assert await city.scalar(told.format("data->>'page'"), d=draft) == "page0001"
    assert await city.scalar(told.format("audience->'users'->>0"), d=draft) == str(city.user("agent"))
