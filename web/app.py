"""The console as an aiohttp application: middlewares in their order, every route with its rule."""

from __future__ import annotations

from aiohttp import web

from web import views
from web.access import PROXIES, access_middleware, error_middleware
from web.assets import ASSETS, Assets
from web.boards import BOARDS, Boards
from web.context import CTX, FRAME, Frame, WebContext
from web.floor_board import FLOOR, FloorBoards
from web.live import HUB, LiveHub
from web.render import JINJA, make_environment
from web.routes import ROUTES, RULES, register
from web.security.csrf import csrf_middleware
from web.security.headers import add_security_headers
from web.security.limits import MAX_BODY, body_limit_middleware
from web.security.permissions import permission_middleware
from web.security.rates import RATES, Rates
from web.security.sessions import session_middleware
from web.security.source import networks
from web.views.portal_account import OPENID, make_client

MIDDLEWARES = (
    access_middleware,
    error_middleware,
    body_limit_middleware,
    session_middleware,
    csrf_middleware,
    permission_middleware,
)


def make_app(ctx: WebContext) -> web.Application:
    """The whole console on the services of one node. Listening and closing are the node's work."""
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=MAX_BODY)
    app[CTX] = ctx
    app[RULES] = {}
    app[ROUTES] = []
    app[FRAME] = Frame()
    app[PROXIES] = networks(ctx.settings.http.trusted_proxies)
    app[ASSETS] = Assets()
    app[JINJA] = make_environment(app[ASSETS])
    app[HUB] = LiveHub(ctx)
    app[BOARDS] = Boards()
    app[RATES] = Rates(ctx.clock)
    app[FLOOR] = FloorBoards(ctx.tail)
    app[OPENID] = make_client(ctx)
    register(app, views.modules())
    for module in views.modules():
        part = getattr(module, "frame_part", None)  # what this screen adds to the frame of every page
        if part is not None:
            app[FRAME].parts.append(part)
    app.on_response_prepare.append(add_security_headers)
    app.cleanup_ctx.append(app[HUB].running)
    app.on_shutdown.append(app[HUB].close_all)
    return app
