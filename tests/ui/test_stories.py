"""Stories of tickets, each by the people who live them, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from core.people.permissions import Role
from tests.ui.conftest import RunningConsole
from tests.ui.desk import Cast
from tests.ui.seat import scalar, seat

pytestmark = pytest.mark.browser
REPLY = "已组织清理并落实定点管理，盲道恢复畅通。"
RETURN = {"reason_code": "other_unit", "note": "该路段由交警管理", "basis": "权责清单第三条"}


async def test_from_the_agent_to_the_archive_with_a_redo_on_the_way(console: RunningConsole) -> None:
    cast = Cast(console)
    page = await seat(console)
    await page.keyboard.press("Alt+n")
    await page.wait_for_selector("[data-draft]")
    await page.fill("input[name=phone]", "13877300001")
    await page.fill("input[name=title]", "夜市占道经营")
    await page.fill("textarea[name=narrative]", "反映夜市摊位占用盲道，行人无法通行。")
    await page.locator("input[name=title]").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("路灯")
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_contain_text("工单已登记")
    number = re.sub(r"\D", "", await page.inner_text(".ag-result-number"))
    ticket = int(await scalar(cast.node, "SELECT id FROM ticket WHERE number = :n", n=number))

    await cast.does("dispatcher01", ticket, "dispatch", unit_id=await cast.unit("chengguan"))
    desk = await cast.opens("chengguan01", "/workbench?urgency=new")
    row = desk.locator("[data-row]", has_text="夜市占道经营").first
    await row.focus()
    await desk.keyboard.press("Space")
    await expect(desk.locator("[data-bulk]")).to_be_visible()
    await desk.keyboard.press("Alt+s")
    await expect(desk.locator("[data-report]")).to_contain_text("已办理 1 件")
    assert await cast.state(ticket) == "handling"
    closing = {"public_reply": REPLY, "handling": "现场整治", "result": "reached"}
    await cast.does("chengguan01", ticket, "close", **closing)
    await cast.does(
        "dispatcher01", ticket, "reject_check", reason_code="no_promised_time", note="请写明巡查安排"
    )
    # The contact of this round is on record already.
    await cast.does("chengguan01", ticket, "close", public_reply=REPLY + "每晚巡查至月底。")
    await cast.does("supervision01", ticket, "supervise", note="重点路段")
    await cast.does("dispatcher01", ticket, "pass_check")

    officer = await cast.opens("callback01", f"/revisits?ticket={ticket}")
    for name, value in (
        ("result", "reached"),
        ("responded", "true"),
        ("solved", "false"),
        ("satisfied", "1"),
    ):
        await officer.check(f"input[name={name}][value='{value}']")
    await officer.select_option("select[name=reason_code]", "not_solved")
    await officer.check("input[name=redo]")
    await officer.click("text=登记并处理下一件")
    await expect(officer.locator("body")).to_contain_text("已发回重办")
    assert await cast.state(ticket) == "waiting_sign"
    await cast.does("chengguan01", ticket, "sign")
    await cast.does("chengguan01", ticket, "close", **closing)
    await cast.does("dispatcher01", ticket, "pass_check")
    officer = await cast.opens("callback01", f"/revisits?ticket={ticket}")
    for name, value in (("result", "reached"), ("responded", "true"), ("solved", "true"), ("satisfied", "5")):
        await officer.check(f"input[name={name}][value='{value}']")
    await officer.click("text=登记并处理下一件")
    await expect(officer.locator("body")).to_contain_text("回访已完成")
    await cast.does("dispatcher01", ticket, "archive")
    assert await cast.state(ticket) == "archived"
    shown = await cast.opens("inspector", f"/tickets/{ticket}")
    for words in ("重办", "审核退回", "归档"):
        await expect(shown.locator("body")).to_contain_text(words)


async def test_two_returns_end_at_the_ruling_desk(console: RunningConsole) -> None:
    cast = Cast(console)
    ticket = await cast.makes()
    chengguan, police = await cast.unit("chengguan"), await cast.unit("jiaojing")
    await cast.does("dispatcher01", ticket, "dispatch", unit_id=chengguan)
    await cast.does("chengguan01", ticket, "return", **RETURN, suggested_unit_id=police)
    desk = await cast.opens("dispatcher01", "/rulings")
    await expect(desk.locator("body")).to_contain_text("夜市占道经营")
    await cast.does("dispatcher01", ticket, "accept_return", note="同意", unit_id=police)
    await cast.does("jiaojing01", ticket, "return", **RETURN, suggested_unit_id=chengguan)
    assert await cast.state(ticket) == "ruling"
    await cast.forbidden("dispatcher01", ticket, "rule", unit_id=chengguan, note="我来裁定")
    await cast.does("supervision01", ticket, "rule", unit_id=chengguan, note="先办后议")
    await cast.does("chengguan01", ticket, "sign")
    await cast.refused("chengguan01", ticket, "return")
    assert await cast.state(ticket) == "handling"


async def test_a_sealed_report_is_asked_about_through_the_hotline(console: RunningConsole) -> None:
    cast = Cast(console)
    ticket = await cast.makes(type="report", citizen_name="秦小川", title="举报违规排污")
    await cast.does("dispatcher01", ticket, "dispatch", unit_id=await cast.unit("huanjing"))
    await cast.does("huanjing01", ticket, "sign")
    page = await cast.does("huanjing01", ticket, "ask_relay", note="排污口在桥的上游还是下游？")
    body = await page.inner_text("body")
    assert "秦**" not in body
    assert "138****0001" not in body
    hotline = await cast.opens("agent06", "/relay")
    await expect(hotline.locator("body")).to_contain_text("排污口在桥的上游还是下游")
    await cast.does("agent06", ticket, "answer_relay", note="在桥下游约五十米。")
    page = await cast.opens("huanjing01", f"/tickets/{ticket}")
    await expect(page.locator("body")).to_contain_text("在桥下游约五十米")


async def test_five_callers_about_one_thing_are_closed_together(console: RunningConsole) -> None:
    cast = Cast(console)
    master = await cast.makes(title="整个片区停水")
    members = [await cast.makes(title=f"停水{n}", phone=f"1387730010{n}") for n in range(4)]
    number = str(await scalar(cast.node, "SELECT number FROM ticket WHERE id = :id", id=master))
    for ticket in members:
        await cast.does("agent06", ticket, "merge", master_number=number)
    await cast.does("dispatcher01", master, "dispatch", unit_id=await cast.unit("gongshui"))
    await cast.does("gongshui01", master, "sign")
    await cast.does("gongshui01", master, "close", public_reply="管网已修复供水。", result="reached")
    await cast.does("supervision01", master, "supervise", note="民生")
    await cast.does("dispatcher01", master, "pass_check")
    officer = await cast.opens("callback01", f"/revisits?ticket={master}")
    for name, value in (("result", "reached"), ("responded", "true"), ("solved", "true"), ("satisfied", "4")):
        await officer.check(f"input[name={name}][value='{value}']")
    await officer.click("text=登记并处理下一件")
    await expect(officer.locator("body")).to_contain_text("回访已完成")
    assert [await cast.state(ticket) for ticket in (master, *members)] == ["closed"] * 5
    shown = await cast.opens("inspector", f"/tickets/{members[0]}")
    await expect(shown.locator("body")).to_contain_text("随主单办结")
    kept = "SELECT count(DISTINCT phone_ref) FROM ticket WHERE id = :id OR merged_into_id = :id"
    assert await scalar(cast.node, kept, id=master) == 5


async def test_a_deputy_approves_a_closing_for_his_head(console: RunningConsole) -> None:
    cast = Cast(console)
    ticket = await cast.makes(urgency="urgent", title="井盖缺失")
    await cast.does("dispatcher01", ticket, "dispatch", unit_id=await cast.unit("chengguan"))
    await cast.does("chengguan01", ticket, "sign")
    await cast.does("chengguan01", ticket, "close", public_reply="井盖已补装。", result="reached")
    assert await cast.state(ticket) == "closing_review"
    await cast.hires("chengguan02", Role.DEPT_OFFICER, "chengguan")
    officer = await cast.opens("chengguan02", "/approvals")
    await expect(officer.locator("body")).to_contain_text("没有待审批事项")
    head = await cast.opens("chengguan_head", "/delegations")
    deputy = await scalar(cast.node, "SELECT id FROM user_account WHERE login = 'chengguan02'")
    await head.select_option("select[name=deputy_id]", str(deputy))
    await head.fill("[name=reason]", "外出学习")
    await head.fill("[name=last_day]", await head.input_value("[name=first_day]"))
    await head.click("form[action='/delegations'] button[type=submit]")
    officer = await cast.opens("chengguan02", f"/approvals?ticket={ticket}&kind=closing")
    await expect(officer.locator("body")).to_contain_text("您正在代")
    await officer.click("button[value=yes]")
    await expect(officer.locator("body")).to_contain_text("已同意")
    assert await cast.state(ticket) == "waiting_check"
    joined = "user_account u JOIN ticket_request r ON r.on_behalf_of = u.id"
    who = f"SELECT login FROM {joined} WHERE r.ticket_id = :id"
    assert await scalar(cast.node, who, id=ticket) == "chengguan_head"
