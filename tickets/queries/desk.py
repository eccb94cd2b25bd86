"""What lies on the agents' desks: drafts, the category tree."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue, Vault
from tickets import draft_rows
from tickets.forms import unpack_draft
from tickets.models import Category, Ticket, TicketDraft, table_of
from tickets.visibility import visible_drafts

_category = table_of(Category)
_draft = table_of(TicketDraft)
_ticket = table_of(Ticket)
_user = table_of(User)
_value = table_of(PersonalValue)


@dataclass(frozen=True)
class CategoryItem:
    """A node of the tree; `initials` are those of the pinyin of its name."""

    id: int
    parent_id: int | None
    level: int
    code: str
    name: str
    full_name: str
    initials: str
    path: str


async def categories(session: AsyncSession) -> list[CategoryItem]:
    """The whole active tree, parents before children, in the order they are shown."""
    columns = [_category.c[name] for name in CategoryItem.__dataclass_fields__]
    query = sa.select(*columns).where(_category.c.active)
    query = query.order_by(_category.c.level, _category.c.sort, _category.c.id)
    return [CategoryItem(**row._mapping) for row in await session.execute(query)]


@dataclass(frozen=True)
class DraftItem:
    """A draft as a tab or a line: whose it is and whose call it was (masked), not what it says."""

    id: int
    version: int
    owner_id: int | None
    owner: str | None
    call_session_id: int | None
    chat_session_id: int | None
    caller_ref: int | None
    caller: str | None
    written: bool
    opened_at: datetime
    saved_at: datetime


@dataclass(frozen=True)
class DraftPage:
    """A draft with what was typed into it, in the clear: for its writer and the shift leader."""

    draft: DraftItem
    form: dict[str, Any]
    ended_as: str | None
    ended_code: str | None
    ticket_id: int | None
    number: str | None


def _draft_query(actor: Actor) -> sa.Select[Any]:
    return (
        sa.select(
            _draft.c.id,
            _draft.c.version,
            _draft.c.owner_id,
            _user.c.name.label("owner"),
            _draft.c.call_session_id,
            _draft.c.chat_session_id,
            _draft.c.caller_ref,
            _value.c.masked.label("caller"),
            _draft.c.form_sealed.is_not(None).label("written"),
            _draft.c.opened_at,
            _draft.c.saved_at,
        )
        .select_from(_draft)
        .outerjoin(_user, _user.c.id == _draft.c.owner_id)
        .outerjoin(_value, _value.c.id == _draft.c.caller_ref)
        .where(visible_drafts(actor))
    )


async def my_drafts(session: AsyncSession, actor: Actor) -> list[DraftItem]:
    """This person's open drafts, oldest first."""
    query = _draft_query(actor).where(_draft.c.owner_id == actor.user_id, _draft.c.ended_at.is_(None))
    rows = await session.execute(query.order_by(_draft.c.opened_at, _draft.c.id))
    return [DraftItem(**row._mapping) for row in rows]


async def stale_drafts(session: AsyncSession, actor: Actor, before: datetime) -> list[DraftItem]:
    """Open drafts that were opened before `before`, oldest first: the shift leader's list."""
    query = _draft_query(actor).where(_draft.c.opened_at < before, _draft.c.ended_at.is_(None))
    rows = await session.execute(query.order_by(_draft.c.opened_at, _draft.c.id).limit(200))
    return [DraftItem(**row._mapping) for row in rows]


async def draft_form(session: AsyncSession, actor: Actor, vault: Vault, draft_id: int) -> DraftPage:
    """One draft with its form, open or ended; raises `draft_not_found`."""
    number = sa.func.coalesce(_ticket.c.number, _draft.c.record_number).label("number")
    query = (
        _draft_query(actor)
        .add_columns(_draft.c.form_sealed, _draft.c.ended_as, _draft.c.ended_code, _draft.c.ticket_id, number)
        .outerjoin(_ticket, _ticket.c.id == _draft.c.ticket_id)
        .where(_draft.c.id == draft_id)
    )
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("draft_not_found", draft_id=draft_id)
    item = DraftItem(**{name: getattr(row, name) for name in DraftItem.__dataclass_fields__})
    form = unpack_draft(draft_rows.unseal(vault, draft_id, row.form_sealed))
    return DraftPage(item, form, row.ended_as, row.ended_code, row.ticket_id, row.number)
