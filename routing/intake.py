"""From a call to the ticket room: drafts of answered calls, call-back tasks of abandoned ones.

The handlers run inside the transaction in which telephony stores the call: an answered call cannot
exist without its draft, nor an abandoned one without its task; only a number on the list of harassment,
and who left a message (`routing.mailbox`), is not called back. They are idempotent, since a call may
be told again after a reconnect.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import metrics
from core.db import UnitOfWork
from core.events import EventBus
from core.people.actor import Actor
from telephony.controls import lists
from telephony.events import CallAbandoned, CallAnswered, CallEnded, CallJoined
from telephony.models import CallLeg, CallSession
from tickets.callback_due import is_night
from tickets.callbacks import CallbackService
from tickets.citizens import records as citizens
from tickets.drafts import DraftService
from tickets.events import TicketCreated
from tickets.models import TicketDraft, table_of

_session = table_of(CallSession)
_leg = table_of(CallLeg)
_draft = table_of(TicketDraft)
# Waited in vain without hanging up; who is sent to the mailbox by it may leave a message there instead.
LEFT_ALONE = frozenset({"timeout", "empty", "withdrawn", "exit_key"})


class Intake:
    """Wires what telephony tells to what the ticket room keeps."""

    def __init__(self, drafts: DraftService, callbacks: CallbackService) -> None:
        self._drafts = drafts
        self._callbacks = callbacks

    def wire(self, bus: EventBus) -> None:
        """Listen to `bus`."""
        bus.within(CallAnswered, self.on_answered)
        bus.within(CallJoined, self.on_joined)
        bus.within(CallAbandoned, self.on_abandoned)
        bus.within(CallEnded, self.on_ended)
        bus.after(TicketCreated, self.count_ticket)

    async def on_answered(self, uow: UnitOfWork, event: CallAnswered) -> None:
        """A citizen talks with an agent: open the draft, and let the open call-back rest."""
        if event.direction != "inbound":
            return
        await self._drafts.open_for_call(uow, event.session_id, event.user_id, event.caller_ref)
        if event.caller_ref is not None:
            await citizens.ensure(uow, event.caller_ref)
            await self._callbacks.close_for_answered(uow, event.caller_ref, event.session_id)

    async def on_joined(self, uow: UnitOfWork, event: CallJoined) -> None:
        """The call was passed on: an unwritten draft goes along once its owner has left the call."""
        query = sa.select(_session.c.direction, _session.c.caller_ref, _draft.c.owner_id).join(
            _draft, _draft.c.call_session_id == _session.c.id
        )
        row = (await uow.session.execute(query.where(_session.c.id == event.session_id))).first()
        if row is None or row.direction != "inbound":
            return
        if row.owner_id is None or not await _still_talks(uow.session, event.session_id, row.owner_id):
            await self._drafts.open_for_call(uow, event.session_id, event.user_id, row.caller_ref)

    async def on_abandoned(self, uow: UnitOfWork, event: CallAbandoned) -> None:
        """The citizen gave up waiting: a task to call back, closed at once if he got through since."""
        if event.caller_ref is None:
            return
        query = sa.select(_session.c.ended_at).where(_session.c.id == event.session_id)
        ended = (await uow.session.execute(query)).scalar_one_or_none()
        await self.missed(uow, event.session_id, event.caller_ref, ended or uow.now)

    async def on_ended(self, uow: UnitOfWork, event: CallEnded) -> None:
        """Nobody answered although the citizen did not give up, or called at night before any queue."""
        if event.direction != "inbound" or event.outcome not in LEFT_ALONE | {"ivr_ended"}:
            return
        names = ("caller_ref", "ended_at", "started_at", "voicemail")
        query = sa.select(*(_session.c[name] for name in names))
        row = (await uow.session.execute(query.where(_session.c.id == event.session_id))).first()
        if row is None or row.caller_ref is None or row.voicemail is not None:  # what was left there decides
            return
        if event.outcome == "ivr_ended" and not is_night(row.started_at, self._callbacks.hours):
            return  # left during the greeting of the day: a wrong number, or a second thought
        await self.missed(uow, event.session_id, row.caller_ref, row.ended_at or uow.now)

    async def missed(self, uow: UnitOfWork, session_id: int, caller_ref: int, missed_at: datetime) -> None:
        """A call that nobody took is called back, unless we sent it away or the caller got through since."""
        if "harassment" in await lists.listed(uow.session, caller_ref, uow.now):
            return  # sent away by us, or gone before we could
        await self._callbacks.open_for_abandoned(uow, session_id, caller_ref, missed_at)
        # A gap in what the PBX told is filled later: the abandon may be older than a call that came through.
        since = sa.select(_session.c.id).where(
            _session.c.caller_ref == caller_ref,
            _session.c.direction == "inbound",
            _session.c.answered_at > missed_at,
        )
        answered = (await uow.session.execute(since.order_by(_session.c.id).limit(1))).scalar_one_or_none()
        if answered is not None:
            await self._callbacks.close_for_answered(uow, caller_ref, answered)

    async def count_ticket(self, event: TicketCreated) -> None:
        """The counter Prometheus reads."""
        metrics.TICKETS.labels(event.channel).inc()

    async def take_over_passed_call(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, reason: str
    ) -> int:
        """Let the agent to whom a call was passed take its draft; returns the new version.

        Others than the call's own agents and the shift leader get `draft_not_found` or `draft_not_yours`.
        """
        talked = await has_talked(uow.session, actor, draft_id)
        return await self._drafts.take_over(uow, actor, draft_id, version, reason, on_call=talked)


async def has_talked(session: AsyncSession, actor: Actor, draft_id: int) -> bool:
    """Whether this person talked with the citizen of the draft's call."""
    query = (
        sa.select(_leg.c.id)
        .join(_draft, _draft.c.call_session_id == _leg.c.session_id)
        .where(_draft.c.id == draft_id, _leg.c.user_id == actor.user_id, _leg.c.answered_at.is_not(None))
        .limit(1)
    )
    return (await session.execute(query)).first() is not None


async def _still_talks(session: AsyncSession, session_id: int, user_id: int) -> bool:
    query = sa.select(_leg.c.id).where(
        _leg.c.session_id == session_id,
        _leg.c.user_id == user_id,
        _leg.c.answered_at.is_not(None),
        _leg.c.ended_at.is_(None),
    )
    return (await session.execute(query.limit(1))).first() is not None
