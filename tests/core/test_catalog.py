"""Reason codes, sensitive words, queues, notices, holds, lists: what a city words for itself."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.catalog import holds, notices, queues, reasons, tables, versions, words
from core.catalog.notices import Draft
from core.catalog.reasons import Reason
from core.catalog.words import Found, Matcher
from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.events import EventBus
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Permission, Role
from core.people.service import PeopleService

SYSTEM = Actor.system("tests")
ADMIN = replace(
    SYSTEM, permissions=frozenset({Permission.CATALOG_MANAGE, Permission.NOTICE_WRITE, Permission.ORG_MANAGE})
)
OFFICER = replace(SYSTEM, permissions=frozenset({Permission.DELETION_APPROVE}))


@pytest.fixture
async def second(database_url: str, clock: ManualClock) -> AsyncIterator[Database]:
    """Another node on the same database."""
    db = Database(database_url, clock=clock, bus=EventBus(), pool_size=2)
    yield db
    await db.close()


async def test_every_kind_of_reason_has_choices_from_the_beginning(database: Database) -> None:
    async with database.read() as session:
        for kind in reasons.KINDS:
            assert len(await reasons.choices(session, kind)) >= 4, kind
        assert ("110", "110 公安") in await reasons.choices(session, "emergency")


async def test_a_code_is_accepted_for_its_own_kind_only(database: Database) -> None:
    async with database.read() as session:
        await reasons.check(session, "return", "not_our_duty")
        for kind, code in (("redo", "not_our_duty"), ("return", "x"), ("nothing", "110")):
            with pytest.raises(HotlineError, match="reason_unknown"):
                await reasons.check(session, kind, code)


async def test_a_new_code_is_known_on_another_node_at_once_and_a_closed_one_no_longer_offered(
    database: Database, second: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with second.read() as session:
        assert "noise" not in dict(await reasons.choices(session, "void"))
    async with database.begin() as uow:
        await reasons.save(uow, ADMIN, Reason("void", "noise", "骚扰"))
    async with second.read() as session:
        await reasons.check(session, "void", "noise")  # an unknown code is looked up afresh
    async with database.begin() as uow:
        await reasons.save(uow, ADMIN, Reason("void", "noise", "骚扰", active=False))
    monkeypatch.setattr(versions, "REST_SECONDS", 0.0)
    async with second.read() as session:
        assert "noise" not in dict(await reasons.choices(session, "void"))
        assert await reasons.label(session, "void", "noise") == "骚扰"


async def test_reading_choices_again_within_a_second_asks_the_database_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "REST_SECONDS", 60.0)
    async with database.read() as session:
        before = await reasons.choices(session, "redo")
    async with database.begin() as uow:
        await uow.session.execute(text("UPDATE reason_code SET label = 'x' WHERE kind = 'redo'"))
    async with database.read() as session:
        assert await reasons.choices(session, "redo") == before


async def test_who_may_not_changes_no_code(database: Database) -> None:
    with pytest.raises(HotlineError, match="forbidden"):
        async with database.begin() as uow:
            await reasons.save(uow, SYSTEM, Reason("void", "noise", "骚扰"))


def test_words_are_found_whatever_the_spelling_and_inside_one_another() -> None:
    matcher = Matcher(
        [Found("停水", "supply"), Found("停水停电", "supply"), Found("APP", "other"), Found("水停", "other")]
    )
    assert [one.word for one in matcher.match("小区 停 水停电，ａｐｐ 也打不开")] == [
        "停水停电",
        "停水",
        "水停",
        "APP",
    ]
    assert matcher.match("一切正常") == []
    assert Matcher([]).match("停水") == []


async def test_words_that_look_like_expressions_are_only_words(database: Database) -> None:
    async with database.begin() as uow:
        assert await words.add(uow, ADMIN, [Found("a.*b(", "other"), Found("停水", "supply")]) == 1
    async with database.read() as session:
        await words._copy.get(session, now=True)
        assert [one.word for one in await words.match(session, "axxb( A.*B( 停水")] == ["a.*b(", "停水"]
    with pytest.raises(HotlineError, match="word_invalid"):
        async with database.begin() as uow:
            await words.add(uow, ADMIN, [Found(" \u200b ", "other")])


def test_a_list_is_read_with_words_or_names_as_heading_and_harmless_cells_come_back() -> None:
    columns = {"code": "编码", "name": "名称"}
    written = tables.write(["编码", "名称"], [("a", "=1+1"), ("b", '说"好"，的'), ("c", "@x")])
    assert "'=1+1" in written
    assert "'@x" in written
    found = [dict(line.cells) for line in tables.read(written, columns)]
    assert found == [
        {"code": "a", "name": "=1+1"},
        {"code": "b", "name": '说"好"，的'},
        {"code": "c", "name": "@x"},
    ]
    assert tables.read("name\tcode\n甲\t1\n", columns)[0]["name"] == "甲"
    for bad, code in (("", "list_empty"), ("编码\n1\n", "list_heading"), ("编码,名称\n", "list_empty")):
        with pytest.raises(HotlineError, match=code):
            tables.read(bad, columns)
    with pytest.raises(HotlineError, match="list_too_long"):
        tables.read("编码,名称\n" + "1,2\n" * 5001, columns)


async def _people(database: Database, people: PeopleService) -> tuple[Actor, Actor, int]:
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="市", code="c")
        bureau = await org.create_unit(uow, SYSTEM, kind="bureau", name="水利局", code="w", parent=city)
        made = []
        for login, unit, role in (("a", city, Role.AGENT), ("b", bureau, Role.DEPT_OFFICER)):
            ident = await people.create_user(
                uow, SYSTEM, login=login, name=login, password="Correct-Horse-9", unit_id=unit.id,
                roles=frozenset({role}), extension="1001" if login == "a" else None,
            )  # fmt: skip
            actor = await people.actor_for_user(uow.session, ident)
            assert actor is not None
            made.append(actor)
        return made[0], made[1], bureau.id


async def test_a_notice_reaches_its_posts_and_units_in_its_time_and_until_it_is_taken_down(
    database: Database, people: PeopleService, clock: ManualClock
) -> None:
    agent, officer, bureau = await _people(database, people)
    now = clock.now()
    draft = Draft("停电检修", "今晚停电", now, now + timedelta(hours=1), True, (), (bureau,))
    async with database.begin() as uow:
        ident = await notices.publish(uow, ADMIN, draft)
    async with database.read() as session:
        assert await notices.board(session, agent, now) == []
        assert [one.id for one in await notices.board(session, officer, now)] == [ident]
        assert await notices.count_audience(session, (), (bureau,)) == 1
        assert await notices.count_audience(session, ("agent",), (bureau,)) == 0
        await notices._copy.get(session, now=True)
        waiting = await notices.unread(session, officer, now)
        assert (waiting.count, [one.title for one in waiting.must]) == (1, ["停电检修"])
        assert (await notices.unread(session, agent, now)).count == 0
        assert (await notices.unread(session, officer, now + timedelta(hours=2))).must == []
        assert await notices.board(session, officer, now + timedelta(hours=2)) == []
    with pytest.raises(HotlineError, match="not_found"):
        async with database.begin() as uow:
            await notices.acknowledge(uow, agent, ident)
    async with database.begin() as uow:
        await notices.acknowledge(uow, officer, ident)
        await notices.acknowledge(uow, officer, ident)
    async with database.begin() as uow:
        assert (await notices.unread(uow.session, officer, now)).count == 0
        notice = await notices.one(uow.session, ident)
        assert (await notices.readers(uow.session, notice)).read == 1
        await notices.withdraw(uow, ADMIN, ident)
    async with database.read() as session:
        assert await notices.board(session, officer, now) == []


async def test_the_notices_of_years_past_do_not_keep_out_what_must_be_read_today(
    database: Database, people: PeopleService, clock: ManualClock
) -> None:
    agent, _, _ = await _people(database, people)
    now = clock.now()
    past = text(
        "INSERT INTO notice"
        " (title, body, starts_at, ends_at, must_read, posts, unit_ids, created_at, version)"
        " SELECT '旧', '旧', :begin, :end, true, '[]', '[]', :begin, 1 FROM generate_series(1, 510)"
    )
    async with database.begin() as uow:
        span = {"begin": now - timedelta(days=2), "end": now - timedelta(days=1)}
        await uow.session.execute(past, span)
        await notices.publish(uow, ADMIN, Draft("今天", "必读", now, now + timedelta(hours=1), True))
    async with database.read() as session:
        await notices._copy.get(session, now=True)
        found = await notices.unread(session, agent, now)
    assert [one.title for one in found.must] == ["今天"]


async def test_a_notice_that_ends_before_it_begins_or_is_for_nobody_known_is_refused(
    database: Database, clock: ManualClock
) -> None:
    now, later = clock.now(), clock.now() + timedelta(days=1)
    cases = (
        (Draft("a", "b", later, now), "notice_span"),
        (Draft("", "b", now, later), "notice_text"),
        (Draft("a", "b", now, later, posts=("king",)), "notice_audience"),
        (Draft("a", "b", now, later, unit_ids=(4711,)), "notice_audience"),
    )
    for draft, code in cases:
        with pytest.raises(HotlineError, match=code):
            async with database.begin() as uow:
                await notices.publish(uow, ADMIN, draft)


async def test_members_of_a_queue_have_a_telephone_and_stand_once(
    database: Database, people: PeopleService
) -> None:
    agent, officer, _ = await _people(database, people)
    assert agent.user_id is not None
    assert officer.user_id is not None
    async with database.begin() as uow:
        ident = await queues.save(uow, ADMIN, name="night", label="夜班", kind="queue")
        await queues.set_members(uow, ADMIN, ident, [(agent.user_id, 2)])
    for wanted, code in (
        ([(officer.user_id, 0)], "queue_member"),
        ([(agent.user_id, 0), (agent.user_id, 1)], "queue_member"),
        ([(agent.user_id, 11)], "queue_penalty"),
    ):
        with pytest.raises(HotlineError, match=code):
            async with database.begin() as uow:
                await queues.set_members(uow, ADMIN, ident, wanted)
    async with database.read() as session:
        found = next(one for one in await queues.queues(session) if one.name == "night")
        assert [(one.login, one.penalty) for one in found.members] == [("a", 2)]


async def test_a_queue_can_be_changed_although_a_member_has_left_but_takes_no_closed_account(
    database: Database, people: PeopleService
) -> None:
    agent, officer, _ = await _people(database, people)
    assert agent.user_id is not None
    assert officer.user_id is not None
    async with database.begin() as uow:
        ident = await queues.save(uow, ADMIN, name="night", label="夜班", kind="queue")
        await queues.set_members(uow, ADMIN, ident, [(agent.user_id, 2)])
        await uow.session.execute(text("UPDATE user_account SET extension = NULL WHERE login = 'a'"))
        await uow.session.execute(text("UPDATE user_account SET extension = '1002' WHERE login = 'b'"))
    async with database.begin() as uow:
        await queues.set_members(uow, ADMIN, ident, [(agent.user_id, 2), (officer.user_id, 1)])
        await queues.set_members(uow, ADMIN, ident, [])
        await uow.session.execute(text("UPDATE user_account SET active = false WHERE login = 'b'"))
    with pytest.raises(HotlineError, match="queue_member"):
        async with database.begin() as uow:
            await queues.set_members(uow, ADMIN, ident, [(officer.user_id, 1)])


async def test_a_hold_refuses_until_it_is_lifted(database: Database) -> None:
    async with database.begin() as uow:
        ident = await holds.place(uow, OFFICER, "citizen", 7, "诉讼")
    with pytest.raises(HotlineError, match="hold_present"):
        async with database.begin() as uow:
            await holds.place(uow, OFFICER, "citizen", 7, "再次")
    with pytest.raises(HotlineError, match="legal_hold"):
        async with database.read() as session:
            await holds.check_free(session, "citizen", [6, 7])
    asker = replace(SYSTEM, permissions=frozenset({Permission.DELETION_REQUEST}))
    with pytest.raises(HotlineError, match="forbidden"):
        async with database.begin() as uow:
            await holds.lift(uow, asker, ident, "结案")
    async with database.begin() as uow:
        await holds.lift(uow, OFFICER, ident, "结案")
        await holds.check_free(uow.session, "citizen", [7])
        actions = await uow.session.execute(text("SELECT action FROM audit_log ORDER BY id"))
        assert list(actions.scalars()) == ["hold.place", "hold.lift"]
