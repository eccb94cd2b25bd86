"""Clocks over random lives: whatever people do and however long they take, the rows of the clocks are right.

Every step a while passes and the leader sweeps. What must hold of the rows and the cards: `check`.
"""

from collections import defaultdict
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock, SystemClock
from core.errors import HotlineError
from core.leadership import Lease
from core.settings import Leadership
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add, parse_limit
from sla.ladder import Level
from sla.models import Card
from sla.pauses import standstills
from sla.plain import WITHOUT_LADDER
from sla.sweep import CardSweep
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tests.tickets.test_walks import ENDINGS, TYPED, WALKERS, check_order, inputs, possible, step
from tickets.actions.job import STANDING
from tickets.flow import TicketRequest, TicketStage
from tickets.limits import Matter
from tickets.models import table_of
from tickets.states import FINAL, STAGE_OF, Action, Stage, State

HOUR = 3600
_stage, _card, _request = table_of(TicketStage), table_of(Card), table_of(TicketRequest)
BESIDE = {"total", "contact", "co_opinion", "exclusion"}
_LEVELS = list(Level)
A = Action
# What moves no clock is left out, what ends a life is drawn seldom, so that lives get far.
STILL = frozenset({A.NOTE, A.ADD, A.URGE, A.SUPERVISE, A.ASK_RELAY, A.ANSWER_RELAY})
SENT = (A.DISPATCH, A.REDISPATCH, A.RULE, A.ADD_CO, A.SUB_DISPATCH)


async def rows(city: City, query: Any) -> list[Any]:
    async with city.db.read() as session:
        return list((await session.execute(query)).all())


async def check(one: Life) -> None:
    """What holds of the clocks of a ticket at any moment."""
    city, row = one.city, await one.row()
    state = State(row.state)
    clocks = await rows(city, sa.select(_stage).where(_stage.c.ticket_id == one.id).order_by(_stage.c.id))
    running = [clock for clock in clocks if clock.ended_at is None]
    keys = [(clock.stage, clock.unit_id) for clock in running]
    assert len(keys) == len(set(keys)), keys
    assert len([clock for clock in running if clock.stage == "total"]) <= 1
    if state in FINAL:
        assert {clock.stage for clock in running} <= {"exclusion"}, state
    for clock in running:
        _check_row(city, row, state, clock)
    main = [clock for clock in running if clock.stage not in BESIDE]
    assert [(clock.stage, clock.due_at) for clock in main] == (
        [] if state in FINAL else [(STAGE_OF[state].value, row.stage_due_at)]
    )
    assert [(row.stage_since, row.stage_due_at)] == (
        [(c.started_at, c.due_at) for c in main] or [(None, None)]
    )
    await _check_total(one, row, [clock for clock in running if clock.stage == "total"])
    await _check_cards(one, {clock.id: clock for clock in clocks})


def _check_row(city: City, row: Any, state: State, clock: Any) -> None:
    stage, calendar = Stage(clock.stage), city.limits.calendar  # type: ignore[attr-defined]  # the city's
    still = state is State.SUSPENDED and stage in STANDING
    steps = () if clock.limit is None else city.limits.pack.ladder.steps(parse_limit(clock.limit))  # type: ignore[attr-defined]  # the city's
    if stage in WITHOUT_LADDER or clock.limit is None or still:
        assert clock.alarm_at is None, clock
    else:
        assert (clock.alarm_at is None) == (clock.alarm_step >= len(steps)), clock
        if clock.alarm_at is not None:
            moment = steps[clock.alarm_step].moment
            at = moment.at(calendar, parse_limit(clock.limit), clock.started_at, clock.due_at)
            assert clock.alarm_at >= at, clock
    if stage in (Stage.CONTACT, Stage.HANDLE, Stage.SIGN):
        assert clock.unit_id == row.desk_unit_id, (state, clock)
    if stage is Stage.TOTAL:
        assert (clock.unit_id, clock.due_at) == (row.lead_unit_id, row.due_at), (state, clock)


