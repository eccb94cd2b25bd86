"""The callback: signatures, replays, redelivery, encryption, and whatever else may be posted to it."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from core.errors import HotlineError
from core.settings import Settings, load_settings
from routing.channels.signing import Signed, digest
from routing.channels.wechat import Codec
from routing.channels.wechat_double import TOKEN
from routing.channels.xml import BadXml, cdata, fields
from tests.channels.conftest import ANNA, Rig

KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP1"
STORY = ("小区路灯不亮三晚了", "秀峰区中山中路12号", "好了", "张先生 13800000001")


async def counted(rig: Rig) -> tuple[int, int]:
    return await rig.tickets(), int(await rig.scalar("SELECT count(*) FROM channel_message"))


async def test_the_platform_is_answered_its_word(rig: Rig) -> None:
    at = str(int(rig.clock.now().timestamp()))
    query = {"timestamp": at, "nonce": "n1", "echostr": "4711", "signature": digest(TOKEN, at, "n1")}
    async with aiohttp.ClientSession() as http:
        async with http.get(rig.wechat.callback, params=query) as answer:
            assert (answer.status, await answer.text()) == (200, "4711")
        async with http.get(rig.wechat.callback, params={**query, "nonce": "n2"}) as answer:
            assert answer.status == 400


@pytest.mark.parametrize("case", ["forged", "none", "old", "future", "no_number"])
async def test_what_is_not_signed_lately_makes_nothing(rig: Rig, case: str) -> None:
    now = rig.clock.now()
    times = {"old": now - timedelta(minutes=6), "future": now + timedelta(minutes=6)}
    at = str(int(times.get(case, now).timestamp())) if case != "no_number" else "１２３"
    forged = {"forged": "0" * 40, "none": ""}.get(case)
    status, words = await rig.wechat.post(
        ANNA, {"MsgType": "text", "Content": "路灯坏了"}, timestamp=at, nonce="n", signature=forged
    )
    assert (status, words) == (400, "")
    assert await counted(rig) == (0, 0)


async def test_the_same_message_again_gets_the_same_answer_and_makes_nothing(rig: Rig) -> None:
    for words in STORY:
        await rig.says(words)
    first = await rig.wechat.say(ANNA, "确认", msg_id="77001")
    again = await rig.wechat.say(ANNA, "确认", msg_id="77001")
    assert first == again
    assert "查询码" in first[1]
    assert await rig.tickets() == 1


async def test_two_deliveries_at_the_same_moment_are_one(rig: Rig) -> None:
    for words in STORY:
        await rig.says(words)
    answers = await asyncio.gather(*(rig.wechat.say(ANNA, "确认", msg_id="77002") for _ in range(6)))
    assert len(set(answers)) == 1
    assert await rig.tickets() == 1


async def test_a_signature_that_was_seen_serves_no_other_message(rig: Rig) -> None:
    at = str(int(rig.clock.now().timestamp()))
    await rig.wechat.say(ANNA, "你好", msg_id="1", timestamp=at, nonce="once")
    status, _ = await rig.wechat.say("openid-mallory", "路灯坏了", msg_id="2", timestamp=at, nonce="once")
    assert status == 400
    assert await rig.scalar("SELECT count(*) FROM channel_message") == 1


async def test_nothing_readable_lies_in_the_database(rig: Rig) -> None:
    for words in STORY:
        await rig.says(words)
    async with rig.console.ctx.db.read() as session:
        for table in ("channel_dialogue", "channel_message", "event_log", "outbox", "audit_log"):
            rows = (
                (await session.execute(sa.text(f"SELECT to_jsonb(t)::text FROM {table} t"))).scalars().all()
            )
            for row in rows:
                assert "13800000001" not in row
                assert "路灯" not in row
                assert ANNA not in row


async def test_who_writes_without_end_is_asked_to_wait(rig: Rig) -> None:
    most = rig.console.ctx.settings.channels.messages_per_minute
    for n in range(most):
        await rig.says(f"你好{n}")
    assert "太快" in await rig.says("还有一句")
    assert await rig.scalar("SELECT count(*) FROM channel_message") == most


# ---- bodies --------------------------------------------------------------------------------------------

ODD = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(
        lambda text: f"<xml><Content>{text}</Content></xml>".encode("utf-8", "replace")
    ),
    st.dictionaries(
        st.sampled_from(
            (
                *(
                    "FromUserName",
                    "ToUserName",
                    "CreateTime",
                    "MsgType",
                    "MsgId",
                    "Content",
                    "MediaId",
                    "Event",
                ),
                *("Location_X", "Location_Y", "Label", "EventKey", "Recognition", "Encrypt"),
                "bizmsgmenuid",
            )
        ),
        st.one_of(
            st.sampled_from(["text", "image", "voice", "location", "event", "subscribe", "CLICK", "9" * 400])
            | st.sampled_from(
                ["openid-x", "1764000000", "-1", "1e308", "nan", "inf", "0x1", "确认", "补充：x"]
            ),
            st.text(max_size=60),
        ),
        max_size=12,
    ).map(lambda found: _xml(found)),
)


def _xml(found: dict[str, str]) -> bytes:
    inside = "".join(f"<{name}>{cdata(value)}</{name}>" for name, value in found.items())
    return f"<xml>{inside}</xml>".encode("utf-8", "replace")


def odd_bodies(count: int) -> list[bytes]:
    """Bodies as hypothesis makes them up, the same in every run."""
    found: list[bytes] = []

    @runs(max_examples=count, deadline=None, derandomize=True, database=None)
    @given(ODD)
    def collect(body: bytes) -> None:
        found.append(body)

    collect()
    return found


async def test_no_body_brings_the_callback_down(rig: Rig) -> None:
    statuses = set()
    for place, body in enumerate(odd_bodies(150)):
        at = str(int(rig.clock.now().timestamp()))
        status, _ = await rig.wechat.deliver(body, at, f"signed-{place}")
        statuses.add(status)
    assert statuses <= {200, 400}
    before = await counted(rig)
    for place, body in enumerate(odd_bodies(60)):
        at = str(int(rig.clock.now().timestamp()))
        status, _ = await rig.wechat.deliver(body, at, f"not-{place}", signature="0" * 40)
        assert status == 400
    assert await counted(rig) == before
    assert before[0] == 0


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Content>&a;</Content></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        b"<?php x?><xml/>",
        b"<xml><a><b><c>1</c></b></a></xml>",
        b"<xml><A>1</A><A>2</A></xml>",
        b"<xml>" + b"<A/>" * 200 + b"</xml>",
        b"<xml><A>" + b"x" * 70_000 + b"</A></xml>",
        b"<html></html>",
        b"",
        "<xml><A>中</A></xml>".encode("utf-16"),
    ],
)
def test_xml_that_no_platform_posts_is_refused(body: bytes) -> None:
    with pytest.raises(BadXml):
        fields(body)


@given(st.text(max_size=100))
def test_what_is_answered_can_be_read_back(text: str) -> None:
    body = f"<xml><A>{cdata(text)}</A></xml>".encode()
    assert (
        fields(body)["A"].replace("\n", "")
        == "".join(sign for sign in text if sign == "\t" or (sign >= " " and sign not in "\ufffe\uffff"))
        .encode("utf-8", "ignore")
        .decode()
    )


def test_an_encrypted_body_is_read_and_a_changed_one_is_not(rig: Rig) -> None:
    codec, now = Codec(TOKEN, "wxdouble", KEY), rig.clock.now()
    at = str(int(now.timestamp()))
    plain = (
        f"<xml><FromUserName>{ANNA}</FromUserName><CreateTime>{at}</CreateTime><MsgType>text</MsgType>"
        "<Content>你好</Content><MsgId>1</MsgId></xml>"
    ).encode()
    sealed = codec.seal(plain, at, "n")
    mark = fields(sealed)["MsgSignature"]
    signed = Signed(digest(TOKEN, at, "n"), at, "n", mark)
    said = codec.read(signed, sealed, now)
    assert said is not None
    assert said.text == "你好"
    for wrong in (
        Signed(signed.signature, at, "n", "0" * 40),
        Signed("0" * 40, at, "n", mark),
        Signed(digest(TOKEN, at, "m"), at, "m", mark),
    ):
        with pytest.raises(HotlineError, match="gateway_refused"):
            codec.read(wrong, sealed, now)
    with pytest.raises(HotlineError, match="gateway_refused"):
        codec.read(signed, plain, now)  # with a key set, nothing in the clear is taken
    with pytest.raises(HotlineError, match="gateway_refused"):
        Codec(TOKEN, "wxother", KEY).read(signed, sealed, now)


class TestEncrypted:
    """The same callback with an EncodingAESKey."""

    @pytest.fixture
    def web_settings(self, settings: Settings) -> Settings:
        return load_settings(
            environ={
                "HOTLINE_PATHS__VAR": str(settings.paths.var),
                "HOTLINE_HTTP__PORT": "0",
                "HOTLINE_SECRETS__WECHAT_AES_KEY": KEY,
            }
        )

    async def test_a_dialogue_is_sealed_on_both_ways(self, rig: Rig) -> None:
        for words in STORY:
            await rig.says(words)
        assert "查询码" in await rig.says("确认")
        assert await rig.tickets() == 1

    async def test_nothing_in_the_clear_is_taken(self, rig: Rig) -> None:
        at = str(int(rig.clock.now().timestamp()))
        query = {"timestamp": at, "nonce": "n", "signature": digest(TOKEN, at, "n")}
        body = f"<xml><FromUserName>x</FromUserName><CreateTime>{at}</CreateTime></xml>".encode()
        async with (
            aiohttp.ClientSession() as http,
            http.post(rig.wechat.callback, params=query, data=body) as answer,
        ):
            assert answer.status == 400
        assert await counted(rig) == (0, 0)
