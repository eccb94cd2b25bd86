"""Articles: written, reviewed by their own unit, published by the hotline, found, used, withdrawn."""

import asyncio
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.people.actor import Actor
from tests.tickets.conftest import City, Refused
from tickets.knowledge import queries, search, service, tasks, uses, worklists
from tickets.knowledge.service import Content
from tickets.knowledge.terms import Step

DAY = date(2026, 11, 23)


def content(question: str = "居住证到期怎么签注", **over: Any) -> Content:
    values: dict[str, Any] = {
        "answer": "到期前在政务平台网上签注，也可到派出所窗口。",
        "basis": "以公安机关公布为准",
        "audience": "public",
        "valid_from": DAY,
    }
    return Content(question, **(values | over))


async def step(city: City, who: str, ident: int, step: Step, note: str = "") -> None:
    """One step by somebody, over the version there is."""
    version = await city.scalar("SELECT version FROM knowledge_article WHERE id = :id", id=ident)
    async with city.db.begin() as uow:
        await service.advance(uow, city.actors[who], ident, version, step, note)


async def written(city: City, who: str = "lights", made: Content | None = None, **more: Any) -> int:
    async with city.db.begin() as uow:
        actor = city.actors[who]
        return await service.create(uow, actor, made or content(), unit_id=more.pop("unit_id", None), **more)


async def published(city: City, question: str = "居住证到期怎么签注", **over: Any) -> int:
    """An article of the lights' bureau that is in force."""
    ident = await written(city, made=content(question, **over))
    await release(city, ident)
    return ident


async def release(city: City, ident: int) -> None:
    await step(city, "lights", ident, Step.SUBMIT)
    await step(city, "lights_head", ident, Step.APPROVE)
    await step(city, "leader", ident, Step.PUBLISH)


async def shown(city: City, who: str, ident: int) -> queries.Article:
    async with city.db.read() as session:
        return await queries.article(session, city.actors[who], ident)


async def found(city: City, typed: str, who: str = "agent", day: date = DAY, **more: Any) -> list[str]:
    async with city.db.read() as session:
        hits = await search.search(session, city.actors[who], typed, day, **more)
    return [hit.question for hit in hits]


# ---- approval


async def test_an_article_goes_from_its_writer_through_its_unit_to_the_hotline(city: City) -> None:
    ident = await written(city)
    assert await found(city, "居住证") == []
    await release(city, ident)
    assert await found(city, "居住证") == ["居住证到期怎么签注"]
    seen = await shown(city, "lights", ident)
    assert [one.step for one in seen.course] == ["publish", "approve", "submit", "write"]
    assert (seen.live, seen.pending, seen.stage) == (1, None, None)


async def test_what_is_in_force_stays_so_while_the_next_edition_is_on_its_way(city: City) -> None:
    ident = await published(city)
    async with city.db.begin() as uow:
        await service.write(
            uow, city.actors["lights"], ident, 4, content("居住证如何延期", answer="网上办理。")
        )
    assert await found(city, "居住证") == ["居住证到期怎么签注"]
    assert (await shown(city, "agent", ident)).draft is None
    await release(city, ident)
    assert await found(city, "居住证") == ["居住证如何延期"]
    assert await found(city, "到期") == []
    assert [one.question for one in (await shown(city, "agent", ident)).editions] == [
        "居住证如何延期",
        "居住证到期怎么签注",
    ]


async def test_nobody_approves_what_he_wrote_and_no_other_unit_does(city: City, refused: Refused) -> None:
    ident = await written(city)
    await step(city, "lights", ident, Step.SUBMIT)
    await refused("forbidden", step(city, "lights", ident, Step.APPROVE))
    await refused("knowledge_not_found", step(city, "water", ident, Step.APPROVE))
    await refused("forbidden", step(city, "leader", ident, Step.APPROVE))
    await refused("knowledge_step", step(city, "leader", ident, Step.PUBLISH))
    async with city.db.begin() as uow:
        both = city.actors["lights"]
        both = Actor(
            **{**vars(both), "permissions": both.permissions | city.actors["lights_head"].permissions}
        )
        await refused("knowledge_own_work", service.advance(uow, both, ident, 2, Step.APPROVE))


