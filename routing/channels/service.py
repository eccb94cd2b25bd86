"""Every write of the channels' tables: a message that came, what came of it, what was sent.

A message is taken in one transaction: the dialogue's row is locked, a message that was here before gets
its answer again, and what the dialogue decides (a ticket, an urge, an addition, a rating) is done with it.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import outbox
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.privacy import Vault
from core.settings import Settings
from routing.channels import (
    Channel,
    Channels,
    Incoming,
    Kind,
    Option,
    dialogue,
    keeping,
    letters,
    queries,
    texts,
)
from routing.channels.models import (
    MAX_KEY,
    ChannelDialogue,
    ChannelMessage,
    ChannelState,
    ChannelTicket,
    table_of,
)
from routing.channels.states import ChannelStates
from routing.channels.talk import Act, Add, Media, Own, Rate, Submit, Talk, Turn, Urge, Wish
from routing.submissions import Submission, Submissions
from tickets.citizens.events import CitizenForgotten
from tickets.models import Ticket
from tickets.points import service as points
from tickets.public.acts import CitizenActs
from tickets.terms import Channel as Source
from tickets.terms import Confidentiality

SAY, MEDIA, NEWS = "channel.say", "channel.media", "channel.news"
_dialogue, _message = table_of(ChannelDialogue), table_of(ChannelMessage)
_link, _state = table_of(ChannelTicket), table_of(ChannelState)
_ticket = table_of(Ticket)
SOURCES = {"wechat": Source.WECHAT, "weibo": Source.WEIBO, "email": Source.EMAIL}


@dataclass(frozen=True)
class Heard:
    """What is answered, and the ticket this message made or was about."""

    says: str
    ticket_id: int | None = None
    again: bool = False
    options: tuple[Option, ...] = ()

    def __repr__(self) -> str:
        return f"Heard(ticket_id={self.ticket_id}, again={self.again})"


class ChannelService(ChannelStates):
    """Takes messages in and keeps what was sent."""

    def __init__(
        self, db: Database, vault: Vault, settings: Settings, submissions: Submissions, acts: CitizenActs
    ) -> None:
        super().__init__(db, vault)
        self._area = settings.city.phone_area
        self._most = settings.channels.tickets_per_day
        self._submissions = submissions
        self._acts = acts
        self.channels = Channels()

    # ---- a message that came --------------------------------------------------------------------

    async def hear(self, said: Incoming) -> Heard:
        """Take one message; the same again gives the same answer and does nothing.

        Raises `gateway_refused` for a signature that served another message already.
        """
        said = replace(said, key=_key(said.key))
        try:
            return await self._db.retrying(lambda uow: self._hear(uow, said))
        except HotlineError as error:
            if error.code == "gateway_refused":
                raise
            code = error.code  # nothing of it was kept: say so, and leave the dialogue as it was
        return await self._db.retrying(lambda uow: self._excuse(uow, said, code))

    async def _hear(self, uow: UnitOfWork, said: Incoming) -> Heard:
        row = await self._locked(uow, said)
        before = await self._before(uow, said)
        if before is not None:
            return before
        now = replace(said, at=uow.now)
        talk, anew = self._open(row)
        mine = await queries.own_tickets(uow.session, row.id, also=said.about)
        if said.kind is Kind.LETTER:
            turn = letters.answer(now, mine, self._area)
            handed, kept = turn.talk, talk
        else:
            turn = dialogue.answer(talk, now, mine=mine, touched=row.touched_at, area=self._area, anew=anew)
            handed, kept = talk, turn.talk
        says, ticket_id = await self._carry_out(uow, row, said, turn, handed, mine)
        serial = row.serial + isinstance(turn.act, Submit)
        await self._keep(uow, row.id, kept, serial, gone=said.kind is Kind.GONE)
        return await self._answered(uow, said, row.id, Heard(says, ticket_id, options=turn.options))

    async def _excuse(self, uow: UnitOfWork, said: Incoming, code: str) -> Heard:
        row = await self._locked(uow, said)
        before = await self._before(uow, said)
        if before is not None:
            return before
        says = texts.REFUSED.get(code, texts.REFUSED_DEFAULT)
        return await self._answered(uow, said, row.id, Heard(says))

    async def _locked(self, uow: UnitOfWork, said: Incoming) -> Any:
        """The sender's dialogue, made when there is none; two messages of one sender stand in line."""
        blind = self._vault.blind("sender", f"{said.channel}:{said.sender}")
        query = sa.select(_dialogue).where(_dialogue.c.channel == said.channel, _dialogue.c.sender == blind)
        row = (await uow.session.execute(query.with_for_update())).first()
        if row is not None:
            return row
        ref = await self._vault.put(uow, "note", said.sender)
        values = {"channel": said.channel, "sender": blind, "sender_ref": ref.id, "serial": 0}
        made = insert(_dialogue).values(**values, created_at=uow.now)
        await uow.session.execute(made.on_conflict_do_nothing(index_elements=["channel", "sender"]))
        return (await uow.session.execute(query.with_for_update())).one()

    async def _before(self, uow: UnitOfWork, said: Incoming) -> Heard | None:
        """The answer this message had; raises `gateway_refused` when its signature is another's."""
        here = (_message.c.channel == said.channel, _message.c.direction == "in")
        query = sa.select(_message).where(*here, _message.c.key == said.key)
        row = (await uow.session.execute(query)).first()
        if row is not None:
            says = "" if row.answer is None else self._vault.unseal(row.answer, aad=_aad(said)).decode()
            return Heard(says, row.ticket_id, again=True)
        if said.stamp:
            used = sa.select(_message.c.id).where(*here, _message.c.stamp == said.stamp)
            if (await uow.session.execute(used)).first() is not None:
                raise HotlineError("gateway_refused")
        return None

    async def _answered(self, uow: UnitOfWork, said: Incoming, dialogue_id: int, heard: Heard) -> Heard:
        answer = self._vault.seal(heard.says.encode(), aad=_aad(said)) if heard.says else None
        values = {
            "channel": said.channel,
            "direction": "in",
            "key": said.key,
            "stamp": said.stamp or None,
            "dialogue_id": dialogue_id,
            "kind": said.kind.value,
            "at": uow.now,
            "answer": answer,
            "ticket_id": heard.ticket_id,
        }
        made = await uow.session.execute(sa.insert(_message).values(**values).returning(_message.c.id))
        channel = self.channels.get(said.channel)
        if heard.says and channel is not None and not channel.passive:
            ident = made.scalar_one()
            await outbox.enqueue(uow, kind=SAY, dedup=f"{SAY}:{ident}", payload={"message": ident})
        return heard

    # ---- how a dialogue stands ------------------------------------------------------------------

    def _open(self, row: Any) -> tuple[Talk, bool]:
        """How it stands, and whether it begins anew because nobody can tell (`keeping.read`)."""
        if row.talk is None:
            return Talk(), False
        return keeping.read(self._vault.unseal(row.talk, aad=f"channel_dialogue:{row.id}"))

    async def _keep(self, uow: UnitOfWork, dialogue_id: int, talk: Talk, serial: int, *, gone: bool) -> None:
        """How it stands now; whoever writes is reached again."""
        raw = talk.model_dump_json().encode()
        sealed = None if talk == Talk() else self._vault.seal(raw, aad=f"channel_dialogue:{dialogue_id}")
        values: dict[str, Any] = {"talk": sealed, "serial": serial, "touched_at": uow.now}
        values |= {} if gone else {"gone_at": None}
        await uow.session.execute(sa.update(_dialogue).where(_dialogue.c.id == dialogue_id).values(**values))

    # ---- what a dialogue decides ----------------------------------------------------------------

    async def _carry_out(
        self, uow: UnitOfWork, row: Any, said: Incoming, turn: Turn, handed: Talk, mine: list[Own]
    ) -> tuple[str, int | None]:
        """Do the act; returns the words to say and the ticket it was about."""
        act, key = turn.act, f"{said.channel}-{hashlib.sha256(said.key.encode()).hexdigest()[:40]}"
        if act is None:
            return turn.says, None
        if isinstance(act, Submit):
            return await self._submit(uow, row, said, turn, handed)
        if isinstance(act, Wish):
            await self._wish(uow, row.id, act)
            return turn.says, None
        await self._act(uow, act, key, {own.id: own for own in mine})
        if isinstance(act, Add):
            await self._send_for(uow, said.channel, row.id, act.ticket_id, act.media)
        return turn.says, act.ticket_id

    async def _submit(
        self, uow: UnitOfWork, row: Any, said: Incoming, turn: Turn, talk: Talk
    ) -> tuple[str, int]:
        await self._check_often(uow, row.id)
        degree = Confidentiality.ANONYMOUS if talk.anonymous else Confidentiality.NORMAL
        made = await self._submissions.submit(
            uow,
            Submission(
                channel=SOURCES.get(said.channel, Source.PLATFORM),
                key=f"{said.channel}-dialogue-{row.id}-{row.serial}",
                narrative=talk.narrative,
                address=talk.address,
                point=talk.point,
                name=talk.name,
                phone=talk.phone or None,
                confidentiality=degree,
            ),
        )
        link = insert(_link).values(ticket_id=made.ticket_id, dialogue_id=row.id, told="")
        await uow.session.execute(link.on_conflict_do_nothing(index_elements=["ticket_id"]))
        await self._send_for(uow, said.channel, row.id, made.ticket_id, talk.media)
        return turn.says.format(number=made.number, code=made.query_code), made.ticket_id

    async def _check_often(self, uow: UnitOfWork, dialogue_id: int) -> None:
        """One sender hands in so many matters within a day. Raises `channel_full`."""
        day = (_ticket.c.created_at > uow.now - timedelta(days=1), _link.c.dialogue_id == dialogue_id)
        linked = _link.join(_ticket, _ticket.c.id == _link.c.ticket_id)
        query = sa.select(sa.func.count()).select_from(linked).where(*day)
        if (await uow.session.scalar(query) or 0) >= self._most:
            raise HotlineError("channel_full")

    async def _act(self, uow: UnitOfWork, act: Act, key: str, mine: dict[int, Own]) -> None:
        """What the sender does to a ticket of his own; another's is not among `mine`."""
        if isinstance(act, Urge | Add | Rate) and act.ticket_id not in mine:
            raise HotlineError("ticket_not_found", ticket_id=act.ticket_id)
        if isinstance(act, Urge):
            await self._acts.urge(uow, act.ticket_id, act.note, key=key)
        elif isinstance(act, Rate):
            _, responded, solved, satisfied = texts.RATINGS[act.choice]
            await self._acts.rate(
                uow, act.ticket_id, responded=responded, solved=solved, satisfied=satisfied, key=key
            )
        elif isinstance(act, Add):
            asked = mine[act.ticket_id].asked
            work = self._acts.supplement if asked else self._acts.add
            await work(uow, act.ticket_id, act.text, key=key)
            await points.keep(uow, act.ticket_id, act.point)

    async def _wish(self, uow: UnitOfWork, dialogue_id: int, wish: Wish) -> None:
        values = {
            "stopped_at": uow.now if wish.stopped else None,
            "gone_at": None if wish.reachable else uow.now,
        }
        if not wish.reachable:
            del values["stopped_at"]
        await uow.session.execute(sa.update(_dialogue).where(_dialogue.c.id == dialogue_id).values(**values))

    @staticmethod
    async def _send_for(
        uow: UnitOfWork, channel: str, dialogue_id: int, ticket_id: int, media: tuple[Media, ...]
    ) -> None:
        """Pictures and sounds lie with the platform: they are fetched behind the transaction."""
        for one in media:
            mark = hashlib.sha256(one.media.encode()).hexdigest()[:24]
            payload = {"channel": channel, "dialogue": dialogue_id, "ticket": ticket_id}
            payload |= {"media": one.media, "kind": one.kind.value}
            await outbox.enqueue(uow, kind=MEDIA, dedup=f"{MEDIA}:{ticket_id}:{mark}", payload=payload)

    # ---- what was sent, and how the channels fare --------------------------------------------------

    async def sent(self, channel: str, key: str, dialogue_id: int, kind: str) -> None:
        """Note that a message went out; the channel's trouble is over."""
        values = {"channel": channel, "direction": "out", "key": _key(key), "dialogue_id": dialogue_id}
        async with self._db.begin() as uow:
            made = insert(_message).values(**values, kind=kind, at=uow.now)
            await uow.session.execute(made.on_conflict_do_nothing())
            cleared = sa.update(_state).where(_state.c.channel == channel, _state.c.error.is_not(None))
            await uow.session.execute(cleared.values(error=None))

    async def gone(self, dialogue_id: int) -> None:
        """The platform reaches this person no more."""
        async with self._db.begin() as uow:
            here = (_dialogue.c.id == dialogue_id, _dialogue.c.gone_at.is_(None))
            await uow.session.execute(sa.update(_dialogue).where(*here).values(gone_at=uow.now))

    async def told(self, ticket_id: int, words: str) -> None:
        """The state the citizen knows of by now."""
        async with self._db.begin() as uow:
            here = _link.c.ticket_id == ticket_id
            await uow.session.execute(sa.update(_link).where(here).values(told=words[:60]))

    async def on_forgotten(self, uow: UnitOfWork, told: CitizenForgotten) -> None:
        """A citizen was forgotten: so is who wrote, and all that was said; whoever writes again is new."""
        query = sa.select(_dialogue.c.id, _dialogue.c.sender_ref).join(
            _link, _link.c.dialogue_id == _dialogue.c.id
        )
        rows = (
            await uow.session.execute(query.where(_link.c.ticket_id.in_(told.ticket_ids)).distinct())
        ).all()
        await Vault.destroy(uow, [row.sender_ref for row in rows])
        for row in rows:
            values = {"sender": os.urandom(32), "talk": None, "gone_at": uow.now}
            here = _dialogue.c.id == row.id
            await uow.session.execute(sa.update(_dialogue).where(here).values(**values))
            said = _message.c.dialogue_id == row.id
            await uow.session.execute(sa.update(_message).where(said).values(answer=None))

    async def prune(self, before: datetime) -> None:
        """Forget what was taken long ago, when no platform delivers it again, and half-said matters."""
        async with self._db.begin() as uow:
            await uow.session.execute(sa.delete(_message).where(_message.c.at < before))
            left = (_dialogue.c.touched_at < before, _dialogue.c.talk.is_not(None))
            await uow.session.execute(sa.update(_dialogue).where(*left).values(talk=None))

    async def sweep(self, days: int) -> None:
        """`prune` by the database's day."""
        await self.prune(self._db.clock.now() - timedelta(days=days))


def _key(key: str) -> str:
    """A platform's id of a message as it is kept; long or odd ones by their hash."""
    plain = key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY
    return key if plain else "sha256." + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _aad(said: Incoming) -> str:
    return f"channel_message:{said.channel}:{said.key}"


__all__ = ["Channel", "ChannelService", "Heard"]
