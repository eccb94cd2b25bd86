"""The pages of messages, notices and the contact relay."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from core.notify.channels import Channels
from core.notify.console import ConsoleSms
from core.notify.ports import DeliveryFailed
from core.outbox import OutboxWorker
from core.settings import Outbox
from tests.web.conftest import Console
from tickets import relay
from tickets.messages.service import MessageService
from tickets.notices import NoticeService
from tickets.states import Action
from web.context import CTX

EVIL = "\"'><script>alert(4711)</script>"


class Hook:
    """A receiver of webhooks that may be out of reach."""

    def __init__(self) -> None:
        self.posts: list[Mapping[str, Any]] = []
        self.down = False

    async def post(self, key: str, body: dict[str, Any]) -> None:
        if self.down:
            raise DeliveryFailed("address_refused")
        self.posts.append(body | {"key": key})


@dataclasses.dataclass
class Office:
    """A console whose tickets' events are heard, and the outbox behind it."""

    console: Console
    outbox: OutboxWorker
    hook: Hook

    async def deliver(self) -> None:
        while await self.outbox.send_due():
            pass

    async def act(self, who: str, ticket_id: int, action: Action, version: int, **data: Any) -> None:
        ctx = self.console.ctx
        async with ctx.db.begin() as uow:
            person = await ctx.people.actor_for_user(uow.session, self.console.users[who])
            assert person is not None
            await ctx.tickets.act(uow, person, ticket_id, version, action, data)

    async def asked(self, note: str = "请问几点？") -> int:
        """A report at the unit "water", which asks; returns the ticket."""
        made = await self.console.ticket("water", type="report")
        await self.act("dept_officer", made.id, Action.SIGN, 2)
        await self.act("dept_officer", made.id, Action.ASK_RELAY, 3, note=note)
        return made.id

    async def scalar(self, query: str) -> Any:
        async with self.console.ctx.db.read() as session:
            return (await session.execute(text(query))).scalar_one()


@pytest.fixture
def office(console: Console) -> Office:
    ctx, hook = console.ctx, Hook()
    double = ConsoleSms(ctx.db, ctx.vault)
    channels = Channels(sms=double, hook=hook, console=double)
    outbox = OutboxWorker(ctx.db, Outbox(max_attempts=1))
    messages = MessageService(ctx.db, ctx.clock, ctx.vault, ctx.settings, double)
    NoticeService(ctx.db, ctx.vault, ctx.settings, channels, messages).wire(ctx.db.bus, outbox)
    relay.wire(ctx.db.bus)
    object.__setattr__(ctx, "channels", channels)
    return Office(console, outbox, hook)


async def test_the_log_shows_masked_numbers_to_posts_and_the_text_to_developers_only(office: Office) -> None:
    console = office.console
    made = await console.ticket()
    await office.deliver()
    leader = await console.signed_in("shift_leader")
    page = await leader.get("/admin/messages")
    assert (page.status, "138****1234" in page.text, "13800001234" in page.text) == (200, True, False)
    assert f"查询码{made.query_code}" in page.text
    object.__setattr__(console.ctx, "channels", Channels(sms=console.ctx.channels.sms))  # a real gateway
    assert made.query_code not in (await leader.get("/admin/messages")).text
    assert made.number not in (await leader.get("/admin/messages?state=failed")).text
    assert made.number in (await leader.get(f"/admin/messages?event=receipt&number={made.number}")).text
    for query in ("state=x", "number=1", "sort=phone", "before=0"):
        assert (await leader.get(f"/admin/messages?{query}")).status == 400


async def test_the_panel_of_a_ticket_resends_the_code_and_notes_an_opt_out(office: Office) -> None:
    made = await office.console.ticket()
    agent = await office.console.signed_in("agent")
    fragment = {"HX-Request": "true"}
    sent = await agent.post(f"/tickets/{made.id}/query-code", headers=fragment)
    assert "查询码将发送到登记的手机号码" in sent.text
    assert made.query_code not in sent.text
    out = await agent.post(f"/tickets/{made.id}/messages/opt-out", {"out": "true"}, headers=fragment)
    assert "回执等必达短信仍会发送" in out.text
    assert "恢复发送短信" in out.text
    await office.deliver()
    shown = await agent.get(f"/tickets/{made.id}/messages")
    assert ("受理回执" in shown.text, "重发查询码" in shown.text) == (True, True)


