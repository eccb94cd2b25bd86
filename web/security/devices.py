"""The cookie of a device: a kiosk's token, where no script of a page can read it.

Bound to the kiosk's own addresses, so that no other page of the site is asked with it. A browser forgets a
cookie after 400 days at most; each question of the device gives it anew.
"""

from __future__ import annotations

from aiohttp import web

from web.context import context

PATH = "/kiosk"
_NAME = "hotline_kiosk"
MAX_TOKEN = 200  # characters; ours have 43
LIVES = 400 * 24 * 3600


def _name(secure: bool) -> str:
    return f"__Secure-{_NAME}" if secure else _NAME


def device_token(request: web.Request) -> str:
    """The token in the device's cookie; empty when there is none that could be ours."""
    token = request.cookies.get(_name(context(request).secure), "")
    return token if len(token) <= MAX_TOKEN and token.isascii() else ""


def set_device(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the device its token, or the same one again."""
    secure = context(request).secure
    response.set_cookie(
        _name(secure), token, path=PATH, httponly=True, samesite="Strict", secure=secure, max_age=LIVES
    )
