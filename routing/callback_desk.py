"""Calling back by a click: the task is taken, the call ordered, and its result noted by the call itself.

Tickets know the task, telephony the call; what one tells the other is wired here. Everything happens in
the transaction in which telephony writes what it saw, and once, whoever tells it first.
"""

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.people.actor import Actor
from telephony import dialling
from telephony.events import CallAnswered, CallEnded, DialFailed
from telephony.models import CallSession
from tickets.callbacks import CallbackService, Try
from tickets.citizens import records as citizens
from tickets.drafts import DraftService
from tickets.models import table_of
from tickets.terms import AttemptResult

OBJECT = "callback"
_call = table_of(CallSession)
# What a call that came to no talk says of the try; an unknown end is no try.
RESULTS = {
    "citizen_no_answer": AttemptResult.NO_ANSWER,
    "citizen_busy": AttemptResult.BUSY,
    "citizen_rejected": AttemptResult.REJECTED,
    "number_invalid": AttemptResult.INVALID_NUMBER,
    "trunk_down": AttemptResult.TRUNK_DOWN,
    "cancelled": AttemptResult.CANCELLED,
    "agent_no_answer": AttemptResult.AGENT_NO_ANSWER,
    "agent_busy": AttemptResult.AGENT_BUSY,
    "answered": AttemptResult.REACHED,
}


class CallbackDesk:
    """Orders calls about tasks and hears what became of them."""

    def __init__(self, callbacks: CallbackService, drafts: DraftService) -> None:
        self._callbacks = callbacks
        self._drafts = drafts

    def wire(self, bus: EventBus) -> None:
        """Listen to `bus`."""
        bus.within(CallAnswered, self.on_answered)
        bus.within(CallEnded, self.on_ended)
        bus.within(DialFailed, self.on_failed)

    async def dial(self, uow: UnitOfWork, actor: Actor, task_id: int) -> int:
        """Take the task and ring the actor's telephone, then the citizen's; returns the order's id.

        Raises what `CallbackService.claim_to_call` and `dialling.order` raise, and `caller_on_line` while
        the citizen himself is calling.
        """
        ref = await self._callbacks.claim_to_call(uow, actor, task_id)
        calling = sa.select(_call.c.id).where(
            _call.c.caller_ref == ref,
            _call.c.started_at > uow.now - dialling.LONGEST_TALK,
            _call.c.direction == "inbound",
            _call.c.ended_at.is_(None),
        )
        if (await uow.session.execute(calling.limit(1))).first() is not None:
            raise HotlineError("caller_on_line", task_id=task_id)
        return await dialling.order(uow, actor, number_ref=ref, object_type=OBJECT, object_id=task_id)

    async def on_answered(self, uow: UnitOfWork, event: CallAnswered) -> None:
        """The citizen answered: the task has its end, and the agent a draft for what he says."""
        if event.direction == "inbound":
            return
        order = await dialling.of_call(uow.session, event.session_id, OBJECT)
        if order is None:
            return
        reached = Try(order.object_id, order.user_id, order.id, AttemptResult.REACHED, event.session_id)
        await self._callbacks.note_try(uow, reached)
        await self._drafts.open_for_call(
            uow, event.session_id, event.user_id or order.user_id, event.caller_ref
        )
        if event.caller_ref is not None:
            await citizens.ensure(uow, event.caller_ref)

    async def on_ended(self, uow: UnitOfWork, event: CallEnded) -> None:
        """The call is over: what the try came to, unless the answer has told it already."""
        if event.direction == "inbound":
            return
        order = await dialling.of_call(uow.session, event.session_id, OBJECT)
        if order is not None:
            result = RESULTS.get(event.outcome, AttemptResult.NOT_DIALLED)
            told = Try(order.object_id, order.user_id, order.id, result, event.session_id)
            await self._callbacks.note_try(uow, told)

    async def on_failed(self, uow: UnitOfWork, event: DialFailed) -> None:
        """There was no call at all: the agent's telephone is not signed in, or the PBX is away."""
        if event.object_type != OBJECT:
            return
        gone = event.why == dialling.AGENT_GONE
        result = AttemptResult.AGENT_UNREACHABLE if gone else AttemptResult.NOT_DIALLED
        await self._callbacks.note_try(uow, Try(event.object_id, event.user_id, event.order_id, result))
