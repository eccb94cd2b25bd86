"""A unit is closed and its open tickets go to another: all of them, whole, with their clocks."""

import asyncio
import sys
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.catalog import notices
from core.clock import to_city
from core.errors import HotlineError
from core.people import delegation, org
from core.people.duties import Act
from tests.helpers import eventually
from tests.tickets.conftest import City, Refused
from tickets import acts, handover, reply_templates, saved_views
from tickets.handover import Handovers
from tickets.states import Action

TICKETS = sa.text(
    "SELECT id, lead_unit_id, desk_unit_id, state, stage, stage_due_at, due_at FROM ticket ORDER BY id"
)


async def _rows(city: City, statement: Any = TICKETS, **values: Any) -> list[Any]:
    async with city.db.read() as session:
        return list((await session.execute(statement, values)).all())


async def _start(city: City, old: str = "lights", new: str = "water", **over: Any) -> int:
    async with city.db.begin() as uow:
        return await handover.start(
            uow, city.actors["security"], city.unit(old), city.unit(new), reason="机构改革", **over
        )


async def test_every_open_ticket_goes_over_with_its_clocks_and_the_closed_ones_stay_in_sight(
    city: City,
) -> None:
    for number in range(3):
        await city.dispatched("lights", phone=f"1380000000{number}")
    other = await city.dispatched("qixing", phone="13800000009")
    async with city.db.begin() as uow:  # one is co-handled only
        data = {"unit_ids": [city.unit("lights")]}
        await city.tickets.act(uow, city.actors["dispatcher"], other.id, 2, Action.ADD_CO, data)
    before = await _rows(city)
    ident = await _start(city)
    await Handovers(city.db, city.tickets).run()
    after = await _rows(city)
    water = city.unit("water")
    assert [row.lead_unit_id for row in after] == [water] * 3 + [city.unit("qixing")]
    assert [row.desk_unit_id for row in after] == [water] * 3 + [city.unit("qixing")]
    co = "SELECT unit_id FROM ticket_unit WHERE role = 'co' AND until IS NULL"
    assert await city.scalar(co) == water
    for old, new in zip(before, after, strict=True):
        assert (new.state, new.stage, new.stage_due_at, new.due_at) == (
            old.state, old.stage, old.stage_due_at, old.due_at
        )  # fmt: skip
    async with city.db.read() as session:
        progress = await handover.progress(session, ident)
        closed = await org.unit(session, city.unit("lights"))
        officer = await city.people.actor_for_user(session, city.user("lights"))
    assert (progress.moved, progress.left, progress.percent) == (4, (), 100)
    assert progress.finished_at is not None
    assert not closed.active
    assert closed.path.startswith(await _unit_path(city, water))
    assert officer is not None
    assert officer.unit_id == water
    history = "SELECT count(*) FROM ticket_history WHERE action = 'hand_over'"
    assert await city.scalar(history) == 4


async def _unit_path(city: City, unit_id: int) -> str:
    return str(await city.scalar("SELECT path FROM unit WHERE id = :id", id=unit_id))


async def test_a_ticket_that_may_not_go_there_is_left_for_people_and_tried_again_when_asked(
    city: City,
) -> None:
    made = await city.dispatched("lights")
    async with city.db.begin() as uow:
        await uow.session.execute(
            sa.text("UPDATE ticket SET avoid_unit_id = :unit"), {"unit": city.unit("water")}
        )
    ident = await _start(city)
    worker = Handovers(city.db, city.tickets)
    await worker.run()
    async with city.db.read() as session:
        progress = await handover.progress(session, ident)
    assert [(ticket, code) for ticket, _, code in progress.left] == [(made.id, "unit_avoided")]
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE ticket SET avoid_unit_id = NULL"))
        await handover.retry(uow, city.actors["admin"], ident)
    await worker.run()
    async with city.db.read() as session:
        progress = await handover.progress(session, ident)
    assert (progress.moved, progress.left) == (1, ())


async def test_what_cannot_be_closed_is_refused_and_nothing_changes(city: City) -> None:
    await city.dispatched("lights")

    async def refused(code: str, work: Any) -> None:
        with pytest.raises(HotlineError, match=code):
            async with city.db.begin() as uow:
                await work(uow)

    admin, lights = city.actors["security"], city.unit("lights")
    await refused("unit_not_empty", lambda uow: handover.close(uow, admin, lights))
    await refused("unit_root", lambda uow: handover.close(uow, admin, city.unit("hotline")))
    for old, new, code in (
        ("lights", "lights", "unit_same"),
        ("lights", "hotline", "unit_cannot_take"),
        ("qixing", "sanlidian", "unit_circle"),
        ("qixing", "water", "unit_kind_misplaced"),
    ):
        with pytest.raises(HotlineError, match=code):
            await _start(city, old, new)
    assert await city.scalar("SELECT count(*) FROM unit WHERE NOT active") == 0
    assert await city.scalar("SELECT count(*) FROM unit_handover") == 0


