"""Finding knowledge: what is typed, what an agent writes down, synonyms, ranking, and what was missed."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.tickets.conftest import City, Refused
from tests.tickets.test_knowledge import DAY, found, published
from tickets.knowledge import gaps, index, search, synonyms
from tickets.knowledge.matching import ALL, BUDGET, alternatives, pairs_of, weigh, widened
from tickets.knowledge.search import Place
from tickets.models import Category


async def suggested(city: City, text: str, **more: Any) -> list[str]:
    async with city.db.read() as session:
        hits = await search.suggest(session, city.actors["agent"], text, DAY, **more)
    return [hit.question for hit in hits]


# ---- pure


def test_what_every_consultation_says_is_no_pair_and_joins_nothing() -> None:
    assert pairs_of("请问停水了怎么办") == ["停水"]
    assert pairs_of("新生儿如何落户") == ["新生", "生儿", "落户"]


def test_the_rarest_pairs_are_looked_up_and_only_as_many_as_there_is_room_for() -> None:
    counts = {ALL: 10_000, "公积": 400, "积金": 170, "提取": 120, "租房": 3}
    weighed = weigh(["公积", "积金", "提取", "租房", "火星"], counts)
    assert weighed.chosen == ("租房", "提取", "积金")
    assert weighed.weights["租房"] > weighed.weights["提取"] > weighed.weights["公积"]
    assert not weighed.together


def test_where_even_the_rarest_is_common_all_of_them_are_asked_for_together() -> None:
    weighed = weigh(["公积", "积金"], {ALL: 10_000, "公积": BUDGET + 1, "积金": BUDGET + 2})
    assert weighed.together
    assert weighed.chosen == ("公积", "积金")


def test_synonyms_stand_for_one_another_in_words_and_in_texts() -> None:
    groups = [("电动自行车", "电瓶车"), ("上牌", "挂牌")]
    assert alternatives("电瓶车上牌", groups) == ["电瓶车上牌", "电动自行车上牌", "电瓶车挂牌"]
    assert "电动自行车" in widened("我的电瓶车", groups)
    assert widened("自行车", groups) == "自行车"


# ---- in the database


async def test_words_are_found_in_any_order_in_question_and_answer(city: City) -> None:
    await published(city, "居住证到期怎么签注", answer="到派出所窗口")
    assert await found(city, "签注 居住证") == ["居住证到期怎么签注"]
    assert await found(city, "派出所 居住") == ["居住证到期怎么签注"]
    assert await found(city, "出所派") == []
    assert await found(city, "证") == ["居住证到期怎么签注"]


async def test_a_synonym_finds_what_is_called_otherwise_and_its_removal_ends_it(
    city: City, refused: Refused
) -> None:
    await published(city, "电动自行车上牌要什么材料", answer="带身份证")
    assert await found(city, "电瓶车") == []
    async with city.db.begin() as uow:
        editor = city.actors["editor"]
        group = await synonyms.add(uow, editor, ["电动自行车", "电瓶车"])
        await refused("synonyms_invalid", synonyms.add(uow, editor, ["一个词"]))
        await refused("forbidden", synonyms.add(uow, city.actors["lights"], ["甲乙", "丙丁"]))
    async with city.db.read() as session:
        await synonyms._copy.get(session, now=True)
    assert await found(city, "电瓶车") == ["电动自行车上牌要什么材料"]
    assert await suggested(city, "我的电瓶车怎么上牌") == ["电动自行车上牌要什么材料"]
    async with city.db.begin() as uow:
        await synonyms.remove(uow, city.actors["editor"], group)
    async with city.db.read() as session:
        await synonyms._copy.get(session, now=True)
    assert await found(city, "电瓶车") == []


async def test_suggestions_come_from_what_is_written_and_nothing_from_what_is_unlike(city: City) -> None:
    for question in (
        "居住证到期怎么签注",
        "住房公积金怎么提取",
        "租房提取公积金需要什么材料",
        "停电了怎么办",
    ):
        await published(city, question, answer="见公告")
    text = "来电人在本市租房住，想把公积金取出来交房租，问租房提取要哪些材料。"
    assert (await suggested(city, text))[0] == "租房提取公积金需要什么材料"
    assert "停电了怎么办" not in await suggested(city, text)
    assert await suggested(city, "您好，我想反映一下情况") == []
    assert await suggested(city, "") == []


async def test_the_category_lifts_what_belongs_to_it_and_then_what_is_used_most(city: City) -> None:
    async with city.db.begin() as uow:
        other = Category(level=1, code="02", name="供水", full_name="供水", initials="gs", path=".9.")
        uow.session.add(other)
        await uow.session.flush()
        other.path = f".{other.id}."
        other_id = other.id
    await published(city, "费用怎么查询", answer="见公告", category_id=other_id)
    popular = await published(city, "费用怎么查询缴纳", answer="见公告", category_id=city.category_id)
    await published(city, "费用怎么查询打印", answer="见公告", category_id=city.category_id)
    assert (await found(city, "费用怎么查询", place=Place(other_id)))[0] == "费用怎么查询"
    async with city.db.begin() as uow:
        await uow.session.execute(
            sa.text("UPDATE knowledge_article SET uses = 40 WHERE id = :id"), {"id": popular}
        )
    in_category = await found(city, "费用怎么查询", place=Place(city.category_id))
    assert in_category[0] == "费用怎么查询缴纳"
    assert (await suggested(city, "", place=Place(city.category_id)))[0] == "费用怎么查询缴纳"


async def test_another_district_comes_last(city: City) -> None:
    await published(city, "垃圾清运时间", answer="见公告", district_id=city.unit("qixing"))
    await published(city, "垃圾清运时间安排", answer="见公告", district_id=city.unit("xiangshan"))
    place = Place(district_id=city.unit("xiangshan"))
    assert (await found(city, "垃圾清运时间", place=place))[0] == "垃圾清运时间安排"


async def test_the_counts_of_pairs_are_those_of_the_questions_in_force(city: City) -> None:
    await published(city, "居住证到期怎么签注")
    await published(city, "居住证在哪里办")
    async with city.db.read() as session:
        counts = await index.counts_of(session, ["居住", "签注", "停水"])
    assert counts == {ALL: 2, "居住": 2, "签注": 1}


# ---- what was missed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("无人机 报备", "无人机 报备"),
        ("13812345678 户主", "户主"),
        ("联系人：王小明 低保", "联系人 王 低保"),
        ("450302199001011234", ""),
        ("工单 450320261123000001", "工单"),
        ("，。！", ""),
        ("水", ""),
        ("长" * 90, "长" * 40),
    ],
)
def test_nothing_of_a_person_is_kept_of_a_search(typed: str, kept: str) -> None:
    assert gaps.phrase_of(typed) == kept


async def test_a_phrase_is_kept_when_a_second_person_asks_for_it(city: City, refused: Refused) -> None:
    async def miss(who: str, typed: str = "无人机 12 报备") -> None:
        async with city.db.begin() as uow:
            await gaps.note(uow, city.actors[who], city.vault, typed)

    await miss("agent")
    await miss("agent")
    assert await city.scalar("SELECT phrase FROM knowledge_gap") is None
    async with city.db.read() as session:
        assert await gaps.listed(session, city.actors["editor"]) == []
    await miss("agent2", "无人机 报备")
    async with city.db.read() as session:
        (gap,) = await gaps.listed(session, city.actors["editor"])
        await refused("forbidden", gaps.listed(session, city.actors["agent"]))
    assert (gap.phrase, gap.asked) == ("无人机 报备", 3)
    async with city.db.begin() as uow:
        await gaps.close(uow, city.actors["editor"], gap.id)
        await refused("not_found", gaps.close(uow, city.actors["editor"], gap.id))
