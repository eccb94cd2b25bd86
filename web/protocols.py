"""How an error is told to who speaks a protocol of machines: by the beginning of the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from web.sentences import Problem

# request, code, what to tell, fields with their codes → the answer
Tell = Callable[[web.Request, str, Problem, Mapping[str, str]], web.Response]
PROTOCOLS: dict[str, Tell] = {}


def tell_errors(prefix: str) -> Callable[[Tell], Tell]:
    """Errors under this beginning of a path are told by the decorated function."""

    def keep(tell: Tell) -> Tell:
        PROTOCOLS[prefix] = tell
        return tell

    return keep


def protocol_of(path: str) -> Tell | None:
    """Who tells errors at this path; None for pages of people."""
    return next((tell for prefix, tell in PROTOCOLS.items() if path.startswith(prefix)), None)


def fields_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The fields an error is about, each with a code."""
    found = params.get("fields", params.get("field"))
    if isinstance(found, Mapping):
        return {str(name): str(code) for name, code in found.items()}
    names = [found] if isinstance(found, str) else found
    return {str(name): "bad_value" for name in names} if isinstance(names, list | tuple) else {}
