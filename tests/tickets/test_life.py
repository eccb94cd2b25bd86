"""The life of a ticket through its service: every way there is, with what it does to the clocks."""

from datetime import timedelta
from typing import Any, cast

import pytest

from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Role
from tests.tickets.conftest import City, Refused
from tests.tickets.life import RETURN, Life, life, person
from tickets.inputs import Appeal
from tickets.states import Action as A
from tickets.states import State
from tickets.sweep import Sweep


async def test_a_ticket_goes_from_dispatch_to_the_archive(city: City) -> None:
    one = await life(city)
    await one.to_check()
    assert await one.state() == State.WAITING_CHECK
    await one.do("supervision", A.SUPERVISE, note="重点跟进")  # so that it is called back for certain
    await one.do("dispatcher", A.PASS_CHECK)
    assert await one.state() == State.WAITING_CALLBACK
    await one.do("callback", A.REVISIT, result="reached", responded=True, solved=True, satisfied=5)
    row = await one.row()
    assert (row.state, row.solved, row.satisfied, row.stage) == ("closed", True, 5, None)
    assert row.closed_at is not None
    await one.do("system", A.ARCHIVE)
    assert await one.state() == State.ARCHIVED
    await one.check_replay()
    assert (
        await one.scalar("SELECT count(*) FROM ticket_stage WHERE ticket_id = :id AND ended_at IS NULL") == 0
    )


async def test_the_total_runs_from_the_first_dispatch_and_nothing_moves_it_back(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    assert (await one.row()).due_at is None
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    due = (await one.row()).due_at
    clock.advance(3600)
    await one.do("lights", A.SIGN)
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    clock.advance(3600)
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意", unit_id=city.unit("water"))
    clock.advance(3600)
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("lights"), reason_code="new_facts")
    assert (await one.row()).due_at == due
    await one.check_replay()


