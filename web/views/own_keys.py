"""One's own keys (快捷键): each with what it does, changed by pressing another, kept with the account."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people import own_keys
from core.people.hotkeys import LONGEST
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, read_form
from web.reads import hotkeys
from web.render import fragment, page, redirect, spoken
from web.routes import route

HOME = "/me/keys"


class KeyForm(Fields):
    name: str = Field("", max_length=LONGEST)
    combination: str = Field("", max_length=80)


class ResetForm(Fields):
    name: str = Field("", max_length=LONGEST)


@route("GET", HOME, signed_in=True)
async def keys(request: web.Request) -> web.StreamResponse:
    """Every key of the console as this person has it."""
    return await page(request, "me/keys.html", **_values(dict(actor(request).hotkeys)))


@route("POST", HOME, signed_in=True, max_body=4096)
async def change(request: web.Request) -> web.StreamResponse:
    """Another combination for a key; a refusal says why beside it, and nothing changes."""
    form, ctx, person = await read_form(request, KeyForm), context(request), actor(request)
    try:
        async with ctx.db.begin() as uow:
            own = await own_keys.assign(uow, person, form.name, form.combination)
    except HotlineError as error:
        return await _refused(request, form.name, error)
    return await _done(request, own, form.name)


@route("POST", HOME + "/reset", signed_in=True, max_body=4096)
async def reset(request: web.Request) -> web.StreamResponse:
    """The shipped combination again, of one key or, without a name, of all."""
    form, ctx, person = await read_form(request, ResetForm), context(request), actor(request)
    try:
        async with ctx.db.begin() as uow:
            own = await own_keys.reset(uow, person, form.name or None)
    except HotlineError as error:
        return await _refused(request, form.name, error)
    return await _done(request, own, form.name)


async def _done(request: web.Request, own: dict[str, str], name: str) -> web.StreamResponse:
    if not wants_fragment(request):
        return redirect(request, HOME)
    now = spoken(own.get(name, name))
    said = f"“{hotkeys.WORDS[name]}”现在是 {now}。" if name else "已全部恢复为默认按键。"
    return fragment(request, "me/_keys_rows.html", **_values(own, said=said))


async def _refused(request: web.Request, name: str, error: HotlineError) -> web.StreamResponse:
    code, problem = problem_of(error)
    if not code.startswith("hotkey_") or name not in hotkeys.WORDS:
        raise error
    by = hotkeys.WORDS.get(str(error.params.get("by")), "")
    pressed = spoken(str(error.params.get("combination", "")))
    why = f"{pressed} 已用于“{by}”，没有改动。{problem.sentence}" if by else f"{pressed} {problem.sentence}"
    values = _values(dict(actor(request).hotkeys), refused=name, why=why)
    if wants_fragment(request):
        return fragment(request, "me/_keys_rows.html", status=problem.status, **values)
    return await page(request, "me/keys.html", status=problem.status, **values)


def _values(own: dict[str, str], *, said: str = "", refused: str = "", why: str = "") -> dict[str, Any]:
    return {
        "groups": hotkeys.lines(own),
        "fixed": hotkeys.FIXED_WORDS,
        "changed": bool(own),
        "own_json": json.dumps(own),
        "said": said,
        "refused": refused,
        "why": why,
    }
