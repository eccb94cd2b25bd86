"""The demo city: believable, whole, and the same each time."""

import random
from collections import Counter
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from core.clock import to_city
from core.db import Database
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from routing import demo
from routing.demo import categories, market, matters, mix, org, places
from sla.plain import CityLimits
from tests.conftest import MONDAY
from tickets import queries
from tickets.drafts import DraftService
from tickets.history import plain
from tickets.models import Ticket, TicketHistory, table_of
from tickets.replay import replay
from tickets.service import TicketService

SMALL = demo.Size(tickets=300, records=120, missed=30)


@dataclass
class Services:
    db: Database
    vault: Vault
    people: PeopleService
    settings: Settings
    tickets: TicketService


@pytest.fixture
async def seeded(database: Database, vault: Vault, people: PeopleService, settings: Settings) -> Services:
    tickets = TicketService(database, database.clock, vault, settings, CityLimits())
    made = Services(database, vault, people, settings, tickets)
    assert await demo.is_empty(database)
    shares: list[float] = []
    await demo.seed(made, progress=shares.append, size=SMALL)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not await demo.is_empty(database)
    return made


async def _rows(services: Services, statement: str) -> list[sa.Row[tuple[object, ...]]]:
    async with services.db.read() as session:
        return list((await session.execute(sa.text(statement))).all())


async def _number(services: Services, statement: str) -> int:
    return int(str((await _rows(services, statement))[0][0]))


async def test_the_city_has_its_districts_offices_and_agents(seeded: Services) -> None:
    assert await _number(seeded, "SELECT count(*) FROM unit WHERE kind = 'district'") == 17
    assert await _number(seeded, "SELECT count(*) FROM unit WHERE kind = 'town'") > 100
    assert await _number(seeded, "SELECT count(*) FROM category WHERE level = 3") > 190
    extensions = await _rows(
        seeded, "SELECT extension FROM user_account WHERE login LIKE 'agent%' ORDER BY 1"
    )
    assert [row[0] for row in extensions] == [str(number) for number in range(1001, 1041)]
    roles = {row[0] for row in await _rows(seeded, "SELECT DISTINCT role FROM user_role")}
    assert roles == {role.value for role in Role}


async def test_everybody_signs_in_with_the_demo_password(seeded: Services) -> None:
    for login in ("agent01", "chengguan01", "qixing_head", "inspector"):
        made = await seeded.people.authenticate(
            login, seeded.settings.secrets.demo_password, source="127.0.0.1"
        )
        assert made.actor.login == login


async def test_histories_lead_to_the_states_the_tickets_have(seeded: Services) -> None:
    wrong = """
        SELECT count(*) FROM ticket t WHERE
            t.version <> (SELECT count(*) FROM ticket_history h WHERE h.ticket_id = t.id)
            OR t.state <> (
                SELECT to_state FROM ticket_history h WHERE h.ticket_id = t.id ORDER BY id DESC LIMIT 1
            )
            OR (t.state = 'waiting_dispatch') <> (t.lead_unit_id IS NULL)
            OR t.updated_at > :now
    """.replace(":now", f"'{MONDAY.isoformat()}'")
    assert await _number(seeded, wrong) == 0
    backwards = "SELECT count(*) FROM ticket_history a JOIN ticket_history b ON b.ticket_id = a.ticket_id"
    assert await _number(seeded, backwards + " AND b.version = a.version + 1 WHERE b.at < a.at") == 0
    assert (
        await _number(seeded, "SELECT count(DISTINCT number) FROM ticket") == SMALL.tickets + market.TICKETS
    )


async def test_invented_lives_replay_to_where_the_tickets_stand(seeded: Services) -> None:
    async with seeded.db.read() as session:
        tickets = (await session.execute(sa.select(table_of(Ticket)))).all()
        history = table_of(TicketHistory)
        rows = (await session.execute(sa.select(history).order_by(history.c.id))).all()
    told: dict[int, list[sa.Row[tuple[object, ...]]]] = {}
    for row in rows:
        told.setdefault(row.ticket_id, []).append(row)
    for ticket in tickets:
        for name, value in replay(told[ticket.id]).items():
            assert plain(getattr(ticket, name)) == value, (ticket.number, name)
    assert {ticket.state for ticket in tickets} >= {
        *("waiting_sign", "handling", "return_review", "ruling", "extension_review", "suspended"),
        *("closing_review", "waiting_check", "closed", "archived"),
    }