async def test_the_return_of_a_second_unit_goes_to_the_ruling_desk_and_its_word_is_final(
    city: City, refused: Refused
) -> None:
    one = await life(city)
    await one.to_handling("lights")
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    assert await one.state() == State.RETURN_REVIEW
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意", unit_id=city.unit("water"))
    await one.do("water", A.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    assert await one.state() == State.RULING
    await refused("action_not_allowed", one.do("dispatcher", A.ACCEPT_RETURN, note="x"))
    await refused("forbidden", one.do("dispatcher", A.RULE, note="x", unit_id=city.unit("lights")))
    await one.do("supervision", A.RULE, note="先办后议", unit_id=city.unit("lights"))
    assert await one.state() == State.WAITING_SIGN
    await refused("return_ruled", one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water")))
    await one.check_replay()


async def test_an_accepted_return_does_not_go_back_to_the_unit_that_returned_it(
    city: City, refused: Refused
) -> None:
    one = await life(city)
    await one.to_handling("lights")
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    await refused("unit_has_it", one.do("dispatcher", A.ACCEPT_RETURN, note="x", unit_id=city.unit("lights")))
    assert await one.state() == State.RETURN_REVIEW


async def test_who_passes_a_ticket_on_unsigned_has_signed_it(city: City) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"))
    await one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian"))
    signed = "SELECT signed_at IS NOT NULL FROM ticket_unit WHERE ticket_id = :id AND role = "
    assert await one.scalar(signed + "'lead'")
    assert not await one.scalar(signed + "'sub'")


async def test_a_unit_returns_once_and_within_a_working_day(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    wanted = RETURN | {"suggested_unit_id": city.unit("water")}
    await one.do("lights", A.RETURN, **wanted)
    await one.do("dispatcher", A.REFUSE_RETURN, note="属于你单位职责")
    assert await one.state() == State.HANDLING
    await refused("return_used", one.do("lights", A.RETURN, **wanted))
    other = await life(city)
    await other.to_handling()
    clock.advance(timedelta(days=2).total_seconds())
    await refused("return_late", other.do("lights", A.RETURN, **wanted))


async def test_a_closing_needs_a_contact_record_and_a_reply_that_names_nobody(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    reply = {"public_reply": "已修复，感谢您的反映。"}
    await refused("contact_missing", one.do("lights", A.CLOSE, **reply))
    await refused("form_invalid", one.do("lights", A.CLOSE, result="reached"))
    leak = {"public_reply": "已电话联系 13812341234 说明情况", "result": "reached"}
    assert (await refused("reply_has_personal", one.do("lights", A.CLOSE, **leak)))["kinds"] == ["phone"]
    for _ in range(3):
        await one.do("lights", A.CONTACT, result="no_answer")
        clock.advance(3600)
    await one.do("lights", A.CLOSE, **reply)
    assert await one.state() == State.WAITING_CHECK
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="no_basis", note="请补充依据")
    assert await one.state() == State.HANDLING
    await one.check_replay()


async def test_what_is_not_solved_needs_the_reason(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_handling()
    await refused("unsolved_reason", one.close(solved=False))
    await refused("reason_unknown", one.close(solved=False, unsolved_code="made_up"))
    await one.close(solved=False, unsolved_code="no_money")
    assert (await one.row()).solved is False


async def test_an_urgent_closing_passes_the_head(city: City, refused: Refused) -> None:
    one = await life(city, urgency="urgent")
    await one.to_check()
    assert await one.state() == State.CLOSING_REVIEW
    await refused("forbidden", one.do("lights", A.APPROVE_CLOSING))
    await one.do("lights_head", A.REFUSE_CLOSING, note="请附现场照片")
    assert await one.state() == State.HANDLING
    await one.close()
    await one.do("lights_head", A.APPROVE_CLOSING)
    assert await one.state() == State.WAITING_CHECK
    await one.check_replay()


async def test_the_lead_closes_when_every_co_handler_has_answered(city: City, refused: Refused) -> None:
    one = await life(city)
    water = city.unit("water")
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"), co_unit_ids=[water])
    await one.do("lights", A.SIGN)
    await refused("co_unanswered", one.close())
    await refused("forbidden", one.do("water", A.CLOSE, public_reply="好的。", result="reached"))
    await one.do("water", A.CO_OPINION, note="管线无异常")
    assert (
        await one.scalar("SELECT opinion FROM ticket_unit WHERE ticket_id = :id AND role = 'co'")
        == "管线无异常"
    )
    await one.close()
    await one.check_replay()


async def test_a_co_handler_can_be_taken_off_again(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_handling()
    water = city.unit("water")
    await one.do("dispatcher", A.ADD_CO, unit_ids=[water], note="请协助核查")
    await refused("unit_has_it", one.do("dispatcher", A.ADD_CO, unit_ids=[water]))
    await refused("unit_cannot_take", one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("lights")]))
    await one.do("dispatcher", A.REMOVE_CO, unit_id=water, note="无需协办")
    await refused("ticket_not_found", one.do("water", A.CO_OPINION, note="x"))
    await one.close()


async def test_more_time_is_granted_once_and_again_only_through_the_head(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    one = await life(city, type="complaint")
    await one.to_handling()
    before = (await one.row()).due_at
    asked = {"reason_code": "complex", "note": "需要勘察", "days": 5}
    await refused("form_invalid", one.do("lights", A.APPLY_EXTENSION, **asked | {"days": 11}))
    await one.do("lights", A.APPLY_EXTENSION, **asked)
    await refused("forbidden", one.do("lights_head", A.APPROVE_EXTENSION))
    await one.do("supervision", A.APPROVE_EXTENSION)
    after = (await one.row()).due_at
    assert after - before == timedelta(days=7)  # five working days
    await refused("extension_needs_head", one.do("lights", A.APPLY_EXTENSION, **asked))
    await one.do("lights_head", A.APPLY_EXTENSION, **asked)
    await one.do("supervision", A.REFUSE_EXTENSION, note="理由不足")
    assert ((await one.row()).state, (await one.row()).due_at) == ("handling", after)
    clock.advance(timedelta(days=40).total_seconds())
    await refused("extension_late", one.do("lights_head", A.APPLY_EXTENSION, **asked))
    await one.check_replay()


async def test_urgent_matters_get_no_more_time(city: City, refused: Refused) -> None:
    one = await life(city, urgency="critical")
    await one.to_handling()
    asked = {"reason_code": "complex", "note": "需要勘察", "days": 1}
    await refused("extension_urgent", one.do("lights", A.APPLY_EXTENSION, **asked))


async def test_a_suspended_ticket_is_looked_at_again_at_its_review_date(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    row = await one.row()
    assert (row.state, row.stage_due_at) == ("suspended", clock.now() + timedelta(days=20))
    await one.do("lights", A.RESUME, note="资金到位")
    assert await one.state() == State.HANDLING
    await one.check_replay()


async def test_redo_is_a_round_of_its_own_and_is_always_called_back(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_check()
    await one.do("supervision", A.SUPERVISE, note="x")
    await one.do("dispatcher", A.PASS_CHECK)
    answers = {"result": "reached", "responded": True, "solved": False, "satisfied": 1}
    await refused("answers_missing", one.do("callback", A.REVISIT, **answers))
    await refused("answers_missing", one.do("callback", A.REVISIT, result="reached", responded=True))
    await one.do("callback", A.REVISIT, **answers, redo=True, reason_code="not_solved")
    row = await one.row()
    assert (row.state, row.round, row.lead_unit_id) == ("waiting_sign", 2, city.unit("lights"))
    await one.do("lights", A.SIGN)
    await refused("contact_missing", one.do("lights", A.CLOSE, public_reply="已再次处理。"))
    await one.close()
    await one.do("dispatcher", A.PASS_CHECK)
    assert await one.state() == State.WAITING_CALLBACK
    await one.check_replay()


async def test_the_third_miss_ends_a_call_back(city: City) -> None:
    one = await life(city)
    await one.to_check()
    await one.do("supervision", A.SUPERVISE, note="x")
    await one.do("dispatcher", A.PASS_CHECK)
    for expected in ("waiting_callback", "waiting_callback", "closed"):
        await one.do("callback", A.REVISIT, result="no_answer")
        assert await one.state() == expected
    assert await one.scalar("SELECT result FROM revisit WHERE ticket_id = :id") == "unreachable"
    assert (await one.row()).solved is True  # what the unit said; the citizen's answers stay empty
    assert (await one.row()).satisfied is None
    await one.check_replay()


async def test_a_district_lends_a_ticket_to_its_street_and_closes_it_itself(
    city: City, refused: Refused
) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"))
    await refused("unit_not_below", one.do("district", A.SUB_DISPATCH, unit_id=city.unit("xiangshan")))
    await one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian"))
    await refused("forbidden", one.do("district", A.SIGN))
    await one.do("street", A.SIGN)
    await one.do("street", A.CONTACT, result="reached")
    await refused("forbidden", one.do("street", A.CLOSE, public_reply="已处理。"))
    await one.do("street", A.REPORT_BACK, note="已派人清理", public_reply="现场已清理。")
    await one.do("district", A.CLOSE, public_reply="现场已清理完毕。")
    assert await one.state() == State.WAITING_CHECK
    await one.check_replay()


async def test_a_district_takes_a_lent_ticket_back(city: City) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"))
    await one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian"))
    await one.do("district", A.TAKE_BACK, note="区里直接办理")
    assert ((await one.row()).state, (await one.row()).desk_unit_id) == ("handling", city.unit("qixing"))
    await one.close("district")
    await one.check_replay()


async def test_merged_callers_are_kept_and_close_with_their_master(city: City, refused: Refused) -> None:
    master = await life(city, phone="13800000001")
    members = [await life(city, phone=f"1380000010{n}") for n in range(4)]
    await refused("merge_into_itself", master.do("agent", A.MERGE, master_id=master.id))
    for one in members:
        await one.do("agent", A.MERGE, master_id=master.id)
    await refused("has_members", master.do("agent", A.WITHDRAW, note="x"))
    await members[0].do("dispatcher", A.UNMERGE, note="不是同一件事")
    assert await members[0].state() == State.WAITING_DISPATCH
    await master.to_check()
    await master.do("supervision", A.SUPERVISE, note="x")
    await master.do("dispatcher", A.PASS_CHECK)
    await master.do("callback", A.REVISIT, result="reached", responded=True, solved=True, satisfied=4)
    assert [await one.state() for one in members] == ["waiting_dispatch", "closed", "closed", "closed"]
    phones = await city.scalar("SELECT count(DISTINCT phone_ref) FROM ticket")
    assert phones == 5
    for one in (master, *members):
        await one.check_replay()


async def test_a_ticket_about_a_unit_does_not_go_there_without_supervision(
    city: City, refused: Refused
) -> None:
    one = await life(city, subject_unit_id=city.unit("qixing"))
    for unit in ("qixing", "sanlidian"):
        await refused("unit_is_subject", one.do("dispatcher", A.DISPATCH, unit_id=city.unit(unit)))
    await one.do("supervision", A.DISPATCH, unit_id=city.unit("qixing"))
    assert await one.state() == State.WAITING_SIGN


async def test_a_correction_takes_the_unit_complained_about_away_and_says_why(
    city: City, refused: Refused
) -> None:
    one = await life(city, subject_unit_id=city.unit("qixing"))
    await one.do("dispatcher", A.EDIT, title="另一个标题")
    assert (await one.row()).subject_unit_id == city.unit("qixing")
    for unit in (None, city.unit("water")):
        told = await refused("form_invalid", one.do("dispatcher", A.EDIT, subject_unit_id=unit))
        assert told["fields"] == {"note": "required"}
    await one.do("dispatcher", A.EDIT, subject_unit_id=None, note="登记时误选，来电人未反映该区")
    assert (await one.row()).subject_unit_id is None
    assert (await one.history())[-1].changes["subject_unit_id"] == [city.unit("qixing"), None]
    await refused("nothing_to_change", one.do("dispatcher", A.EDIT, subject_unit_id=None))
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"))
    assert await one.state() == State.WAITING_SIGN
    await one.check_replay()


async def test_neither_a_lower_unit_nor_a_co_handler_gets_a_ticket_about_itself(
    city: City, refused: Refused
) -> None:
    one = await life(city, subject_unit_id=city.unit("sanlidian"))
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"))
    await refused("unit_is_subject", one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian")))
    await refused("unit_is_subject", one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("sanlidian")]))


async def test_the_appeal_of_a_sealed_reporter_stays_sealed(city: City, refused: Refused) -> None:
    one = await life(city, type="report", title="举报占道经营")
    await one.do("agent", A.ANSWER, public_reply="已依法告知。")
    async with city.db.begin() as uow:
        version = (await one.row()).version
        made = await city.tickets.appeal(uow, city.actors["agent"], one.id, version, Appeal(note="不服"))
    assert (await Life(city, made.id, made.number).row()).confidentiality == "secret"


async def test_only_supervision_unseals_a_reporter_a_unit_works_for(city: City, refused: Refused) -> None:
    one = await life(city, type="report")
    await one.to_handling()
    await refused("unseal_refused", one.do("dispatcher", A.EDIT, type="complaint", note="类型有误"))
    await refused("unseal_refused", one.do("supervision", A.EDIT, type="complaint"))
    await one.do("supervision", A.EDIT, type="complaint", note="反映人书面同意公开")
    assert (await one.row()).type == "complaint"


async def test_a_voided_ticket_is_on_no_work_list(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="malicious", note="重复骚扰")
    await one.close()
    await one.do("supervision", A.SUPERVISE, note="x")
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("leader", A.VOID, reason_code="false", note="虚假")
    assert await one.scalar("SELECT count(*) FROM revisit WHERE ticket_id = :id AND closed_at IS NULL") == 0
    pending = "SELECT count(*) FROM ticket_request WHERE ticket_id = :id AND state = 'pending'"
    assert await one.scalar(pending) == 0
    await one.check_replay()


async def test_a_decision_sent_twice_is_one_decision(city: City) -> None:
    one = await life(city, type="complaint")
    await one.to_handling()
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="勘察", days=2)
    seen = (await one.row()).version
    first = await one.do("supervision", A.APPROVE_EXTENSION, version=seen)
    assert await one.do("supervision", A.APPROVE_EXTENSION, version=seen) == first
    assert (await one.row()).extensions == 1


async def test_an_appeal_is_a_ticket_away_from_who_handled_and_checked(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_check()
    await one.do("supervision", A.SUPERVISE, note="x")
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("callback", A.REVISIT, result="no_answer")
    await one.do("callback", A.REVISIT, result="refused")
    async with city.db.begin() as uow:
        version = (await one.row()).version
        made = await city.tickets.appeal(uow, city.actors["agent"], one.id, version, Appeal(note="处理不公"))
    async with city.db.begin() as uow:  # a double click
        again = await city.tickets.appeal(uow, city.actors["agent"], one.id, version, Appeal(note="处理不公"))
    assert again == made
    async with city.db.begin() as uow:
        other = Appeal(note="另有不满")
        await refused("appeal_open", city.tickets.appeal(uow, city.actors["agent2"], one.id, 1, other))
    appeal = Life(city, made.id, made.number)
    row = await appeal.row()
    assert (row.type, row.appeal_of_id, row.phone_ref) == ("appeal", one.id, (await one.row()).phone_ref)
    await refused("unit_avoided", appeal.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights")))
    await appeal.to_check("water")
    await refused("appeal_own_check", appeal.do("dispatcher", A.PASS_CHECK))
    await appeal.do("leader", A.PASS_CHECK)


async def test_an_exclusion_is_coded_decided_and_leaves_the_state_alone(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_handling()
    await refused("no_request", one.do("supervision", A.APPROVE_EXCLUSION))
    wanted = {"reason_code": "against_law", "note": "要求违反条例"}
    await one.do("lights", A.APPLY_EXCLUSION, **wanted)
    await refused("request_pending", one.do("lights", A.APPLY_EXCLUSION, **wanted))
    await one.do("supervision", A.APPROVE_EXCLUSION)
    row = await one.row()
    assert (row.state, row.excluded) == ("handling", True)
    await one.check_replay()


@pytest.mark.parametrize(
    ("action", "data", "state"),
    [
        (A.ANSWER, {"public_reply": "公交 11 路末班车 22:30。"}, "answered"),
        (A.INFORM, {"public_reply": "请向人民法院提起诉讼。", "reason_code": "litigation"}, "informed"),
        (A.EMERGENCY, {"reason_code": "119", "note": "有明火"}, "emergency"),
        (A.WITHDRAW, {"note": "市民要求撤回"}, "withdrawn"),
    ],
)
async def test_the_hotline_ends_a_ticket_without_a_unit(
    city: City, action: A, data: dict[str, str], state: str
) -> None:
    one = await life(city)
    await one.do("agent", action, **data)
    row = await one.row()
    assert (row.state, row.stage, row.closed_at is not None) == (state, None, True)
    await one.check_replay()


async def test_only_a_leader_or_supervision_voids(city: City, refused: Refused) -> None:
    one = await life(city)
    await refused("forbidden", one.do("agent", A.VOID, reason_code="test", note="x"))
    await one.do("leader", A.VOID, reason_code="test", note="测试数据")
    assert await one.state() == State.VOID
    await refused("action_not_allowed", one.do("leader", A.NOTE, note="x"))


async def test_a_correction_of_the_urgency_moves_the_due_time_from_the_first_dispatch(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    dispatched = (await one.row()).dispatched_at
    await one.do("dispatcher", A.EDIT, urgency="urgent", title="中山路多处路灯不亮")
    row = await one.row()
    assert row.due_at == dispatched + timedelta(hours=24)
    assert row.title == "中山路多处路灯不亮"
    await one.check_replay()


async def test_a_deputy_approves_for_his_head_while_the_delegation_runs(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    from core.people import delegation

    await person(city, "colleague", Role.DEPT_OFFICER, "lights")
    one = await life(city, urgency="urgent")
    await one.to_check()
    head, deputy = city.actors["lights_head"], city.actors["colleague"]
    today = clock.now().date()
    async with city.db.begin() as uow:
        await delegation.create(
            uow, head, deputy_id=deputy.user_id or 0, first_day=today, last_day=today, reason="出差"
        )
    await one.do("colleague", A.APPROVE_CLOSING)
    assert await one.state() == State.WAITING_CHECK
    who = "SELECT on_behalf_of FROM ticket_request WHERE ticket_id = :id AND kind = 'closing'"
    assert await one.scalar(who) == head.user_id
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="off_topic", note="x")
    await one.close("colleague")
    await refused("own_request", one.do("colleague", A.APPROVE_CLOSING))
    clock.advance(timedelta(days=1).total_seconds())
    await refused("forbidden", one.do("colleague", A.APPROVE_CLOSING))


async def test_the_same_request_sent_twice_is_done_once(city: City, refused: Refused) -> None:
    one = await life(city)
    seen = (await one.row()).version
    unit = city.unit("lights")
    first = await one.do("dispatcher", A.DISPATCH, version=seen, unit_id=unit)
    assert await one.do("dispatcher", A.DISPATCH, version=seen, unit_id=unit) == first
    other = city.unit("water")
    await refused("version_conflict", one.do("dispatcher", A.DISPATCH, version=seen, unit_id=other))
    await refused("version_conflict", one.do("leader", A.DISPATCH, version=seen, unit_id=unit))


async def test_a_closed_unit_hands_its_tickets_over_in_whatever_role(city: City) -> None:
    lead, co = await life(city), await life(city)
    lights, water = city.unit("lights"), city.unit("water")
    await lead.to_handling("lights")
    due = (await lead.row()).due_at
    await co.do("dispatcher", A.DISPATCH, unit_id=city.unit("qixing"), co_unit_ids=[lights])
    for one in (lead, co):
        await one.do("system", A.HAND_OVER, unit_id=water, from_unit_id=lights, note="机构撤并")
    row = await lead.row()
    assert (row.state, row.lead_unit_id, row.desk_unit_id, row.due_at) == ("handling", water, water, due)
    await lead.close("water")
    await co.do("water", A.CO_OPINION, note="无异议")
    for one in (lead, co):
        await one.check_replay()


class Leads:
    """A lease that is held."""

    async def fence(self, uow: UnitOfWork) -> None:
        """Still leading."""


def sweep(city: City) -> Sweep:
    return Sweep(city.db, city.tickets, city.settings, cast(Any, Leads()))


async def test_what_nobody_signs_is_signed_at_the_limit_and_not_before(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    limit = (await one.row()).stage_due_at
    clock.advance((limit - clock.now()).total_seconds())
    assert await sweep(city).run() == 0
    clock.advance(1)
    assert await sweep(city).run() == 1
    assert await one.state() == State.HANDLING
    assert (await one.history())[-1].changes["told"]["automatic"] is True
    assert (await one.history())[-1].actor_id is None
    assert await sweep(city).run() == 0


async def test_a_suspension_ends_at_its_review_date_and_what_is_over_is_archived(
    city: City, clock: ManualClock
) -> None:
    one, other = await life(city), await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    await other.do("agent", A.ANSWER, public_reply="已答复。")
    clock.advance(timedelta(days=20, seconds=1).total_seconds())
    assert await sweep(city).run() == 1
    assert (await one.state(), await other.state()) == (State.HANDLING, State.ANSWERED)
    clock.advance(timedelta(days=10).total_seconds())
    await sweep(city).run()
    assert await other.state() == State.ARCHIVED
    await one.check_replay()


async def test_tickets_that_cannot_be_moved_keep_nobody_waiting(
    city: City, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickets.sweep.BATCH", 2)
    ones = [await life(city, phone=f"1380000001{number}") for number in range(7)]
    for one in ones:
        await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    bad, real = {one.id for one in ones[:5]}, city.tickets.act

    async def act(uow: UnitOfWork, actor: Any, ticket_id: int, *rest: Any, **named: Any) -> int:
        if ticket_id in bad:
            raise HotlineError("internal")
        return await real(uow, actor, ticket_id, *rest, **named)

    monkeypatch.setattr(city.tickets, "act", act)
    clock.advance(timedelta(days=3).total_seconds())
    assert await sweep(city).run() == 2
    assert [await one.state() for one in ones[5:]] == [State.HANDLING, State.HANDLING]


async def test_an_application_is_void_once_the_ticket_goes_to_another_unit(city: City) -> None:
    one = await life(city, type="complaint")
    await one.to_handling()
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="勘察", days=3)
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("water"), reason_code="new_facts")
    assert await one.scalar("SELECT state FROM ticket_request WHERE ticket_id = :id") == "withdrawn"


async def test_people_without_a_part_in_it_find_no_ticket(city: City, refused: Refused) -> None:
    await person(city, "police", Role.DEPT_HEAD, "xiangshan")
    one = await life(city)
    await one.to_handling("lights")
    for action, data in ((A.SIGN, {}), (A.NOTE, {"note": "x"}), (A.APPROVE_CLOSING, {})):
        await refused("ticket_not_found", one.do("police", action, **data))
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("water"), reason_code="wrong_unit")
    await refused("ticket_not_found", one.do("lights", A.NOTE, note="x"))  # it is theirs no more
