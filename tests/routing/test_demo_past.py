"""The last days of the demo city: cards, documents, the feed and the telephone's figures are there."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.clock import to_city
from core.db import Database
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from routing import demo
from sla.demo import Past
from sla.plain import CityLimits
from sla.supervision.service import SupervisionService
from telephony import figures
from tests.conftest import MONDAY
from tests.routing.test_demo import Services, _number, _rows
from tickets.service import TicketService

SIZE = demo.Size(tickets=2000, records=120, missed=30)
NOW = MONDAY + timedelta(hours=5)  # in the middle of a working day


@pytest.fixture
async def lived(database: Database, vault: Vault, people: PeopleService, settings: Settings) -> Services:
    """The city with its past."""
    database.clock.step((NOW - MONDAY).total_seconds())  # type: ignore[attr-defined]  # a ManualClock
    limits = CityLimits()
    tickets = TicketService(database, database.clock, vault, settings, limits)
    made = Services(database, vault, people, settings, tickets)
    supervision = SupervisionService(tickets, lambda: limits.calendar, settings.supervision)
    await demo.seed(made, size=SIZE, then=Past(people, limits, supervision).make)
    return made


async def test_cards_of_the_last_days_are_there_some_acknowledged_some_waiting(lived: Services) -> None:
    levels = {row[0] for row in await _rows(lived, "SELECT DISTINCT level FROM card")}
    assert levels >= {"blue", "yellow", "red"}
    assert await _number(lived, "SELECT count(*) FROM card_receipt WHERE acknowledged_at IS NULL") >= 5
    assert await _number(lived, "SELECT count(*) FROM card_receipt WHERE acknowledged_at IS NOT NULL") >= 5
    days = await _rows(lived, "SELECT DISTINCT (issued_at + interval '8 h')::date FROM card")
    assert len(days) > 1


async def test_cards_were_issued_when_they_fell_due_and_acknowledged_later(lived: Services) -> None:
    wrong = f"""
        SELECT count(*) FROM card c LEFT JOIN card_receipt r ON r.card_id = c.id WHERE
            c.issued_at > '{NOW.isoformat()}' OR r.acknowledged_at > '{NOW.isoformat()}'
            OR r.acknowledged_at < c.issued_at OR (c.level = 'red') <> (c.issued_at >= c.due_at)
               AND c.level IN ('blue', 'yellow', 'red')
    """
    assert await _number(lived, wrong) == 0
    strangers = """
        SELECT count(*) FROM card_receipt r WHERE acknowledged_by IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM user_role o WHERE o.user_id = r.acknowledged_by AND o.role = r.post)
    """
    assert await _number(lived, strangers) == 0


async def test_documents_of_every_step_of_the_ladder_stand_where_they_came_to(lived: Services) -> None:
    found = {tuple(row) for row in await _rows(lived, "SELECT kind, state FROM supervision_order")}
    assert found >= {
        *(("urge_notice", "closed"), ("urge_notice", "issued")),
        *(("order", "issued"), ("order", "acknowledged"), ("order", "reported"), ("order", "closed")),
        *(("raised", "acknowledged"), ("bulletin", "closed"), ("interview", "reported")),
    }
    assert await _number(lived, "SELECT count(*) FROM supervision_interview") == 1
    assert await _number(lived, "SELECT count(*) FROM supervision_order WHERE reminded_at IS NOT NULL") == 1
    parents = "SELECT count(*) FROM supervision_order WHERE kind = 'raised' AND parent_id IS NULL"
    assert await _number(lived, parents) == 0


async def test_who_the_login_page_names_first_has_documents_to_answer(lived: Services) -> None:
    unit = "SELECT u.unit_id FROM user_account u WHERE u.login = 'chengguan01'"
    waiting = f"SELECT count(*) FROM supervision_order WHERE state = 'issued' AND unit_id = ({unit})"
    assert await _number(lived, waiting) >= 1


async def test_what_was_done_is_told_in_its_order(lived: Services) -> None:
    """By the row and by the clock alike: of a ticket, of a document, up to the present."""
    for table, key in (("ticket_history", "ticket_id"), ("supervision_step", "order_id")):
        backwards = f"""
            SELECT count(*) FROM (
                SELECT at, lag(at) OVER (PARTITION BY {key} ORDER BY id) AS before FROM {table}
            ) h WHERE at < before OR at > '{NOW.isoformat()}'
        """
        assert await _number(lived, backwards) == 0, table
    numbers = await _rows(lived, "SELECT number FROM supervision_order ORDER BY issued_at, id")
    assert [row[0] for row in numbers] == sorted(row[0] for row in numbers)


async def test_the_feed_tells_of_all_of_it(lived: Services) -> None:
    kinds = {row[0] for row in await _rows(lived, "SELECT DISTINCT kind FROM monitor_event")}
    assert kinds >= {
        *("card_issued", "card_acknowledged", "order_issued", "order_acknowledged", "order_reported"),
        *("order_sent_back", "order_late", "order_raised", "order_closed", "interview_recorded"),
    }
    cards = "SELECT count(*) FROM monitor_event WHERE kind = 'card_issued'"
    assert await _number(lived, cards) == await _number(lived, "SELECT count(*) FROM card")


async def test_the_past_is_news_to_nobody(lived: Services) -> None:
    """What happened before today waits in nobody's list of notices."""
    today = to_city(NOW).replace(hour=0, minute=0).isoformat()
    old = f"SELECT count(*) FROM notification WHERE read_at IS NULL AND at < '{today}'"
    assert await _number(lived, old) == 0
    most = """
        SELECT coalesce(max(n), 0) FROM (
            SELECT sum(times) AS n FROM notification WHERE read_at IS NULL GROUP BY user_id) x
    """
    assert await _number(lived, most) <= 20
    assert await _number(lived, "SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_the_telephone_has_figures_of_yesterday_that_agree_with_its_calls(lived: Services) -> None:
    yesterday = to_city(NOW).date() - timedelta(days=3)  # a Friday
    async with lived.db.read() as session:
        found = await figures.day_figures(session, yesterday, yesterday)
    assert found.total.offered > 0
    assert found.total.answer_rate is not None
    sums = await _rows(lived, "SELECT sum(offered), sum(answered), sum(talk_ms) FROM call_interval")
    talk = "(SELECT sum(talk_seconds) * 1000 FROM call_leg)"
    calls = await _rows(lived, f"SELECT count(*), count(answered_at), {talk} FROM call_session")
    assert [int(one) for one in sums[0]] == [int(one) for one in calls[0]]


async def test_a_city_without_anything_to_supervise_is_made_all_the_same(
    database: Database, vault: Vault, people: PeopleService, settings: Settings
) -> None:
    limits = CityLimits()
    tickets = TicketService(database, database.clock, vault, settings, limits)
    services = Services(database, vault, people, settings, tickets)
    past = Past(people, limits, SupervisionService(tickets, lambda: limits.calendar, settings.supervision))
    await demo.seed(services, size=demo.Size(tickets=4, records=2, missed=2), then=past.make)
    async with database.read() as session:
        assert (await session.execute(sa.text("SELECT count(*) FROM supervision_order"))).scalar_one() >= 2
