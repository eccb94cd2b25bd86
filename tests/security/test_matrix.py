"""Every route × every role, from the tables in `tests/security/rules/` and nowhere else.

The table says who may call what; the test calls everything as everybody. A route that is missing
here fails, so does one that is listed and gone.
"""

from __future__ import annotations

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from core.people.permissions import Permission, Role
from tests.security.rules import ALLOWED
from tests.security.rules.roles import ANYBODY, MACHINES
from tests.web.conftest import Console
from web import views
from web.app import make_app
from web.routes import ROUTES, RULES, Route, declared_in, route

# Called last or not at all with a live session: they end it, or answer only to a socket.
SKIPPED = {("POST", "/logout"), ("GET", "/live")}


def plain(path: str) -> str:
    """The path without the patterns of its variables."""
    return re.sub(r"{(\w+):[^}]*}", r"{\1}", path)


def key_of(declared: Route) -> tuple[str, str]:
    return declared.method, plain(declared.path)


def address(path: str) -> str:
    """A path whose ids name nothing."""
    return re.sub(r"{[^}]*}", "987654321", path)


def test_the_table_lists_exactly_the_routes_there_are() -> None:
    declared = {key_of(found) for module in views.modules() for found in declared_in(module)}
    assert declared - set(ALLOWED) == set(), "routes without a line in the table"
    assert set(ALLOWED) - declared == set(), "lines without a route"


async def test_nothing_is_in_the_router_that_was_not_registered_with_a_rule(console: Console) -> None:
    app = console.server.app
    assert isinstance(app, web.Application)
    assert {entry for entry in app.router.routes() if entry not in app[RULES]} == set()
    assert len(app[RULES]) == len(app[ROUTES])


async def test_no_route_stands_in_front_of_another(console: Console) -> None:
    app = console.server.app
    assert isinstance(app, web.Application)
    for declared in app[ROUTES]:
        request = make_mocked_request(declared.method, address(plain(declared.path)))
        taken = (await app.router.resolve(request)).handler
        assert taken is declared.handler, (declared.name, declared.path)


def test_a_route_cannot_be_declared_without_exactly_one_rule() -> None:
    with pytest.raises(TypeError):
        route("GET", "/x")
    with pytest.raises(TypeError):
        route("GET", "/x", public=True, permission=Permission.AUDIT_READ)
    with pytest.raises(TypeError):
        route("GET", "/x", permission=())


async def test_a_handler_put_into_the_router_behind_the_rules_is_refused(console: Console) -> None:
    async def smuggled(_request: web.Request) -> web.Response:
        return web.Response(text="let in")

    app = make_app(console.ctx)
    app.router.add_get("/smuggled", smuggled)
    server = TestServer(app)
    await server.start_server()
    browser = await console.signed_in("system_admin")
    async with browser.session.get(server.make_url("/smuggled")) as answer:
        assert answer.status in (401, 403)
        assert "let in" not in await answer.text()
    await server.close()


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_reaches_exactly_the_routes_of_the_table(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    wrong = []
    for (method, path), allowed in ALLOWED.items():
        if (method, path) in SKIPPED or path.startswith("/login"):
            continue
        call = browser.get if method == "GET" else browser.post
        answer = await call(address(path))
        if allowed == MACHINES:
            wrong += [(method, path, answer.status, "no person")] if answer.status < 400 else []
            continue
        refused = answer.status == 403
        expected = allowed != ANYBODY and role not in allowed
        if refused != expected or answer.status >= 500:
            wrong.append((method, path, answer.status, "should be refused" if expected else "should pass"))
    assert wrong == []


async def test_somebody_without_a_session_reaches_only_what_is_for_anybody(console: Console) -> None:
    browser = console.browser()
    for (method, path), allowed in ALLOWED.items():
        call = browser.get if method == "GET" else browser.post
        answer = await call(address(path), headers={"Accept": "application/json"})
        if allowed == ANYBODY:
            assert answer.status not in (401, 403) or path == "/login", path
        elif allowed == MACHINES:
            assert answer.status >= 400, path
        else:
            assert answer.status == 401, path


@pytest.mark.parametrize("ident", ["0", "-1", "9" * 30, "1%20OR%201=1", "1'", "%00", "١٢", "../1", "1e3"])
async def test_an_odd_id_finds_nothing_and_breaks_nothing(console: Console, ident: str) -> None:
    browser = await console.signed_in("shift_leader")
    for method, path in ALLOWED:
        if "{" in path and "static" not in path:
            call = browser.get if method == "GET" else browser.post
            answer = await call(re.sub(r"{[^}]*}", ident, path))
            # A path that climbs may arrive at a page, which has no such method.
            assert answer.status in (400, 403, 404, 405, 422), (method, path, answer.status)
