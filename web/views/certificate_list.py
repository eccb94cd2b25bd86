"""The list of the embedded registry (证照登记表): what every line would do, then the list itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from core.csv_files import parsed
from core.errors import HotlineError
from core.people.permissions import Permission
from core.privacy import mask_id_number
from tickets.certificates import lists, register
from tickets.certificates.terms import KINDS
from web.context import actor, context
from web.inputs import read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, MEGABYTE, ListFields, back
from web.views.papers import HomeQuery

HOME = "/papers/registry"
EDIT = Permission.CATALOG_MANAGE
SHOWN = 200  # lines of the look


@route("GET", HOME, permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    done = DONE.get(read_query(request, HomeQuery).done, "")
    return await _page(request, "", [], done=done)


@route("POST", HOME, permission=EDIT, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what every line would do, then the list itself: all of it or nothing."""
    form, ctx = await read_form(request, ListFields), context(request)
    if not form.text:
        raise HotlineError("list_empty")
    sheet = parsed(form.text)
    try:
        said = list(lists.said(sheet.heads, sheet.rows))
    except HotlineError as error:  # of the columns: say which
        return await _page(request, form.text, [], columns=error.params)
    records = [one.record for one in said if one.record is not None]
    if not said:
        raise HotlineError("list_empty")
    wrong = len(said) - len(records)
    if form.sure and wrong:
        raise HotlineError("list_wrong", wrong=wrong)
    if form.sure:
        async with ctx.db.begin() as uow:
            await register.take(uow, actor(request), ctx.vault, records)
        return back(request, HOME, "imported")
    async with ctx.db.begin() as uow:
        effects = iter(await register.compare(uow, actor(request), ctx.vault, records))
    lines = [_line(one, "wrong" if one.record is None else next(effects)) for one in said]
    return await _page(request, form.text, lines)


def _line(said: lists.Said, effect: str) -> dict[str, Any]:
    """A line as it is shown: of the ID number no more than everywhere else."""
    record = said.record
    return {
        "number": said.line,
        "effect": effect,
        "why": lists.WRONG[said.wrong][0] if said.wrong else "",
        "holder": mask_id_number(record.number) if record else "",
        "record": record,
    }


async def _page(
    request: web.Request,
    text: str,
    lines: list[dict[str, Any]],
    done: str = "",
    columns: Mapping[str, Any] | None = None,
) -> web.Response:
    counts = Counter(dict.fromkeys((*register.EFFECTS, "wrong"), 0))
    counts.update(line["effect"] for line in lines)
    ranks = {"wrong": 0, "new": 1, "changed": 1}
    told = sorted((one for one in lines if one["effect"] in ranks), key=lambda one: ranks[one["effect"]])
    return await page(
        request,
        "certificates/registry.html",
        status=422 if columns else 200,
        misfit=columns,
        text=text,
        looked=bool(lines),
        lines=told[:SHOWN],
        counts=counts,
        kinds=KINDS,
        columns=list(lists.COLUMNS.values()),
        embedded=context(request).settings.certificates.registry == "embedded",
        done=done,
    )
