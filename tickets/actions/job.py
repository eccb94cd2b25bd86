"""One action at work: what it reads, and what it decides for the writer to write."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.settings import Settings
from core.writes import Among
from tickets.counting import Measures
from tickets.facts import Facts
from tickets.flow import TicketReply, TicketStage, TicketUnit
from tickets.inputs import ActionInput
from tickets.limits import Clock, Limits, Matter
from tickets.models import table_of
from tickets.search import index
from tickets.ticket_rows import TicketRow
from tickets.workflow import Action, Relation, Rule, Stage, State

# What stands still while a ticket is suspended.
STANDING = frozenset({Stage.TOTAL, Stage.CONTACT, Stage.CO_OPINION})
_stage = table_of(TicketStage)
_held = table_of(TicketUnit)
_reply = table_of(TicketReply)


@dataclass(frozen=True)
class Tools:
    """What the actions are given besides the transaction."""

    settings: Settings
    limits: Limits
    measures: Measures


@dataclass
class Job:
    """An allowed action on a locked ticket. An effect fills `target`, `values` and `facts_told`."""

    uow: UnitOfWork
    actor: Actor
    row: TicketRow
    relations: frozenset[Relation]
    facts: Facts
    action: Action
    rule: Rule
    data: ActionInput
    tools: Tools
    target: State
    values: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)  # goes into the history beside the changes
    reason_code: str | None = None
    call_session_id: int | None = None
    sent_to: int | None = None  # the unit that is to sign
    concerned: set[int] = field(default_factory=set)  # further units whose screens should know
    on_behalf_of: int | None = None
    contact_done: bool = False
    resumed: list[Any] = field(default_factory=list)  # rows of clocks that go on as they were broken off
    begins: list[tuple[Stage, int | None]] = field(default_factory=list)  # clocks beside the main stage
    ends: list[tuple[Stage, tuple[int, ...]]] = field(default_factory=list)  # those of these units
    _clocks: dict[Stage, Clock | None] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The instant of the transaction, UTC."""
        return self.uow.now

    @property
    def unit_id(self) -> int | None:
        """The unit that acts: for people of the hotline nobody's."""
        return None if self.relations <= {Relation.HOTLINE} else self.actor.unit_id

    def set(self, **values: Any) -> None:
        """Columns of the ticket to change."""
        self.values.update(values)

    @property
    def matter(self) -> Matter:
        """What limits may depend on, as it will be."""
        names = ("type", "urgency", "category_id", "round")
        return Matter(*(self.values.get(name, getattr(self.row, name)) for name in names))

    def due(self, stage: Stage) -> datetime | None:
        """When `stage` is due that starts now."""
        clock = self.clock(stage)
        return None if clock is None else clock.due

    def clock(self, stage: Stage) -> Clock | None:
        """The clock of `stage` that starts now; the citizen's is another one for redone work."""
        if stage not in self._clocks:
            matter = self.matter
            asked = Stage.REDO if stage is Stage.TOTAL and matter.round > 1 else stage
            self._clocks[stage] = self.tools.limits.clock(asked, matter, self.now)
        return self._clocks[stage]

    async def execute(self, statement: Any) -> Any:
        """Run a statement of this transaction."""
        return await self.uow.session.execute(statement)

    async def reply(self, handling: str, public_reply: str, **values: Any) -> int:
        """Append what was done and what the citizen is told; returns the id of the row."""
        statement = sa.insert(_reply).values(
            ticket_id=self.row.id,
            round=self.row.round,
            at=self.now,
            unit_id=self.unit_id,
            actor_id=self.actor.user_id,
            handling=handling,
            public_reply=public_reply,
            **values,
        )
        ident = int((await self.execute(statement.returning(_reply.c.id))).scalar_one())
        text = index.reply(self.row.id, self.row.created_at, ident, handling, public_reply)
        await index.put(self.uow, text)
        return ident

    async def open_stage(self, stage: Stage, due_at: datetime | None, unit_id: int | None) -> None:
        """Begin a clock now, due at `due_at` whatever its limit says."""
        clock = self.clock(stage)
        limit = clock.limit if clock else None
        alarm = clock.alarm if clock else None
        if clock is not None and due_at != clock.due:
            alarm = self.tools.limits.next_alarm(stage, limit, self.now, due_at, since=self.now).at
        if self.target is State.SUSPENDED and stage in STANDING:
            alarm = None
        values = {
            "ticket_id": self.row.id,
            "stage": stage.value,
            "round": self.values.get("round", self.row.round),
            "unit_id": unit_id,
            "started_at": self.now,
            "due_at": due_at,
            "limit": limit,
            "policy": clock.policy if clock else None,
            "alarm_at": alarm,
        }
        await self.uow.put(_stage, values)

    async def go_on_with(self, row: Any, unit_id: int | None, due_at: datetime | None) -> None:
        """Open a clock that was broken off, from its start, with what was promised and issued of it."""
        limits, stage = self.tools.limits, Stage(row.stage)
        alarm = limits.next_alarm(
            *(stage, row.limit, row.started_at, due_at),
            step=row.alarm_step,
            since=self.now if row.opens_round else None,
        )
        values = {name: getattr(row, name) for name in _GOING_ON} | {
            "unit_id": unit_id,
            "due_at": due_at,
            "alarm_at": alarm.at,
            "alarm_step": alarm.step,
        }
        await self.uow.put(_stage, values)

    async def end_stages(self, stages: Iterable[Stage] | None = None, units: tuple[int, ...] = ()) -> None:
        """End the clocks that run: all, or these, of these units."""
        running: dict[str, Any] = {"ticket_id": self.row.id, "ended_at": None}
        if stages is not None:
            running["stage"] = Among(tuple(sorted(stage.value for stage in stages)))
        if units:
            running["unit_id"] = Among(units)
        await self.uow.change(_stage, running, ended_at=self.now, ended_by=self.action.value)


_GOING_ON = ("ticket_id", "stage", "round", "started_at", "limit", "policy", "card_round")
Effect = Callable[[Job], Awaitable[None]]


def refuse(code: str, job: Job, **params: Any) -> HotlineError:
    """The error of an action that cannot be done."""
    return HotlineError(code, ticket_id=job.row.id, action=job.action.value, **params)
