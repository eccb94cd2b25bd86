"""Recordings and messages do not stay for ever: the leader takes away what is past its time and is not held.

A legal hold on a ticket of the call, or on the record of the citizen who called, keeps the sound. The call
itself stays, with the day on which its recording went.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.catalog.models import LegalHold, RetentionSweep
from core.db import Database, UnitOfWork
from core.leadership import Lease
from telephony.models import CallSession
from telephony.recordings import Recordings
from tickets.citizens import records as citizens
from tickets.flow import TicketContact
from tickets.models import Ticket, TicketHistory, table_of

logger = logging.getLogger(__name__)
BATCH = 200
STEP = "recordings"
_call = table_of(CallSession)
_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_contact = table_of(TicketContact)
_hold = table_of(LegalHold)
_sweep = table_of(RetentionSweep)


class SoundRetention:
    """Sweeps the folders of the PBXs by `retention.recording_days`; 0 keeps everything."""

    def __init__(self, db: Database, lease: Lease, recordings: Recordings, days: int) -> None:
        self._db = db
        self._lease = lease
        self._recordings = recordings
        self._days = days

    async def sweep(self) -> int:
        """Take away what is past its time; returns how many recordings went.

        A folder that cannot be written costs a warning; its recordings are tried again the next night.
        """
        if not self._days:
            return 0
        gone, refused, after = 0, 0, 0
        while True:
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                rows = await self._past(uow, uow.now - timedelta(days=self._days), after)
            dropped = await asyncio.to_thread(
                self._drop, rows
            )  # no transaction waits for another machine's disk
            async with self._db.begin() as uow:
                await _note_gone(uow, dropped)
            gone, refused = gone + len(dropped), refused + len(rows) - len(dropped)
            if len(rows) < BATCH:
                break
            after = rows[-1].id
        if refused:
            logger.warning("recordings past their time could not be removed", extra={"count": refused})
        async with self._db.begin() as uow:
            values = {"at": uow.now, "gone": gone}
            note = insert(_sweep).values(step=STEP, **values)
            await uow.session.execute(note.on_conflict_do_update(index_elements=["step"], set_=values))
        return gone

    async def _past(self, uow: UnitOfWork, before: datetime, after: int) -> Sequence[Any]:
        query = (
            sa.select(_call.c.id, _call.c.pbx, _call.c.recording, _call.c.voicemail)
            .where(sa.or_(_call.c.recording.is_not(None), _call.c.voicemail.is_not(None)))
            .where(_call.c.recording_gone_at.is_(None))
            .where(_call.c.ended_at < before, _call.c.id > after, ~held())
            .order_by(_call.c.id)
            .limit(BATCH)
        )
        return (await uow.session.execute(query)).all()

    def _drop(self, rows: Sequence[Any]) -> list[int]:
        return [row.id for row in rows if self._gone(row)]

    def _gone(self, row: Any) -> bool:
        """Both the talk and the message; what a mailbox without sound left behind as well."""
        gone = [
            self._recordings.drop(row.pbx, name)
            for name in (row.recording, row.voicemail)
            if name is not None
        ]
        return all(gone)


async def _note_gone(uow: UnitOfWork, ids: Sequence[int]) -> None:
    if ids:
        gone = sa.update(_call).where(_call.c.id.in_(ids)).values(recording_gone_at=uow.now)
        await uow.session.execute(gone)


def held() -> sa.ColumnElement[bool]:
    """The condition on `call_session` that a legal hold keeps its recording."""
    of_call = (
        sa.select(_ticket.c.id).where(_ticket.c.call_session_id == _call.c.id),
        sa.select(_history.c.ticket_id).where(_history.c.call_session_id == _call.c.id),
        sa.select(_contact.c.ticket_id).where(_contact.c.call_session_id == _call.c.id),
    )
    of_caller = records_of(_call.c.caller_ref).correlate(_call)
    tickets = sa.and_(
        _hold.c.subject == "ticket",
        sa.or_(*(_hold.c.subject_id.in_(one.correlate(_call)) for one in of_call)),
    )
    caller = sa.and_(_hold.c.subject == "citizen", _hold.c.subject_id.in_(of_caller))
    return sa.exists().where(_hold.c.lifted_at.is_(None), sa.or_(tickets, caller)).correlate(_call)


def records_of(number: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The ids of the citizen records of a number, those merged with it as well; the caller correlates it."""
    own, head = citizens.citizen.alias("own"), citizens.citizen.alias("head")
    lead = sa.func.coalesce(own.c.merged_into_id, own.c.id)
    merged = sa.or_(head.c.id == lead, head.c.merged_into_id == lead)
    joined = citizens.phone.join(own, own.c.id == citizens.phone.c.citizen_id).join(head, merged)
    return sa.select(head.c.id).select_from(joined).where(citizens.phone.c.phone_ref == number)
