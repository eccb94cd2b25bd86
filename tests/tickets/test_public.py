"""A ticket as its citizen sees it, and what he may do to it by himself."""

import asyncio
import dataclasses
from typing import Any

import pytest

from core.clock import ManualClock
from tests.tickets.conftest import City, Refused
from tests.tickets.life import RETURN, Life, life
from tickets.public.acts import CitizenActs
from tickets.public.terms import OPEN_IN, STATE_WORDS, STEP_WORDS, Act
from tickets.public.view import PublicView, public_view
from tickets.states import Action, State
from tickets.workflow import RULES

A = Action
SECRETS = ("王小明", "13800000001", "lights_head", "dispatcher", "supervision", "内部", "agent")


@pytest.fixture
def acts(city: City) -> CitizenActs:
    return CitizenActs(city.tickets, city.vault)


async def view(one: Life) -> PublicView:
    async with one.city.db.read() as session:
        found = await public_view(session, one.id)
    text = str(dataclasses.asdict(found))
    assert [word for word in SECRETS if word in text] == []
    return found


async def do(one: Life, work: Any) -> Any:
    return await one.city.db.retrying(work)


async def test_the_first_line_has_the_promised_date_once_a_unit_has_it(city: City) -> None:
    one = await life(city)
    seen = await view(one)
    assert (seen.headline, seen.unit, seen.promised) == ("已受理，正在确定承办单位", "", None)
    await one.to_handling()
    seen = await view(one)
    assert seen.headline.startswith("承办单位正在办理，承诺 11月26日 ")
    assert seen.headline.endswith("前答复")
    assert seen.unit == "市城市管理委员会"
    assert [step.words for step in seen.steps][-2:] == [
        "已转交市城市管理委员会办理",
        "承办单位已签收，开始办理",
    ]


async def test_returns_are_told_and_notes_and_names_are_not(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.NOTE, note="内部：王小明 13800000001 态度差")
    await one.do("lights", A.RETURN, **RETURN | {"note": "内部理由"}, suggested_unit_id=city.unit("water"))
    await one.do("leader", A.ACCEPT_RETURN, note="内部同意", unit_id=city.unit("water"))
    words = [step.words for step in (await view(one)).steps]
    assert "承办单位认为不属于其职责，申请退回" in words
    assert "热线同意退回，改由供水公司办理" in words
    assert len(words) == 5


async def test_the_reply_is_seen_when_the_hotline_has_cleared_it(city: City) -> None:
    one = await life(city)
    await one.to_check()
    seen = await view(one)
    assert (seen.reply, seen.words) == ("", "承办单位已办理，热线正在审核")
    await one.do("leader", A.PASS_CHECK)
    seen = await view(one)
    assert seen.reply == "已安排抢修，路灯恢复照明。"
    assert Act.RATE in seen.acts


async def test_supplement_answers_what_was_asked(city: City, acts: CitizenActs, refused: Refused) -> None:
    one = await life(city, channel="web")
    await one.do("agent", A.ASK_CITIZEN, note="请说明是哪一盏灯")
    seen = await view(one)
    assert (seen.asked, seen.acts) == (
        "请说明是哪一盏灯",
        frozenset({Act.SUPPLEMENT, Act.WITHDRAW}),
    )
    await refused("act_not_now", do(one, lambda uow: acts.urge(uow, one.id, key="urge-00001")))
    await do(one, lambda uow: acts.supplement(uow, one.id, "三号灯，我是 13800000001", key="supp-00001"))
    seen = await view(one)
    assert seen.state == State.WAITING_ACCEPT
    assert seen.steps[-1].text.startswith("三号灯")
    await one.check_replay()


async def test_the_same_key_does_it_once_also_at_one_moment(city: City, acts: CitizenActs) -> None:
    one = await life(city)
    await asyncio.gather(
        *(do(one, lambda uow: acts.add(uow, one.id, "还有一盏", key="add-000001")) for _ in range(5))
    )
    await do(one, lambda uow: acts.add(uow, one.id, "还有一盏", key="add-000002"))
    assert [row.action for row in await one.history()].count("add") == 2


async def test_urging_is_once_a_day(
    city: City, acts: CitizenActs, clock: ManualClock, refused: Refused
) -> None:
    one = await life(city)
    await do(one, lambda uow: acts.urge(uow, one.id, key="urge-00001"))
    await do(one, lambda uow: acts.urge(uow, one.id, key="urge-00001"))
    await refused("acts_too_many", do(one, lambda uow: acts.urge(uow, one.id, key="urge-00002")))
    clock.advance(24 * 3600 + 1)
    await do(one, lambda uow: acts.urge(uow, one.id, key="urge-00003"))
    assert (await one.row()).urges == 2


