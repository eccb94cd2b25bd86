"""Who is offered a conversation, for how long, and what becomes of one nobody takes."""

from tests.chats.conftest import Room
from tests.tickets.conftest import Refused


async def test_it_is_offered_to_who_is_ready_longest_and_then_to_the_next(room: Room) -> None:
    room.is_ready("agent2")
    room.clock.advance(10)
    room.is_ready("agent")
    chat_id, _ = await room.opened()
    await room.tick()
    row = await room.row(chat_id)
    assert (row.state, row.offered_to) == ("offered", room.city.user("agent2"))
    room.clock.advance(20)
    await room.tick()
    assert (await room.row(chat_id)).state == "waiting"
    await room.tick()
    assert (await room.row(chat_id)).offered_to == room.city.user("agent")


async def test_without_anybody_ready_it_waits(room: Room) -> None:
    chat_id, _ = await room.opened()
    assert await room.tick() == 0
    assert (await room.row(chat_id)).state == "waiting"


async def test_the_oldest_comes_first_and_nobody_is_offered_two(room: Room) -> None:
    first, _ = await room.opened()
    room.clock.advance(1)
    second, _ = await room.opened()
    room.is_ready("agent")
    await room.tick()
    assert [(await room.row(one)).state for one in (first, second)] == ["offered", "waiting"]
    await room.take(first)
    await room.tick()
    assert (await room.row(second)).state == "waiting"  # he writes with somebody already


async def test_an_offer_to_a_colleague_is_not_taken_away(room: Room, refused: Refused) -> None:
    room.is_ready("agent2")
    chat_id, _ = await room.opened()
    await room.tick()
    await refused("chat_offered", room.take(chat_id))
    await room.take(chat_id, "agent2")


async def test_nobody_in_three_minutes_makes_it_work_with_a_due_time_and_the_citizen_is_told(
    room: Room,
) -> None:
    chat_id, token = await room.opened()
    room.clock.advance(180)
    await room.tick()
    row = await room.row(chat_id)
    assert (row.state, row.due_at) == ("missed", room.desk.due(room.clock.now()))
    (told,) = await room.said(chat_id)
    assert told[0] == "system"
    await room.says(token, "那我先写在这里")
    draft = await room.take(chat_id)
    assert draft
    row = await room.row(chat_id)
    assert (row.state, row.due_at) == ("active", None)
    assert row.missed_at is not None


async def test_a_conversation_in_which_nobody_writes_ends_by_itself(room: Room) -> None:
    chat_id, _ = await room.opened()
    await room.take(chat_id)
    room.clock.advance(14 * 60)
    await room.answers(chat_id, "您还在吗？")
    room.clock.advance(14 * 60)
    await room.tick()
    assert (await room.row(chat_id)).state == "active"
    room.clock.advance(60)
    await room.tick()
    row = await room.row(chat_id)
    assert (row.state, row.ended_by) == ("ended", "system")


async def test_one_nobody_answered_in_days_is_counted_as_unanswered(room: Room) -> None:
    chat_id, _ = await room.opened()
    room.clock.advance(180)
    await room.tick()
    room.clock.advance(3 * 86400)
    await room.tick()
    assert (await room.row(chat_id)).outcome == "unanswered"
