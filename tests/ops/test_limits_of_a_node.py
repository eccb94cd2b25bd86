"""A node counts by the pack its settings name, and does not begin with one it cannot read."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Role, permissions_of
from core.settings import City, Paths, Settings, Sla, load_settings
from node import Node
from sla import calendar_service, pack_service
from sla.calendar import DayKind, Exceptional
from sla.doctor import pack_check
from tickets.limits import Matter
from tickets.models import Category
from tickets.states import Stage

NOWHERE = Paths(var=Path("/no/such/folder"))  # no database runs there


async def test_a_node_counts_by_the_pack_of_its_settings(database_url: str, tmp_path: Path) -> None:
    environ = {"HOTLINE_PATHS__VAR": str(tmp_path), "HOTLINE_SLA__PACK": "shanghai"}
    node = Node(load_settings(environ=environ), database_url)
    try:
        assert node.limits.pack.name == "上海街道（示例）"
        assert node.tickets.limits is node.limits
    finally:
        node.passwords.close()
        await node.db.close()
        await node.backstage.close()


async def test_a_node_that_runs_knows_the_codes_of_the_categories(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.begin() as uow:
        made = Category(level=1, code="1506", name="公开", full_name="公开", initials="gk", path=".")
        uow.session.add(made)
        await uow.session.flush()
        assert made.id is not None
        ident, made.path = made.id, f".{made.id}."
    environ = {"HOTLINE_PATHS__VAR": str(tmp_path), "HOTLINE_NODE__ROLES": "[]"}
    node = Node(load_settings(environ=environ), database_url)
    matter = Matter("help", "normal", ident)
    assert str(node.limits.limit(Stage.TOTAL, matter)) == "3wd"
    await node.start()
    try:
        assert str(node.limits.limit(Stage.TOTAL, matter)) == "20wd"
    finally:
        await node.stop()


async def test_a_node_without_its_pack_does_not_begin(database_url: str, tmp_path: Path) -> None:
    environ = {"HOTLINE_PATHS__VAR": str(tmp_path), "HOTLINE_SLA__PACK": "shanghia"}
    with pytest.raises(HotlineError) as caught:
        Node(load_settings(environ=environ), database_url)
    assert (caught.value.code, caught.value.params["nearest"]) == ("pack_unknown", "shanghai")


@pytest.mark.parametrize(
    ("settings", "level", "told"),
    [
        (Settings(paths=NOWHERE), "ok", "桂林市（默认）, from 2026-01-01 on; sla.pack = guilin"),
        (Settings(paths=NOWHERE, sla=Sla(pack="guiln")), "fail", "There is no policy pack guiln."),
        (
            Settings(paths=NOWHERE, city=City(office_hours=("08:30-12:00",))),
            "warn",
            "other office hours than",
        ),
    ],
)
async def test_doctor_looks_at_the_pack_and_its_hours(settings: Settings, level: str, told: str) -> None:
    found = await pack_check(settings).ask()
    assert found[0] == level
    assert told in found[1]


async def test_a_node_that_runs_follows_the_calendar_and_the_packs_of_the_database(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    environ = {"HOTLINE_PATHS__VAR": str(tmp_path), "HOTLINE_NODE__ROLES": "[]"}
    settings = load_settings(environ=environ)
    node, other = Node(settings, database_url), Node(settings, database_url)
    third, new_year = date(2026, 12, 3), datetime(2027, 1, 4, 2, tzinfo=UTC)
    matter, roles = Matter("complaint", "normal", 0), frozenset({Role.SYSTEM_ADMIN})
    admin = Actor(None, "test", "test", roles, permissions_of(roles), None, "", "")
    try:
        await node.start()
        await other.start()
        async with database.begin() as uow:
            rest = Exceptional(DayKind.CITY_REST, "城市马拉松", "")
            change = calendar_service.Change("edit", "马拉松", {third: rest})
            await calendar_service.save(uow, admin, settings.city, 1, change)
            base = await pack_service.version(uow.session, 1)
            text = base.content.replace('complaint = { normal = "10wd"', 'complaint = { normal = "8wd"')
            made = await pack_service.draft(uow, admin, base.id, "", text, note="提速")
            await pack_service.publish(uow, admin, made.id, date(2027, 1, 1), "常务会议")
        for one in (node, other):
            await one.in_force.load()
            assert not one.limits.calendar.works(third)
            assert str(one.limits.limit(Stage.TOTAL, matter, new_year - timedelta(days=9))) == "10wd"
            promise = one.limits.clock(Stage.TOTAL, matter, new_year)
            assert promise is not None
            assert (promise.limit, promise.policy) == ("8wd", "桂林市（默认） 第2版")
    finally:
        await node.stop()
        await other.stop()
    (row,) = await database.fetch("SELECT count(*) AS n FROM calendar_version")
    assert row["n"] == 2, "one seed for both nodes"
