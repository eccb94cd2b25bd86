"""Running clocks given other due times, many tickets at once: the calendar changed, not the matter.

The rows of `ticket`, `ticket_stage`, and what shows a stage's due time beside it are written in a few
statements for a whole batch, with one history row and one event per ticket.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.db import UnitOfWork
from core.people.actor import Actor
from tickets import history
from tickets.counting import Measures
from tickets.events import TicketChanged
from tickets.measures import Move, Seen, seen_of
from tickets.states import Action, Stage, State

LOCK = """
    SELECT id, number, version, urgency, {seen} FROM ticket WHERE id = ANY($1::bigint[])
    ORDER BY id FOR UPDATE
""".format(seen=", ".join(Seen._fields))  # noqa: S608 - names of columns, out of the code
_RUNNING = """
    SELECT id, ticket_id, stage, unit_id, started_at, due_at, "limit", alarm_at, alarm_step, card_round
    FROM ticket_stage WHERE ticket_id = ANY($1::bigint[]) AND ended_at IS NULL ORDER BY ticket_id, id
"""
_STAGES = """
    UPDATE ticket_stage s SET due_at = v.due, alarm_at = v.alarm, alarm_step = v.step, card_round = v.round
    FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::int[])
        AS v(id, due, alarm, step, round)
    WHERE s.id = v.id
"""
_TICKETS = """
    UPDATE ticket t SET due_at = v.due, stage_due_at = v.stage_due, version = t.version + 1, updated_at = $4
    FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS v(id, due, stage_due)
    WHERE t.id = v.id
"""
_OPINIONS = """
    UPDATE ticket_unit u SET due_at = v.due
    FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS v(ticket, unit, due)
    WHERE u.ticket_id = v.ticket AND u.unit_id = v.unit AND u.role = 'co' AND u.until IS NULL
      AND u.answered_at IS NULL
"""
_REQUESTS = """
    UPDATE ticket_request r SET due_at = v.due
    FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS v(ticket, before, due)
    WHERE r.ticket_id = v.ticket AND r.state = 'pending' AND r.due_at = v.before
"""
_ASKING = frozenset({Stage.DECISION, Stage.RETURN_RULING, Stage.EXCLUSION})


@dataclass(frozen=True)
class Moved:
    """A running clock as it will be: `row` is the one that was read under the ticket's lock."""

    row: Any
    due: datetime | None
    alarm: datetime | None
    step: int
    card_round: int

    @property
    def later(self) -> bool:
        """True when its due time is another, and not only its next alarm."""
        return self.due != self.row["due_at"]  # type: ignore[no-any-return]  # a row of the driver


@dataclass(frozen=True)
class Recounted:
    """A locked ticket with the clocks of it that change, and the words for its history."""

    ticket: Any
    due_at: datetime | None
    clocks: Sequence[Moved]
    note: str


async def lock(uow: UnitOfWork, ids: Iterable[int]) -> tuple[list[Any], dict[int, list[Any]]]:
    """The tickets, locked in the order of their ids, and the clocks that run of each."""
    wanted = sorted(ids)
    tickets = await uow.fetch(LOCK, wanted)
    running: dict[int, list[Any]] = {}
    for row in await uow.fetch(_RUNNING, wanted):
        running.setdefault(row["ticket_id"], []).append(row)
    return tickets, running


async def write(
    uow: UnitOfWork, actor: Actor, found: Sequence[Recounted], *, told: Mapping[str, Any], measures: Measures
) -> int:
    """Write what changes of these locked tickets; returns how many got another due time.

    `told` goes into each history row. A clock of which only the alarm moves leaves no trace there.
    """
    clocks = [clock for one in found for clock in one.clocks]
    if not clocks:
        return 0
    await uow.fetch(
        _STAGES,
        [clock.row["id"] for clock in clocks],
        [clock.due for clock in clocks],
        [clock.alarm for clock in clocks],
        [clock.step for clock in clocks],
        [clock.card_round for clock in clocks],
    )
    await _write_beside(uow, [clock for clock in clocks if clock.later])
    shown = [one for one in found if any(clock.later for clock in one.clocks)]
    if shown:
        ids, due = [one.ticket["id"] for one in shown], [one.due_at for one in shown]
        await uow.fetch(_TICKETS, ids, due, [_stage_due(one) for one in shown], uow.now)
        await history.append(uow, actor, [_entry(one, told) for one in shown])
        for one in shown:
            await measures.moved(uow, _move(one, uow.now))
            await uow.emit(_event(one))
    return len(shown)


async def _write_beside(uow: UnitOfWork, moved: Sequence[Moved]) -> None:
    """The copies that lists of co-handlers and of applications show."""
    opinions = [one.row for one in moved if one.row["stage"] == Stage.CO_OPINION.value]
    dues = [one.due for one in moved if one.row["stage"] == Stage.CO_OPINION.value]
    if opinions:
        await uow.fetch(
            _OPINIONS, [row["ticket_id"] for row in opinions], [row["unit_id"] for row in opinions], dues
        )
    asking = [one for one in moved if Stage(one.row["stage"]) in _ASKING]
    if asking:
        await uow.fetch(
            _REQUESTS,
            [one.row["ticket_id"] for one in asking],
            [one.row["due_at"] for one in asking],
            [one.due for one in asking],
        )


def _stage_due(one: Recounted) -> datetime | None:
    """The due time of the stage the ticket stands at; a clock of the same name beside it is none."""
    main = [clock for clock in one.clocks if clock.row["stage"] == one.ticket["stage"]]
    return main[0].due if main else one.ticket["stage_due_at"]


def _entry(one: Recounted, told: Mapping[str, Any]) -> history.Entry:
    ticket = one.ticket
    changes: dict[str, Any] = {}
    for name, new in (("due_at", one.due_at), ("stage_due_at", _stage_due(one))):
        if ticket[name] != new:
            changes[name] = [history.plain(ticket[name]), history.plain(new)]
    changes["told"] = dict(told)
    state = State(ticket["state"])
    return history.Entry(
        ticket["id"], Action.RECOUNT, state, state, ticket["version"] + 1, note=one.note, changes=changes
    )


def _move(one: Recounted, at: datetime) -> Move:
    """The step as figures see it: what was due on a day is due on another."""
    before = seen_of(one.ticket)
    after = before._replace(due_at=one.due_at, stage_due_at=_stage_due(one))
    version = one.ticket["version"] + 1
    return Move(one.ticket["id"], version, at, Action.RECOUNT.value, True, before, after)


def _event(one: Recounted) -> TicketChanged:
    ticket = one.ticket
    unit = ticket["desk_unit_id"]
    lead = ticket["lead_unit_id"]
    others = (lead,) if lead is not None and lead != unit else ()
    state = ticket["state"]
    return TicketChanged(
        ticket["id"], ticket["number"], ticket["version"] + 1, Action.RECOUNT.value, unit, others, state, None
    )
