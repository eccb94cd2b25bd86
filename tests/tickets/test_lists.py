"""Lists: newest first, complete by keyset, narrowed by filters that are never ignored."""

from datetime import date

import pytest

from core.clock import ManualClock
from core.errors import HotlineError
from tests.tickets.conftest import City, Refused
from tests.tickets.life import life
from tickets import queries
from tickets.queries import TicketFilters, parse_filters
from tickets.states import Action


async def _pages(city: City, login: str, limit: int) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        async with city.db.read() as session:
            page = await queries.ticket_list(session, city.actors[login], cursor=cursor, limit=limit)
        seen += [item.number for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return seen


@pytest.mark.parametrize("login", ["agent", "lights", "district"])
async def test_pages_show_every_ticket_once_and_newest_first(
    city: City, clock: ManualClock, login: str
) -> None:
    for unit in ("lights", "qixing", "sanlidian", "qixing", "sanlidian", "lights", "lights"):
        clock.advance(0 if unit == "lights" else 60)  # some were made in the same instant
        await city.dispatched(unit)
    shown = await _pages(city, login, 2)
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == len(set(shown)) == {"agent": 7, "lights": 3, "district": 4}[login]


async def test_a_list_says_how_many_people_called_about_a_ticket(city: City) -> None:
    master, again = await life(city), await life(city)  # the same caller twice is one
    others = [await life(city, phone=f"1380000000{n}") for n in (2, 3)]
    for one in (again, *others):
        await one.do("dispatcher", Action.MERGE, master_id=master.id)
    await others[1].do("dispatcher", Action.UNMERGE, note="不是同一件事")
    async with city.db.read() as session:
        found = await queries.ticket_list(session, city.actors["agent"])
    assert {item.id: item.callers for item in found.items} == {
        master.id: 2, again.id: 1, others[0].id: 1, others[1].id: 1,
    }  # fmt: skip


async def test_filters_narrow_by_what_they_say(city: City, clock: ManualClock) -> None:
    await city.ticket(type="consult", title="甲甲", urgency="urgent")
    clock.advance(24 * 3600)
    await city.dispatched("lights", title="乙乙", district_id=city.unit("qixing"))

    async def titles(**filters: object) -> list[str]:
        async with city.db.read() as session:
            found = await queries.ticket_list(session, city.actors["agent"], TicketFilters(**filters))  # type: ignore[arg-type]  # a table of mixed values
        return [item.title for item in found.items]

    assert await titles(type="consult") == ["甲甲"]
    assert await titles(urgency="urgent") == ["甲甲"]
    assert await titles(state="waiting_sign") == ["乙乙"]
    assert await titles(unit_id=city.unit("lights")) == ["乙乙"]
    assert await titles(district_id=city.unit("qixing")) == ["乙乙"]
    assert await titles(created_to=date(2026, 11, 23)) == ["甲甲"]
    assert await titles(created_from=date(2026, 11, 24)) == ["乙乙"]
    assert await titles(category_id=city.category_id) == ["乙乙", "甲甲"]
    assert await titles(category_id=city.category_id + 1) == []
    with pytest.raises(ValueError, match=r"tickets\.search"):  # never by reading every ticket
        await titles(text="100%")
    assert await titles(mine=True, open=True) == ["乙乙", "甲甲"]


def test_filters_are_parsed_or_refused() -> None:
    assert parse_filters({"state": "waiting_sign", "open": "1", "type": "", "unit_id": "7"}) == TicketFilters(
        state="waiting_sign", open=True, unit_id=7
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"password_hash__startswith": "a"}, "unknown_filter"),
        ({"state": "nowhere"}, "bad_filter"),
        ({"unit_id": "1 OR 1=1"}, "bad_filter"),
        ({"unit_id": "٣"}, "bad_filter"),
        ({"created_from": "yesterday"}, "bad_filter"),
    ],
)
def test_a_filter_we_do_not_understand_is_refused(query: dict[str, str], code: str) -> None:
    with pytest.raises(HotlineError) as caught:
        parse_filters(query)
    assert caught.value.code == code


@pytest.mark.parametrize("cursor", ["x", "", "AAAA", "MjAyNnww", "é", "x" * 5000])
async def test_a_page_mark_we_did_not_make_is_refused(city: City, refused: Refused, cursor: str) -> None:
    async with city.db.read() as session:
        await refused("bad_cursor", queries.ticket_list(session, city.actors["agent"], cursor=cursor))
