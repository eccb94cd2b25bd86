"""The calendar as a city edits it: every change is checked, previewed, and a version with its author."""

from __future__ import annotations

import re
from datetime import date

import pytest

from sla import calendar_service as days
from tests.web.conftest import Browser, Console

HX = {"HX-Request": "true"}
HEAD = "date,kind,hours,reason\n"


async def held(console: Console) -> days.Held:
    async with console.ctx.db.read() as session:
        return await days.present(session)


async def preview_of(browser: Browser, path: str, form: dict[str, str]) -> str:
    """Put a change forward; the address of its preview."""
    answer = await browser.post(path, form, headers=HX)
    assert answer.status == 204, answer.text
    return str(answer.headers["HX-Redirect"])


async def test_a_year_is_shown_with_a_colour_and_a_word_for_every_kind_of_day(console: Console) -> None:
    page = (await (await console.signed_in("inspector")).get("/admin/calendar?year=2026")).text
    assert len(re.findall(r'<section class="cal-month">', page)) == 12
    for tone, word in (("holiday", "休"), ("makeup", "班"), ("cityrest", "市休")):
        assert re.search(rf'data-tone="{tone}"[^<]*(?:<a[^>]*>)?<b>\d+</b><i>{word}</i>', page), tone
    assert "壮族三月三" in page
    assert "预览影响" not in page, "an inspector reads"


async def test_a_day_is_changed_by_a_preview_and_becomes_a_version_with_its_author(console: Console) -> None:
    browser = await console.signed_in("supervision_officer")
    form = {"day": "2026-12-03", "kind": "rest", "reason": "城市马拉松", "note": "市政府公告"}
    preview = await preview_of(browser, "/admin/calendar/day", form)
    assert (await held(console)).number == 1, "a preview saves nothing"
    shown = (await browser.get(preview)).text
    assert "工作日" in shown
    assert "本市休息：城市马拉松" in shown
    await browser.post(f"{preview}/save")
    now = await held(console)
    assert (now.number, now.author, now.note) == (2, "张supervision_officer", "市政府公告")
    assert now.days[date(2026, 12, 3)].author_id == console.users["supervision_officer"]
    assert now.days[date(2026, 4, 20)].author_id is None, "the other days keep who decided them"
    versions = (await browser.get("/admin/calendar/versions")).text
    assert "市政府公告" in versions
    one = (await browser.get(f"/admin/calendar/versions/{now.id}")).text
    assert "城市马拉松" in one
    assert (await browser.post(f"{preview}/save", headers=HX)).status == 409, "once"


