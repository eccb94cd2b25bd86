"""What was written in conversations does not stay for ever: the leader destroys what is past its time.

A legal hold on a ticket of the conversation, or on the record of the citizen who wrote, keeps the words. The
conversation itself stays, with the day on which its words went.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chats.models import ChatSession
from chats.service import ChatService
from core.catalog.models import LegalHold, RetentionSweep
from core.db import Database
from core.leadership import Lease
from routing.sound_retention import records_of
from tickets.models import TicketDraft, table_of

BATCH = 200
STEP = "conversations"
_chat = table_of(ChatSession)
_draft = table_of(TicketDraft)
_hold = table_of(LegalHold)
_sweep = table_of(RetentionSweep)


async def sweep(db: Database, lease: Lease, chats: ChatService, days: int) -> int:
    """Destroy the words of conversations that ended `days` ago; returns how many those were. 0: keep all."""
    gone, count = 0, BATCH
    while days and count == BATCH:
        async with db.begin() as uow:
            await lease.fence(uow)
            past = (
                sa.select(_chat.c.id)
                .where(_chat.c.ended_at < uow.now - timedelta(days=days), _chat.c.words_gone_at.is_(None))
                .where(~held())
                .order_by(_chat.c.ended_at)
                .limit(BATCH)
            )
            count = await chats.forget_words(uow, list((await uow.session.execute(past)).scalars()))
            values = {"at": uow.now, "gone": (gone := gone + count)}
            note = insert(_sweep).values(step=STEP, **values)
            await uow.session.execute(note.on_conflict_do_update(index_elements=["step"], set_=values))
    return gone


def held() -> sa.ColumnElement[bool]:
    """The condition on `chat_session` that a legal hold keeps its words."""
    of_chat = sa.select(_draft.c.ticket_id).where(_draft.c.chat_session_id == _chat.c.id).correlate(_chat)
    ticket = sa.and_(_hold.c.subject == "ticket", _hold.c.subject_id.in_(of_chat))
    writer = records_of(_chat.c.phone_ref).correlate(_chat)
    citizen = sa.and_(_hold.c.subject == "citizen", _hold.c.subject_id.in_(writer))
    return sa.exists().where(_hold.c.lifted_at.is_(None), sa.or_(ticket, citizen)).correlate(_chat)
