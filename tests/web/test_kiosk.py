"""What a kiosk's device asks of the server: with its token, once per key, a slip."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession, FormData
from sqlalchemy import text

from core.people import machines
from core.people.machines import Kind, Scope
from tests.web.conftest import Console
from tests.web.test_recordings import wav

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


async def test_the_page_holds_nobodys_data_and_asks_for_a_token(console: Console) -> None:
    page = await console.browser().get("/kiosk")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "本机还没有启用" in page.text
