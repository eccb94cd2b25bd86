"""What a citizen on WeChat is told afterwards, how he rates with one tap, and how he makes it stop."""

from datetime import timedelta

import sqlalchemy as sa

from core.people.permissions import Role
from tests.channels.conftest import ANNA, Rig
from tickets.citizens.events import CitizenForgotten
from tickets.states import Action


async def dispatched(rig: Rig) -> int:
    """The newest ticket, accepted and with the water bureau."""
    row, ctx = await rig.ticket(), rig.console.ctx
    async with ctx.db.begin() as uow:
        boss = await ctx.people.actor_for_user(uow.session, rig.console.users[Role.DISPATCHER.value])
        assert boss is not None
        await ctx.tickets.act(uow, boss, row.id, row.version, Action.ACCEPT, {})
        row = (await uow.session.execute(sa.text("SELECT id, version FROM ticket"))).one()
        await ctx.tickets.dispatch(uow, boss, row.id, row.version, rig.console.units["water"])
    return int(row.id)


async def answered(rig: Rig) -> None:
    """The hotline answers the newest ticket itself."""
    row, ctx = await rig.ticket(), rig.console.ctx
    async with ctx.db.begin() as uow:
        boss = await ctx.people.actor_for_user(uow.session, rig.console.users[Role.DISPATCHER.value])
        assert boss is not None
        await ctx.tickets.act(uow, boss, row.id, row.version, Action.ACCEPT, {})
        row = (await uow.session.execute(sa.text("SELECT id, version FROM ticket"))).one()
        data = {"public_reply": "路灯已于今天上午修好，给您添麻烦了。"}
        await ctx.tickets.act(uow, boss, row.id, row.version, Action.ANSWER, data)


