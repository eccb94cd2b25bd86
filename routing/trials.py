"""A changed rule set tried on the tickets of the last month before it goes live, in batches, restartable.

A trial is a row: how far it is and what came out so far. The leader walks the tickets newest last by
keyset and decides each by the live rules and by the tried ones; a restart goes on behind the last batch.
The live rules are tried by themselves once a night, so that rules which never match or fail are known.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from routing import rule_service
from routing.known import knowledge
from routing.matter import Matter, UnitInfo
from routing.models import RuleTrial
from routing.rules import Decision, Outcome
from routing.suggest import Knowledge, Suggestion, suggest
from tickets.models import Ticket, table_of

logger = logging.getLogger(__name__)
DAYS = 30
BATCH = 200  # tickets of a transaction
AT_ONCE = 10  # of them without a rest; a few milliseconds of computing
SAMPLES = 100
_trial, _ticket, _user = table_of(RuleTrial), table_of(Ticket), table_of(User)
_READ = (
    *("id", "created_at", "title", "narrative", "category_id", "district_id", "street_id"),
    *("subject_name", "type", "urgency", "channel", "lead_unit_id"),
)


@dataclass(frozen=True)
class Trial:
    """How far a trial is and what came out; see `Result` for `result`."""

    id: int
    rule_set_id: int
    edits: int
    state: str
    first_at: datetime
    last_at: datetime
    total: int
    seen: int
    result: dict[str, Any]
    asked_by: str | None
    asked_at: datetime
    ended_at: datetime | None

    @property
    def percent(self) -> int:
        """0 … 100; a hundred only when it is over."""
        return 100 if self.state == "done" else min(99, 100 * self.seen // max(1, self.total))


@dataclass
class Result:
    """What came out so far, as it is kept (JSON).

    `rules`: code → how often its conditions held and it fired, was behind, or failed, with the first
    reason of a failure.
    `load`: unit's id → tickets it would get by the live rules, by the tried ones, and really got.
    `changed`: tickets that would go elsewhere; `samples` names some of them.
    """

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    load: dict[str, list[int]] = field(default_factory=dict)
    changed: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    def count(self, decision: Decision) -> None:
        """What each rule came to on one ticket."""
        for looked in decision.looked:
            told = self.rules.setdefault(looked.rule.code, {"fired": 0, "behind": 0, "failed": 0, "why": ""})
            if not looked.holds:
                continue
            told[looked.outcome.value] += 1
            if looked.outcome is Outcome.FAILED and not told["why"]:
                told["why"] = looked.why

    def compare(self, ticket_id: int, before: UnitInfo | None, after: UnitInfo | None, sent: Any) -> None:
        """Where one ticket would go by both."""
        for place, unit_id in enumerate((before and before.id, after and after.id, sent)):
            if unit_id is not None:
                self.load.setdefault(str(unit_id), [0, 0, 0])[place] += 1
        if before != after:
            self.changed += 1
            if len(self.samples) < SAMPLES:
                told = {"ticket_id": ticket_id, "before": before and before.id, "after": after and after.id}
                self.samples.append(told)


async def order(uow: UnitOfWork, actor: Actor | None, rule_set_id: int) -> int:
    """Have a version tried on the last thirty days; the trial that already runs for it, if there is one.

    `actor` None: the nightly check of the live version. Raises `forbidden`, `rules_missing`.
    """
    if actor is not None:
        actor.require(Permission.ROUTING_EDIT)
    tried = await rule_service.version(uow.session, rule_set_id)
    same = (_trial.c.rule_set_id == rule_set_id, _trial.c.edits == tried.edits, _trial.c.state == "running")
    running = (await uow.session.execute(sa.select(_trial.c.id).where(*same))).scalar()
    if running is not None:
        return int(running)
    first, last = uow.now - timedelta(days=DAYS), uow.now
    span = (_ticket.c.created_at >= first, _ticket.c.created_at < last)
    total = (await uow.session.execute(sa.select(sa.func.count()).select_from(_ticket).where(*span))).scalar()
    values = {
        "rule_set_id": rule_set_id,
        "edits": tried.edits,
        "state": "running",
        "first_at": first,
        "last_at": last,
        "cursor_at": first,
        "cursor_id": 0,
        "total": total,
        "seen": 0,
        "result": vars(Result()),
        "asked_by": actor.user_id if actor else None,
        "asked_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_trial).values(**values).returning(_trial.c.id))
    return int(made.scalar_one())


def _query() -> sa.Select[Any]:
    names = [name for name in Trial.__dataclass_fields__ if name != "asked_by"]
    columns = (_trial.c[name] for name in names)
    joined = sa.select(*columns, _user.c.name.label("asked_by"))
    return joined.outerjoin(_user, _user.c.id == _trial.c.asked_by)


async def latest(session: AsyncSession, rule_set_id: int, edits: int | None = None) -> Trial | None:
    """The latest trial of a version, in a certain state of its edits if wanted."""
    query = _query().where(_trial.c.rule_set_id == rule_set_id)
    if edits is not None:
        query = query.where(_trial.c.edits == edits)
    row = (await session.execute(query.order_by(_trial.c.id.desc()).limit(1))).first()
    return Trial(**row._mapping) if row else None


async def one(session: AsyncSession, trial_id: int) -> Trial:
    """A trial. Raises `trial_missing`."""
    row = (await session.execute(_query().where(_trial.c.id == trial_id))).first()
    if row is None:
        raise HotlineError("trial_missing", trial_id=trial_id)
    return Trial(**row._mapping)


class Trials:
    """The leader's work on trials."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease

    async def run(self) -> None:
        """Carry the oldest running trial to its end, a batch per transaction."""
        going_on = True
        while going_on:
            going_on = await self._step()

    async def nightly(self) -> None:
        """Have the live rules tried, to know which never match and which fail."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            live = await rule_service.in_state(uow.session, "live")
            if live is not None:
                await order(uow, None, live.id)

    async def _step(self) -> bool:
        """One batch; False when nothing runs."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            query = sa.select(_trial).where(_trial.c.state == "running").order_by(_trial.c.id).limit(1)
            trial = (await uow.session.execute(query.with_for_update())).first()
            if trial is None:
                return False
            try:
                async with uow.savepoint():
                    await advance(uow, trial)
            except HotlineError as error:
                logger.warning("trial failed", extra={"trial": trial.id, "code": error.code})
                values = {"state": "failed", "ended_at": uow.now}
                await uow.session.execute(sa.update(_trial).where(_trial.c.id == trial.id).values(**values))
            return True


