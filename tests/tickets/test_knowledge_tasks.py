"""What is reported wrong or missing, with its clock; reminders; the emergency wording; lists as files."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from core.clock import ManualClock
from core.people.permissions import Permission
from tests.tickets.conftest import City, Refused
from tests.tickets.test_knowledge import DAY, content, published, release, step, written
from tickets.knowledge import banners, listing, reminders, service, tasks, worklists
from tickets.knowledge.terms import Step
from tickets.knowledge.worklists import Task


async def report(city: City, kind: str, who: str = "agent", **more: object) -> tasks.Reported:
    async with city.db.begin() as uow:
        return await tasks.report(uow, city.actors[who], city.limits, kind, days=3, **more)  # type: ignore[arg-type]  # as the tests say


async def listed(city: City, who: str, *, closed: bool = False) -> Sequence[Task]:
    async with city.db.read() as session:
        return await worklists.task_list(session, city.actors[who], closed=closed)


async def notices(city: City, kind: str) -> list[str]:
    query = "SELECT login FROM notification n JOIN user_account u ON u.id = n.user_id WHERE kind = :kind"
    async with city.db.read() as session:
        rows = await session.execute(sa.text(query + " ORDER BY login"), {"kind": kind})
        return [row.login for row in rows]


# ---- tasks


async def test_a_report_gives_the_owner_three_working_days(city: City) -> None:
    ident = await published(city)
    told = await report(city, "wrong", article_id=ident, note="时间不对，电话13812345678")
    assert told.new
    (task,) = await listed(city, "lights")
    assert (task.kind, task.article_id) == ("wrong", ident)
    assert "13812345678" not in task.about
    assert task.due_at == datetime(2026, 11, 26, 10, 0, tzinfo=UTC)  # Monday 10:00 → Thursday 18:00
    assert await notices(city, "knowledge_task") == ["lights"]
    assert await listed(city, "water") == []


async def test_reports_of_the_same_kind_add_to_the_open_task(city: City) -> None:
    ident = await published(city)
    first = await report(city, "wrong", article_id=ident)
    again = await report(city, "wrong", "agent2", article_id=ident)
    assert again == tasks.Reported(first.task_id, new=False)
    assert (await report(city, "expired", article_id=ident)).new
    assert [task.reports for task in await listed(city, "lights")] == [2, 1]
    assert await city.scalar("SELECT count(*) FROM knowledge_report") == 3


async def test_a_new_edition_in_force_ends_the_tasks_about_its_article(city: City) -> None:
    ident = await published(city)
    await report(city, "wrong", article_id=ident)
    async with city.db.begin() as uow:
        await service.write(uow, city.actors["lights"], ident, 4, content("居住证到期如何签注"))
    assert len(await listed(city, "lights")) == 1
    await release(city, ident)
    (task,) = await listed(city, "lights", closed=True)
    assert (task.closed_as, task.edition) == ("new_version", 2)
    assert await notices(city, "knowledge_mended") == ["agent"]


async def test_a_task_is_rejected_with_a_reason_by_its_own_unit(city: City, refused: Refused) -> None:
    ident = await published(city)
    told = await report(city, "expired", article_id=ident)
    async with city.db.begin() as uow:
        water, lights, agent = (city.actors[who] for who in ("water", "lights", "agent"))
        await refused("task_not_found", tasks.reject(uow, water, told.task_id, 1, "不归我"))
        await refused("forbidden", tasks.reject(uow, agent, told.task_id, 1, "不归我"))
        await refused("knowledge_reason", tasks.reject(uow, lights, told.task_id, 1, " "))
        await refused("version_conflict", tasks.reject(uow, lights, told.task_id, 9, "仍有效"))
        await tasks.reject(uow, lights, told.task_id, 1, "政策仍有效")
    async with city.db.begin() as uow:
        await refused("task_closed", tasks.reject(uow, city.actors["lights"], told.task_id, 2, "再次"))
    async with city.db.read() as session:
        (mine,) = await worklists.own_reports(session, city.actors["agent"])
    assert (mine.closed_as, mine.reason) == ("rejected", "政策仍有效")
    assert await notices(city, "knowledge_rejected") == ["agent"]


async def test_what_was_not_found_is_the_editors_until_an_article_answers_it(
    city: City, refused: Refused
) -> None:
    await refused("note_required", report(city, "not_found"))
    await refused("bad_request", report(city, "not_found", article_id=1, note="x"))
    await refused("bad_request", report(city, "wrong", note="x"))
    told = await report(city, "not_found", note="家庭养老床位怎么申请")
    assert not (await report(city, "not_found", "agent2", note="家庭养老床位怎么申请")).new
    assert await listed(city, "lights") == []
    async with city.db.begin() as uow:
        owner = city.unit("lights")
        editor = city.actors["editor"]
        ident = await service.create(uow, editor, content(), unit_id=owner, task_id=told.task_id)
    (task,) = await listed(city, "editor")
    assert task.answer_id == ident
    await step(city, "editor", ident, Step.SUBMIT)
    await step(city, "lights_head", ident, Step.APPROVE)
    await step(city, "leader", ident, Step.PUBLISH)
    assert await listed(city, "editor") == []


async def test_a_report_about_what_is_not_published_is_refused(city: City, refused: Refused) -> None:
    ident = await written(city)
    await refused("knowledge_not_found", report(city, "wrong", article_id=ident))
    await refused("forbidden", report(city, "not_found", "admin", note="什么"))


# ---- reminders


async def test_owners_hear_once_of_what_ends_has_ended_and_is_late(city: City, clock: ManualClock) -> None:
    ident = await published(city, valid_to=DAY + timedelta(days=20))
    await report(city, "wrong", article_id=ident)

    async def remind(day: date) -> int:
        async with city.db.begin() as uow:
            return await reminders.remind(uow, day, days=30, gap_days=180)

    assert await remind(DAY - timedelta(days=11)) == 0
    assert await remind(DAY) == 1
    assert await notices(city, "knowledge_ending") == ["lights"]
    assert await remind(DAY + timedelta(days=1)) == 0
    clock.advance(timedelta(days=5).total_seconds())
    assert await remind(DAY + timedelta(days=5)) == 1
    assert await notices(city, "knowledge_late") == ["lights"]
    assert await remind(DAY + timedelta(days=21)) == 1
    assert await notices(city, "knowledge_ended") == ["lights"]


# ---- the emergency wording


async def test_a_wording_is_shown_to_agents_read_changed_and_taken_down(city: City, refused: Refused) -> None:
    leader, agent = city.actors["leader"], city.actors["agent"]
    async with city.db.begin() as uow:
        ends = uow.now + timedelta(hours=4)
        await refused("forbidden", banners.issue(uow, agent, "停水", "统一答复", ends))
        await refused("banner_text", banners.issue(uow, leader, " ", "统一答复", ends))
        await refused("banner_ends", banners.issue(uow, leader, "停水", "统一答复", uow.now))
        ident = await banners.issue(uow, leader, "停水", "统一答复", ends)
    async with city.db.begin() as uow:
        await banners.acknowledge(uow, agent, ident, 1)
        await banners.acknowledge(uow, agent, ident, 1)
        (shown,) = await banners.present(uow.session, agent, uow.now)
        assert shown.read
        assert await banners.present(uow.session, city.actors["lights"], uow.now) == []
        people = await banners.readers(uow.session, ident, 1)
    assert {one.login for one in people if one.read_at} == {"agent"}
    assert {one.login for one in people if not one.read_at} == {"agent2", "leader", "callback"}
    async with city.db.begin() as uow:
        assert await banners.change(uow, leader, ident, 1, "停水", "今晚恢复", ends) == 2
    async with city.db.begin() as uow:
        (shown,) = await banners.present(uow.session, agent, uow.now)
        assert (shown.edition, shown.read) == (2, False)
        await refused("version_conflict", banners.acknowledge(uow, agent, ident, 1))
        await refused("version_conflict", banners.change(uow, leader, ident, 1, "停水", "旧", ends))
        await refused("knowledge_reason", banners.withdraw(uow, leader, ident, 2, ""))
        await banners.withdraw(uow, leader, ident, 2, "已恢复")
    async with city.db.begin() as uow:
        assert await banners.present(uow.session, agent, uow.now) == []
        await refused("banner_over", banners.withdraw(uow, leader, ident, 2, "再次"))


async def test_a_wording_ends_by_itself_and_screens_are_told_by_permission(
    city: City, clock: ManualClock
) -> None:
    async with city.db.begin() as uow:
        ends = uow.now + timedelta(hours=1)
        await banners.issue(uow, city.actors["leader"], "停水", "统一答复", ends)
    topic, kind, audience = await _event(city)
    assert (topic, kind) == ("banner", "issued")
    assert set(audience["permissions"]) == {Permission.DRAFT_WRITE, Permission.KNOWLEDGE_PUBLISH}
    clock.advance(3600)
    async with city.db.begin() as uow:
        assert await banners.present(uow.session, city.actors["agent"], uow.now) == []


async def _event(city: City) -> tuple[str, str, dict[str, list[str]]]:
    async with city.db.read() as session:
        row = (await session.execute(sa.text("SELECT topic, kind, audience FROM event_log"))).one()
    return row.topic, row.kind, row.audience


# ---- lists as files


HEAD = "问题,答复口径,依据,归属单位编码,分类编码,适用区县编码,公开范围,生效日期,失效日期\n"


async def test_a_list_is_read_line_by_line_and_the_good_lines_are_written(city: City) -> None:
    text = (
        HEAD
        + '停水怎么办,"先看公告，\n再查抢修",公告,,01,qixing,可公开,2026-11-01,2027-11-01\n'
        + ",没有问题,,,,,,,\n"
        + "别的单位的,答复,,water,,,,,\n"
        + "没有的分类,答复,,,99,,,,\n"
        + "日期不对,答复,,,,,,昨天,\n"
        + "已经过去,答复,,,,,,2026-01-01,2026-02-01\n"
        + "停水怎么办,又一次,,,,,,,\n"
        + "公开范围不对,答复,,,,,随便,,\n"
        + "不写日期的,答复,,,,,,,\n"
        + f"太长,{'长' * 4001},,,,,,,\n"
    )
    async with city.db.begin() as uow:
        outcomes = await listing.carry_out(uow, city.actors["lights"], text, submit=True)
    problems = {one.number: one.problem for one in outcomes if one.problem}
    assert problems == {
        4: "empty", 5: "unit", 6: "category", 7: "date", 8: "over", 9: "twice", 10: "audience", 12: "long",
    }  # fmt: skip
    async with city.db.read() as session:
        waiting = await worklists.shelf_of(session, city.actors["lights_head"], "review", DAY, 30)
    assert [item.question for item in waiting] == ["不写日期的", "停水怎么办"]
    async with city.db.begin() as uow:
        again = await listing.carry_out(uow, city.actors["lights"], text)
    assert [one.problem for one in again if one.question == "停水怎么办"] == ["twice", "twice"]


async def test_what_is_exported_can_be_read_in_elsewhere(city: City) -> None:
    await published(city, "停水怎么办", answer="先看公告，\n再查抢修", category_id=city.category_id)
    await published(city, "=1+1", answer="公式一样的问题")
    async with city.db.read() as session:
        text = await listing.export(session, city.actors["lights"])
        outcomes = await listing.plan(session, city.actors["editor"], text, DAY)
    assert [(one.question, one.problem) for one in outcomes] == [("停水怎么办", "twice"), ("=1+1", "twice")]
    assert "'=1+1" in text
    async with city.db.read() as session:
        renamed = text.replace("停水", "停电")
        (first, _) = await listing.plan(session, city.actors["editor"], renamed, DAY)
    assert first.content is not None
    assert first.content.answer == "先看公告，\n再查抢修"
    assert first.content.category_id == city.category_id
