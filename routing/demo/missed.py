"""Callers of the demo city who gave up waiting, and what became of calling them back."""

from datetime import datetime, timedelta

from core.people.permissions import Role
from routing.demo import mix
from routing.demo.making import Making, Row, ids_for
from routing.demo.people import Person
from routing.demo.rows import session_row
from telephony.models import CallSession
from tickets.bulk import insert_rows
from tickets.callback_due import callback_due, hours_of
from tickets.models import CallbackAttempt, CallbackMiss, CallbackTask, table_of

MINUTES_AGO = (4, 11, 19, 34, 52)  # the ones nobody has called yet
FIRST_OPEN_CALLER = 9000  # citizens of their own, so that no number has two open tasks
ENDS = mix.Shares.of({"called_back": 70, "unreachable": 12, "called_again": 18})
TRIES = ("no_answer", "busy", "switched_off")


async def make(making: Making, count: int) -> None:
    """`count` missed calls: the old ones closed in one of three ways, the last few still open."""
    if count == 0:
        return
    session, fresh = making.uow.session, min(count, len(MINUTES_AGO))
    early = mix.draw_instants(making.draw, making.now - timedelta(days=1), count - fresh)
    late = [making.now - timedelta(minutes=ago) for ago in MINUTES_AGO[:fresh]]
    await making.values.reserve(session, count)
    sessions = await ids_for(session, CallSession, count)
    tasks = await ids_for(session, CallbackTask, count)
    calls: list[Row] = []
    rows: dict[type, list[Row]] = {CallbackTask: [], CallbackMiss: [], CallbackAttempt: []}
    for index, at in enumerate([*early, *late]):
        is_open = index >= len(early)
        person = FIRST_OPEN_CALLER + index if is_open else making.draw.randrange(FIRST_OPEN_CALLER)
        caller = making.values.phone(person, at)
        waited = making.draw.randrange(8, 120)
        call = session_row(next(sessions), caller, at - timedelta(seconds=waited), waited)
        calls.append(call)
        making.count(call)
        task = _open_task(making, next(tasks), caller, at)
        rows[CallbackMiss].append({"call_session_id": call["id"], "task_id": task["id"], "missed_at": at})
        if not is_open:
            rows[CallbackAttempt] += _close(making, task)
        rows[CallbackTask].append(task)
    await making.values.save(session)
    await insert_rows(session, table_of(CallSession), calls)
    for model, made in rows.items():
        await insert_rows(session, table_of(model), made)


def _open_task(making: Making, ident: int, caller: int, at: datetime) -> Row:
    return {
        "id": ident,
        "caller_ref": caller,
        "version": 1,
        "opened_at": at,
        "missed_at": at,
        "due_at": callback_due(at, hours_of(making.settings)),
        "calls": 1,
        "attempts": 0,
        "claimed_by": None,
        "claimed_at": None,
        "closed_at": None,
        "closed_as": None,
        "closed_by": None,
        "closing_session_id": None,
    }


def _close(making: Making, task: Row) -> list[Row]:
    """Fill in how the task ended; returns its tries."""
    draw, due = making.draw, task["due_at"]
    officer = draw.choice(making.folk.posts[Role.CALLBACK_OFFICER])
    end = ENDS.draw(draw)
    at = task["opened_at"] + (due - task["opened_at"]) * draw.uniform(0.2, 1.05)
    tries: list[Row] = []
    if end != "called_again":
        in_vain = 3 if end == "unreachable" else draw.choice((0, 0, 0, 1))
        tries = [
            _try(task, officer, at + timedelta(minutes=9 * n), draw.choice(TRIES)) for n in range(in_vain)
        ]
        if end == "called_back":
            tries.append(_try(task, officer, at + timedelta(minutes=9 * in_vain), "reached"))
        at = tries[-1]["at"]
    task |= {
        "version": 2 + len(tries),
        "attempts": len(tries),
        "closed_at": at,
        "closed_as": end,
        "closed_by": officer.id if tries else None,
    }
    return tries


def _try(task: Row, officer: Person, at: datetime, result: str) -> Row:
    return {
        "task_id": task["id"],
        "at": at,
        "actor_id": officer.id,
        "result": result,
        "note": "",
        "call_session_id": None,
    }
