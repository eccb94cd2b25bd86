"""What the citizen is told by text message, in which words, and when not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.errors import HotlineError
from tests.tickets.conftest import City, Refused
from tests.tickets.post_rig import Post
from tickets.messages import log, templates
from tickets.messages.kinds import EVENTS, MessageEvent, check_text, parts_of, render, summary
from tickets.messages.plan import Rules, kept_back, quiet_until
from tickets.messages.service import take_back
from tickets.states import Action

REPLY = "经现场核实，路灯已于今日修复。"


@pytest.fixture
def post(city: City, clock: ManualClock) -> Post:
    return Post(city, clock)


async def edit(city: City, event: str, base: int = 1, **over: object) -> int:
    async with city.db.begin() as uow:
        now = await templates.current(uow.session, event)
        values = {name: getattr(now, name) for name in ("text", "mandatory", "at_once", "enabled")}
        return await templates.save(uow, city.actors["admin"], event, base, **values | over)


# ---- receipt ----------------------------------------------------------------------------------


async def test_a_new_ticket_is_acknowledged_with_its_number_and_code_once(post: Post) -> None:
    made = await post.city.ticket()
    assert await post.city.scalar("SELECT count(*) FROM outbox") == 1
    [text] = await post.deliver()
    assert text.startswith("【桂林12345】")
    assert made.number in text
    assert made.query_code in text
    assert [message.to for message in post.gateway.sent] == ["13800000001"]
    assert await post.deliver() == []
    assert await post.log() == [("receipt", "sent", None)]


async def test_nothing_personal_lies_in_the_outbox_or_in_the_log_of_messages(post: Post) -> None:
    made = await post.city.ticket()
    payload = await post.city.scalar("SELECT payload FROM outbox")
    assert payload == {"ticket_id": made.id, "event": "receipt"}
    await post.deliver()
    rows = await post.city.scalar("SELECT json_agg(m)::text FROM citizen_message m")
    for secret in ("13800000001", made.query_code, "王小明", made.number):
        assert secret not in rows
    async with post.city.db.read() as session:
        [shown] = await log.message_list(session, post.city.actors["leader"])
    assert (shown.phone, shown.state, shown.parts) == ("138****0001", "sent", 1)


async def test_a_repeated_delivery_of_the_same_row_sends_nothing_twice(post: Post) -> None:
    await post.city.ticket()
    await post.deliver()
    await post.city.scalar("SELECT 1")
    async with post.city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE outbox SET done_at = NULL"))
    await post.deliver()
    assert len(post.gateway.sent) == 1


async def test_without_a_channel_nothing_is_queued(city: City, clock: ManualClock) -> None:
    Post(city, clock, sms=False)
    await city.ticket()
    assert await city.scalar("SELECT count(*) FROM outbox") == 0


async def test_a_landline_gets_no_message_and_the_second_number_does(post: Post) -> None:
    await post.city.ticket(phone="0773-2812345", phone2="13900000002")
    await post.city.ticket(phone="0773-2812345")
    await post.deliver()
    assert [message.to for message in post.gateway.sent] == ["13900000002"]
    assert [state for _, state, _ in await post.log()] == ["sent", "skipped"]
    assert (await post.log())[1][2] == "not_mobile"


# ---- who is not told --------------------------------------------------------------------------


async def test_who_is_sealed_and_wants_no_contact_gets_not_even_the_receipt(post: Post) -> None:
    for over in ({"type": "report"}, {"confidentiality": "anonymous"}, {"confidentiality": "secret"}):
        await post.city.dispatched("lights", wants_reply=False, **over)
    assert await post.deliver() == []
    assert {(state, why) for _, state, why in await post.log()} == {("skipped", "sealed")}
    assert len(await post.log()) == 6


async def test_who_wants_no_reply_gets_the_mandatory_receipt_and_nothing_else(post: Post) -> None:
    await post.city.dispatched("lights", wants_reply=False)
    assert len(await post.deliver()) == 1
    assert await post.log() == [("receipt", "sent", None), ("promise", "skipped", "not_wanted")]


async def test_a_number_that_opted_out_gets_mandatory_messages_only_until_it_wants_them_again(
    post: Post,
) -> None:
    city = post.city
    made = await city.dispatched("lights")
    async with city.db.begin() as uow:
        await log.set_optout(uow, city.actors["agent"], made.id, out=True)
        await log.set_optout(uow, city.actors["agent"], made.id, out=True)
    await post.deliver()
    assert await post.log() == [("receipt", "sent", None), ("promise", "skipped", "opted_out")]
    other = await city.dispatched("lights")
    async with city.db.begin() as uow:
        await log.set_optout(uow, city.actors["agent"], other.id, out=False)
    await post.deliver()
    assert (await post.log())[2:] == [("receipt", "sent", None), ("promise", "sent", None)]
    assert await city.scalar("SELECT count(*) FROM audit_log WHERE action LIKE 'message.opt%'") == 3


async def test_units_and_inspectors_cannot_opt_anybody_out(post: Post, refused: Refused) -> None:
    made = await post.city.dispatched("lights")
    for who in ("lights", "inspector", "supervision"):
        async with post.city.db.begin() as uow:
            await refused("forbidden", log.set_optout(uow, post.city.actors[who], made.id, out=True))


def test_the_reasons_to_keep_a_message_back_stand_in_their_order() -> None:
    rules = Rules(mandatory=False, at_once=False, enabled=True)
    usual = {
        "type": "help", "confidentiality": "public", "wants_reply": True, "phone_ref": 1, "phone2_ref": None,
        "responded": None,
    }  # fmt: skip
    receipt, survey = MessageEvent.RECEIPT, MessageEvent.SURVEY
    assert kept_back(receipt, rules, usual) is None
    assert kept_back(receipt, Rules(True, True, False), usual) == "template_off"
    assert kept_back(receipt, rules, usual | {"phone_ref": None}) == "no_phone"
    assert kept_back(survey, rules, usual | {"responded": False}) == "answered"
    assert kept_back(receipt, rules, usual | {"type": "report"}) is None


# ---- when -------------------------------------------------------------------------------------


async def test_in_the_quiet_hours_the_receipt_goes_and_the_rest_waits_for_the_morning(
    post: Post, clock: ManualClock
) -> None:
    clock.advance(12.5 * 3600)  # 22:30 in the city
    await post.city.dispatched("lights")
    assert len(await post.deliver()) == 1
    assert await post.log() == [("receipt", "sent", None), ("promise", "waiting", "quiet_hours")]
    clock.advance(8.9 * 3600)
    assert await post.deliver() == []
    clock.advance(0.2 * 3600)  # past 07:30
    assert len(await post.deliver()) == 1
    assert await post.city.scalar("SELECT max(attempts) FROM outbox") == 1


@pytest.mark.parametrize(
    ("hours", "span", "wait"),
    [
        (0, "22:00-07:30", None),
        (12, "22:00-07:30", 9.5),
        (15, "22:00-07:30", 6.5),
        (21.4, "22:00-07:30", 0.1),
        (21.5, "22:00-07:30", None),
        (3, "12:30-14:00", 1),
        (4, "12:30-14:00", None),
        (12, "", None),
    ],
)
def test_the_quiet_hours_end_when_they_say(
    clock: ManualClock, hours: float, span: str, wait: float | None
) -> None:
    clock.advance(hours * 3600)
    until = quiet_until(clock.now(), span)
    assert (None if until is None else (until - clock.now()) / timedelta(hours=1)) == pytest.approx(wait)


# ---- a whole life -----------------------------------------------------------------------------


async def test_each_step_of_a_ticket_is_told_in_its_own_words(post: Post) -> None:
    made = await post.city.dispatched("lights")
    unit = "市城市管理委员会"
    receipt, promise = await post.deliver()
    assert "查询码" in receipt
    assert unit in promise
    assert "11月" in promise
    await post.act("lights", made.id, Action.SIGN)
    await post.act("lights", made.id, Action.APPLY_EXTENSION, reason_code=await _reason(post, "extension"),
                   note="要等配件", days=2)  # fmt: skip
    assert await post.deliver() == []
    await post.act("supervision", made.id, Action.APPROVE_EXTENSION)
    [extension] = await post.deliver()
    assert "延长" in extension
    await post.act("lights", made.id, Action.CONTACT, means="phone", result="reached", note="已联系")
    await post.act("lights", made.id, Action.CLOSE, handling="已换灯", public_reply=REPLY, solved=True)
    assert await post.deliver() == []  # not before the check
    await post.act("dispatcher", made.id, Action.PASS_CHECK)
    closing = await post.deliver()
    assert REPLY in closing[0]
    assert len({message.key for message in post.gateway.sent}) == len(post.gateway.sent)


async def _reason(post: Post, kind: str) -> str:
    return str(await post.city.scalar("SELECT code FROM reason_code WHERE kind = :k LIMIT 1", k=kind))


async def test_a_redispatch_is_told_as_one_and_keeps_the_promise(post: Post) -> None:
    made = await post.city.dispatched("lights")
    await post.deliver()
    reason = await _reason(post, "redispatch")
    unit = post.city.unit("water")
    await post.act("dispatcher", made.id, Action.REDISPATCH, unit_id=unit, reason_code=reason)
    [text] = await post.deliver()
    assert "改由供水公司办理" in text
    assert [event for event, _, _ in await post.log()] == ["receipt", "promise", "redispatch"]


async def test_a_sealed_reporter_is_not_sent_the_reply_itself(post: Post) -> None:
    made = await post.city.dispatched("lights", type="report")
    await post.closed(made.id, REPLY)
    await post.act("dispatcher", made.id, Action.PASS_CHECK)
    texts = await post.deliver()
    assert not any(REPLY in text for text in texts)
    assert any("凭查询码查询" in text for text in texts)


async def test_a_merged_caller_is_told_of_the_merge_and_of_the_answer(post: Post) -> None:
    master = await post.city.dispatched("lights")
    member = await post.city.ticket(phone="13900000002")
    await post.deliver()
    await post.act("agent", member.id, Action.MERGE, master_id=master.id)
    [merge] = await post.deliver()
    assert member.number in merge
    assert post.gateway.sent[-1].to == "13900000002"
    await post.closed(master.id, REPLY)
    object.__setattr__(post.city.settings.revisit, "sample_percent", 0)
    await post.act("dispatcher", master.id, Action.PASS_CHECK)
    await post.deliver()
    told = [message for message in post.gateway.sent if REPLY in message.text]
    assert {message.to for message in told} == {"13800000001", "13900000002"}


async def test_a_survey_goes_to_who_is_not_called_back(post: Post) -> None:
    object.__setattr__(post.city.settings.revisit, "sample_percent", 0)
    made = await post.city.dispatched("lights")
    await post.closed(made.id, REPLY)
    await post.act("dispatcher", made.id, Action.PASS_CHECK)
    await post.deliver()
    assert ("survey", "sent", None) in await post.log()


async def test_a_survey_does_not_go_to_who_will_be_called(post: Post) -> None:
    object.__setattr__(post.city.settings.revisit, "sample_percent", 100)
    made = await post.city.dispatched("lights")
    await post.closed(made.id, REPLY)
    await post.act("dispatcher", made.id, Action.PASS_CHECK)
    await post.deliver()
    assert "survey" not in [event for event, _, _ in await post.log()]


async def test_what_was_taken_back_before_the_commit_is_never_sent(post: Post) -> None:
    async with post.city.db.begin() as uow:
        draft = await post.city.drafts.open_manual(uow, post.city.actors["agent"])
        form = post.city.form()
        await post.city.tickets.create_from_draft(uow, post.city.actors["agent"], draft, form, 1)
        await take_back(uow)
    await post.city.ticket()
    assert len(await post.deliver()) == 1


# ---- failures ---------------------------------------------------------------------------------


async def test_a_gateway_that_is_down_is_tried_again_then_given_up_in_sight_and_can_be_resent(
    post: Post, clock: ManualClock, refused: Refused
) -> None:
    post.gateway.down = True
    await post.city.ticket()
    await post.deliver()
    assert await post.log() == [("receipt", "waiting", "unreachable")]
    clock.advance(5)
    await post.deliver()
    assert await post.log() == [("receipt", "failed", "unreachable")]
    ident = await post.city.scalar("SELECT id FROM citizen_message")
    admin = post.city.actors["admin"]
    notice = "SELECT kind FROM notification WHERE user_id = :u"
    assert await post.city.scalar(notice, u=admin.user_id) == "message_failed"
    async with post.city.db.begin() as uow:
        await refused("forbidden", log.resend(uow, post.city.actors["leader"], post.outbox, ident))
        await log.resend(uow, admin, post.outbox, ident)
    post.gateway.down = False
    assert len(await post.deliver()) == 1
    assert await post.log() == [("receipt", "sent", None)]
    async with post.city.db.begin() as uow:
        await refused("message_not_dead", log.resend(uow, admin, post.outbox, ident))


async def test_a_number_that_was_deleted_is_not_written_to(post: Post) -> None:
    await post.city.ticket()
    async with post.city.db.begin() as uow:
        gone = "UPDATE personal_value SET wrapped_key = NULL, ciphertext = NULL WHERE kind = 'phone'"
        await uow.session.execute(sa.text(gone))
    assert await post.deliver() == []
    assert await post.log() == [("receipt", "skipped", "not_mobile")]


# ---- wordings ---------------------------------------------------------------------------------


async def test_every_event_has_a_shipped_wording_that_its_own_rules_accept(city: City) -> None:
    async with city.db.read() as session:
        shipped = await templates.present(session)
    assert [wording.event for wording in shipped] == list(EVENTS)
    for wording in shipped:
        assert check_text(wording.event, wording.text) == wording.text
        assert parts_of(templates.preview(wording.event, wording.text).text) <= 3
    mandatory = {wording.event for wording in shipped if wording.mandatory}
    assert mandatory == {MessageEvent.RECEIPT, MessageEvent.CODE}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("编号{number}{phone}", "placeholder"),
        ("编号{number}{unit}", "placeholder"),
        ("{number.__class__}", "placeholder"),
        ("{0}", "placeholder"),
        ("编号{number", "brace"),
        ("编号}{number}", "brace"),
        ("编号{{number}}", "brace"),
        ("编号{number}\r\nBcc: x", "control"),
        ("编号{number}\u202e", "control"),
        ("长" * 501, "too_long"),
    ],
)
def test_a_wording_that_could_not_be_filled_is_refused(text: str, reason: str) -> None:
    with pytest.raises(HotlineError) as caught:
        check_text(MessageEvent.RECEIPT, text)
    assert (caught.value.code, caught.value.params["reason"]) == ("template_invalid", reason)


async def test_a_new_version_is_used_at_once_and_the_old_one_stays_readable(post: Post) -> None:
    assert await edit(post.city, "receipt", text="新文字{number}") == 2
    await post.city.ticket()
    [text] = await post.deliver()
    assert "新文字" in text
    async with post.city.db.read() as session:
        found = await templates.versions(session, "receipt")
    assert [wording.version for wording in found] == [2, 1]
    assert found[0].by == "admin"


async def test_an_older_version_a_wrong_wording_or_another_post_saves_nothing(
    city: City, refused: Refused
) -> None:
    await edit(city, "receipt", text="一{number}")
    await refused("version_conflict", edit(city, "receipt", text="二{number}"))
    await refused("template_invalid", edit(city, "receipt", base=2, text="{phone}"))
    for who in ("leader", "agent", "inspector", "security"):
        async with city.db.begin() as uow:
            work = templates.save(
                uow, city.actors[who], "receipt", 1, text="x", mandatory=True, at_once=True, enabled=True
            )
            await refused("forbidden", work)
    async with city.db.read() as session:
        await refused("template_unknown", templates.current(session, "nothing"))


async def test_a_wording_that_is_switched_off_is_not_sent(post: Post) -> None:
    await edit(post.city, "receipt", enabled=False)
    await post.city.ticket()
    assert await post.deliver() == []
    assert await post.log() == [("receipt", "skipped", "template_off")]


def test_what_is_filled_in_is_never_read_as_a_placeholder() -> None:
    values = {"reply": "{code}", "code": "804213"}
    assert render("答复：{reply}", values) == "答复：{code}"


def test_a_long_reply_becomes_one_line_that_ends() -> None:
    assert summary("第一行\n第二行") == "第一行 第二行。"
    assert summary("完成！") == "完成！"
    assert len(summary("长" * 500)) == 120
    assert summary("长" * 500).endswith("…")
