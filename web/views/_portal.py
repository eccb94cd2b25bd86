"""What the pages of the citizens' portal share: who is behind the browser, the frame, brakes, elder mode."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.errors import HotlineError
from core.ids import new_token
from tickets.public import sessions
from tickets.public.sessions import Citizen
from web.context import SOURCE, context
from web.errors import problem_of
from web.preferences import SIZE_COOKIE, THEME_COOKIE, remember
from web.render import bare_page
from web.security.rates import RATES
from web.sentences import Problem

COOKIE, ELDER, MAX_TOKEN = "hl_citizen", "hl_elder", 64
KEY = r"^[A-Za-z0-9_-]{16,40}$"
FIELD_WORDS = {
    "required": "请填写这一项。",
    "too_long": "内容太长，请缩短后再提交。",
    "bad_phone": "号码不正确，请填写 11 位手机号或带区号的固定电话。",
    "bad_time": "时间不正确，请重新选择。",
    "in_future": "时间在将来，请填写已经发生的时间。",
    "agree": "请先阅读并同意隐私说明。",
    "unknown_choice": "请从列表中选择。",
    "bad_value": "内容不正确，请检查后重新填写。",
}


def new_key() -> str:
    """A key that names one form, so that it is carried out once."""
    return new_token(18)


def cookie_name(request: web.Request, name: str = COOKIE) -> str:
    """The name of a cookie of the portal on this site."""
    return f"__Host-{name}" if context(request).secure else name


def token_of(request: web.Request) -> str:
    """The token the browser brought, if it could be one of ours; empty otherwise."""
    token = request.cookies.get(cookie_name(request), "")
    return token if len(token) <= MAX_TOKEN and token.isascii() else ""


def set_token(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the browser a citizen's token; it ends with the browser, and after some hours anyway."""
    response.set_cookie(
        cookie_name(request), token, path="/", httponly=True, samesite="Lax", secure=context(request).secure
    )


def clear_token(request: web.Request, response: web.StreamResponse) -> None:
    """Take the cookie back."""
    response.del_cookie(
        cookie_name(request), path="/", httponly=True, samesite="Lax", secure=context(request).secure
    )


async def citizen_of(request: web.Request) -> Citizen | None:
    """Who is behind this browser; None for nobody."""
    token, ctx = token_of(request), context(request)
    if not token:
        return None
    async with ctx.db.read() as session:
        return await sessions.of_token(session, token, ctx.clock.now())


def check_open(request: web.Request) -> None:
    """Raise `portal_closed` where the portal is switched off."""
    if not context(request).settings.portal.enabled:
        raise HotlineError("portal_closed")


def brake(request: web.Request, act: str, most: int, seconds: float = 60) -> None:
    """Count one act of this source. Raises `too_many_requests`."""
    request.app[RATES].count(f"portal.{act}", request[SOURCE], most=most, seconds=seconds)


def is_elder(request: web.Request) -> bool:
    """Whether large letters, high contrast and reading aloud were chosen."""
    return request.cookies.get(ELDER, "") == "1"


def remember_elder(request: web.Request, response: web.StreamResponse, on: bool) -> None:
    """Keep the choice, with the theme and the size that belong to it."""
    secure = context(request).secure
    remember(response, ELDER, "1" if on else "0", secure=secure)
    remember(response, THEME_COOKIE, "contrast" if on else "light", secure=secure)
    remember(response, SIZE_COOKIE, "large" if on else "normal", secure=secure)


async def portal_page(
    request: web.Request, template: str, *, error: HotlineError | None = None, **values: Any
) -> web.Response:
    """A page of the portal. An `error` is told on top, and beside the fields it is about."""
    check_open(request)
    problem: Problem | None = None
    status, wrong = 200, {}
    if error is not None:
        _, problem = problem_of(error)
        status = problem.status
        fields = error.params.get("fields")
        wrong = fields if isinstance(fields, dict) else {}
    citizen = values.pop("citizen", None) or await citizen_of(request)
    response = await bare_page(
        request,
        template,
        status=status,
        problem=problem,
        wrong={name: FIELD_WORDS.get(code, FIELD_WORDS["bad_value"]) for name, code in wrong.items()},
        citizen=citizen,
        elder=is_elder(request),
        **values,
    )
    if error is not None and status == 429:
        response.headers["Retry-After"] = str(error.params.get("seconds") or 60)
    return response
