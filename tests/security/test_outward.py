"""What others tell us to fetch does not lead inside: an OpenID provider's endpoints, a platform's media."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.errors import HotlineError
from core.notify.calls import Calls
from core.notify.guard import networks
from core.notify.ports import DeliveryFailed
from core.openid import OpenIdClient, Step
from core.settings import OpenId

STEP = Step("s" * 24, "n" * 24, "v" * 48)


@dataclass
class Inside:
    """A service of the inner network, and what it was asked."""

    base: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    """Answers everything, and says as a provider that its endpoints are on another address of the inside."""
    found = Inside()

    async def answer(request: web.Request) -> web.StreamResponse:
        port = request.url.port
        if request.path.endswith("openid-configuration"):
            other = f"http://127.0.0.2:{port}"
            named = {"authorization_endpoint": other, "token_endpoint": other + "/token", "jwks_uri": other}
            return web.json_response({"issuer": found.base, **named})
        if request.path == "/elsewhere":
            raise web.HTTPFound(found.base + "/secret")
        found.asked.append(request.path)
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    server = TestServer(app, host="0.0.0.0")
    await server.start_server()
    found.base = f"http://127.0.0.1:{server.port}"
    yield found
    await server.close()


async def test_a_provider_cannot_send_us_to_another_address_inside(inside: Inside) -> None:
    client = OpenIdClient(OpenId(issuer=inside.base, client_id="hotline"), "a-secret")
    with pytest.raises(HotlineError) as refused:
        await client.finish(STEP, state=STEP.state, code="code", redirect="http://127.0.0.1/back")
    assert refused.value.code == "openid_failed"
    assert inside.asked == [], "neither code nor secret went there"


async def test_a_provider_may_have_hosts_in_the_networks_of_the_settings(inside: Inside) -> None:
    inner = networks(["127.0.0.0/8"])
    client = OpenIdClient(OpenId(issuer=inside.base, client_id="hotline"), "a-secret", allowed=inner)
    with pytest.raises(HotlineError):  # it answers without claims
        await client.finish(STEP, state=STEP.state, code="code", redirect="http://127.0.0.1/back")
    assert "/token" in inside.asked


async def test_media_of_a_platform_are_not_fetched_from_inside(inside: Inside) -> None:
    calls = Calls()
    for url in (inside.base + "/cgi-bin/media/get", "https://169.254.169.254/latest", "https://[::1]/x"):
        with pytest.raises(DeliveryFailed) as refused:
            async with calls.download(url, {"media_id": "m1"}):
                raise AssertionError("it was fetched")
        assert refused.value.code in ("address_refused", "https_needed", "scheme_refused"), url
    assert inside.asked == []


async def test_a_platform_that_sends_us_elsewhere_is_not_followed(inside: Inside) -> None:
    calls = Calls(allowed=networks(["127.0.0.1/32"]))
    with pytest.raises(DeliveryFailed) as refused:
        async with calls.download(inside.base + "/elsewhere", {}):
            raise AssertionError("it was followed")
    assert refused.value.code == "http_302"
    assert inside.asked == []
