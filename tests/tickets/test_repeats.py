"""The same addition sent twice (a double click, a lost response) is one; a second call is a second urge."""

import asyncio

import pytest

from tests.tickets.conftest import City, Refused
from tests.tickets.life import Life, life
from tickets.states import Action

A = Action
ADDED = [
    ("agent", A.NOTE, {"note": "此人常来电"}),
    ("agent", A.ADD, {"note": "另有井盖破损"}),
    ("agent", A.URGE, {"note": "再次催问"}),
    ("agent", A.URGE, {}),
    ("lights", A.ASK_RELAY, {"note": "几点方便上门？"}),
    ("agent", A.ANSWER_RELAY, {"note": "晚上七点以后"}),
]


async def _count(one: Life, action: Action) -> int:
    return [row.action for row in await one.history()].count(action.value)


@pytest.mark.parametrize(("who", "action", "data"), ADDED)
async def test_an_addition_sent_twice_from_one_page_is_one(
    city: City, who: str, action: Action, data: dict[str, str]
) -> None:
    one = await life(city)
    await one.to_handling()
    seen = (await one.row()).version
    first, second = await asyncio.gather(*(one.do(who, action, version=seen, **data) for _ in range(2)))
    assert first == second == seen + 1
    assert await _count(one, action) == 1
    assert (await one.row()).urges == (1 if action is A.URGE else 0)


@pytest.mark.parametrize(("who", "action", "data"), ADDED)
async def test_it_is_known_again_although_others_wrote_meanwhile(
    city: City, who: str, action: Action, data: dict[str, str]
) -> None:
    one = await life(city)
    await one.to_handling()
    seen = (await one.row()).version
    await one.do(who, action, version=seen, **data)
    await one.do("leader", A.NOTE, note="已阅")
    assert await one.do(who, action, version=seen, **data) == seen + 2
    assert await _count(one, action) == (2 if action is A.NOTE else 1)  # with the leader's own


@pytest.mark.parametrize(("who", "action", "data"), ADDED)
async def test_the_same_from_a_page_opened_afterwards_counts(
    city: City, who: str, action: Action, data: dict[str, str]
) -> None:
    one = await life(city)
    await one.to_handling()
    for _ in range(2):
        await one.do(who, action, **data)
    assert await _count(one, action) == 2


async def test_another_text_or_another_person_is_another_addition(city: City) -> None:
    one = await life(city)
    seen = (await one.row()).version
    for who, note in (("agent", "甲"), ("agent", "乙"), ("agent2", "甲")):
        await one.do(who, A.ADD, version=seen, note=note)
    assert await _count(one, A.ADD) == 3


async def test_the_citizens_second_call_is_a_second_urge_with_the_same_words(city: City) -> None:
    one = await life(city)
    seen = (await one.row()).version
    calls = [(await city.call(key=key))[0] for key in ("first", "second")]
    for call in (calls[0], calls[0], calls[1]):
        async with city.db.begin() as uow:
            await city.tickets.act(
                uow, city.actors["agent"], one.id, seen, A.URGE, {"note": "催问"}, call_session_id=call
            )
    assert (await one.row()).urges == 2


@pytest.mark.parametrize("ends_as", ["urge", "addition"])
async def test_a_draft_ended_twice_on_a_ticket_adds_once_and_no_other_text_is_swallowed(
    city: City, refused: Refused, ends_as: str
) -> None:
    one, agent = await life(city), city.actors["agent"]

    async def end(draft: int, note: str) -> None:
        async with city.db.begin() as uow:
            end = city.drafts.end_as_urge if ends_as == "urge" else city.drafts.end_as_addition
            await end(uow, agent, draft, 1, one.id, note)

    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
    await asyncio.gather(end(draft, "路灯又灭了"), end(draft, " 路灯又灭了 "))
    await refused("draft_already_ended", end(draft, "还有井盖"))
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
    await end(draft, "路灯又灭了")  # he called again
    assert await _count(one, A.URGE if ends_as == "urge" else A.ADD) == 2
