"""Simulated colleagues: the demo's drafts are written, and nobody who really sits there is disturbed."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.db import Database
from core.events import EventBus
from core.leadership import Lease
from core.people.passwords import Passwords
from core.settings import Settings, load_settings
from node import Node
from routing import demo
from routing.demo import places
from routing.demo.colleagues import Colleagues, wanted
from routing.demo.colleagues.city import City, find_city
from routing.demo.colleagues.dispatching import matters_like
from routing.demo.colleagues.words import Ending, Seen, ending_of
from routing.demo.contacts import Drawer
from routing.intake import Intake
from telephony.agents.service import AgentService
from telephony.simulator.callers import citizen
from tests.conftest import MONDAY, with_database
from tests.routing.demo_rig import Demo, cloned, demo_of, held_lease

TINY = demo.Size(tickets=8, records=4, missed=5)
OPEN_DRAFT = "SELECT ended_at IS NULL FROM ticket_draft WHERE id = :i"
WAITING = "SELECT count(*) FROM ticket WHERE state = 'waiting_dispatch'"


@pytest.fixture(scope="module")
async def demo_city(admin_url: str, template: str) -> AsyncIterator[str]:
    """The name of a database with the demo city in it, made once and cloned for each test."""
    async with cloned(admin_url, template) as name:
        settings, bus = load_settings(environ={}), EventBus()
        db = Database(with_database(admin_url, name), clock=ManualClock(MONDAY), bus=bus, pool_size=2)
        hasher = Passwords(cheap=True)
        await demo.seed(demo_of(db, settings, hasher), size=TINY)
        hasher.close()
        await db.close()
        yield name


@pytest.fixture
async def demo_url(admin_url: str, demo_city: str) -> AsyncIterator[str]:
    async with cloned(admin_url, demo_city) as name:
        yield with_database(admin_url, name)


@pytest.fixture
async def town_db(demo_url: str, clock: ManualClock, bus: EventBus) -> AsyncIterator[Database]:
    db = Database(demo_url, clock=clock, bus=bus, pool_size=5)
    yield db
    await db.close()


@pytest.fixture
async def lease(town_db: Database) -> Lease:
    return await held_lease(town_db)


@pytest.fixture
def floor(town_db: Database, settings: Settings, passwords: Passwords, bus: EventBus, lease: Lease) -> Demo:
    """A small demo city at work on a Monday morning."""
    made = demo_of(town_db, settings, passwords)
    made.colleagues = Colleagues(made, lease)
    Intake(made.drafts, made.callbacks).wire(bus)
    return made


# ---- the drafts ------------------------------------------------------------------------------


async def test_after_an_hour_no_draft_is_stale_and_the_city_has_new_tickets(floor: Demo) -> None:
    draw = random.Random(4)
    talking: dict[int, float] = {}
    for second in range(0, 3600, 20):
        floor.clock.advance(20)
        for session_id in [one for one, until in talking.items() if until <= second]:
            await floor.hung_up(session_id)
            del talking[session_id]
        if draw.random() < 0.4:
            agent = f"agent{draw.randrange(1, 41):02d}"
            number = None if draw.random() < 0.1 else citizen(draw.randrange(60)).number
            talking[await floor.answered(agent, number)] = second + draw.lognormvariate(4.7, 0.75)
        await floor.colleagues.work()
    drafts = await floor.one("SELECT count(*) FROM ticket_draft")
    assert drafts > 60
    before = floor.clock.now() - timedelta(minutes=30)
    stale = "SELECT count(*) FROM ticket_draft WHERE ended_at IS NULL AND opened_at < :t"
    assert await floor.one(stale, t=before) == 1  # the one the demo leaves for the shift leader
    open_now = "SELECT count(*) FROM ticket_draft d JOIN call_session s ON s.id = d.call_session_id"
    assert await floor.one(open_now + " WHERE d.ended_at IS NULL AND s.ended_at IS NOT NULL") < 6
    ends = dict(await floor.rows("SELECT ended_as, count(*) FROM ticket_draft GROUP BY 1"))
    assert ends["ticket"] > 15
    assert ends["record"] > 15
    assert await floor.one(WAITING) < 12
    assert await floor.one("SELECT count(*) FROM callback_task WHERE closed_at IS NULL") < 3


async def test_a_colleague_writes_as_himself_and_the_audit_says_that_it_was_simulated(floor: Demo) -> None:
    drafts = [await floor.call("agent07") for _ in range(6)]
    await floor.pass_time(200)
    agent = await floor.one("SELECT id FROM user_account WHERE login = 'agent07'")
    ended = await floor.rows("SELECT ended_by, ended_as FROM ticket_draft WHERE id = ANY(:ids)", ids=drafts)
    assert {row.ended_by for row in ended} == {agent}
    audited = "SELECT object_id, actor_login, detail FROM audit_log WHERE action = 'draft.end' ORDER BY 1"
    assert await floor.rows(audited) == [(draft, "agent07", {"demo": True}) for draft in drafts]
    authors = (
        "SELECT DISTINCT actor_name = u.name FROM ticket_history h JOIN user_account u ON u.id = actor_id"
    )
    assert await floor.rows(authors) == [(True,)]


async def test_a_call_is_written_down_some_seconds_after_it_ended_not_at_once(floor: Demo) -> None:
    session_id = await floor.answered("agent05")
    await floor.pass_time(600)
    draft = await floor.one("SELECT id FROM ticket_draft WHERE call_session_id = :i", i=session_id)
    assert await floor.one(OPEN_DRAFT, i=draft)
    await floor.hung_up(session_id)
    await floor.colleagues.work()
    assert await floor.one(OPEN_DRAFT, i=draft)
    await floor.pass_time(60)
    assert not await floor.one(OPEN_DRAFT, i=draft)


async def test_whoever_signs_in_keeps_his_calls_until_he_has_gone(floor: Demo) -> None:
    before = await floor.call("agent09")
    made = await floor.sign_in("agent09")
    later = await floor.call("agent09", "13807730002")
    colleague = await floor.call("agent10", "13807730003")
    await floor.pass_time(1200)
    assert await floor.one(OPEN_DRAFT, i=before)
    assert await floor.one(OPEN_DRAFT, i=later)
    assert not await floor.one(OPEN_DRAFT, i=colleague)
    assert made.actor.session_id is not None
    await floor.people.end_session(made.actor, made.actor.session_id)
    await floor.pass_time(60)
    assert not await floor.one(OPEN_DRAFT, i=before)
    assert not await floor.one(OPEN_DRAFT, i=later)


async def test_a_session_that_rested_too_long_is_nobody_at_the_desk(floor: Demo) -> None:
    await floor.sign_in("agent09")
    draft = await floor.call("agent09")
    await floor.pass_time(floor.settings.security.seat_idle_minutes * 60 - 600, step=600)
    assert await floor.one(OPEN_DRAFT, i=draft)
    await floor.pass_time(1200)
    assert not await floor.one(OPEN_DRAFT, i=draft)


async def test_a_text_that_a_person_began_is_never_finished_for_him(floor: Demo) -> None:
    draft = await floor.call("agent09")
    made = await floor.sign_in("agent09")
    async with floor.db.begin() as uow:
        await floor.drafts.save(uow, made.actor, draft, 1, {"title": "自己写的"})
    await floor.pass_time(4 * 3600, step=600)
    assert await floor.one(OPEN_DRAFT, i=draft)


async def test_half_written_drafts_of_the_start_are_finished_later_but_the_oldest(
    floor: Demo,
) -> None:
    open_drafts = "SELECT count(*) FROM ticket_draft WHERE ended_at IS NULL"
    await floor.pass_time(600)
    assert await floor.one(open_drafts) == 4
    await floor.pass_time(1500)
    assert await floor.one(open_drafts) == 1
    assert await floor.one("SELECT count(*) FROM ticket WHERE title = '自由路路灯不亮'") == 1
    record = "SELECT count(*) FROM intake_record WHERE title = '咨询居住证签注' AND code = 'direct_answer'"
    assert await floor.one(record) == 1


async def test_a_call_nobody_owns_is_written_by_some_colleague(floor: Demo) -> None:
    draft = await floor.call(None)
    await floor.pass_time(60)
    owner = "SELECT u.login FROM ticket_draft d JOIN user_account u ON u.id = d.ended_by WHERE d.id = :i"
    assert str(await floor.one(owner, i=draft)).startswith("agent")


async def test_a_node_that_lost_the_lease_writes_nothing(floor: Demo, lease: Lease) -> None:
    draft = await floor.call("agent09")
    await lease.release()
    await floor.pass_time(600)
    assert await floor.one(OPEN_DRAFT, i=draft)


# ---- what they write -------------------------------------------------------------------------


@pytest.fixture
async def town(floor: Demo) -> City:
    async with floor.db.read() as session:
        found = await find_city(session)
    assert found is not None
    return found


def _endings(town: City, count: int, talked: float, caller: int | None = 5) -> list[Ending]:
    made = []
    for number in range(count):
        draw = random.Random(number)
        made.append(ending_of(draw, Drawer(draw, town.folk), town, Seen(talked, caller, number % 400)))
    return made


async def test_the_same_seed_writes_the_same_and_calls_are_about_what_people_call_about(town: City) -> None:
    endings = _endings(town, 1500, 120.0)
    assert endings == _endings(town, 1500, 120.0)
    consults = sum(one.form.get("type") == "consult" for one in endings)
    assert 0.47 < consults / 1500 < 0.64
    records = Counter(one.record for one in endings)
    assert 0.35 < records["direct_answer"] / 1500 < 0.5
    assert not {"wrong_number", "harassment", "silent"} & set(records)
    forms = [one.form for one in endings if one.record is None]
    assert len({form["narrative"] for form in forms}) > 0.8 * len(forms)
    short = {one.record for one in _endings(town, 200, 12.0)}
    assert short == {"wrong_number", "harassment", "silent"}


async def test_a_caller_without_a_number_stays_unknown(town: City) -> None:
    forms = [one.form for one in _endings(town, 60, 120.0, caller=None) if one.record is None]
    assert forms
    assert {form["confidentiality"] for form in forms} == {"anonymous"}
    assert {form["citizen_name"] for form in forms} == {""}


async def test_whoever_calls_again_has_the_same_name(town: City) -> None:
    named = {one.form["citizen_name"] for one in _endings(town, 1, 120.0) * 2 if one.record is None}
    assert len(named) <= 1
    unknown = Seen(100.0, 77, None)
    draws = [random.Random(number) for number in range(40)]
    forms = [ending_of(draw, Drawer(draw, town.folk), town, unknown).form for draw in draws]
    assert len({form.get("citizen_name") for form in forms} - {"", None}) == 1


# ---- dispatchers and call-back officers ------------------------------------------------------


async def test_tickets_are_dispatched_to_whom_they_concern_unless_a_dispatcher_is_here(floor: Demo) -> None:
    await floor.pass_time(600)
    real = await floor.sign_in("dispatcher02")
    await floor.pass_time(1500)
    assert await floor.one("SELECT state FROM ticket WHERE title = '自由路路灯不亮'") == "waiting_dispatch"
    assert real.actor.session_id is not None
    await floor.people.end_session(real.actor, real.actor.session_id)
    await floor.pass_time(1800)
    assert await floor.one(WAITING) == 0
    unit = "SELECT u.code FROM ticket t JOIN unit u ON u.id = t.lead_unit_id WHERE t.title = '自由路路灯不亮'"
    assert await floor.one(unit) in {"chengguan", *(district.code for district in places.DISTRICTS)}
    who = "SELECT DISTINCT actor_login FROM audit_log WHERE action = 'ticket.dispatch'"
    assert {row[0][:10] for row in await floor.rows(who)} == {"dispatcher"}


def test_every_category_leads_to_some_matter_of_its_branch() -> None:
    assert {matter.category for matter in matters_like("010101", "help")} == {"010101"}
    assert all(matter.category.startswith("13") for matter in matters_like("130401", "report"))


async def test_missed_callers_are_called_back_while_nobody_else_could(floor: Demo) -> None:
    open_tasks = "SELECT count(*) FROM callback_task WHERE closed_at IS NULL"
    assert await floor.one(open_tasks) == 5
    made = await floor.sign_in("agent03")
    await floor.pass_time(1200)
    assert await floor.one("SELECT count(*) FROM callback_task WHERE claimed_by IS NOT NULL") == 0
    assert made.actor.session_id is not None
    await floor.people.end_session(made.actor, made.actor.session_id)
    await floor.pass_time(5400)
    assert await floor.one(open_tasks) == 0
    ends = await floor.rows("SELECT DISTINCT closed_as FROM callback_task")
    assert {row[0] for row in ends} <= {"called_back", "unreachable"}
    tried = "SELECT count(*) FROM callback_attempt a JOIN user_account u ON u.id = a.actor_id"
    assert await floor.one(tried + " WHERE u.login LIKE 'callback%'") >= 5


async def test_nobody_is_called_back_at_night(floor: Demo) -> None:
    floor.clock.advance(13 * 3600)
    await floor.pass_time(3600, step=60)
    assert await floor.one("SELECT count(*) FROM callback_attempt") == 0


# ---- where they work -------------------------------------------------------------------------


async def test_the_simulator_hears_who_sits_at_which_desk(floor: Demo, lease: Lease) -> None:
    heard: list[tuple[str, bool]] = []
    floor.colleagues = Colleagues(floor, lease, lambda extension, here: heard.append((extension, here)))
    await floor.sign_in("agent07")
    await floor.sign_in("dispatcher01")
    await floor.colleagues.work()
    assert heard == [("1007", True)]
    await floor.pass_time(400)
    assert heard == [("1007", True), ("1007", False)]


async def test_a_database_without_the_demo_city_is_left_alone(
    database: Database, settings: Settings, passwords: Passwords
) -> None:
    await Colleagues(demo_of(database, settings, passwords), await held_lease(database)).work()


def _settings(**environ: str) -> Settings:
    secrets = {"HOTLINE_SECRETS__MASTER_KEYS": '{"k1": "0123456789abcdef0"}'}
    secrets["HOTLINE_SECRETS__INDEX_KEY"] = "0123456789abcdef1"
    return load_settings(environ=secrets | {f"HOTLINE_{key}": value for key, value in environ.items()})


def test_they_work_in_a_demo_that_plays_a_day_and_nowhere_else() -> None:
    assert wanted(_settings())
    assert not wanted(_settings(TELEPHONY__SIMULATOR__CALLS_PER_HOUR="0"))
    assert not wanted(_settings(TELEPHONY__SOURCE="asterisk"))
    assert not wanted(_settings(TELEPHONY__SOURCE="asterisk", MODE="production"))


async def test_a_node_of_the_demo_lets_them_tick(database_url: str, settings: Settings) -> None:
    node = Node(settings, database_url)
    assert "simulated colleagues" in {name for name, *_ in node.ticker._jobs}
    await node.stop()


async def test_agents_nobody_plays_sign_in_and_some_go_for_a_break(floor: Demo, lease: Lease) -> None:
    agents = AgentService(floor.settings)
    agents.pbxs = ("simulator",)
    floor.colleagues = Colleagues(floor, lease, agents=agents)
    await floor.sign_in("agent07")
    await floor.pass_time(3600, step=60.0)
    wanted = floor.settings.telephony.simulator.agents - 1
    assert await floor.one("SELECT count(*) FROM agent_session WHERE signed_out_at IS NULL") == wanted
    seated = await floor.rows("SELECT u.login FROM agent_session s JOIN user_account u ON u.id = s.user_id")
    assert "agent07" not in {row.login for row in seated}, "a person who is there signs in himself"
    reasons = await floor.rows("SELECT DISTINCT reason FROM agent_interval WHERE state = 'not_ready'")
    assert len(reasons) >= 2
    assert await floor.one("SELECT count(*) FROM agent_interval WHERE state = 'ready' AND ended_at IS NULL")
