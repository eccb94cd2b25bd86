"""Text messages over HTTP with signatures on both ways: what a number writes, and what it is answered."""

import json

import pytest
import sqlalchemy as sa

from chats.channels import sms
from chats.channels.double import GatewayDouble
from core.clock import ManualClock
from core.errors import HotlineError
from core.notify.guard import networks
from core.notify.webhook import SmsWebhook, Webhook, signature
from tests.chats.conftest import Room
from tests.web.conftest import Console, console, ctx, web_settings

__all__ = ["console", "ctx", "web_settings"]
SECRET = "a-gateway-and-we-know-it"
NUMBER = "13800000001"


async def heard(room: Room, text: str, key: str = "1", number: str = NUMBER) -> int:
    async with room.city.db.begin() as uow:
        return await room.chats.hear_sms(uow, number, text, f"in:{key}")


async def test_a_number_has_one_conversation_and_its_messages_are_told_once(room: Room) -> None:
    chat_id = await heard(room, "停水了")
    assert await heard(room, "停水了") == chat_id
    assert await heard(room, "七星区", "2") == chat_id
    assert await room.said(chat_id) == [("citizen", "停水了"), ("citizen", "七星区")]
    other = await heard(room, "路灯不亮", "3", "13800000002")
    assert other != chat_id


async def test_what_is_asked_again_about_a_conversation_that_is_over_opens_no_new_one(room: Room) -> None:
    chat_id = await heard(room, "停水了")
    await room.take(chat_id)
    async with room.city.db.begin() as uow:
        await room.chats.end(uow, room.actor(), chat_id)
    assert await heard(room, "停水了") == chat_id
    assert await heard(room, "又停水了", "2") != chat_id


async def test_what_the_agent_writes_goes_out_once_through_the_gateway(
    room: Room, clock: ManualClock
) -> None:
    async with GatewayDouble(SECRET, clock) as gateway:
        hook = Webhook(gateway.url, SECRET, clock, allowed=networks(("127.0.0.0/8",)))
        room.sms._port = SmsWebhook(hook)
        chat_id = await heard(room, "停水了")
        await room.take(chat_id)
        gateway.fails = 1
        await room.answers(chat_id, "请问在哪个小区？")
        await room.outbox.send_due()
        assert gateway.told == {}
        clock.advance(60)
        await room.outbox.send_due()
        assert gateway.told == {NUMBER: ["请问在哪个小区？"]}
        clock.advance(3600)
        await room.outbox.send_due()
        assert gateway.told == {NUMBER: ["请问在哪个小区？"]}
        assert gateway.refused == 0


async def test_the_outbox_holds_neither_number_nor_words(room: Room) -> None:
    chat_id = await heard(room, "停水了")
    await room.take(chat_id)
    await room.answers(chat_id, "请问在哪个小区？")
    held = await room.city.scalar("SELECT string_agg(payload::text, '') FROM outbox WHERE kind = 'chat.sms'")
    assert NUMBER not in held
    assert "小区" not in held


def _body(**over: object) -> bytes:
    return json.dumps({"id": "7", "from": NUMBER, "text": "停水了", **over}).encode()


def _checked(clock: ManualClock, body: bytes, **over: str) -> sms.Incoming:
    stamp = str(int(clock.now().timestamp()))
    given = {"timestamp": stamp, "key": "7", "given": signature(SECRET, stamp, "7", body)} | over
    return sms.checked(SECRET, clock.now(), body=body, **given)


def test_a_signed_message_is_taken(clock: ManualClock) -> None:
    assert _checked(clock, _body()) == sms.Incoming("7", NUMBER, "停水了")
    assert NUMBER not in repr(_checked(clock, _body()))


@pytest.mark.parametrize(
    "over", [{"given": "v1=00"}, {"given": "签名"}, {"key": "8"}, {"timestamp": "1"}, {"timestamp": "x"}]
)
def test_what_is_not_signed_right_is_refused(clock: ManualClock, over: dict[str, str]) -> None:
    with pytest.raises(HotlineError, match="gateway_refused"):
        _checked(clock, _body(), **over)


def test_an_old_signature_is_refused(clock: ManualClock) -> None:
    stamp = str(int(clock.now().timestamp()) - 301)
    body = _body()
    with pytest.raises(HotlineError, match="gateway_refused"):
        _checked(clock, body, timestamp=stamp, given=signature(SECRET, stamp, "7", body))


def test_without_a_secret_nothing_is_taken(clock: ManualClock) -> None:
    body, stamp = _body(), str(int(clock.now().timestamp()))
    with pytest.raises(HotlineError, match="gateway_refused"):
        sms.checked(
            "", clock.now(), timestamp=stamp, key="7", given=signature("", stamp, "7", body), body=body
        )


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"\xff", _body(more=1), _body(text=7), _body(id="8"), b'{"id":"7"}', b"[" * 9000],
)
def test_a_signed_message_that_is_none_is_a_bad_request(clock: ManualClock, body: bytes) -> None:
    with pytest.raises(HotlineError, match="bad_request"):
        _checked(clock, body)


async def test_the_gateway_posts_without_a_page_and_only_signed(console: Console, clock: ManualClock) -> None:
    secret = console.ctx.settings.secrets.webhook_key
    async with GatewayDouble(secret, clock, inbound=f"{console.base}/gateway/sms") as gateway:
        assert await gateway.say(NUMBER, "我听不见，家里停水了", key="m1") == 204
        assert await gateway.say(NUMBER, "我听不见，家里停水了", key="m1") == 204
        assert await gateway.say(NUMBER, "x", **{"HL-Signature": "v1=0"}) == 400
        assert await gateway.say("1001", "内线") == 400
        assert await gateway.say(NUMBER, "长" * 501) == 422
        assert await gateway.say(NUMBER, "a" * 20_000) == 413
    async with console.ctx.db.read() as session:
        assert (await session.execute(sa.text("SELECT count(*) FROM chat_message"))).scalar_one() == 1
