"""A node counts by the pack its settings name, and does not begin with one it cannot read."""

from pathlib import Path

import pytest

from commands import _pack_check
from core.db import Database
from core.errors import HotlineError
from core.settings import City, Settings, Sla, load_settings
from node import Node
from tickets.limits import Matter
from tickets.models import Category
from tickets.states import Stage


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
        (Settings(), "ok", "桂林市（默认）, from 2026-01-01 on"),
        (Settings(sla=Sla(pack="guiln")), "fail", "There is no policy pack guiln."),
        (Settings(city=City(office_hours=("08:30-12:00",))), "warn", "other office hours than"),
    ],
)
async def test_doctor_looks_at_the_pack_and_its_hours(settings: Settings, level: str, told: str) -> None:
    found = await _pack_check(settings).ask()
    assert found[0] == level
    assert told in found[1]
