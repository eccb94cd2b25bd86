"""Legs of a session → rows, and which telephones began or stopped to ring or joined the talk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, select, update

from core.db import UnitOfWork
from core.people.service import PeopleService
from telephony.calls import Leg, Session
from telephony.calls.counts import Agents
from telephony.calls.course import UNSEEN, Course
from telephony.events import CallJoined, CallRinging, CallRingStopped, LegMoved
from telephony.models import CallLeg

LEG: Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
Row = dict[str, Any]


def instant(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


def first_to_answer(session: Session) -> str | None:
    """The extension of the first agent who talked."""
    talked = [(leg.answered_at, leg.agent) for leg in session.legs if leg.answered_at is not None]
    talking = [leg.agent for leg in session.legs if leg.state == "talking"]
    return min(talked)[1] if talked else next(iter(talking), None)


@dataclass
class LegChanges:
    """What became different, and who the people are."""

    users: dict[str, int | None] = field(default_factory=dict)  # extension → user
    rings: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    before: Agents = field(default_factory=Agents)  # of all legs together
    after: Agents = field(default_factory=Agents)
    moved: list[LegMoved] = field(default_factory=list)

    def note(self, extension: str, user_id: int | None, old: Mapping[str, Any] | None, new: Row) -> None:
        """Compare one leg before and after."""
        self.before, self.after = _plus(self.before, old), _plus(self.after, new)
        self.users[extension] = user_id
        rang = old is not None and old["state"] == "ringing"
        if new["state"] == "ringing" and not rang:
            self.rings.append(extension)
        elif rang and new["state"] != "ringing":
            self.stops.append(extension)
        if new["answered_at"] is not None and (old is None or old["answered_at"] is None):
            self.joins.append(extension)

    async def tell_rings(self, uow: UnitOfWork, pbx: str, session: Row) -> None:
        """Emit the beginnings and ends of ringing."""
        queue = session["queues"][-1] if session["queues"] else None
        for extension in self.stops:
            user = self.users.get(extension)
            await uow.emit(CallRingStopped(session["id"], extension, user, session["version"]))
        for extension in self.rings:
            user, direction = self.users.get(extension), session["direction"]
            await uow.emit(
                CallRinging(session["id"], pbx, extension, user, queue, session["version"], direction)
            )

    async def tell_joins(self, uow: UnitOfWork, session: Row) -> None:
        """Emit that further agents talk; the talk of the first one is the answer itself."""
        for extension in self.joins:
            if extension != session["first_extension"]:
                user = self.users.get(extension)
                await uow.emit(CallJoined(session["id"], extension, user, session["version"]))


def _plus(sums: Agents, leg: Mapping[str, Any] | None) -> Agents:
    return sums if leg is None else sums.plus(leg["talk_seconds"], leg["hold_seconds"], leg["missed"])


async def write(
    uow: UnitOfWork, people: PeopleService, session: Session, row: Row, legs: Sequence[Row]
) -> LegChanges:
    """Bring the legs of session `row`, which are now `legs`, to what `session` says."""
    before = {leg["leg_key"]: leg for leg in legs}
    changes = LegChanges()
    for leg in session.legs:
        old = before.pop(leg.agent, None)
        values = _values(leg, old, over=row["ended_at"], partial=session.partial)
        if old is None:
            user_id = await people.user_for_extension(uow.session, leg.agent)
            known = {
                "session_id": row["id"],
                "leg_key": leg.agent,
                "extension": leg.agent,
                "user_id": user_id,
            }
            await uow.put(LEG, known | values)
        else:
            user_id = old["user_id"]
            await uow.change(LEG, {"id": old["id"]}, **values)
        changes.note(leg.agent, user_id, old, values)
        changes.moved.append(_moved(row, leg.agent, _course(leg), over=None))
    for old in before.values():
        if row["ended_at"] is not None and old["state"] != "ended":
            await _close(uow, row, old, changes)
        else:
            changes.note(old["extension"], old["user_id"], old, old)
    return changes


async def close_all(uow: UnitOfWork, row: Row) -> LegChanges:
    """End every open leg of a session that has ended."""
    changes = LegChanges()
    for old in (await stored(uow, [row["id"]])).get(row["id"], []):
        if old["state"] != "ended":
            await _close(uow, row, old, changes)
        else:
            changes.note(old["extension"], old["user_id"], old, old)
    return changes


async def stored(uow: UnitOfWork, sessions: Sequence[int]) -> dict[int, list[Row]]:
    """The legs of these sessions, in the order in which they rang."""
    found: dict[int, list[Row]] = {}
    if sessions:
        query = select(LEG).where(LEG.c.session_id.in_(sessions)).order_by(LEG.c.id)
        for leg in (await uow.session.execute(query)).mappings():
            found.setdefault(leg["session_id"], []).append(dict(leg))
    return found


def _values(leg: Leg, old: Row | None, *, over: datetime | None, partial: bool) -> Row:
    """The leg's new columns; seconds never shrink, beginnings never move.

    After a restart in mid-talk the events tell only of the rest of it (`partial`); the row knows when
    it began.
    """
    before = old or {"ring_seconds": 0.0, "talk_seconds": 0.0, "hold_seconds": 0.0, "missed": 0}
    ended = leg.state == "ended" or over is not None
    ended_at = (instant(leg.ended_at) or over or before.get("ended_at")) if ended else None
    talk = max(leg.talk_seconds, before["talk_seconds"])
    if partial and ended_at and old and old["state"] == "talking" and old["answered_at"]:
        talk = max(talk, (ended_at - old["answered_at"]).total_seconds())
    return {
        "state": "ended" if ended else leg.state,
        "ring_seconds": max(leg.ring_seconds, before["ring_seconds"]),
        "talk_seconds": talk,
        "hold_seconds": max(leg.hold_seconds, before["hold_seconds"]),
        "missed": max(leg.missed, before["missed"]),
        "ended_by": leg.ended_by if ended else None,
        "rang_at": instant(leg.rang_at) or before.get("rang_at"),
        "answered_at": before.get("answered_at") or instant(leg.answered_at),
        "ended_at": ended_at,
    }


async def _close(uow: UnitOfWork, row: Row, old: Row, changes: LegChanges) -> None:
    """End a leg whose end nobody saw; an open talk is taken to have lasted until the session's end."""
    at, talk = row["ended_at"], old["talk_seconds"]
    if old["answered_at"] is not None and old["state"] == "talking":
        talk = max(talk, (at - old["answered_at"]).total_seconds())
    values = {"state": "ended", "ended_at": at, "talk_seconds": talk}
    await uow.session.execute(update(LEG).where(LEG.c.id == old["id"]).values(**values))
    changes.note(old["extension"], old["user_id"], old, {**old, **values})
    changes.moved.append(_moved(row, old["extension"], None, over=at))


def _moved(row: Row, extension: str, course: Course | None, *, over: datetime | None) -> LegMoved:
    queue = row["queues"][-1] if row["queues"] else None
    return LegMoved(row["id"], row["version"], extension, row["direction"], queue, course, over)


def _course(leg: Leg) -> Course:
    """As events told it; of a leg that only queue_log knows, what it says."""
    if leg.course != UNSEEN or leg.answered_at is None:
        return leg.course
    return Course(talks=((leg.answered_at, leg.ended_at or leg.answered_at),), met=True)
