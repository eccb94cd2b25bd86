"""What a citizen may do to his own ticket: supplement, add, urge, withdraw, object (申诉), rate.

Whoever calls has proved number and code, or is signed in as the ticket's citizen; that is asked at the
door (`tickets.query_codes`), never here. The same key again does nothing and gives the same answer.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.privacy import Vault
from tickets import ticket_rows
from tickets.inputs import MAX_NOTE, Appeal, parse_input
from tickets.models import Ticket, table_of
from tickets.public.models import MAX_KEY, CitizenAct
from tickets.public.terms import CONTENT_FROM, Act, acts_in
from tickets.service import NewTicket, TicketService
from tickets.states import Action, State
from tickets.terms import Channel

# In histories he is the citizen; to the rules he is what comes by itself.
CITIZEN = Actor(None, "system:citizen", "市民", frozenset(), frozenset(), None, "", "市民")
_act, _ticket = table_of(CitizenAct), table_of(Ticket)
URGES_A_DAY = 1
MOST_ADDITIONS = 20


class CitizenActs:
    """The acts. Each runs in the caller's transaction, which should be retried (`Database.retrying`)."""

    def __init__(self, tickets: TicketService, vault: Vault) -> None:
        self._tickets = tickets
        self._vault = vault

    async def supplement(self, uow: UnitOfWork, ticket_id: int, text: str, *, key: str) -> None:
        """Answer what the hotline asked; the ticket goes on. Raises `act_not_now`, `form_invalid` (note)."""
        await self._once(uow, ticket_id, Act.SUPPLEMENT, key, Action.SUPPLEMENT, {"note": text})

    async def add(self, uow: UnitOfWork, ticket_id: int, text: str, *, key: str) -> None:
        """Say something besides. Raises `act_not_now`, `form_invalid` (note), `acts_too_many`."""
        await self._once(uow, ticket_id, Act.ADD, key, Action.ADD, {"note": text})

    async def urge(self, uow: UnitOfWork, ticket_id: int, text: str = "", *, key: str) -> None:
        """Ask again (催办), once in 24 hours. Raises `act_not_now`, `acts_too_many`."""
        await self._once(uow, ticket_id, Act.URGE, key, Action.URGE, {"note": text})

    async def withdraw(self, uow: UnitOfWork, ticket_id: int, text: str, *, key: str) -> None:
        """Take the matter back; it ends. Raises `act_not_now`, `form_invalid` (note), `has_members`."""
        await self._once(uow, ticket_id, Act.WITHDRAW, key, Action.WITHDRAW, {"note": text})

    async def object(
        self, uow: UnitOfWork, ticket_id: int, text: str, *, key: str, channel: Channel = Channel.WEB
    ) -> NewTicket:
        """申诉 against how it was handled: a ticket of its own. Raises `act_not_now`, `appeal_open`."""
        state = await self._begin(uow, ticket_id, Act.OBJECT, key)
        if state is None:
            return await self._objection(uow, ticket_id, key)
        row = (await ticket_rows.lock(uow, CITIZEN, ticket_id)).row
        told = {"channel": channel.value}
        made = await self._tickets.appeal(uow, CITIZEN, ticket_id, row.version, _appeal(text), told)
        mine = (_act.c.ticket_id == ticket_id, _act.c.key == key)
        await uow.session.execute(sa.update(_act).where(*mine).values(result_id=made.id))
        return made

    async def rate(
        self,
        uow: UnitOfWork,
        ticket_id: int,
        *,
        responded: bool,
        solved: bool,
        satisfied: int,
        text: str = "",
        key: str,
    ) -> None:
        """Answer the three questions: answered at all, solved, how content (1 … 5); once.

        Who is content with what waits for a call-back need not be called; who is not is called, with his
        answers at hand, so that it can be sent back. Raises `act_not_now`, `already_rated`, `form_invalid`.
        """
        answers: dict[str, Any] = {"responded": responded, "solved": solved, "satisfied": satisfied}
        state = await self._begin(uow, ticket_id, Act.RATE, key)
        if state is None:
            return
        if state is not State.WAITING_CALLBACK:
            await self._do(uow, ticket_id, Action.RATE, {**answers, "note": text})
        elif solved and satisfied >= CONTENT_FROM:
            given = {"result": "reached", **answers, "note": text}
            await self._do(uow, ticket_id, Action.REVISIT, given)
        else:
            contact, end = "已" if responded else "未", "已" if solved else "未"
            said = f"网上评价：{contact}联系，{end}解决，满意度 {satisfied} 分。"
            await self._do(uow, ticket_id, Action.ADD, {"note": (said + text)[:MAX_NOTE]})

    # ---- once per key -------------------------------------------------------------------------

    async def _once(
        self, uow: UnitOfWork, ticket_id: int, act: Act, key: str, action: Action, data: dict[str, Any]
    ) -> None:
        if await self._begin(uow, ticket_id, act, key) is not None:
            await self._do(uow, ticket_id, action, data)

    async def _begin(self, uow: UnitOfWork, ticket_id: int, act: Act, key: str) -> State | None:
        """Lock the ticket and note the act; None when this key was here before.

        Raises `ticket_not_found`, `act_not_now` (act, state), `acts_too_many`.
        """
        if not 8 <= len(key) <= MAX_KEY:
            raise HotlineError("form_invalid", fields={"key": "bad_value"})
        row = (await ticket_rows.lock(uow, CITIZEN, ticket_id)).row
        earlier = sa.select(_act.c.act).where(_act.c.ticket_id == ticket_id, _act.c.key == key)
        if (await uow.session.execute(earlier)).first() is not None:
            return None
        if act is Act.RATE and row.responded is not None:
            raise HotlineError("already_rated", ticket_id=ticket_id)
        if act not in acts_in(row.state, rated=row.responded is not None):
            raise HotlineError("act_not_now", act=act.value, state=row.state)
        await self._check_often(uow, ticket_id, act)
        values = {"ticket_id": ticket_id, "key": key, "act": act.value, "at": uow.now}
        await uow.session.execute(sa.insert(_act).values(**values))
        return State(row.state)

    async def _check_often(self, uow: UnitOfWork, ticket_id: int, act: Act) -> None:
        """An urge a day, twenty additions, one rating of what waits for a call-back. The ticket is locked."""
        mine = (_act.c.ticket_id == ticket_id, _act.c.act == act.value)
        day = _act.c.at > uow.now - timedelta(hours=24)
        where, most = {
            Act.URGE: ((*mine, day), URGES_A_DAY),
            Act.ADD: (mine, MOST_ADDITIONS),
            Act.RATE: ((*mine, day), 1),
        }.get(act, (mine, MOST_ADDITIONS))
        count = await uow.session.scalar(sa.select(sa.func.count()).select_from(_act).where(*where))
        if (count or 0) >= most:
            raise HotlineError("acts_too_many", act=act.value)

    async def _do(self, uow: UnitOfWork, ticket_id: int, action: Action, data: dict[str, Any]) -> None:
        row = (await ticket_rows.lock(uow, CITIZEN, ticket_id)).row
        await self._tickets.act(uow, CITIZEN, ticket_id, row.version, action, data)

    async def _objection(self, uow: UnitOfWork, ticket_id: int, key: str) -> NewTicket:
        query = sa.select(_ticket.c.id, _ticket.c.number, _ticket.c.version, _ticket.c.query_code_ref)
        query = query.join(_act, _act.c.result_id == _ticket.c.id)
        row = (await uow.session.execute(query.where(_act.c.ticket_id == ticket_id, _act.c.key == key))).one()
        return NewTicket(
            row.id, row.number, await self._vault.reveal(uow.session, row.query_code_ref), row.version
        )


def _appeal(text: str) -> Appeal:
    told = parse_input(Action.APPEAL, {"note": text})
    assert isinstance(told, Appeal)
    return told
