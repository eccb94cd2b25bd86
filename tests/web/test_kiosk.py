"""What a kiosk's device asks of the server: with its token, once per key, a slip."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiohttp import ClientSession, FormData
from sqlalchemy import select, text
from sqlmodel import col

from core.people import enrolment, machines
from core.people.machines import Kind, MachineClient, Scope
from tests.web.conftest import Console
from tests.web.test_recordings import wav
from web.assets import STATIC

KEY = "0123456789abcdef0123456789abcdef"


async def token_of(console: Console, unit: str | None = "town", scope: Scope = Scope.KIOSK) -> str:
    """The token of a new device."""
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        admin = await ctx.people.actor_for_user(uow.session, console.users["security_admin"])
        assert admin is not None
        unit_id = console.units[unit] if unit else None
        code = f"kiosk-{scope.value.replace(':', '-')}"
        return await machines.create(
            uow,
            admin,
            name="鲁家村服务亭",
            code=code,
            kind=Kind.KIOSK,
            scopes=frozenset({scope}),
            unit_id=unit_id,
        )


async def fields_of(console: Console, **more: str) -> dict[str, str]:
    given = {
        "key": KEY,
        "type": "help",
        "category_id": str(await console.category()),
        "district_id": str(console.units["east"]),
        "street_id": str(console.units["town"]),
        "feelings": "有安全隐患、希望尽快回电话",
        "phone": "13800001234",
    }
    return given | more


async def sent(
    console: Console, token: str, fields: dict[str, str], voice: bytes | None = None
) -> tuple[int, Any]:
    form = FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    if voice is not None:
        form.add_field("files", voice, filename="voice.wav", content_type="audio/wav")
    else:
        form.add_field("files", b"", filename="")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with (
        ClientSession() as session,
        session.post(f"{console.base}/kiosk/submit", data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def tickets(console: Console) -> list[Any]:
    query = text("SELECT channel, state, type, narrative, street_id, district_id FROM ticket")
    async with console.ctx.db.read() as session:
        return list(await session.execute(query))


async def test_a_submission_becomes_one_ticket_with_its_voice_however_often_it_is_sent(
    console: Console,
) -> None:
    token, fields = await token_of(console), await fields_of(console)
    status, slip = await sent(console, token, fields, wav(8000))
    assert status == 200
    assert slip["picture"].startswith("data:image/svg+xml")
    assert len(slip["number"]) == 18
    assert slip["code"] not in slip["picture"]
    for _ in range(2):
        again = await sent(console, token, fields, wav(8000))
        assert again[1]["number"] == slip["number"]
        assert again[1]["code"] == slip["code"]
    (row,) = await tickets(console)
    assert (row.channel, row.state, row.type) == ("kiosk", "waiting_accept", "help")
    assert (row.district_id, row.street_id) == (console.units["east"], console.units["town"])
    assert "鲁家村服务亭" in row.narrative
    assert "有安全隐患" in row.narrative
    assert "语音留言" in row.narrative
    async with console.ctx.db.read() as session:
        found = (await session.execute(text("SELECT kind FROM ticket_attachment"))).scalars().all()
    assert found == ["wav"]


async def test_only_a_device_with_a_token_that_was_not_revoked_submits(console: Console) -> None:
    fields = await fields_of(console)
    assert (await sent(console, "x" * 43, fields))[0] == 401
    other = await token_of(console, scope=Scope.TICKETS_READ)
    assert (await sent(console, other, fields))[0] == 403
    token = await token_of(console)
    async with console.ctx.db.begin() as uow:
        admin = await console.ctx.people.actor_for_user(uow.session, console.users["security_admin"])
        assert admin is not None
        found = await machines.enter(console.ctx.db, token)
        assert found is not None
        await machines.revoke(uow, admin, found.id)
    assert (await sent(console, token, fields))[0] == 401
    assert await tickets(console) == []


async def test_what_is_not_on_the_screen_is_refused(console: Console) -> None:
    token = await token_of(console)
    for wrong in (
        {"type": "report"},
        {"phone": "12"},
        {"category_id": "99999999"},
        {"district_id": "x"},
        {"key": "kurz"},
        {"narrative": "自己写的"},
    ):
        status, _ = await sent(console, token, await fields_of(console, **wrong))
        assert 400 <= status < 500, wrong
    assert (await sent(console, token, await fields_of(console), b"<html>no sound</html>"))[0] in (415, 422)
    felt = await fields_of(console, feelings="<b>强行写入</b>")
    assert (await sent(console, token, felt))[0] == 200
    assert "强行写入" not in (await tickets(console))[0].narrative


async def test_a_device_knows_where_it_stands_and_follows_a_ticket_by_number_and_code(
    console: Console,
) -> None:
    token = await token_of(console)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    _, slip = await sent(console, token, await fields_of(console))
    async with ClientSession(headers=headers) as session:
        async with session.get(f"{console.base}/kiosk/device") as answer:
            told = await answer.json()
        assert told == {
            "name": "鲁家村服务亭",
            "district_id": console.units["east"],
            "street_id": console.units["town"],
        }
        address = f"{console.base}/kiosk/track"
        async with session.post(address, data={"number": slip["number"], "code": slip["code"]}) as answer:
            found = await answer.text()
        assert "13800001234" not in found
        assert answer.status == 200
        for _ in range(5):
            async with session.post(address, data={"number": slip["number"], "code": "000000"}) as answer:
                assert answer.status == 404
        async with session.post(address, data={"number": slip["number"], "code": slip["code"]}) as answer:
            assert answer.status in (403, 423, 429)


async def code_of(console: Console) -> tuple[str, int]:
    """A code for a new kiosk, and the kiosk."""
    await token_of(console)
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        admin = await ctx.people.actor_for_user(uow.session, console.users["security_admin"])
        assert admin is not None
        code = await enrolment.invite_named(uow, admin, "kiosk-kiosk")
        found = await uow.session.execute(select(col(MachineClient.id)))
        return code, found.scalar_one()


async def asked(
    console: Console, path: str, data: dict[str, str] | None, **headers: str
) -> tuple[int, Any, str]:
    """Status, answer and cookie of a question of the page's script."""
    async with ClientSession() as session:
        given = {
            "Accept": "application/json",
            **{name.replace("_", "-"): one for name, one in headers.items()},
        }
        method = "GET" if data is None else "POST"
        async with session.request(method, console.base + path, headers=given, data=data) as answer:
            return answer.status, await answer.json(), answer.headers.get("Set-Cookie", "")


