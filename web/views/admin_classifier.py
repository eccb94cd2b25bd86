"""智能分类: the models and their figures, promoted by a person; how good the advice is, week by week."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from classifier import registry, switches
from classifier.registry import ACTIVE, CHALLENGER
from core.errors import HotlineError
from core.people.permissions import Permission
from routing import category_figures as figures
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import back

HOME = "/admin/classifier"
READ, MANAGE = Permission.CLASSIFIER_READ, Permission.CLASSIFIER_MANAGE
SHOWN = 40  # categories in the list
DONE = {
    "promoted": "已启用，各节点几秒内生效。",
    "off": "已停用，不再给出建议。",
    "opened": "已允许自动派单。",
    "shut": "已改为人工派单。",
}
SOURCES = {"starter": "起步语料（合成）", "local": "本地工单", "file": "文件"}
STATES = {"active": "使用中", "challenger": "候选", "retired": "已停用"}


class ListQuery(Fields):
    done: str = Field("", max_length=20)


class ReasonForm(Fields):
    reason: str = Field("", max_length=500)


class SwitchForm(Fields):
    automatic: bool = False


@route("GET", HOME, permission=READ)
async def models(request: web.Request) -> web.StreamResponse:
    """What is in force, what waits for a decision, and how the advice does."""
    query, ctx, person = read_query(request, ListQuery), context(request), actor(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        kept = await registry.listed(session)
        active = next((one for one in kept if one.state == ACTIVE), None)
        challenger = next((one for one in kept if one.state == CHALLENGER), None)
        shown: dict[str, Any] = {"weeks": [], "categories": [], "beside": None}
        if active is not None:
            shown["weeks"] = await figures.weeks(session, active.id, now)
            shown["categories"] = list(await figures.by_category(session, active.id, now))[:SHOWN]
            if challenger is not None:
                shown["beside"] = await figures.beside(session, active.id, challenger.id)
    return await page(
        request,
        "admin/classifier.html",
        models=kept,
        active=active,
        challenger=challenger,
        sources=SOURCES,
        states=STATES,
        may_manage=person.may(MANAGE),
        done=DONE.get(query.done, ""),
        least=figures.LEAST_CASES,
        wanted=figures.WANTED,
        **shown,
    )


@route("POST", HOME + r"/models/{model_id:\d+}/promote", permission=MANAGE)
async def promote(request: web.Request) -> web.StreamResponse:
    """A person promotes a model, with a reason."""
    form, ctx = await read_form(request, ReasonForm), context(request)
    async with ctx.db.begin() as uow:
        await registry.promote(uow, actor(request), path_id(request, "model_id"), form.reason)
    return back(request, HOME, "promoted")


@route("POST", HOME + "/off", permission=MANAGE)
async def off(request: web.Request) -> web.StreamResponse:
    """No advice any more, with a reason."""
    form, ctx = await read_form(request, ReasonForm), context(request)
    async with ctx.db.begin() as uow:
        await registry.retire_active(uow, actor(request), form.reason)
    return back(request, HOME, "off")


@route("POST", HOME + r"/categories/{category_id:\d+}", permission=MANAGE)
async def switch(request: web.Request) -> web.StreamResponse:
    """Let a category be dispatched without a person, or not; opened on its own evidence only."""
    form, ctx, ident = await read_form(request, SwitchForm), context(request), path_id(request, "category_id")
    async with ctx.db.begin() as uow:
        evidence: dict[str, Any] = {}
        if form.automatic:
            present = await registry.in_state(uow.session)
            if ACTIVE not in present:
                raise HotlineError("model_not_found")
            model_id, digest = present[ACTIVE]
            found = await figures.by_category(uow.session, model_id, uow.now)
            one = next((one for one in found if one.id == ident), None)
            if one is None or not one.may_open:
                raise HotlineError("category_without_evidence", category_id=ident)
            evidence = {"right": one.sure.right, "n": one.sure.n, "digest": digest}
        await switches.change(uow, actor(request), ident, automatic=form.automatic, evidence=evidence)
    return back(request, HOME, "opened" if form.automatic else "shut")
