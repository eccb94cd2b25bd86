"""A message left on the telephone becomes a ticket that waits to be accepted; an empty one, a call-back.

The call and what it left are written by telephony. In that very transaction a message of the outbox is
put down, so that neither a full disk of the PBX nor a defect here ever holds up the telephone; its handler
makes the ticket, whose key is the PBX's own id of the call. If that fails for good, the caller is called
back instead. A call that became a ticket is not called back as well.

A PBX that died while it recorded told that a message began and never how long it is: then its file decides.
"""

import asyncio
import logging
from typing import Any

import sqlalchemy as sa

from core import outbox
from core.clock import to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.notify.ports import DeliveryFailed
from core.outbox import OutboxMessage, OutboxWorker
from routing.intake import Intake
from routing.submissions import Submission, Submissions
from telephony.events import VoicemailLeft
from telephony.models import CallSession
from telephony.recordings import MESSAGE, Recordings
from telephony.waveforms import Waveform, Waveforms
from tickets.callbacks import CallbackService
from tickets.citizens import records as citizens
from tickets.models import table_of
from tickets.terms import Channel, Confidentiality

logger = logging.getLogger(__name__)
KIND = "voicemail"
QUIET = 1  # hundredths of the loudest possible: what never rises above is a line without a voice
_call = table_of(CallSession)
_COLUMNS = [
    _call.c[name]
    for name in (
        "id",
        "pbx",
        "session_key",
        "caller_ref",
        "voicemail",
        "voicemail_ms",
        "started_at",
        "ended_at",
    )
]


class Mailbox:
    """Hears of messages and makes tickets of them."""

    def __init__(
        self,
        db: Database,
        submissions: Submissions,
        intake: Intake,
        callbacks: CallbackService,
        recordings: Recordings,
        waveforms: Waveforms,
        least_seconds: int,
    ) -> None:
        self._db = db
        self._submissions = submissions
        self._intake = intake
        self._callbacks = callbacks
        self._recordings = recordings
        self._waveforms = waveforms
        self._least = least_seconds

    def wire(self, bus: EventBus, worker: OutboxWorker) -> None:
        """Listen to `bus`, send through `worker`."""
        bus.within(VoicemailLeft, self.on_left)
        worker.register(KIND, self.take_in, given_up=self.call_back)

    async def on_left(self, uow: UnitOfWork, event: VoicemailLeft) -> None:
        """A call that reached the mailbox is over."""
        payload = {"session_id": event.session_id}
        await outbox.enqueue(uow, kind=KIND, dedup=f"voicemail:{event.session_id}", payload=payload)

    async def take_in(self, message: OutboxMessage) -> None:
        """Make the ticket, or the call-back task; again, and at the same moment, it is the same one."""
        row = await self._row(message)
        seconds = await self._seconds(row)
        if seconds is None:
            await self.call_back(message)
            return

        async def work(uow: UnitOfWork) -> None:
            made = await self._submissions.submit(uow, _submission(row, seconds))
            if made.again:
                return
            if row.caller_ref is not None:
                await citizens.ensure(uow, row.caller_ref)
            await self._callbacks.close_for_message(uow, row.id)

        await self._db.retrying(work)

    async def call_back(self, message: OutboxMessage) -> None:
        """Nothing to listen to, or no ticket could be made: the number is called back."""
        row = await self._row(message)
        if row.caller_ref is None:
            return
        async with self._db.begin() as uow:
            await self._intake.missed(uow, row.id, row.caller_ref, row.ended_at or uow.now)

    async def _row(self, message: OutboxMessage) -> Any:
        query = sa.select(*_COLUMNS).where(_call.c.id == int(message.payload["session_id"]))
        async with self._db.read() as session:
            return (await session.execute(query)).one()

    async def _seconds(self, row: Any) -> float | None:
        """How long the message is; None when there is none.

        Long enough as the PBX says, or as its file is where it did not; and not silent, where we can look.
        """
        told = (row.voicemail_ms or 0) / 1000
        if 0 < told < self._least or not row.voicemail.startswith(MESSAGE):
            return None
        if not self._recordings.knows(row.pbx, message=True):
            return told or None
        try:
            shape = await self._waveforms.of(row.pbx, row.voicemail)
        except HotlineError:  # the folder does not show it: rather a ticket too many than one too few
            away = await asyncio.to_thread(self._recordings.out_of_reach, row.pbx, message=True)
            if away and not told:
                raise DeliveryFailed("recordings_away") from None  # it may be back when this is tried again
            if away or told:
                extra = {"pbx": row.pbx, "session": row.id}
                logger.warning("a message's file is not to be seen", extra=extra)
            return told or None
        seconds = told or shape.seconds
        return seconds if seconds >= self._least and _audible(shape) else None


def _audible(shape: Waveform) -> bool:
    """A file that is empty or nothing but a quiet line is no message; one we cannot look into may be."""
    if shape.state in ("empty", "broken"):
        return False
    return shape.state == "opaque" or max(shape.peaks, default=0) > QUIET


def _submission(row: Any, length: float) -> Submission:
    """What is known of a message of so many seconds before somebody has listened to it."""
    began = f"{to_city(row.started_at):%Y年%m月%d日%H:%M}"
    seconds = round(length)
    return Submission(
        channel=Channel.VOICEMAIL,
        key=f"{row.pbx}:{row.session_key}",
        title=f"语音留言（{began}，{seconds}秒）",
        narrative=f"市民于{began}来电，无人接听时留言{seconds}秒。请收听留言，核实诉求内容后补录并受理。",
        occurred_at=row.started_at,
        caller_ref=row.caller_ref,
        call_session_id=row.id,
        # Without a number nobody can be answered; his voice is kept from who handles it.
        confidentiality=Confidentiality.NORMAL if row.caller_ref is not None else Confidentiality.ANONYMOUS,
    )
