"""The truth about this node: the status line, /healthz, /metrics, and the live connection."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import Field

from core import metrics
from core.errors import HotlineError
from web.assets import ASSETS
from web.context import actor, context
from web.health import check_health, phone_lights
from web.inputs import Fields, read_query
from web.live import HUB
from web.render import fragment
from web.routes import route
from web.security.csrf import same_origin
from web.security.source import peer_of


class LiveQuery(Fields):
    after: int | None = Field(None, ge=0, lt=2**62)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The lights of the telephone systems, for the status line of every page."""
    return {"phone_lights": await phone_lights(context(request))}


@route("GET", "/status/line", signed_in=True, with_pending_password=True)
async def status_line(request: web.Request) -> web.StreamResponse:
    """The lights of the telephone systems, fetched anew after a PBX event."""
    return fragment(request, "_status_line.html", phone_lights=await phone_lights(context(request)))


@route("GET", "/live", signed_in=True)
async def live(request: web.Request) -> web.StreamResponse:
    """The WebSocket of one tab. The handshake must come from our own pages."""
    if not same_origin(request):
        raise HotlineError("cross_site")
    query = read_query(request, LiveQuery)
    return await request.app[HUB].serve(request, actor(request), query.after)


@route("GET", "/healthz", public=True)
async def healthz(request: web.Request) -> web.StreamResponse:
    """Is this node able to serve? Strangers learn yes or no, this machine learns why."""
    report = await check_health(context(request))
    body: dict[str, Any] = {"status": report["status"]}
    if _insider(request):
        body = report
    return web.json_response(body, status=200 if report["status"] != "down" else 503)


@route("GET", "/metrics", public=True)
async def prometheus(request: web.Request) -> web.StreamResponse:
    """Figures for Prometheus: for this machine, or with the token of the settings."""
    if not _insider(request):
        raise HotlineError("not_found")
    return web.Response(body=generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _insider(request: web.Request) -> bool:
    """True for this machine itself (not through a proxy) and for who brings the metrics token."""
    token = context(request).settings.http.metrics_token
    if token and request.headers.get("Authorization", "").encode() == f"Bearer {token}".encode():
        return True
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return peer_of(request) in ("127.0.0.1", "::1") and not forwarded


@route("GET", "/static/{path:.+}", public=True)
async def static(request: web.Request) -> web.StreamResponse:
    """A static file."""
    return request.app[ASSETS].answer(request)
