"""Saved views and reply templates: one's own, the unit's, and nothing anybody else may touch."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.people.actor import Actor
from tests.tickets.conftest import City, Refused
from tickets import reply_templates, saved_views
from tickets.desk_models import SavedView
from tickets.models import Category, table_of

LIST = "workbench"


async def _do(city: City, work: Any, *args: Any, **options: Any) -> Any:
    async with city.db.begin() as uow:
        return await work(uow, *args, **options)


async def _save(city: City, who: str, name: str, **more: Any) -> int:
    query, columns = more.pop("query", {"urgency": "overdue"}), more.pop("columns", ["number", "title"])
    surface = more.pop("surface", LIST)
    made = await _do(city, saved_views.save, city.actors[who], surface, name, query, columns, **more)
    assert isinstance(made, int)
    return made


async def _names(city: City, who: str, surface: str = LIST) -> list[str]:
    async with city.db.read() as session:
        return [view.name for view in await saved_views.views(session, city.actors[who], surface)]


async def test_a_view_keeps_filters_and_columns_for_its_owner_alone(city: City, refused: Refused) -> None:
    ident = await _save(
        city, "lights", "急件", query={"urgency": "overdue", "type": ""}, columns=["left", "title"]
    )
    async with city.db.read() as session:
        view = await saved_views.opened(session, city.actors["lights"], ident)
        assert (view.query, view.columns, view.mine) == ({"urgency": "overdue"}, ("left", "title"), True)
        await refused("view_not_found", saved_views.opened(session, city.actors["water"], ident))
    assert await _names(city, "water") == []
    assert await _names(city, "lights", "tickets") == []


async def test_a_shared_view_is_seen_in_the_unit_and_changed_by_its_owner_only(
    city: City, refused: Refused
) -> None:
    mine = await _save(city, "agent", "我的")
    shared = await _save(city, "agent2", "班组视图", shared=True)
    await _save(city, "agent2", "私有")
    assert await _names(city, "agent") == ["我的", "班组视图"]
    assert await _names(city, "lights") == []
    agent = city.actors["agent"]
    for work in (
        _do(city, saved_views.remove, agent, shared),
        _do(city, saved_views.arrange, agent, LIST, [shared, mine]),
        _save(city, "agent", "改名", view_id=shared),
    ):
        await refused("view_not_found", work)
    async with city.db.read() as session:
        seen = await saved_views.opened(session, agent, shared)
        assert (seen.mine, seen.owner) == (False, "agent2")


async def test_what_a_list_does_not_understand_is_not_saved(city: City, refused: Refused) -> None:
    await refused("unknown_filter", _save(city, "lights", "甲", query={"password": "1"}))
    await refused("bad_filter", _save(city, "lights", "甲", query={"urgency": "never"}))
    await refused("unknown_column", _save(city, "lights", "甲", columns=["phone_ref"]))
    await refused("unknown_surface", _save(city, "lights", "甲", surface="nowhere"))
    await refused("view_name_needed", _save(city, "lights", " \n "))
    await _save(city, "lights", "甲")
    await refused("view_name_taken", _save(city, "lights", "甲"))
    assert await _names(city, "lights") == ["甲"]


async def test_no_columns_means_the_usual_ones_and_filters_that_are_gone_are_left_out(city: City) -> None:
    ident = await _save(city, "lights", "甲", columns=[])
    old = {"urgency": "overdue", "colour": "red", "state": "burning"}
    async with city.db.begin() as uow:
        await uow.session.execute(sa.update(table_of(SavedView)).values(query=old, columns=["smell"]))
    async with city.db.read() as session:
        view = await saved_views.opened(session, city.actors["lights"], ident)
    assert view.query == {"urgency": "overdue"}
    assert view.columns == saved_views.SURFACES[LIST].usual


async def test_views_stand_in_the_order_they_were_put_and_their_number_is_limited(
    city: City, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await _save(city, "lights", name) for name in "甲乙丙"]
    await _do(city, saved_views.arrange, city.actors["lights"], LIST, [ids[2], ids[0]])
    assert await _names(city, "lights") == ["丙", "甲", "乙"]
    await _do(city, saved_views.remove, city.actors["lights"], ids[0])
    assert await _names(city, "lights") == ["丙", "乙"]
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 2)
    await refused("too_many_views", _save(city, "lights", "丁"))


# ---- reply templates ------------------------------------------------------------------------


async def _template(city: City, actor: Actor, title: str, **more: Any) -> int:
    values = {"title": title, "body": "您好，您反映的问题已处理。", "category_id": None} | more
    made = await _do(city, reply_templates.save, actor, **values)
    assert isinstance(made, int)
    return made


async def _offered(city: City, who: str, category_id: int) -> list[str]:
    async with city.db.read() as session:
        found = await reply_templates.for_ticket(session, city.actors[who], category_id)
    return [one.title for one in found]


async def _leaf(city: City) -> int:
    async with city.db.begin() as uow:
        leaf = Category(
            parent_id=city.category_id, level=2, code="0101", name="路灯", full_name="市政 / 路灯",
            initials="ld", path="", active=True,
        )  # fmt: skip
        uow.session.add(leaf)
        await uow.session.flush()
        leaf.path = f".{city.category_id}.{leaf.id}."
        return leaf.id or 0


async def test_a_ticket_is_offered_the_nearest_templates_first(city: City) -> None:
    leaf = await _leaf(city)
    lights, admin = city.actors["lights"], city.actors["admin"]
    await _template(city, admin, "通用", common=True)
    await _template(city, lights, "本单位")
    await _template(city, lights, "市政类", category_id=city.category_id)
    await _template(city, lights, "路灯类", category_id=leaf)
    await _template(city, lights, "停用的", active=False)
    await _template(city, city.actors["water"], "别人的")
    assert await _offered(city, "lights", leaf) == ["路灯类", "市政类", "本单位", "通用"]
    assert await _offered(city, "lights", city.category_id) == ["市政类", "本单位", "通用"]
    assert await _offered(city, "district", leaf) == ["通用"]


async def test_a_street_uses_what_its_district_wrote_but_cannot_change_it(
    city: City, refused: Refused
) -> None:
    ident = await _template(city, city.actors["district"], "区里的")
    assert await _offered(city, "street", city.category_id) == ["区里的"]
    street = city.actors["street"]
    await refused("template_not_found", _template(city, street, "改", template_id=ident, version=1))
    async with city.db.read() as session:
        (seen,) = await reply_templates.templates(session, street)
        assert not seen.editable
        await refused("forbidden", reply_templates.templates(session, city.actors["agent"]))


async def test_templates_are_checked_and_versioned(city: City, refused: Refused) -> None:
    lights = city.actors["lights"]
    await refused("template_incomplete", _template(city, lights, " "))
    await refused("template_too_long", _template(city, lights, "长" * 61))
    await refused("category_unknown", _template(city, lights, "甲", category_id=98765))
    await refused("forbidden", _template(city, lights, "甲", common=True))
    await refused("forbidden", _template(city, city.actors["agent"], "甲"))
    ident = await _template(city, lights, "甲")
    await _template(city, lights, "乙", template_id=ident, version=1)
    late = await refused("version_conflict", _template(city, lights, "丙", template_id=ident, version=1))
    assert late["theirs"] == 2
    assert await _offered(city, "lights", city.category_id) == ["乙"]