async def test_a_district_goes_over_with_its_streets(city: City) -> None:
    await city.dispatched("sanlidian")
    await _start(city, "qixing", "xiangshan")
    await Handovers(city.db, city.tickets).run()
    async with city.db.read() as session:
        street = await org.unit(session, city.unit("sanlidian"))
    assert street.parent_id == city.unit("xiangshan")
    assert street.active
    rows = await _rows(city)
    assert rows[0].lead_unit_id == city.unit("sanlidian")


async def test_closing_waits_for_the_security_administrator(city: City) -> None:
    acts.register(city.people.proposals)
    asked = acts.MergeUnit(unit_id=city.unit("lights"), to_unit_id=city.unit("water"), reason="机构改革")
    async with city.db.begin() as uow:
        sent = await city.people.proposals.submit(uow, city.actors["admin"], Act.UNIT_MERGE, asked)
    assert sent.proposal_id is not None
    assert await city.scalar("SELECT active FROM unit WHERE id = :id", id=city.unit("lights"))
    for login, code in (("admin", "proposal_own"), ("audit", "forbidden")):
        with pytest.raises(HotlineError, match=code):
            async with city.db.begin() as uow:
                await city.people.proposals.approve(uow, city.actors[login], sent.proposal_id)
    async with city.db.begin() as uow:
        changes = await city.people.proposals.preview(uow.session, Act.UNIT_MERGE, asked)
        assert changes[0].after == "并入 供水公司"
        await city.people.proposals.approve(uow, city.actors["security"], sent.proposal_id)
    assert not await city.scalar("SELECT active FROM unit WHERE id = :id", id=city.unit("lights"))


async def test_what_a_unit_shares_and_who_decides_for_its_head_go_along_with_its_people(city: City) -> None:
    head, officer = city.actors["lights_head"], city.actors["lights"]
    assert officer.user_id is not None
    async with city.db.begin() as uow:
        today = to_city(uow.now).date()
        await delegation.create(
            uow, head, deputy_id=officer.user_id, first_day=today, last_day=today, reason="外出培训"
        )
        await saved_views.save(uow, head, "workbench", "本单位", {}, [], shared=True)
        await reply_templates.save(uow, officer, title="路灯", body="已安排维修。", category_id=None)
        draft = notices.Draft(
            "值班", "国庆值班安排", uow.now, uow.now + timedelta(days=3),
            unit_ids=(city.unit("lights"), city.unit("water")),
        )  # fmt: skip
        await notices.publish(uow, city.actors["admin"], draft)
    await _start(city)
    async with city.db.read() as session:
        moved = await city.people.actor_for_user(session, officer.user_id)
        assert moved is not None
        assert moved.unit_id == city.unit("water")
        (behalf,) = await delegation.units_approved_for(session, moved, city.db.clock.now())
        assert (behalf.unit_id, behalf.of_user_id) == (city.unit("water"), head.user_id)
        assert [view.name for view in await saved_views.views(session, moved, "workbench")] == ["本单位"]
        assert [one.title for one in await reply_templates.templates(session, moved)] == ["路灯"]
    assert await city.scalar("SELECT unit_ids::text FROM notice") == f"[{city.unit('water')}]"


@pytest.mark.parametrize(
    ("column", "code"), [("subject_unit_id", "unit_is_subject"), ("avoid_unit_id", "unit_avoided")]
)
async def test_a_matter_about_a_unit_does_not_reach_it_under_the_name_of_its_successor(
    city: City, refused: Refused, column: str, code: str
) -> None:
    made = await city.ticket()
    async with city.db.begin() as uow:
        matter = sa.text(f"UPDATE ticket SET {column} = :unit")
        await uow.session.execute(matter, {"unit": city.unit("lights")})
    await _start(city)

    async def send(login: str, version: int) -> None:
        async with city.db.begin() as uow:
            await city.tickets.dispatch(uow, city.actors[login], made.id, version, city.unit("water"))

    await refused(code, send("dispatcher", 1))
    await send("supervision", 1)


