"""What every request meets before a view: origin, headers, sizes, sources, unknown fields."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.web.conftest import PASSWORD, Console
from web.security.headers import policy
from web.security.source import networks, source_of
from web.sentences import PROBLEMS

LOGIN = {"login": "nobody", "password": PASSWORD}
SPECIFIED_POLICY = (
    "default-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "form-action 'self'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[bad"},
    ],
)
async def test_a_write_from_another_site_is_refused(console: Console, headers: dict[str, str]) -> None:
    answer = await console.browser().post("/login", LOGIN, headers=headers)
    assert answer.status == 403
    assert answer.set_cookies == []


async def test_a_write_without_any_sign_of_its_origin_is_refused(console: Console) -> None:
    browser = console.browser()
    async with browser.session.post(console.base + "/login", data=LOGIN) as answer:
        assert answer.status == 403


async def test_sec_fetch_site_of_our_own_page_is_enough(console: Console) -> None:
    browser = console.browser()
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with browser.session.post(
        console.base + "/login", data=LOGIN, headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("path", ["/login", "/nothing-here", "/static/js/app.js", "/healthz"])
async def test_every_answer_carries_the_security_headers(console: Console, path: str) -> None:
    answer = await console.browser().get(path)
    written = answer.headers["Content-Security-Policy"].split("; ")
    assert set(SPECIFIED_POLICY) <= set(written)
    assert not any("unsafe" in part or "*" in part for part in written)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"]
    assert "Server" not in answer.headers


def test_a_host_header_cannot_write_into_the_policy() -> None:
    assert "evil" not in policy("a; script-src evil", secure=False)
    assert "ws://12345.example:80" in policy("12345.example:80", secure=False)


async def test_pages_have_no_inline_script_or_style(console: Console) -> None:
    browser = await console.signed_in("nobody")
    for path in ("/login", "/welcome", "/password", "/nothing-here"):
        text = (await browser.get(path)).text
        assert "<style" not in text
        assert ' style="' not in text
        assert "<script>" not in text
        assert " onclick" not in text


async def test_an_unknown_field_is_refused_and_nothing_is_done(console: Console) -> None:
    answer = await console.browser().post("/login", {**LOGIN, "is_admin": "1"})
    assert answer.status == 400
    assert answer.set_cookies == []


async def test_a_repeated_field_is_refused(console: Console) -> None:
    body = "login=nobody&login=agent&password=x"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await console.browser().post("/login", body, headers=headers)).status == 400


async def test_an_unknown_query_key_is_refused(console: Console) -> None:
    assert (await console.browser().get("/login?next=/&role__in=admin")).status == 400


@pytest.mark.parametrize("size", [5_000, 300_000])
async def test_a_body_above_the_limit_of_its_route_is_refused(console: Console, size: int) -> None:
    answer = await console.browser().post("/login", {"login": "a", "password": "x" * size})
    assert answer.status == 413


async def test_a_body_sent_in_chunks_is_measured_too(console: Console) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"login=a&password="
        for _ in range(100):
            yield b"x" * 100

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await console.browser().post("/login", chunks(), headers=headers)).status == 413


async def test_an_overlong_address_is_refused(console: Console) -> None:
    assert (await console.browser().get("/login?next=/" + "x" * 5000)).status == 413


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("203.0.113.9", "10.0.0.1", (), "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", ("192.0.2.1",), "203.0.113.9"),
        ("192.0.2.1", "203.0.113.9", ("192.0.2.1",), "203.0.113.9"),
        ("192.0.2.1", "10.9.9.9, 203.0.113.9", ("192.0.2.1",), "203.0.113.9"),
        ("192.0.2.1", "203.0.113.9, 192.0.2.2", ("192.0.2.0/24",), "203.0.113.9"),
        ("192.0.2.1", "not an address", ("192.0.2.1",), "192.0.2.1"),
        ("192.0.2.1", "", ("192.0.2.1",), "192.0.2.1"),
    ],
)
def test_forwarded_addresses_are_believed_from_our_proxies_only(
    peer: str, forwarded: str, proxies: tuple[str, ...], expected: str
) -> None:
    from unittest.mock import Mock

    from multidict import CIMultiDict

    transport = Mock()
    transport.get_extra_info.return_value = (peer, 1234)
    request = Mock(transport=transport, headers=CIMultiDict({"X-Forwarded-For": forwarded}))
    assert source_of(request, networks(proxies)) == expected


async def test_a_spoofed_forwarded_header_does_not_open_the_inside_of_healthz(console: Console) -> None:
    inside = await console.browser().get("/healthz")
    assert "leases" in inside.text
    through_a_proxy = await console.browser().get("/healthz", headers={"X-Forwarded-For": "127.0.0.1"})
    assert "leases" not in through_a_proxy.text
    assert (await console.browser().get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})).status == 404
    assert "hotline_http_requests_total" in (await console.browser().get("/metrics")).text


async def test_a_token_opens_the_metrics_from_elsewhere(console: Console) -> None:
    http = console.ctx.settings.http.model_copy(update={"metrics_token": "secret-token"})
    object.__setattr__(console.ctx, "settings", console.ctx.settings.model_copy(update={"http": http}))
    away = {"X-Forwarded-For": "203.0.113.9"}
    right = {**away, "Authorization": "Bearer secret-token"}
    wrong = {**away, "Authorization": "Bearer secret-tokex"}
    assert (await console.browser().get("/metrics", headers=right)).status == 200
    assert (await console.browser().get("/metrics", headers=wrong)).status == 404


async def test_an_error_of_ours_shows_a_sentence_and_an_id_but_nothing_of_the_inside(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret-detail-4711")

    browser = await console.signed_in("nobody")
    monkeypatch.setattr(console.ctx.people, "change_password", broken)
    form = {"old": "a", "new": "b" * 12, "again": "b" * 12}
    for headers in ({}, {"Accept": "application/json"}, {"HX-Request": "true"}):
        answer = await browser.post("/password", form, headers=headers)
        assert answer.status == 500
        assert "secret-detail" not in answer.text
        assert "Traceback" not in answer.text
        assert PROBLEMS["internal"].sentence in answer.text
        assert answer.headers["X-Request-Id"] in answer.text


async def test_errors_come_as_a_page_a_notice_or_json_as_asked(console: Console) -> None:
    browser = await console.signed_in("nobody")
    page = await browser.get("/nothing-here")
    assert (page.status, "<html" in page.text) == (404, True)
    notice = await browser.get("/nothing-here", headers={"HX-Request": "true"})
    assert (notice.status, "<html" in notice.text, "hl-notice" in notice.text) == (404, False, True)
    assert notice.headers["HL-Code"] == "not_found"
    data = await browser.get("/nothing-here", headers={"Accept": "application/json"})
    assert (data.status, '"error": "not_found"' in data.text) == (404, True)


async def test_static_files_are_cached_for_good_under_their_digest_and_asked_for_otherwise(
    console: Console,
) -> None:
    browser = console.browser()
    plain = await browser.get("/static/js/app.js")
    assert plain.headers["Cache-Control"] == "no-cache"
    again = await browser.get("/static/js/app.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status == 304
    page = (await browser.get("/login")).text
    lasting = page.split('type="module" src="')[1].split('"')[0]
    assert "immutable" in (await browser.get(lasting)).headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/js",
    ],
)
async def test_nothing_outside_the_static_tree_can_be_read(console: Console, path: str) -> None:
    assert (await console.browser().get(path)).status == 404
