"""Which article in which edition was answered by: kept with the draft or the ticket, counted once each."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from tickets import draft_rows
from tickets.knowledge.models import KnowledgeArticle, KnowledgeEdition, KnowledgeUse
from tickets.knowledge.visibility import in_force, published
from tickets.models import Ticket, TicketDraft, table_of
from tickets.visibility import visible_tickets

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_use = table_of(KnowledgeUse)
_draft = table_of(TicketDraft)
_ticket = table_of(Ticket)
_user = table_of(User)


@dataclass(frozen=True)
class Used:
    """An article that was answered by, as the page of a ticket shows it."""

    article_id: int
    edition: int
    question: str
    user: str | None
    at: datetime


async def in_draft(uow: UnitOfWork, actor: Actor, draft_id: int, article_id: int) -> int:
    """The agent answers by an article in a draft of his; returns the edition that is kept with it.

    Raises `draft_not_found`, `draft_not_yours`, `draft_already_ended`, `knowledge_not_found`.
    """
    actor.require(Permission.DRAFT_WRITE)
    row = await draft_rows.lock(uow, actor, draft_id)
    await draft_rows.check_open(uow, row)
    draft_rows.check_owner(actor, row)
    return await _keep(uow, actor, article_id, draft_id=draft_id)


async def on_ticket(uow: UnitOfWork, actor: Actor, ticket_id: int, article_id: int) -> int:
    """A unit answers by an article on a ticket it sees; returns the edition that is kept with it.

    Raises `ticket_not_found`, `forbidden`, `knowledge_not_found`.
    """
    actor.require(Permission.TICKET_NOTE)
    await _check_seen(uow.session, actor, ticket_id)
    return await _keep(uow, actor, article_id, ticket_id=ticket_id)


async def _check_seen(session: AsyncSession, actor: Actor, ticket_id: int) -> None:
    query = sa.select(_ticket.c.id).where(_ticket.c.id == ticket_id, visible_tickets(actor))
    if (await session.execute(query)).first() is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)


async def _keep(uow: UnitOfWork, actor: Actor, article_id: int, **place: int) -> int:
    day = to_city(uow.now).date()
    query = sa.select(_article.c.live).where(_article.c.id == article_id, published(actor), in_force(day))
    edition = (await uow.session.execute(query)).scalar_one_or_none()
    if edition is None:
        raise HotlineError("knowledge_not_found", article_id=article_id)
    values = {"article_id": article_id, "edition": edition, "user_id": actor.user_id, "at": uow.now}
    made = insert(_use).values(**values, **place).on_conflict_do_nothing().returning(_use.c.id)
    if (await uow.session.execute(made)).first() is not None:
        counted = sa.update(_article).where(_article.c.id == article_id)
        await uow.session.execute(counted.values(uses=_article.c.uses + 1))
    return int(edition)


async def of_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> list[Used]:
    """What a ticket was answered by: on the ticket, and in the draft it came from.

    Raises `ticket_not_found`.
    """
    await _check_seen(session, actor, ticket_id)
    drafts = sa.select(_draft.c.id).where(_draft.c.ticket_id == ticket_id)
    query = (
        sa.select(
            _use.c.article_id,
            _use.c.edition,
            _edition.c.question,
            _user.c.name.label("user"),
            _use.c.at,
        )
        .join(
            _edition,
            sa.and_(_edition.c.article_id == _use.c.article_id, _edition.c.number == _use.c.edition),
        )
        .outerjoin(_user, _user.c.id == _use.c.user_id)
        .where(sa.or_(_use.c.ticket_id == ticket_id, _use.c.draft_id.in_(drafts)))
        .order_by(_use.c.id)
        .limit(20)
    )
    return [Used(**row._mapping) for row in await session.execute(query)]
