"""Papers of matters (所需材料): what a category needs, what the registry can verify; with editions."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from routing.known import directory
from tickets.certificates import papers
from tickets.certificates.terms import KINDS, MOST_PAPERS, Paper
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, back

HOME = "/papers"
EDIT = Permission.CATALOG_MANAGE
SPARE = 3  # empty lines below what there is


def _by_code(one: tuple[int, str]) -> str:
    return one[1]


class HomeQuery(Fields):
    category: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class ListForm(Fields):
    """Lines of the same place belong together; a line without a name is left out."""

    version: int = Field(ge=0, lt=2**31)
    name: list[str] = Field([], max_length=MOST_PAPERS + SPARE)
    kind: list[str] = Field([], max_length=MOST_PAPERS + SPARE)
    note: str = Field("", max_length=600)


@route("GET", HOME, permission=EDIT)
async def home(request: web.Request) -> web.StreamResponse:
    """The lists there are, and the categories to make one for."""
    query = read_query(request, HomeQuery)
    if query.category is not None:
        return await _list(request, query.category)
    async with context(request).db.read() as session:
        found = await papers.editions(session)
        known = await directory(session)
    named = ((ident, codes[0]) for ident, codes in known.chains.items() if codes[0] in known.categories)
    choices = [(str(ident), f"{code} {known.category(code)}") for ident, code in sorted(named, key=_by_code)]
    done = DONE.get(query.done, "")
    return await page(
        request, "certificates/papers.html", lists=found, choices=choices, kinds=KINDS, done=done
    )


@route("GET", HOME + "/{category_id:[0-9]+}", permission=EDIT)
async def one(request: web.Request) -> web.StreamResponse:
    """The list of a category with its earlier editions."""
    return await _list(request, path_id(request, "category_id"))


@route("POST", HOME + "/{category_id:[0-9]+}", permission=EDIT)
async def save(request: web.Request) -> web.StreamResponse:
    """A new edition."""
    form, ident = await read_form(request, ListForm), path_id(request, "category_id")
    if len(form.name) != len(form.kind):
        raise HotlineError("bad_request")
    kept = [Paper(name, kind) for name, kind in zip(form.name, form.kind, strict=True) if name or kind]
    try:
        async with context(request).db.begin() as uow:
            await papers.save(uow, actor(request), ident, form.version, kept, form.note)
    except HotlineError as error:
        if error.code != "papers_invalid":
            raise
        return await _list(request, ident, kept=kept, wrong=int(error.params["line"]), note=form.note)
    return back(request, f"{HOME}/{ident}", "saved")


async def _list(
    request: web.Request, ident: int, *, kept: list[Paper] | None = None, wrong: int = 0, note: str = ""
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        known = await directory(session)
        named = known.category(known.chains[ident][0]) if ident in known.chains else ""
        if not named:
            raise HotlineError("category_unknown", category_id=ident)
        found = await papers.editions(session, ident)
        above = await papers.needed(session, ident)
    lines = list(found[0].papers if found else ()) if kept is None else kept
    values: dict[str, Any] = {
        "category_id": ident,
        "category": named,
        "version": found[0].version if found else 0,
        "lines": [*lines, *([Paper("")] * SPARE)][:MOST_PAPERS],
        "editions": found,
        "above": above if above.named and above.named != named else None,
        "wrong": wrong,
        "note": note,
        "kinds": list(KINDS.items()),
        "kind_words": KINDS,
        "done": DONE.get(request.query.get("done", ""), ""),
    }
    return await page(request, "certificates/paper_list.html", status=422 if wrong else 200, **values)
