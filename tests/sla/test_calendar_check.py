"""The year whose days off are not published: who is told, how often, and what its due times say."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.settings import City as CitySettings
from sla import calendar_check
from sla import calendar_service as days
from sla.calendar_check import KIND
from sla.plain import CityLimits
from tests.sla.test_recompute import Leads
from tests.tickets.conftest import City
from tickets.notices import target_of
from web.reads.left import FORECAST, left_of

from tests.tickets.conftest import city  # isort: skip  # noqa: F401 - the fixture
# ruff: noqa: F811


@pytest.fixture
async def town(city: City) -> City:
    async with city.db.begin() as uow:
        await days.seed(uow, CitySettings())
    return city


async def told(town: City) -> dict[str, tuple[int, int]]:
    """Who has the notice: how many, how often it was repeated."""
    query = sa.text(
        "SELECT u.login, count(*), max(n.times) FROM notification n JOIN user_account u ON u.id = n.user_id "
        "WHERE n.kind = :kind GROUP BY u.login"
    )
    async with town.db.read() as session:
        return {row[0]: (row[1], row[2]) for row in await session.execute(query, {"kind": KIND})}


async def remind(town: City) -> int | None:
    return await calendar_check.remind(town.db, cast(Any, Leads()))


async def test_from_october_on_who_can_confirm_is_told_every_day_until_it_is(
    town: City, clock: ManualClock
) -> None:
    clock.advance((datetime(2026, 9, 30, 4, tzinfo=UTC) - clock.now()).total_seconds())
    assert await remind(town) is None
    assert await told(town) == {}
    clock.advance(86_400)
    assert await remind(town) == 2027
    clock.advance(86_400)
    assert await remind(town) == 2027
    assert await told(town) == {"supervision": (1, 2), "admin": (1, 2)}
    async with town.db.begin() as uow:
        held = await days.present(uow.session)
        change = days.confirmed(held, 2027, note="国办发明电")
        await days.save(uow, town.actors["admin"], CitySettings(), held.number, change)
    calendar_check_years_are_asked_again(town)
    assert await remind(town) is None
    assert (await told(town))["admin"] == (1, 2)


def calendar_check_years_are_asked_again(_town: City) -> None:
    """A copy of the catalogue is a second old at most; the test does not wait for it."""
    days._years_known._held.clear()


async def test_the_notice_leads_to_the_calendar(town: City) -> None:
    await remind(town)
    async with town.db.read() as session:
        ident = (
            await session.execute(
                sa.text("SELECT id FROM notification WHERE user_id = :user"), {"user": town.user("admin")}
            )
        ).scalar_one()
        assert await target_of(session, town.actors["admin"], ident) == "/admin/calendar"


def test_a_due_time_in_such_a_year_says_that_it_is_a_forecast() -> None:
    limits = CityLimits()

    class Ticket:
        state, stage, stage_due_at, extensions, round = "handling", "handle", None, 0, 1
        type, urgency, category_id = "complaint", "normal", 1
        created_at = dispatched_at = datetime(2026, 12, 16, 2, tzinfo=UTC)
        due_at = datetime(2026, 12, 30, 10, tzinfo=UTC)

    now = datetime(2026, 12, 21, 2, tzinfo=UTC)
    known = left_of(cast(Any, Ticket), now, limits)
    assert known is not None
    assert FORECAST not in known.why
    Ticket.due_at = datetime(2027, 1, 5, 10, tzinfo=UTC)
    unknown = left_of(cast(Any, Ticket), now, limits)
    assert unknown is not None
    assert f"2027 年{FORECAST}" in unknown.why
