"""One action at work: what it reads, and what it decides for the writer to write."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.settings import Settings
from core.writes import Other
from tickets.facts import Facts
from tickets.flow import TicketReply, TicketStage, TicketUnit
from tickets.inputs import ActionInput
from tickets.limits import Limits, Matter
from tickets.models import table_of
from tickets.search import index
from tickets.ticket_rows import TicketRow
from tickets.workflow import Action, Relation, Rule, Stage, State

_stage = table_of(TicketStage)
_held = table_of(TicketUnit)
_reply = table_of(TicketReply)


@dataclass(frozen=True)
class Tools:
    """What the actions are given besides the transaction."""

    settings: Settings
    limits: Limits


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
    since: dict[Stage, datetime] = field(default_factory=dict)  # stages that go on from an earlier start

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
        """When `stage` is due that starts now, or that goes on."""
        return self.tools.limits.due(stage, self.matter, self.since.get(stage, self.now))

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
        """Begin a stage now, or go on with it."""
        values = {
            "ticket_id": self.row.id,
            "stage": stage.value,
            "round": self.values.get("round", self.row.round),
            "unit_id": unit_id,
            "started_at": self.since.get(stage, self.now),
            "due_at": due_at,
        }
        await self.uow.put(_stage, values)

    async def end_stages(self, stage: str | Other | None = None) -> None:
        """End the stages that run: all, this one, or all others."""
        running = {"ticket_id": self.row.id, "ended_at": None} | ({"stage": stage} if stage else {})
        await self.uow.change(_stage, running, ended_at=self.now, ended_by=self.action.value)


Effect = Callable[[Job], Awaitable[None]]


def refuse(code: str, job: Job, **params: Any) -> HotlineError:
    """The error of an action that cannot be done."""
    return HotlineError(code, ticket_id=job.row.id, action=job.action.value, **params)