OURS = {"Sec_Fetch_Site": "same-origin"}


async def test_a_code_enrols_once_and_gives_a_cookie_that_no_script_and_no_other_page_has(
    console: Console,
) -> None:
    code, _ = await code_of(console)
    status, told, cookie = await asked(
        console, "/kiosk/enrol", {"code": f"{code[:4]} {code[4:8]} {code[8:]}"}, **OURS
    )
    assert (status, told["name"]) == (200, "鲁家村服务亭")
    assert set(told) == {"name", "district_id", "street_id"}
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"HttpOnly", "Path=/kiosk", "SameSite=Strict"} <= parts
    shown = cookie.split(";")[0]
    assert (await asked(console, "/kiosk/device", None, Cookie=shown))[0] == 200
    assert (await asked(console, "/kiosk/enrol", {"code": code}, **OURS))[0] == 422
    async with console.ctx.db.read() as session:
        rows = (await session.execute(text("SELECT action FROM audit_log ORDER BY id"))).scalars().all()
    assert rows[-3:] == ["machine.create", "machine.invite", "machine.enrol"]


async def test_under_https_the_cookie_is_secure(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(console.ctx), "secure", property(lambda _: True))
    code, _ = await code_of(console)
    _, _, cookie = await asked(console, "/kiosk/enrol", {"code": code}, **OURS)
    assert cookie.startswith("__Secure-hotline_kiosk=")
    assert "Secure" in {part.strip() for part in cookie.split(";")}


async def test_a_code_is_dead_when_it_is_old_replaced_or_of_a_revoked_client(console: Console) -> None:
    first, ident = await code_of(console)
    browser = await console.signed_in("security_admin")
    page = await browser.post(f"/admin/machines/{ident}/invite")
    found = re.search(r"data-code>([0-9 ]{14})<", page.text)
    assert found, page.text[-800:]
    assert (await asked(console, "/kiosk/enrol", {"code": first}, **OURS))[0] == 422
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE machine_enrolment SET expires_at = expires_at - interval '1 hour'")
        )
    assert (await asked(console, "/kiosk/enrol", {"code": found[1]}, **OURS))[0] == 422
    page = await browser.post(f"/admin/machines/{ident}/invite")
    found = re.search(r"data-code>([0-9 ]{14})<", page.text)
    assert found
    await browser.post(f"/admin/machines/{ident}/revoke")
    assert (await asked(console, "/kiosk/enrol", {"code": found[1]}, **OURS))[0] == 422
    assert (await browser.post(f"/admin/machines/{ident}/invite")).status == 404


