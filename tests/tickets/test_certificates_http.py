"""The registry over HTTP against a double that hangs, fails and lies; the breaker in front of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import ManualClock
from core.notify.guard import networks
from core.notify.webhook import signature
from core.settings import Certificates
from tests.numbers import id_number
from tickets.certificates.breaker import Breaker
from tickets.certificates.http import LARGEST, HttpRegistry
from tickets.certificates.port import RegistryAway
from tickets.certificates.terms import Verdict

ID, DAY = id_number(), date(2026, 11, 23)
LOOPBACK = networks(["127.0.0.0/8", "::1/128"])
SECRET = "between-the-two-of-us"
Said = dict[str, Any]


def honest(asked: Said) -> Said:
    return {
        "request": asked["request"],
        "kind": asked["kind"],
        "found": True,
        "issuer": "七星公安分局",
        "valid_from": "2020-01-01",
        "valid_to": "2040-01-01",
        "image": "data:image/png;base64,AAAA",
        "holder": "王小明",
    }


@dataclass
class Registry:
    """The double: what it answers is set by the test; `hang` never answers."""

    answer: Callable[[Said], Any] = honest
    status: int = 200
    hang: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Said] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        stamp, key = request.headers["HL-Timestamp"], request.headers["HL-Message-Id"]
        self.signed.append(request.headers["HL-Signature"] == signature(SECRET, stamp, key, raw))
        self.asked.append(json.loads(raw))
        if self.hang:
            await self.gone.wait()
        said = self.answer(self.asked[-1])
        text = said if isinstance(said, str) else json.dumps(said)
        return web.Response(status=self.status, text=text, headers=self.headers)


@pytest.fixture
async def double() -> AsyncIterator[tuple[Registry, str]]:
    registry = Registry()
    app = web.Application()
    app.router.add_post("/verify", registry.handle)
    server = TestServer(app)
    await server.start_server()
    yield registry, str(server.make_url("/verify"))
    registry.gone.set()
    await server.close()


def adapter(url: str, clock: ManualClock, **over: Any) -> HttpRegistry:
    values = {"registry": "http", "url": url, "seconds": 5.0, "tries": 2, "failures": 2, "rest_seconds": 60.0}
    return HttpRegistry(Certificates(**(values | over)), SECRET, clock, allowed=LOOPBACK)


async def away(registry: HttpRegistry) -> str:
    with pytest.raises(RegistryAway) as caught:
        await registry.verify("id_card", ID, DAY)
    return caught.value.code


async def test_an_honest_answer_is_taken_without_image_and_name(
    double: tuple[Registry, str], clock: ManualClock
) -> None:
    registry, url = double
    found = await adapter(url, clock).verify("id_card", ID, DAY)
    assert found == Verdict("valid", "", "七星公安分局", date(2020, 1, 1), date(2040, 1, 1))
    assert registry.signed == [True]
    assert {"kind": "id_card", "id_number": ID}.items() <= registry.asked[0].items()


def lie(**over: Any) -> Callable[[Said], Said]:
    return lambda asked: honest(asked) | over


@pytest.mark.parametrize(
    "answer",
    [
        lie(request="of-somebody-else"),
        lie(kind="household"),
        lie(found="yes"),
        lie(issuer=""),
        lie(issuer=None),
        lie(revoked="no"),
        lie(valid_to="tomorrow"),
        lie(valid_to=20400101),
        lie(valid_from="2041-01-01"),
        lambda _: "valid",
        lambda _: "[" * 10_000,
        lambda _: [],
        lie(padding="x" * LARGEST),
    ],
    ids=range(13),
)
async def test_a_lie_is_never_taken_for_valid(
    double: tuple[Registry, str], clock: ManualClock, answer: Callable[[Said], Any]
) -> None:
    registry, url = double
    registry.answer = answer
    made = adapter(url, clock)
    assert await away(made) == "bad_answer"
    assert len(registry.asked) == 2  # bounded


async def test_an_expired_certificate_is_invalid_whatever_else_is_said(
    double: tuple[Registry, str], clock: ManualClock
) -> None:
    registry, url = double
    registry.answer = lie(valid_to="2026-11-22", result="valid")
    found = await adapter(url, clock).verify("id_card", ID, DAY)
    assert (found.result, found.why) == ("invalid", "expired")
    registry.answer = lie(found=False)
    assert (await adapter(url, clock).verify("id_card", ID, DAY)).result == "unknown"


async def test_a_registry_that_hangs_is_left(double: tuple[Registry, str], clock: ManualClock) -> None:
    registry, url = double
    registry.hang = True
    made = adapter(url, clock, seconds=0.1, tries=3)
    assert await away(made) == "timeout"
    assert len(registry.asked) == 3


@pytest.mark.parametrize(("status", "code", "tries"), [(500, "unreachable", 2), (403, "refused", 1)])
async def test_a_registry_that_fails(
    double: tuple[Registry, str], clock: ManualClock, status: int, code: str, tries: int
) -> None:
    registry, url = double
    registry.status = status
    assert await away(adapter(url, clock)) == code
    assert len(registry.asked) == tries


async def test_a_redirect_is_not_followed(double: tuple[Registry, str], clock: ManualClock) -> None:
    registry, url = double
    registry.status, registry.headers = 307, {"Location": url}
    assert await away(adapter(url, clock)) == "unreachable"
    assert len(registry.asked) == 2


async def test_an_address_inside_that_the_settings_do_not_name_is_never_called(
    double: tuple[Registry, str], clock: ManualClock
) -> None:
    registry, url = double
    wanted = Certificates(registry="http", url=url)
    assert await away(HttpRegistry(wanted, SECRET, clock)) == "unreachable"
    assert registry.asked == []


async def test_the_breaker_opens_and_lets_one_try_after_its_rest(
    double: tuple[Registry, str], clock: ManualClock
) -> None:
    registry, url = double
    registry.status = 500
    made = adapter(url, clock, tries=1)
    assert [await away(made) for _ in range(3)] == ["unreachable", "unreachable", "open"]
    assert (len(registry.asked), made.state()) == (2, "open")
    clock.advance(60)
    assert made.state() == "half_open"
    assert [await away(made), await away(made)] == ["unreachable", "open"]
    clock.advance(60)
    registry.status = 200
    assert (await made.verify("id_card", ID, DAY)).result == "valid"
    assert made.state() == "closed"


def test_after_the_rest_one_alone_is_let_in() -> None:
    made = Breaker(1, 10)
    made.failed(0)
    assert not made.let_in(9)
    assert [made.let_in(10), made.let_in(10)] == [True, False]
    made.left()  # it went away without an answer
    assert made.let_in(10)
    made.well()
    assert made.let_in(11)
    assert made.state(11) == "closed"
