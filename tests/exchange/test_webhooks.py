"""Other systems are told of tickets they may see: signed, once, again on demand, never inside the network."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import ManualClock
from core.people.machines import Scope
from tests.exchange.conftest import City, Client
from tickets.states import Action

SCOPES = (Scope.WEBHOOKS, Scope.TICKETS_READ)
EVENTS = ["created", "dispatched", "changed", "closed", "emergency"]


@dataclass
class Receiver:
    """Another system's address; answers `status`."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    server = TestServer(app)
    await server.start_server()
    found.url = str(server.make_url("/hook"))
    yield found
    await server.close()


async def subscribe(client: Client, url: str, *events: str) -> dict[str, Any]:
    answer = await client.post("/api/v1/webhooks", {"url": url, "events": list(events) or EVENTS})
    assert answer.status == 201, answer.text
    return cast(dict[str, Any], json.loads(answer.text))


async def send(city: City) -> None:
    """Everything that is due: first what happened, then what is told of it."""
    for _ in range(3):
        await city.ctx.outbox.send_due()


async def deliveries(client: Client, ident: int) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/webhooks/{ident}/deliveries")
    assert answer.status == 200, answer.text
    return cast(list[dict[str, Any]], json.loads(answer.text)["items"])


async def test_a_post_is_signed_with_the_secret_that_was_shown_once(city: City, receiver: Receiver) -> None:
    client = await city.client("province", *SCOPES)
    made = await subscribe(client, receiver.url, "created")
    ticket = await city.console.ticket()
    await send(city)
    ((headers, body),) = receiver.got
    signed = f"{headers['HL-Timestamp']}.{headers['HL-Message-Id']}.".encode() + body
    wanted = "v1=" + hmac.new(made["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert headers["HL-Signature"] == wanted
    told = receiver.bodies[0]
    assert (told["event"], told["number"], told["state"]) == ("created", ticket.number, "waiting_dispatch")
    assert not {"13800001234", "王小明", "ticket_id"} & {*map(str, told.values()), *told}
    listed = (await client.get("/api/v1/webhooks")).text
    assert made["secret"] not in listed
    rows = await city.ctx.db.fetch("SELECT * FROM webhook_endpoint")
    assert made["secret"] not in str(dict(rows[0]))


async def test_what_did_not_arrive_is_tried_again_and_can_be_replayed_with_the_same_id(
    city: City, receiver: Receiver
) -> None:
    client = await city.client("province", *SCOPES)
    made = await subscribe(client, receiver.url, "created")
    receiver.status = 500
    await city.console.ticket()
    await send(city)
    (one,) = await deliveries(client, made["id"])
    assert (one["delivered_at"], one["last_error"], one["tries"]) == (None, "http_500", 1)
    receiver.status = 204
    cast(ManualClock, city.ctx.clock).advance(1800)
    await send(city)
    (one,) = await deliveries(client, made["id"])
    assert one["delivered_at"] is not None
    answer = await client.post(f"/api/v1/deliveries/{one['id']}/replay")
    assert answer.status == 200
    await send(city)
    assert len({headers["HL-Message-Id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 3


async def test_a_unit_hears_of_its_own_tickets_only(city: City, receiver: Receiver) -> None:
    client = await city.client("water-office", *SCOPES, unit="water")
    await subscribe(client, receiver.url)
    await city.console.ticket("road")
    mine = await city.console.ticket("water")
    await send(city)
    assert {told["number"] for told in receiver.bodies} == {mine.number}
    assert "dispatched" in {told["event"] for told in receiver.bodies}


async def test_a_hundred_and_ten_hears_of_what_is_handed_over_to_it(city: City, receiver: Receiver) -> None:
    client = await city.client("police", *SCOPES)
    await subscribe(client, receiver.url, "emergency")
    made = await city.console.ticket()
    codes = await city.ctx.db.fetch("SELECT code FROM reason_code WHERE kind = 'emergency' LIMIT 1")
    told = {"reason_code": codes[0]["code"], "note": "有人受伤，已转 110"}
    async with city.ctx.db.begin() as uow:
        leader = await city.ctx.people.actor_for_user(uow.session, city.console.users["shift_leader"])
        assert leader is not None
        await city.ctx.tickets.act(uow, leader, made.id, made.version, Action.EMERGENCY, told)
    await send(city)
    assert [(one["event"], one["number"]) for one in receiver.bodies] == [("emergency", made.number)]


async def test_a_revoked_subscription_and_a_revoked_client_hear_nothing_more(
    city: City, receiver: Receiver
) -> None:
    client, other = await city.client("province", *SCOPES), await city.client("district", *SCOPES)
    first = await subscribe(client, receiver.url)
    await subscribe(other, receiver.url)
    await city.console.ticket()
    assert (await client.post(f"/api/v1/webhooks/{first['id']}/revoke")).status == 200
    await city.revoke("district")
    await send(city)
    assert receiver.got == []


async def test_another_clients_subscriptions_and_deliveries_do_not_exist(
    city: City, receiver: Receiver
) -> None:
    client, other = await city.client("province", *SCOPES), await city.client("district", *SCOPES)
    made = await subscribe(client, receiver.url)
    await city.console.ticket()
    await send(city)
    (one, *_) = await deliveries(client, made["id"])
    for method, path in (
        ("get", f"/api/v1/webhooks/{made['id']}/deliveries"),
        ("post", f"/api/v1/webhooks/{made['id']}/revoke"),
        ("post", f"/api/v1/deliveries/{one['id']}/replay"),
    ):
        answer = await (other.get(path) if method == "get" else other.post(path))
        assert answer.status == 404, path


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/hook", "https://10.0.0.1/hook", "https://169.254.169.254/latest/meta-data"),
        *("https://[::1]/hook", "https://[::ffff:10.0.0.1]/hook", "https://2130706433/hook"),
        *("https://0x7f.1/hook", "ftp://example.com/hook", "https://user:pass@example.com/hook"),
        *("file:///etc/passwd", "https://192.168.1.1:8443/"),
    ],
)
async def test_an_address_inside_the_network_cannot_be_subscribed(city: City, url: str) -> None:
    client = await city.client("province", *SCOPES)
    answer = await client.post("/api/v1/webhooks", {"url": url, "events": ["created"]})
    assert (answer.status, json.loads(answer.text)["code"]) == (422, "webhook_refused")
    assert await city.ctx.db.fetch("SELECT id FROM webhook_endpoint") == []
