"""Knowledge as files: one's own articles in force as a list, and a list read in line by line."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.knowledge import listing
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, read_form
from web.render import page
from web.routes import route
from web.views._admin import MEGABYTE, csv_file
from web.views.knowledge import today

EDIT = Permission.KNOWLEDGE_EDIT
WRONG = {
    "cells": "单元格多于列名，可能错列；含逗号的内容请加引号",
    "empty": "问题或答复为空",
    "long": "问题超过 200 字、答复超过 4000 字，或依据超过 500 字",
    "unit": "没有这个归属单位编码，或不归您维护",
    "category": "没有这个分类编码，或分类已停用",
    "district": "没有这个区县编码",
    "audience": "公开范围请填“内部”或“可公开”",
    "date": "日期请写成 2026-11-30",
    "over": "失效日期早于生效日期，或已经过去",
    "twice": "该单位已有同样的问题，或在列表中重复",
}
ANSWERED = frozenset({"list_empty", "list_too_long", "list_heading", "list_unreadable"})


class ImportForm(Fields):
    text: str = Field(max_length=900_000)
    sure: bool = False
    submit: bool = False


@route("GET", "/knowledge/export.csv", permission=EDIT)
async def export(request: web.Request) -> web.StreamResponse:
    """One's own articles in force."""
    async with context(request).db.read() as session:
        text = await listing.export(session, actor(request))
    return csv_file(f"knowledge-{today(request):%Y%m%d}.csv", text)


@route("GET", "/knowledge/import", permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _import(request, "", None)


@route("POST", "/knowledge/import", permission=EDIT, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what every line would do; when one is sure, the good lines are written."""
    form, ctx, person = await read_form(request, ImportForm), context(request), actor(request)
    try:
        if form.sure:
            steps = await ctx.db.retrying(
                lambda uow: listing.carry_out(uow, person, form.text, submit=form.submit)
            )
        else:
            async with ctx.db.read() as session:
                steps = await listing.plan(session, person, form.text, today(request))
    except HotlineError as error:
        if error.code not in ANSWERED:
            raise
        problem = problem_of(error)[1]
        return await _import(request, form.text, None, status=problem.status, problem=problem)
    return await _import(request, form.text, steps, finished=form.sure)


async def _import(
    request: web.Request, text: str, steps: list[listing.Outcome] | None, *, status: int = 200, **more: Any
) -> web.StreamResponse:
    values: dict[str, Any] = {
        "text": text,
        "steps": steps,
        "good": sum(not step.problem for step in steps or ()),
        "bad": [step for step in steps or () if step.problem],
        "wrong": WRONG,
        "columns": list(listing.COLUMNS.values()),
        "finished": False,
        "problem": None,
    }
    return await page(request, "knowledge/import.html", status=status, **(values | more))
