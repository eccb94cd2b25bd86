"""Call-back tasks: whoever hung up while waiting is called, one task per number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.settings import Settings
from tickets.callback_due import callback_due, hours_of, next_try
from tickets.citizens import records as citizens
from tickets.errors import checked_note, conflict
from tickets.events import CallbackChanged, CallbackOpened
from tickets.models import CallbackAttempt, CallbackMiss, CallbackTask, table_of
from tickets.terms import NOTED_BY_HAND, AttemptResult, CallbackEnd
from tickets.visibility import visible_callbacks

_task = table_of(CallbackTask)
_miss = table_of(CallbackMiss)
_attempt = table_of(CallbackAttempt)
# The telephone's results that reached for the citizen without reaching him; the others are our own failures.
TRIED = frozenset(NOTED_BY_HAND) - {AttemptResult.REACHED}


@dataclass(frozen=True)
class TaskRow:
    """A task as it stands, locked until the transaction ends."""

    id: int
    version: int
    caller_ref: int
    attempts: int
    claimed_by: int | None
    claimed_at: datetime | None
    not_before: datetime | None
    closed_as: str | None


@dataclass(frozen=True)
class Try:
    """One try as the telephone tells it: whose it was, the order behind it, the call if there was one."""

    task_id: int
    user_id: int
    order_id: int
    result: AttemptResult
    call_session_id: int | None = None


_COLUMNS = tuple(_task.c[name] for name in TaskRow.__dataclass_fields__)


class CallbackService:
    """Every write of the call-back tables."""

    def __init__(self, settings: Settings) -> None:
        self.hours = hours_of(settings)
        self._tries = settings.telephony.callback_tries
        self._pause = timedelta(minutes=settings.telephony.callback_pause_minutes)
        self._claim = timedelta(minutes=settings.telephony.callback_claim_minutes)
        self._quiet = settings.notify.quiet_hours

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
            due_at=callback_due(at, self.hours),
            calls=1,
            attempts=0,
        )
        statement = statement.on_conflict_do_update(
            index_elements=["caller_ref"],
            index_where=_task.c.closed_at.is_(None),
            set_={
                "calls": _task.c.calls + 1,
                "version": _task.c.version + 1,
                "not_before": None,  # he tries himself: he may be called at once
                "missed_at": sa.func.greatest(_task.c.missed_at, statement.excluded.missed_at),
            },
        )
        row = (await uow.session.execute(statement.returning(_task.c.id, _task.c.version))).one()
        return row.id, row.version, row.version == 1

    # ---- working ----------------------------------------------------------------------------

    async def claim(self, uow: UnitOfWork, actor: Actor, task_id: int, version: int) -> int:
        """Take a task, so that no colleague calls at the same time; returns the new version.

        Claiming one's own again changes nothing; a claim that lapsed may be taken over. Raises
        `callback_claimed`, `callback_closed`.
        """
        row = await self._lock_open(uow, actor, task_id)
        if row.claimed_by == actor.user_id:
            return row.version
        self._check_free(uow, actor, row)
        _check_version(row, version)
        return await self._take(uow, actor, row)

    async def claim_to_call(self, uow: UnitOfWork, actor: Actor, task_id: int) -> int:
        """Take a task in order to call now; returns the reference of the number.

        Raises what `claim` raises, and `callback_too_early` while the citizen is to be left in peace.
        """
        row = await self._lock_open(uow, actor, task_id)
        self._check_free(uow, actor, row)
        if row.not_before is not None and row.not_before > uow.now:
            raise HotlineError("callback_too_early", task_id=task_id, at=row.not_before.isoformat())
        await self._take(uow, actor, row)
        return row.caller_ref

    async def claim_next(self, uow: UnitOfWork, actor: Actor) -> int | None:
        """Take the task that is most urgent now; returns its id, None when there is none.

        One's own comes first, so that the same key twice does not leave a task lying. What may not be
        called yet and what colleagues are at is passed over; two who ask at once get two tasks.
        """
        actor.require(Permission.CALLBACK_WORK)
        mine = _task.c.claimed_by == actor.user_id
        free = sa.or_(_task.c.claimed_by.is_(None), _task.c.claimed_at < uow.now - self._claim)
        ready = sa.or_(_task.c.not_before.is_(None), _task.c.not_before <= uow.now)
        query = sa.select(*_COLUMNS).where(
            visible_callbacks(actor), _task.c.closed_at.is_(None), sa.or_(mine, sa.and_(free, ready))
        )
        query = query.order_by(sa.desc(sa.func.coalesce(mine, sa.false())), *by_urgency()).limit(1)
        found = (await uow.session.execute(query.with_for_update(skip_locked=True))).first()
        if found is None:
            return None
        row = TaskRow(**found._mapping)
        if row.claimed_by != actor.user_id:
            await self._take(uow, actor, row)
        return row.id

    def _check_free(self, uow: UnitOfWork, actor: Actor, row: TaskRow) -> None:
        """Raise `callback_claimed` while a colleague is at it."""
        if row.claimed_by in (None, actor.user_id):
            return
        if row.claimed_at is None or row.claimed_at > uow.now - self._claim:
            raise HotlineError("callback_claimed", task_id=row.id, user_id=row.claimed_by)

    async def _take(self, uow: UnitOfWork, actor: Actor, row: TaskRow) -> int:
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
        self._check_free(uow, actor, row)
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
        return await self._change(
            uow, row, **self._after_attempt(uow, actor.user_id, row, outcome, call_session_id)
        )

    async def note_try(self, uow: UnitOfWork, told: Try) -> bool:
        """Note what the telephone tells of a try; False when it was noted before.

        A task that was closed meanwhile keeps its end, and the try stays on record. No permission is
        asked for: who ordered the call was asked.
        """
        query = sa.select(*_COLUMNS).where(_task.c.id == told.task_id).with_for_update()
        row = TaskRow(**(await uow.session.execute(query)).one()._mapping)
        values = {
            "task_id": row.id,
            "at": uow.now,
            "actor_id": told.user_id,
            "result": told.result.value,
            "note": "",
            "call_session_id": told.call_session_id,
            "dial_order_id": told.order_id,
        }
        statement = insert(_attempt).values(**values).on_conflict_do_nothing()
        if (await uow.session.execute(statement.returning(_attempt.c.id))).first() is None:
            return False
        changes: dict[str, Any] = {}
        if row.closed_as is None:
            changes = self._after_attempt(uow, told.user_id, row, told.result, told.call_session_id)
        await self._change(uow, row, **changes)
        return True

    def _after_attempt(
        self,
        uow: UnitOfWork,
        user_id: int | None,
        row: TaskRow,
        result: AttemptResult,
        session_id: int | None,
    ) -> dict[str, Any]:
        free: dict[str, Any] = {"claimed_by": None, "claimed_at": None}
        if result is not AttemptResult.REACHED and result not in TRIED:
            return free
        values: dict[str, Any] = {"attempts": row.attempts + 1}
        if result is AttemptResult.REACHED:
            return values | _closing(uow, user_id, CallbackEnd.CALLED_BACK, session_id)
        if result is AttemptResult.INVALID_NUMBER or row.attempts + 1 >= self._tries:
            return values | _closing(uow, user_id, CallbackEnd.UNREACHABLE, None)
        return values | free | {"not_before": next_try(uow.now, self._pause, self._quiet)}

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
        """The citizen got through by himself: close the open task of the number, if any; returns its id.

        Tasks of his other numbers, as far as they are known, end with it.
        """
        numbers = sa.or_(
            _task.c.caller_ref == caller_ref, _task.c.caller_ref.in_(citizens.numbers(caller_ref))
        )
        statement = (
            sa.update(_task)
            .where(numbers, _task.c.closed_at.is_(None))
            .values(version=_task.c.version + 1, **_closing(uow, None, CallbackEnd.CALLED_AGAIN, session_id))
            .returning(_task.c.id, _task.c.version)
        )
        rows = (await uow.session.execute(statement)).all()
        for row in rows:
            await uow.emit(CallbackChanged(row.id, row.version, CallbackEnd.CALLED_AGAIN.value))
        return int(rows[0].id) if rows else None

    async def close_for_message(self, uow: UnitOfWork, session_id: int) -> None:
        """The call turned out to have left a message: a task that stands for this call alone is over."""
        of_call = sa.select(_miss.c.task_id).where(_miss.c.call_session_id == session_id)
        statement = (
            sa.update(_task)
            .where(_task.c.id.in_(of_call), _task.c.closed_at.is_(None), _task.c.calls == 1)
            .values(version=_task.c.version + 1, **_closing(uow, None, CallbackEnd.LEFT_MESSAGE, session_id))
            .returning(_task.c.id, _task.c.version)
        )
        for row in (await uow.session.execute(statement)).all():
            await uow.emit(CallbackChanged(row.id, row.version, CallbackEnd.LEFT_MESSAGE.value))

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
    if result not in NOTED_BY_HAND:
        raise HotlineError("unknown_result", result=result[:40])
    return AttemptResult(result)


def by_urgency() -> tuple[sa.ColumnElement[Any], ...]:
    """The order in which tasks are called: due first, then who tried more often, then who waits longer."""
    return _task.c.due_at, _task.c.calls.desc(), _task.c.opened_at, _task.c.id