async def test_a_day_of_the_city_goes_back_to_what_the_country_has(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    form = {"day": "2026-04-20", "kind": "national"}
    await browser.post(f"{await preview_of(browser, '/admin/calendar/day', form)}/save")
    now = await held(console)
    assert date(2026, 4, 20) not in now.days
    assert now.calendar(console.ctx.settings.city).works(date(2026, 4, 20))


async def test_two_people_who_change_it_at_once_do_not_undo_each_other(console: Console) -> None:
    first, second = await console.signed_in("system_admin"), await console.signed_in("supervision_officer")
    one = await preview_of(
        first, "/admin/calendar/day", {"day": "2026-12-03", "kind": "rest", "reason": "甲"}
    )
    two = await preview_of(
        second, "/admin/calendar/day", {"day": "2026-12-04", "kind": "rest", "reason": "乙"}
    )
    await first.post(f"{one}/save")
    assert "日历已有新版本" in (await second.get(two)).text
    assert (await second.post(f"{two}/save", headers=HX)).status == 409
    assert date(2026, 12, 4) not in (await held(console)).days
    assert (await first.get(two)).status == 404, "previews are one's own"


async def test_an_import_replaces_the_years_it_is_about_and_no_other(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    text = f"{HEAD}2027-04-09,rest,,壮族三月三\n2027-04-11,work,09:00-12:00 14:00-17:00,调休补班\n"
    preview = await preview_of(browser, "/admin/calendar/import", {"text": text, "year": "2027"})
    await browser.post(f"{preview}/save")
    now = await held(console)
    assert sorted(day for day in now.days if day.year == 2027) == [date(2027, 4, 9), date(2027, 4, 11)]
    assert date(2026, 4, 20) in now.days
    exported = (await browser.get("/admin/calendar/days.csv")).text
    again = await browser.post("/admin/calendar/import", {"text": exported}, headers=HX)
    assert again.status == 409, "what was exported changes nothing"


async def test_json_is_understood_as_well(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    text = '{"years": [2027, 2027], "days": [{"date": "2027-04-09", "kind": "rest"}]}'
    await browser.post(f"{await preview_of(browser, '/admin/calendar/import', {'text': text})}/save")
    assert [day for day in (await held(console)).days if day.year == 2027] == [date(2027, 4, 9)]


BAD = [
    ("", "2027-04-09,rest,,\n", "没有列名"),
    ("", "", "没有列名"),
    ("", HEAD, "没有任何日子"),
    ("", f"{HEAD}2025-04-09,rest,,\n2027-04-09,rest,,\n", "没有 2026 年的日子"),
    ("", f"# years: 2026-2027\n{HEAD}2027-04-09,rest,,\n", "没有 2026 年的日子"),
    ("2027", f"{HEAD}2026-04-20,rest,,\n", "第 2 行：2026-04-20 年份不对"),
    ("", f"{HEAD}1999-04-20,rest,,\n", "第 2 行：1999-04-20 年份不对"),
    (
        "",
        f"{HEAD}2027-04-09,work,09:00-12:00 11:00-15:00,\n",
        "第 2 行：时段 09:00-12:00 与 11:00-15:00 重叠",
    ),
    ("", f"{HEAD}2027-04-09,work,12:00-09:00,\n", "第 2 行：时段 12:00-09:00"),
    ("", f"{HEAD}2027-04-09,work,9点,\n", "第 2 行：“9点”不是时段"),
    ("", f"{HEAD}2027-04-09,holiday,,\n", "第 2 行：没有“holiday”这种日子"),
    ("", f"{HEAD}2027-04-09,rest,09:00-12:00,\n", "第 2 行：休息日不应有上班时段"),
    ("", f"{HEAD}2027-04-09,rest,,\n2027-04-09,work,,\n", "第 3 行：2027-04-09 在第 2 行已写过"),
    ("", f"{HEAD}2027-13-09,rest,,\n", "第 2 行：“2027-13-09”不是日期"),
    ("", f"{HEAD}2027-04-09,rest\n", "第 2 行：有 2 个值"),
    ("", '[{"date": "2027-04-09", "kind": "off"}]', "第 1 项：没有“off”这种日子"),
    ("", "{", "不是有效的 JSON"),
    ("", f"{HEAD}2027-04-09,rest,,{'长' * 41}\n", "原因超过 40 字"),
]


@pytest.mark.parametrize(("year", "text", "sentence"), BAD)
async def test_a_wrong_file_is_refused_with_its_line_and_nothing_is_saved(
    console: Console, year: str, text: str, sentence: str
) -> None:
    browser = await console.signed_in("system_admin")
    answer = await browser.post("/admin/calendar/import", {"text": text, "year": year, "note": "通知一号"})
    assert answer.status == 422
    assert sentence in answer.text
    assert "通知一号" in answer.text, "what was typed stays"
    assert (await held(console)).number == 1


async def test_a_wrong_day_is_told_beside_what_was_typed(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    form = {"day": "2026-12-05", "kind": "work", "hours": "09:00-12:00 10:00-13:00", "reason": "值守"}
    answer = await browser.post("/admin/calendar/day", form)
    assert answer.status == 422
    assert "重叠" in answer.text
    assert 'value="09:00-12:00 10:00-13:00"' in answer.text


async def test_a_year_is_confirmed_once_and_the_warning_goes(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    assert "2027 年节假日安排未确认" in (await browser.get("/admin/calendar")).text  # it is November 2026
    preview = await preview_of(browser, "/admin/calendar/confirm", {"year": "2027", "note": "国办发明电"})
    await browser.post(f"{preview}/save")
    assert 2027 in (await held(console)).known
    assert "未确认" not in (await browser.get("/admin/calendar")).text
    assert (await browser.post("/admin/calendar/confirm", {"year": "2027"}, headers=HX)).status == 409
    assert (await browser.post("/admin/calendar/confirm", {"year": "2026"}, headers=HX)).status == 409


async def stepped(browser: Browser, preview: str) -> str:
    """Ask as the page does until everything is counted; the last answer."""
    while True:
        answer = await browser.post(f"{preview}/step", headers=HX)
        assert answer.status == 200
        if "正在试算" not in answer.text:
            return answer.text


async def test_the_effect_on_open_tickets_is_counted_before_anything_is_saved(console: Console) -> None:
    made = await console.ticket("water", type="complaint")
    browser = await console.signed_in("supervision_officer")
    form = {"day": "2026-12-03", "kind": "rest", "reason": "城市马拉松"}
    preview = await preview_of(browser, "/admin/calendar/day", form)
    assert "正在试算" in (await browser.get(preview)).text
    effect = await stepped(browser, preview)
    assert "推后" in effect
    assert f'<a href="/tickets/{made.id}">{made.number}</a>' in effect
    assert "2026-12-07 18:00" in re.sub(r"<[^>]*>", "", effect)
    assert "2026-12-08 18:00" in re.sub(r"<[^>]*>", "", effect)
    assert '保存后即超期</dt><dd><b class="hl-number">0</b>' in effect
    assert effect in (await browser.get(preview)).text, "it is kept"
    admin = await console.signed_in("system_admin")
    assert (await admin.post(f"{preview}/step", headers=HX)).status == 404, "somebody else's"


async def test_what_would_be_over_at_once_is_named(console: Console) -> None:
    made = await console.ticket("water", type="complaint")  # until Monday 7 December
    console.ctx.clock.advance(13 * 86_400)  # type: ignore[attr-defined]  # Sunday 6 December
    browser = await console.signed_in("supervision_officer")
    form = {"day": "2026-12-05", "kind": "work", "reason": "补班"}
    effect = await stepped(browser, await preview_of(browser, "/admin/calendar/day", form))
    listed = effect.split("保存后即超期<span")[1]
    assert made.number in listed
    assert "12-05 18:00" in listed


async def test_the_page_shows_how_far_the_clocks_are_counted_anew(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    preview = await preview_of(browser, "/admin/calendar/day", {"day": "2026-12-03", "kind": "rest"})
    await browser.post(f"{preview}/save")
    shown = (await browser.get("/admin/calendar?done=saved")).text
    found = re.search(r'hx-get="(/admin/calendar/recomputations/\d+)"', shown)
    assert found
    assert "正在按新日历重算" in (await browser.get(found[1])).text


async def test_the_year_to_confirm_stands_above_every_page_of_who_can_do_it(console: Console) -> None:
    officer, agent = await console.signed_in("supervision_officer"), await console.signed_in("agent")
    assert "2027 年节假日安排未确认" in (await officer.get("/tickets")).text
    assert "节假日安排未确认" not in (await agent.get("/tickets")).text
