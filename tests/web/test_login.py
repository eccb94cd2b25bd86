"""The door: who gets in, what everybody else is told, and what becomes of sessions."""

from __future__ import annotations

import re

import pytest

from core.clock import ManualClock
from core.db import Database
from core.people.actor import Actor
from core.settings import Settings
from tests.web.conftest import PASSWORD, Answer, Console

COOKIE = "hotline_session"


def _clock(console: Console) -> ManualClock:
    clock = console.ctx.clock
    assert isinstance(clock, ManualClock)
    return clock


def _token(answer: Answer) -> str:
    found = re.search(rf"{COOKIE}=([^;]+)", ";".join(answer.set_cookies))
    assert found
    return found[1]


async def test_a_stranger_is_led_to_the_login_page_and_back_to_where_he_wanted(console: Console) -> None:
    browser = console.browser()
    away = await browser.get("/welcome")
    assert (away.status, away.headers["Location"]) == (303, "/login?next=/welcome")
    answer = await browser.sign_in("nobody", next="/welcome")
    assert (answer.status, answer.headers["Location"]) == (303, "/welcome")
    assert "您好" in (await browser.get("/welcome")).text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/x",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/\n/x",
    ],
)
async def test_a_login_never_sends_people_to_another_site(console: Console, target: str) -> None:
    answer = await console.browser().sign_in("nobody", next=target)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_unknown_user_and_wrong_password_get_the_same_answer(console: Console) -> None:
    unknown = await console.browser().sign_in("no-such-login", "wrong password")
    wrong = await console.browser().sign_in("nobody", "wrong password")
    assert unknown.status == wrong.status == 401
    assert unknown.text.replace("no-such-login", "nobody") == wrong.text
    assert unknown.set_cookies == wrong.set_cookies == []


async def test_too_many_wrong_passwords_lock_the_account_for_a_while(console: Console) -> None:
    browser = console.browser()
    limit = console.ctx.settings.security.lock_after_failures
    for _ in range(limit):
        assert (await browser.sign_in("nobody", "wrong password")).status == 401
    assert (await browser.sign_in("nobody")).status == 429
    _clock(console).advance(console.ctx.settings.security.lock_minutes * 60 + 1)
    assert (await browser.sign_in("nobody")).status == 303


async def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(console: Console) -> None:
    answer = await console.browser().sign_in("nobody")
    cookie = answer.set_cookies[0]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert len(_token(answer)) >= 43


async def test_a_login_always_makes_a_new_session_and_ends_the_one_it_replaces(console: Console) -> None:
    browser = console.browser()
    first = _token(await browser.sign_in("nobody"))
    second = _token(await browser.sign_in("nobody"))
    assert first != second
    stale = await console.browser().get("/welcome", headers={"Cookie": f"{COOKIE}={first}"})
    assert stale.status == 303


async def test_a_session_id_chosen_by_somebody_else_is_not_taken_over(console: Console) -> None:
    browser = console.browser()
    planted = "A" * 43
    answer = await browser.post(
        "/login", {"login": "nobody", "password": PASSWORD}, headers={"Cookie": f"{COOKIE}={planted}"}
    )
    assert _token(answer) != planted
    attacker = console.browser()
    assert (await attacker.get("/welcome", headers={"Cookie": f"{COOKIE}={planted}"})).status == 303


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "../../etc/passwd", '"quoted"', "%00"])
async def test_random_empty_and_overlong_tokens_are_nobody(console: Console, token: str) -> None:
    answer = await console.browser().get("/welcome", headers={"Cookie": f"{COOKIE}={token}"})
    assert answer.status == 303
    assert answer.headers["Location"].startswith("/login")


async def test_logging_out_ends_the_session_on_the_server(console: Console) -> None:
    browser = console.browser()
    token = _token(await browser.sign_in("nobody"))
    assert (await browser.post("/logout")).headers["Location"] == "/login"
    answer = await console.browser().get("/welcome", headers={"Cookie": f"{COOKIE}={token}"})
    assert answer.status == 303


async def test_a_session_that_rests_too_long_ends(console: Console) -> None:
    browser = await console.signed_in("nobody")
    _clock(console).advance(29 * 60)
    assert (await browser.get("/welcome")).status == 200
    _clock(console).advance(29 * 60)
    assert (await browser.get("/welcome")).status == 200
    _clock(console).advance(31 * 60)
    assert (await browser.get("/welcome")).status == 303


