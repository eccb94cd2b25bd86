"""Answers of GeoReport v2 in JSON and XML. Lists are lists also for one item; times are UTC and end in Z."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from core.errors import HotlineError
from web.protocols import tell_errors
from web.sentences import Problem

PREFIX = "/open311/"
TYPES = {"json": "application/json", "xml": "text/xml"}
# The names of the lists inside an item, and of their items.
INNER = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}


@dataclass(frozen=True)
class Shape:
    """The element around a list, and that of one item."""

    root: str
    item: str


SERVICES = Shape("services", "service")
REQUESTS = Shape("service_requests", "request")
UPDATES = Shape("service_request_updates", "request_update")
ERRORS = Shape("errors", "error")


def instant(moment: datetime | None) -> str | None:
    """`2026-11-23T02:00:00Z`."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_of(request: web.Request) -> str:
    """`json` or `xml`, as the end of the path says. Raises `not_found`."""
    found = request.match_info.get("format", "")
    if found not in TYPES:
        raise HotlineError("not_found")
    return found


def many(
    request: web.Request, shape: Shape, items: Sequence[Mapping[str, Any]], *, status: int = 200
) -> web.Response:
    """A list."""
    if format_of(request) == "json":
        return _json(list(items), status)
    root = ET.Element(shape.root)
    for item in items:
        _fill(ET.SubElement(root, shape.item), item)
    return _xml(root, status)


def one(request: web.Request, root_name: str, item: Mapping[str, Any]) -> web.Response:
    """A single object (only the definition of a service and the discovery are no lists)."""
    if format_of(request) == "json":
        return _json(item, 200)
    root = ET.Element(root_name)
    _fill(root, item)
    return _xml(root, 200)


def _json(data: Any, status: int) -> web.Response:
    text = json.dumps(data, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type=TYPES["json"], charset="utf-8")


def _xml(root: ET.Element, status: int) -> web.Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return web.Response(body=body, status=status, content_type=TYPES["xml"], charset="utf-8")


def _fill(element: ET.Element, item: Mapping[str, Any]) -> None:
    for name, value in item.items():
        child = ET.SubElement(element, name)
        if isinstance(value, list):
            for inner in value:
                below = ET.SubElement(child, INNER[name])
                if isinstance(inner, Mapping):
                    _fill(below, inner)
                else:
                    below.text = _text(inner)
        elif isinstance(value, Mapping):
            _fill(child, value)
        else:
            child.text = _text(value)


def _text(value: Any) -> str:
    """As XML 1.0 can hold it: without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(
        sign for sign in str(value) if sign in "\t\n" or (sign >= " " and sign not in "\ufffe\uffff")
    )


@tell_errors(PREFIX)
def tell(request: web.Request, code: str, problem: Problem, fields: Mapping[str, str]) -> web.Response:
    """`[{"code", "description"}]`, with the status of HTTP as code, in the format that was asked for."""
    status = {"machine_unknown": 403}.get(code, {401: 403, 409: 400, 415: 400, 422: 400}.get(problem.status))
    status = status or problem.status
    named = f"（{'、'.join(sorted(fields))}）" if fields else ""
    item = {"code": status, "description": f"{problem.title}{named}：{problem.sentence}"}
    asked = "xml" if request.path.endswith(".xml") else "json"
    if asked == "json":
        return _json([item], status)
    root = ET.Element(ERRORS.root)
    _fill(ET.SubElement(root, ERRORS.item), item)
    return _xml(root, status)
