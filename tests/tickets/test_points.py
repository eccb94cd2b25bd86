"""Points on the map: the two datums, what is kept, and which one counts."""

import pytest

from core.errors import HotlineError
from tests.tickets.conftest import City
from tickets.points import service
from tickets.points.datum import Datum, Point, as_gcj02, as_wgs84
from tickets.points.queries import points_of

# Places in WGS-84 and where maps of the mainland draw them; as other converters publish them.
PAIRS = [
    ((31.1774276, 121.5272106), (31.175304, 121.531542)),
    ((22.543847, 113.912316), (22.540796, 113.917176)),
    ((39.911954, 116.377817), (39.913345, 116.384047)),
]


@pytest.mark.parametrize(("earth", "chart"), PAIRS)
def test_a_place_is_the_same_in_both_datums(earth: tuple[float, float], chart: tuple[float, float]) -> None:
    drawn = as_gcj02(Point(*earth))
    assert (drawn.latitude, drawn.longitude) == pytest.approx(chart, abs=2e-6)
    back = as_wgs84(Point(*chart, Datum.GCJ02))
    assert (back.latitude, back.longitude) == pytest.approx(earth, abs=1e-5)


@pytest.mark.parametrize("place", [(48.8584, 2.2945), (-33.86, 151.2), (0.0, 0.0), (90.0, 180.0)])
def test_nothing_is_moved_outside_the_mainland(place: tuple[float, float]) -> None:
    moved = as_wgs84(Point(*place, Datum.GCJ02))
    assert (moved.latitude, moved.longitude) == place


@pytest.mark.parametrize("place", [(90.1, 0.0), (0.0, 180.1), (float("nan"), 0.0), (0.0, float("inf"))])
def test_there_is_no_such_place(place: tuple[float, float]) -> None:
    assert not Point(*place).valid


def test_a_point_says_nothing_in_a_log() -> None:
    assert "25" not in repr(Point(25.0, 110.0))


async def test_the_newest_point_of_a_ticket_is_where_it_is(city: City) -> None:
    one, other, bare = await city.ticket(), await city.ticket(), await city.ticket()
    async with city.db.begin() as uow:
        await service.keep(uow, one.id, Point(25.0, 110.0))
        await service.keep(uow, other.id, Point(26.0, 111.0))
        await service.keep(uow, bare.id, None)
    async with city.db.begin() as uow:
        await service.keep(uow, one.id, Point(25.5, 110.5, Datum.GCJ02))
    async with city.db.read() as session:
        found = await points_of(session, [one.id, other.id, bare.id])
    assert found == {one.id: Point(25.5, 110.5, Datum.GCJ02), other.id: Point(26.0, 111.0)}


async def test_no_place_on_earth_is_refused_before_anything_is_written(city: City) -> None:
    one = await city.ticket()
    with pytest.raises(HotlineError) as refused:
        async with city.db.begin() as uow:
            await service.keep(uow, one.id, Point(95.0, 110.0))
    assert refused.value.code == "form_invalid"
    assert await city.scalar("SELECT count(*) FROM ticket_point") == 0
