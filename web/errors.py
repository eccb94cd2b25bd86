"""From an error code to an HTTP status and a sentence a person can use.

Every sentence says what happened, what is kept and what to do. Codes without an entry are answered
as an internal error: an unknown code is a mistake of ours, not of the person at the screen.
"""

from __future__ import annotations

import json

from aiohttp import web

from core.errors import HotlineError
from web.sentences import PROBLEMS, Problem

_BY_STATUS = {
    400: "bad_request",
    401: "login_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_many_requests",
    503: "unavailable",
}


def code_of_http(error: web.HTTPException) -> str:
    """Our code for an error that aiohttp raised."""
    return _BY_STATUS.get(error.status, "bad_request" if error.status < 500 else "internal")


def problem_of(error: HotlineError) -> tuple[str, Problem]:
    """The code to answer with and what to show; an unknown code becomes `internal`."""
    problem = PROBLEMS.get(error.code)
    if problem is None:
        return "internal", PROBLEMS["internal"]
    return error.code, problem


def wants_json(request: web.Request) -> bool:
    """True when the caller prefers JSON to HTML; a WebSocket handshake has no use for a page."""
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return True
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def json_problem(code: str, problem: Problem, request_id: str) -> web.Response:
    """The JSON form: the code for programs, the sentence for people, the id for the log."""
    body = {"error": code, "title": problem.title, "message": problem.sentence, "request_id": request_id}
    return web.json_response(
        body, status=problem.status, dumps=lambda data: json.dumps(data, ensure_ascii=False)
    )
