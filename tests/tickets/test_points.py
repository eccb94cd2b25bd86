"""Points on the map: the two datums, what is kept, and which one counts."""

import pytest

from core.errors import HotlineError
from tests.tickets.conftest import City, Refused
from tickets import queries
from tickets.points import service
from tickets.points.datum import Datum, Point, as_gcj02, as_wgs84
from tickets.points.queries import place_of, points_of

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


# ---- set wrongly ------------------------------------------------------------------------------------


async def given(city: City, ticket_id: int, point: Point) -> int:
    """Keep a point; its id."""
    async with city.db.begin() as uow:
        await service.keep(uow, ticket_id, point)
    return int(await city.scalar("SELECT max(id) FROM ticket_point"))


async def taken_back(
    city: City, who: str, ticket_id: int, point_id: int, reason: str = "标到了江对岸"
) -> None:
    async with city.db.begin() as uow:
        await service.withdraw(uow, city.actors[who], ticket_id, point_id, reason)


async def test_a_point_that_was_taken_back_is_given_to_nobody_and_none_before_it_comes_back(
    city: City,
) -> None:
    one, other = await city.ticket(), await city.ticket()
    await given(city, one.id, Point(25.0, 110.0))
    wrong = await given(city, one.id, Point(25.5, 110.5))
    await given(city, other.id, Point(26.0, 111.0))
    await taken_back(city, "agent", one.id, wrong)
    async with city.db.read() as session:
        assert await points_of(session, [one.id, other.id]) == {other.id: Point(26.0, 111.0)}
        place = await place_of(session, one.id)
        page = await queries.ticket_page(session, city.actors["agent"], one.id)
    assert place is not None
    assert place.point is None
    assert place.withdrawn is not None
    assert (place.withdrawn.reason, place.withdrawn.at) == ("标到了江对岸", city.db.clock.now())
    assert (page.point, page.point_withdrawn) == (None, place.withdrawn)
    assert await city.scalar("SELECT count(*) FROM ticket_point") == 3  # only added to
    told = "SELECT reason FROM audit_log WHERE action = 'point.withdraw' AND object_id = :t"
    assert await city.scalar(told, t=one.id) == "标到了江对岸"
    await given(city, one.id, Point(25.3, 110.3))
    async with city.db.read() as session:
        assert (await points_of(session, [one.id]))[one.id] == Point(25.3, 110.3)


async def test_taken_back_twice_is_once_and_a_newer_one_is_not_taken_for_the_one_that_was_seen(
    city: City, refused: Refused
) -> None:
    one = await city.ticket()
    seen = await given(city, one.id, Point(25.0, 110.0))
    for reason in ("标错了", "又点了一次"):
        await taken_back(city, "agent", one.id, seen, reason)
    assert await city.scalar("SELECT string_agg(reason, '') FROM point_withdrawal") == "标错了"
    assert await city.scalar("SELECT count(*) FROM audit_log WHERE action = 'point.withdraw'") == 1
    await given(city, one.id, Point(25.3, 110.3))
    await refused("point_changed", taken_back(city, "agent", one.id, seen))
    await refused("point_changed", taken_back(city, "agent", (await city.ticket()).id, seen))
    assert await city.scalar("SELECT count(*) FROM point_withdrawal") == 1


async def test_units_take_no_point_back_and_nobody_does_without_a_reason(
    city: City, refused: Refused
) -> None:
    one = await city.dispatched("lights")
    seen = await given(city, one.id, Point(25.0, 110.0))
    for who in ("lights", "inspector"):
        await refused("forbidden", taken_back(city, who, one.id, seen))
    for reason in ("", "  ", "长" * 201):
        await refused("point_reason", taken_back(city, "agent", one.id, seen, reason))
    async with city.db.read() as session:
        assert one.id in await points_of(session, [one.id])


async def test_who_is_forgotten_takes_along_what_was_taken_back(city: City) -> None:
    one = await city.ticket()
    await taken_back(city, "agent", one.id, await given(city, one.id, Point(25.0, 110.0)))
    async with city.db.begin() as uow:
        await service.forget(uow, [one.id])
    assert await city.scalar("SELECT count(*) FROM point_withdrawal") == 0
