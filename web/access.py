"""Outermost middlewares: one log line per request, and no error leaves without a sentence.

What goes wrong inside is logged with its traceback and the request id; the person at the screen
gets the sentence and the id, never a traceback, a value or a token.
"""

from __future__ import annotations

import errno
import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from yarl import URL

from core import log, metrics
from core.db import sqlstate
from core.errors import HotlineError
from core.ids import new_token
from web.context import REQUEST_ID, SOURCE, optional_actor, wants_fragment
from web.errors import code_of_http, json_problem, problem_of, wants_json
from web.protocols import fields_of, protocol_of
from web.render import bare_page, fragment, page
from web.security.source import Network, source_of
from web.sentences import PROBLEMS, Problem

logger = logging.getLogger("web.access")
PROXIES = web.AppKey("proxies", tuple[Network, ...])
RETRY_SECONDS = 60  # when nothing better is known
DISK_FULL = "53100"
LEFT = 499  # the page was left in mid-request; nobody is there to be told, and nothing is wrong
# Pages for anybody: who is there has no account, and a problem is told in the frame of these pages.
PUBLIC_AREAS = ("/portal", "/open", "/intermediaries", "/text")
# Connection trouble, rollback for retry, lack of resources, intervention of an operator.
AWAY = frozenset({"08", "25", "40", "53", "57"})


@web.middleware
async def access_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id and source, measure it, log it."""
    request[REQUEST_ID] = new_token(9)
    request[SOURCE] = source_of(request, request.app[PROXIES])
    log.request_id.set(request[REQUEST_ID])
    log.source_ip.set(request[SOURCE])
    started = time.perf_counter()
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
    _note(request, response.status, time.perf_counter() - started)
    return response


def _note(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "-"
    metrics.HTTP_REQUESTS.labels(request.method, route, str(status)).inc()
    if status != 101:  # the life of a WebSocket is not the time of an answer
        metrics.HTTP_SECONDS.labels(route).observe(seconds)
    if route.startswith("/static/") or route == "/healthz":
        return
    actor = optional_actor(request)
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "user_id": actor.user_id if actor else None,
            "source": request[SOURCE],
        },
    )


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into an answer a person can use."""
    fields: dict[str, str] = {}
    wait: object = None
    try:
        return await handler(request)
    except HotlineError as error:
        code, problem = problem_of(error)
        fields = fields_of(error.params)
        wait = error.params.get("seconds")
        if code == "internal":
            logger.exception("unmapped error code", extra={"code": error.code})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = code_of_http(error)
        problem = PROBLEMS[code]
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, ConnectionResetError) and _gone(request):
            return web.Response(status=LEFT)
        logger.exception("storage failed")
        code = storage_code(error)
        problem = PROBLEMS[code]
    except Exception:  # the last line of defence: nothing internal may reach a screen
        logger.exception("request failed")
        code, problem = "internal", PROBLEMS["internal"]
    tell = protocol_of(request.path)
    if tell is not None:
        response: web.StreamResponse = tell(request, code, problem, fields)
    else:
        response = await answer_problem(request, code, problem)
    response.headers["HL-Code"] = code  # for scripts: the sentence is for people
    if problem.status == 429:
        response.headers["Retry-After"] = str(wait if isinstance(wait, int) else RETRY_SECONDS)
    return response


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def storage_code(error: SQLAlchemyError | OSError) -> str:
    """Is the disk full, is the database away or too busy, or did we ask it something wrong?"""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # an upload, an export
        return "disk_full"
    if isinstance(error, OSError | PoolTimeout):
        return "unavailable"
    state = sqlstate(error) if isinstance(error, DBAPIError) else ""
    if state == DISK_FULL:
        return "disk_full"
    away = state is None or state[:2] in AWAY
    return "unavailable" if away and isinstance(error, DBAPIError) else "internal"


async def answer_problem(request: web.Request, code: str, problem: Problem) -> web.StreamResponse:
    """The same problem as JSON, as a notice inside a page, as a login page or as a page of its own."""
    if wants_json(request):
        return json_problem(code, problem, request[REQUEST_ID])
    if wants_fragment(request):
        return fragment(request, "_problem.html", status=problem.status, code=code, problem=problem)
    if code in ("login_required", "password_change_required") and request.method == "GET":
        return _send_to_door(request, code)
    area = next((home for home in PUBLIC_AREAS if f"{request.path}/".startswith(f"{home}/")), None)
    if area is not None:
        values = {"code": code, "problem": problem, "home": area}
        return await bare_page(request, "_public_problem.html", status=problem.status, **values)
    bare = problem.status >= 500
    return await page(request, "problem.html", status=problem.status, bare=bare, code=code, problem=problem)


def _send_to_door(request: web.Request, code: str) -> web.Response:
    if code == "password_change_required":
        return web.Response(status=303, headers={"Location": "/password"})
    wanted = request.rel_url.path_qs
    target = URL("/login") if wanted == "/" else URL("/login").with_query(next=wanted)
    return web.Response(status=303, headers={"Location": str(target)})
