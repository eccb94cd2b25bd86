"""The organisation tree at the administrator's desk: add, rename, move, order, close, merge, import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people import org, org_import
from core.people.duties import Act
from core.people.models import Unit
from core.people.permissions import Permission
from core.pinyin import initials
from tickets import acts, handover
from tickets.states import STATE_LABELS, State
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import fragment, page
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import DONE, MEGABYTE, ListFields, NoFields, back, csv_file

HOME = "/admin/units"
MAY = Permission.ORG_MANAGE
NAME = Field(min_length=2, max_length=60)
IDENT = Field(gt=0, lt=2**63)
EFFECTS = {
    "new": ("新增", "good"),
    "changed": ("修改", "info"),
    "same": ("不变", "quiet"),
    "wrong": ("有误", "bad"),
}
FIELDS = {"name": "名称", "short_name": "简称", "parent_code": "上级"}
WRONG = {
    "cells": "单元格多于列名，可能错列；含逗号的内容请加引号",
    "required": "编码和名称必填",
    "code": "编码只能用字母、数字、点、下划线和短横",
    "too_long": "内容过长",
    "twice": "编码在列表中重复",
    "closed": "该单位已撤销",
    "kind": "类型不正确",
    "other_kind": "类型与现有单位不同，类型不能修改",
    "city": "市级单位不能由列表新建或移动",
    "parent": "上级单位不存在或已撤销",
    "misplaced": "该类型不能设在此上级之下",
    "circle": "不能移到自己的下级之下",
    "name_taken": "同一上级下已有同名单位",
}


class UnitQuery(Fields):
    unit: int | None = Field(None, gt=0, lt=2**63)
    closed: bool = False
    done: str = Field("", max_length=20)


class NewUnit(Fields):
    parent_id: int = IDENT
    kind: str = Field(max_length=20)
    name: str = NAME
    short_name: str = Field("", max_length=20)
    code: str = Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")


class Rename(Fields):
    name: str = NAME
    short_name: str = Field("", max_length=20)


class Move(Fields):
    parent_id: int = IDENT


class Order(Fields):
    way: Literal["up", "down"]


class Close(Fields):
    to_unit_id: str = Field("", pattern=r"^(\d{1,18})?$")
    reason: str = Field(min_length=2, max_length=500)


class CloseQuery(Fields):
    to: int | None = Field(None, gt=0, lt=2**63)


@dataclass
class TreeNode:
    """A unit on the page with what is below it."""

    unit: Unit
    keywords: str
    open: bool = False
    below: list[TreeNode] = field(default_factory=list)


def tree(units: Iterable[Unit], chosen: Unit | None, *, closed: bool) -> list[TreeNode]:
    """The units as a tree; the way to the chosen one is open. Closed ones only when asked for."""
    above = set(chosen.path.split(".")) if chosen else set()
    nodes: dict[int, TreeNode] = {}
    roots: list[TreeNode] = []
    shown = [one for one in units if one.active or closed or (chosen and one.id == chosen.id)]
    for unit in shown:
        keywords = (
            f"{unit.name} {unit.short_name} {unit.code} {initials(unit.name)} {initials(unit.short_name)}"
        )
        nodes[unit.id] = TreeNode(unit, keywords.lower(), unit.parent_id is None or str(unit.id) in above)
    for unit in shown:
        parent = nodes.get(unit.parent_id or 0)
        (parent.below if parent else roots).append(nodes[unit.id])
    return roots


@route("GET", HOME, permission=MAY)
async def units(request: web.Request) -> web.StreamResponse:
    """The tree beside the unit that was chosen."""
    query, ctx = read_query(request, UnitQuery), context(request)
    async with ctx.db.read() as session:
        every = await org.every_unit(session)
        chosen = next((one for one in every if one.id == query.unit), None)
        values = await _chosen(session, every, chosen) if chosen else {}
        recent = await handover.latest(session, limit=5)
    return await page(
        request,
        "admin/units.html",
        roots=tree(every, chosen, closed=query.closed),
        total=sum(one.active for one in every),
        closed_total=sum(not one.active for one in every),
        show_closed=query.closed,
        chosen=chosen,
        recent=recent,
        kind_words=org.KIND_WORDS,
        done=DONE.get(query.done, ""),
        **{"above": [], "seen": None, "parents": [], "kinds": [], **values},
    )


async def _chosen(session: AsyncSession, every: list[Unit], chosen: Unit) -> dict[str, Any]:
    by_id = {one.id: one for one in every}
    way = [by_id[int(part)] for part in chosen.path.split(".") if part]
    parents = [
        (one.id, " / ".join(by_id[int(part)].short_name for part in one.path.split(".") if part))
        for one in every
        if one.active and chosen.kind in org.BELOW[one.kind] and not one.path.startswith(chosen.path)
    ]
    return {
        "above": way[:-1],
        "seen": await handover.preview(session, chosen.id),
        "parents": parents,
        "kinds": [(kind, org.KIND_WORDS[kind]) for kind in org.BELOW[chosen.kind]],
    }


@route("POST", HOME, permission=MAY)
async def add(request: web.Request) -> web.StreamResponse:
    """A new unit below another."""
    form = await read_form(request, NewUnit)
    async with context(request).db.begin() as uow:
        made = await org.add(
            uow, actor(request), parent_id=form.parent_id, kind=form.kind, name=form.name, code=form.code,
            short_name=form.short_name or None,
        )  # fmt: skip
        ident = made.id
    return back(request, HOME, "added", unit=ident)


@route("POST", HOME + r"/{unit_id:\d+}/rename", permission=MAY)
async def rename(request: web.Request) -> web.StreamResponse:
    """Another name."""
    form, ident = await read_form(request, Rename), path_id(request, "unit_id")
    async with context(request).db.begin() as uow:
        short = form.short_name or form.name[:20]
        await org.rename(uow, actor(request), ident, name=form.name, short_name=short)
    return back(request, HOME, "saved", unit=ident)


@route("POST", HOME + r"/{unit_id:\d+}/move", permission=MAY)
async def move(request: web.Request) -> web.StreamResponse:
    """Under another unit, with all below it."""
    form, ident = await read_form(request, Move), path_id(request, "unit_id")
    async with context(request).db.begin() as uow:
        await org.move(uow, actor(request), ident, form.parent_id)
    return back(request, HOME, "moved", unit=ident)


@route("POST", HOME + r"/{unit_id:\d+}/order", permission=MAY)
async def order(request: web.Request) -> web.StreamResponse:
    """Change places with the neighbour."""
    form, ident = await read_form(request, Order), path_id(request, "unit_id")
    async with context(request).db.begin() as uow:
        await org.reorder(uow, actor(request), ident, up=form.way == "up")
    return back(request, HOME, "moved", unit=ident)


@route("POST", HOME + r"/{unit_id:\d+}/open", permission=MAY)
async def reopen(request: web.Request) -> web.StreamResponse:
    """Take a closed unit up again; its tickets stay where they went."""
    await read_form(request, NoFields)
    ident = path_id(request, "unit_id")
    async with context(request).db.begin() as uow:
        await handover.reopen(uow, actor(request), ident)
    return back(request, HOME, "opened", unit=ident)


# ---- closing and merging --------------------------------------------------------------------


@route("GET", HOME + r"/{unit_id:\d+}/close", permission=MAY)
async def close_page(request: web.Request) -> web.StreamResponse:
    """What closing would touch, and where it would go."""
    query, ident = read_query(request, CloseQuery), path_id(request, "unit_id")
    ctx = context(request)
    async with ctx.db.read() as session:
        unit = await org.unit(session, ident)
        seen = await handover.preview(session, ident)
        groups = await unit_groups(session)
        changes = []
        if query.to is not None and query.to != ident:
            asked = acts.MergeUnit(unit_id=ident, to_unit_id=query.to, reason="-")
            changes = list(await ctx.people.proposals.preview(session, Act.UNIT_MERGE, asked))
    states = [(STATE_LABELS[State(code)], count) for code, count in seen.by_state.items()]
    return await page(
        request, "admin/unit_close.html", unit=unit, seen=seen, states=states, groups=groups,
        to=query.to, changes=changes, kind_words=org.KIND_WORDS,
    )  # fmt: skip


@route("POST", HOME + r"/{unit_id:\d+}/close", permission=MAY)
async def close(request: web.Request) -> web.StreamResponse:
    """Close, or merge into another: put before the administrator who has to approve it."""
    form, ident = await read_form(request, Close), path_id(request, "unit_id")
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        await org.unit(uow.session, ident)
        if form.to_unit_id:
            target = int(form.to_unit_id)
            await handover.check(uow.session, ident, target)
            asked = acts.MergeUnit(unit_id=ident, to_unit_id=target, reason=form.reason)
            sent = await ctx.people.proposals.submit(uow, person, Act.UNIT_MERGE, asked, note=form.reason)
        else:
            await handover.check_empty(uow.session, ident)
            only = acts.CloseUnit(unit_id=ident)
            sent = await ctx.people.proposals.submit(uow, person, Act.UNIT_CLOSE, only, note=form.reason)
    return back(request, HOME, "proposed" if sent.proposal_id else "started", unit=ident)


@route("GET", HOME + r"/handovers/{handover_id:\d+}", permission=MAY)
async def handover_page(request: web.Request) -> web.StreamResponse:
    """How far a hand-over is, and what was left for people to decide."""
    ident = path_id(request, "handover_id")
    async with context(request).db.read() as session:
        found = await handover.progress(session, ident)
    left = [(ticket, number, _why(code)) for ticket, number, code in found.left]
    template = "admin/_handover.html" if wants_fragment(request) else "admin/handover.html"
    if wants_fragment(request):
        return fragment(request, template, found=found, left=left)
    return await page(request, template, found=found, left=left)


def _why(code: str) -> str:
    return PROBLEMS[code].title if code in PROBLEMS else code


@route("POST", HOME + r"/handovers/{handover_id:\d+}/retry", permission=MAY)
async def retry(request: web.Request) -> web.StreamResponse:
    """Try again what was refused."""
    await read_form(request, NoFields)
    ident = path_id(request, "handover_id")
    async with context(request).db.begin() as uow:
        await handover.retry(uow, actor(request), ident)
    return back(request, f"{HOME}/handovers/{ident}")


# ---- lists ----------------------------------------------------------------------------------


@route("GET", HOME + "/list.csv", permission=MAY)
async def export(request: web.Request) -> web.StreamResponse:
    """The open units as a list."""
    async with context(request).db.read() as session:
        text = org_import.export(await org.every_unit(session))
    return csv_file("units.csv", text)


@route("GET", HOME + "/import", permission=MAY)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await page(request, "admin/unit_import.html", steps=None, text="", **_import_words())


@route("POST", HOME + "/import", permission=MAY, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First the preview, then, when one is sure, the change itself."""
    form, ctx = await read_form(request, ListFields), context(request)
    if form.sure:
        async with ctx.db.begin() as uow:
            await org_import.apply(uow, actor(request), form.text)
        return back(request, HOME, "imported")
    async with ctx.db.read() as session:
        steps = await org_import.plan(session, form.text)
    return await page(request, "admin/unit_import.html", steps=steps, text=form.text, **_import_words())


def _import_words() -> dict[str, Any]:
    return {
        "effects": EFFECTS,
        "field_words": FIELDS,
        "wrong": WRONG,
        "kind_words": org.KIND_WORDS,
        "columns": list(org_import.COLUMNS.values()),
    }
