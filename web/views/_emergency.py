"""What is read out to 110, 119, 120 or 122: what the agent has written down of the call so far."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.privacy import Vault
from tickets import queries
from tickets.models import TicketDraft, table_of
from web.views._forms import to_fields

_draft = table_of(TicketDraft)
LINES = (
    ("title", "事由"),
    ("address", "地点"),
    ("occurred_at", "时间"),
    ("narrative", "经过"),
    ("citizen_name", "报警人"),
)


async def summary(
    session: AsyncSession, actor: Actor, vault: Vault, session_id: int
) -> list[tuple[str, str]]:
    """Heading and text of what is filled in; empty when nothing was written yet, or it is not one's own."""
    query = sa.select(_draft.c.id).where(
        _draft.c.call_session_id == session_id,
        _draft.c.ended_as.is_(None),
        _draft.c.owner_id == actor.user_id,
    )
    draft_id = (await session.execute(query)).scalars().first()
    if draft_id is None:
        return []
    found = await queries.draft_form(session, actor, vault, draft_id)
    values = to_fields(found.form)
    number = [("来电", found.draft.caller)] if found.draft.caller else []
    texts = [(word, str(values.get(name) or "").strip()) for name, word in LINES]
    return number + [(word, text) for word, text in texts if text]
