"""Integration API: its own description, and the codes that go with tickets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web

from core.people import org
from core.people.machines import Scope
from core.people.models import Unit
from tickets.exchange import open311
from web import views
from web.api.contract import BASE, Call, operation, operations_in
from web.api.models import CategoryList, CategoryOut, UnitList, UnitOut
from web.api.openapi import description
from web.context import context
from web.inputs import Fields, read_query
from web.routes import route

ANY = (Scope.TICKETS_SUBMIT, Scope.TICKETS_READ, Scope.TICKETS_HANDLE)


@route("GET", BASE + "/openapi.json", public=True)
async def described(request: web.Request) -> web.StreamResponse:
    """The description of this interface, made from its code."""
    read_query(request, Fields)
    return web.json_response(_described(context(request).settings.city.name))


@cache
def _described(city: str) -> dict[str, Any]:
    found = [one for module in views.modules() for one in operations_in(module)]
    return description(city, found)


@operation("GET", "/categories", "诉求分类", scope=ANY, answer=CategoryList)
async def list_categories(call: Call) -> CategoryList:
    """提交时可以填写的分类代码。"""
    async with call.ctx.db.read() as session:
        found = await open311.services(session)
    return CategoryList(
        items=[CategoryOut(code=one.code, name=one.name, full_name=one.full_name) for one in found]
    )


@operation("GET", "/units", "单位", scope=ANY, answer=UnitList)
async def list_units(call: Call) -> UnitList:
    """区县、街道和承办单位的代码。"""
    async with call.ctx.db.read() as session:
        found = [unit for unit in await org.every_unit(session) if unit.active]
    codes = {unit.id: unit.code for unit in found}
    return UnitList(items=[_unit(unit, codes) for unit in found])


def _unit(unit: Unit, codes: Mapping[int, str]) -> UnitOut:
    above = codes.get(unit.parent_id or 0)
    return UnitOut(code=unit.code, name=unit.name, kind=unit.kind, parent_code=above)
