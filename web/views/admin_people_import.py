"""A list of people from a spreadsheet: preview, import in steps with progress, passwords once."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.catalog import tables
from core.errors import HotlineError
from core.people import people_import
from core.people.models import UserImport
from core.people.permissions import Permission
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import path_id, read_form
from web.render import fragment, page, redirect
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import MEGABYTE, ListFields, NoFields, csv_file

HOME = "/admin/users/import"
ONE = HOME + r"/{import_id:\d+}"
MAY = Permission.USER_MANAGE
EFFECTS = {
    "new": ("新建", "info"),
    "changed": ("修改", "warn"),
    "same": ("不变", "quiet"),
    "wrong": ("有误", "bad"),
}
FIELDS = {"name": "姓名", "unit": "单位", "posts": "岗位", "extension": "分机"}
WRONG = {
    "cells": "单元格多于列名，可能错列；含逗号的内容请加引号",
    "login": "工号须为 2 至 40 位字母、数字、点、下划线或短横",
    "name": "姓名为空或超过 40 字",
    "twice": "工号在列表中重复",
    "unit": "没有这个单位编码，或单位已撤销",
    "posts": "岗位为空或不能识别",
    "administrator": "三员账号不能批量导入，请逐个办理",
    "closed": "该账号已停用，请先启用",
    "extension": "分机须为 2 至 8 位数字",
    "extension_taken": "分机已由他人使用，或在列表中重复",
}
HINT = (
    "按工号识别人员：已有的更新资料，没有的新建；列表中没有的人员保持不变。"
    "岗位可写多个，用顿号分开；没有“分机”一列时分机保持不变；一次最多 1000 行。"
)


@route("GET", HOME, permission=MAY)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _shown(request, "", None)


@route("POST", HOME, permission=MAY, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First the preview, then, when one is sure, the list is kept and done step by step."""
    form, ctx = await read_form(request, ListFields), context(request)
    try:
        async with ctx.db.begin() as uow:
            steps = await people_import.plan(uow.session, form.text)
            if form.sure:
                import_id = await people_import.keep(uow, actor(request), steps)
                return redirect(request, f"{HOME}/{import_id}")
    except HotlineError as error:
        return await _shown(request, form.text, None, error)
    return await _shown(request, form.text, steps)


@route("GET", HOME + "/sample.csv", permission=MAY)
async def sample(_request: web.Request) -> web.StreamResponse:
    """An example to fill in."""
    rows = [("zhangsan", "张三", "H", "话务员", "1099"), ("lisi", "李四", "WATER", "承办联络员", "")]
    return csv_file("users-sample.csv", tables.write(list(people_import.COLUMNS.values()), rows))


async def _shown(
    request: web.Request,
    text: str,
    steps: list[people_import.Planned] | None,
    error: HotlineError | None = None,
) -> web.Response:
    code, problem = problem_of(error) if error else ("", None)
    return await page(
        request,
        "admin/people_import.html",
        status=problem.status if problem else 200,
        steps=steps,
        text=text,
        effects=EFFECTS,
        wrong=WRONG,
        field_words=FIELDS,
        columns=list(people_import.COLUMNS.values()),
        hint=HINT,
        code=code,
        problem=problem,
        who="",
    )


@route("GET", ONE, permission=MAY)
async def progress(request: web.Request) -> web.StreamResponse:
    """How far a list is; the page asks for the next step by itself, without scripts there is a button."""
    async with context(request).db.read() as session:
        row = await people_import.progress(session, actor(request), path_id(request, "import_id"))
    return await _progress(request, row)


@route("POST", ONE + "/step", permission=MAY)
async def step(request: web.Request) -> web.StreamResponse:
    """Do the next lines; what was done stays done when the browser goes away in between."""
    await read_form(request, NoFields)
    ctx, person, ident = context(request), actor(request), path_id(request, "import_id")
    async with ctx.db.begin() as uow:
        await people_import.step(uow, person, ctx.people, ident)
    if not wants_fragment(request):
        return redirect(request, f"{HOME}/{ident}")
    async with ctx.db.read() as session:
        row = await people_import.progress(session, person, ident)
    return await _progress(request, row)


@route("POST", ONE + "/passwords", permission=MAY)
async def passwords(request: web.Request) -> web.StreamResponse:
    """The passwords for the first login as a file, once."""
    await read_form(request, NoFields)
    ctx, person, ident = context(request), actor(request), path_id(request, "import_id")
    async with ctx.db.begin() as uow:
        found = await people_import.take_passwords(uow, person, ctx.people, ident)
    return csv_file("first-passwords.csv", tables.write(("工号", "一次性密码"), list(found.items())))


async def _progress(request: web.Request, row: UserImport) -> web.Response:
    failed = [line for line in row.rows if line.get("effect") == "failed"]
    values: dict[str, Any] = {
        "row": row,
        "total": len(row.rows),
        "new": sum(line.get("effect") == "new" for line in row.rows),
        "failed": [(line["login"], PROBLEMS[line["problem"]].title) for line in failed],
    }
    if wants_fragment(request):
        return fragment(request, "admin/_people_progress.html", **values)
    return await page(request, "admin/people_progress.html", **values)
