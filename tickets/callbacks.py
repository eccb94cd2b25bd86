"""Call-back tasks: whoever hung up while waiting is called, one task per number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.settings import Settings
from tickets.callback_due import callback_due, hours_of
from tickets.errors import checked_note, conflict
from tickets.events import CallbackChanged, CallbackOpened
from tickets.models import CallbackAttempt, CallbackMiss, CallbackTask, table_of
from tickets.terms import AttemptResult, CallbackEnd
from tickets.visibility import visible_callbacks

_task = table_of(CallbackTask)
_miss = table_of(CallbackMiss)
_attempt = table_of(CallbackAttempt)


@dataclass(frozen=True)
class TaskRow:
    """A task as it stands, locked until the transaction ends."""

    id: int
    version: int
    caller_ref: int
    attempts: int
    claimed_by: int | None
    closed_as: str | None


_COLUMNS = tuple(_task.c[name] for name in TaskRow.__dataclass_fields__)


class CallbackService:
    """Every write of the call-back tables."""

    def __init__(self, settings: Settings) -> None:
        self._hours = hours_of(settings)
        self._tries = settings.telephony.callback_tries

    # ---- opening ----------------------------------------------------------------------------

    async def open_for_abandoned(
        self, uow: UnitOfWork, session_id: int, caller_ref: int | None, at: datetime
    ) -> int | None:
        """The task that answers for an abandoned call; None for a caller without a number.

        A number with an open task gets no second one: the call is counted on it, and the first due
        time stands. A call that was taken in before changes nothing.
        """
        if caller_ref is None:
            return None
        before = sa.select(_miss.c.task_id).where(_miss.c.call_session_id == session_id)
        known: int | None = (await uow.session.execute(before)).scalar_one_or_none()
        if known is not None:
            return known
        task_id, version, is_new = await self._insert_or_count(uow, caller_ref, at)
        miss = insert(_miss).values(call_session_id=session_id, task_id=task_id, missed_at=at)
        await uow.session.execute(miss)
        event = CallbackOpened(task_id, version) if is_new else CallbackChanged(task_id, version)
        await uow.emit(event)
        return task_id

    async def _insert_or_count(self, uow: UnitOfWork, caller_ref: int, at: datetime) -> tuple[int, int, bool]:
        statement = insert(_task).values(
            caller_ref=caller_ref,
            version=1,
            opened_at=uow.now,
            missed_at=at,
            due_at=callback_due(at, self._hours),
            calls=1,
            attempts=0,
        )
        statement = statement.on_conflict_do_update(
            index_elements=["caller_ref"],
            index_where=_task.c.closed_at.is_(None),
            set_={
                "calls": _task.c.calls + 1,
                "version": _task.c.version + 1,
                "missed_at": sa.func.greatest(_task.c.missed_at, statement.excluded.missed_at),
            },
        )
        row = (await uow.session.execute(statement.returning(_task.c.id, _task.c.version))).one()
        return row.id, row.version, row.version == 1

    # ---- working ----------------------------------------------------------------------------

    async def claim(self, uow: UnitOfWork, actor: Actor, task_id: int, version: int) -> int:
        """Take a task, so that no colleague calls at the same time; returns the new version.

        Claiming one's own again changes nothing. Raises `callback_claimed`, `callback_closed`.
        """
        row = await self._lock_open(uow, actor, task_id)
        if row.claimed_by == actor.user_id:
            return row.version
        if row.claimed_by is not None:
            raise HotlineError("callback_claimed", task_id=task_id, user_id=row.claimed_by)
        _check_version(row, version)
        return await self._change(uow, row, claimed_by=actor.user_id, claimed_at=uow.now)

    async def release(self, uow: UnitOfWork, actor: Actor, task_id: int, version: int) -> int:
        """Give a task back: one's own, or anybody's by the shift leader; returns the new version."""
        row = await self._lock_open(uow, actor, task_id)
        _check_version(row, version)
        if row.claimed_by != actor.user_id and not actor.may(Permission.FLOOR_READ):
            raise HotlineError("callback_claimed", task_id=task_id, user_id=row.claimed_by)
        return await self._change(uow, row, claimed_by=None, claimed_at=None)

    async def log_attempt(
        self,
        uow: UnitOfWork,
        actor: Actor,
        task_id: int,
        version: int,
        result: str,
        note: str = "",
        call_session_id: int | None = None,
    ) -> int:
        """Note one try; returns the new version.

        Reaching the citizen closes the task as called back; the last try allowed, or a number that
        does not exist, closes it as unreachable. Raises `unknown_result` besides the usual.
        """
        outcome = _result(result)
        note = checked_note(note, action="attempt", required=False)[:500]
        row = await self._lock_open(uow, actor, task_id)
        if row.claimed_by not in (None, actor.user_id):
            raise HotlineError("callback_claimed", task_id=task_id, user_id=row.claimed_by)
        _check_version(row, version)
        values = {
            "task_id": task_id,
            "at": uow.now,
            "actor_id": actor.user_id,
            "result": outcome.value,
            "note": note,
            "call_session_id": call_session_id,
        }
        await uow.session.execute(insert(_attempt).values(**values))
        return await self._change(uow, row, **self._after_attempt(uow, actor, row, outcome, call_session_id))

    def _after_attempt(
        self, uow: UnitOfWork, actor: Actor, row: TaskRow, outcome: AttemptResult, session_id: int | None
    ) -> dict[str, Any]:
        values: dict[str, Any] = {"attempts": row.attempts + 1}
        if outcome is AttemptResult.REACHED:
            return values | _closing(uow, actor.user_id, CallbackEnd.CALLED_BACK, session_id)
        if outcome is AttemptResult.INVALID_NUMBER or row.attempts + 1 >= self._tries:
            return values | _closing(uow, actor.user_id, CallbackEnd.UNREACHABLE, None)
        return values | {"claimed_by": None, "claimed_at": None}

    # ---- closing ----------------------------------------------------------------------------

    async def close(self, uow: UnitOfWork, actor: Actor, task_id: int, version: int, closed_as: str) -> int:
        """Close by hand, for example when the citizen wrote meanwhile; returns the new version."""
        try:
            end = CallbackEnd(closed_as)
        except ValueError:
            raise HotlineError("unknown_result", result=closed_as[:40]) from None
        row = await self._lock_open(uow, actor, task_id)
        _check_version(row, version)
        return await self._change(uow, row, **_closing(uow, actor.user_id, end, None))

    async def close_for_answered(self, uow: UnitOfWork, caller_ref: int, session_id: int) -> int | None:
        """The citizen got through by himself: close the number's open task, if any; returns its id."""
        statement = (
            sa.update(_task)
            .where(_task.c.caller_ref == caller_ref, _task.c.closed_at.is_(None))
            .values(version=_task.c.version + 1, **_closing(uow, None, CallbackEnd.CALLED_AGAIN, session_id))
            .returning(_task.c.id, _task.c.version)
        )
        row = (await uow.session.execute(statement)).first()
        if row is None:
            return None
        await uow.emit(CallbackChanged(row.id, row.version, CallbackEnd.CALLED_AGAIN.value))
        return int(row.id)

    # ---- rows -------------------------------------------------------------------------------

    @staticmethod
    async def _lock_open(uow: UnitOfWork, actor: Actor, task_id: int) -> TaskRow:
        actor.require(Permission.CALLBACK_WORK)
        query = sa.select(*_COLUMNS).where(_task.c.id == task_id, visible_callbacks(actor)).with_for_update()
        found = (await uow.session.execute(query)).first()
        if found is None:
            raise HotlineError("callback_not_found", task_id=task_id)
        row = TaskRow(**found._mapping)
        if row.closed_as is not None:
            raise HotlineError("callback_closed", task_id=task_id, closed_as=row.closed_as)
        return row

    @staticmethod
    async def _change(uow: UnitOfWork, row: TaskRow, **values: Any) -> int:
        statement = sa.update(_task).where(_task.c.id == row.id).values(version=row.version + 1, **values)
        await uow.session.execute(statement)
        await uow.emit(CallbackChanged(row.id, row.version + 1, values.get("closed_as")))
        return row.version + 1


def _closing(
    uow: UnitOfWork, user_id: int | None, end: CallbackEnd, session_id: int | None
) -> dict[str, Any]:
    return {
        "closed_at": uow.now,
        "closed_as": end.value,
        "closed_by": user_id,
        "closing_session_id": session_id,
    }


def _check_version(row: TaskRow, version: int) -> None:
    if row.version != version:
        raise conflict("callback", row.id, ours=version, theirs=row.version)


def _result(result: str) -> AttemptResult:
    try:
        return AttemptResult(result)
    except ValueError:
        raise HotlineError("unknown_result", result=result[:40]) from None
