"""The citizens' portal: submit once, keep what was typed, follow it, act on it; nobody learns of others."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from core.clock import ManualClock
from core.settings import Portal, Settings
from tests.web.conftest import Console
from tests.web.portal_rig import Citizen, hidden, multipart
from tickets.states import Action

RATES = Portal(submissions_per_hour=30, lookups_per_minute=30)


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    proxies = settings.http.model_copy(update={"trusted_proxies": ("10.9.9.9",)})
    return settings.model_copy(update={"portal": RATES, "http": proxies})


@pytest.fixture
async def citizen(console: Console) -> Citizen:
    await console.category()
    return Citizen(console)


async def scalar(console: Console, statement: str, **values: Any) -> Any:
    async with console.ctx.db.read() as session:
        return (await session.execute(sa.text(statement), values)).scalar_one()


def photo(color: str = "red") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(data, "JPEG")
    return data.getvalue()


# ---- submitting ---------------------------------------------------------------------------------


async def test_a_form_becomes_a_ticket_with_number_and_code(citizen: Citizen) -> None:
    number, code = await citizen.submit()
    row = await scalar(
        citizen.console, "SELECT channel || state || title FROM ticket WHERE number = :n", n=number
    )
    assert row == "webwaiting_accept中山路路灯不亮"
    assert await scalar(citizen.console, "SELECT notice FROM citizen_consent") == "2026-12"
    other = Citizen(citizen.console)
    assert (await other.look(number, code)).status == 303
    page = (await other.get("/portal/track")).text
    assert "已收到，等待热线受理" in page
    assert "王小明" not in page
    assert "13800001234" not in page


async def test_who_accepts_it_is_told_what_nobody_chose(citizen: Citizen) -> None:
    await citizen.submit(title="路灯")
    ident = await scalar(citizen.console, "SELECT id FROM ticket")
    agent = await citizen.console.signed_in("agent")
    page = (await agent.get(f"/tickets/{ident}")).text
    assert "类型、分类：来件时没有选择，由系统代填" in page


async def test_the_same_form_again_is_the_same_ticket(citizen: Citizen) -> None:
    form = await citizen.form()
    answers = await asyncio.gather(*(citizen.post("/portal/submit", form) for _ in range(4)))
    assert [answer.status for answer in answers] == [303] * 4
    assert sorted(answer.headers["HL-Again"] for answer in answers) == ["0", "1", "1", "1"]
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 1


async def test_another_text_under_a_key_that_was_answered_is_told_and_kept(citizen: Citizen) -> None:
    form = await citizen.form(title="路灯", expected="尽快\r\n修好", address="中山路")
    assert (await citizen.post("/portal/submit", form)).status == 303
    await citizen.slip()
    # Whatever the hotline makes of it since: the same text is still the same submission.
    ctx = citizen.console.ctx
    async with ctx.db.begin() as uow:
        agent = await ctx.people.actor_for_user(uow.session, citizen.console.users["agent"])
        assert agent is not None
        ident = (await uow.session.execute(sa.text("SELECT id FROM ticket"))).scalar_one()
        await ctx.tickets.act(
            uow, agent, ident, 1, Action.EDIT, {"title": "路灯故障", "narrative": "路灯不亮"}
        )
    assert (await citizen.post("/portal/submit", form)).status == 303
    other = form | {"narrative": "解放路井盖丢了。"}
    answer = await citizen.post("/portal/submit", other)
    assert answer.status == 409
    assert "现在的内容与那次不同，还没有提交" in answer.text
    assert "解放路井盖丢了。" in answer.text
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 1
    key = hidden(answer.text, "key")
    assert key != form["key"]
    assert (await citizen.post("/portal/submit", other | {"key": key})).status == 303
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 2


async def test_a_refused_form_comes_back_as_it_was_typed(citizen: Citizen) -> None:
    form = await citizen.form(phone="12x4", narrative="<b>路灯</b>不亮", expected="尽快", title="路灯")
    answer = await citizen.post("/portal/submit", form)
    assert answer.status == 422
    assert "号码不正确" in answer.text
    for kept in ("&lt;b&gt;路灯&lt;/b&gt;不亮", "尽快", 'value="路灯"', 'value="12x4"', form["key"]):
        assert kept in answer.text
    del form["agree"]
    answer = await citizen.post("/portal/submit", form | {"phone": "13800001234"})
    assert answer.status == 422
    assert "请先同意隐私说明" in answer.text
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 0


async def test_unknown_and_doubled_fields_are_refused(citizen: Citizen) -> None:
    form = await citizen.form()
    assert (await citizen.post("/portal/submit", form | {"category_id": "1"})).status == 400
    assert (await citizen.post("/portal/submit", multipart(form | {"state": "closed"}))).status == 400
    assert (await citizen.post("/portal/track", {"number": "1", "code": "1", "id": "1"})).status == 400
    assert (await citizen.get("/portal/questions?sort=1")).status == 400


async def test_photos_wait_for_the_form_and_are_kept_once(citizen: Citizen) -> None:
    form = await citizen.form(phone="")
    answer = await citizen.post("/portal/submit", multipart(form, ("lamp.jpg", photo())))
    assert answer.status == 422
    assert "lamp.jpg" in answer.text
    answer = await citizen.post("/portal/submit", multipart(form | {"phone": "13800001234"}))
    assert answer.status == 303
    assert await scalar(citizen.console, "SELECT string_agg(name, ',') FROM ticket_attachment") == "lamp.jpg"
    assert await scalar(citizen.console, "SELECT audience FROM ticket_attachment") == "handling"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.jpg", b"GIF89a<script>alert(1)</script>"),
        ("a.jpg", photo()[:200] + b"<?php echo 1; ?>"),
        ("a.pdf", b"%PDF-1.4\n/OpenAction <</S /JavaScript /JS (app.alert(1))>>\n%%EOF"),
        ("a.exe", b"MZ\x90"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.html", b"<script>1</script>"),
    ],
)
async def test_polyglots_and_what_is_no_document_are_refused_by_name(
    citizen: Citizen, name: str, body: bytes
) -> None:
    form = await citizen.form()
    answer = await citizen.post("/portal/submit", multipart(form, (name, body)))
    assert answer.status == 422
    assert f"{name}：" in answer.text
    assert form["narrative"] in answer.text
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket_attachment") == 0
    assert await scalar(citizen.console, "SELECT count(*) FROM waiting_file") == 0


async def test_what_lies_behind_a_picture_does_not_stay_in_it(citizen: Citizen) -> None:
    form = await citizen.form()
    body = photo() + b"PK\x03\x04<script>alert(1)</script>"
    answer = await citizen.post("/portal/submit", multipart(form, ("a.jpg", body)))
    if answer.status == 303:
        key = await scalar(citizen.console, "SELECT key FROM ticket_attachment")
        kept = citizen.console.ctx.attachments.store.path(key).read_bytes()
        assert b"<script>" not in kept
    else:
        assert answer.status == 422


async def test_who_asks_for_secrecy_is_sealed_and_not_published(citizen: Citizen) -> None:
    await citizen.submit(keep_secret="1", wants_public="1")
    row = "SELECT confidentiality || wants_public FROM ticket"
    assert await scalar(citizen.console, row) == "secretfalse"


# ---- rates --------------------------------------------------------------------------------------


async def test_too_many_forms_from_one_source_wait_and_keep_what_was_typed(
    citizen: Citizen, clock: ManualClock
) -> None:
    for _ in range(RATES.submissions_per_hour):
        answer = await citizen.post("/portal/submit", await citizen.form())
        clock.advance(1)
        assert answer.status == 303
    answer = await citizen.post(
        "/portal/submit", await citizen.form(), headers={"X-Forwarded-For": "203.0.113.9"}
    )
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert "中山路路灯不亮" in answer.text


async def test_what_a_node_cannot_take_in_now_is_asked_to_come_again(citizen: Citizen) -> None:
    forms = [await citizen.form() for _ in range(RATES.submissions_per_second + 3)]
    answers = [await citizen.post("/portal/submit", form) for form in forms]
    late = [answer for answer in answers if answer.status == 429]
    assert len(late) == 3
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in late)
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == RATES.submissions_per_second


# ---- following ----------------------------------------------------------------------------------


async def test_wrong_codes_and_unknown_numbers_get_the_same_answer_and_lock(citizen: Citizen) -> None:
    number, code = await citizen.submit()
    wrong = "000000" if code != "000000" else "000001"
    stranger = Citizen(citizen.console)
    seen = []
    for asked in (number, "9" * 18):
        answers = [await stranger.look(asked, wrong) for _ in range(6)]
        assert [answer.status for answer in answers[:5]] == [404] * 5
        seen.append([answer.text.replace(asked, "") for answer in answers])
    strip = [[text[text.index("<h1>") : text.index("</main>")] for text in texts] for texts in seen]
    assert strip[0] == strip[1]
    locked = await stranger.look(number, code)
    assert locked.status in (423, 429)
    # Another source cannot be played by a header anybody can write.
    assert (await stranger.look(number, code, **{"X-Forwarded-For": "198.51.100.7"})).status == locked.status


async def test_nothing_personal_is_kept_by_a_browser_or_shown_without_proof(citizen: Citizen) -> None:
    await citizen.submit()
    for path in ("/portal/track", "/portal/done", "/portal/mine", "/portal/submit"):
        assert (await citizen.get(path)).headers["Cache-Control"] == "no-store"
    stranger = Citizen(citizen.console)
    assert "查询码" in (await stranger.get("/portal/track")).text
    assert (await stranger.get("/portal/done")).status == 303
    assert (await stranger.get("/portal/mine")).status == 303
    refused = await stranger.post("/portal/track/act", {"key": "k" * 20, "act": "withdraw", "text": "x"})
    assert refused.status == 403
    stranger.browser.session.cookie_jar.update_cookies({"hl_citizen": "made-up"})
    assert (await stranger.get("/portal/done")).status == 303


async def test_signing_out_closes_what_was_proved(citizen: Citizen) -> None:
    await citizen.submit()
    jar = citizen.browser.session.cookie_jar
    token = next(cookie.value for cookie in jar if cookie.key == "hl_citizen")
    assert (await citizen.post("/portal/sign-out")).status == 303
    jar.update_cookies({"hl_citizen": token})
    assert (await citizen.get("/portal/done")).status == 303


async def test_a_proof_is_over_after_hours(citizen: Citizen, clock: ManualClock) -> None:
    await citizen.submit()
    clock.advance(4 * 3600 + 1)
    assert (await citizen.get("/portal/done")).status == 303


async def test_adding_urging_and_withdrawing(citizen: Citizen) -> None:
    await citizen.submit()
    assert (await citizen.act("add", "路口还有一盏")).status == 303
    assert (await citizen.act("urge")).status == 303
    again = await citizen.act("urge", "快一点")
    assert again.status == 429
    assert "快一点" in again.text
    empty = await citizen.act("withdraw", " ")
    assert empty.status == 422
    assert (await citizen.act("withdraw", "修好了")).status == 303
    page = (await citizen.get("/portal/track")).text
    for words in ("已按您的要求撤回", "补充了情况", "路口还有一盏", "已催办"):
        assert words in page


async def finished(citizen: Citizen, **over: str) -> tuple[str, str]:
    """A submission the hotline has answered."""
    number, code = await citizen.submit(**over)
    ctx = citizen.console.ctx
    async with ctx.db.begin() as uow:
        agent = await ctx.people.actor_for_user(uow.session, citizen.console.users["agent"])
        assert agent is not None
        ident = (await uow.session.execute(sa.text("SELECT max(id) FROM ticket"))).scalar_one()
        reply = {"public_reply": "王小明您好，路灯已修好。"}
        await ctx.tickets.act(uow, agent, ident, 1, Action.ANSWER, reply)
    return number, code


async def test_rating_asks_three_questions_once(citizen: Citizen) -> None:
    await finished(citizen)
    page = (await citizen.get("/portal/track")).text
    assert "路灯已修好" in page
    key = hidden(page, "key")
    short = await citizen.post("/portal/track/rate", {"key": key, "responded": "1", "text": "还行"})
    assert short.status == 422
    assert "还行" in short.text
    full = {"key": key, "responded": "1", "solved": "1", "satisfied": "4", "text": ""}
    assert (await citizen.post("/portal/track/rate", full)).status == 303
    assert (await citizen.post("/portal/track/rate", full)).status == 303
    assert (await citizen.post("/portal/track/rate", full | {"key": "k" * 20})).status == 409
    assert "您已评价" in (await citizen.get("/portal/track")).text


async def test_an_objection_is_shown_with_a_number_and_code_of_its_own(citizen: Citizen) -> None:
    number, _ = await finished(citizen)
    assert (await citizen.act("object", "没有修")).status == 303
    other, code = await citizen.slip()
    assert other != number
    kind = await scalar(citizen.console, "SELECT type FROM ticket WHERE number = :n", n=other)
    assert (kind, len(code)) == ("appeal", 6)


# ---- what everybody may read --------------------------------------------------------------------


async def test_published_cases_have_nobody_in_them(citizen: Citizen) -> None:
    await finished(citizen, wants_public="1", title="王小明家路灯 13800001234")
    await finished(citizen, title="不公开的事")
    page = (await Citizen(citizen.console).get("/portal/cases")).text
    assert "家路灯" in page
    assert "路灯已修好" in page
    for secret in ("王小明", "13800001234", "不公开的事", "三个晚上"):
        assert secret not in page


async def test_elder_mode_is_kept_without_script(citizen: Citizen) -> None:
    answer = await citizen.post("/portal/elder", {"on": "1", "back": "/portal/submit"})
    assert answer.headers["Location"] == "/portal/submit"
    page = (await citizen.get("/portal")).text
    assert 'data-theme="contrast"' in page
    assert 'data-size="large"' in page
    assert "标准版" in page
    assert (await citizen.post("/portal/elder", {"on": "1", "back": "//evil.example"})).status == 400


async def test_every_page_answers(citizen: Citizen) -> None:
    for path in ("", "/privacy", "/questions", "/cases", "/submit", "/track", "/sign-in"):
        answer = await citizen.get("/portal" + path)
        assert answer.status == 200, path
        assert "<h1>" in answer.text
    assert (await citizen.get("/portal/questions/1")).status == 404


async def test_a_closed_portal_says_so(citizen: Citizen, console: Console) -> None:
    object.__setattr__(console.ctx.settings.portal, "enabled", False)
    try:
        assert (await citizen.get("/portal")).status == 503
        assert (await citizen.post("/portal/submit", {"key": "k" * 20})).status == 503
    finally:
        object.__setattr__(console.ctx.settings.portal, "enabled", True)
