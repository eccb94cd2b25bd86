"""Counts from history: what the facts must be, and where those that are kept differ.

Used when tickets came that nobody counted (an upgrade, the demo city), by `measures verify`, and for any
period of the past. It reads `ticket_history`, `ticket_stage` and `intake_record`, which are never edited.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database, UnitOfWork
from core.leadership import Lease
from sla.measures import counters
from sla.measures.models import MeasureCount, MeasureDelta, MeasureFact
from sla.measures.replay import Fact, Key, apply, facts_of
from sla.measures.steps import Step, noted
from tickets.flow import TicketStage
from tickets.measures import Noted
from tickets.models import Category, IntakeRecord, Ticket, TicketHistory, table_of

_ticket, _history, _stage = table_of(Ticket), table_of(TicketHistory), table_of(TicketStage)
_record, _category = table_of(IntakeRecord), table_of(Category)
_fact, _delta, _count = table_of(MeasureFact), table_of(MeasureDelta), table_of(MeasureCount)
CHUNK = 200
_HISTORY = tuple(
    _history.c[name]
    for name in (
        "ticket_id",
        "version",
        "at",
        "action",
        "actor_id",
        "role",
        "from_state",
        "to_state",
        "changes",
    )
)
_STAGE = tuple(
    _stage.c[name] for name in ("ticket_id", "stage", "started_at", "due_at", "ended_at", "ended_by")
)
Facts = dict[Key, Fact]


class Difference(NamedTuple):
    """A fact that is kept otherwise than history tells it; None: it is not there."""

    record: bool
    ref_id: int
    key: Key
    kept: Fact | None
    told: Fact | None


async def from_history(session: AsyncSession, ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of these tickets as their history tells them."""
    if not ids:
        return {}
    rows, stages = defaultdict(list), defaultdict(list)
    history = sa.select(*_HISTORY).where(_history.c.ticket_id.in_(ids))
    for row in await session.execute(history.order_by(_history.c.id)):
        rows[row.ticket_id].append(row)
    for row in await session.execute(
        sa.select(*_STAGE).where(_stage.c.ticket_id.in_(ids)).order_by(_stage.c.id)
    ):
        stages[row.ticket_id].append(row)
    query = sa.select(_ticket.c.id, _ticket.c.district_id).where(_ticket.c.id.in_(ids))
    districts = {row.id: row.district_id for row in await session.execute(query)}
    first = await _first_levels(session)
    return {
        ident: _raised(facts_of(districts.get(ident), rows[ident], stages[ident]), first) for ident in ids
    }


async def of_records(session: AsyncSession, ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of these records."""
    first, found = await _first_levels(session), {}
    names = ("id", "created_at", "code", "type", "category_id")
    query = sa.select(*(_record.c[name] for name in names)).where(_record.c.id.in_(ids))
    for row in await session.execute(query):
        facts: Facts = {}
        apply(
            facts, noted(Noted(row.id, row.created_at, row.code, row.type, row.category_id)), left_out=False
        )
        found[row.id] = _raised(facts, first)
    return found


async def _first_levels(session: AsyncSession) -> dict[int, int]:
    query = sa.select(_category.c.id, _category.c.path)
    return {row.id: int(row.path.split(".")[1]) for row in await session.execute(query)}


def _raised(facts: Facts, first: Mapping[int, int]) -> Facts:
    """With categories of the first level, as facts are kept."""
    return {key: fact._replace(category_id=first.get(fact.category_id, 0)) for key, fact in facts.items()}


async def kept(session: AsyncSession, ids: Sequence[int], *, record: bool = False) -> dict[int, Facts]:
    """The facts that are kept of these tickets or records, with what waits to be folded."""
    found: dict[int, Facts] = {ident: {} for ident in ids}
    if not ids:
        return found
    mine = (_fact.c.ref_id.in_(ids), _fact.c.record.is_(record))
    for row in await session.execute(sa.select(_fact).where(*mine)):
        found[row.ref_id][row.code, row.seq] = _of(row)
    first = await _first_levels(session)
    waiting = sa.select(_delta).where(_delta.c.ref_id.in_(ids), _delta.c.record.is_(record))
    for row in await session.execute(waiting.order_by(_delta.c.id)):
        category = first.get(row.category_id, 0)
        step = Step(row.code, row.seq, row.n, row.day, row.unit_id, category, row.district_id, row.type)
        apply(found[row.ref_id], [step], left_out=row.left_out)
    return found


def _of(row: Any) -> Fact:
    return Fact(row.day, row.unit_id, row.category_id, row.district_id, row.type, row.left_out)


def differences(
    told: Mapping[int, Facts], present: Mapping[int, Facts], *, record: bool = False
) -> list[Difference]:
    """Where they are not the same."""
    return [
        Difference(record, ident, key, present[ident].get(key), facts.get(key))
        for ident, facts in told.items()
        for key in sorted({*facts, *present[ident]})
        if facts.get(key) != present[ident].get(key)
    ]


async def compare(session: AsyncSession, ids: Sequence[int], *, record: bool = False) -> list[Difference]:
    """What is kept of these tickets or records otherwise than it was."""
    told = await (of_records(session, ids) if record else from_history(session, ids))
    return differences(told, await kept(session, ids, record=record), record=record)


def sums(facts: Iterable[Facts], first: date, last: date) -> Counter[tuple[date, str, bool]]:
    """How many facts of each code there are on each day of a period: (day, code, shown apart) → n."""
    found: Counter[tuple[date, str, bool]] = Counter()
    for one in facts:
        for (code, _seq), fact in one.items():
            if first <= fact.day <= last:
                found[fact.day, code, fact.left_out] += 1
    return found


class Recount:
    """Counts, step by step, what nobody counted; done by the leader between its folds."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease

    async def run(self) -> bool:
        """One step; False when there is nothing left to count."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            return await step(uow)


async def step(uow: UnitOfWork) -> bool:
    """The next tickets, or then the next records; False when everything is counted."""
    row = (await uow.session.execute(sa.select(_count).with_for_update())).one()
    if row.upto is not None:
        await _chunk(uow, _ticket, "upto", row.upto, record=False)
        return True
    if row.records_upto is not None:
        await _chunk(uow, _record, "records_upto", row.records_upto, record=True)
        return True
    return False


async def _chunk(uow: UnitOfWork, table: sa.Table, name: str, upto: int, *, record: bool) -> None:
    """Locked, so that whoever moves one of them meanwhile has the last word."""
    query = sa.select(table.c.id).where(table.c.id > upto).order_by(table.c.id).limit(CHUNK)
    if not record:
        query = query.with_for_update(key_share=True)
    ids = list((await uow.session.execute(query)).scalars())
    for found in await compare(uow.session, ids, record=record):
        code, seq = found.key
        fact = found.told
        one = Step(code, seq, -1) if fact is None else Step(code, seq, 1, *fact[:-1])
        left_out = fact is not None and fact.left_out
        await counters.put(uow, found.ref_id, [one], left_out=left_out, record=record)
    await uow.session.execute(sa.update(_count).values({name: ids[-1] if len(ids) == CHUNK else None}))


async def start_over(uow: UnitOfWork) -> None:
    """Have everything counted anew; what is right stays untouched."""
    await uow.session.execute(sa.update(_count).values(upto=0, records_upto=0))
