"""Rota, attendance and handover in the console: forms, files, permissions, bad input."""

from __future__ import annotations

import re

import pytest
from aiohttp import FormData

from tests.web.conftest import Browser, Console

WEEK = "2026-11-23"


async def cells(console: Console, browser: Browser, **codes: str) -> dict[str, str]:
    """The form of the week: `agent_0="A"` is the agent's Monday."""
    page = (await browser.get(f"/rota?week={WEEK}")).text
    found = dict(re.findall(r'name="(c\d+_\d)" value="([^"]*)"', page))
    for name, code in codes.items():
        login, _, day = name.rpartition("_")
        found[f"c{console.users[login]}_{day}"] = code
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    return {**found, "week": WEEK, "version": version[1]}


async def test_a_leader_fills_a_week_and_an_agent_sees_his_own(console: Console) -> None:
    leader, agent = await console.signed_in("shift_leader"), await console.signed_in("agent")
    answer = await leader.post("/rota", await cells(console, leader, agent_0="a", agent_2="N"))
    assert answer.status == 303, answer.text[-400:]
    assert 'value="N"' in (await leader.get(f"/rota?week={WEEK}")).text
    own = (await agent.get("/me/rota")).text
    assert "早班" in own
    assert "22:00–08:00" in own
    assert (await agent.get("/rota")).status == 403