async def test_who_tries_codes_is_slowed_down(console: Console) -> None:
    found = [(await asked(console, "/kiosk/enrol", {"code": "123456789012"}, **OURS))[0] for _ in range(12)]
    assert found[:10] == [422] * 10
    assert found[10:] == [429, 429]


async def test_a_new_device_ends_the_one_before_and_revoking_ends_the_cookie(console: Console) -> None:
    code, ident = await code_of(console)
    _, _, cookie = await asked(console, "/kiosk/enrol", {"code": code}, **OURS)
    first = cookie.split(";")[0]
    async with console.ctx.db.begin() as uow:
        admin = await console.ctx.people.actor_for_user(uow.session, console.users["security_admin"])
        assert admin is not None
        code = await enrolment.invite(uow, admin, ident)
    assert (await asked(console, "/kiosk/device", None, Cookie=first))[0] == 200  # until the code is used
    _, _, cookie = await asked(console, "/kiosk/enrol", {"code": code}, **OURS)
    second = cookie.split(";")[0]
    assert (await asked(console, "/kiosk/device", None, Cookie=first))[0] == 401
    assert (await asked(console, "/kiosk/device", None, Cookie=second))[0] == 200
    async with console.ctx.db.begin() as uow:
        await machines.revoke(uow, admin, ident)
    assert (await asked(console, "/kiosk/device", None, Cookie=second))[0] == 401


async def test_a_write_by_cookie_must_come_from_our_own_page(console: Console) -> None:
    code, _ = await code_of(console)
    assert (await asked(console, "/kiosk/enrol", {"code": code}, Origin="https://evil.example"))[0] == 403
    _, _, cookie = await asked(console, "/kiosk/enrol", {"code": code}, **OURS)
    shown, fields = cookie.split(";")[0], await fields_of(console)
    for elsewhere in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert (await asked(console, "/kiosk/submit", fields, Cookie=shown, **elsewhere))[0] == 403
        assert (await asked(console, "/kiosk/track", fields, Cookie=shown, **elsewhere))[0] == 403
    assert await tickets(console) == []
    found = await asked(console, "/kiosk/track", {"number": "1", "code": "1"}, Cookie=shown, **OURS)
    assert found[0] == 404


async def test_the_cookie_of_a_kiosk_opens_nothing_but_the_kiosk(console: Console) -> None:
    code, _ = await code_of(console)
    _, _, cookie = await asked(console, "/kiosk/enrol", {"code": code}, **OURS)
    shown = cookie.split(";")[0]
    assert (await asked(console, "/api/v1/tickets", None, Cookie=shown))[0] == 401


async def test_a_token_from_before_is_made_a_cookie_of(console: Console) -> None:
    token = await token_of(console)
    status, _, cookie = await asked(console, "/kiosk/device", None, Authorization=f"Bearer {token}")
    assert status == 200
    assert cookie.startswith(f"hotline_kiosk={token};")


async def test_the_worker_names_every_file_of_the_page_and_changes_with_it(console: Console) -> None:
    browser = console.browser()
    page, first = await browser.get("/kiosk"), await browser.get("/kiosk/worker.js")
    assert first.headers["Service-Worker-Allowed"] == "/kiosk"
    assert first.headers["Cache-Control"] == "no-cache"
    assert first.headers["Content-Type"].startswith("text/javascript")
    assert "connect-src 'self'" in first.headers["Content-Security-Policy"]
    shell = json.loads(first.text.partition(" = ")[2].partition(";\n")[0])
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    assert named <= set(shell["files"])
    script = STATIC / "js" / "kiosk.js"
    imported = re.findall(r'from "\./(kiosk/[a-z]+\.js)"', script.read_text())
    assert {f"js/{name}" for name in imported} <= {one.split("/", 3)[3] for one in shell["files"]}
    assert (await browser.get("/kiosk/worker.js")).text == first.text  # nothing of the moment is in it
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE unit SET short_name = '新' || short_name WHERE kind = 'district'")
        )
    assert (await browser.get("/kiosk/worker.js")).text != first.text


async def test_the_page_holds_nobodys_data_and_asks_for_a_code(console: Console) -> None:
    page = await console.browser().get("/kiosk")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "本机还没有启用" in page.text
