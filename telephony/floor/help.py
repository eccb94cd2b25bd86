"""Help calls (F9): asked at a seat, answered by a shift leader, kept with all that was said.

One open call of each person: pressing the key again is the same call. Who nobody answers is raised
once to everybody who oversees the floor. Every write of `help_call` and `help_step`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import PersonalValue
from core.tables import table_of
from telephony.floor.events import HelpChanged
from telephony.floor.models import HelpCall, HelpStep
from telephony.floor.scope import call_of, on_floor_of
from telephony.models import CallSession

MAX_TEXT = 300
FORGOTTEN = timedelta(hours=2)  # an agent who asked so long ago works on without help, or has gone home
WORDS = {
    "asked": "请求协助", "said": "说明", "answered": "应答", "listened": "开始监听",
    "escalated": "无人应答，已升级", "ended": "结束",
}  # fmt: skip
ENDS = {"helped": "已协助", "withdrawn": "已撤回", "left": "超时关闭"}
_help, _step = table_of(HelpCall), table_of(HelpStep)
_user, _person = table_of(User), table_of(PersonalValue)
_call = table_of(CallSession)
_leader = _user.alias("leader")
_speaker = _user.alias("speaker")


@dataclass(frozen=True)
class Help:
    """A help call as screens show it; the caller's number is masked."""

    id: int
    user_id: int
    name: str
    extension: str | None
    call_session_id: int | None
    caller: str | None
    call_open: bool
    asked_at: datetime
    escalated_at: datetime | None
    answered_at: datetime | None
    answered_by: int | None
    leader: str | None
    ended_at: datetime | None
    ended_as: str | None

    @property
    def ended_word(self) -> str:
        return ENDS.get(self.ended_as or "", "进行中")


@dataclass(frozen=True)
class Step:
    """One line of a help call."""

    at: datetime
    kind: str
    text: str
    name: str | None
    user_id: int | None

    @property
    def word(self) -> str:
        return WORDS[self.kind]


# ---- reading --------------------------------------------------------------------------------


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    """One's own, those of one's floor, and what was raised to everybody who oversees a floor."""
    raised = _help.c.escalated_at.is_not(None) if actor.may(Permission.FLOOR_READ) else sa.false()
    return sa.or_(_help.c.user_id == actor.user_id, on_floor_of(actor), raised)


def _rows() -> sa.Select[Any]:
    names = (
        "id", "user_id", "extension", "call_session_id", "asked_at", "escalated_at", "answered_at",
        "answered_by", "ended_at", "ended_as",
    )  # fmt: skip
    joined = (
        _help.join(_user, _user.c.id == _help.c.user_id)
        .outerjoin(_leader, _leader.c.id == _help.c.answered_by)
        .outerjoin(_call, _call.c.id == _help.c.call_session_id)
        .outerjoin(_person, _person.c.id == _call.c.caller_ref)
    )
    return sa.select(
        *(_help.c[name] for name in names),
        _user.c.name,
        _leader.c.name.label("leader"),
        _person.c.masked.label("caller"),
        sa.and_(_call.c.id.is_not(None), _call.c.ended_at.is_(None)).label("call_open"),
    ).select_from(joined)


async def mine(session: AsyncSession, actor: Actor) -> Help | None:
    """The person's own open help call."""
    query = _rows().where(_help.c.user_id == actor.user_id, _help.c.ended_at.is_(None))
    row = (await session.execute(query)).first()
    return Help(**row._mapping) if row is not None else None


async def open_helps(session: AsyncSession, actor: Actor, *, limit: int = 20) -> list[Help]:
    """The help calls of one's floor that are open: unanswered ones first, the oldest first."""
    if not actor.may(Permission.FLOOR_READ):
        return []
    query = (
        _rows()
        .where(_help.c.ended_at.is_(None), _help.c.user_id != actor.user_id, _seen(actor))
        .order_by(_help.c.answered_at.is_not(None), _help.c.asked_at)
        .limit(limit)
    )
    return [Help(**row._mapping) for row in await session.execute(query)]


async def history(
    session: AsyncSession, actor: Actor, *, before: int | None = None, limit: int = 50
) -> list[Help]:
    """Help calls one may see, newest first, by keyset."""
    query = _rows().where(_seen(actor)).order_by(_help.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_help.c.id < before)
    return [Help(**row._mapping) for row in await session.execute(query)]


async def one(session: AsyncSession, actor: Actor, help_id: int) -> Help:
    """One help call. Raises `help_not_found` for one this person may not see."""
    row = (await session.execute(_rows().where(_help.c.id == help_id, _seen(actor)))).first()
    if row is None:
        raise HotlineError("help_not_found", help_id=help_id)
    return Help(**row._mapping)


async def steps(session: AsyncSession, help_ids: list[int]) -> dict[int, list[Step]]:
    """What was said, in order. The caller has checked that these may be seen."""
    found: dict[int, list[Step]] = {ident: [] for ident in help_ids}
    if not help_ids:
        return found
    query = (
        sa.select(_step, _speaker.c.name)
        .select_from(_step.outerjoin(_speaker, _speaker.c.id == _step.c.user_id))
        .where(_step.c.help_id.in_(help_ids))
        .order_by(_step.c.id)
    )
    for row in await session.execute(query):
        found[row.help_id].append(Step(row.at, row.kind, row.text, row.name, row.user_id))
    return found


# ---- writing --------------------------------------------------------------------------------


