"""Accounts and the door under attack: fixation, mass assignment, other people's ids, forged decisions."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import text

from core.clock import ManualClock
from core.people.account_acts import Posts
from core.people.duties import Act
from core.people.permissions import Role
from tests.security.rules.people import FORMS
from tests.web.conftest import PASSWORD, Answer, Browser, Console

SESSION, STEP = "hotline_session", "hotline_step"


def _cookie(answer: Answer, name: str) -> str:
    found = re.search(rf"{name}=([^;]+)", ";".join(answer.set_cookies))
    return found[1].strip('"') if found else ""


async def _rows(console: Console, query: str) -> object:
    async with console.ctx.db.read() as session:
        return (await session.execute(text(query))).scalar_one()


async def _secret(browser: Browser) -> pyotp.TOTP:
    page = await browser.get("/login/step")
    return pyotp.TOTP("".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text)))


def _clock(console: Console) -> ManualClock:
    clock = console.ctx.clock
    assert isinstance(clock, ManualClock)
    return clock


async def test_no_session_exists_before_the_code_and_its_token_is_new(console: Console) -> None:
    console.ctx.people.second_factor._required = True
    browser, planted = console.browser(), "A" * 43
    first = await browser.post(
        "/login",
        {"login": "audit_admin", "password": PASSWORD, "next": "/admin/audit"},
        headers={"Cookie": f"{SESSION}={planted}"},
    )
    assert first.headers["Location"] == "/login/step?next=/admin/audit"
    assert _cookie(first, SESSION) == ""
    step = _cookie(first, STEP)
    assert "HttpOnly" in first.set_cookies[0]
    assert await _rows(console, "SELECT count(*) FROM web_session") == 0
    for name in (SESSION, STEP):  # the token of the step opens nothing, under either name
        away = await console.browser().get("/admin/audit", headers={"Cookie": f"{name}={step}"})
        assert away.status == 303
    totp = await _secret(browser)
    wrong = await browser.post("/login/step", {"code": "000000"})
    assert (wrong.status, wrong.set_cookies) == (401, [])
    done = await browser.post("/login/step", {"code": totp.at(_clock(console).now())})
    assert "恢复码" in done.text
    assert _cookie(done, SESSION) not in ("", planted, step)
    assert (await browser.get("/admin/audit")).status == 200
    stale = await console.browser().get("/login/step", headers={"Cookie": f"{STEP}={step}"})
    assert stale.headers["Location"] == "/login"


async def test_the_second_step_never_sends_people_to_another_site(console: Console) -> None:
    console.ctx.people.second_factor._required = True
    browser = console.browser()
    answer = await browser.sign_in("audit_admin", next="//evil.example/x")
    assert answer.headers["Location"] == "/login/step"
    totp = await _secret(browser)
    form = {"code": totp.at(_clock(console).now()), "next": "https://evil.example"}
    done = await browser.post("/login/step", form)
    assert "evil" not in done.text
    assert 'href="/"' in done.text


async def test_a_code_of_one_person_does_not_open_the_step_of_another(console: Console) -> None:
    console.ctx.people.second_factor._required = True
    mine, theirs = console.browser(), console.browser()
    await mine.sign_in("audit_admin")
    await theirs.sign_in("inspector")
    totp = await _secret(mine)
    assert (await theirs.post("/login/step", {"code": totp.at(_clock(console).now())})).status == 401


@pytest.mark.parametrize("extra", ["roles", "active", "password", "password_hash", "user_id", "failed", "id"])
async def test_the_edit_form_of_an_account_takes_no_other_field(console: Console, extra: str) -> None:
    system = await console.signed_in("system_admin")
    ident = console.users["agent"]
    form = {"name": "新名", "unit_id": str(console.units["hotline"]), "extension": "", "sure": "true"}
    answer = await system.post(f"/admin/users/{ident}/edit", {**form, extra: "system_admin"})
    assert answer.status == 400
    assert await _rows(console, "SELECT count(*) FROM user_account WHERE name = '新名'") == 0


async def test_nobody_gives_himself_a_post_or_approves_it_himself(console: Console) -> None:
    system = await console.signed_in("system_admin")
    own = console.users["system_admin"]
    form = {"roles": "audit_admin", "sure": "true"}
    assert (await system.post(f"/admin/users/{own}/posts", form)).status in (403, 409)
    assert (await system.post(f"/admin/users/{own}/edit", {"name": "x", "unit_id": "1"})).status == 403
    agent = console.users["agent"]
    sent = await system.post(f"/admin/users/{agent}/posts", {"roles": "system_admin", "sure": "true"})
    assert sent.status == 403  # an administrator's post is proposed by another administrator
    given = await system.post(f"/admin/users/{agent}/posts", {"roles": "inspector", "sure": "true"})
    assert given.status == 303
    ident = await _rows(console, "SELECT id FROM admin_proposal")
    assert (await system.post(f"/admin/approvals/{ident}/approve", {"note": ""})).status == 403
    assert await _rows(console, "SELECT count(*) FROM user_role WHERE role = 'inspector'") == 1


async def test_a_proposal_of_others_is_neither_seen_nor_decided(console: Console) -> None:
    people = console.ctx.people
    async with console.ctx.db.begin() as uow:
        system = await people.actor_for_user(uow.session, console.users["system_admin"])
        assert system is not None
        wanted = Posts(user_id=console.users["agent"], roles=(Role.DISPATCHER,))
        sent = await people.proposals.submit(uow, system, Act.USER_ROLES, wanted)
    audit = await console.signed_in("audit_admin")
    home = f"/admin/approvals/{sent.proposal_id}"
    assert (await audit.get(home)).status == 404
    assert "调整岗位" not in (await audit.get("/admin/approvals")).text
    for act in ("approve", "refuse", "withdraw"):
        assert (
            await audit.post(f"{home}/{act}", FORMS[f"/admin/approvals/{{proposal_id}}/{act}"])
        ).status == 404
    assert await _rows(console, "SELECT state FROM admin_proposal") == "waiting"


async def test_somebody_elses_session_cannot_be_ended_from_ones_own_page(console: Console) -> None:
    victim = await console.signed_in("agent")
    ident = await _rows(console, "SELECT id FROM web_session")
    other = await console.signed_in("dispatcher")
    assert (await other.post(f"/sessions/{ident}/end", {})).status == 404
    assert (await other.post(f"/admin/sessions/{ident}/end", {})).status == 403
    assert (await victim.get("/agent")).status == 200


async def test_what_an_administrator_types_is_never_markup(console: Console) -> None:
    evil = "\"'><script>alert(4711)</script>"
    system, security = await console.signed_in("system_admin"), await console.signed_in("security_admin")
    ident = console.users["agent"]
    edit = {"name": evil, "unit_id": str(console.units["hotline"]), "extension": "", "sure": "true"}
    assert (await system.post(f"/admin/users/{ident}/edit", edit)).status == 303
    sent = {"roles": "dispatcher", "sure": "true", "note": evil}
    assert (await system.post(f"/admin/users/{ident}/posts", sent)).status == 303
    listed = f"工号,姓名,单位编码,岗位\nn1,{evil},water,承办联络员\n"
    pages = [
        await system.get("/admin/users"),
        await system.get(f"/admin/users/{ident}"),
        await security.get("/admin/approvals"),
        await security.get(f"/admin/approvals/{await _rows(console, 'SELECT id FROM admin_proposal')}"),
        await system.post("/admin/users/import", {"text": listed}),
    ]
    for page in pages:
        assert page.status == 200
        assert "alert(4711)" in page.text
        assert "<script>alert" not in page.text