async def test_withdrawing_needs_a_word_and_ends_it(city: City, acts: CitizenActs, refused: Refused) -> None:
    one = await life(city)
    await refused("form_invalid", do(one, lambda uow: acts.withdraw(uow, one.id, " ", key="back-00001")))
    await do(one, lambda uow: acts.withdraw(uow, one.id, "已经修好了", key="back-00001"))
    seen = await view(one)
    assert (seen.state, seen.acts, seen.is_open) == ("withdrawn", frozenset(), False)


async def test_an_objection_is_a_ticket_of_its_own_away_from_who_handled_it(
    city: City, acts: CitizenActs
) -> None:
    one = await life(city)
    await one.to_check()
    await one.do("leader", A.PASS_CHECK)
    if await one.state() == State.WAITING_CALLBACK:
        await one.do("callback", A.REVISIT, result="reached", responded=True, solved=True, satisfied=4)
    first = await do(one, lambda uow: acts.object(uow, one.id, "根本没有修", key="obj-000001"))
    again = await do(one, lambda uow: acts.object(uow, one.id, "根本没有修", key="obj-000001"))
    assert first == again
    row = await city.scalar(
        "SELECT type || channel || state || avoid_unit_id FROM ticket WHERE id = :id", id=first.id
    )
    assert row == f"appealwebwaiting_accept{city.unit('lights')}"


async def closed(city: City) -> Life:
    one = await life(city)
    await one.to_check()
    await one.do("leader", A.PASS_CHECK)
    if await one.state() == State.WAITING_CALLBACK:
        await one.do("callback", A.REVISIT, result="no_answer")
        await one.do("callback", A.REVISIT, result="refused")
    assert await one.state() == State.CLOSED
    return one


async def test_a_closed_matter_is_rated_once(city: City, acts: CitizenActs, refused: Refused) -> None:
    one = await closed(city)

    async def rate(key: str) -> None:
        await do(
            one,
            lambda uow: acts.rate(uow, one.id, responded=True, solved=False, satisfied=2, key=key),
        )

    await rate("rate-00001")
    await rate("rate-00001")
    await refused("already_rated", rate("rate-00002"))
    row = await one.row()
    assert (row.responded, row.solved, row.satisfied, row.state) == (True, False, 2, "closed")
    assert Act.RATE not in (await view(one)).acts
    await one.check_replay()


async def waiting(city: City) -> Life:
    """A ticket that waits for its call-back: what is under supervision always is."""
    one = await life(city)
    await one.to_handling()
    await one.do("supervision", A.SUPERVISE, note="重点")
    await one.close()
    await one.do("leader", A.PASS_CHECK)
    assert await one.state() == State.WAITING_CALLBACK
    return one


async def test_who_is_content_need_not_be_called(city: City, acts: CitizenActs) -> None:
    one = await waiting(city)
    await do(
        one,
        lambda uow: acts.rate(uow, one.id, responded=True, solved=True, satisfied=5, key="rate-00001"),
    )
    row = await one.row()
    assert (row.state, row.solved, row.satisfied) == ("closed", True, 5)
    assert await one.scalar("SELECT means FROM ticket_contact WHERE ticket_id = :id ORDER BY id DESC LIMIT 1")
    await one.check_replay()


async def test_who_is_not_content_is_called_with_his_answers_at_hand(
    city: City, acts: CitizenActs, refused: Refused
) -> None:
    one = await waiting(city)

    def rate(key: str) -> Any:
        return do(
            one,
            lambda uow: acts.rate(
                uow, one.id, responded=True, solved=False, satisfied=1, text="没修", key=key
            ),
        )

    await rate("rate-00001")
    await refused("acts_too_many", rate("rate-00002"))
    assert await one.state() == State.WAITING_CALLBACK
    assert (await one.history())[-1].note == "网上评价：已联系，未解决，满意度 1 分。没修"
    await one.check_replay()


async def test_a_merged_matter_shows_date_and_unit_of_the_one_that_is_worked_on(city: City) -> None:
    one, master = await life(city), await life(city)
    await master.to_handling()
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    seen = await view(one)
    assert seen.words == "已与相同的诉求合并办理"
    assert (seen.unit, seen.promised) == ("市城市管理委员会", (await master.row()).due_at)


def test_every_state_has_words_and_every_open_act_a_rule() -> None:
    assert set(STATE_WORDS) == set(State)
    assert set(STEP_WORDS) <= set(Action)
    rules = {
        Act.SUPPLEMENT: (A.SUPPLEMENT,),
        Act.ADD: (A.ADD,),
        Act.URGE: (A.URGE,),
        Act.WITHDRAW: (A.WITHDRAW,),
        Act.OBJECT: (A.APPEAL,),
        Act.RATE: (A.RATE, A.REVISIT),
    }
    for act, states in OPEN_IN.items():
        assert all(RULES[action].by_system for action in rules[act])
        assert states - frozenset().union(*(RULES[action].sources for action in rules[act])) <= {
            State.ARCHIVED
        }