async def ask(uow: UnitOfWork, actor: Actor, text: str = "") -> int:
    """Ask for help; a second time is the same help call, with what was added. Raises `help_text`."""
    actor.require(Permission.CALL_TAKE)
    text = _checked(text, empty=True)
    values = {
        "user_id": actor.user_id,
        "extension": actor.extension,
        "call_session_id": await call_of(uow.session, actor),
        "asked_at": uow.now,
    }
    statement = (
        insert(_help)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["user_id"], index_where=sa.text("ended_at IS NULL"))
    )
    made = (await uow.session.execute(statement.returning(_help.c.id))).scalar_one_or_none()
    if made is not None:
        await _add(uow, made, actor, "asked", text)
        await uow.emit(HelpChanged(made, int(actor.user_id or 0), "asked"))
        return int(made)
    query = sa.select(_help.c.id).where(_help.c.user_id == actor.user_id, _help.c.ended_at.is_(None))
    open_id = (await uow.session.execute(query)).scalar_one_or_none()
    if open_id is None:  # it ended between the two questions
        raise HotlineError("help_over")
    if text:
        await say(uow, actor, open_id, text)
    return int(open_id)


async def say(uow: UnitOfWork, actor: Actor, help_id: int, text: str) -> None:
    """Add a line to an open help call. Raises `help_not_found`, `help_over`, `help_text`."""
    found = await _locked(uow, actor, help_id)
    await _add(uow, help_id, actor, "said", _checked(text))
    await uow.emit(HelpChanged(help_id, found.user_id, "said"))


async def answer(
    uow: UnitOfWork, actor: Actor, help_id: int, text: str = "", *, listening: bool = False
) -> None:
    """A leader takes it, with a message, by listening, or both; later answers of the same leader add to it.

    Raises `forbidden`, `help_not_found`, `help_over`, `help_taken` when a colleague was faster.
    """
    actor.require(Permission.FLOOR_LEAD)
    found = await _locked(uow, actor, help_id)
    text = _checked(text, empty=True)
    if found.user_id == actor.user_id:
        raise HotlineError("help_own")
    if found.answered_by not in (None, actor.user_id):
        raise HotlineError("help_taken", leader=found.leader)
    if found.answered_by is None:
        values = {"answered_at": uow.now, "answered_by": actor.user_id}
        await uow.session.execute(sa.update(_help).where(_help.c.id == help_id).values(**values))
    elif not (text or listening):
        return  # a double click
    await _add(uow, help_id, actor, "listened" if listening else "answered", text)
    await uow.emit(HelpChanged(help_id, found.user_id, "answered"))


async def end(uow: UnitOfWork, actor: Actor, help_id: int) -> None:
    """It is over: withdrawn by who asked before anybody came, else helped. Raises as `say`."""
    found = await _locked(uow, actor, help_id)
    own = found.user_id == actor.user_id
    if not own:
        actor.require(Permission.FLOOR_LEAD)
    if not own and found.answered_by is None:
        raise HotlineError("help_unanswered")
    await _end(uow, found.id, found.user_id, actor, "withdrawn" if found.answered_by is None else "helped")


class HelpWatch:
    """The leader's watch: what nobody answers is raised, what was forgotten is closed."""

    def __init__(self, db: Database, lease: Lease, seconds: int) -> None:
        self._db, self._lease, self._seconds = db, lease, seconds

    async def tick(self) -> None:
        """Raise and close what is due; nothing on a node that does not lead."""
        if not self._lease.is_leader:
            return
        async with self._db.read() as session:
            due = (await session.execute(self._due(self._db.clock.now()).limit(1))).first()
        if due is None:
            return
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await self.run(uow)

    def _due(self, now: datetime) -> sa.Select[Any]:
        waits = sa.and_(
            _help.c.answered_at.is_(None),
            _help.c.escalated_at.is_(None),
            _help.c.asked_at <= now - timedelta(seconds=self._seconds),
        )
        old = _help.c.asked_at <= now - FORGOTTEN
        return sa.select(_help.c.id, _help.c.user_id, old.label("old")).where(
            _help.c.ended_at.is_(None), sa.or_(waits, old)
        )

    async def run(self, uow: UnitOfWork) -> int:
        """The round within `uow`; returns how many were touched."""
        rows = (await uow.session.execute(self._due(uow.now).with_for_update())).all()
        for row in rows:
            if row.old:
                await _end(uow, row.id, row.user_id, None, "left")
                continue
            raised = sa.update(_help).where(_help.c.id == row.id).values(escalated_at=uow.now)
            await uow.session.execute(raised)
            await _add(uow, row.id, None, "escalated", "")
            await uow.emit(HelpChanged(row.id, row.user_id, "escalated"))
        return len(rows)


async def _locked(uow: UnitOfWork, actor: Actor, help_id: int) -> Help:
    lock = sa.select(_help.c.id).where(_help.c.id == help_id).with_for_update()
    await uow.session.execute(lock)
    found = await one(uow.session, actor, help_id)
    if found.ended_at is not None:
        raise HotlineError("help_over", help_id=help_id)
    return found


async def _end(uow: UnitOfWork, help_id: int, user_id: int, actor: Actor | None, how: str) -> None:
    values = {"ended_at": uow.now, "ended_as": how}
    await uow.session.execute(sa.update(_help).where(_help.c.id == help_id).values(**values))
    await _add(uow, help_id, actor, "ended", ENDS[how])
    await uow.emit(HelpChanged(help_id, user_id, "ended"))


async def _add(uow: UnitOfWork, help_id: int, actor: Actor | None, kind: str, text: str) -> None:
    values = {"help_id": help_id, "at": uow.now, "user_id": actor.user_id if actor else None}
    await uow.session.execute(sa.insert(_step).values(**values, kind=kind, text=text))


def _checked(text: str, *, empty: bool = False) -> str:
    text = " ".join(part for part in text.split() if part)
    if len(text) > MAX_TEXT or not (text or empty):
        raise HotlineError("help_text", most=MAX_TEXT)
    return text
