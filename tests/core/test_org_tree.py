"""The organisation tree: moves keep every path right, circles and misplaced kinds are refused."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import HotlineError
from core.people import org, org_import
from core.people.actor import Actor
from core.people.permissions import Permission

SYSTEM = Actor.system("tests")
ADMIN = replace(SYSTEM, permissions=frozenset({Permission.ORG_MANAGE}))


async def _tree(database: Database) -> dict[str, int]:
    ids: dict[str, int] = {}
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="市", code="c")
        ids["c"] = city.id
        for kind, code, name, above in (
            ("district", "e", "东区", "c"),
            ("district", "w", "西区", "c"),
            ("town", "e1", "东一镇", "e"),
            ("village", "e1v", "一村", "e1"),
            ("town", "w1", "西一镇", "w"),
        ):
            ids[code] = (await org.add(uow, ADMIN, parent_id=ids[above], kind=kind, name=name, code=code)).id
    return ids


async def _paths_are_right(database: Database) -> None:
    async with database.read() as session:
        units = {one.id: one for one in await org.every_unit(session)}
        for unit in units.values():
            above = units[unit.parent_id].path if unit.parent_id else "."
            assert unit.path == f"{above}{unit.id}.", unit.code


async def test_a_unit_moves_with_all_below_it(database: Database) -> None:
    ids = await _tree(database)
    async with database.begin() as uow:
        await org.move(uow, ADMIN, ids["e1"], ids["w"])
    await _paths_are_right(database)
    async with database.read() as session:
        assert set(await org.subtree_ids(session, ids["w"])) == {
            ids[code] for code in ("w", "w1", "e1", "e1v")
        }


async def test_what_cannot_stand_there_is_refused(database: Database) -> None:
    ids = await _tree(database)

    async def refused(code: str, work: object) -> None:
        with pytest.raises(HotlineError, match=code):
            async with database.begin() as uow:
                await work(uow)  # type: ignore[operator]  # a lambda of each case

    await refused("unit_kind_misplaced", lambda uow: org.move(uow, ADMIN, ids["e"], ids["w"]))
    await refused("unit_kind_misplaced", lambda uow: org.move(uow, ADMIN, ids["c"], ids["e1"]))
    await refused(
        "unit_name_taken", lambda uow: org.rename(uow, ADMIN, ids["e"], name="西区", short_name="西")
    )
    await refused(
        "unit_code_taken",
        lambda uow: org.add(uow, ADMIN, parent_id=ids["e"], kind="town", name="新镇", code="w1"),
    )
    await refused("forbidden", lambda uow: org.move(uow, SYSTEM, ids["e1"], ids["w"]))
    await _paths_are_right(database)


async def test_neighbours_change_places_and_the_ends_stay(database: Database) -> None:
    ids = await _tree(database)
    async with database.begin() as uow:
        await org.reorder(uow, ADMIN, ids["w"], up=True)
        await org.reorder(uow, ADMIN, ids["w"], up=True)
        assert [one.code for one in await org.children(uow.session, ids["c"])] == ["w", "e"]


async def test_a_list_adds_renames_and_moves_and_leaves_the_rest_alone(database: Database) -> None:
    await _tree(database)
    given = "编码,名称,简称,类型,上级编码\ne1,东一街道,,乡镇街道,w\nn,北区,北,区县,c\nn1,北一镇,,town,n\n"
    async with database.read() as session:
        steps = await org_import.plan(session, given)
    assert [step.effect for step in steps] == ["changed", "new", "new"]
    assert set(steps[0].changes) == {"name", "short_name", "parent_code"}
    async with database.begin() as uow:
        assert await org_import.apply(uow, ADMIN, given) == {"new": 2, "changed": 1, "same": 0}
    await _paths_are_right(database)
    async with database.read() as session:
        exported = org_import.export(await org.every_unit(session))
        again = await org_import.plan(session, exported)
    assert {step.effect for step in again} == {"same"}


async def test_a_list_without_short_names_leaves_them_alone(database: Database) -> None:
    ids = await _tree(database)
    async with database.begin() as uow:
        await org.rename(uow, ADMIN, ids["e"], name="东区", short_name="东")
    async with database.read() as session:
        steps = await org_import.plan(session, "编码,名称,类型,上级编码\ne,东城区,区县,c\nn,北区,区县,c\n")
    assert [(step.effect, step.wanted.short_name) for step in steps] == [("changed", "东"), ("new", "北区")]
    assert set(steps[0].changes) == {"name"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x,,,部门,c", "required"),
        ("x,某局,,王国,c", "kind"),
        ("x,某局,,部门,zz", "parent"),
        ("x,某村,,村社区,c", "misplaced"),
        ("e,东区,,部门,c", "other_kind"),
        ("x,西区,,区县,c", "name_taken"),
        ("x," + "长" * 61 + ",,部门,c", "too_long"),
        ("new,新市,,市,", "city"),
        ("新 码,某局,,部门,c", "code"),
        ("x,某局,,部门,c,多出", "cells"),
    ],
)
async def test_a_wrong_line_is_named_and_nothing_of_the_list_is_done(
    database: Database, line: str, problem: str
) -> None:
    await _tree(database)
    given = f"编码,名称,简称,类型,上级编码\nok,好局,,部门,c\n{line}\n"
    async with database.read() as session:
        steps = await org_import.plan(session, given)
    assert [(step.effect, step.problem) for step in steps] == [("new", ""), ("wrong", problem)]
    with pytest.raises(HotlineError, match="list_wrong"):
        async with database.begin() as uow:
            await org_import.apply(uow, ADMIN, given)
    async with database.read() as session:
        count = await session.execute(text("SELECT count(*) FROM unit WHERE code = 'ok'"))
        assert count.scalar_one() == 0
