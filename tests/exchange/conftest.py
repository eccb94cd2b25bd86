"""A console with the interfaces for machines, and clients that hold tokens."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from PIL import Image

from core.people import machines
from core.people.machines import Kind, Scope
from routing.intake import Intake
from telephony.push.service import PushCalls
from telephony.service import TelephonyService
from tests.web.conftest import Answer, Browser, Console, _seed, ctx, web_settings
from web.app import make_app
from web.context import WebContext

__all__ = ["ctx", "web_settings"]


@dataclass
class City:
    """A running console and its machine clients."""

    console: Console

    @property
    def base(self) -> str:
        return self.console.base

    @property
    def ctx(self) -> WebContext:
        return self.console.ctx

    async def client(
        self, code: str, *scopes: Scope, kind: Kind = Kind.PLATFORM, unit: str | None = None
    ) -> Client:
        """A machine client with these scopes; with `unit`, inside that unit."""
        people, unit_id = self.ctx.people, self.console.units[unit] if unit else None
        async with self.ctx.db.begin() as uow:
            admin = await people.actor_for_user(uow.session, self.console.users["security_admin"])
            assert admin is not None
            token = await machines.create(
                uow, admin, name=code, code=code, kind=kind, scopes=frozenset(scopes), unit_id=unit_id
            )
        return Client(self.console.browser(), token)

    async def revoke(self, code: str) -> None:
        """End a client."""
        async with self.ctx.db.begin() as uow:
            admin = await self.ctx.people.actor_for_user(uow.session, self.console.users["security_admin"])
            assert admin is not None
            found = [row.id for row in await machines.listed(uow.session) if row.code == code]
            await machines.revoke(uow, admin, found[0])


@dataclass
class Client:
    """Calls with a token, and nothing a browser would add."""

    browser: Browser
    token: str

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._call("GET", path, None, headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self._call("POST", path, body, headers)

    async def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {} if body is None else {"json": body}
        async with self.browser.session.request(
            method, self.browser.base + path, headers=sent, allow_redirects=False, **options
        ) as got:
            return await Answer.of(got)


@pytest.fixture
async def city(ctx: WebContext) -> AsyncIterator[City]:
    """A city whose console other systems can call."""
    telephony = TelephonyService(ctx.db, ctx.clock, ctx.vault, ctx.people, ctx.settings)
    Intake(ctx.drafts, ctx.callbacks).wire(ctx.db.bus)
    whole = replace(ctx, push=PushCalls(telephony.store))
    units, users = await _seed(whole)
    server = TestServer(make_app(whole))
    await server.start_server()
    console = Console(str(server.make_url("")).rstrip("/"), whole, units, users, [], server)
    yield City(console)
    for session in console.sessions:
        await session.close()
    await server.close()


@pytest.fixture
def picture() -> bytes:
    """A small picture."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(made, "PNG")
    return made.getvalue()
