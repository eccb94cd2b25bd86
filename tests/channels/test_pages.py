"""The administrators' page of the channels, and the telephone people try the product with."""

import pytest

from core.settings import Settings, load_settings
from tests.channels.conftest import ANNA, Rig


async def test_the_page_shows_how_each_channel_fares(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    browser = await rig.console.signed_in("system_admin")
    answer = await browser.get("/admin/channels")
    assert answer.status == 200
    assert all(word in answer.text for word in ("微信公众号", "微博私信", "电子邮件", "开发替身", "未启用"))
    assert "/channels/wechat" in answer.text
    assert 'action="/admin/channels/weibo/check"' not in answer.text  # what is off is not tried
    assert ANNA not in answer.text


async def test_the_button_tries_the_platform_and_is_audited(rig: Rig) -> None:
    browser = await rig.console.signed_in("system_admin")
    answer = await browser.post("/admin/channels/wechat/check", follow=True)
    assert "测试通过" in answer.text
    await rig.channels.stop()  # the platform is down
    answer = await browser.post("/admin/channels/wechat/check", follow=True)
    assert "测试没有通过" in answer.text
    assert "连不上对方平台" in answer.text
    assert await rig.scalar("SELECT count(*) FROM audit_log WHERE action = 'channel.check'") == 2
    assert (await browser.post("/admin/channels/weibo/check")).status == 404


async def test_nobody_else_sees_or_tries_the_channels(rig: Rig) -> None:
    for login in ("agent", "security_admin", "supervision_officer"):
        browser = await rig.console.signed_in(login)
        assert (await browser.get("/admin/channels")).status == 403
        assert (await browser.post("/admin/channels/wechat/check")).status == 403


async def test_a_newcomer_talks_to_the_double(rig: Rig) -> None:
    browser = rig.console.browser()
    for words in ("路灯坏了三天", "中山中路12号"):
        await browser.post("/demo/wechat", {"who": "b", "act": "text", "text": words})
    await browser.post("/demo/wechat", {"who": "b", "act": "picture", "text": ""})
    for words in ("好了", "跳过", "确认"):
        await browser.post("/demo/wechat", {"who": "b", "act": "text", "text": words})
    answer = await browser.get("/demo/wechat?who=b")
    assert (await rig.ticket()).number in answer.text
    await rig.sent()
    assert "模板消息" in (await browser.get("/demo/wechat/lines?who=b")).text
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment") == 1
    await browser.post("/demo/wechat", {"who": "a", "act": "voice", "text": "井盖不见了"})
    await browser.post("/demo/wechat", {"who": "a", "act": "place", "text": ""})
    assert "井盖不见了" not in (await browser.get("/demo/wechat?who=b")).text
    assert (await browser.post("/demo/wechat", {"who": "z", "act": "text"})).status == 400


class TestInProduction:
    @pytest.fixture
    def web_settings(self, settings: Settings) -> Settings:
        return load_settings(
            environ={
                "HOTLINE_PATHS__VAR": str(settings.paths.var),
                "HOTLINE_HTTP__PORT": "0",
                "HOTLINE_MODE": "production",
                "HOTLINE_TELEPHONY__SOURCE": "asterisk",
                "HOTLINE_SECURITY__SECOND_FACTOR": "optional",
                "HOTLINE_SECRETS__INDEX_KEY": "an-index-key-of-its-own",
                "HOTLINE_SECRETS__MASTER_KEYS": '{"k1": "a-master-key-of-its-own"}',
            }
        )

    async def test_there_is_no_double(self, rig: Rig) -> None:
        assert rig.channels.double is None
        assert len(rig.channels.service.channels) == 0
        browser = rig.console.browser()
        assert (await browser.get("/demo/wechat")).status == 404
        assert (await browser.post("/demo/wechat", {"act": "text", "text": "x"})).status == 404
        assert (await browser.get("/channels/wechat")).status == 404