async def test_what_is_sent_back_needs_a_reason_and_can_be_written_on(city: City, refused: Refused) -> None:
    ident = await written(city)
    await step(city, "lights", ident, Step.SUBMIT)
    async with city.db.begin() as uow:
        edit = service.write(uow, city.actors["lights"], ident, 2, content("另一个问题"))
        await refused("knowledge_in_review", edit)
    await refused("knowledge_reason", step(city, "lights_head", ident, Step.REFUSE))
    await step(city, "lights_head", ident, Step.REFUSE, "请补充依据")
    async with city.db.begin() as uow:
        await service.write(uow, city.actors["lights"], ident, 3, content("居住证到期如何续签"))
    await release(city, ident)
    assert await found(city, "续签") == ["居住证到期如何续签"]


async def test_a_stale_form_and_what_says_nothing_are_refused(city: City, refused: Refused) -> None:
    ident = await written(city)
    async with city.db.begin() as uow:
        actor = city.actors["lights"]
        await refused("version_conflict", service.write(uow, actor, ident, 7, content("x 问题")))
        await refused("knowledge_incomplete", service.write(uow, actor, ident, 1, content(" ")))
        long = content("问" * 201)
        await refused("knowledge_too_long", service.write(uow, actor, ident, 1, long))
        reversed_ = content(valid_to=date(2026, 11, 1))
        await refused("knowledge_span", service.write(uow, actor, ident, 1, reversed_))
        await refused("knowledge_unit", service.create(uow, actor, content(), unit_id=city.unit("water")))
        agent = city.actors["agent"]
        await refused("forbidden", service.create(uow, agent, content(), unit_id=None))


async def test_the_same_text_saved_twice_is_one_edition(city: City) -> None:
    ident = await written(city)
    async with city.db.begin() as uow:
        assert await service.write(uow, city.actors["lights"], ident, 1, content()) == 1
    assert await city.scalar("SELECT count(*) FROM knowledge_edition") == 1


async def test_withdrawn_articles_are_found_no_more_and_keep_their_history(
    city: City, refused: Refused
) -> None:
    ident = await published(city)
    await refused("forbidden", step(city, "agent", ident, Step.WITHDRAW, "过时"))
    await refused("knowledge_reason", step(city, "leader", ident, Step.WITHDRAW))
    await step(city, "leader", ident, Step.WITHDRAW, "政策已废止")
    assert await found(city, "居住证") == []
    assert await city.scalar("SELECT count(*) FROM knowledge_text") == 0
    assert await city.scalar("SELECT max(articles) FROM knowledge_pair") == 0
    await refused("knowledge_not_found", shown(city, "agent", ident))
    assert (await shown(city, "lights", ident)).course[0].note == "政策已废止"


async def test_editions_steps_and_uses_cannot_be_changed(city: City) -> None:
    ident = await published(city)
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, city.actors["agent"])
        await uses.in_draft(uow, city.actors["agent"], draft, ident)
    for table in ("knowledge_edition", "knowledge_step", "knowledge_use"):
        with pytest.raises(DBAPIError, match="append"):
            async with city.db.begin() as uow:
                await uow.session.execute(sa.text(f"DELETE FROM {table}"))


# ---- who sees what


async def test_drafts_are_their_own_units_and_published_ones_everybodys(city: City, refused: Refused) -> None:
    ident = await written(city)
    for stranger in ("water", "agent", "district"):
        await refused("knowledge_not_found", shown(city, stranger, ident))
    for own in ("lights", "lights_head", "editor", "leader"):
        assert (await shown(city, own, ident)).draft is not None
    await release(city, ident)
    for reader in ("water", "agent", "inspector"):
        assert (await shown(city, reader, ident)).live == 1
    await refused("knowledge_not_found", shown(city, "admin", ident))
    assert await found(city, "居住证", "admin") == []


