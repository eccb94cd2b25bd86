"""Drafts through the browser's eyes: kept while typed, ended once, in nobody else's hands."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.web.agent_rig import HX, Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Browser

__all__ = ["ctx", "floor"]
ENDINGS = ("ticket", "record", "urge", "addition", "hand-over")


@pytest.fixture
async def agent(floor: Floor) -> Browser:
    return await floor.console.signed_in("a1001")


async def _tickets(floor: Floor) -> int:
    return int(await floor.scalar("SELECT count(*) FROM ticket"))


async def test_what_is_typed_is_there_again_after_a_reload(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    saved = await hx_post(
        agent, f"/drafts/{draft}/form", floor.form(expected="尽快修复", phone2="0773-2823456")
    )
    assert (saved.status, saved.headers["HL-Version"]) == (200, "2")
    page = (await agent.get("/agent")).text
    for text in ("中山中路路灯不亮", "连续三晚不亮", "尽快修复", "0773-2823456", 'name="version" value="2"'):
        assert text in page


async def test_a_half_typed_and_wrong_form_is_kept_too(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    answer = await hx_post(
        agent, f"/drafts/{draft}/form", floor.form(title="", category_id="", phone="1381", id_number="45")
    )
    assert answer.status == 200
    assert 'value="1381"' in (await agent.get(f"/drafts/{draft}/panel")).text


async def test_a_district_and_a_street_are_kept_and_shown_again(floor: Floor, agent: Browser) -> None:
    draft, units = await floor.answered(), floor.console.units
    area = f"{units['east']}.{units['town']}"
    assert (await hx_post(agent, f"/drafts/{draft}/form", floor.form(area_id=area))).status == 200
    panel = (await agent.get(f"/drafts/{draft}/panel")).text
    assert re.search(rf'value="{re.escape(area)}"[^>]* selected', panel)
    assert (
        await hx_post(agent, f"/drafts/{draft}/ticket", floor.form(version=2, area_id=area))
    ).status == 200
    assert await floor.scalar("SELECT street_id FROM ticket") == units["town"]
    assert await floor.scalar("SELECT district_id FROM ticket") == units["east"]


async def test_two_writers_see_both_texts_and_neither_is_lost(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    other = await floor.console.signed_in("a1001")
    assert (await hx_post(agent, f"/drafts/{draft}/form", floor.form(title="第一处写的"))).status == 200
    answer = await hx_post(other, f"/drafts/{draft}/form", floor.form(title="第二处写的"))
    assert answer.status == 409
    assert "第一处写的" in answer.text
    assert "第二处写的" in answer.text
    assert 'data-version="2"' in answer.text
    assert 'data-field="narrative"' not in answer.text
    assert "第一处写的" in (await agent.get(f"/drafts/{draft}/panel")).text


async def test_saving_as_a_ticket_shows_number_and_query_code(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    answer = await hx_post(agent, f"/drafts/{draft}/ticket", floor.form())
    assert answer.status == 200
    number = str(await floor.scalar("SELECT number FROM ticket"))
    shown = re.sub(r"\s", "", plain(answer.text))
    assert number in shown
    assert re.search(r"查询码.*?\d{6}", shown)
    assert f'data-draft-tab="{draft}"' not in await agent.piece("tabs")


async def test_a_double_click_makes_one_ticket_and_shows_it_twice(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    both = await asyncio.gather(*(hx_post(agent, f"/drafts/{draft}/ticket", floor.form()) for _ in range(2)))
    assert [answer.status for answer in both] == [200, 200]
    assert both[0].text == both[1].text
    assert await _tickets(floor) == 1


async def test_missing_fields_are_named_one_by_one_and_nothing_is_lost(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered(number=None)
    form = floor.form(title="", category_id="", phone="12", id_number="450302199001011234", subject_uscc="x")
    answer = await hx_post(agent, f"/drafts/{draft}/ticket", form)
    assert answer.status == 422
    errors = json.loads(answer.text)["errors"]
    assert set(errors) == {"title", "category_id", "phone", "id_number", "subject_uscc"}
    assert all(sentence.endswith("。") for sentence in errors.values())
    assert await _tickets(floor) == 0
    assert await floor.scalar("SELECT ended_at FROM ticket_draft") is None


async def test_without_any_number_to_reach_a_contact_is_asked_for(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered(number=None)
    answer = await hx_post(agent, f"/drafts/{draft}/ticket", floor.form())
    assert set(json.loads(answer.text)["errors"]) == {"phone"}
    anonymous = floor.form(confidentiality="anonymous")
    assert (await hx_post(agent, f"/drafts/{draft}/ticket", anonymous)).status == 200


@pytest.mark.parametrize(
    "code", ["direct_answer", "informed", "explained", "emergency", "wrong_number", "harassment", "silent"]
)
async def test_every_ending_without_a_ticket_leaves_a_number(floor: Floor, agent: Browser, code: str) -> None:
    draft = await floor.answered()
    form = floor.form(title="", category_id="", code=code, note="已答复来电人。")
    answer = await hx_post(agent, f"/drafts/{draft}/record", form)
    assert answer.status == 200
    number = str(await floor.scalar("SELECT record_number FROM ticket_draft WHERE ended_as = 'record'"))
    assert number in re.sub(r"\s", "", plain(answer.text))
    assert await _tickets(floor) == 0


async def test_a_record_keeps_what_stood_in_the_form(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    await hx_post(agent, f"/drafts/{draft}/record", floor.form(code="silent", title="只有背景声"))
    assert await floor.scalar("SELECT title FROM intake_record") == "只有背景声"


async def test_a_direct_answer_without_a_note_is_asked_for_one(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    answer = await hx_post(agent, f"/drafts/{draft}/record", floor.form(code="direct_answer"))
    assert (answer.status, set(json.loads(answer.text)["errors"])) == (422, {"note"})
    unknown = await hx_post(agent, f"/drafts/{draft}/record", floor.form(code="nonsense", note="x"))
    assert set(json.loads(unknown.text)["errors"]) == {"code"}


async def test_the_same_record_sent_twice_is_one_record(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    form = floor.form(code="wrong_number")
    both = [await hx_post(agent, f"/drafts/{draft}/record", form) for _ in range(2)]
    assert [answer.status for answer in both] == [200, 200]
    assert both[0].text == both[1].text
    assert await floor.scalar("SELECT count(*) FROM intake_record") == 1


@pytest.mark.parametrize(("ending", "action"), [("urge", "urge"), ("addition", "add")])
async def test_a_repeat_caller_urges_or_adds_to_the_open_ticket(
    floor: Floor, agent: Browser, ending: str, action: str
) -> None:
    await hx_post(agent, f"/drafts/{await floor.answered()}/ticket", floor.form())
    ticket = await floor.scalar("SELECT id FROM ticket")
    draft = await floor.answered()
    form = floor.form(title="", category_id="", ticket_id=ticket, note="来电人说仍未修好。")
    both = [await hx_post(agent, f"/drafts/{draft}/{ending}", form) for _ in range(2)]
    assert [answer.status for answer in both] == [200, 200]
    assert await _tickets(floor) == 1
    count = "SELECT count(*) FROM ticket_history WHERE action = :action AND note <> ''"
    assert await floor.scalar(count, action=action) == 1


async def test_an_addition_without_text_is_refused_at_its_field(floor: Floor, agent: Browser) -> None:
    await hx_post(agent, f"/drafts/{await floor.answered()}/ticket", floor.form())
    ticket = await floor.scalar("SELECT id FROM ticket")
    draft = await floor.answered()
    answer = await hx_post(agent, f"/drafts/{draft}/addition", floor.form(ticket_id=ticket))
    assert (answer.status, set(json.loads(answer.text)["errors"])) == (422, {"note"})


async def test_a_draft_handed_over_goes_on_at_the_colleagues_seat(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    colleague = await floor.console.signed_in("a1002")
    form = floor.form(title="请接着登记", to_user_id=floor.users["a1002"])
    assert (await hx_post(agent, f"/drafts/{draft}/hand-over", form)).status == 200
    assert f'data-draft-tab="{draft}"' not in await agent.piece("tabs")
    assert "请接着登记" in (await colleague.get(f"/drafts/{draft}/panel")).text
    assert (await hx_post(agent, f"/drafts/{draft}/form", floor.form(version=3))).status in (404, 410)


@pytest.mark.parametrize("to", ["", "999999", "dept"])
async def test_a_draft_cannot_be_handed_to_nobody_or_to_a_department(
    floor: Floor, agent: Browser, to: str
) -> None:
    draft = await floor.answered()
    target = floor.console.users["dept_officer"] if to == "dept" else to
    answer = await hx_post(agent, f"/drafts/{draft}/hand-over", floor.form(to_user_id=target))
    if to == "":
        assert answer.status in (400, 422)
    else:
        assert set(json.loads(answer.text)["errors"]) == {"to_user_id"}
    assert await floor.scalar("SELECT owner_id FROM ticket_draft") == floor.users["a1001"]


async def test_what_is_saved_after_the_end_is_told_to_be_too_late(floor: Floor, agent: Browser) -> None:
    draft = await floor.answered()
    await hx_post(agent, f"/drafts/{draft}/ticket", floor.form())
    late = await hx_post(agent, f"/drafts/{draft}/form", floor.form(version=2, title="又改了"))
    assert late.status == 410
    assert await floor.scalar("SELECT title FROM ticket") == "中山中路路灯不亮"


async def test_a_manual_draft_is_opened_and_belongs_to_who_opened_it(floor: Floor, agent: Browser) -> None:
    answer = await agent.post("/drafts")
    assert answer.status == 303
    assert re.fullmatch(r"/agent\?draft=\d+", answer.headers["Location"])
    page = (await agent.get(answer.headers["Location"])).text
    assert "现场或其他渠道" in page


async def test_asking_twice_for_an_empty_draft_gives_the_same_one(floor: Floor, agent: Browser) -> None:
    first, second = [(await agent.post("/drafts")).headers["Location"] for _ in range(2)]
    assert first == second
    await hx_post(agent, f"/drafts/{first.rsplit('=', 1)[1]}/form", floor.form())
    assert (await agent.post("/drafts")).headers["Location"] != first


@pytest.mark.parametrize("path", ["form", *ENDINGS])
async def test_a_strangers_draft_cannot_be_written_ended_or_taken(
    floor: Floor, agent: Browser, path: str
) -> None:
    draft = await floor.answered("a1002")
    extra: dict[str, object] = {"code": "silent"} if path == "record" else {}
    extra |= {"ticket_id": 1, "note": "x"} if path in ("urge", "addition") else {}
    extra |= {"to_user_id": floor.users["a1001"]} if path == "hand-over" else {}
    answer = await hx_post(agent, f"/drafts/{draft}/{path}", floor.form(**extra))
    assert answer.status == 404
    assert await floor.scalar("SELECT owner_id FROM ticket_draft") == floor.users["a1002"]
    assert await floor.scalar("SELECT version FROM ticket_draft") == 1


@pytest.mark.parametrize("path", ["panel", "caller"])
async def test_a_strangers_draft_cannot_be_read(floor: Floor, agent: Browser, path: str) -> None:
    draft = await floor.answered("a1002")
    assert (await agent.get(f"/drafts/{draft}/{path}")).status == 404


async def test_a_department_cannot_reach_drafts_at_all(floor: Floor) -> None:
    draft = await floor.answered()
    department = await floor.console.signed_in("dept_officer")
    for path in ("panel", "caller"):
        assert (await department.get(f"/drafts/{draft}/{path}")).status == 403
    for path in ("form", *ENDINGS):
        assert (await hx_post(department, f"/drafts/{draft}/{path}", floor.form())).status == 403
    assert (await department.post("/drafts")).status == 403
    assert (await department.get("/drafts/stale")).status == 403


@pytest.mark.parametrize("path", ["form", *ENDINGS])
async def test_a_write_from_another_site_is_refused(floor: Floor, agent: Browser, path: str) -> None:
    draft = await floor.answered()
    headers = {"Sec-Fetch-Site": "cross-site", **HX}
    answer = await agent.post(f"/drafts/{draft}/{path}", floor.form(), headers=headers)
    assert answer.status == 403
    assert await floor.scalar("SELECT version FROM ticket_draft") == 1


@pytest.mark.parametrize(
    "over", [{"owner_id": 1}, {"ticket_id": 1}, {"version": "x"}, {"version": 0}, {"area_id": "1;2"}]
)
async def test_a_form_with_more_or_other_than_was_asked_for_is_refused(
    floor: Floor, agent: Browser, over: dict[str, object]
) -> None:
    draft = await floor.answered()
    assert (await hx_post(agent, f"/drafts/{draft}/form", floor.form(**over))).status == 400


async def test_a_leader_sees_drafts_open_for_too_long_and_takes_one_over(
    floor: Floor, agent: Browser
) -> None:
    draft = await floor.answered()
    await hx_post(agent, f"/drafts/{draft}/form", floor.form(title="写到一半"))
    leader = await floor.console.signed_in("shift_leader")
    assert "138****1234" not in (await leader.get("/drafts/stale")).text
    floor.clock.advance(31 * 60)
    leader = await floor.console.signed_in("shift_leader")
    page = (await leader.get("/drafts/stale")).text
    assert "138****1234" in page
    assert "韦晓兰" in page
    refused = await leader.post(f"/drafts/{draft}/take-over", {"version": "2", "reason": " "})
    assert refused.status == 422
    taken = await leader.post(f"/drafts/{draft}/take-over", {"version": "2", "reason": "坐席已下班"})
    assert (taken.status, taken.headers["Location"]) == (303, f"/agent?draft={draft}")
    assert "写到一半" in (await leader.get(f"/drafts/{draft}/panel")).text
    assert await floor.scalar("SELECT reason FROM audit_log WHERE action = 'draft.take_over'") == "坐席已下班"


async def test_an_agent_cannot_take_over_a_colleagues_draft(floor: Floor) -> None:
    draft = await floor.answered("a1001")
    other = await floor.console.signed_in("a1002")
    answer = await other.post(f"/drafts/{draft}/take-over", {"version": "1", "reason": "x"})
    assert answer.status == 403
