"""The to-do of departments and the queues of the hotline: complete, in order, seen by the right people."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from core.clock import ManualClock
from core.errors import HotlineError
from tests.tickets.conftest import City
from tests.tickets.life import RETURN, Life
from tickets import queries
from tickets.models import Ticket, table_of
from tickets.queries import Queue, TodoFilters, TodoUrgency, parse_todo_filters
from tickets.states import Action

_ticket = table_of(Ticket)


async def _made(city: City, unit: str, due_in: float | None, *, signed: bool = True, co: str = "") -> Life:
    """A ticket on the desk of `unit`, due in so many hours (None: no due time)."""
    made = await city.ticket()
    life = Life(city, made.id, made.number)
    others = [city.unit(co)] if co else []
    await life.do("dispatcher", Action.DISPATCH, unit_id=city.unit(unit), co_unit_ids=others)
    if signed:
        await life.do({"qixing": "district", "sanlidian": "street"}.get(unit, unit), Action.SIGN)
    due = None if due_in is None else city.db.clock.now() + timedelta(hours=due_in)
    async with city.db.begin() as uow:
        await uow.session.execute(sa.update(_ticket).where(_ticket.c.id == made.id).values(due_at=due))
    return life


async def _todo(city: City, login: str, limit: int = 25, **filters: Any) -> list[tuple[int, str]]:
    """Every line, page by page."""
    seen: list[tuple[int, str]] = []
    cursor = None
    while True:
        async with city.db.read() as session:
            page = await queries.todo_list(
                session,
                city.actors[login],
                TodoFilters(**filters),
                cursor,
                limit,
                now=city.db.clock.now(),
            )
        seen += [(item.ticket.id, item.role) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return seen


@pytest.mark.parametrize("limit", [1, 2, 25])
async def test_the_most_urgent_comes_first_and_every_line_once(city: City, limit: int) -> None:
    later = await _made(city, "qixing", 300)
    never = await _made(city, "qixing", None)
    overdue = await _made(city, "sanlidian", -5)
    also_never = await _made(city, "sanlidian", None)
    same = await _made(city, "qixing", 300)
    elsewhere = await _made(city, "lights", 1)
    ids = [life.id for life in (overdue, later, same, never, also_never)]
    assert [ident for ident, _ in await _todo(city, "district", limit)] == ids
    assert [ident for ident, _ in await _todo(city, "street", limit)] == [overdue.id, also_never.id]
    assert await _todo(city, "lights", limit) == [(elsewhere.id, "own")]


async def test_counters_say_what_their_filters_show(city: City) -> None:
    # It is ten in the morning; what is due at six in the evening is due today.
    for hours in (-30, -1, 8, 20, 61, 63, 100):
        await _made(city, "lights", hours)
    await _made(city, "lights", 70, signed=False)
    async with city.db.read() as session:
        counts = await queries.todo_counts(session, city.actors["lights"], now=city.db.clock.now())
    assert (counts.overdue, counts.today, counts.warned, counts.new, counts.co, counts.all) == (
        2,
        1,
        2,
        1,
        0,
        8,
    )
    for urgency in TodoUrgency:
        found = await _todo(city, "lights", 2, urgency=urgency.value)
        assert len(found) == getattr(counts, urgency.value), urgency


async def test_a_co_handler_has_it_on_the_list_until_the_opinion_is_given(city: City) -> None:
    life = await _made(city, "lights", 100, co="water")
    assert await _todo(city, "water") == [(life.id, "co")]
    assert await _todo(city, "water", role="own") == []
    await life.do("water", Action.CO_OPINION, note="管线图已核对")
    assert await _todo(city, "water") == []
    assert await _todo(city, "lights", role="own") == [(life.id, "own")]


async def test_both_lines_of_a_ticket_within_one_subtree_are_shown(city: City) -> None:
    life = await _made(city, "qixing", 100, co="sanlidian")
    found = {await_line for limit in (1, 25) for await_line in await _todo(city, "district", limit)}
    assert found == {(life.id, "own"), (life.id, "co")}
    assert len(await _todo(city, "district", 1)) == 2


async def test_what_waits_for_somebody_else_is_not_to_do(city: City) -> None:
    closing, returned = await _made(city, "lights", 10), await _made(city, "lights", 11)
    await closing.close("lights")
    wish: dict[str, Any] = {**RETURN, "suggested_unit_id": city.unit("water")}
    await returned.do("lights", Action.RETURN, **wish)
    assert await _todo(city, "lights") == []
    async with city.db.read() as session:
        boss = city.actors["supervision"]
        checks = await queries.queue_list(session, boss, Queue.CHECK)
        rulings = await queries.queue_list(session, boss, Queue.RULING)
        requests = await queries.request_list(session, boss)
        counts = await queries.queue_counts(session, boss)
        waiting = await queries.request_counts(session, boss)
    assert [item.id for item in checks.items] == [closing.id]
    assert [item.id for item in rulings.items] == [returned.id]
    assert [(item.kind, item.ticket.id) for item in requests.items] == [("return", returned.id)]
    assert (counts[Queue.CHECK], counts[Queue.RULING], counts[Queue.DISPATCH]) == (1, 1, 0)
    assert waiting["return"] == 1


async def test_the_dispatch_queue_is_read_page_by_page_by_due_time(city: City, clock: ManualClock) -> None:
    ids = []
    for _ in range(5):
        ids.append((await city.ticket()).id)
        clock.advance(60)
    seen: list[int] = []
    cursor = None
    while True:
        async with city.db.read() as session:
            page = await queries.queue_list(session, city.actors["dispatcher"], Queue.DISPATCH, cursor, 2)
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids


async def test_the_call_back_list_is_for_those_who_call_back(city: City) -> None:
    life = await _made(city, "lights", 100)
    await life.close("lights")
    await life.do("supervision", Action.PASS_CHECK)
    async with city.db.read() as session:
        mine = await queries.revisit_list(session, city.actors["callback"])
        theirs = await queries.revisit_list(session, city.actors["lights"])
        number = await queries.revisit_count(session, city.actors["callback"])
    expected = [life.id] if await life.state() == "waiting_callback" else []
    assert [item.ticket.id for item in mine.items] == expected
    assert number == len(expected)
    assert theirs.items == ()


async def test_a_ticket_held_by_two_units_of_a_subtree_is_listed_once(city: City) -> None:
    life = await _made(city, "qixing", 100, co="sanlidian")
    async with city.db.read() as session:
        page = await queries.ticket_list(session, city.actors["district"])
    assert [item.id for item in page.items] == [life.id]


def test_filters_of_the_todo_are_parsed_or_refused() -> None:
    parsed = parse_todo_filters({"urgency": "overdue", "role": "co", "unit_id": "7", "state": ""})
    assert parsed == TodoFilters(urgency="overdue", role="co", unit_id=7)
    for given in ({"urgency": "soon"}, {"role": "lead"}, {"unit_id": "x"}):
        with pytest.raises(HotlineError) as caught:
            parse_todo_filters(given)
        assert caught.value.code == "bad_filter"
    with pytest.raises(HotlineError) as caught:
        parse_todo_filters({"order": "title"})
    assert caught.value.code == "unknown_filter"


@pytest.mark.parametrize("mark", ["%%%", "MTIz", "eHx5", "-|-1", "2026-01-01T00:00:00|5"])
async def test_a_broken_mark_is_refused(city: City, mark: str) -> None:
    async with city.db.read() as session:
        with pytest.raises(HotlineError) as caught:
            await queries.todo_list(session, city.actors["lights"], cursor=mark, now=city.db.clock.now())
    assert caught.value.code == "bad_cursor"


async def test_lists_by_due_time_are_read_from_their_indexes(city: City) -> None:
    """Without this a list would be fast on a small database and sort everything on a large one."""
    asked: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    engine = city.db.engine.sync_engine
    officer, desk, now = city.actors["district"], city.actors["supervision"], city.db.clock.now()
    event.listen(engine, "before_cursor_execute", note)
    async with city.db.read() as session:
        await queries.todo_list(session, officer, now=now)
        await queries.todo_list(session, officer, TodoFilters(urgency="new"), now=now)
        await queries.todo_counts(session, officer, now=now)
        await queries.queue_list(session, desk, Queue.RULING)
        await queries.request_list(session, desk)
        await queries.revisit_list(session, city.actors["callback"])
        await queries.ticket_list(session, officer)
    event.remove(engine, "before_cursor_execute", note)
    plans = ""
    async with city.db.begin() as uow:
        # What would stand in these tables is many rows, which a plan for none does not show.
        for off in ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"):
            await uow.fetch(f"SET LOCAL {off} = off")
        for statement, parameters in asked:
            if statement.lstrip().startswith("SELECT"):
                rows = await uow.fetch("EXPLAIN " + statement, *parameters)
                plans += "\n".join(row[0] for row in rows) + "\n\n"
    for index in (
        "ix_ticket_desk_due",
        "ix_ticket_unsigned",
        "ix_ticket_unit_unanswered",
        "ix_ticket_state_due",
        "ix_ticket_request_waiting",
        "ix_revisit_open",
        "ix_ticket_unit_list",
    ):
        assert index in plans, index
    for table in ("ticket", "ticket_unit", "ticket_request", "revisit"):
        assert f"Seq Scan on {table}\n" not in plans.replace("  (", "\n("), plans