async def test_only_public_ones_in_force_are_for_anybody(city: City) -> None:
    await published(city, "公开的问题")
    await published(city, "内部的问题", audience="internal")
    await published(city, "以后的问题", valid_from=date(2026, 12, 1))
    async with city.db.read() as session:
        assert [one.question for one in await queries.public_articles(session, DAY)] == ["公开的问题"]


# ---- uses


async def test_an_article_that_was_answered_by_is_kept_with_the_ticket_in_its_edition(
    city: City, refused: Refused
) -> None:
    ident, agent = await published(city), city.actors["agent"]
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
        await refused("draft_not_found", uses.in_draft(uow, city.actors["agent2"], draft, ident))
        assert await uses.in_draft(uow, agent, draft, ident) == 1
        await uses.in_draft(uow, agent, draft, ident)
        made = await city.tickets.create_from_draft(uow, agent, draft, city.form(), 1)
    assert await city.scalar("SELECT uses FROM knowledge_article") == 1
    async with city.db.read() as session:
        kept = await uses.of_ticket(session, city.actors["dispatcher"], made.id)
        assert [(one.article_id, one.edition) for one in kept] == [(ident, 1)]
        await refused("ticket_not_found", uses.of_ticket(session, city.actors["water"], made.id))


async def test_a_unit_answers_by_an_article_on_its_own_ticket_only(city: City, refused: Refused) -> None:
    ident, made = await published(city), await city.dispatched("lights")
    async with city.db.begin() as uow:
        await refused("ticket_not_found", uses.on_ticket(uow, city.actors["water"], made.id, ident))
        await refused("knowledge_not_found", uses.on_ticket(uow, city.actors["lights"], made.id, 987654))
        assert await uses.on_ticket(uow, city.actors["lights"], made.id, ident) == 1
    async with city.db.read() as session:
        (kept,) = await uses.of_ticket(session, city.actors["lights"], made.id)
    assert (kept.question, kept.user) == ("居住证到期怎么签注", "lights")


async def test_what_has_ended_is_neither_found_nor_answered_by(city: City, refused: Refused) -> None:
    ident = await published(city, valid_to=date(2026, 11, 24))
    assert await found(city, "居住证", day=date(2026, 11, 24)) == ["居住证到期怎么签注"]
    assert await found(city, "居住证", day=date(2026, 11, 25)) == []
    old = await written(
        city, made=content("已结束的", valid_from=date(2026, 1, 1), valid_to=date(2026, 2, 1))
    )
    await step(city, "lights", old, Step.SUBMIT)
    await step(city, "lights_head", old, Step.APPROVE)
    await refused("knowledge_over", step(city, "leader", old, Step.PUBLISH))
    assert ident


async def test_two_who_publish_at_once_both_come_into_force(city: City) -> None:
    idents = [await written(city, made=content(f"居住证的第{one}个问题")) for one in "甲乙丙丁"]
    for ident in idents:
        await step(city, "lights", ident, Step.SUBMIT)
        await step(city, "lights_head", ident, Step.APPROVE)
    await asyncio.gather(*(step(city, "leader", ident, Step.PUBLISH) for ident in idents))
    assert len(await found(city, "居住证")) == 4
    assert await city.scalar("SELECT articles FROM knowledge_pair WHERE pair = '居住'") == 4


async def test_a_merged_units_articles_and_tasks_go_along(city: City) -> None:
    ident = await published(city)
    async with city.db.begin() as uow:
        await tasks.report(uow, city.actors["agent"], city.limits, "wrong", days=3, article_id=ident)
        assert await service.follow_unit(uow, city.unit("lights"), city.unit("water")) == 1
    assert (await shown(city, "water", ident)).mine
    assert not (await shown(city, "lights", ident)).mine
    async with city.db.read() as session:
        assert [one.article_id for one in await worklists.task_list(session, city.actors["water"])] == [ident]
        assert await worklists.task_list(session, city.actors["lights"]) == []
