"""The same matter beside the form: what it says, who gets it, the repeat in one key."""

from __future__ import annotations

import re
from typing import Any

from tests.tickets.test_duplicates import Led
from tests.tickets.test_duplicates_clusters import PLANT
from tests.web.agent_rig import HX, MOBILE, Floor, ctx, floor
from tickets.duplicates.signatures import refresh
from tickets.duplicates.watch import ClusterWatch

__all__ = ["ctx", "floor"]
NOTHING = "还没有相近的在办工单。"
TYPED = {"title": PLANT[1][0], "narrative": PLANT[1][1]}


async def first(floor: Floor, number: int = 0, **over: Any) -> Any:
    """A ticket with its signature."""
    title, text = PLANT[number]
    made = await floor.console.ticket(title=title, narrative=text, **over)
    async with floor.ctx.db.begin() as uow:
        await refresh(uow, [made.id])
    return made


async def draft_of(floor: Floor, browser: Any) -> str:
    answer = await browser.post("/drafts")
    return str(answer.headers["Location"].rsplit("=", 1)[1])


def only_nothing(shown: str) -> bool:
    """The sentence that there is nothing alike and no word besides: no ticket, no link, no button."""
    return re.fullmatch(rf"<p[^<>]*>{NOTHING}</p>", shown.strip()) is not None


async def test_the_form_shows_open_tickets_about_the_same_matter_and_why(floor: Floor) -> None:
    made = await first(floor)
    browser = await floor.console.signed_in("a1001")
    draft = await draft_of(floor, browser)
    answer = await browser.post(f"/drafts/{draft}/alike", {"version": "1", **TYPED}, headers=HX)
    assert answer.status == 200
    assert f"/tickets/{made.id}" in answer.text
    assert "同一地点 栖霞雅苑" in answer.text
    assert "都提到" in answer.text
    assert "Alt+R" in answer.text
    other = await browser.post(f"/drafts/{draft}/alike", {"version": "1", "title": "医保报销"}, headers=HX)
    assert only_nothing(other.text)


async def test_a_sealed_draft_is_shown_nothing(floor: Floor) -> None:
    await first(floor)
    browser = await floor.console.signed_in("a1001")
    draft = await draft_of(floor, browser)
    fields = {"version": "1", **TYPED, "type": "report"}
    answer = await browser.post(f"/drafts/{draft}/alike", fields, headers=HX)
    assert only_nothing(answer.text)


async def test_somebody_elses_draft_is_not_asked_for(floor: Floor) -> None:
    browser, other = await floor.console.signed_in("a1001"), await floor.console.signed_in("a1002")
    draft = await draft_of(floor, browser)
    answer = await other.post(f"/drafts/{draft}/alike", {"version": "1", **TYPED}, headers=HX)
    assert answer.status == 404


async def test_one_press_ends_the_draft_as_a_repeat_with_a_number_to_read_out(floor: Floor) -> None:
    made = await first(floor)
    browser = await floor.console.signed_in("a1001")
    draft = await draft_of(floor, browser)
    fields = {"version": "1", "phone": MOBILE, "ticket_id": str(made.id), **TYPED}
    answer = await browser.post(f"/drafts/{draft}/repeat", fields, headers=HX)
    assert answer.status == 200, answer.text
    assert "已记为重复来电" in answer.text
    assert made.number[12:] in answer.text
    again = await browser.post(f"/drafts/{draft}/repeat", fields, headers=HX)
    assert again.status == 200
    assert "已记为重复来电" in again.text


async def test_without_a_number_to_reach_the_phone_is_asked_for(floor: Floor) -> None:
    made = await first(floor)
    browser = await floor.console.signed_in("a1001")
    draft = await draft_of(floor, browser)
    fields = {"version": "1", "ticket_id": str(made.id), **TYPED}
    answer = await browser.post(f"/drafts/{draft}/repeat", fields, headers=HX)
    assert answer.status == 422
    assert '"phone"' in answer.text


async def test_the_dispatch_desk_offers_the_merge(floor: Floor) -> None:
    made = await first(floor, 0)
    again = await first(floor, 1, phone="13900001111")
    browser = await floor.console.signed_in("dispatcher")
    answer = await browser.get(f"/dispatch?ticket={again.id}")
    assert "同一地点 栖霞雅苑" in answer.text
    assert f'name="master_id" value="{made.id}"' in answer.text


async def proposed(floor: Floor) -> str:
    """Five callers about one matter, proposed; returns the page."""
    for number in range(5):
        await first(floor, number, phone=f"1380000100{number}")
    lease: Any = Led()
    assert await ClusterWatch(floor.ctx.db, lease).run() == 1
    browser = await floor.console.signed_in("dispatcher")
    listed = await browser.get("/clusters")
    assert listed.status == 200
    assert "栖霞雅苑" in listed.text
    return str(re.search(r"/clusters/[0-9]+", listed.text)[0])  # type: ignore[index]  # it is there


async def test_a_cluster_is_confirmed_and_the_master_shows_its_callers(floor: Floor) -> None:
    path = await proposed(floor)
    browser = await floor.console.signed_in("dispatcher")
    shown = await browser.get(path)
    assert "5 人反映同一事项，共 5 件" in shown.text
    seen = re.search(r'name="seen" value="([0-9,]+)"', shown.text)
    assert seen is not None
    done = await browser.post(f"{path}/confirm", {"seen": seen[1], "master_id": ""})
    assert (done.status, done.headers["Location"]) == (303, path)
    after = await browser.get(path)
    master = re.search(r"/tickets/([0-9]+)\">查看主单", after.text)
    assert master is not None
    beside = await browser.get(f"/tickets/{master[1]}/alike", headers=HX)
    assert "人来电反映，办结时一并答复" in beside.text
    assert path in beside.text
    assert "没有待确认的预警" in (await browser.get("/clusters")).text


async def test_a_cluster_is_dismissed_with_a_reason_and_the_second_decision_is_refused(floor: Floor) -> None:
    path = await proposed(floor)
    browser = await floor.console.signed_in("shift_leader")
    assert (await browser.post(f"{path}/dismiss")).status == 422
    assert (await browser.post(f"{path}/dismiss", {"note": "不是一件事"})).status == 303
    assert "不是一件事" in (await browser.get(path)).text
    late = await browser.post(f"{path}/confirm")
    assert late.status == 409
    assert "这条预警已处理" in late.text


async def test_clusters_are_kept_from_agents_and_departments(floor: Floor) -> None:
    path = await proposed(floor)
    for login in ("a1001", "dept_officer", "callback_officer"):
        browser = await floor.console.signed_in(login)
        for page in ("/clusters", path):
            assert (await browser.get(page)).status == 403
    unknown = await floor.console.signed_in("dispatcher")
    assert (await unknown.get("/clusters/999999")).status == 404
