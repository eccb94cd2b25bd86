"""What lies on the agents' desks: drafts, call-back tasks, the category tree."""

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
from tickets.models import CallbackAttempt, CallbackTask, Category, Ticket, TicketDraft, table_of
from tickets.visibility import visible_callbacks, visible_drafts

_category = table_of(Category)
_draft = table_of(TicketDraft)
_task = table_of(CallbackTask)
_attempt = table_of(CallbackAttempt)
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


@dataclass(frozen=True)
class CallbackItem:
    """A call-back task; `caller` is masked."""

    id: int
    version: int
    caller_ref: int
    caller: str
    missed_at: datetime
    due_at: datetime
    calls: int
    attempts: int
    claimed_by: int | None
    claimed_by_name: str | None
    closed_at: datetime | None
    closed_as: str | None


@dataclass(frozen=True)
class AttemptItem:
    """One try."""

    at: datetime
    actor: str
    result: str
    note: str


@dataclass(frozen=True)
class CallbackPage:
    """A task with its tries, oldest first."""

    task: CallbackItem
    attempts: tuple[AttemptItem, ...]


def _callback_query(actor: Actor) -> sa.Select[Any]:
    plain = [name for name in CallbackItem.__dataclass_fields__ if name not in {"caller", "claimed_by_name"}]
    return (
        sa.select(
            *(_task.c[name] for name in plain),
            _value.c.masked.label("caller"),
            _user.c.name.label("claimed_by_name"),
        )
        .join(_value, _value.c.id == _task.c.caller_ref)
        .outerjoin(_user, _user.c.id == _task.c.claimed_by)
        .where(visible_callbacks(actor))
    )


async def callback_list(
    session: AsyncSession, actor: Actor, *, closed: bool = False, limit: int = 200
) -> list[CallbackItem]:
    """Open tasks by due time, or the closed ones, newest first."""
    query = _callback_query(actor)
    if closed:
        query = query.where(_task.c.closed_at.is_not(None)).order_by(
            _task.c.closed_at.desc(), _task.c.id.desc()
        )
    else:
        query = query.where(_task.c.closed_at.is_(None)).order_by(_task.c.due_at, _task.c.id)
    rows = await session.execute(query.limit(min(limit, 500)))
    return [CallbackItem(**row._mapping) for row in rows]


async def callback_page(session: AsyncSession, actor: Actor, task_id: int) -> CallbackPage:
    """One task; raises `callback_not_found`."""
    row = (await session.execute(_callback_query(actor).where(_task.c.id == task_id))).first()
    if row is None:
        raise HotlineError("callback_not_found", task_id=task_id)
    tries = (
        sa.select(_attempt.c.at, _user.c.name.label("actor"), _attempt.c.result, _attempt.c.note)
        .join(_user, _user.c.id == _attempt.c.actor_id)
        .where(_attempt.c.task_id == task_id)
        .order_by(_attempt.c.id)
    )
    found = tuple(AttemptItem(**each._mapping) for each in await session.execute(tries))
    return CallbackPage(CallbackItem(**row._mapping), found)
