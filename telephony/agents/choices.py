"""What an agent may choose from: queues by the plan of the hotline, reasons and codes of the catalogue."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.catalog.models import CallQueue, CallQueueMember
from core.tables import table_of
from telephony.agents.machine import AT_PHONE, MISSED

QUEUE, MEMBER = table_of(CallQueue), table_of(CallQueueMember)
# Reasons nobody chooses: the machine gives them.
OWN_WORDS: Mapping[str, str] = {MISSED: "连续未接，自动示忙", AT_PHONE: "话机上示忙"}


async def queues_of(session: AsyncSession, user_id: int) -> list[tuple[str, str]]:
    """Name and label of the queues this person may take, as the hotline's plan has it."""
    return [(row.name, row.label) for row in await _places(session, user_id)]


async def penalties(session: AsyncSession, users: Sequence[int]) -> dict[tuple[int, str], int]:
    """By person and queue: a lower penalty is called first."""
    query = select(MEMBER.c.user_id, QUEUE.c.name, MEMBER.c.penalty)
    query = query.join(QUEUE, QUEUE.c.id == MEMBER.c.queue_id).where(MEMBER.c.user_id.in_(users))
    return {(row.user_id, row.name): row.penalty for row in await session.execute(query)}


async def reason_words(session: AsyncSession) -> dict[str, str]:
    """The word for each reason of not being ready, closed ones and the machine's own too."""
    return {**OWN_WORDS, **await reasons.words(session, "not_ready")}


async def reason_for(session: AsyncSession, told: str) -> str:
    """The code for what the PBX says a pause is for: a code or its word; anything else is `phone`."""
    wanted = told.strip().lower()
    for code, label in await reasons.choices(session, "not_ready"):
        if wanted in (code.lower(), label.lower()):
            return code
    return MISSED if wanted == "auto-pause" else AT_PHONE


async def _places(session: AsyncSession, user_id: int) -> Sequence[Row[tuple[str, str]]]:
    query = (
        select(QUEUE.c.name, QUEUE.c.label)
        .join(MEMBER, MEMBER.c.queue_id == QUEUE.c.id)
        .where(MEMBER.c.user_id == user_id, QUEUE.c.active, QUEUE.c.kind == "queue")
        .order_by(QUEUE.c.sort, QUEUE.c.id)
    )
    return (await session.execute(query)).all()
