"""Questions asked of the conversations: the citizen's by its token, the agent's own, the floor's list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from chats.models import ChatMessage, ChatSession, table_of
from chats.service import token_hash
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import DESTROYED, PersonalValue, Vault

_chat = table_of(ChatSession)
_message = table_of(ChatMessage)
_user = table_of(User)
_value = table_of(PersonalValue)
MOST = 100
STILL_READ = timedelta(minutes=30)  # the last words of a conversation, its number among them
IN_TIME = 180  # seconds: GB/T 33358-2016 asks for an answer of other media within three minutes


@dataclass(frozen=True)
class ChatItem:
    """A conversation as a line; `phone` is masked, `last_sender` says whose turn it is."""

    id: int
    version: int
    channel: str
    state: str
    phone: str | None
    queued_at: datetime
    offered_to: int | None
    offered_at: datetime | None
    agent_id: int | None
    agent: str | None
    answered_at: datetime | None
    missed_at: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    words_gone_at: datetime | None
    messages: int
    last_sender: str | None


@dataclass(frozen=True)
class Said:
    """One message in the clear, for who has the conversation."""

    id: int
    at: datetime
    sender: str
    text: str


@dataclass(frozen=True)
class Place:
    """A conversation as its citizen sees it; `ahead` wait before him."""

    id: int
    state: str
    ahead: int


@dataclass(frozen=True)
class Figures:
    """Conversations that began in a span, counted apart from calls; `wait`: mean of the answered, seconds."""

    opened: int
    answered: int
    in_time: int
    abandoned: int
    missed: int
    wait: float | None


def visible_chats(actor: Actor) -> sa.ColumnElement[bool]:
    """Who takes them sees the open ones and his own; the shift leader and the inspector all."""
    if actor.may(Permission.CALL_READ_ALL):
        return sa.true()
    if not actor.may(Permission.TEXT_TAKE) or actor.user_id is None:
        return sa.false()
    return sa.or_(_chat.c.agent_id == actor.user_id, _chat.c.ended_at.is_(None))


def items() -> sa.Select[Any]:
    """Rows of `ChatItem`, for a condition on `chat_session`."""
    joined = {"phone", "agent", "last_sender"}
    plain = [name for name in ChatItem.__dataclass_fields__ if name not in joined]
    last = (
        sa.select(_message.c.sender)
        .where(_message.c.session_id == _chat.c.id)
        .order_by(_message.c.id.desc())
        .limit(1)
        .correlate(_chat)
        .scalar_subquery()
    )
    return sa.select(
        *(_chat.c[name] for name in plain),
        _value.c.masked.label("phone"),
        _user.c.name.label("agent"),
        last.label("last_sender"),
    ).select_from(
        _chat.outerjoin(_value, _value.c.id == _chat.c.phone_ref).outerjoin(
            _user, _user.c.id == _chat.c.agent_id
        )
    )


async def mine(session: AsyncSession, actor: Actor) -> list[ChatItem]:
    """What is offered to this person now, then what he has, oldest first."""
    if not actor.may(Permission.TEXT_TAKE) or actor.user_id is None:
        return []
    offered = sa.and_(_chat.c.state == "offered", _chat.c.offered_to == actor.user_id)
    active = sa.and_(_chat.c.state == "active", _chat.c.agent_id == actor.user_id)
    query = items().where(sa.or_(offered, active))
    query = query.order_by(sa.desc(_chat.c.state == "offered"), _chat.c.queued_at, _chat.c.id)
    return [ChatItem(**row._mapping) for row in await session.execute(query)]


async def listed(session: AsyncSession, actor: Actor, *, ended: bool = False) -> list[ChatItem]:
    """Open ones: those nobody answered by due time, those who wait, those under way; or the last ended."""
    query = items().where(visible_chats(actor))
    if ended:
        query = query.where(_chat.c.ended_at.is_not(None)).order_by(
            _chat.c.ended_at.desc(), _chat.c.id.desc()
        )
    else:
        order = sa.case({"missed": 0, "waiting": 1, "offered": 1}, value=_chat.c.state, else_=2)
        query = query.where(_chat.c.ended_at.is_(None)).order_by(
            order, _chat.c.due_at, _chat.c.queued_at, _chat.c.id
        )
    return [ChatItem(**row._mapping) for row in await session.execute(query.limit(MOST))]


async def one(session: AsyncSession, actor: Actor, chat_id: int) -> ChatItem:
    """A conversation this person may see. Raises `chat_not_found`."""
    row = (await session.execute(items().where(_chat.c.id == chat_id, visible_chats(actor)))).first()
    if row is None:
        raise HotlineError("chat_not_found", chat_id=chat_id)
    return ChatItem(**row._mapping)


async def waiting_counts(session: AsyncSession, actor: Actor) -> tuple[int, int]:
    """How many wait for somebody, and how many nobody answered in time."""
    query = sa.select(
        sa.func.count().filter(_chat.c.state.in_(("waiting", "offered"))),
        sa.func.count().filter(_chat.c.state == "missed"),
    ).where(visible_chats(actor), _chat.c.ended_at.is_(None))
    row = (await session.execute(query)).one()
    return int(row[0]), int(row[1])


async def of_token(session: AsyncSession, token: str, now: datetime) -> Place:
    """The conversation of a token; one that ended is still read for a while. Raises `chat_unknown`."""
    query = sa.select(_chat.c.id, _chat.c.state, _chat.c.queued_at)
    known = sa.or_(_chat.c.ended_at.is_(None), _chat.c.ended_at > now - STILL_READ)
    row = (await session.execute(query.where(_chat.c.token_hash == token_hash(token), known))).first()
    if row is None:
        raise HotlineError("chat_unknown")
    before = sa.select(sa.func.count()).where(
        _chat.c.state.in_(("waiting", "offered")), _chat.c.queued_at < row.queued_at
    )
    return Place(row.id, row.state, int((await session.execute(before)).scalar_one()))


async def transcript(session: AsyncSession, vault: Vault, chat_id: int, *, after: int = 0) -> list[Said]:
    """What was written, in order, behind message `after`; the caller has checked who asks."""
    query = sa.select(_message.c.id, _message.c.at, _message.c.sender, _message.c.body_ref)
    query = query.where(_message.c.session_id == chat_id, _message.c.id > after).order_by(_message.c.id)
    rows = (await session.execute(query)).all()
    texts: Mapping[int, str] = await vault.plain(session, [row.body_ref for row in rows])
    return [Said(row.id, row.at, row.sender, texts.get(row.body_ref, DESTROYED)) for row in rows]


async def figures(session: AsyncSession, since: datetime, until: datetime) -> Figures:
    """What became of the conversations that began in [since, until)."""
    wait = sa.extract("epoch", _chat.c.answered_at - _chat.c.queued_at)
    answered = sa.and_(_chat.c.answered_at.is_not(None), _chat.c.missed_at.is_(None))
    query = sa.select(
        sa.func.count().label("opened"),
        sa.func.count().filter(answered).label("answered"),
        sa.func.count().filter(answered, wait <= IN_TIME).label("in_time"),
        sa.func.count()
        .filter(_chat.c.outcome == "abandoned", _chat.c.missed_at.is_(None))
        .label("abandoned"),
        sa.func.count().filter(_chat.c.missed_at.is_not(None)).label("missed"),
        sa.func.avg(wait).filter(answered).label("wait"),
    ).where(_chat.c.queued_at >= since, _chat.c.queued_at < until)
    row = (await session.execute(query)).one()
    mean = float(row.wait) if row.wait is not None else None
    return Figures(row.opened, row.answered, row.in_time, row.abandoned, row.missed, mean)


async def state_of(session: AsyncSession, ids: list[int]) -> dict[int, str]:
    """The states of conversations whose drafts this person may see."""
    if not ids:
        return {}
    rows = await session.execute(sa.select(_chat.c.id, _chat.c.state).where(_chat.c.id.in_(ids)))
    return {row.id: row.state for row in rows}