async def test_what_was_typed_stays_and_the_wrong_cell_is_marked(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/rota", await cells(console, leader, agent_0="A", agent_1="甲班"))
    assert answer.status == 422
    who = console.users["agent"]
    assert re.search(rf'name="c{who}_1" value="甲班"[^>]*aria-invalid="true"', answer.text)
    assert re.search(rf'name="c{who}_0" value="A"(?![^>]*aria-invalid)', answer.text)


async def test_a_leader_who_comes_second_keeps_what_he_typed(console: Console) -> None:
    first, second = await console.signed_in("shift_leader"), await console.signed_in("shift_leader")
    late = await cells(console, second, agent_1="C")
    assert (await first.post("/rota", await cells(console, first, agent_0="A"))).status == 303
    answer = await second.post("/rota", late)
    assert answer.status == 409
    assert re.search(rf'name="c{console.users["agent"]}_1" value="C"', answer.text)
    assert 'name="version" value="1"' in answer.text


async def test_a_field_of_a_person_that_is_none_is_refused(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/rota", {**await cells(console, leader), "c999999_0": "A"})
    assert answer.status == 400


def form(raw: bytes, name: str = "rota.csv") -> FormData:
    data = FormData()
    data.add_field("week", WEEK)
    data.add_field("text", "")
    data.add_field("file", raw, filename=name, content_type="text/csv")
    return data


async def test_a_gbk_file_is_shown_by_line_and_its_good_lines_are_taken(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    raw = "排班表\r\n工号,周一,周二\r\nagent,早班,休\r\nnobody,A,A\r\n".encode("gb18030")
    shown = await leader.post("/rota/import", form(raw))
    assert shown.status == 200, shown.text[-500:]
    assert "不是可排班的人员" in shown.text
    assert "导入无误的 1 行，跳过 1 行" in shown.text
    text = "工号,周一,周二\nagent,早班,休\nnobody,A,A\n"
    taken = await leader.post("/rota/import/take", {"week": WEEK, "text": text, "version": "0"})
    assert taken.status == 303
    page = (await leader.get(f"/rota?week={WEEK}")).text
    assert re.search(rf'name="c{console.users["agent"]}_0" value="A"', page)
    again = await leader.post("/rota/import/take", {"week": WEEK, "text": text, "version": "0"})
    assert again.status == 409


@pytest.mark.parametrize("raw", [b"\xd0\xcf\x11\xe0\0\0", b"PK\x03\x04nothing", b"", b"a,b\n1,2\n"])
async def test_a_file_that_is_no_rota_is_answered_with_what_to_do(console: Console, raw: bytes) -> None:
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/rota/import", form(raw))
    assert answer.status == 422
    assert "没有" in answer.text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_week_and_the_month_are_files(console: Console, kind: str) -> None:
    leader = await console.signed_in("shift_leader")
    await leader.post("/rota", await cells(console, leader, agent_0="A"))
    for path in (f"/rota/export?week={WEEK}&form={kind}", f"/attendance?month=2026-11&form={kind}"):
        answer = await leader.get(path)
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]


async def test_the_month_shows_what_became_of_shifts_with_the_formula(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    await leader.post("/rota", await cells(console, leader, agent_0="A", shift_leader_6="N"))
    assert "未到" not in (await leader.get("/attendance")).text  # nobody signs in without a telephone
    await console.ctx.db.fetch(
        "UPDATE user_account SET extension = '1001' WHERE id = $1", console.users["agent"]
    )
    page = (await leader.get("/attendance")).text
    assert "未到" in page
    assert "依从率 = 班次内处于应有状态的时间" in page
    person = await leader.get(f"/attendance/people/{console.users['agent']}?month=2026-11")
    assert person.status == 200
    assert (await leader.get("/attendance?month=2026-13")).status == 422
    assert (await leader.get("/attendance/people/999999")).status == 404


async def test_a_swap_goes_from_the_agent_over_the_colleague_to_the_leader(console: Console) -> None:
    leader, agent = await console.signed_in("shift_leader"), await console.signed_in("agent")
    other = await console.signed_in("callback_officer")
    await leader.post("/rota", await cells(console, leader, agent_3="A"))
    asked = {"day": "2026-11-26", "taker_id": str(console.users["callback_officer"]), "reason": "看病"}
    assert (await agent.post("/me/swaps", asked)).status == 303
    swap = re.search(r"/me/swaps/(\d+)/answer", (await other.get("/me/rota")).text)
    assert swap is not None
    assert (await agent.post(f"/me/swaps/{swap[1]}/answer", {"agree": "true"})).status == 404
    assert (await other.post(f"/me/swaps/{swap[1]}/answer", {"agree": "true"})).status == 303
    assert (await leader.post(f"/rota/swaps/{swap[1]}", {"approve": "true"})).status == 303
    page = (await leader.get(f"/rota?week={WEEK}")).text
    assert re.search(rf'name="c{console.users["callback_officer"]}_3" value="A"', page)
    assert (await leader.post(f"/rota/swaps/{swap[1]}", {"approve": "true"})).status == 409


async def test_a_note_links_a_ticket_its_reader_may_see(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    ticket = await console.ticket()
    note = {
        "day": WEEK, "summary": "夜间平稳", "key": "a-form-of-ours",
        "matter": ["路灯抢修"], "ticket": [ticket.number], "call": [""],
    }  # fmt: skip
    assert (await leader.post("/handover", note)).status == 303
    page = (await leader.get("/handover")).text
    assert ticket.number in page
    assert "确认接收" not in page.split('class="hl-panel sh-note"')[1].split("</article>")[0]
    wrong = {**note, "ticket": ["45030000000"], "key": "another-form"}
    answer = await leader.post("/handover", wrong)
    assert answer.status == 422
    assert "路灯抢修" in answer.text
    assert "45030000000" in answer.text


@pytest.mark.parametrize(
    ("hours", "breaks"), [("8点到16点", ""), ("06:00-23:30", ""), ("08:00-16:00", "07:00-07:30")]
)
async def test_hours_that_make_no_sense_are_said_and_kept(console: Console, hours: str, breaks: str) -> None:
    leader = await console.signed_in("shift_leader")
    kind = {"code": "X", "name": "试班", "hours": hours, "breaks": breaks, "active": "true"}
    answer = await leader.post("/rota/kinds", kind)
    assert answer.status == 422
    assert f'value="{hours}"' in answer.text
