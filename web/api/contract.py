"""How an operation of the Integration API is declared: once, for the router and for its description.

    @operation("POST", "/tickets", "提交诉求", scope=Scope.TICKETS_SUBMIT, body=TicketIn, answer=TicketMade)
    async def submit(call: Call) -> TicketMade: ...

What comes in is checked against `query` and `body`, what goes out is an `answer`; nothing else leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from core.people.machines import Machine, Scope
from tickets.exchange.requests import KEY
from web.api import problems
from web.context import WebContext, context
from web.inputs import Fields, read_json, read_query
from web.routes import KILOBYTE, Method, route
from web.security.machines import machine

BASE = "/api/v1"
_OPERATION = "__hotline_operation__"
F = TypeVar("F", bound=Fields)


class File(BaseModel):
    """Stands for an answer that is a file, and not JSON."""


class NoQuery(Fields):
    """An operation that takes no parameters in its query."""


@dataclass(frozen=True)
class Operation:
    """One declared operation; `keyed`: it takes an Idempotency-Key."""

    method: Method
    path: str
    summary: str
    scopes: tuple[Scope, ...]
    query: type[Fields]
    body: type[Fields] | None
    answer: type[BaseModel]
    status: int
    keyed: bool
    name: str
    words: str
    takes_file: bool = False


@dataclass(frozen=True)
class Call:
    """One call: who, and what was sent, checked."""

    request: web.Request
    ctx: WebContext
    machine: Machine
    sent_query: Fields
    sent_body: Fields | None = field(repr=False)
    key: str

    def query(self, model: type[F]) -> F:
        """The query as the model the operation declared."""
        assert isinstance(self.sent_query, model)
        return self.sent_query

    def body(self, model: type[F]) -> F:
        """The body as the model the operation declared."""
        assert isinstance(self.sent_body, model)
        return self.sent_body

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    @property
    def content(self) -> str:
        """What an Idempotency-Key stands for: address and body."""
        sent = self.sent_body.model_dump_json() if self.sent_body is not None else ""
        return f"{self.request.method} {self.request.path} {sent}"


Work = Callable[[Call], Awaitable[BaseModel | web.StreamResponse]]


def operation(
    method: Method,
    path: str,
    summary: str,
    *,
    scope: Scope | tuple[Scope, ...],
    answer: type[BaseModel],
    query: type[Fields] = NoQuery,
    body: type[Fields] | None = None,
    status: int = 200,
    keyed: bool = False,
    takes_file: bool = False,
    max_body: int = 64 * KILOBYTE,
) -> Callable[[Work], Any]:
    """Declare an operation at `BASE + path`; what is wrong is answered as a problem (`problems.py`).

    `takes_file`: the body is a form with one file, which the operation reads itself. One that answers with
    `File` returns the response.
    """
    scopes = scope if isinstance(scope, tuple) else (scope,)

    def declare(work: Work) -> Any:
        @wraps(work)
        async def handler(request: web.Request) -> web.StreamResponse:
            return _answer(await work(await _read(request, query, body, keyed=keyed)), status)

        declared = Operation(
            method, path, summary, scopes, query, body, answer, status, keyed,
            work.__name__, (work.__doc__ or "").strip(), takes_file,
        )  # fmt: skip
        setattr(handler, _OPERATION, declared)
        return route(method, BASE + path, scope=scopes, max_body=max_body)(handler)

    return declare


async def _read(request: web.Request, query: type[Fields], body: type[Fields] | None, *, keyed: bool) -> Call:
    return Call(
        request=request,
        ctx=context(request),
        machine=machine(request),
        sent_query=read_query(request, query),
        sent_body=await read_json(request, body) if body is not None else None,
        key=request.headers.get("Idempotency-Key", "") if keyed else "",
    )


def _answer(made: BaseModel | web.StreamResponse, status: int) -> web.StreamResponse:
    if isinstance(made, web.StreamResponse):
        return made
    return web.Response(
        text=made.model_dump_json(), status=status, content_type="application/json", charset="utf-8"
    )


def operations_in(module: ModuleType) -> Iterator[Operation]:
    """The operations a view module declares."""
    for value in vars(module).values():
        found = getattr(value, _OPERATION, None)
        if found is not None and getattr(value, "__module__", None) == module.__name__:
            yield found


__all__ = ["BASE", "KEY", "Call", "File", "Operation", "operation", "operations_in", "problems"]
