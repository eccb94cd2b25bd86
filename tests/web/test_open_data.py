"""Public data from the month that is over to the files anybody fetches; published documents."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock
from core.leadership import Lease
from sla.opendata.models import OpenRelease
from sla.opendata.service import month_before
from tests.web.conftest import Console
from tickets.knowledge import banners
from tickets.models import table_of

_release = table_of(OpenRelease)


async def month_with(console: Console, clock: ManualClock, sizes: dict[str, int]) -> None:
    """Tickets by type in November, seen from the sixth of December."""
    east = console.units["east"]
    for kind, n in sizes.items():
        for _ in range(n):
            await console.ticket(type=kind, district_id=east, title="路灯不亮王小明")
    clock.advance(timedelta(days=13).total_seconds())
    await console.counted()
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(sa.text("DELETE FROM measure_delta"))  # all of it is folded


async def prepared(console: Console, clock: ManualClock) -> bool:
    lease = Lease(console.ctx.db, "scheduler", "test", console.ctx.settings.leadership, clock)
    assert await lease.try_take()
    done = await console.ctx.opendata.run_due(lease)
    await lease.release()
    return done


async def the_id(console: Console, version: int = 1) -> int:
    query = sa.select(_release.c.id).where(_release.c.version == version)
    async with console.ctx.db.read() as session:
        return int((await session.execute(query)).scalar_one())


def test_the_month_before_is_the_one_before_over_the_turn_of_a_year() -> None:
    assert month_before(date(2027, 1, 31)) == date(2026, 12, 1)
    assert month_before(date(2026, 3, 1)) == date(2026, 2, 1)


async def test_a_month_is_prepared_once_approved_by_a_person_and_then_public(
    console: Console, clock: ManualClock
) -> None:
    await month_with(console, clock, {"help": 7, "complaint": 6, "consult": 2, "praise": 1, "report": 6})
    assert await prepared(console, clock)
    assert not await prepared(console, clock)
    visitor, leader = console.browser(), await console.signed_in("shift_leader")
    assert "还没有发布过数据" in (await visitor.get("/open/data")).text
    assert (await visitor.get("/open/data/2026-11/v1")).status == 404
    ident = await the_id(console)
    assert "待审核发布" in (await leader.get("/reports/open")).text
    preview = await leader.get(f"/reports/open/{ident}")
    assert "下面就是公众会看到的内容" in preview.text
    done = await leader.post(f"/reports/open/{ident}/decide", {"decision": "published"})
    assert done.status == 303
    again = await leader.post(f"/reports/open/{ident}/decide", {"decision": "refused", "note": "不"})
    assert again.status == 409
    assert "已经有人决定过了" in again.text
    page = await visitor.get("/open/data", follow=True)
    assert "2026 年 11 月热线诉求统计" in page.text
    assert "受理诉求（按县（市、区）和诉求类型）" in page.text
    assert "<table>" in page.text
    for secret in ("王小明", "路灯", "13800001234", "举报</th>"):
        assert secret not in page.text


async def test_the_files_say_the_same_and_no_small_number(console: Console, clock: ManualClock) -> None:
    await month_with(console, clock, {"help": 7, "complaint": 6, "consult": 2, "praise": 1, "report": 6})
    await prepared(console, clock)
    leader, visitor = await console.signed_in("shift_leader"), console.browser()
    await leader.post(f"/reports/open/{await the_id(console)}/decide", {"decision": "published"})
    base = "/open/data/2026-11/v1"
    whole = await visitor.get(f"{base}/release.json")
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    assert "immutable" in whole.headers["Cache-Control"]
    told = json.loads(whole.text)
    assert told["month"] == "2026-11"
    table = next(one for one in told["tables"] if one["code"] == "accepted-by-type")
    assert table["total"] == 16
    assert "report" not in {column["code"] for column in table["columns"]}
    numbers = [n for row in table["rows"] for n in row["cells"].values()]
    assert None in numbers
    assert all(n is None or n == 0 or n >= 5 for n in numbers)
    sheet = await visitor.get(f"{base}/accepted-by-type.csv")
    rows = list(csv.DictReader(io.StringIO(sheet.text.lstrip("\ufeff"))))
    assert rows[0].keys() == {"month", "area_code", "area", "type_code", "type", "count"}
    assert {row["count"] for row in rows if row["type_code"] == "consult"} == {""}
    for missing in ("nothing.csv", "accepted-by-type.json", "accepted-by-type", ".csv"):
        assert (await visitor.get(f"{base}/{missing}")).status == 404


async def test_the_catalogue_leads_to_every_file(console: Console, clock: ManualClock) -> None:
    await month_with(console, clock, {"help": 9, "complaint": 8})
    await prepared(console, clock)
    leader, visitor = await console.signed_in("shift_leader"), console.browser()
    await leader.post(f"/reports/open/{await the_id(console)}/decide", {"decision": "published"})
    answer = await visitor.get("/open/catalog.json")
    assert answer.headers["Content-Type"].startswith("application/ld+json")
    found = json.loads(answer.text)
    assert found["@type"] == "dcat:Catalog"
    (dataset,) = found["dcat:dataset"]
    for one in dataset["dcat:distribution"]:
        address = one["dcat:downloadURL"]["@id"]
        assert address.startswith(console.base)
        assert (await visitor.get(address.removeprefix(console.base))).status == 200
    for page in ("/open", "/open/licence", "/open/dictionary", "/open/dictionary.json", "/open/info"):
        assert (await visitor.get(page)).status == 200


async def test_a_correction_stands_beside_and_needs_another_person(
    console: Console, clock: ManualClock
) -> None:
    await month_with(console, clock, {"help": 12, "complaint": 11})
    await prepared(console, clock)
    leader, other = await console.signed_in("shift_leader"), await console.signed_in("supervision_officer")
    await leader.post(f"/reports/open/{await the_id(console)}/decide", {"decision": "published"})
    same = await leader.post("/reports/open", {"month": "2026-11", "reason": "更正"})
    assert "数字没有变化" in same.text
    await _retype(console, 2)
    few = await leader.post("/reports/open", {"month": "2026-11", "reason": "更正"})
    assert few.status in (303, 409)
    if few.status == 409:
        assert "变动太小" in few.text
        await _retype(console, 6)
        assert (await leader.post("/reports/open", {"month": "2026-11", "reason": "更正"})).status == 303
    ident = await the_id(console, 2)
    waiting = await leader.post("/reports/open", {"month": "2026-11", "reason": "再来"})
    assert "有一版还没有决定" in waiting.text
    own = await leader.post(f"/reports/open/{ident}/decide", {"decision": "published"})
    assert own.status == 403
    assert (await other.post(f"/reports/open/{ident}/decide", {"decision": "published"})).status == 303
    visitor = console.browser()
    assert (await visitor.get("/open/data/2026-11/v1")).status == 200
    assert "第 2 版" in (await visitor.get("/open/data/2026-11", follow=True)).text


async def _retype(console: Console, n: int) -> None:
    statement = (
        "UPDATE ticket SET type = 'suggestion' WHERE id IN (SELECT id FROM ticket ORDER BY id LIMIT :n)"
    )
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(sa.text(statement), {"n": n})


async def test_a_month_that_runs_is_refused_and_a_reason_is_wanted(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    running = await leader.post("/reports/open", {"month": "2026-11", "reason": "看看"})
    assert "这个月还没有结束" in running.text
    silent = await leader.post("/reports/open", {"month": "2026-10", "reason": " "})
    assert "请写明理由" in silent.text


async def test_nobody_changes_a_release_in_the_database(console: Console, clock: ManualClock) -> None:
    await month_with(console, clock, {"help": 9})
    await prepared(console, clock)
    for statement in ("UPDATE open_release SET version = 9", "DELETE FROM open_release"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with console.ctx.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


async def test_nothing_is_prepared_before_its_day(console: Console, clock: ManualClock) -> None:
    clock.advance(timedelta(days=9).total_seconds())  # the second of December
    await console.counted()
    assert not await prepared(console, clock)


async def test_public_emergency_information_names_the_responsible_unit_first(console: Console) -> None:
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        leader = await ctx.people.actor_for_user(uow.session, console.users["shift_leader"])
        assert leader is not None
        ends = uow.now + timedelta(hours=8)
        await banners.issue(uow, leader, "城北停水", "今晚八点恢复", ends, console.units["water"])
        await banners.issue(uow, leader, "内部口径", "不要承诺时间", ends)
    page = (await console.browser().get("/open")).text
    assert page.index("市水利局") < page.index("城北停水") < page.index("公开信息</h1>")
    assert "不要承诺时间" not in page


@pytest.mark.parametrize(
    "path", ["/open/data/2026-13", "/open/data/abc", "/open/data/2026-10/v0", "/open/data/2026-10/1"]
)
async def test_an_odd_address_finds_nothing(console: Console, path: str) -> None:
    assert (await console.browser().get(path)).status == 404
