"""Errors of the Integration API: RFC 9457 problem details with the product's code."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from web.context import REQUEST_ID
from web.protocols import tell_errors
from web.sentences import Problem

PREFIX = "/api/"
CONTENT_TYPE = "application/problem+json"


@tell_errors(PREFIX)
def tell(request: web.Request, code: str, problem: Problem, fields: Mapping[str, str]) -> web.Response:
    """`type`, `title`, `status`, `detail`, `instance`; `code` for programs, `fields` for what is wrong."""
    told = {
        "type": f"urn:hotline:problem:{code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.sentence,
        "instance": f"urn:hotline:request:{request[REQUEST_ID]}",
        "code": code,
        "fields": dict(fields),
    }
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    text = json.dumps(told, ensure_ascii=False)
    return web.Response(
        text=text, status=problem.status, content_type=CONTENT_TYPE, charset="utf-8", headers=headers
    )
