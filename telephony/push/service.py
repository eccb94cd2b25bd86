"""Writes what PBXs push: the facts of a call and its session, in the caller's transaction."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from core.metrics import CALLS
from core.tables import table_of
from telephony.push import course
from telephony.push.course import PushFacts
from telephony.push.models import PushCall
from telephony.push.terms import PushEvent
from telephony.store import CallStore

_call = table_of(PushCall)
KEPT = timedelta(days=7)  # a PBX that names another call alike after that begins a new one
PREFIX = "push:"  # no configured PBX can have a colon in its name


class PushCalls:
    """The calls of every PBX that pushes."""

    def __init__(self, store: Callable[[str], CallStore]) -> None:
        """`store` gives the writer of one PBX's calls."""
        self._store = store

    async def hear(self, uow: UnitOfWork, pbx: str, event: PushEvent) -> None:
        """Take an event down. The same event again changes nothing."""
        name, now = PREFIX + pbx, uow.now.timestamp()
        facts = await self._locked(uow, name, event.call_id)
        after = course.note(facts, event, now)
        key = (_call.c.pbx == name, _call.c.call_id == event.call_id)
        values = {"facts": after.as_json(), "heard_at": uow.now}
        await uow.session.execute(update(_call).where(*key).values(**values))
        if not after.begun and after.answered is None:
            return  # the end of a call nobody told of
        caller = course.caller_of(after, event)
        # The id may come again another day: the first instant makes it one of its own.
        session_key = f"{event.call_id}@{int(after.started)}"
        session = course.session_of(session_key, after, caller, now)
        written = await self._store(name).apply(uow, [session])
        for direction, outcome in written.ended:
            CALLS.labels(direction, outcome).inc()

    async def _locked(self, uow: UnitOfWork, pbx: str, call_id: str) -> PushFacts:
        """The facts of a call, locked until the end of the transaction; new ones for a call not heard of."""
        fresh = PushFacts(started=uow.now.timestamp())
        one = {"pbx": pbx, "call_id": call_id}
        statement = insert(_call).values(**one, facts=fresh.as_json(), heard_at=uow.now)
        await uow.session.execute(statement.on_conflict_do_nothing(index_elements=["pbx", "call_id"]))
        query = select(_call.c.facts).where(_call.c.pbx == pbx, _call.c.call_id == call_id)
        facts = PushFacts.of((await uow.session.execute(query.with_for_update())).scalar_one())
        old = uow.now.timestamp() - (facts.ended or facts.started)
        return fresh if facts.ended is not None and old > KEPT.total_seconds() else facts

    async def prune(self, uow: UnitOfWork) -> None:
        """Forget the facts of calls nobody spoke of for a week; their sessions stay."""
        await uow.session.execute(delete(_call).where(_call.c.heard_at < uow.now - KEPT))
