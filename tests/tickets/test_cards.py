"""Cards: each once, in order, with receipts, history, feed and notices; and who acknowledges them.

The tests begin on Monday 23 November, 10:00 in the city; every time below is the city's.
"""

import asyncio
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock, SystemClock, to_city
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.people import delegation
from core.people.permissions import Role
from core.settings import Leadership
from sla import cards, monitor
from sla.adopting import Adopting
from sla.cards import Wanted
from sla.models import Card, CardReceipt, MonitorEvent
from sla.sweep import BATCH, CardSweep
from tests.tickets.conftest import City, Refused
from tests.tickets.life import RETURN, Life, life, person
from tickets.flow import TicketStage
from tickets.models import table_of
from tickets.states import Action

A = Action
HOUR, DAY = 3600.0, 24 * 3600.0
_card, _receipt, _monitor = table_of(Card), table_of(CardReceipt), table_of(MonitorEvent)
_stage = table_of(TicketStage)


class Watch:
    """A leader of the scheduler that sweeps at the time of the test's clock."""

    def __init__(self, city: City, lease: Lease) -> None:
        self.city, self.lease = city, lease
        clock = city.db.clock
        self.cards = CardSweep(city.db, city.limits, lease, clock.now)  # type: ignore[arg-type]  # the city's
        self.adopting = Adopting(city.db, city.limits, lease, clock.now)  # type: ignore[arg-type]  # the city's

    async def sweep(self) -> int:
        return await self.cards.run()

    async def rows(self, statement: Any) -> list[Any]:
        async with self.city.db.read() as session:
            return list((await session.execute(statement)).all())

    async def issued(self, one: Life, stage: str = "total") -> list[tuple[str, str, int]]:
        """Level, when and round, in the order of issue."""
        query = sa.select(_card).where(_card.c.ticket_id == one.id, _card.c.stage == stage)
        found = await self.rows(query.order_by(_card.c.id))
        return [(row.level, to_city(row.issued_at).strftime("%d %H:%M"), row.card_round) for row in found]

    async def receipts(self, one: Life, level: str, stage: str = "total") -> set[tuple[int | None, str]]:
        query = sa.select(_receipt.c.unit_id, _receipt.c.post).join(_card, _card.c.id == _receipt.c.card_id)
        query = query.where(_card.c.ticket_id == one.id, _card.c.level == level, _card.c.stage == stage)
        return {(row.unit_id, row.post) for row in await self.rows(query)}

    async def notices(self, login: str) -> list[tuple[str, int]]:
        statement = sa.text("SELECT kind, times FROM notification WHERE user_id = :id ORDER BY id")
        found = await self.rows(statement.bindparams(id=self.city.user(login)))
        return [(row.kind, row.times) for row in found if row.kind.startswith("card")]

    async def at(self, clock: ManualClock, day: str) -> int:
        """Sweep at a time of November or December, `25 09:00`, given from the 23rd on."""
        text = f"2026-{'11' if int(day[:2]) >= 23 else '12'}-{day}+08:00"
        clock.step((datetime.fromisoformat(text) - clock.now()).total_seconds())
        return await self.sweep()


@pytest.fixture
async def watch(city: City) -> Watch:
    lease = Lease(city.db, "scheduler", "one", Leadership(lease_seconds=3600), SystemClock())
    assert await lease.try_take()
    return Watch(city, lease)


async def handled(city: City, **over: Any) -> Life:
    """In the hands of a bureau; the citizen was reached, so that only the total runs."""
    one = await life(city, **({"type": "complaint"} | over))
    await one.to_handling()
    await one.do("lights", A.CONTACT, result="reached")
    return one


async def at_street(city: City) -> Life:
    """In the hands of a street below a district; the citizen was reached."""
    one = await life(city, type="complaint")
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("sanlidian"))
    await one.do("street", A.SIGN)
    await one.do("street", A.CONTACT, result="reached")
    return one