async def advance(uow: UnitOfWork, trial: Any) -> None:
    """Decide one batch of tickets by both rule sets and keep what came out."""
    tried = await rule_service.version(uow.session, trial.rule_set_id)
    counts = await rule_service.in_state(uow.session, "live")  # now, not as of a second ago
    present = counts.rules if counts else ()
    live = await knowledge(uow.session, trial.last_at, rules=present)
    other = await knowledge(uow.session, trial.last_at, rules=tried.rules, number=tried.number)
    columns = (_ticket.c[name] for name in _READ)
    behind = sa.tuple_(_ticket.c.created_at, _ticket.c.id) > sa.tuple_(
        sa.literal(trial.cursor_at), sa.literal(trial.cursor_id)
    )
    span = (_ticket.c.created_at >= trial.first_at, _ticket.c.created_at < trial.last_at, behind)
    query = sa.select(*columns).where(*span).order_by(_ticket.c.created_at, _ticket.c.id).limit(BATCH)
    rows = (await uow.session.execute(query)).all()
    result = Result(**trial.result)
    for place, row in enumerate(rows):
        _try(result, live, other, row)
        if place % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)  # nobody at a screen waits for a whole batch
    values: dict[str, Any] = {"seen": trial.seen + len(rows), "result": vars(result)}
    if rows:
        values |= {"cursor_at": rows[-1].created_at, "cursor_id": rows[-1].id}
    if len(rows) < BATCH:
        values |= {"state": "done", "ended_at": uow.now, "total": trial.seen + len(rows)}
    await uow.session.execute(sa.update(_trial).where(_trial.c.id == trial.id).values(**values))


def _try(result: Result, live: Knowledge, other: Knowledge, row: Any) -> None:
    matter = Matter(
        row.title,
        row.narrative,
        live.directory.chains.get(row.category_id, ()),
        live.directory.areas_of(row.district_id, row.street_id),
        row.subject_name,
        row.type,
        row.urgency,
        row.channel,
    )
    before, after = suggest(live, matter), suggest(other, matter)
    result.count(after.decision)
    result.compare(row.id, _first(before), _first(after), row.lead_unit_id)


def _first(found: Suggestion) -> UnitInfo | None:
    return found.candidates[0].unit if found.candidates else None


@dataclass(frozen=True)
class LoadLine:
    """A department's load by both rule sets, and what it really got."""

    unit_id: int
    before: int
    after: int
    sent: int

    @property
    def difference(self) -> int:
        return self.after - self.before


def load_lines(result: Mapping[str, Any]) -> list[LoadLine]:
    """The departments whose load changes first, by how much; then the rest by what they get."""
    lines = [LoadLine(int(ident), *counts) for ident, counts in result["load"].items()]
    return sorted(lines, key=lambda line: (-abs(line.difference), -line.after, line.unit_id))


def silent(result: Mapping[str, Any], codes: Iterable[str]) -> list[str]:
    """The rules that held for no ticket of the month."""
    told = Counter({code: counts["fired"] + counts["behind"] for code, counts in result["rules"].items()})
    return [code for code in codes if not told[code]]
