"""A citizen on WeChat, from the first word to the rating, against the double that speaks the same HTTP."""

import io
import re

import pytest
from PIL import Image

from tests.channels.conftest import ANNA, Rig


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, "JPEG")
    return made.getvalue()


async def test_a_short_dialogue_becomes_a_ticket(rig: Rig) -> None:
    assert "12345" in await rig.says("你好")
    assert "哪里" in await rig.says("中山路路灯三晚不亮，老人出门不方便")
    status, words = await rig.wechat.point(ANNA, 25.2736, 110.2907, "桂林市秀峰区中山中路12号")
    assert (status, "照片" in words) == (200, True)
    _, words = await rig.wechat.send(ANNA, "image/jpeg", picture())
    assert "1 张" in words
    assert "联系" in await rig.says("好了")
    summary = await rig.says("我叫张三，13800000001")
    assert "张三 13800000001" in summary
    assert await rig.tickets() == 0
    done = await rig.says("确认")
    ticket = await rig.ticket()
    assert ticket.number in done
    assert re.search(r"查询码：\d{6}", done)
    assert (ticket.channel, ticket.state) == ("wechat", "waiting_accept")
    assert ticket.narrative == "中山路路灯三晚不亮，老人出门不方便"
    assert ticket.address == "桂林市秀峰区中山中路12号"
    point = await rig.console.ctx.db.fetch("SELECT ticket_id, latitude, longitude, datum FROM ticket_point")
    assert [tuple(row) for row in point] == [(ticket.id, 25.2736, 110.2907, "gcj02")]
    await rig.sent()
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment WHERE kind = 'jpg'") == 1
    assert rig.seen()[-1].state == "待受理"


async def test_the_citizen_asks_urges_and_adds(rig: Rig) -> None:
    ticket = await rig.submitted()
    assert ticket.number in await rig.says("查询")
    assert ticket.number in await rig.says("催办")
    assert await rig.scalar("SELECT urges FROM ticket") == 1
    assert ticket.number in await rig.says("补充：路灯杆编号 A-17")
    assert await rig.scalar("SELECT count(*) FROM ticket_history WHERE note LIKE '%A-17%'") == 1
    await rig.wechat.send(ANNA, "image/jpeg", picture())
    assert "谢谢" in await rig.says("好了")
    await rig.sent()
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment") == 1
    assert await rig.tickets() == 1


async def test_a_place_that_is_added_later_is_kept_as_a_point_as_well(rig: Rig) -> None:
    ticket = await rig.submitted()
    await rig.says("补充")
    await rig.wechat.point(ANNA, 25.28, 110.3, "")
    point = await rig.console.ctx.db.fetch("SELECT ticket_id, latitude, longitude, datum FROM ticket_point")
    assert [tuple(row) for row in point] == [(ticket.id, 25.28, 110.3, "gcj02")]
    assert await rig.scalar("SELECT count(*) FROM ticket_history WHERE note LIKE '%25.28%'") == 0


async def test_a_voice_message_is_heard(rig: Rig) -> None:
    sound = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 40
    _, words = await rig.wechat.send(ANNA, "audio/amr", sound, recognised="小区水管爆了没人管")
    assert "哪里" in words
    for said in ("跳过", "没有", "跳过", "确认"):
        await rig.says(said)
    ticket = await rig.ticket()
    assert ticket.narrative == "小区水管爆了没人管"
    assert ticket.phone_ref is None  # reached on WeChat
    await rig.sent()
    assert await rig.scalar("SELECT kind FROM ticket_attachment") == "amr"


@pytest.mark.parametrize("anonymous", [True, False])
async def test_who_wants_to_stay_unknown_is_sealed(rig: Rig, anonymous: bool) -> None:
    for said in ("有人在河里电鱼", "漓江边", "好了", "匿名" if anonymous else "跳过", "确认"):
        await rig.says(said)
    ticket = await rig.ticket()
    assert ticket.confidentiality == ("anonymous" if anonymous else "normal")
    assert ticket.phone_ref is None