# ---- issuing ----------------------------------------------------------------------------------------


async def test_each_step_is_issued_once_when_its_time_has_come(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)  # due on Monday 7 December, 18:00
    assert await watch.sweep() == 0
    assert await watch.at(clock, "30 08:59") == 0
    for day, level in (("30 09:00", "blue"), ("04 09:00", "yellow")):
        assert await watch.at(clock, day) == 1
        assert await watch.sweep() == 0
        assert (await watch.issued(one))[-1] == (level, day, 1)
    assert await watch.at(clock, "08 08:59") == 0
    assert await watch.at(clock, "08 09:00") == 1  # red, and the letter the same morning
    assert await watch.at(clock, "15 09:00") == 1
    assert await watch.at(clock, "16 09:00") == 1
    assert await watch.at(clock, "22 09:00") == 0
    levels = [level for level, _, _ in await watch.issued(one)]
    assert levels == ["blue", "yellow", "red", "notice", "bulletin", "proposal"]
    assert (await watch.rows(sa.select(_stage.c.alarm_at).where(_stage.c.stage == "total")))[0][0] is None


async def test_a_card_changes_nothing_of_the_ticket_and_is_told_beside_its_life(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)
    before = await one.row()
    await watch.at(clock, "08 09:00")
    assert await one.row() == before
    row = (await one.history())[-1]
    assert (row.action, row.from_state, row.to_state, row.version) == ("card", "handling", "handling", 0)
    told = row.changes["told"]
    assert (told["stage"], told["levels"]) == ("total", ["blue", "yellow", "red", "notice"])
    await one.do("lights", A.NOTE, note="正在办理", version=before.version)  # an open form is not stale
    await one.check_replay()
    feed = await watch.rows(sa.select(_monitor).order_by(_monitor.c.id))
    assert [(row.kind, row.level, row.unit_id) for row in feed] == [
        ("card_issued", level, city.unit("lights")) for level in ("blue", "yellow", "red", "notice")
    ]
    assert await one.scalar("SELECT count(*) FROM event_log WHERE topic = 'card' AND ref = :id") == 1
    cards_of = {row.id for row in await watch.rows(sa.select(_card.c.id))}
    assert {row.ref_id for row in feed} == cards_of


async def test_steps_that_are_late_come_in_order_with_one_notice(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)
    await watch.at(clock, "10 03:00")  # the node slept for two weeks, and wakes at night
    assert await watch.issued(one) == []
    assert await watch.at(clock, "10 08:59") == 0
    assert await watch.at(clock, "10 09:00") == 1
    assert [level for level, _, _ in await watch.issued(one)] == ["blue", "yellow", "red", "notice"]
    assert await watch.notices("lights") == [("card_notice", 1)]
    assert await watch.notices("lights_head") == [("card_notice", 1)]


