"""A webhook cannot be used to reach the inside of the network, and its body cannot be forged."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.clock import ManualClock
from core.notify import guard
from core.notify.guard import check, networks
from core.notify.ports import DeliveryFailed, Sms
from core.notify.webhook import SmsWebhook, Webhook, signature

PUBLIC = "93.184.216.34"
LOOPBACK = networks(["127.0.0.0/8", "::1/128"])


def answering(*answers: Sequence[str]) -> guard.Resolve:
    """A resolver that gives one answer after the other, the last one for ever."""
    script = list(answers)

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        return script.pop(0) if len(script) > 1 else script[0]

    return lookup


async def refusal(url: str, *addresses: str, allowed: Any = ()) -> str:
    with pytest.raises(DeliveryFailed) as caught:
        await check(url, allowed, answering(list(addresses)))
    return caught.value.code


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "100.127.255.254", "192.0.2.1", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1", "not an address", ""),
    ],
)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    assert await refusal("https://hook.example.com/x", address) == "address_refused"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]"),
        *("2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "017700000001", "0177.0.0.1", "0"),
        *("127.0.0.1.", "localhost.", "1.2.3", "%31%32%37.0.0.1", "exa mple.com", "①②⑦.⓪.⓪.①"),
    ],
)
async def test_addresses_in_odd_spellings_are_refused_before_anything_is_resolved(host: str) -> None:
    code = await refusal(f"https://{host}/x", PUBLIC)
    assert code in ("address_refused", "url_invalid")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://a.example.com/",
            "file:///etc/passwd",
            "gopher://a.example.com/",
            "//a.example.com/",
            "a",
            "",
        ),
        *("https://user:password@a.example.com/", "https://a.example.com:0/", "https:///x", "https://"),
        *("https://a.example.com:99999/", "https://a.example.com/\r\nX: y", "https://a.example.com/ x"),
    ],
)
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    assert await refusal(url, PUBLIC) == "url_invalid"


async def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    assert await refusal("https://a.example.com/", PUBLIC, "10.0.0.1") == "address_refused"


async def test_a_name_without_an_address_says_so() -> None:
    async def nothing(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(DeliveryFailed, match="name_unknown"):
        await check("https://a.example.com/", (), nothing)
    assert await refusal("https://a.example.com/") == "name_unknown"


async def test_a_public_address_passes_and_plain_http_to_it_does_not() -> None:
    target = await check("https://a.example.com/x", (), answering([PUBLIC, "2606:4700::1111"]))
    assert target.addresses == (PUBLIC, "2606:4700::1111")
    assert (target.host, target.port) == ("a.example.com", 443)
    assert await refusal("http://a.example.com/x", PUBLIC) == "plain_http_refused"


async def test_only_the_networks_of_the_settings_are_reachable_inside() -> None:
    allowed = networks(["10.20.0.0/16"])
    inside = await check("http://gateway.gov/x", allowed, answering(["10.20.3.4"]))
    assert inside.addresses == ("10.20.3.4",)
    assert await refusal("http://gateway.gov/x", "10.21.0.1", allowed=allowed) == "address_refused"
    assert (
        await refusal("http://gateway.gov/x", "10.20.3.4", "10.21.0.1", allowed=allowed) == "address_refused"
    )
    mixed = await refusal("http://gateway.gov/x", "10.20.3.4", PUBLIC, allowed=allowed)
    assert mixed == "plain_http_refused"


# ---- over the wire ----------------------------------------------------------------------------


@dataclass
class Receiver:
    """A server of the test and what it was sent."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hang: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.headers), await request.read()))
        if self.hang is not None:
            await self.hang.wait()
        return web.Response(status=self.status, headers=self.headers, text="x" * 100_000)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    found.port = server.port or 0
    yield found
    if found.hang is not None:
        found.hang.set()
    await server.close()


def hook(receiver: Receiver, clock: ManualClock, **options: Any) -> Webhook:
    url = f"http://gateway.gov:{receiver.port}/in"
    usual: dict[str, Any] = {"allowed": LOOPBACK, "lookup": answering(["127.0.0.1"])}
    return Webhook(url, "a secret of the two", clock, **usual | options)


async def test_a_message_arrives_signed_with_its_time_its_id_and_its_key(
    receiver: Receiver, clock: ManualClock
) -> None:
    await SmsWebhook(hook(receiver, clock)).send(Sms("sms:7:receipt", "13800000001", "编号 1"))
    [(path, headers, body)] = receiver.requests
    assert path == "/in"
    assert json.loads(body) == {"id": "sms:7:receipt", "to": "13800000001", "text": "编号 1"}
    assert headers["HL-Timestamp"] == str(int(clock.now().timestamp()))
    assert headers["HL-Message-Id"] == headers["Idempotency-Key"] == "sms:7:receipt"
    stamp = headers["HL-Timestamp"]
    assert headers["HL-Signature"] == signature("a secret of the two", stamp, "sms:7:receipt", body)
    for secret, at, key, sent in (
        ("another", stamp, "sms:7:receipt", body),
        ("a secret of the two", "1", "sms:7:receipt", body),
        ("a secret of the two", stamp, "sms:8:receipt", body),
        ("a secret of the two", stamp, "sms:7:receipt", body.replace(b"13800000001", b"13800000002")),
    ):
        assert signature(secret, at, key, sent) != headers["HL-Signature"]


async def test_a_name_that_changes_its_address_after_the_check_changes_nothing(
    receiver: Receiver, clock: ManualClock
) -> None:
    asked = []

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        asked.append(1)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    await hook(receiver, clock, lookup=rebinding).post("k", {})
    assert len(receiver.requests) == len(asked) == 1


async def test_a_name_that_turns_inside_between_two_messages_is_refused_the_second_time(
    receiver: Receiver, clock: ManualClock
) -> None:
    turning = answering(["127.0.0.1"], ["169.254.169.254"])
    sender = hook(receiver, clock, lookup=turning)
    await sender.post("one", {})
    with pytest.raises(DeliveryFailed, match="address_refused"):
        await sender.post("two", {})
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_never_followed(
    receiver: Receiver, clock: ManualClock, status: int
) -> None:
    receiver.status = status
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/inside"}
    with pytest.raises(DeliveryFailed, match=f"http_{status}"):
        await hook(receiver, clock).post("k", {})
    assert [path for path, _, _ in receiver.requests] == ["/in"]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_any_answer_but_success_is_a_failure(
    receiver: Receiver, clock: ManualClock, status: int
) -> None:
    receiver.status = status
    with pytest.raises(DeliveryFailed, match=f"http_{status}"):
        await hook(receiver, clock).post("k", {})


async def test_a_receiver_that_never_answers_is_left_in_time(receiver: Receiver, clock: ManualClock) -> None:
    receiver.hang = asyncio.Event()
    with pytest.raises(DeliveryFailed, match="timeout"):
        await hook(receiver, clock, seconds=0.05).post("k", {})


async def test_nobody_listening_is_a_failure_without_a_word_of_the_address(clock: ManualClock) -> None:
    closed = Webhook("http://gateway.gov:1/in", "s", clock, allowed=LOOPBACK, lookup=answering(["127.0.0.1"]))
    with pytest.raises(DeliveryFailed) as caught:
        await closed.post("k", {})
    assert str(caught.value) == "unreachable"


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    await hook(receiver, clock).post("k", {})
    assert len(receiver.requests) == 1


def test_number_and_text_of_a_message_are_not_in_its_repr() -> None:
    assert repr(Sms("sms:7:receipt", "13800000001", "查询码 804213")) == "Sms(key='sms:7:receipt')"