async def test_an_answer_with_a_number_is_refused_and_kept_on_the_screen(office: Office) -> None:
    ticket_id = await office.asked(EVIL)
    agent = await office.console.signed_in("agent")
    listed = await agent.get("/relay")
    assert "<script>alert" not in listed.text
    assert "alert(4711)" in listed.text
    ident = await office.scalar("SELECT question_id FROM relay_open")
    refused = await agent.post(f"/relay/{ident}/answer", {"note": "他说打 13912345678 找他"})
    assert (refused.status, "他说打 13912345678 找他" in refused.text) == (422, True)
    assert "电话号码" in refused.text
    done = await agent.post(f"/relay/{ident}/answer", {"note": "晚上十一点"})
    assert (done.status, done.headers["Location"]) == (303, "/relay")
    officer = await office.console.signed_in("dept_officer")
    unit = await officer.get(f"/tickets/{ticket_id}")
    assert "晚上十一点" in unit.text
    assert "1234" not in unit.text.replace("12345", "")  # nothing of the citizen's number
    assert (await agent.post(f"/relay/{ident}/send")).status == 404


async def test_the_bell_counts_and_a_notice_leads_to_its_ticket(office: Office) -> None:
    made = await office.console.ticket("water")
    officer = await office.console.signed_in("dept_officer")
    assert "1 条未读" in (await officer.get("/notifications")).text
    assert "data-unread" in (await officer.get("/notifications/bell")).text
    ident = await office.scalar(
        f"SELECT id FROM notification WHERE user_id = {office.console.users['dept_officer']}"
    )
    stranger = await office.console.signed_in("road_officer")
    assert (await stranger.post(f"/notifications/{ident}/open")).status == 404
    opened = await officer.post(f"/notifications/{ident}/open")
    assert opened.headers["Location"] == f"/tickets/{made.id}"
    assert "data-unread" not in (await officer.get("/notifications/bell")).text
    assert "没有未读通知" in (await officer.get("/notifications?unread=1")).text
    for mark in ("x", "2026-11-23T10:00:00_1", "2026-11-23T10:00:00+00:00_x", "_"):
        assert (await officer.get(f"/notifications?before={mark}")).status == 400


async def test_wishes_are_kept_and_a_wrong_address_is_told(office: Office) -> None:
    officer = await office.console.signed_in("dept_officer")
    path = "/notifications/preferences"
    wrong = await officer.post(path, {"on": "dispatched.email", "email": "a@b\r\nBcc: x"})
    assert wrong.status in (400, 422)
    saved = await officer.post(path, {"on": "dispatched.email", "email": "li@example.gov.cn"}, follow=True)
    assert "已保存" in saved.text
    assert "li@example.gov.cn" in saved.text
    assert 'value="dispatched.email" checked' in saved.text
    assert 'value="dispatched.console" checked' not in saved.text
    for on in ("closing_waiting.email", "nothing.email", "dispatched.sms"):
        assert (await officer.post(path, {"on": on})).status == 400


async def test_the_test_of_a_channel_is_for_the_system_administrator_and_audited(office: Office) -> None:
    admin = await office.console.signed_in("system_admin")
    tried = await admin.post("/admin/messages/test", {"channel": "webhook"})
    assert (tried.status, len(office.hook.posts)) == (303, 1)
    office.hook.down = True
    failed = await admin.post("/admin/messages/test", {"channel": "webhook"})
    assert failed.status == 502
    assert "没有送达" in failed.text
    assert (await admin.post("/admin/messages/test", {"channel": "email"})).status == 409
    assert (await admin.post("/admin/messages/test", {"channel": "http://10.0.0.1/"})).status == 400
    assert (await admin.post("/admin/messages/test", {"channel": "webhook", "url": "x"})).status == 400
    leader = await office.console.signed_in("shift_leader")
    assert (await leader.post("/admin/messages/test", {"channel": "webhook"})).status == 403
    assert await office.scalar("SELECT count(*) FROM audit_log WHERE action = 'channel.test'") == 3
    assert office.console.server.app[CTX] is office.console.ctx