async def test_a_session_in_constant_use_ends_after_its_absolute_limit(console: Console) -> None:
    browser = await console.signed_in("nobody")
    for _ in range(12 * 60 // 20 - 1):
        _clock(console).advance(20 * 60)
        assert (await browser.get("/welcome")).status == 200
    _clock(console).advance(20 * 60 + 1)
    assert (await browser.get("/welcome")).status == 303


async def test_who_must_change_the_password_can_do_nothing_else_first(console: Console) -> None:
    people, system = console.ctx.people, Actor.system("tests")
    async with console.ctx.db.begin() as uow:
        await people.create_user(
            uow, system, login="fresh", name="李新", password=PASSWORD, unit_id=console.units["hotline"],
            roles=frozenset(), must_change_password=True,
        )  # fmt: skip
    browser = console.browser()
    assert (await browser.sign_in("fresh")).headers["Location"] == "/password"
    assert (await browser.get("/welcome")).headers["Location"] == "/password"
    assert (await browser.get("/live")).status in (303, 403)
    mismatch = {"old": PASSWORD, "new": "Another-Horse-10", "again": "Another-Horse-11"}
    assert (await browser.post("/password", mismatch)).status == 422
    wrong = {"old": "not the old one", "new": "Another-Horse-10", "again": "Another-Horse-10"}
    assert (await browser.post("/password", wrong)).status == 422
    good = {"old": PASSWORD, "new": "Another-Horse-10", "again": "Another-Horse-10"}
    assert (await browser.post("/password", good)).status == 303
    assert (await browser.get("/welcome")).status == 200


async def test_demo_accounts_are_shown_in_development_only(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "演示账号" in (await console.browser().get("/login")).text
    production = console.ctx.settings.model_copy(update={"mode": "production"})
    object.__setattr__(console.ctx, "settings", production)
    page = await console.browser().get("/login")
    assert "演示账号" not in page.text
    assert production.secrets.demo_password not in page.text


async def test_under_https_cookies_carry_the_host_prefix_and_are_secure(
    console: Console, settings: Settings, database: Database
) -> None:
    http = console.ctx.settings.http.model_copy(update={"public_url": "https://12345.example.cn"})
    object.__setattr__(console.ctx, "settings", console.ctx.settings.model_copy(update={"http": http}))
    browser = console.browser()
    answer = await browser.post(
        "/login", {"login": "nobody", "password": PASSWORD}, headers={"Origin": "https://12345.example.cn"}
    )
    cookie = answer.set_cookies[0]
    assert cookie.startswith("__Host-hotline_session=")
    assert "Secure" in cookie
    assert "Strict-Transport-Security" in answer.headers
    assert "wss://" in answer.headers["Content-Security-Policy"]


async def test_theme_and_size_are_remembered_and_nothing_else_is_accepted(console: Console) -> None:
    browser = console.browser()
    answer = await browser.post("/preferences", {"theme": "dark", "back": "/login"})
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert 'data-theme="dark"' in (await browser.get("/login")).text
    assert (await browser.post("/preferences", {"theme": '"><script>'})).status == 400
    odd = await console.browser().get("/login", headers={"Cookie": 'hl_theme="><script>alert(1)</script>'})
    assert 'data-theme="light"' in odd.text


async def test_what_a_page_fetches_by_itself_does_not_keep_a_session_awake(console: Console) -> None:
    browser = await console.signed_in("nobody")
    for _ in range(3):
        _clock(console).advance(9 * 60)
        assert (await browser.get("/status/line", headers={"HL-Background": "1"})).status == 200
    _clock(console).advance(4 * 60)
    assert (await browser.get("/welcome")).status == 303


async def test_an_unknown_network_that_fails_too_often_is_shut_out_for_a_minute(console: Console) -> None:
    limiter = console.ctx.people._limiter
    limiter._staff = []
    browser = console.browser()
    for number in range(console.ctx.settings.security.source_failures_per_minute):
        await browser.sign_in(f"guess{number}", "wrong password")
    answer = await browser.sign_in("nobody")
    assert (answer.status, "本网络登录失败次数过多" in answer.text) == (429, True)
    _clock(console).advance(61)
    assert (await browser.sign_in("nobody")).status == 303


@pytest.mark.parametrize(("login", "home"), [("agent", "/agent"), ("callback_officer", "/callbacks")])
async def test_a_day_begins_where_the_work_of_the_post_is(console: Console, login: str, home: str) -> None:
    browser = await console.signed_in(login)
    assert (await browser.get("/")).headers["Location"] == home