async def test_every_state_is_told_once_by_a_template_message(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    await dispatched(rig)
    await rig.sent()
    states = [bubble.state for bubble in rig.seen() if bubble.state]
    assert states == ["待受理", "已转办"]  # accepting and dispatching at one go is told once, as it stands
    row, ctx = await rig.ticket(), rig.console.ctx
    async with ctx.db.begin() as uow:
        officer = await ctx.people.actor_for_user(uow.session, rig.console.users[Role.DEPT_OFFICER.value])
        assert officer is not None
        await ctx.tickets.act(uow, officer, row.id, row.version, Action.SIGN, {})
    await rig.sent()
    assert [bubble.state for bubble in rig.seen() if bubble.state][-1] == "办理中"
    assert await rig.waiting("channel.news") == 0
    sent = await rig.scalar(
        "SELECT count(*) FROM citizen_message WHERE channel = 'wechat' AND state = 'sent'"
    )
    assert sent == 2  # the receipt and the promise; no text message besides
    assert await rig.scalar("SELECT count(*) FROM console_message") == 0


async def test_the_reply_is_read_in_full_and_rated_with_one_tap(rig: Rig) -> None:
    await rig.submitted()
    await answered(rig)
    await rig.sent()
    assert any("给您添麻烦了" in bubble.text for bubble in rig.seen())
    ticket = await rig.ticket()
    status, words = await rig.wechat.tap(ANNA, f"rate:{ticket.id}:4", "已联系我、已解决、满意")
    assert (status, "谢谢" in words) == (200, True)
    ticket = await rig.ticket()
    assert (ticket.responded, ticket.solved, ticket.satisfied) == (True, True, 4)
    _, words = await rig.wechat.tap(ANNA, f"rate:{ticket.id}:1", "没联系我")
    assert "没有可以评价" in words
    assert (await rig.ticket()).satisfied == 4


async def test_a_rating_by_words(rig: Rig) -> None:
    await rig.submitted()
    await answered(rig)
    assert "5. 已联系我" in await rig.says("评价")
    assert "谢谢" in await rig.says("2")
    ticket = await rig.ticket()
    assert (ticket.responded, ticket.solved, ticket.satisfied) == (True, False, 2)


async def test_nobody_rates_or_urges_the_ticket_of_another(rig: Rig) -> None:
    await rig.submitted()
    await answered(rig)
    ticket = await rig.ticket()
    await rig.wechat.tap("openid-mallory", f"rate:{ticket.id}:1", "x")
    assert (await rig.ticket()).satisfied is None
    assert "还没有" in await rig.says("查询", "openid-mallory")
    assert "没有正在办理" in await rig.says("催办", "openid-mallory")


async def test_news_stop_and_come_back(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    assert "停止" in await rig.says("退订")
    before = len(rig.seen())
    await dispatched(rig)
    await rig.sent()
    assert len(rig.seen()) == before
    reason = await rig.scalar("SELECT reason FROM citizen_message WHERE event = 'promise'")
    assert reason == "opted_out"
    assert "恢复" in await rig.says("订阅")
    assert "已转交" in await rig.says("查询")


async def test_who_follows_us_no_more_is_told_by_text_message(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    rig.wechat.gone.add(ANNA)  # the platform knows, we do not yet
    await dispatched(rig)
    await rig.sent()
    row = await rig.scalar(
        "SELECT state || ' ' || coalesce(channel, 'sms') FROM citizen_message WHERE event = 'promise'"
    )
    assert row == "sent sms"
    assert await rig.scalar("SELECT count(*) FROM channel_dialogue WHERE gone_at IS NOT NULL") == 1


async def test_an_access_token_that_ran_out_is_renewed_once(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    rig.wechat.expired = True
    await dispatched(rig)
    await rig.sent()
    assert rig.wechat.tokens == 1
    assert rig.seen()[-1].state == "已转办"
    assert b"double" not in await rig.scalar("SELECT token FROM channel_state WHERE channel = 'wechat'")


async def test_news_wait_for_the_morning(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    rig.clock.advance(timedelta(hours=13).total_seconds())  # 23:00
    before = len(rig.seen())
    await dispatched(rig)
    await rig.sent()
    assert len(rig.seen()) == before
    rig.clock.advance(timedelta(hours=9).total_seconds())
    await rig.sent()
    assert rig.seen()[-1].state == "已转办"


async def test_who_writes_again_is_told_there_again(rig: Rig) -> None:
    await rig.submitted()
    await rig.sent()
    await rig.wechat.event(ANNA, "unsubscribe")
    assert await rig.scalar("SELECT count(*) FROM channel_dialogue WHERE gone_at IS NOT NULL") == 1
    await rig.wechat.event(ANNA, "subscribe")
    await rig.says("查询")
    await dispatched(rig)
    await rig.sent()
    assert rig.seen()[-1].state == "已转办"


async def test_a_day_has_room_for_so_many_matters_and_nothing_is_lost(rig: Rig) -> None:
    most = rig.console.ctx.settings.channels.tickets_per_day
    for n in range(most + 1):
        rig.clock.advance(120)
        await rig.submitted(what=f"第{n}件事：路灯坏了")
    assert await rig.tickets() == most
    assert "很多" in rig.seen()[-1].text
    rig.clock.advance(timedelta(hours=24).total_seconds())
    assert "接着说" in await rig.says("确认")
    await rig.says("1")
    assert "工单编号" in await rig.says("确认")


async def test_what_was_taken_long_ago_is_forgotten(rig: Rig) -> None:
    await rig.submitted()
    await rig.says("还有一件事没说完")
    rig.clock.advance(timedelta(days=31).total_seconds())
    await rig.channels.service.sweep(30)
    assert await rig.scalar("SELECT count(*) FROM channel_message WHERE direction = 'in'") == 0
    assert await rig.scalar("SELECT count(*) FROM channel_dialogue WHERE talk IS NOT NULL") == 0


async def test_who_is_forgotten_is_forgotten_here_too(rig: Rig) -> None:
    await rig.submitted()
    await rig.says("还有一件没说完")
    ticket = await rig.ticket()
    async with rig.console.ctx.db.begin() as uow:
        await uow.emit(CitizenForgotten(1, (), (ticket.id,)))
    assert await rig.scalar("SELECT count(*) FROM channel_dialogue WHERE talk IS NOT NULL") == 0
    assert await rig.scalar("SELECT count(*) FROM channel_message WHERE answer IS NOT NULL") == 0
    assert "还没有" in await rig.says("查询")  # a new person
    kept = await rig.scalar(
        "SELECT count(*) FROM personal_value p JOIN channel_dialogue d ON d.sender_ref = p.id "
        "WHERE p.destroyed_at IS NULL"
    )
    assert kept == 1
