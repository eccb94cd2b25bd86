"""Templates: one environment, automatic escaping, undefined names are errors.

`page` renders a whole page inside the frame of the console, `fragment` a swappable piece of one.
Both receive: `actor`, `nav`, `path`, `theme`, `size`, `city`, and the filters below.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from core.clock import to_city
from core.people.actor import Actor
from core.text import normalise
from core.text import spans as text_spans
from web.assets import ASSETS, Assets
from web.context import FRAME, REQUEST_ID, context, optional_actor
from web.live import HUB
from web.menu import menu_for
from web.preferences import size_of, theme_of
from web.routes import rule_for

TEMPLATES = Path(__file__).parent / "templates"
_ARROWS = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→"}
JINJA = web.AppKey("jinja", jinja2.Environment)


def city_time(value: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """An instant as people in the city read it; a dash for none."""
    return to_city(value).strftime(form) if value is not None else "—"


def duration(seconds: float | None) -> str:
    """Seconds as `m:ss` or `h:mm:ss`; a dash for none."""
    if seconds is None:
        return "—"
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def place(district: str | None, street: str | None, address: str) -> str:
    """Where it is, without saying the district again in front of street and address."""
    parts = [part.removeprefix(district or "") for part in (street, address) if part]
    return " ".join(part for part in (district, *parts) if part) or "—"


def age(minutes: int) -> str:
    """Minutes as people say them: `12 分`, `3 小时`, `2 天`."""
    if minutes < 60:
        return f"{max(minutes, 0)} 分"
    return f"{minutes // 60} 小时" if minutes < 24 * 60 else f"{minutes // (24 * 60)} 天"


def marked(text: str, words: Sequence[str]) -> Markup | str:
    """A text with the words that decided marked in it."""
    spans = sorted({span for word in words for span in text_spans(text, normalise(word))})
    parts: list[str] = []
    last = 0
    for start, end in spans:
        if start >= last:
            parts += [escape(text[last:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
            last = end
    return Markup("").join([*parts, escape(text[last:])]) if parts else text


@jinja2.pass_context
def own_key(page: jinja2.runtime.Context, name: str) -> str:
    """The key shipped as `name` as the person at the page has it, see `core.people.hotkeys`."""
    actor: Actor | None = page.get("actor")
    return spoken(dict(actor.hotkeys).get(name, name) if actor else name)


@jinja2.pass_context
def hotkey(page: jinja2.runtime.Context, name: str) -> Markup:
    """The attributes of what a key presses: for our own script, and for who has the page read aloud."""
    actor: Actor | None = page.get("actor")
    key = dict(actor.hotkeys).get(name, name) if actor else name
    told = key.replace("Ctrl+", "Control+")
    return Markup('data-hotkey="{}" aria-keyshortcuts="{}"').format(key, told)


def spoken(combination: str) -> str:
    """A combination as people write it: `ArrowUp` is ↑."""
    for name, word in _ARROWS.items():
        combination = combination.replace(name, word)
    return combination


def make_environment(assets: Assets) -> jinja2.Environment:
    """The Jinja environment of the console."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters["own_keys"] = lambda pairs: json.dumps(dict(pairs))
    env.globals.update(hotkey=hotkey, own_key=own_key)
    env.filters.update(city_time=city_time, duration=duration, age=age, marked=marked)
    env.globals.update(static_url=assets.url, place=place)
    return env


def _common(request: web.Request) -> dict[str, Any]:
    """What every template may use."""
    return {
        "actor": optional_actor(request),
        "path": request.path,
        "theme": theme_of(request),
        "size": size_of(request),
        "city": context(request).settings.city.name,
        "request_id": request.get(REQUEST_ID, ""),
        "now": context(request).clock.now(),
    }


def _frame(request: web.Request) -> dict[str, Any]:
    """What only the frame around a whole page uses."""
    actor = optional_actor(request)
    return {
        "nav": menu_for(request.app, actor),
        "may_search": bool(actor and rule_for(request.app, "/search").allows(actor)),
        "live_seq": request.app[HUB].position,
    }


def _html(text: str, status: int) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


async def page(
    request: web.Request, template: str, *, status: int = 200, bare: bool = False, **values: Any
) -> web.Response:
    """A whole page; the frame's own parts (tab bar and the like) are collected first.

    A `bare` page asks the database for nothing: it can still be shown when that is what failed.
    """
    parts = {} if bare else await request.app[FRAME].collect(request)
    frame = _common(request) | _frame(request) | parts
    text = request.app[JINJA].get_template(template).render({**frame, **values})
    return _html(text, status)


async def bare_page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A whole page outside the console's frame, for who has no account."""
    text = request.app[JINJA].get_template(template).render({**_common(request), **values})
    return _html(text, status)


def fragment(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A piece of a page for htmx or a custom element; no frame around it."""
    return _html(piece(request, template, **values), status)


def piece(request: web.Request, template: str, **values: Any) -> str:
    """The text of a piece of a page, for an answer that holds several."""
    return request.app[JINJA].get_template(template).render({**_common(request), **values})


def redirect(request: web.Request, location: str) -> web.Response:
    """Go on to a page of ours after a write: 303 for forms, HX-Redirect for htmx."""
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Redirect": location})
    return web.Response(status=303, headers={"Location": location})


__all__ = ["ASSETS", "JINJA", "city_time", "duration", "fragment", "make_environment", "page", "redirect"]
