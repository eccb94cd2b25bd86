"""Every write of the conversations: lock the row, check the step, write, tell. Nothing written is edited.

A citizen is known by the token of the conversation alone, or by the number a text message came from; an
agent by the actor. The same message sent twice (a double click, a gateway that asks again) is one.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chats import machine, texts
from chats.channels import Channels
from chats.events import ChatEnded, ChatMoved, ChatSaid, ChatTaken
from chats.machine import OPEN, Outcome, State, Step
from chats.models import ChatMessage, ChatSession, table_of
from core.db import UnitOfWork
from core.errors import HotlineError
from core.ids import new_token
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from core.settings import Settings

_chat = table_of(ChatSession)
_message = table_of(ChatMessage)
_OPEN = [state.value for state in OPEN]
TOKEN_BYTES = 32


@dataclass(frozen=True)
class ChatRow:
    """A conversation as it stands, locked until the transaction ends."""

    id: int
    version: int
    channel: str
    state: str
    phone_ref: int | None
    agent_id: int | None
    offered_to: int | None
    answered_at: datetime | None
    replied_at: datetime | None
    messages: int


_COLUMNS = tuple(_chat.c[name] for name in ChatRow.__dataclass_fields__)


@dataclass(frozen=True)
class Opened:
    """A new conversation; `token` is all the citizen needs, and is not kept here."""

    id: int
    token: str


def token_hash(token: str) -> bytes:
    """What is kept of a token. Tokens are random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