async def test_a_merged_ticket_goes_along_and_is_with_the_successor_when_the_merge_is_undone(
    city: City,
) -> None:
    master = await city.dispatched("qixing")
    member = await city.dispatched("lights", phone="13800000002")

    async def act(action: Action, **data: Any) -> None:
        version = await city.scalar("SELECT version FROM ticket WHERE id = :id", id=member.id)
        async with city.db.begin() as uow:
            dispatcher = city.actors["dispatcher"]
            await city.tickets.act(uow, dispatcher, member.id, version, action, {"note": "重复", **data})

    await act(Action.MERGE, master_id=master.id)
    await _start(city)
    await Handovers(city.db, city.tickets).run()
    await act(Action.UNMERGE)
    row = next(row for row in await _rows(city) if row.id == member.id)
    assert (row.lead_unit_id, row.desk_unit_id) == (city.unit("water"), city.unit("water"))
    held = "SELECT unit_id FROM ticket_unit WHERE ticket_id = :id AND until IS NULL"
    assert await city.scalar(held, id=member.id) == city.unit("water")


async def test_a_unit_is_opened_again_only_where_it_fits_and_when_nothing_is_carried_off(
    city: City, refused: Refused
) -> None:
    await city.dispatched("lights")
    ident, lights = await _start(city), city.unit("lights")
    admin = city.actors["admin"]

    async def do(work: Any, *values: Any, **more: Any) -> None:
        async with city.db.begin() as uow:
            await work(uow, admin, *values, **more)

    await refused("handover_running", do(handover.reopen, lights))
    await Handovers(city.db, city.tickets).run()
    name = await city.scalar("SELECT name FROM unit WHERE id = :id", id=lights)
    await do(org.add, parent_id=city.unit("water"), kind="bureau", name=name, code="twin")
    await refused("unit_name_taken", do(handover.reopen, lights))
    await do(org.move, lights, city.unit("city"))
    await do(handover.reopen, lights)
    assert await city.scalar("SELECT active FROM unit WHERE id = :id", id=lights)
    await refused("handover_undone", do(handover.retry, ident))
    await city.dispatched("lights", phone="13800000002")
    await Handovers(city.db, city.tickets).run()
    assert await city.scalar("SELECT lead_unit_id FROM ticket ORDER BY id DESC LIMIT 1") == lights
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE user_account SET active = false"))
        await org.set_active(uow, admin, city.unit("qixing"), active=False)
        await org.set_active(uow, admin, city.unit("sanlidian"), active=False)
    await refused("unit_closed", do(handover.reopen, city.unit("sanlidian")))


async def test_lower_units_of_the_same_name_do_not_meet_below_the_successor(
    city: City, refused: Refused
) -> None:
    async with city.db.begin() as uow:
        for parent in ("qixing", "xiangshan"):
            await org.add(
                uow, city.actors["admin"], parent_id=city.unit(parent), kind="bureau", name="城管局",
                code=f"{parent}-cg",
            )  # fmt: skip
    await refused("unit_name_taken", _start(city, "qixing", "xiangshan"))


WHOLE = sa.text(
    """
    SELECT t.id, t.lead_unit_id, t.desk_unit_id,
        (SELECT array_agg(u.unit_id) FROM ticket_unit u WHERE u.ticket_id = t.id AND u.until IS NULL) AS held,
        (SELECT count(*) FROM ticket_history h WHERE h.ticket_id = t.id AND h.action = 'hand_over') AS told,
        (SELECT count(*) FROM unit_handover_item i WHERE i.ticket_id = t.id AND i.result = 'moved') AS noted
    FROM ticket t ORDER BY t.id
    """
)


async def test_kill_9_in_the_middle_leaves_each_ticket_moved_or_not_and_the_rest_is_moved_later(
    city: City, database_url: str
) -> None:
    count = 30
    for number in range(count):
        await city.dispatched("lights", phone=f"138000001{number:02}")
    old, new = city.unit("lights"), city.unit("water")
    ident = await _start(city)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tickets.handover_process", database_url, stdout=asyncio.subprocess.PIPE
    )
    moved = "SELECT count(*) FROM unit_handover_item"
    await eventually(lambda: _at_least(city, moved, 5), within=60)
    process.kill()
    await process.wait()
    async with city.db.begin() as uow:  # what the killed one still held is let go of by the server first
        rows = (await uow.session.execute(WHOLE)).all()
    for row in rows:
        wholly = (row.lead_unit_id, row.desk_unit_id, row.held, row.told, row.noted)
        assert wholly in ((old, old, [old], 0, 0), (new, new, [new], 1, 1))
    await Handovers(city.db, city.tickets).run()
    rows = await _rows(city, WHOLE)
    assert {(row.lead_unit_id, row.told, row.noted) for row in rows} == {(new, 1, 1)}
    async with city.db.read() as session:
        progress = await handover.progress(session, ident)
    assert (progress.moved, progress.total, progress.percent) == (count, count, 100)


async def _at_least(city: City, statement: str, wanted: int) -> bool:
    return bool(await city.scalar(statement) >= wanted)
