"""Wallboards: figures for whoever has the address, and nothing else for anybody."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.clock import to_city
from core.wallboards import MOST, hash_of
from tests.web.conftest import Browser, Console
from tests.web.test_decisions import act, number
from tickets.states import Action
from web.boards import SOURCES, Rate

ADDRESS = re.compile(r'value="http://[^"]*/wallboard/([A-Za-z0-9_-]{43})"')


async def made(console: Console, name: str = "大厅东侧屏幕") -> str:
    """The secret of a new address."""
    leader = await console.signed_in("shift_leader")
    found = ADDRESS.search((await leader.post("/wallboards", {"name": name})).text)
    assert found is not None
    return found[1]


async def figures(browser: Browser, secret: str) -> dict[str, Any]:
    answer = await browser.get(f"/wallboard/{secret}/figures")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


async def test_an_address_is_shown_once_and_opens_the_board_without_a_session(console: Console) -> None:
    secret = await made(console)
    leader = await console.signed_in("shift_leader")
    assert secret not in (await leader.get("/wallboards")).text
    stranger = console.browser()
    board = await stranger.get(f"/wallboard/{secret}")
    assert board.status == 200
    assert 'data-theme="dark"' in board.text
    assert board.set_cookies == []
    assert set(await figures(stranger, secret)) == {
        "at", "day", "behind", "calls", "rates", "tickets", "stages", "due", "units",
    }  # fmt: skip


async def test_only_the_hash_is_kept(console: Console) -> None:
    secret = await made(console)
    async with console.ctx.db.read() as session:
        rows = (await session.execute(text("SELECT * FROM wallboard_address"))).mappings().all()
        audited = (await session.execute(text("SELECT detail::text FROM audit_log"))).scalars().all()
    assert rows[0]["secret_hash"] == hash_of(secret)
    assert secret not in str([dict(row) for row in rows])
    assert not any(secret in (detail or "") for detail in audited)


async def test_making_and_ending_an_address_is_audited(console: Console) -> None:
    await made(console)
    leader = await console.signed_in("shift_leader")
    ident = await number(console, "SELECT id FROM wallboard_address")
    assert (await leader.post(f"/wallboards/{ident}/revoke")).status in (204, 303)
    query = "SELECT count(*) FROM audit_log WHERE action IN ('wallboard.create', 'wallboard.revoke')"
    assert await number(console, query) == 2
    assert (await leader.post(f"/wallboards/{ident}/revoke")).status == 404


async def test_an_address_that_was_ended_opens_nothing(console: Console) -> None:
    secret = await made(console)
    leader = await console.signed_in("shift_leader")
    await leader.post(f"/wallboards/{await number(console, 'SELECT id FROM wallboard_address')}/revoke")
    stranger = console.browser()
    assert (await stranger.get(f"/wallboard/{secret}")).status == 404
    assert (await stranger.get(f"/wallboard/{secret}/figures")).status == 404


@pytest.mark.parametrize(
    "wrong", ["a", "A" * 43, "A" * 42, "A" * 44, "A" * 3000, "%00", "..%2f", "x%27--", "%E5%A4%A7" * 43]
)
async def test_a_wrong_address_opens_nothing(console: Console, wrong: str) -> None:
    await made(console)
    stranger = console.browser()
    for tail in ("", "/figures"):
        assert (await stranger.get(f"/wallboard/{wrong}{tail}")).status in (404, 400)


async def test_the_address_opens_nothing_but_the_board(console: Console) -> None:
    secret = await made(console)
    stranger = console.browser()
    await stranger.get(f"/wallboard/{secret}")
    for path in ("/tickets", "/calls", "/wallboards", "/", "/live", f"/wallboard/{secret}/x"):
        answer = await stranger.get(path, headers={"Accept": "application/json"})
        assert answer.status in (401, 404), path
    token = {"Cookie": f"hotline_session={secret}", "Authorization": f"Bearer {secret}"}
    answer = await stranger.get("/tickets", headers={"Accept": "application/json", **token})
    assert answer.status == 401
    assert (await stranger.post(f"/wallboard/{secret}")).status == 405


async def test_whoever_guesses_is_refused_for_a_while_and_others_are_not(console: Console) -> None:
    secret = await made(console)
    stranger = console.browser()
    answers = [(await stranger.get(f"/wallboard/{n:043}")).status for n in range(40)]
    assert answers == [404] * 30 + [429] * 10
    assert (await stranger.get(f"/wallboard/{secret}")).status == 429
    console.ctx.clock.advance(60)  # type: ignore[attr-defined]  # the clock of the tests
    assert (await stranger.get(f"/wallboard/{secret}")).status == 200


def test_a_rate_forgets_the_oldest_source_and_begins_anew_after_its_time() -> None:
    rate = Rate(2, 60)
    assert [rate.take("a", now) for now in (0, 1, 2, 59, 60, 61, 62)] == [
        True, True, False, False, True, True, False,
    ]  # fmt: skip
    for source in range(SOURCES):
        rate.take(str(source), 63)
    assert not rate.spent("a", 64)


async def test_no_person_and_no_text_of_a_ticket_is_on_the_board(console: Console) -> None:
    made_ticket = await console.ticket(
        "road", title="绝密标题七", narrative="绝密内容八", citizen_name="赵绝密"
    )
    await act(console, "road_officer", made_ticket.id, Action.SIGN)
    secret = await made(console)
    stranger = console.browser()
    shown = (await stranger.get(f"/wallboard/{secret}")).text
    shown += json.dumps(await figures(stranger, secret), ensure_ascii=False)
    number_ = await console_number(console, made_ticket.id)
    for leak in (
        "绝密",
        "13800001234",
        "1380000",
        number_,
        "张",
        "road_officer",
        "shift_leader",
        "大厅东侧屏幕",
    ):
        assert leak not in shown, leak


async def console_number(console: Console, ident: int) -> str:
    async with console.ctx.db.read() as session:
        found = await session.execute(text("SELECT number FROM ticket WHERE id = :id"), {"id": ident})
        return str(found.scalar_one())


async def kept(console: Console, scope: str, key: str, code: str, day: date, n: int) -> None:
    """A kept sum of a day, in its week and its month."""
    statement = text(
        "INSERT INTO measure_sum (scope, key, code, grain, start, left_out, n) VALUES "
        "(:scope, :key, :code, 'd', :day, false, :n), "
        "(:scope, :key, :code, 'w', date_trunc('week', CAST(:day AS date))::date, false, :n), "
        "(:scope, :key, :code, 'm', date_trunc('month', CAST(:day AS date))::date, false, :n)"
    )
    values = {"scope": scope, "key": key, "code": code, "day": day, "n": n}
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(statement, values)


async def test_the_figures_are_those_of_the_tables(console: Console) -> None:
    first = await console.ticket("road")
    await act(console, "road_officer", first.id, Action.SIGN)
    today = to_city(console.ctx.clock.now()).date()
    for code, n in (("accepted", 12), ("direct", 5), ("passed", 3), ("open_sign", 2), ("open_handle", 4)):
        await kept(console, "all", "", code, today, n)
    async with console.ctx.db.begin() as uow:
        values = {"at": datetime(2020, 1, 1, tzinfo=UTC), "id": first.id}
        await uow.session.execute(text("UPDATE ticket SET due_at = :at WHERE id = :id"), values)
    found = await figures(console.browser(), await made(console))
    assert found["tickets"] == {"in": 12, "direct": 5, "out": 3}
    assert found["due"]["overdue"] == "1"
    assert {row["word"]: row["n"] for row in found["stages"]} == {"签收": 2, "办理": 4}
    assert found["rates"]["answered"] == "—"
    assert found["calls"]["waiting"] == 0


async def test_a_unit_with_few_tickets_is_counted_and_not_named(console: Console) -> None:
    yesterday = to_city(console.ctx.clock.now()).date() - timedelta(days=1)
    for unit, n in (("road", 30), ("water", 29)):
        for code in ("due", "on_time"):
            await kept(console, "unit", str(console.units[unit]), code, yesterday, n)
    async with console.ctx.db.read() as session:
        query = text("SELECT short_name FROM unit WHERE id = :id")
        name = (await session.execute(query, {"id": console.units["road"]})).scalar_one()
    (group,) = (await figures(console.browser(), await made(console)))["units"]
    assert [unit["name"] for unit in group["units"]] == [name]
    assert group["units"][0]["rate"] == "100"
    assert group["unnamed"] == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\nb\x00c"])
async def test_a_name_that_will_not_do_is_said_and_kept(console: Console, name: str) -> None:
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/wallboards", {"name": name})
    assert answer.status in (400, 422)
    assert await number(console, "SELECT count(*) FROM wallboard_address") == 0


async def test_a_name_is_text_and_nothing_else(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/wallboards", {"name": "<img src=x onerror=1>"})
    assert "<img src=x" not in answer.text


async def test_there_is_an_end_to_addresses(console: Console) -> None:
    await made(console)
    async with console.ctx.db.begin() as uow:
        more = text(
            "INSERT INTO wallboard_address (name, secret_hash, created_by, created_at) SELECT 'x', "
            "decode(md5(n::text), 'hex'), :by, now() FROM generate_series(2, :most) AS n"
        )
        await uow.session.execute(more, {"by": console.users["shift_leader"], "most": MOST})
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/wallboards", {"name": "再一块"})
    assert (answer.status, "地址已满" in answer.text, 'value="再一块"' in answer.text) == (409, True, True)