class ChatService:
    """Every write of the chat tables."""

    def __init__(self, vault: Vault, settings: Settings, channels: Channels) -> None:
        self._vault = vault
        self._settings = settings.text
        self._channels = channels

    # ---- the citizen ------------------------------------------------------------------------

    async def open_web(self, uow: UnitOfWork, *, phone: str | None = None) -> Opened:
        """A conversation on the web, the notice agreed to. Raises `text_closed`, `text_full`."""
        await self._check_room(uow)
        ref = (await self._vault.put(uow, "phone", phone)).id if phone else None
        token = new_token(TOKEN_BYTES)
        values = {
            "channel": "web",
            "token_hash": token_hash(token),
            "consented_at": uow.now,
            "phone_ref": ref,
        }
        return Opened(await self._open(uow, values), token)

    async def hear_sms(self, uow: UnitOfWork, phone: str, text: str, key: str) -> int:
        """A text message came: part of the number's open conversation, or a new one; returns its id.

        Raises `chat_empty`, `chat_too_long`, `text_closed`, `text_full`.
        """
        text = texts.cleaned(text)
        ref = (await self._vault.put(uow, "phone", phone)).id
        row = await self._of_number(uow, ref)
        if row is None:
            seen = sa.select(_message.c.session_id).join(_chat, _chat.c.id == _message.c.session_id)
            seen = seen.where(_chat.c.phone_ref == ref, _message.c.key == key).limit(1)
            known: int | None = (await uow.session.execute(seen)).scalar_one_or_none()
            if known is not None:  # the gateway asks again about a conversation that is over
                return known
            await self._check_room(uow)
            await self._open(uow, {"channel": "sms", "phone_ref": ref})
            row = await self._of_number(uow, ref)
            assert row is not None
        await self._say(uow, row, "citizen", None, text, key)
        return row.id

    async def say_citizen(self, uow: UnitOfWork, token: str, text: str, key: str) -> None:
        """The citizen writes.

        Raises `chat_unknown`, `chat_ended`, `chat_empty`, `chat_too_long`, `chat_full`.
        """
        text = texts.cleaned(text)
        row = await self._of_token(uow, token)
        await self._say(uow, row, "citizen", None, text, key)

    async def leave(self, uow: UnitOfWork, token: str) -> None:
        """The citizen ends it; the token is void from now on. Raises `chat_unknown`."""
        row = await self._of_token(uow, token)
        if row.state != State.ENDED.value:
            await self._end(uow, row, "citizen")
        await uow.session.execute(sa.update(_chat).where(_chat.c.id == row.id).values(token_hash=None))

    # ---- the agent --------------------------------------------------------------------------

    async def take(self, uow: UnitOfWork, actor: Actor, chat_id: int) -> None:
        """Take one that waits, is offered to the actor, or was missed; one's own again is nothing.

        Raises `chat_not_found`, `chat_taken`, `chat_offered` (to a colleague), `chat_ended`, `chat_busy`.
        """
        row = await self._locked(uow, actor, chat_id)
        if row.state == State.ACTIVE.value:
            if row.agent_id == actor.user_id:
                return
            raise HotlineError("chat_taken", user_id=row.agent_id)
        if row.state == State.OFFERED.value and row.offered_to != actor.user_id:
            raise HotlineError("chat_offered")
        await self._check_free(uow, actor)
        state = machine.after(row.state, Step.TAKE)
        values: dict[str, Any] = {"agent_id": actor.user_id, "offered_to": None, "due_at": None}
        if row.answered_at is None:
            values["answered_at"] = uow.now
        version = await self._change(uow, row, state, **values)
        assert actor.user_id is not None
        await uow.emit(ChatTaken(row.id, actor.user_id, row.phone_ref, version))

    async def say_agent(self, uow: UnitOfWork, actor: Actor, chat_id: int, text: str, key: str) -> None:
        """The agent writes; a text message goes out. Raises `chat_not_yours` besides the usual."""
        text = texts.cleaned(text)
        row = await self._own(uow, actor, chat_id)
        await self._say(uow, row, "agent", actor.user_id, text, key)

    async def end(self, uow: UnitOfWork, actor: Actor, chat_id: int) -> None:
        """The agent ends it; twice is once. Raises `chat_not_found`, `chat_not_yours`."""
        row = await self._locked(uow, actor, chat_id)
        if row.state == State.ENDED.value:
            return
        if row.agent_id != actor.user_id:
            raise HotlineError("chat_not_yours")
        await self._end(uow, row, "agent")

    # ---- by itself --------------------------------------------------------------------------

    async def offer(self, uow: UnitOfWork, chat_id: int, user_id: int) -> None:
        """Let it ring at an agent's seat."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is None or row.state != State.WAITING.value:
            return
        values = {"offered_to": user_id, "offered_at": uow.now, "offers": _chat.c.offers + 1}
        version = await self._change(uow, row, machine.after(row.state, Step.OFFER), **values)
        await uow.emit(ChatMoved(row.id, "offered", user_id, version))

    async def lapse(self, uow: UnitOfWork, chat_id: int) -> None:
        """An offer nobody took goes back to the queue, behind nobody."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is None or row.state != State.OFFERED.value:
            return
        version = await self._change(
            uow, row, machine.after(row.state, Step.LAPSE), offered_to=None, passed_by=row.offered_to
        )
        await uow.emit(ChatMoved(row.id, "lapsed", row.offered_to, version))

    async def miss(self, uow: UnitOfWork, chat_id: int, due_at: datetime) -> None:
        """Nobody took it in time: the citizen is told, and it is work with a due time."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is None or row.state not in (State.WAITING.value, State.OFFERED.value):
            return
        values = {"missed_at": uow.now, "due_at": due_at, "offered_to": None}
        await self._change(uow, row, machine.after(row.state, Step.MISS), **values)
        await self._told(uow, chat_id, self._settings.missed_text, "missed")
        await uow.emit(ChatMoved(row.id, "missed", None, row.version + 1))

    async def time_out(self, uow: UnitOfWork, chat_id: int) -> None:
        """Nobody has written for long: it ends by itself."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is not None and row.state in (State.ACTIVE.value, State.MISSED.value):
            await self._end(uow, row, "system")

    async def end_for_draft(self, uow: UnitOfWork, chat_id: int, said: str) -> None:
        """What was asked for is registered: tell the citizen and end it."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is not None and row.state != State.ENDED.value:
            await self._told(uow, chat_id, said, "registered")
            row = await self._lock(uow, _chat.c.id == chat_id)
            assert row is not None
            await self._end(uow, row, "agent")

    async def forget_words(self, uow: UnitOfWork, ids: Collection[int]) -> int:
        """Destroy for ever what was written in conversations that are over; returns in how many it still was.

        Their course stays. Whoever calls has asked whether they may go: past their time, or their citizen's
        wish. The citizen's link is void from now on.
        """
        there = sa.and_(_chat.c.id.in_(ids), _chat.c.ended_at.is_not(None), _chat.c.words_gone_at.is_(None))
        gone = sa.update(_chat).where(there).values(words_gone_at=uow.now, token_hash=None)
        done = list((await uow.session.execute(gone.returning(_chat.c.id))).scalars())
        bodies = sa.select(_message.c.body_ref).where(_message.c.session_id.in_(done))
        await Vault.destroy(uow, list((await uow.session.execute(bodies)).scalars()))
        return len(done)

    # ---- rows -------------------------------------------------------------------------------

    async def _open(self, uow: UnitOfWork, values: dict[str, Any]) -> int:
        base = {"version": 1, "state": State.WAITING.value, "queued_at": uow.now, "citizen_at": uow.now}
        statement = insert(_chat).values(**base, **values, offers=0, messages=0).returning(_chat.c.id)
        chat_id = int((await uow.session.execute(statement)).scalar_one())
        await uow.emit(ChatMoved(chat_id, "opened", None, 1))
        return chat_id

    async def _check_room(self, uow: UnitOfWork) -> None:
        """A flood of conversations must not bury those of people."""
        if not self._settings.enabled:
            raise HotlineError("text_closed")
        waiting = sa.select(sa.func.count()).where(_chat.c.state.in_(("waiting", "offered")))
        if (await uow.session.execute(waiting)).scalar_one() >= self._settings.most_waiting:
            raise HotlineError("text_full")

    async def _check_free(self, uow: UnitOfWork, actor: Actor) -> None:
        mine = sa.select(sa.func.count()).where(_chat.c.agent_id == actor.user_id, _chat.c.state == "active")
        if (await uow.session.execute(mine)).scalar_one() >= self._settings.at_once:
            raise HotlineError("chat_busy", limit=self._settings.at_once)

    async def _lock(self, uow: UnitOfWork, where: sa.ColumnElement[bool]) -> ChatRow | None:
        found = (await uow.session.execute(sa.select(*_COLUMNS).where(where).with_for_update())).first()
        return None if found is None else ChatRow(**found._mapping)

    async def _locked(self, uow: UnitOfWork, actor: Actor, chat_id: int) -> ChatRow:
        actor.require(Permission.TEXT_TAKE)
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is None:
            raise HotlineError("chat_not_found", chat_id=chat_id)
        return row

    async def _own(self, uow: UnitOfWork, actor: Actor, chat_id: int) -> ChatRow:
        row = await self._locked(uow, actor, chat_id)
        if row.state == State.ENDED.value:
            raise HotlineError("chat_ended")
        if row.state != State.ACTIVE.value or row.agent_id != actor.user_id:
            raise HotlineError("chat_not_yours")
        return row

    async def _of_token(self, uow: UnitOfWork, token: str) -> ChatRow:
        row = await self._lock(uow, _chat.c.token_hash == token_hash(token))
        if row is None:
            raise HotlineError("chat_unknown")
        return row

    async def _of_number(self, uow: UnitOfWork, ref: int) -> ChatRow | None:
        return await self._lock(
            uow, sa.and_(_chat.c.channel == "sms", _chat.c.phone_ref == ref, _chat.c.state.in_(_OPEN))
        )

    async def _say(
        self, uow: UnitOfWork, row: ChatRow, sender: str, actor_id: int | None, text: str, key: str
    ) -> None:
        if row.state == State.ENDED.value:
            raise HotlineError("chat_ended")
        if row.messages >= texts.MOST:
            raise HotlineError("chat_full", limit=texts.MOST)
        if not await self._append(uow, row.id, sender, actor_id, text, key):
            return
        values: dict[str, Any] = {"messages": row.messages + 1}
        if sender == "citizen":
            values["citizen_at"] = uow.now
        elif row.replied_at is None:
            values["replied_at"] = uow.now
        version = await self._change(uow, row, State(row.state), **values)
        if sender != "citizen":
            await self._channels.hand_over(uow, row.channel, row.id, key)
        await uow.emit(ChatSaid(row.id, sender, row.agent_id or row.offered_to, version))

    async def _append(
        self, uow: UnitOfWork, chat_id: int, sender: str, actor_id: int | None, text: str, key: str
    ) -> bool:
        """One message, sealed; False when it was there before."""
        before = sa.select(_message.c.id).where(_message.c.session_id == chat_id, _message.c.key == key)
        if (await uow.session.execute(before)).first() is not None:
            return False
        body = await self._vault.put(uow, "note", text)
        values = {"session_id": chat_id, "key": key, "at": uow.now, "sender": sender}
        await uow.session.execute(insert(_message).values(**values, actor_id=actor_id, body_ref=body.id))
        return True

    async def _told(self, uow: UnitOfWork, chat_id: int, text: str, key: str) -> None:
        """What the system says by itself; once each."""
        row = await self._lock(uow, _chat.c.id == chat_id)
        if row is not None:
            await self._say(uow, row, "system", None, texts.cleaned(text), f"system:{key}")

    async def _end(self, uow: UnitOfWork, row: ChatRow, by: str) -> None:
        outcome = Outcome.ANSWERED
        if row.answered_at is None:
            outcome = Outcome.ABANDONED if by == "citizen" else Outcome.UNANSWERED
        values = {"ended_at": uow.now, "ended_by": by, "outcome": outcome.value, "offered_to": None}
        values["due_at"] = None
        version = await self._change(uow, row, machine.after(row.state, Step.END), **values)
        await uow.emit(ChatEnded(row.id, row.agent_id or row.offered_to, by, outcome.value, version))

    @staticmethod
    async def _change(uow: UnitOfWork, row: ChatRow, state: State, **values: Any) -> int:
        version = row.version + 1
        statement = sa.update(_chat).where(_chat.c.id == row.id)
        await uow.session.execute(statement.values(version=version, state=state.value, **values))
        return version
