"""How a person likes to read: theme and text size, kept in two cookies the server reads.

The server writes the attributes into the page, so that nothing flashes before a script has run.
"""

from __future__ import annotations

from aiohttp import web

THEMES = {"light": "浅色", "dark": "深色", "contrast": "高对比"}
SIZES = {"normal": "标准字号", "large": "大字号"}
THEME_COOKIE = "hl_theme"
SIZE_COOKIE = "hl_size"
YEAR = 365 * 24 * 3600


def theme_of(request: web.Request) -> str:
    """The chosen theme, light unless the cookie names another one we have."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "light"


def size_of(request: web.Request) -> str:
    """The chosen text size, normal unless the cookie says otherwise."""
    chosen = request.cookies.get(SIZE_COOKIE, "")
    return chosen if chosen in SIZES else "normal"


def remember(response: web.StreamResponse, name: str, value: str, *, secure: bool) -> None:
    """Keep a choice for a year."""
    response.set_cookie(name, value, max_age=YEAR, path="/", samesite="Lax", secure=secure)
