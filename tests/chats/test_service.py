"""A conversation from its first word to its number: who may do what, once, and nothing lost."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from chats import queries
from chats.service import token_hash
from tests.chats.conftest import Room
from tests.tickets.conftest import Refused


async def test_a_conversation_is_taken_with_a_draft_and_what_is_said_goes_both_ways(room: Room) -> None:
    chat_id, token = await room.opened("13800000001")
    await room.says(token, "我听不见，家里停水了")
    draft = await room.take(chat_id)
    await room.answers(chat_id, "您好，请问在哪个小区？")
    assert await room.said(chat_id) == [
        ("citizen", "我听不见，家里停水了"),
        ("agent", "您好，请问在哪个小区？"),
    ]
    row = await room.row(chat_id)
    assert (row.state, row.agent_id, row.messages) == ("active", room.city.user("agent"), 2)
    query = (
        "SELECT owner_id, chat_session_id, caller_ref IS NOT NULL AS known FROM ticket_draft WHERE id = :d"
    )
    async with room.city.db.read() as session:
        made = (await session.execute(sa.text(query), {"d": draft})).one()
    assert tuple(made) == (room.city.user("agent"), chat_id, True)


async def test_taking_it_twice_makes_one_draft_and_two_agents_get_one_conversation(
    room: Room, refused: Refused
) -> None:
    chat_id, _ = await room.opened()
    results = await asyncio.gather(
        room.take(chat_id), room.take(chat_id), room.take(chat_id, "agent2"), return_exceptions=True
    )
    assert len({one for one in results if isinstance(one, int)}) == 1
    assert await room.city.scalar("SELECT count(*) FROM ticket_draft") == 1
    owner = await room.city.scalar("SELECT agent_id FROM chat_session")
    other = "agent2" if owner == room.city.user("agent") else "agent"
    await refused("chat_taken", room.take(chat_id, other))
    await refused("chat_not_yours", room.answers(chat_id, "您好", other))


async def test_the_same_message_sent_twice_is_one(room: Room) -> None:
    chat_id, token = await room.opened()
    await asyncio.gather(*(room.says(token, "停水了", "same") for _ in range(5)))
    assert await room.said(chat_id) == [("citizen", "停水了")]
    assert (await room.row(chat_id)).messages == 1


async def test_what_was_written_is_sealed_and_never_edited(room: Room) -> None:
    chat_id, token = await room.opened("13800000001")
    await room.says(token, "我叫王小明，停水了")
    async with room.city.db.read() as session:
        tables = "SELECT string_agg(t::text, ' ') FROM {} t"
        for table in ("chat_message", "chat_session", "event_log", "personal_value", "audit_log"):
            dump = (await session.execute(sa.text(tables.format(table)))).scalar_one() or ""
            assert "王小明" not in dump, table
            assert "13800000001" not in dump, table
            assert token not in dump, table
    for statement in ("UPDATE chat_message SET sender = 'agent'", "DELETE FROM chat_message"):
        with pytest.raises(DBAPIError):
            async with room.city.db.begin() as uow:
                await uow.session.execute(sa.text(statement))
    assert (await room.row(chat_id)).token_hash == token_hash(token)


@pytest.mark.parametrize("token", ["", "x", "a" * 64, "ключ"])
async def test_a_made_up_token_opens_nothing(room: Room, refused: Refused, token: str) -> None:
    await room.opened()
    await refused("chat_unknown", room.says(token, "停水了"))


async def test_who_leaves_voids_his_token(room: Room, refused: Refused) -> None:
    chat_id, token = await room.opened()
    async with room.city.db.begin() as uow:
        await room.chats.leave(uow, token)
    assert (await room.row(chat_id)).outcome == "abandoned"
    await refused("chat_unknown", room.says(token, "停水了"))
    await refused("chat_ended", room.take(chat_id))


async def test_the_end_of_the_draft_tells_the_number_and_ends_the_conversation(room: Room) -> None:
    chat_id, token = await room.opened("13800000001")
    draft = await room.take(chat_id)
    async with room.city.db.begin() as uow:
        form = room.city.form(channel="text")
        made = await room.city.tickets.create_from_draft(uow, room.actor(), draft, form, 1)
    row = await room.row(chat_id)
    assert (row.state, row.outcome, row.ended_by) == ("ended", "answered", "agent")
    assert made.number in (await room.said(chat_id))[-1][1]
    assert await room.city.scalar("SELECT state FROM ticket WHERE id = :i", i=made.id) == "waiting_dispatch"
    async with room.city.db.read() as session:
        place = await queries.of_token(session, token, room.clock.now())
    assert place.state == "ended"


async def test_a_conversation_whose_end_was_not_told_is_caught_up_with(room: Room) -> None:
    chat_id, _ = await room.opened()
    draft = await room.take(chat_id)
    async with room.city.db.begin() as uow:  # as a node that died behind its commit leaves it
        end = (
            "UPDATE ticket_draft SET ended_at = now(), ended_as = 'record', record_number = '9' WHERE id = :d"
        )
        await uow.session.execute(sa.text(end), {"d": draft})
    assert await room.desk.catch_up() == 1
    assert (await room.row(chat_id)).state == "ended"
    assert await room.desk.catch_up() == 0


async def test_an_agent_has_so_many_at_once(room: Room, refused: Refused) -> None:
    ids = [(await room.opened())[0] for _ in range(3)]
    await room.take(ids[0])
    await room.take(ids[1])
    await refused("chat_busy", room.take(ids[2]))
    async with room.city.db.begin() as uow:
        await room.chats.end(uow, room.actor(), ids[0])
    await room.take(ids[2])


async def test_a_flood_of_conversations_is_turned_away(room: Room, refused: Refused) -> None:
    for _ in range(room.city.settings.text.most_waiting):
        await room.opened()
    await refused("text_full", room.opened())


async def test_who_may_not_take_conversations_does_not(room: Room, refused: Refused) -> None:
    chat_id, _ = await room.opened()
    await refused("forbidden", room.take(chat_id, "lights"))
    await refused("forbidden", room.take(chat_id, "callback"))


async def test_a_conversation_ends_at_so_many_messages(room: Room, refused: Refused) -> None:
    _, token = await room.opened()
    async with room.city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE chat_session SET messages = 400"))
    await refused("chat_full", room.says(token, "还有"))


async def test_figures_are_counted_apart_from_calls(room: Room) -> None:
    start = room.clock.now()
    answered, _ = await room.opened()
    _, gone = await room.opened()
    await room.opened()
    room.clock.advance(30)
    await room.take(answered)
    async with room.city.db.begin() as uow:
        await room.chats.leave(uow, gone)
    room.clock.advance(170)
    await room.tick()
    room.clock.advance(1)
    async with room.city.db.read() as session:
        found = await queries.figures(session, start, room.clock.now())
    assert found == queries.Figures(3, 1, 1, 1, 1, 30.0)
    assert await room.city.scalar("SELECT count(*) FROM call_interval") == 0