async def test_a_new_ticket_continues_the_numbers_of_the_day(seeded: Services) -> None:
    today = to_city(MONDAY).strftime("4503%Y%m%d")
    both = "(SELECT number FROM ticket UNION ALL SELECT number FROM intake_record) n"
    last = await _rows(seeded, f"SELECT max(number) FROM {both} WHERE number LIKE '{today}%'")
    args = (seeded.db, seeded.db.clock, seeded.vault, seeded.settings)
    tickets = TicketService(*args, CityLimits())
    drafts = DraftService(*args, tickets)
    async with seeded.db.read() as session:
        agent = await seeded.people.actor_for_user(
            session, await _number(seeded, "SELECT min(user_id) FROM user_role WHERE role = 'agent'")
        )
        category = (await queries.categories(session))[-1]
    assert agent is not None
    form = {
        "type": "help",
        "category_id": category.id,
        "title": "新工单",
        "narrative": "新的诉求",
        "phone": "13807730000",
    }
    async with seeded.db.begin() as uow:
        draft = await drafts.open_manual(uow, agent)
        made = await tickets.create_from_draft(uow, agent, draft, form, 1)
    assert made.number == (str(int(str(last[0][0])) + 1) if last[0][0] else today + "000001")


async def test_there_is_work_on_the_desks_when_the_demo_begins(seeded: Services) -> None:
    assert await _number(seeded, "SELECT count(*) FROM callback_task WHERE closed_at IS NULL") == 5
    assert await _number(seeded, "SELECT count(*) FROM ticket_draft WHERE ended_at IS NULL") == 4
    async with seeded.db.read() as session:
        leader = await seeded.people.actor_for_user(
            session, await _number(seeded, "SELECT min(user_id) FROM user_role WHERE role = 'shift_leader'")
        )
        assert leader is not None
        drafts = await queries.stale_drafts(session, leader, MONDAY)
        pages = [await queries.draft_form(session, leader, seeded.vault, draft.id) for draft in drafts]
    assert any("夜宵摊" in str(page.form.get("title")) for page in pages)


async def test_no_invented_number_is_readable_in_the_database(seeded: Services) -> None:
    for table in (
        "ticket",
        "ticket_history",
        "intake_record",
        "call_session",
        "personal_value",
        "callback_task",
    ):
        assert await _number(seeded, f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%1380773%'") == 0, (
            table
        )


def test_every_matter_has_its_category_its_units_and_only_known_slots() -> None:
    leaves = {node.code for node in categories.nodes() if node.level == 3}
    known = {office.code for office in org.BUREAUS} | {"D"}
    draw = random.Random(1)
    for matter in matters.load():
        assert matter.category in leaves
        assert set(matter.units) <= known
        for channel in ("phone", "web") * 10:
            story = matters.Scene(draw, draw.choice(places.DISTRICTS)).tell(matter, channel)
            assert not {"{", "}", "|"} & set(story.title + story.narrative + story.expected + story.answer)
            assert len(story.title) <= 60


def test_the_tree_is_whole_and_every_letter_has_its_character() -> None:
    nodes = categories.nodes()
    codes = {node.code for node in nodes}
    assert len(codes) == len(nodes)
    for node in nodes:
        assert node.parent is None or node.parent in codes
        assert len(node.initials) == len(node.name)


def test_calls_come_when_people_call() -> None:
    instants = mix.draw_instants(random.Random(1), MONDAY, 5000)
    assert instants == sorted(instants)
    assert instants[-1] < MONDAY
    hours = Counter(to_city(at).hour for at in instants)
    assert hours[10] > 5 * hours[23] > 0
    weekdays = Counter(to_city(at).weekday() for at in instants)
    assert weekdays[0] > weekdays[6]


async def test_the_past_of_the_telephone_is_in_its_figures(seeded: Services) -> None:
    offered, answered, short = (
        await _rows(
            seeded, "SELECT sum(offered), sum(answered), sum(short_abandoned + abandoned) FROM call_interval"
        )
    )[0]
    calls = "SELECT count(*) FROM call_session WHERE queued_at IS NOT NULL AND ended_at IS NOT NULL"
    assert offered == await _number(seeded, calls) > 0
    assert answered == await _number(seeded, calls + " AND outcome = 'answered'")
    assert short == await _number(seeded, calls + " AND outcome = 'abandoned'") > 0


async def test_what_citizens_say_of_a_closing_is_three_things(seeded: Services) -> None:
    reached = "SELECT count(*) FROM revisit WHERE result = 'reached'"
    assert await _number(seeded, reached) > 0
    assert await _number(seeded, reached + " AND solved <> (satisfied > 2)") > 0
    assert await _number(seeded, "SELECT count(*) FROM revisit WHERE result = 'refused'") > 0


async def test_the_market_has_a_verified_complaint_and_a_blacklist_under_appeal(seeded: Services) -> None:
    houses = "SELECT count(*) FROM intermediary WHERE ratings > 0"
    assert await _number(seeded, houses) == len(market.HOUSES)
    assert await _rows(seeded, "SELECT state FROM intermediary_listing") == [("appealed",)]
    assert await _rows(seeded, "SELECT kind, finding FROM intermediary_credit_event") == [
        ("verified_complaint", "overcharge")
    ]
    assert await _number(seeded, "SELECT count(*) FROM certificate_check WHERE result = 'valid'") > 0
