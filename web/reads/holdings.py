"""What work lies with a person: said before an account is closed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.people.models import Delegation
from tickets.models import CallbackTask, TicketDraft


@dataclass(frozen=True)
class Holdings:
    """Open drafts, claimed call-backs and delegations not yet over."""

    drafts: int
    callbacks: int
    delegations: int


async def holdings(session: AsyncSession, user_id: int) -> Holdings:
    """What lies with a user now."""
    drafts = select(func.count()).where(
        col(TicketDraft.owner_id) == user_id, col(TicketDraft.ended_at).is_(None)
    )
    callbacks = select(func.count()).where(
        col(CallbackTask.claimed_by) == user_id, col(CallbackTask.closed_at).is_(None)
    )
    delegations = select(func.count()).where(
        (col(Delegation.principal_id) == user_id) | (col(Delegation.deputy_id) == user_id),
        col(Delegation.ended_at).is_(None),
        col(Delegation.ends_at) > func.now(),
    )
    counts = [int((await session.execute(query)).scalar_one()) for query in (drafts, callbacks, delegations)]
    return Holdings(*counts)


def sentences(held: Holdings, stale_minutes: int) -> list[str]:
    """What happens to it when the account is closed."""
    found = []
    if held.drafts:
        found.append(
            f"名下有 {held.drafts} 份未办结的草稿：草稿不会丢失，未满 {stale_minutes} 分钟的到时进入"
            "“超时草稿”，由班长接管并继续办理。"
        )
    if held.callbacks:
        found.append(f"已认领 {held.callbacks} 个漏接回拨：任务保留，由班长在“漏接回拨”放回后他人可认领。")
    if held.delegations:
        found.append(f"有 {held.delegations} 项代理：停用期间代理不生效，启用后在原期限内恢复。")
    return found
