"""Who sees what, as a table: every role against tickets, drafts, records and call-back tasks."""

import pytest

from core.people.permissions import Role
from tests.tickets.conftest import USERS, City, Refused
from tickets import queries
from tickets.queries import TicketFilters
from tickets.search import query as search

ALL = {"waiting", "lights", "qixing", "street"}
# login → the tickets it sees; "waiting" is not dispatched yet, the others lie with the unit named.
SEEN: dict[str, set[str]] = {
    "agent": ALL,
    "agent2": ALL,
    "leader": ALL,
    "dispatcher": ALL,
    "callback": ALL,
    "supervision": ALL,
    "inspector": ALL,
    "lights": {"lights"},
    "lights_head": {"lights"},
    "water": set(),
    "district": {"qixing", "street"},
    "street": {"street"},
    "admin": set(),
    "security": set(),
    "audit": set(),
    "editor": set(),
}


@pytest.fixture
async def tickets(city: City) -> dict[str, int]:
    return {
        "waiting": (await city.ticket(title="waiting")).id,
        "lights": (await city.dispatched("lights", title="lights")).id,
        "qixing": (await city.dispatched("qixing", title="qixing")).id,
        "street": (await city.dispatched("sanlidian", title="street")).id,
    }


def test_the_table_has_every_role_that_holds_an_account_here() -> None:
    assert set(SEEN) == {login for login, *_ in USERS}
    untested = set(Role) - {role for _, role, *_ in USERS}
    # One has the permissions of his colleague, the other sees no ticket but those of calls to be scored.
    assert untested == {Role.KNOWLEDGE_REVIEWER, Role.QUALITY_REVIEWER, Role.INTERMEDIARY}


async def test_a_role_sees_its_tickets_in_list_number_phone_and_count_alike(
    city: City, tickets: dict[str, int]
) -> None:
    assert tickets.keys() == ALL
    async with city.db.read() as session:
        for login, seen in SEEN.items():
            actor = city.actors[login]
            listed = {item.title for item in (await queries.ticket_list(session, actor)).items}
            assert listed == seen, login
            by_phone = await queries.find_by_phone(session, actor, city.vault, "138 0000 0001")
            assert {item.title for item in by_phone} == seen, login
            assert sum((await queries.open_counts(session, actor)).values()) == len(seen), login


async def test_a_page_and_its_timeline_open_for_the_same_roles_as_the_list(
    city: City, tickets: dict[str, int], refused: Refused
) -> None:
    async with city.db.read() as session:
        for login, seen in SEEN.items():
            actor = city.actors[login]
            for name, ticket_id in tickets.items():
                number = await city.scalar("SELECT number FROM ticket WHERE id = :t", t=ticket_id)
                found = await queries.find_by_number(session, actor, number)
                lines = await queries.timeline(session, actor, ticket_id)
                if name in seen:
                    assert (await queries.ticket_page(session, actor, ticket_id)).id == ticket_id == found
                    assert lines, login
                else:
                    assert (found, lines) == (None, []), login
                    await refused("ticket_not_found", queries.ticket_page(session, actor, ticket_id))


async def test_a_filter_never_shows_more_than_the_role_may_see(city: City, tickets: dict[str, int]) -> None:
    assert tickets.keys() == ALL
    units = [TicketFilters(unit_id=city.unit(unit)) for unit in ("city", "lights", "qixing", "sanlidian")]
    async with city.db.read() as session:
        for login, seen in SEEN.items():
            for filters in (*units, TicketFilters(text="路灯"), TicketFilters(open=True)):
                look = search.items if filters.text else queries.ticket_list
                page = await look(session, city.actors[login], filters)
                listed = {item.title for item in page.items}
                assert listed <= seen, (login, filters)
                assert filters.unit_id or listed == seen, (login, filters)


async def test_a_department_writes_only_on_its_own_tickets(
    city: City, tickets: dict[str, int], refused: Refused
) -> None:
    async with city.db.begin() as uow:
        await city.tickets.add_note(uow, city.actors["lights"], tickets["lights"], "已派人查看")
        work = city.tickets.add_note(uow, city.actors["lights"], tickets["street"], "x")
        await refused("ticket_not_found", work)
        work = city.tickets.add_note(uow, city.actors["inspector"], tickets["street"], "x")
        await refused("forbidden", work)


async def test_drafts_and_records_stay_on_the_hotlines_floor(city: City, refused: Refused) -> None:
    agent = city.actors["agent"]
    async with city.db.begin() as uow:
        ended = await city.drafts.open_manual(uow, agent)
        await city.drafts.end_as_record(uow, agent, ended, 1, "silent")
        draft = await city.drafts.open_manual(uow, agent)
    async with city.db.read() as session:
        for login, seen in SEEN.items():
            actor = city.actors[login]
            records = (await queries.record_list(session, actor)).items
            assert bool(records) == (seen == ALL), login
            if login in {"agent", "leader", "inspector"}:
                assert (await queries.draft_form(session, actor, city.vault, draft)).draft.id == draft
            else:
                await refused("draft_not_found", queries.draft_form(session, actor, city.vault, draft))