async def test_a_post_with_many_clocks_at_once_gets_one_notice(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    for number in range(5):
        await handled(city, phone=f"1380000001{number}")
    assert await watch.at(clock, "30 09:00") == 5
    assert await watch.notices("lights") == [("cards_digest", 1)]
    assert await city.scalar("SELECT count(*) FROM card") == 5


async def test_hours_run_at_night_and_the_hotlines_own_stages_go_to_its_posts(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await life(city)
    assert await watch.at(clock, "23 21:59") == 0
    assert await watch.at(clock, "23 22:00") == 1
    assert await watch.receipts(one, "blue", "dispatch") == {(None, "dispatcher")}
    await watch.at(clock, "24 06:00")
    assert await watch.receipts(one, "yellow", "dispatch") == {(None, "dispatcher"), (None, "shift_leader")}
    assert await watch.notices("leader") == [("card_yellow", 1)]
    assert (await watch.rows(sa.select(_card.c.unit_id)))[0][0] is None


async def test_posts_are_found_up_the_tree(city: City, watch: Watch, clock: ManualClock) -> None:
    await person(city, "district_head", Role.DEPT_HEAD, "qixing")
    one = await at_street(city)
    await watch.at(clock, "15 09:00")
    street, district = city.unit("sanlidian"), city.unit("qixing")
    # The street has an officer and no head: its head is the district's.
    assert await watch.receipts(one, "blue") == {(street, "dept_officer")}
    assert await watch.receipts(one, "red") == {(street, "dept_officer"), (district, "dept_head")}
    assert await watch.receipts(one, "bulletin") == {(district, "dept_head")}
    await watch.at(clock, "16 09:00")
    assert await watch.receipts(one, "proposal") == {(None, "supervision_officer")}


async def test_the_district_above_a_head_is_told_of_a_bulletin(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    for login, unit in (("district_head", "qixing"), ("street_head", "sanlidian")):
        await person(city, login, Role.DEPT_HEAD, unit)
    one = await at_street(city)
    await watch.at(clock, "15 09:00")
    posts = {(city.unit("sanlidian"), "dept_head"), (city.unit("qixing"), "dept_head")}
    assert await watch.receipts(one, "bulletin") == posts


async def test_what_nobody_up_the_tree_holds_reaches_supervision(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await life(city, type="complaint")  # the water company has an officer, and nobody above has a head
    await one.to_handling("water")
    await watch.at(clock, "15 09:00")
    water = city.unit("water")
    assert await watch.receipts(one, "red") == {(water, "dept_officer"), (water, "dept_head")}
    assert await watch.receipts(one, "bulletin") == {(water, "dept_head"), (None, "supervision_officer")}
    assert ("card_bulletin", 1) in await watch.notices("supervision")


# ---- what people do keeps it right --------------------------------------------------------------------


async def test_an_extension_opens_a_new_round(city: City, watch: Watch, clock: ManualClock) -> None:
    one = await handled(city)
    await watch.at(clock, "04 09:00")
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=5)
    await one.do("supervision", A.APPROVE_EXTENSION)  # due on Monday the 14th
    assert await watch.sweep() == 0
    assert await watch.at(clock, "08 09:00") == 1
    assert await watch.at(clock, "11 09:00") == 1
    rounds = [(level, number) for level, _, number in await watch.issued(one)]
    assert rounds == [("blue", 1), ("yellow", 1), ("blue", 2), ("yellow", 2)]


async def test_nothing_is_issued_while_it_is_suspended_or_after_it_is_closed(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=30)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    await watch.at(clock, "15 09:00")
    assert await watch.issued(one) == []
    await one.do("lights", A.RESUME, note="计划已下达")
    assert await watch.sweep() == 0
    await one.close()
    await watch.at(clock, "22 09:00")
    assert await watch.issued(one) == []


async def test_a_merge_ends_it_and_an_undone_one_issues_what_was_missed_once(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one, master = await handled(city), await handled(city, phone="13800000002")
    await watch.at(clock, "30 09:00")
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    await watch.at(clock, "04 10:00")
    assert len(await watch.issued(one)) == 1
    await one.do("dispatcher", A.UNMERGE, note="不是同一件事")
    assert await watch.sweep() == 1
    assert await watch.sweep() == 0
    assert [(level, number) for level, _, number in await watch.issued(one)] == [("blue", 1), ("yellow", 1)]


async def test_a_return_and_another_dispatch_go_on_with_the_same_ladder(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await life(city, type="complaint")
    await one.to_handling()
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意", unit_id=city.unit("water"))
    await watch.at(clock, "30 09:00")
    assert [level for level, _, _ in await watch.issued(one)] == ["blue"]
    (card,) = await watch.rows(sa.select(_card.c.unit_id).where(_card.c.stage == "total"))
    assert card.unit_id == city.unit("water")


async def test_redone_work_has_cards_of_its_own(city: City, watch: Watch, clock: ManualClock) -> None:
    one = await handled(city)
    await watch.at(clock, "30 09:00")
    await one.close()
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("callback", A.REDO, reason_code="not_solved", note="仍未解决")  # due on Thursday the 3rd
    await watch.at(clock, "02 09:00")
    assert [level for level, _, _ in await watch.issued(one)] == ["blue", "blue", "yellow"]


# ---- once, whatever happens ---------------------------------------------------------------------------


async def many(city: City, count: int) -> None:
    """Clocks that are all due at the next sweep, put in as copies of one."""
    one = await handled(city)
    columns = '(ticket_id, stage, round, unit_id, started_at, due_at, "limit", policy, alarm_at)'
    async with city.db.begin() as uow:
        await uow.fetch(
            f"INSERT INTO ticket_stage {columns} SELECT ticket_id, 'co_opinion', round, unit_id, started_at, "
            'due_at, "limit", policy, alarm_at FROM ticket_stage, generate_series(1, $2) '
            "WHERE ticket_id = $1 AND stage = 'total'",
            *(one.id, count - 1),
        )


async def test_two_sweeps_at_once_issue_each_card_once(city: City, watch: Watch, clock: ManualClock) -> None:
    await many(city, 500)
    clock.step(7 * DAY)
    done = await asyncio.gather(*(watch.sweep() for _ in range(3)))
    assert sum(done) == 500
    assert await city.scalar("SELECT count(*) FROM card") == 500
    assert await city.scalar("SELECT count(*) FROM card_receipt") == 500
    assert await city.scalar("SELECT count(*) FROM monitor_event") == 500


async def test_a_clock_is_passed_over_while_somebody_acts_on_its_ticket(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)
    clock.step(7 * DAY)
    async with city.db.begin() as uow:
        await uow.fetch("SELECT 1 FROM ticket WHERE id = $1 FOR UPDATE", one.id)
        assert await watch.sweep() == 0
    assert await watch.sweep() == 1


async def test_a_lost_lease_writes_nothing(
    city: City, watch: Watch, clock: ManualClock, refused: Refused
) -> None:
    await many(city, 3)
    clock.step(7 * DAY)
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE lease SET epoch = epoch + 1"))
    await refused("lease_lost", watch.sweep())
    await watch.cards.tick()  # for the ticker that is no error
    assert await city.scalar("SELECT count(*) FROM card") == 0
    assert await city.scalar("SELECT count(*) FROM ticket_stage WHERE alarm_step > 0") == 0


async def test_a_batch_that_fails_is_issued_by_the_next_tick(
    city: City, watch: Watch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(city, BATCH + 10)
    clock.step(7 * DAY)
    broken, commits = True, 0

    real = monitor.tell

    async def second_fails(uow: Any, lines: Any) -> None:
        nonlocal commits
        commits += 1
        if broken and commits > 1:
            raise HotlineError("internal")
        await real(uow, lines)

    monkeypatch.setattr("sla.sweep.monitor.tell", second_fails)
    with pytest.raises(HotlineError):
        await watch.sweep()
    assert await city.scalar("SELECT count(*) FROM card") == BATCH
    broken = False
    assert await watch.sweep() == 10
    assert await city.scalar("SELECT count(*) FROM card") == BATCH + 10


async def test_a_clock_that_cannot_be_counted_stands_in_nobodys_way(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    broken = [await handled(city, phone=f"1380000001{number}") for number in range(3)]
    sound = await handled(city, phone="13800000002")
    end = datetime.fromisoformat("9999-12-31T23:59:59+00:00")
    wrong: list[dict[str, Any]] = [
        {"limit": "soon"},
        {"stage": "of_tomorrow"},
        {"due_at": end, "limit": "24h", "alarm_step": 3},
    ]
    async with city.db.begin() as uow:
        for one, values in zip(broken, wrong, strict=True):
            running = {"ticket_id": one.id, "stage": "total", "ended_at": None}
            await uow.change(_stage, running, **values)
            await uow.send()
    assert await watch.at(clock, "30 09:00") == 4
    assert len(await watch.issued(sound)) == 1
    assert await city.scalar("SELECT count(*) FROM card") == 1
    assert await watch.sweep() == 0


async def test_a_post_is_told_the_highest_level_that_names_it(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    await handled(city)
    await watch.at(clock, "16 09:00")
    assert await watch.notices("lights") == [("card_notice", 1)]
    assert await watch.notices("lights_head") == [("card_bulletin", 1)]
    assert await watch.notices("supervision") == [("card_proposal", 1)]


# ---- clocks from before --------------------------------------------------------------------------------


async def test_a_strange_clock_is_adopted_and_nothing_of_its_past_is_issued(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    old, new = await handled(city), await handled(city, phone="13800000002")
    async with city.db.begin() as uow:
        strange = {"limit": None, "policy": None, "alarm_at": None}
        for one in (old, new):
            await uow.change(_stage, {"ticket_id": one.id, "stage": "total", "ended_at": None}, **strange)
            await uow.send()
    clock.step(17 * DAY)  # both are overdue by three days
    assert await watch.adopting.run() == 2
    assert await watch.adopting.run() == 0
    assert await watch.sweep() == 0
    rows = await watch.rows(sa.select(_stage).where(_stage.c.stage == "total"))
    assert {(row.limit, row.policy, row.alarm_step) for row in rows} == {
        ("10wd", city.limits.pack.name, 4)  # type: ignore[attr-defined]  # the city's
    }
    assert await watch.at(clock, "15 09:00") == 2
    assert [level for level, _, _ in await watch.issued(old)] == ["bulletin"]


async def test_a_suspended_clock_is_adopted_and_stands_still(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one = await handled(city)
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=30)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    async with city.db.begin() as uow:
        await uow.change(_stage, {"ticket_id": one.id, "stage": "total"}, limit=None, policy=None)
    assert await watch.adopting.run() == 1
    (row,) = await watch.rows(sa.select(_stage).where(_stage.c.stage == "total"))
    assert (row.limit, row.alarm_at) == ("10wd", None)


# ---- acknowledging -------------------------------------------------------------------------------------


async def acknowledge(city: City, login: str, card_id: int, note: str = "") -> bool:
    async with city.db.begin() as uow:
        return await cards.acknowledge(uow, city.actors[login], card_id, note)


async def listed(city: City, login: str, **wanted: Any) -> list[cards.CardItem]:
    async with city.db.read() as session:
        return await cards.cards(session, city.actors[login], city.db.clock.now(), Wanted(**wanted))


async def red(city: City, watch: Watch, clock: ManualClock) -> tuple[Life, int]:
    """A ticket with a red card; returns it and the card's id."""
    one = await handled(city)
    await watch.at(clock, "08 09:00")
    (row,) = await watch.rows(sa.select(_card.c.id).where(_card.c.level == "red"))
    return one, row.id


async def test_each_named_post_acknowledges_for_itself(
    city: City, watch: Watch, clock: ManualClock, refused: Refused
) -> None:
    one, card = await red(city, watch, clock)
    assert await acknowledge(city, "lights", card, "已安排今日办结")
    assert not await acknowledge(city, "lights", card)  # a double click
    (item,) = [item for item in await listed(city, "lights", ticket_id=one.id) if item.id == card]
    assert (item.waiting, item.mine) == (True, False)
    assert [(post.post, post.note) for post in item.receipts if post.at] == [
        ("dept_officer", "已安排今日办结")
    ]
    assert await acknowledge(city, "lights_head", card)
    (item,) = [item for item in await listed(city, "lights", ticket_id=one.id) if item.id == card]
    assert not item.waiting
    await refused("card_not_found", acknowledge(city, "water", card))
    await refused("forbidden", acknowledge(city, "supervision", card))
    await refused("forbidden", acknowledge(city, "inspector", card))
    await refused("card_not_found", acknowledge(city, "lights", 999_999))
    await refused("note_too_long", acknowledge(city, "lights", card, "长" * 501))
    kinds = [row.kind for row in await watch.rows(sa.select(_monitor.c.kind).order_by(_monitor.c.id))]
    assert kinds[-2:] == ["card_acknowledged"] * 2
    audited = "SELECT count(*) FROM audit_log WHERE action = 'card.acknowledge' AND object_id = :id"
    assert await city.scalar(audited, id=card) == 2


async def test_a_deputy_acknowledges_for_the_absent_head(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    _, card = await red(city, watch, clock)
    today = to_city(clock.now()).date()
    async with city.db.begin() as uow:
        head, deputy = city.actors["lights_head"], city.user("lights")
        await delegation.create(
            uow, head, deputy_id=deputy, first_day=today, last_day=today, reason="外出开会"
        )
    assert await acknowledge(city, "lights", card)
    rows = await watch.rows(sa.select(_receipt).where(_receipt.c.card_id == card).order_by(_receipt.c.id))
    assert [(row.post, row.acknowledged_by, row.on_behalf_of) for row in rows] == [
        ("dept_officer", deputy, None),
        ("dept_head", deputy, city.user("lights_head")),
    ]


async def test_a_sealed_reporter_is_covered_in_the_title_and_in_what_posts_noted(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    await handled(city, type="report", title="王小明举报路灯", citizen_name="王小明")
    await watch.at(clock, "16 09:00")
    (card,) = await watch.rows(sa.select(_card.c.id).where(_card.c.level == "red"))
    await acknowledge(city, "lights_head", card.id, "已与王小明13800000001约定")
    for login, shown in (("lights", ("王**举报路灯", "已与王**138****0001约定")), ("supervision", None)):
        (item,) = [item for item in await listed(city, login) if item.id == card.id]
        noted = [post.note for post in item.receipts if post.note]
        assert (item.title, *noted) == (shown or ("王小明举报路灯", "已与王小明13800000001约定"))


async def test_who_sees_which_cards(city: City, watch: Watch, clock: ManualClock) -> None:
    one = await at_street(city)
    waiting = await life(city, phone="13800000002")
    await watch.at(clock, "30 09:00")
    seen = {
        login: {(item.ticket_id, item.stage) for item in await listed(city, login)}
        for login in ("street", "district", "lights", "dispatcher", "supervision", "inspector", "agent")
    }
    of_street = {(one.id, "total")}
    of_hotline = {(waiting.id, "dispatch")}
    assert seen["street"] == seen["district"] == of_street
    assert seen["lights"] == seen["agent"] == set()
    assert seen["dispatcher"] == of_hotline
    assert seen["supervision"] == seen["inspector"] == of_street | of_hotline


async def test_the_list_is_filtered_by_level_and_state_and_read_page_by_page(
    city: City, watch: Watch, clock: ManualClock
) -> None:
    one, card = await red(city, watch, clock)
    assert [item.level for item in await listed(city, "lights")] == ["notice", "red", "yellow", "blue"]
    assert [item.level for item in await listed(city, "lights", level="red")] == ["red"]
    await acknowledge(city, "lights", card)
    mine = [item.level for item in await listed(city, "lights", state="mine")]
    assert mine == ["notice", "yellow", "blue"]
    assert [item.level for item in await listed(city, "lights_head", state="mine")] == [
        *("notice", "red", "yellow")
    ]
    assert await listed(city, "lights", state="done") == []
    await one.close()
    assert await listed(city, "lights", state="running") == []
    page = await listed(city, "lights", limit=2)
    assert len(page) == 3  # there are more
    rest = await listed(city, "lights", before=(page[1].issued_at, page[1].id))
    assert [item.level for item in rest] == ["yellow", "blue"]


def test_the_database_is_asked_what_time_it_is(database: Database) -> None:
    assert CardSweep(database, None, None)._now() is None  # type: ignore[arg-type]  # nothing of them is used
