"""The same request sent twice (a double click, a lost response) is done once: how the second is known.

Every history row of a person's act keeps the fingerprint of what was told, beside the changes.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from tickets.inputs import ActionInput
from tickets.models import TicketHistory, table_of
from tickets.states import Action
from tickets.ticket_rows import TicketRow

_history = table_of(TicketHistory)


async def moved_before(
    session: AsyncSession, actor: Actor, row: TicketRow, version: int, action: Action, told: ActionInput
) -> bool:
    """Whether the last thing done to `row`, seen in `version`, was this very request."""
    if row.version != version + 1:
        return False
    return await _told(session, actor, row.id, action, told, _history.c.version == row.version)


async def added_before(
    session: AsyncSession,
    actor: Actor,
    row: TicketRow,
    version: int,
    action: Action,
    told: ActionInput,
    call_session_id: int | None = None,
) -> bool:
    """Whether this person added just this, in the same call or none, since he saw `version`.

    Others may have written in between: adding takes no turn. Another call is another addition.
    """
    if row.version == version:
        return False
    since = _history.c.version > version
    return await _told(session, actor, row.id, action, told, since, _in_call(call_session_id))


async def said(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    action: Action,
    told: ActionInput,
    call_session_id: int | None,
) -> bool:
    """Whether this person ever added just this in this call, or outside any."""
    return await _told(session, actor, ticket_id, action, told, _in_call(call_session_id))


def _in_call(call_session_id: int | None) -> sa.ColumnElement[bool]:
    return _history.c.call_session_id.is_not_distinct_from(call_session_id)


async def _told(
    session: AsyncSession, actor: Actor, ticket_id: int, action: Action, told: ActionInput, *where: Any
) -> bool:
    if actor.user_id is None:
        return False
    mine = (_history.c.actor_id == actor.user_id, _history.c.action == action.value)
    query = sa.select(_history.c.changes).where(_history.c.ticket_id == ticket_id, *mine, *where)
    found = (await session.execute(query)).scalars()
    return any(changes.get("told", {}).get("request") == told.fingerprint for changes in found)
