"""Routes are declared with the rule that guards them; a route without a rule cannot exist.

    @route("GET", "/tickets/{ticket_id}", permission=Permission.TICKET_READ_UNIT)
    async def ticket_page(request: web.Request) -> web.StreamResponse: ...

`register` is the only way into the application's router, and the permission middleware refuses any
handler that did not come through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from aiohttp import web

from core.people.actor import Actor
from core.people.machines import Scope
from core.people.permissions import Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Method = Literal["GET", "POST"]
KILOBYTE = 1024


@dataclass(frozen=True)
class Rule:
    """Who may call a route.

    `public`: anybody. Otherwise a signed-in person; with `any_of`, one who holds at least one of
    these permissions; with `also`, one who holds that one besides. `max_body` is in bytes. `signed`: another
    machine posts here, and its view checks a signature over the body instead of where a page came from.
    `scopes`: a machine client with one of them calls, by its token; a browser's cookie counts for nothing.
    `device`: that token may lie in the cookie of a device besides (`web.security.devices`), and a write by
    cookie must come from our own page.
    """

    public: bool = False
    any_of: frozenset[Permission] = frozenset()
    also: Permission | None = None
    max_body: int = 64 * KILOBYTE
    with_pending_password: bool = False
    signed: bool = False
    scopes: frozenset[Scope] = frozenset()
    device: bool = False

    def allows(self, actor: Actor | None) -> bool:
        """True when this person (None: nobody signed in) may call the route."""
        if self.scopes:
            return False
        if self.public:
            return True
        if actor is None:
            return False
        if self.also is not None and self.also not in actor.permissions:
            return False
        return not self.any_of or bool(self.any_of & actor.permissions)


@dataclass(frozen=True)
class Route:
    """One declared route."""

    method: Method
    path: str
    rule: Rule
    handler: Handler

    @property
    def name(self) -> str:
        """Module and function, unique in the application."""
        return f"{self.handler.__module__.rsplit('.', 1)[-1]}.{self.handler.__name__}"


_DECLARED = "__hotline_routes__"


def route(
    method: Method,
    path: str,
    *,
    permission: Permission | tuple[Permission, ...] = (),
    also: Permission | None = None,
    signed_in: bool = False,
    public: bool = False,
    max_body: int = 64 * KILOBYTE,
    with_pending_password: bool = False,
    signed: bool = False,
    scope: Scope | tuple[Scope, ...] = (),
    device: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a handler with exactly one rule: `permission` (any of them), `signed_in`, `public` or `scope`.

    `also` is a second permission that is needed besides one of `permission`.
    `with_pending_password` lets people in who must change their password first. `device`: see `Rule`.
    Raises TypeError when no rule, or more than one, is given.
    """
    wanted = permission if isinstance(permission, tuple) else (permission,)
    scopes = frozenset(scope if isinstance(scope, tuple) else (scope,))
    public = public or signed
    if sum((bool(wanted), signed_in, public, bool(scopes))) != 1:
        raise TypeError(f"{method} {path} needs exactly one rule: permission, signed_in, public or scope")
    rule = Rule(
        public, frozenset(wanted), also, max_body, with_pending_password or public, signed, scopes, device
    )

    def declare(handler: Handler) -> Handler:
        declared: list[Route] = getattr(handler, _DECLARED, [])
        declared.append(Route(method, path, rule, handler))
        setattr(handler, _DECLARED, declared)
        return handler

    return declare


def declared_in(module: ModuleType) -> Iterator[Route]:
    """The routes a view module declares, in the order they are written."""
    for value in vars(module).values():
        if getattr(value, "__module__", None) == module.__name__:
            yield from getattr(value, _DECLARED, ())


RULES = web.AppKey("rules", dict[web.AbstractRoute, Rule])
ROUTES = web.AppKey("routes", list[Route])


def register(app: web.Application, modules: Iterable[ModuleType]) -> None:
    """Put every route of the view modules into the router, with its rule.

    The router takes the first path that fits. A part that is spelled out goes before a variable in the
    same place, so that no module's `/{act}` takes what another module wrote `/language` for.
    """
    found = [declared for module in modules for declared in declared_in(module)]
    for declared in sorted(found, key=_variables):
        entry = app.router.add_route(declared.method, declared.path, declared.handler)
        app[RULES][entry] = declared.rule
        app[ROUTES].append(declared)


def _variables(declared: Route) -> list[bool]:
    """Per part of the path: whether it is a variable."""
    return ["{" in part for part in declared.path.split("/")]


def rule_of(request: web.Request) -> Rule | None:
    """The rule of the route that matched, None when nothing matched."""
    return request.app[RULES].get(request.match_info.route)


def rule_for(app: web.Application, path: str, method: str = "GET") -> Rule:
    """The rule of a route by its path. Raises KeyError for a path that is not registered."""
    for declared in app[ROUTES]:
        if (declared.method, declared.path) == (method, path):
            return declared.rule
    raise KeyError(f"no route {method} {path}")
