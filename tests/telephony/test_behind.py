"""The list behind a figure of the telephone has as many calls as the figure says."""

import pytest
from sqlalchemy import func, select

from telephony.behind import behind
from telephony.figures import city_midnight, floor_now
from telephony.service import TelephonyService
from tests.telephony.test_figures import MONDAY, SESSION, TEN, a_day, call, going_on, service, write  # noqa: F401 - the fixture

FIELDS = {"offered": "offered", "answered": "answered", "abandoned": "abandoned", "short": "short_abandoned"}


async def counts(service: TelephonyService) -> dict[str, int]:  # noqa: F811 - the fixture's value
    since, until = city_midnight(MONDAY), city_midnight(MONDAY.replace(day=24))
    found = {}
    async with service._db.read() as session:
        for name in (*FIELDS, "waiting"):
            query = select(func.count()).select_from(SESSION).where(*behind(name, since, until, 5))
            found[name] = int((await session.execute(query)).scalar_one())
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_list_counts_what_its_figure_counts(service: TelephonyService, seed: int) -> None:  # noqa: F811 - the fixture's value
    for step in a_day(seed):
        await write(service, *step)
    async with service._db.read() as session:
        floor = await floor_now(session, service._db.clock.now())
    found = await counts(service)
    assert found.pop("waiting") == floor.waiting > 0
    assert found == {name: getattr(floor.today, field) for name, field in FIELDS.items()}


async def test_a_call_that_waits_since_yesterday_is_behind_who_waits_alone(service: TelephonyService) -> None:  # noqa: F811 - the fixture's value
    await write(service, going_on(call("abandoned", at=TEN - 86_400)), call("abandoned", wait=5.0))
    assert await counts(service) == {"offered": 1, "answered": 0, "abandoned": 1, "short": 0, "waiting": 1}
