"""The page of the morning's digest: one's own numbers, each a way to the list behind it."""

from datetime import timedelta

import sqlalchemy as sa

from core.clock import to_city
from tests.web.conftest import Console


async def told(console: Console, who: str, scope: str, *, days_ago: int = 0) -> None:
    statement = sa.text(
        "INSERT INTO daily_digest (user_id, day, scope, counts, at) VALUES (:u, :d, :s, "
        """'{"overdue": 3, "today": 12, "warned": 0, "new": 1000}', :at)"""
    )
    now = console.ctx.clock.now() - timedelta(days=days_ago)
    values = {"u": console.users[who], "d": to_city(now).date(), "s": scope, "at": now}
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(statement, values)


async def test_a_unit_s_numbers_lead_to_its_workbench(console: Console) -> None:
    await told(console, "road_officer", "unit")
    shown = (await (await console.signed_in("road_officer")).get("/digest")).text
    assert '<a href="/workbench?urgency=overdue" data-urgency="overdue"><b>3</b>' in shown
    assert "<b>999+</b>" in shown
    assert "这是" not in shown


async def test_yesterday_s_is_called_yesterday_s(console: Console) -> None:
    await told(console, "road_officer", "unit", days_ago=1)
    assert "的提要" in (await (await console.signed_in("road_officer")).get("/digest")).text


async def test_nobody_sees_another_s(console: Console) -> None:
    await told(console, "road_officer", "unit")
    assert "还没有提要" in (await (await console.signed_in("dept_officer")).get("/digest")).text


async def test_the_notice_leads_there(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            sa.text("INSERT INTO notification (user_id, kind, at, times) VALUES (:u, 'digest', :at, 1)"),
            {"u": console.users["road_officer"], "at": uow.now},
        )
    officer = await console.signed_in("road_officer")
    assert "今日待办提要" in (await officer.get("/notifications")).text
    ident = await _only(console)
    assert (await officer.post(f"/notifications/{ident}/open")).headers["Location"] == "/digest"


async def _only(console: Console) -> int:
    async with console.ctx.db.read() as session:
        return int((await session.execute(sa.text("SELECT id FROM notification"))).scalar_one())
