"""A unit and a sealed citizen talk through the hotline, and neither learns the other's number."""

import asyncio

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.errors import HotlineError
from tests.tickets.conftest import City, Refused
from tests.tickets.post_rig import Post
from tickets import relay
from tickets.states import Action

QUESTION = "请问噪声一般在几点出现？"
NUMBERS = (
    "请他打我手机13912345678",
    "电话 139-1234-5678",
    "座机：0773-2812345",
    "身份证450303199003071234",
    "一三九一二三四五六七八",
    "１３９１２３４５６７８",
)


@pytest.fixture
def post(city: City, clock: ManualClock) -> Post:
    return Post(city, clock)


async def reported(post: Post, **over: object) -> int:
    """A report the unit "lights" works on."""
    made = await post.city.dispatched("lights", type="report", **over)
    await post.act("lights", made.id, Action.SIGN)
    return made.id


async def ask(post: Post, ticket_id: int, text: str = QUESTION, who: str = "lights") -> int:
    async with post.city.db.begin() as uow:
        return await relay.ask(uow, post.city.tickets, post.city.actors[who], ticket_id, text)


async def answer(post: Post, ticket_id: int, text: str) -> int:
    async with post.city.db.begin() as uow:
        return await relay.answer(uow, post.city.tickets, post.city.actors["agent"], ticket_id, text)


async def questions(post: Post, who: str = "agent") -> list[relay.Question]:
    async with post.city.db.read() as session:
        return list(await relay.open_questions(session, post.city.actors[who]))


async def kinds(post: Post, who: str) -> list[str]:
    query = "SELECT coalesce(json_agg(kind ORDER BY id), '[]') FROM notification WHERE user_id = :u"
    found = await post.city.scalar(query, u=post.city.user(who))
    return list(found)


async def test_a_question_waits_at_the_hotline_until_it_is_answered(post: Post) -> None:
    ticket_id = await reported(post)
    await ask(post, ticket_id)
    [found] = await questions(post)
    assert (found.ticket_id, found.text, found.unit) == (ticket_id, QUESTION, "市城市管理委员会")
    assert found.phone == "138****0001"
    assert "relay_question" in await kinds(post, "callback")
    await answer(post, ticket_id, "一般在晚上十一点以后。")
    assert await questions(post) == []
    assert "relay_answer" in await kinds(post, "lights")
    stored = "SELECT string_agg(kind, ',' ORDER BY id) FROM relay_message"
    assert await post.city.scalar(stored) == "question,answer"
    notes = "SELECT string_agg(note, '|' ORDER BY id) FROM ticket_history WHERE action LIKE '%relay'"
    assert await post.city.scalar(notes) == f"{QUESTION}|一般在晚上十一点以后。"


async def test_a_number_slips_through_in_neither_direction(post: Post, refused: Refused) -> None:
    ticket_id = await reported(post)
    for text in NUMBERS:
        await refused("relay_text_personal", ask(post, ticket_id, text))
    await ask(post, ticket_id)
    for text in NUMBERS:
        await refused("relay_text_personal", answer(post, ticket_id, text))
    assert len(await questions(post)) == 1
    assert await post.city.scalar("SELECT count(*) FROM ticket_history WHERE action LIKE '%relay'") == 1


async def test_only_the_unit_at_work_asks_and_only_the_hotline_answers(post: Post, refused: Refused) -> None:
    ticket_id = await reported(post)
    await refused("ticket_not_found", ask(post, ticket_id, who="water"))
    await refused("forbidden", ask(post, ticket_id, who="agent"))
    await ask(post, ticket_id)
    async with post.city.db.begin() as uow:
        work = relay.answer(uow, post.city.tickets, post.city.actors["lights"], ticket_id, "我自己答")
        await refused("forbidden", work)
    assert await questions(post, "lights")  # the unit sees its own question; the page is the hotline's
    assert await questions(post, "water") == []


async def test_a_question_is_sent_on_in_the_hotlines_name_once(post: Post, refused: Refused) -> None:
    ticket_id = await reported(post)
    await ask(post, ticket_id)
    [found] = await questions(post)
    await post.deliver()
    for _ in range(2):
        async with post.city.db.begin() as uow:
            await relay.send(uow, post.city.actors["agent"], found.id)
    [text] = await post.deliver()
    assert QUESTION in text
    assert text.startswith("【桂林12345】")
    assert "市城市管理委员会" not in text
    assert (await questions(post))[0].sent_at is not None
    assert await post.city.scalar("SELECT count(*) FROM audit_log WHERE action = 'relay.send'") == 1
    await answer(post, ticket_id, "晚上。")
    async with post.city.db.begin() as uow:
        await refused("relay_not_open", relay.send(uow, post.city.actors["agent"], found.id))


async def test_who_wants_no_contact_is_not_written_to(post: Post, refused: Refused) -> None:
    ticket_id = await reported(post, wants_reply=False)
    await ask(post, ticket_id)
    [found] = await questions(post)
    async with post.city.db.begin() as uow:
        await refused("contact_unwanted", relay.send(uow, post.city.actors["agent"], found.id))


async def test_questions_and_answers_are_never_edited(post: Post) -> None:
    await ask(post, await reported(post))
    for statement in ("UPDATE relay_message SET kind = 'answer'", "DELETE FROM relay_message"):
        with pytest.raises(sa.exc.DBAPIError):
            async with post.city.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


async def test_two_clicks_at_once_answer_a_question_once(post: Post) -> None:
    ticket_id = await reported(post)
    await ask(post, ticket_id)
    question = await post.city.scalar("SELECT question_id FROM relay_open")

    async def click() -> int:
        async with post.city.db.begin() as uow:
            agent = post.city.actors["agent"]
            return await relay.answer_question(uow, post.city.tickets, agent, question, "晚上七点以后。")

    results = await asyncio.gather(click(), click(), return_exceptions=True)
    assert [type(one) for one in results].count(int) == 1
    assert [one.code for one in results if isinstance(one, HotlineError)] == ["relay_not_open"]
    assert await post.city.scalar("SELECT count(*) FROM relay_message WHERE kind = 'answer'") == 1
