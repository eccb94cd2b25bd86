"""Random legal walks: wherever people lead a ticket, its history leads there too."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import HotlineError
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tickets import offers
from tickets.flow import TicketStage, TicketUnit
from tickets.models import table_of
from tickets.states import AFTER_CLOSING, FINAL, OPEN, STAGE_OF, Action, State
from tickets.workflow import RULES

A = Action
_stage = table_of(TicketStage)
_held = table_of(TicketUnit)
WALKERS = (
    *("agent", "dispatcher", "leader", "supervision", "callback"),
    *("lights", "lights_head", "water", "district", "street"),
)
UNITS = ("lights", "water", "qixing", "xiangshan", "sanlidian")
# What may end a walk early is drawn seldom, so that walks get far.
ENDINGS = frozenset({A.VOID, A.WITHDRAW, A.ANSWER, A.INFORM, A.EMERGENCY, A.ARCHIVE, A.MERGE})
REASONS = {
    A.RETURN: "not_our_duty",
    A.REJECT_CHECK: "no_basis",
    A.REDO: "not_solved",
    A.APPLY_EXTENSION: "complex",
    A.APPLY_SUSPENSION: "planned",
    A.APPLY_EXCLUSION: "against_law",
    A.INFORM: "litigation",
    A.EMERGENCY: "110",
    A.VOID: "test",
    A.REDISPATCH: "new_facts",
}


def inputs(city: City, action: Action, pick: int, other: int) -> dict[str, Any]:
    """Something a person could have typed for `action`."""
    unit = city.unit(UNITS[pick % len(UNITS)])
    data: dict[str, Any] = {"note": "说明"}
    if action in REASONS:
        data["reason_code"] = REASONS[action]
    if action in (A.DISPATCH, A.REDISPATCH, A.SUB_DISPATCH, A.RULE, A.REMOVE_CO):
        data["unit_id"] = unit
    extra: dict[Action, dict[str, Any]] = {
        A.RETURN: {"basis": "三定方案", "suggested_unit_id": unit},
        A.ACCEPT_RETURN: {"unit_id": unit} if pick % 2 else {},
        A.ADD_CO: {"unit_ids": [unit]},
        A.APPLY_EXTENSION: {"days": 1 + pick % 2},
        A.APPLY_SUSPENSION: {"days": 1 + pick % 30},
        A.ANSWER: {"public_reply": "已答复。"},
        A.INFORM: {"public_reply": "请依法起诉。"},
        A.CLOSE: {"public_reply": "已办结。", "result": "reached"},
        A.CONTACT: {"result": "reached" if pick % 3 else "no_answer"},
        A.EDIT: {"urgency": ("normal", "urgent")[pick % 2]},
        A.MERGE: {"master_id": other},
        A.REVISIT: _answers(pick),
    }
    return data | extra.get(action, {})


def _answers(pick: int) -> dict[str, Any]:
    if pick % 3 == 0:
        return {"result": "no_answer"}
    good = {"result": "reached", "responded": True, "solved": True, "satisfied": 5}
    again = {"solved": False, "satisfied": 1, "redo": True, "reason_code": "not_solved"}
    return good if pick % 3 == 1 else good | again


async def possible(city: City, one: Life, login: str) -> list[Action]:
    """What this person is offered, as the page would offer it."""
    async with city.db.read() as session:
        try:
            found = await offers.load(session, city.actors[login], one.id, city.limits, city.db.clock.now())
        except HotlineError as error:
            if error.code != "ticket_not_found":
                raise
            return []
    return [offer.action for offer in found if offer.allowed and offer.action is not A.APPEAL]


async def walk(city: City, one: Life, other: int, steps: Sequence[tuple[int, int, int]]) -> int:
    """Do the steps that can be done; returns how many were."""
    done = 0
    for who, what, how in steps:
        login = WALKERS[who % len(WALKERS)]
        ways = await possible(city, one, login)
        ways = [way for way in ways if way not in ENDINGS or how % 11 == 0]
        if not ways:
            continue
        action = ways[what % len(ways)]
        version = (await one.row()).version
        try:
            await one.do(login, action, **inputs(city, action, how, other))
        except HotlineError as error:
            # What was offered may still be refused for what was typed, and then nothing has changed.
            if error.code not in TYPED or (await one.row()).version != version:
                raise
            continue
        done += 1
        await one.check_replay()
        await check_order(city, one)
    return done


TYPED = {
    *("unit_has_it", "unit_cannot_take", "unit_not_below", "not_co_handler", "nothing_to_change"),
    *("contact_missing", "master_not_open", "form_invalid"),
}


async def check_order(city: City, one: Life) -> None:
    """One main stage runs in an open state and none in a final one; one lead at most; requests fit."""
    row = await one.row()
    state = State(row.state)
    running = "FROM ticket_stage WHERE ticket_id = :id AND ended_at IS NULL"
    main = f"{running} AND stage NOT IN ('contact', 'total', 'co_opinion', 'exclusion')"
    assert await one.scalar(f"SELECT count(*) {main}") == (0 if state in FINAL else 1), state
    if state in FINAL:
        assert row.stage is None
        assert await one.scalar(f"SELECT count(*) {running} AND stage <> 'exclusion'") == 0
    else:
        assert row.stage == STAGE_OF[state].value
        assert await one.scalar(f"SELECT stage {main}") == row.stage
    await check_clocks(one, row, state)
    held = "FROM ticket_unit WHERE ticket_id = :id AND until IS NULL"
    leads = await one.scalar(f"SELECT array_agg(unit_id) {held} AND role = 'lead'")
    assert leads == ([row.lead_unit_id] if row.lead_unit_id is not None else None)
    asked = "SELECT count(*) FROM revisit WHERE ticket_id = :id AND closed_at IS NULL"
    assert await one.scalar(asked) == (state is State.WAITING_CALLBACK)
    kinds = {State.RETURN_REVIEW: "return", State.RULING: "return", State.EXTENSION_REVIEW: "extension"}
    kinds |= {State.SUSPENSION_REVIEW: "suspension", State.CLOSING_REVIEW: "closing"}
    pending = "FROM ticket_request WHERE ticket_id = :id AND state = 'pending' AND kind <> 'exclusion'"
    found = await one.scalar(f"SELECT array_agg(kind::text) {pending}")
    assert found == ([kinds[state]] if state in kinds else None), state


async def check_clocks(one: Life, row: Any, state: State) -> None:
    """The citizen's clock and those of co-handlers are open as long as they must be, with what they say."""
    async with one.city.db.read() as session:
        query = sa.select(_stage).where(_stage.c.ticket_id == one.id, _stage.c.ended_at.is_(None))
        running = (await session.execute(query)).all()
        asked = sa.select(_held.c.unit_id, _held.c.due_at).where(
            *(_held.c.ticket_id == one.id, _held.c.role == "co"),
            *(_held.c.until.is_(None), _held.c.answered_at.is_(None)),
        )
        waiting = sorted((one.unit_id, one.due_at) for one in (await session.execute(asked)).all())
    totals = [clock for clock in running if clock.stage == "total"]
    runs = row.dispatched_at is not None and state not in FINAL | AFTER_CLOSING
    assert [(clock.unit_id, clock.due_at) for clock in totals] == (
        [(row.lead_unit_id, row.due_at)] if runs else []
    ), state
    opinions = sorted((clock.unit_id, clock.due_at) for clock in running if clock.stage == "co_opinion")
    assert opinions == (waiting if state in OPEN - AFTER_CLOSING else []), state
    for clock in running:
        assert (clock.limit is None) == (clock.policy is None), clock
        still = state is State.SUSPENDED and clock.stage in ("total", "contact", "co_opinion")
        issues = clock.limit is not None and clock.stage != "suspension" and not still
        assert issues or clock.alarm_at is None, (state, clock)
    exclusions = [clock for clock in running if clock.stage == "exclusion"]
    pending = "SELECT count(*) FROM ticket_request WHERE ticket_id = :id AND state = 'pending'"
    decidable = state in RULES[A.APPROVE_EXCLUSION].sources
    if decidable or exclusions:
        assert len(exclusions) == await one.scalar(pending + " AND kind = 'exclusion'"), state


step = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=20, max_size=40))
async def test_every_walk_is_told_by_its_history(city: City, steps: list[tuple[int, int, int]]) -> None:
    one, other = await life(city), await life(city, phone="13800000009")
    await walk(city, one, other.id, steps)
    versions = [row.version for row in await one.history() if row.action != A.CARD.value]
    assert versions == list(range(1, len(versions) + 1))