async def _check_total(one: Life, row: Any, totals: list[Any]) -> None:
    """The due time of the total is its limit, from its start, with the pauses the history tells of."""
    for total in totals:
        history = await one.history()
        pauses = [stood.pause(stood.end) for stood in standstills(history) if stood.end is not None]
        granted = sa.select(_request.c.days).where(
            *(_request.c.ticket_id == one.id, _request.c.requested_at >= total.started_at),
            *(_request.c.kind == "extension", _request.c.state == "approved"),
        )
        days = sum(found.days for found in await rows(one.city, granted)) if row.urgency == "normal" else 0
        limit = parse_limit(total.limit)
        assert limit == promised(one.city, row), total
        limit = Limit(limit.amount + days, Unit.WORKING_DAY) if days else limit
        calendar: Calendar = one.city.limits.calendar  # type: ignore[attr-defined]  # the city's
        mine = [pause for pause in pauses if pause.end > total.started_at]
        assert total.due_at == add(calendar, total.started_at, limit, mine), (total, mine, days)


def promised(city: City, row: Any) -> Limit:
    """The limit of the total of the matter as it is now."""
    matter = Matter(row.type, row.urgency, row.category_id, row.round)
    return city.limits.limit(Stage.REDO if row.round > 1 else Stage.TOTAL, matter)  # type: ignore[attr-defined,no-any-return]  # the city's


async def _check_cards(one: Life, clocks: dict[int, Any]) -> None:
    """In order and once per round of what is one clock, however often it was broken off."""
    found = await rows(one.city, sa.select(_card).where(_card.c.ticket_id == one.id).order_by(_card.c.id))
    levels: dict[Any, list[int]] = defaultdict(list)
    for card in found:
        clock = clocks[card.stage_id]
        owner = clock.unit_id if clock.stage == "co_opinion" else None
        levels[clock.stage, clock.round, owner, clock.started_at, card.card_round].append(
            _LEVELS.index(Level(card.level))
        )
        assert clock.ended_at is None or card.issued_at <= clock.ended_at, card
        assert card.issued_at >= clock.started_at
    for key, issued in levels.items():
        assert issued == sorted(set(issued)), (key, issued)


async def moved(city: City, one: Life, other: int, drawn: tuple[int, int, int]) -> bool:
    """Do something that moves a clock: the first person, from the one drawn on, who can."""
    who, what, how = drawn
    for place in range(len(WALKERS)):
        login = WALKERS[(who + place) % len(WALKERS)]
        ways = [way for way in await possible(city, one, login) if way not in STILL]
        ways = [way for way in ways if way not in ENDINGS or how % 11 == 0]
        if not ways:
            continue
        action = ways[what % len(ways)]
        # Mostly to the district with a street below it, so that tickets go down the tree and up again.
        told = inputs(city, action, (2, 4, how)[how % 3] if action in SENT else how, other)
        try:
            await one.do(login, action, **told)
        except HotlineError as error:
            if error.code not in TYPED:
                raise
            continue
        await one.check_replay()
        await check_order(city, one)
        return True
    return False


@pytest.fixture
async def sweep(city: City, clock: ManualClock) -> CardSweep:
    lease = Lease(city.db, "scheduler", "one", Leadership(lease_seconds=3600), SystemClock())
    assert await lease.try_take()
    return CardSweep(city.db, city.limits, lease, clock.now)  # type: ignore[arg-type]  # the city's


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(step, min_size=15, max_size=40),
    waits=st.lists(st.integers(0, 60), min_size=40, max_size=40),
)
async def test_the_clocks_of_every_life_are_right(
    city: City, clock: ManualClock, sweep: CardSweep, steps: list[tuple[int, int, int]], waits: list[int]
) -> None:
    one, other = await life(city, type="complaint"), await life(city, phone="13800000009")
    for wait, each in zip(waits, steps, strict=False):
        if not await moved(city, one, other.id, each):
            continue
        await check(one)
        clock.advance(wait * wait * 100.0)
        await sweep.run()
        await check(one)
