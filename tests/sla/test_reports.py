"""Reports say what was counted, once for each period, and are never changed."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock, SystemClock, to_city
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import ROLE_PERMISSIONS, Role
from core.settings import Leadership
from sla.measures.models import MeasureDelta
from sla.measures.periods import Period
from sla.measures.recount import start_over, step
from sla.packs import shipped_pack
from sla.reports import service
from sla.reports.content import Writer
from sla.reports.document import Paragraph, Report, Table
from sla.reports.models import ReportRow
from sla.reports.periods import Kind, before, month_of, period_of, scheduled
from sla.reports.service import Order, ReportService
from tests.sla.measures_rig import fold
from tickets.models import Category, table_of

_delta, _report, _unit = table_of(MeasureDelta), table_of(ReportRow), table_of(Unit)
MONDAY, WEEK = date(2026, 11, 16), Period(date(2026, 11, 16), date(2026, 11, 22))


@pytest.fixture
def reports(database: Database) -> ReportService:
    return ReportService(database, Writer("桂林12345热线", shipped_pack().scores, "桂林").compose)


@pytest.fixture
async def lease(database: Database) -> Lease:
    """Of a leader who has nothing left to count."""
    found = Lease(database, "scheduler", "test", Leadership(lease_seconds=3600), SystemClock())
    assert await found.try_take()
    await counted(database)
    return found


async def counted(database: Database) -> None:
    """Nothing of the past is left to be counted."""
    async with database.begin() as uow:
        while await step(uow):
            pass


def officer(user_id: int | None = None) -> Actor:
    system = Actor.system("tests")
    permissions = ROLE_PERMISSIONS[Role.SUPERVISION_OFFICER]
    return Actor(**{**vars(system), "user_id": user_id, "roles": frozenset(), "permissions": permissions})


async def unit(db: Database, name: str, kind: str = "bureau") -> int:
    async with db.begin() as uow:
        values = {"kind": kind, "name": name, "short_name": name, "code": name, "path": f".{name}."}
        made = sa.insert(_unit).values(**values, active=True, sort=0).returning(_unit.c.id)
        return int((await uow.session.execute(made)).scalar_one())


async def facts(db: Database, day: date, unit_id: int = 0, **counts: int) -> None:
    """So many facts of each code on a day, each of a ticket of its own."""
    async with db.begin() as uow:
        start = int((await uow.session.execute(sa.select(sa.func.count()).select_from(_delta))).scalar_one())
        start += 1_000_000 * (day.toordinal() % 1000) + 10_000 * unit_id
        rows = [
            {"at": uow.now, "record": False, "ref_id": start + at, "code": code, "seq": 0, "n": 1, "day": day}
            | {"unit_id": unit_id, "category_id": 0, "district_id": 0, "type": "help", "left_out": False}
            for code, n in counts.items()
            for at in range(n)
        ]
        await uow.session.execute(sa.insert(_delta), rows)
    await fold(db)


async def made(db: Database, reports: ReportService, order: Order) -> Report:
    async with db.begin() as uow:
        ident = await reports.make(uow, officer(), order)
    async with db.read() as session:
        return (await service.one(session, officer(), ident))[1]


def table(report: Report, title: str) -> Table:
    return next(block for block in report.blocks if isinstance(block, Table) and block.title == title)


def row(found: Table, name: str) -> tuple[Any, ...]:
    return next(row for row in found.rows if name in row)


async def test_a_weekly_report_has_the_counts_of_its_week_and_the_change(
    database: Database, reports: ReportService
) -> None:
    await facts(database, MONDAY, accepted=40, direct=30)
    await facts(database, MONDAY + timedelta(days=6), accepted=10)
    await facts(database, MONDAY - timedelta(days=1), accepted=25)
    await facts(database, MONDAY + timedelta(days=7), accepted=99)
    report = await made(database, reports, Order(Kind.WEEKLY, WEEK))
    told = [block.text for block in report.blocks if isinstance(block, Paragraph)]
    assert "本期共受理诉求 50 件，较上期 25 件增加 100.0%；其中直办 30 件，直办率 60.0%" in told[0]
    assert row(table(report, "各类诉求受理情况"), "求助")[1:] == (50, 25, 0.6)


async def test_the_league_scores_by_the_rules_of_the_pack_and_ranks_nobody_below_thirty(
    database: Database, reports: ReportService
) -> None:
    good, small = await unit(database, "市城管委"), await unit(database, "市气象局")
    await facts(database, MONDAY, good, due=100, on_time=90, sent=100, signed=98, contacted=98)
    await facts(database, MONDAY, small, due=29, on_time=0)
    report = await made(database, reports, Order(Kind.LEAGUE, month_of(MONDAY)))
    found = table(report, "市直部门考核")
    # 30 − (95 − 90) of 30; 10 and 10 at the target; no returns of 100 dispatches: 10. Out of 60.
    place, name, total, *_ = found.rows[0]
    assert (place, name) == ("1", "市城管委")
    assert total == pytest.approx(100 * 55 / 60)
    assert found.rows[1][:3] == ("—", "市气象局", None)


async def test_a_day_without_anything_is_a_report_that_says_so(
    database: Database, reports: ReportService
) -> None:
    for kind in Kind:
        report = await made(database, reports, Order(kind, period_of(kind, MONDAY)))
        assert report.blocks
        assert any("没有" in block.text for block in report.blocks if isinstance(block, Paragraph))


async def test_a_special_report_is_about_its_category_day_by_day(
    database: Database, reports: ReportService
) -> None:
    async with database.begin() as uow:
        category = Category(
            level=1, code="99", name="供水", full_name="供水", initials="gs", path="", active=True
        )
        uow.session.add(category)
        await uow.session.flush()
        category.path = f".{category.id}."
        ident = category.id
        assert ident is not None
        values = {"at": uow.now, "record": False, "seq": 0, "n": 1, "unit_id": 0, "district_id": 0}
        values |= {"type": "help", "left_out": False, "code": "accepted", "day": MONDAY}
        rows = [values | {"ref_id": at, "category_id": ident} for at in range(1, 8)]
        await uow.session.flush()
        await uow.session.execute(sa.insert(_delta), rows)
    await fold(database)
    report = await made(database, reports, Order(Kind.SPECIAL, WEEK, ident))
    assert report.title == "12345热线供水专报"
    assert [cells[1] for cells in table(report, "每日受理").rows] == [7, 0, 0, 0, 0, 0, 0]


async def test_the_schedule_makes_each_report_once_whoever_leads(
    database: Database, reports: ReportService, lease: Lease
) -> None:
    assert await reports.run_due(lease) == 4
    assert await reports.run_due(lease) == 0
    async with database.read() as session:
        kept = await service.listed(session, officer())
    today = to_city(database.clock.now()).date()
    assert {(one.kind, one.first) for one in kept} == {
        (kind.value, period.first) for kind, period in scheduled(today)
    }
    assert {one.made_by for one in kept} == {None}


async def test_before_the_morning_the_reports_of_yesterday_are_what_is_due(
    database: Database, clock: ManualClock, reports: ReportService, lease: Lease
) -> None:
    clock.step(-4 * 3600)  # 06:00
    await reports.run_due(lease)
    async with database.read() as session:
        kept = await service.listed(session, officer(), Kind.DAILY)
    assert [one.first for one in kept] == [to_city(clock.now()).date() - timedelta(days=2)]
    clock.step(4 * 3600)
    assert await reports.run_due(lease) >= 1
    assert await reports.run_due(lease) == 0


async def test_no_report_is_made_while_the_past_is_being_counted(
    database: Database, reports: ReportService, lease: Lease
) -> None:
    async with database.begin() as uow:
        await start_over(uow)
    assert await reports.run_due(lease) == 0
    await counted(database)
    assert await reports.run_due(lease) == 4


async def test_who_lost_the_lease_makes_no_report(
    database: Database, reports: ReportService, lease: Lease
) -> None:
    lease.epoch += 1
    with pytest.raises(HotlineError, match="lease_lost"):
        await reports.run_due(lease)
    async with database.read() as session:
        assert await service.listed(session, officer()) == []


async def test_a_report_is_never_changed(database: Database, reports: ReportService) -> None:
    await made(database, reports, Order(Kind.DAILY, Period(MONDAY, MONDAY)))
    for statement in (sa.update(_report).values(digest="x"), sa.delete(_report)):
        with pytest.raises(DBAPIError):
            async with database.begin() as uow:
                await uow.session.execute(statement)


async def test_the_same_figures_have_the_same_digest(database: Database, reports: ReportService) -> None:
    await facts(database, MONDAY, accepted=3)
    order = Order(Kind.DAILY, Period(MONDAY, MONDAY))
    await made(database, reports, order)
    await made(database, reports, order)
    async with database.read() as session:
        first, second = await service.listed(session, officer())
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (MONDAY, MONDAY - timedelta(days=1), "report_days_reversed"),
        (date(2020, 1, 1), MONDAY, "report_too_long"),
        (date(2027, 5, 1), date(2027, 5, 2), "report_in_future"),
    ],
)
async def test_days_that_make_no_sense_are_refused(
    database: Database, reports: ReportService, first: date, last: date, code: str
) -> None:
    with pytest.raises(HotlineError, match=code):
        await made(database, reports, Order(Kind.SPECIAL, Period(first, last)))
    async with database.read() as session:
        assert await service.listed(session, officer()) == []


async def test_who_may_not_make_reports_makes_none(database: Database, reports: ReportService) -> None:
    nobody = Actor(**{**vars(officer()), "permissions": frozenset()})
    async with database.begin() as uow:
        with pytest.raises(HotlineError, match="forbidden"):
            await reports.make(uow, nobody, Order(Kind.DAILY, Period(MONDAY, MONDAY)))


def test_a_period_is_compared_with_the_one_before_it() -> None:
    assert before(WEEK) == Period(date(2026, 11, 9), date(2026, 11, 15))
    assert before(month_of(date(2026, 3, 5))) == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert before(Period(MONDAY, MONDAY)) == Period(date(2026, 11, 15), date(2026, 11, 15))


def test_on_the_first_of_a_month_the_month_before_is_over() -> None:
    found = dict(scheduled(date(2026, 12, 1)))
    assert found[Kind.MONTHLY] == Period(date(2026, 11, 1), date(2026, 11, 30))
    assert found[Kind.WEEKLY] == Period(date(2026, 11, 23), date(2026, 11, 29))
    assert found[Kind.DAILY] == Period(date(2026, 11, 30), date(2026, 11, 30))


async def test_the_hour_a_report_was_made_is_the_citys(
    database: Database, reports: ReportService, clock: ManualClock
) -> None:
    report = await made(database, reports, Order(Kind.DAILY, Period(MONDAY, MONDAY)))
    now: datetime = clock.now()
    assert report.lines["数据截至"] == f"{to_city(now):%Y-%m-%d %H:%M}"
